/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer's side of the shared files: the control file and its lock, building a region, handing out and
 * reclaiming records, the flip. Single-threaded; all state lives in struct region and struct control_file.
 */
#ifndef REGION_H
#define REGION_H

#include "wye_config.h"
#include "wye_publish.h"
#include "wye_tables.h"

/* ---- control file ---- */
struct control_file {
	int fd;				/* holds flock(LOCK_EX) */
	struct wye_control *page;	/* mapped rw */
	struct wye_readers *readers;	/* mapped rw, only to free slots of the dead */
	char run_dir[200];
};

/* Opens or creates <run_dir>/control and readers (a file of another layout is replaced by a new inode), takes the lock
 * and enters pid and start time. -EBUSY: another ctld (pid in the message) holds it. Prints the reason to stderr. */
int control_open(struct control_file *control, const char *run_dir);
void control_heartbeat(struct control_file *control);
void control_state(struct control_file *control, enum wye_mirror_state state);
/* Orderly end: state STOPPED, active 0, region files and (if nobody reads any more) control and readers unlinked. */
void control_close(struct control_file *control, bool remove_files);

/* ---- region ---- */
#define REGION_PARITY_FINDS 512u	/* room in PARITY, index 0 not counted */

struct region {
	struct wye_region *base;	/* mapped rw */
	struct control_file *control;
	uint64_t generation;
	uint64_t size_bytes;
	struct region_pool *pool;	/* private allocator state, one per section */
	struct region_retired *retired;	/* what waits for readers */
	struct wye_hits *hits;		/* mapped rw; NULL: could not be made, neighbours age */
	uint64_t hits_bytes;		/* not from the file: readers can write there */
	bool failed;			/* a section was full: stays set until the region is replaced */
	bool on_hugetlbfs;
	bool transparent;		/* huge pages are wanted, and not known to be impossible: region_pages.c */
	bool pages_said;
	uint32_t unpublished;		/* fib.c: changes set but not flushed; until then the FIB still says the old ids */
	char dir[224];			/* where the file lies; path = dir "/tables." generation */
};

/* A new region, generation one above the control file's newest, not yet visible. Capacities from config->tables. */
int region_create(struct region *region, struct control_file *control, const struct wye_config *config);
/* Makes it the active one (R1 release-store of control.active, pairs with the acquire in wye_map_tables). The old
 * file is unlinked at once; readers keep their mapping until they move. */
void region_flip(struct region *region);
void region_destroy(struct region *region);
/* region_pages.c: transparent huge pages under what has been filled since the last call; says once what the kernel gave. A
 * millisecond for each 2 MiB that is new. */
void region_collapse(struct region *region);

/* hits.c: the file beside a region. -errno: the region does without. */
int hits_create(struct region *region);
void hits_unlink(const struct control_file *control, uint64_t generation);
void hits_close(struct region *region);

static inline void *region_records(const struct region *region, enum wye_section_id id)
{
	return (char *)region->base + region->base->section[id].offset;
}

/* `count` adjacent records or words (count > 1 only for GROUP and FIB_NODE). 0 = section full: sets `failed`, prints
 * once which section, its capacity and the config key that raises it. Contents are undefined, not zero. */
uint32_t region_alloc(struct region *region, enum wye_section_id id, uint32_t count);
/* No reader can have seen it, or it is under scheme (b): free at once. */
void region_free(struct region *region, enum wye_section_id id, uint32_t index, uint32_t count);
/* Already unlinked, but a reader may still hold it: free after a grace period. Nexthop ids and what they mean
 * (NEXTHOP_SLOT, NEXTHOP, GROUP) wait for fib_flush() besides: until then FIB words still name the old id. */
void region_retire(struct region *region, enum wye_section_id id, uint32_t index, uint32_t count);
/* Records (for GROUP words in whole runs of four) in use and not yet freed, retired ones included. */
uint32_t region_live(const struct region *region, enum wye_section_id id);
/* Raises the epoch if anything was retired since, frees what every reader has left behind; frees slots of dead
 * readers. Cheap when there is nothing to do; call once an event loop turn. */
void region_reclaim(struct region *region);

#endif
