/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this process sees of the shared files. Opened on demand, read-only. Nothing here waits for a daemon: a hung or
 * dead one is reported, its last state is shown.
 *
 * Rights: the command takes a reader slot when it may write the readers file, so that the writer does not reuse what
 * it is looking at; it is online only between view_enter() and view_leave() and neither writes to its output nor
 * sleeps in between. Without a slot it goes on: every index is checked before use, so the worst is a wrong line.
 */
#ifndef VIEW_H
#define VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wye_map.h"
#include "wye_publish.h"
#include "wye_stats.h"
#include "wye_tables.h"

struct view {
	const char *run_dir;
	const char *config_path;	/* for the advice how to start a daemon */
	const char *tables_file;	/* --tables: this file instead of the active region; NULL = none */
	const struct wye_control *control;
	const struct wye_region *region;
	const struct wye_stats *stats;
	struct wye_stats *info;		/* stable copy of the part of stats that is under its seq; owned */
	struct wye_readers *readers;
	struct wye_reader_slot *slot;	/* NULL: without one */
	struct wye_link *links;		/* stable copies, by ifindex; owned */
	size_t n_links;
	struct wye_altname *altnames;	/* likewise; those of one link in the kernel's order */
	size_t n_altnames;
	uint64_t skipped;		/* records that could not be read stably */
	bool quiet;			/* say nothing about daemons that do not run: the caller does */
	char why[WYE_WHY_BYTES];	/* the last reason why a file could not be had */
};

/* Each 0, or an exit code with the reason printed to stderr. Later calls are free. */
int view_control(struct view *view);
int view_tables(struct view *view);	/* and links */
int view_stats(struct view *view);
void view_close(struct view *view);	/* says how many records were skipped */

/* Is there a live process behind the file? Prints nothing. */
struct view_daemon {
	bool known;		/* the file is there and says who */
	bool alive;
	bool hung;		/* alive, but its heartbeat stopped */
	uint32_t pid;
	uint64_t uptime_s;
	uint64_t heartbeat_age_ms;
};
struct view_daemon view_ctld(const struct view *view);
struct view_daemon view_dpd(const struct view *view);

void view_enter(struct view *view);
void view_leave(struct view *view);

/* Stable copy of a record whose seq lies anywhere in its first `bytes`. False: counted as skipped. */
bool view_read(struct view *view, const _Atomic uint32_t *seq, const void *record, void *copy, size_t bytes);

/* Record or word `index` of a section; NULL when there is none (0, or never handed out). */
const void *view_record(const struct view *view, enum wye_section_id id, uint32_t index);
uint32_t view_word(const struct view *view, enum wye_section_id id, uint32_t index);	/* 0 likewise */
uint32_t view_used(const struct view *view, enum wye_section_id id);	/* first index never handed out */

/* The nexthop record behind an id, NULL if none. Valid until view_leave(). */
const struct wye_nexthop *view_nexthop(const struct view *view, uint32_t id);

const struct wye_link *view_link(const struct view *view, uint32_t ifindex);	/* NULL: unknown */
const struct wye_link *view_link_named(const struct view *view, const char *name);	/* or by an alternative name */
/* Is it the port's netdev: as configured, its name, or if there are tables another name of it? */
bool view_port_named(struct view *view, const struct wye_port_info *port, const char *name);
const char *view_link_name(const struct view *view, uint32_t ifindex, char *buf);	/* WYE_NAME_BYTES; "if7" */

#endif
