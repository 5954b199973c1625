/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attaching to what wye-ctld publishes, and following it: another region after a flip, another control file after
 * an orderly restart. Main thread only; workers see the result through the plan.
 */
#ifndef TABLES_H
#define TABLES_H

#include <stdbool.h>
#include <sys/types.h>

#include "wye_map.h"

struct tables {
	const struct wye_control *control;	/* NULL = wye-ctld has never been seen */
	struct wye_readers *readers;
	struct wye_reader_slot *slot[WYE_WORKERS_MAX];
	dev_t control_dev;
	ino_t control_ino;
	const struct wye_region *region;	/* NULL = no tables yet */
	uint64_t generation;
	struct wye_hits *hits;			/* of that region; NULL = none, neighbours age */
	uint32_t n_hits;
	enum wye_mirror_trust trust;
};

/*
 * Looks for changes and returns true when *next differs from *now in anything but trust: the caller builds a plan
 * from *next, publishes it, then calls tables_release(now, next). Trust is updated in *next in any case.
 */
bool tables_follow(const struct tables *now, struct tables *next, const char *run_dir, uint32_t n_workers,
		   uint64_t stale_after_ns);
/* A reader's slot for each of n workers, where one has none yet: 0, or -ENOSPC with why; and none for those above n, who read
 * nothing any more. */
int tables_claim(struct tables *tables, uint32_t n_workers, char *why);
void tables_unclaim(struct tables *tables, uint32_t n_workers);
/* Unmaps what `from` holds and `kept` (NULL: nothing) does not. */
void tables_release(struct tables *from, const struct tables *kept);

/* Copies the LINK record of the link with that name or alternative name. Returns its index, 0 = there is none. */
uint32_t tables_link(const struct wye_region *region, const char *name, struct wye_link *link);

uint64_t tables_links_version(const struct wye_region *region);
uint64_t tables_locals_version(const struct wye_region *region);

#endif
