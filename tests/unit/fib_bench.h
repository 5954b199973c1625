/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A FIB beside a naive longest-prefix match over the list of what was set, and that both say the same: for test_fib.c.
 */
#ifndef FIB_BENCH_H
#define FIB_BENCH_H

#include "fib.h"
#include "tables_fixture.h"

#define MODEL_MAX 4096

struct model_route {
	uint8_t addr[16];
	uint8_t len;
	uint32_t id;
};

struct model {
	uint8_t family;
	uint32_t n;
	struct model_route route[MODEL_MAX];
};

struct bench {
	struct tables *tables;
	struct fib *fib;
	struct model model;
	uint64_t seed, checks;
};

/* CMocka's; the bench is *state. */
int bench_setup(void **state);	/* for IPv4 */
int bench_setup6(void **state);
int bench_teardown(void **state);

uint32_t model_lookup(const struct model *model, const uint8_t *addr);	/* id, 0 = no route */
void bench_set(struct bench *b, const uint8_t *prefix, uint8_t len, uint32_t id);	/* in both; id 0 deletes */
/* Flushes, then looks up addresses around so many prefixes of the model and so many random ones, singly and in batches. */
void bench_check(struct bench *b, uint32_t around, uint32_t random);
void bench_delete_all(struct bench *b);	/* and every node is free again */

#endif
