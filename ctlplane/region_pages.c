/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transparent huge pages for the tables. Their files are tmpfs's, whose own setting (shmem_enabled) is "never" by default, so
 * that MADV_HUGEPAGE alone asks in vain; MADV_COLLAPSE (Linux 6.1) goes by no setting. It copies 2 MiB at a time while
 * readers read on, and gives every mapping that lies on 2 MiB boundaries (wye_map_shared) one entry in place of 512.
 *
 * Only what is full is collapsed: nothing takes more memory for it. What came since is looked at once a second. A section
 * that is larger than a huge page already grows by whole ones (region_populate()), which is cheaper: nothing is copied.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "log.h"
#include "region_private.h"
#include "wye_smaps.h"

/* What of a section is full and not yet asked for. Pages that are busy just now stay small. */
static uint64_t collapse(struct region *region, enum wye_section_id id)
{
	struct region_pool *pool = &region->pool[id];
	uint64_t from = pool->collapsed_bytes, to = pool->backed_bytes & ~(REGION_HUGE_BYTES - 1);
	char *at = (char *)region->base + region->base->section[id].offset;

	if (to <= from)
		return 0;
	pool->collapsed_bytes = to;
	if (madvise(at + from, to - from, MADV_COLLAPSE) && errno == EINVAL)
		region->transparent = false; /* this kernel cannot */
	return to - from;
}

static void say(const struct region *region)
{
	uint64_t rss = 0, huge = 0;

	if (wye_smaps_own(region->base, region->size_bytes, &rss, &huge))
		return;
	if (huge)
		log_info("tables: %llu of %llu MiB on transparent huge pages", (unsigned long long)huge >> 20,
			 (unsigned long long)rss >> 20);
	else
		log_warning("tables: the kernel gives no huge pages: lookups in %llu MiB of 4 KiB pages cost TLB misses; mount a "
			    "hugetlbfs and raise vm.nr_hugepages", (unsigned long long)rss >> 20);
}

void region_collapse(struct region *region)
{
	uint64_t bytes = 0;

	for (int id = 0; id < WYE_SECTIONS && region->transparent; id++)
		bytes += collapse(region, (enum wye_section_id)id);
	if (bytes && !region->pages_said)
		say(region);
	region->pages_said |= bytes > 0;
}
