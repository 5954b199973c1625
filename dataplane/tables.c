/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader's half of the region protocol, main thread's part: find the control file, map the active region, notice
 * when either is replaced. The other halves: libwye/map*.c checks what is mapped, ctlplane/region.c writes it.
 *
 * An orderly end of wye-ctld unlinks its files; the next one makes new ones. So the path is looked at as well as the
 * page: another inode means another control file, whose readers file is new, too, and all slots are claimed anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "log.h"
#include "tables.h"
#include "wye_fib.h"

/* Says why, but not the same thing every 50 ms. */
static void tables_say(const char *why)
{
	static char said[WYE_WHY_BYTES];

	if (!strncmp(said, why, sizeof(said)))
		return;
	snprintf(said, sizeof(said), "%s", why);
	if (why[0])
		log_warning("tables: %s", why);
}

int tables_claim(struct tables *tables, uint32_t n_workers, char *why)
{
	for (uint32_t i = 0; i < n_workers && tables->readers; i++) {
		if (tables->slot[i])
			continue;
		tables->slot[i] = wye_reader_claim(tables->readers, i + 1);
		if (tables->slot[i])
			continue;
		snprintf(why, WYE_WHY_BYTES, "readers file: all %u slots are taken; end other readers or restart wye-ctld",
			 WYE_READER_SLOTS);
		return -ENOSPC;
	}
	return 0;
}

void tables_unclaim(struct tables *tables, uint32_t n_workers)
{
	for (uint32_t i = n_workers; i < WYE_WORKERS_MAX; i++) {
		wye_reader_release(tables->slot[i]);
		tables->slot[i] = NULL;
	}
}

static int open_control(struct tables *tables, const char *run_dir, uint32_t n_workers, char *why)
{
	struct tables fresh = { .trust = tables->trust };
	int error;

	error = wye_map_control(run_dir, &fresh.control, why);
	error = error ? error : wye_map_readers(run_dir, &fresh.readers, why);
	error = error ? error : tables_claim(&fresh, n_workers, why);
	if (error) {
		tables_release(&fresh, NULL);
		return error;
	}
	fresh.control_dev = tables->control_dev;
	fresh.control_ino = tables->control_ino;
	*tables = fresh; /* no region: the old one's writer ended orderly, and its slots are not in these readers */
	return 0;
}

/* Has <run>/control become another file? Notes which it is. */
static bool control_replaced(struct tables *tables, const char *run_dir)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", run_dir, WYE_FILE_CONTROL);
	if (stat(path, &st) < 0)
		return false; /* gone: what we have mapped says whether it ended */
	if (tables->control && st.st_dev == tables->control_dev && st.st_ino == tables->control_ino)
		return false;
	tables->control_dev = st.st_dev;
	tables->control_ino = st.st_ino;
	return true;
}

static bool follow_region(struct tables *tables, const char *run_dir, char *why)
{
	uint64_t active = atomic_load_explicit((_Atomic uint64_t *)&tables->control->active, memory_order_acquire);
	const struct wye_region *region;

	if (!active || active == tables->generation)
		return false;
	if (wye_map_tables(tables->control, &region, why) < 0)
		return false;
	tables->region = region;
	tables->generation = region->file.generation;
	tables->hits = NULL;
	tables->n_hits = 0;
	(void)wye_map_hits(run_dir, tables->generation, &tables->hits, &tables->n_hits, why);
	log_notice("tables: forwarding by generation %llu", (unsigned long long)tables->generation);
	return true;
}

bool tables_follow(const struct tables *now, struct tables *next, const char *run_dir, uint32_t n_workers,
		   uint64_t stale_after_ns)
{
	char why[WYE_WHY_BYTES] = "";
	bool changed = false;

	*next = *now;
	if (control_replaced(next, run_dir)) {
		changed = open_control(next, run_dir, n_workers, why) == 0;
		if (!changed) { /* try again at the next look */
			next->control_dev = now->control_dev;
			next->control_ino = now->control_ino;
		}
	}
	if (next->control && follow_region(next, run_dir, why))
		changed = true;
	next->trust = WYE_TRUST_NEVER_SYNCED;
	if (next->control && next->region)
		next->trust = wye_mirror_trust(next->control, clock_ns(), stale_after_ns);
	tables_say(why);
	return changed;
}

void tables_release(struct tables *from, const struct tables *kept)
{
	static const struct tables nothing;

	kept = kept ? kept : &nothing;
	if (from->readers && from->readers != kept->readers)
		for (uint32_t i = 0; i < WYE_WORKERS_MAX; i++)
			wye_reader_release(from->slot[i]);
	if (from->region != kept->region)
		wye_unmap(from->region);
	if (from->hits != kept->hits)
		wye_unmap(from->hits);
	if (from->readers != kept->readers)
		wye_unmap(from->readers);
	if (from->control != kept->control)
		wye_unmap(from->control);
}

static bool link_copy(const struct wye_link *from, struct wye_link *link)
{
	*link = (struct wye_link){ 0 };
	return wye_seq_read(&from->seq, &from->flags, &link->flags, sizeof(*link) / 4 - 1) &&
	       atomic_load_explicit(&link->flags, memory_order_relaxed) & WYE_LINK_PRESENT;
}

static uint32_t section_used(const struct wye_region *region, enum wye_section_id id)
{
	uint32_t used = atomic_load_explicit((_Atomic uint32_t *)&region->section[id].used, memory_order_acquire);

	return used < region->section[id].capacity ? used : region->section[id].capacity;
}

/* The link with that alternative name; 0 = none. No two links have the same, nor one that is another's name. */
static uint32_t altname_link(const struct wye_region *region, const char *name)
{
	const struct wye_altname *altnames = wye_section_base(region, WYE_SECTION_ALTNAME);
	uint32_t used = section_used(region, WYE_SECTION_ALTNAME);
	struct wye_altname copy;

	for (uint32_t i = 1; i < used; i++)
		if (wye_seq_read(&altnames[i].seq, &altnames[i].ifindex, &copy.ifindex, sizeof(copy) / 4 - 1) &&
		    copy.ifindex && !strncmp(copy.name, name, sizeof(copy.name)))
			return copy.ifindex;
	return 0;
}

uint32_t tables_link(const struct wye_region *region, const char *name, struct wye_link *link)
{
	uint32_t ifindex = altname_link(region, name), used = section_used(region, WYE_SECTION_LINK);
	const struct wye_link *links = wye_section_base(region, WYE_SECTION_LINK);

	for (uint32_t i = 1; i < used; i++)
		if (link_copy(&links[i], link) && (link->ifindex == ifindex || !strcmp(link->name, name)))
			return i;
	*link = (struct wye_link){ 0 };
	return 0;
}

uint64_t tables_links_version(const struct wye_region *region)
{
	return atomic_load_explicit((_Atomic uint64_t *)&region->links_version, memory_order_acquire);
}

uint64_t tables_locals_version(const struct wye_region *region)
{
	return atomic_load_explicit((_Atomic uint64_t *)&region->locals_version, memory_order_acquire);
}
