/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What region.c (files and mappings) and reclaim.c (who may have which record) share, and nobody else sees.
 */
#ifndef REGION_PRIVATE_H
#define REGION_PRIVATE_H

#include "region.h"
#include "runs.h"

#define REGION_VRFS 256u	/* records in VRF, index 0 included */
#define REGION_HUGE_BYTES (2ULL << 20)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25	/* Linux 6.1 */
#endif

struct region_pool {		/* one a section */
	struct runs runs;	/* sections with runs: GROUP, FIB_NODE */
	uint32_t *free;		/* the others: stack of free indices */
	uint32_t n_free, cap_free;
	uint32_t unit;		/* records handed out together; 65,536 for roots, else 1 */
	uint32_t live;		/* units in use */
	uint64_t backed_bytes;	/* from the section's start: memory is there, a store cannot fault */
	uint64_t collapsed_bytes;	/* from there: asked to be on huge pages */
	bool no_memory, complained;
};

struct region_section_info {
	const char *name;
	const char *key;	/* the config key that raises its capacity; NULL: a fixed bound */
	uint32_t record_bytes;
	uint32_t unit;
	uint32_t granule;	/* sections with runs: records in a granule; else 0 */
};
extern const struct region_section_info region_section_info[WYE_SECTIONS];

/* Allocator state for a freshly laid out region; 0 or -ENOMEM. */
int region_pools_create(struct region *region);
void region_pools_destroy(struct region *region);

/*
 * Makes bytes [from, to) of the file real memory. A store into a sparse tmpfs or hugetlbfs page raises SIGBUS when
 * there is no memory for it, so nothing is written before this said 0. -ENOMEM.
 */
int region_populate(struct region *region, uint64_t from, uint64_t to);

/* What was retired under this epoch or an earlier one has been freed. */
uint64_t region_freed_epoch(const struct region *region);

/* Tests only: what is freed is overwritten, so that a reader that still looks at it is noticed. */
void region_poison(struct region *region, bool on);

#endif
