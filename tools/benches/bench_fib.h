/* SPDX-License-Identifier: BSD-3-Clause */
/* What bench_fib.c and bench_fib_table.c share: the table, the destinations, the place, the clocks. */
#ifndef BENCH_FIB_H
#define BENCH_FIB_H

#include <stdbool.h>
#include <stdint.h>

#include "fib.h"
#include "wye_fib.h"

#define RUNS_MAX       99
#define BENCH_NEXTHOPS 64u
#define DESTINATIONS   (1u << 20)

struct bench_route {
	uint8_t addr[16];
	uint8_t len;
	uint32_t id;
};

struct bench_routes {
	uint32_t n;
	struct bench_route *route;
};

struct contest {
	char dir[128];			/* run directory */
	struct control_file control;
	struct region region;
	struct fib *writer;
	struct wye_fib fib;
	struct rte_fib *rte4;
	struct rte_fib6 *rte6;
	struct bench_routes routes4, routes6;
	uint32_t *dst4, *dst4_be;	/* DESTINATIONS, host and network order */
	uint8_t (*dst6)[16];
};

/* n4 + n6 distinct prefixes in random order, and DESTINATIONS of each family. */
void bench_tables(struct contest *c, uint32_t n4, uint32_t n6, bool scattered);

/* A temporary run directory, in a mount namespace of ours with a hugetlbfs of its own if enough huge pages are free. */
void bench_place(struct contest *c, bool *huge);
void bench_unplace(struct contest *c);

double bench_now_s(void);
double bench_cpu_s(void);	/* of this process */
double bench_heap_mib(void);	/* malloc's, in use */
uint64_t bench_random(uint64_t *state);

static inline uint32_t bench_addr4(const uint8_t *addr)
{
	return (uint32_t)addr[0] << 24 | (uint32_t)addr[1] << 16 | (uint32_t)addr[2] << 8 | addr[3];
}

#endif
