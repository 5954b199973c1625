/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's environment, made from our configuration: which cores, which memory, which names. lcore 0 is the main thread,
 * lcore i + 1 is worker i.
 */
#ifndef EAL_H
#define EAL_H

#include <stdbool.h>
#include <stdint.h>

#define EAL_HUGE_BYTES (2UL << 20)	/* the smallest that is called huge */

struct eal_memory {
	uint64_t size_bytes;
	uintptr_t start, end;	/* addresses of the heap */
	uint64_t page_min_bytes, page_max_bytes;	/* reserved pages in it, or ordinary ones */
	bool transparent;	/* it may be on transparent huge pages */
	char kind[64];		/* "hugetlbfs 2 MiB", "thp, 74 of 75 MiB", "4 KiB pages" */
};

/* eal_pages.c */
void eal_pages_find(struct eal_memory *memory);		/* what EAL has taken: all but size_bytes and transparent */
void eal_pages_transparent(struct eal_memory *memory);	/* moves the heap to where transparent huge pages fit */
/* After the packet buffers have been made, before a driver gets them: what the kernel gave, into `kind`, and said. */
void eal_pages_look(struct eal_memory *memory);
void eal_pages_warn(const struct eal_memory *memory);	/* what 4 KiB pages cost */

#endif
