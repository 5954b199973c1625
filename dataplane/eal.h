/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's environment, made from our configuration: which cores, which memory, which names. lcore 0 is the main thread,
 * lcore i + 1 is worker i.
 */
#ifndef EAL_H
#define EAL_H

#include "options.h"
#include "wye_config.h"

struct eal_memory {
	uint64_t size_bytes;
	char kind[32];	/* "hugetlbfs 2 MiB", "thp", "4 KiB pages" */
};

/* 0 or -errno, printed. Once a process. */
int eal_open(const struct options *options, const struct wye_config *config, struct eal_memory *memory);
void eal_close(void);

/* Tells what an operator would otherwise learn from a failed socket: capabilities, bpffs, CPUs, drivers. 0 or -errno,
 * printed. */
int eal_preflight(const struct wye_config *config);

#endif
