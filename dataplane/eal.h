/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's environment, made from our configuration: which cores, which memory, which names. lcore 0 is the main thread,
 * lcore i + 1 is worker i.
 */
#ifndef EAL_H
#define EAL_H

#include <stdint.h>

struct eal_memory {
	uint64_t size_bytes;
	char kind[32];	/* "hugetlbfs 2 MiB", "thp", "4 KiB pages" */
};

#endif
