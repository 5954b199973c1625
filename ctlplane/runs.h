/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An allocator of runs of adjacent granules in one array of 32-bit words: FIB nodes and group buckets in shared
 * memory, the writer's own id lists in private memory. A granule is at least four words, so a free run can hold its
 * own bookkeeping (links and its size at both ends) and merges with free neighbours at once. Best fit by exact bins.
 */
#ifndef RUNS_H
#define RUNS_H

#include <stdbool.h>
#include <stdint.h>

#define RUNS_EXACT_BINS	   64u
#define RUNS_BINS	   (RUNS_EXACT_BINS + 26u)

struct runs {
	uint32_t *base;		/* word 0 of the array; granule 0 is never handed out */
	uint32_t top;		/* granules below it were handed out at least once */
	uint32_t limit;		/* granules in the array */
	uint32_t granule;	/* words in one */
	uint32_t live;		/* granules in use */
	uint64_t *edge;		/* bit a granule: first or last of a free run */
	uint64_t exact;		/* bins 0..63 that are not empty */
	uint32_t large;		/* likewise from bin 64 on */
	uint32_t bin[RUNS_BINS];	/* first granule of the bin's list, 0 = empty */
	/* Makes granules below `top` usable (base may move); false: no memory. */
	bool (*back)(struct runs *runs, uint32_t top);
	void *ctx;		/* of `back` */
};

/* 0 or -ENOMEM. base may still be NULL: `back` is called before the first use. */
int runs_init(struct runs *runs, uint32_t *base, uint32_t granule_words, uint32_t limit,
	      bool (*back)(struct runs *, uint32_t), void *ctx);
void runs_fini(struct runs *runs);	/* frees what is private; not base */

uint32_t runs_alloc(struct runs *runs, uint32_t count);	/* first granule of `count`; 0 = full or no memory */
void runs_free(struct runs *runs, uint32_t first, uint32_t count);

#endif
