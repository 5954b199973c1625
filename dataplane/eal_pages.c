/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transparent huge pages under DPDK's heap. Without reserved pages EAL keeps its heap in a memfd, whose huge pages are
 * tmpfs's affair (shmem_enabled, "never" by default) and must begin at 2 MiB in the file and in memory alike, which they
 * do not. So the heap is moved to anonymous memory at the same addresses, once, before anything but this thread uses it.
 *
 * What the kernel gave shows when memory has been touched: it is read from smaps after the packet buffers were made, and,
 * where it is little, MADV_COLLAPSE (Linux 6.1) asks once more, before any buffer is given to a driver.
 */
#include <errno.h>
#include <rte_memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "eal.h"
#include "log.h"
#include "wye_smaps.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static int add_list(const struct rte_memseg_list *list, void *arg)
{
	uintptr_t start = (uintptr_t)list->base_va, end = start + list->len;
	struct eal_memory *memory = arg;

	if (list->external || !list->memseg_arr.count)
		return 0;
	memory->start = memory->end && memory->start < start ? memory->start : start;
	memory->end = memory->end > end ? memory->end : end;
	memory->page_max_bytes = memory->page_max_bytes > list->page_sz ? memory->page_max_bytes : list->page_sz;
	if (!memory->page_min_bytes || memory->page_min_bytes > list->page_sz)
		memory->page_min_bytes = list->page_sz;
	return 0;
}

void eal_pages_find(struct eal_memory *memory)
{
	memory->start = memory->end = 0;
	memory->page_min_bytes = memory->page_max_bytes = 0;
	rte_memseg_list_walk(add_list, memory);
	if (memory->page_max_bytes < EAL_HUGE_BYTES)
		snprintf(memory->kind, sizeof(memory->kind), "4 KiB pages");
	else if (memory->page_min_bytes == memory->page_max_bytes)
		snprintf(memory->kind, sizeof(memory->kind), "hugetlbfs %llu MiB", (unsigned long long)memory->page_max_bytes >> 20);
	else
		snprintf(memory->kind, sizeof(memory->kind), "hugetlbfs %llu and %llu MiB",
			 (unsigned long long)memory->page_max_bytes >> 20, (unsigned long long)memory->page_min_bytes >> 20);
}

/* Those pages of `from` that are there. */
static int copy_resident(char *to, char *from, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = bytes / page;
	unsigned char *there = malloc(n);
	int error = 0;

	if (!there)
		return -ENOMEM;
	if (mincore(from, bytes, there))
		error = -errno;
	for (size_t i = 0; i < n && !error; i++)
		if (there[i] & 1)
			memcpy(to + i * page, from + i * page, page);
	free(there);
	return error;
}

/* The heap's mapping for an anonymous one with the same content; on failure it is as before. */
static int make_anonymous(char *heap, size_t bytes)
{
	char *aside = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int error = 0;

	if (aside == MAP_FAILED)
		return -errno;
	if (mremap(heap, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, aside) == MAP_FAILED) {
		error = -errno;
		munmap(aside, bytes);
		return error;
	}
	if (mmap(heap, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		error = -errno;
	if (!error) {
		madvise(heap, bytes, MADV_HUGEPAGE);
		error = copy_resident(heap, aside, bytes);
	}
	if (error) {
		if (mremap(aside, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, heap) == MAP_FAILED)
			abort(); /* nothing of DPDK can go on without its heap */
		return error;
	}
	madvise(aside, bytes, MADV_REMOVE); /* EAL keeps the memfd open */
	munmap(aside, bytes);
	return 0;
}

void eal_pages_transparent(struct eal_memory *memory)
{
	int error = make_anonymous((char *)memory->start, memory->end - memory->start);

	if (error)
		log_warning("memory: the heap cannot be moved to where transparent huge pages fit: %s", strerror(-error));
	memory->transparent = !error;
}

static void look(const struct eal_memory *memory, uint64_t *rss_bytes, uint64_t *huge_bytes)
{
	*rss_bytes = *huge_bytes = 0;
	(void)wye_smaps_own((const void *)memory->start, memory->end - memory->start, rss_bytes, huge_bytes);
}

static void collapse(const struct eal_memory *memory)
{
	uintptr_t from = (memory->start + EAL_HUGE_BYTES - 1) & ~(EAL_HUGE_BYTES - 1), to = memory->end & ~(EAL_HUGE_BYTES - 1);

	if (to > from)
		madvise((void *)from, to - from, MADV_COLLAPSE);
}

void eal_pages_look(struct eal_memory *memory)
{
	uint64_t rss, huge;

	if (!memory->transparent) {
		eal_pages_find(memory);
		return;
	}
	look(memory, &rss, &huge);
	if (huge < rss / 2) {
		collapse(memory);
		look(memory, &rss, &huge);
	}
	if (huge) {
		snprintf(memory->kind, sizeof(memory->kind), "thp, %llu of %llu MiB", (unsigned long long)huge >> 20,
			 (unsigned long long)rss >> 20);
		log_notice("memory: %llu of the %llu MiB in use are on transparent huge pages", (unsigned long long)huge >> 20,
			   (unsigned long long)rss >> 20);
		return;
	}
	snprintf(memory->kind, sizeof(memory->kind), "4 KiB pages");
	eal_pages_warn(memory);
}

void eal_pages_warn(const struct eal_memory *memory)
{
	log_warning("memory: neither reserved nor transparent huge pages: packet buffers lie on 4 KiB pages, which costs TLB "
		    "misses; reserve %llu pages in /proc/sys/vm/nr_hugepages", (unsigned long long)memory->size_bytes >> 21);
}
