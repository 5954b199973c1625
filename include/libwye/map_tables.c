/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the control page to a mapped and checked tables region.
 *
 * Ordering guarantees
 *
 * `active` is acquire-loaded (C1; pairs with R1 in ctlplane/region.c), the region's entry copied, `active` loaded
 * again behind an acquire fence. ctld only ever fills the entry that is not active, so an entry read between two
 * equal values of `active` is whole. The file it names may be unlinked before it is opened: then `active` has
 * moved, or moves soon, and the look is repeated.
 *
 * The check walks tables that change. It holds a reader slot meanwhile, so that nothing it can reach is used
 * again; a caller who may not write the readers file has no slot, and repeats a check that failed while the
 * tables moved.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "mapping.h"
#include "why.h"
#include "wye_map.h"
#include "wye_publish.h"

#define TRIES 20

static int look(const struct wye_control *control, uint64_t *active, struct wye_control_region *entry, char *why)
{
	struct wye_control *page = (struct wye_control *)control;

	for (int i = 0; i < TRIES; i++) {
		const _Atomic uint64_t *from;
		uint64_t *to = (uint64_t *)entry;

		*active = atomic_load_explicit(&page->active, memory_order_acquire); /* C1 */
		if (!*active)
			return why_fail(why, -EAGAIN, "wye-ctld has no complete tables yet; wait for its first dump "
					"of the kernel's state (its log says how far it is)");
		from = (const _Atomic uint64_t *)&control->region[*active & 1];
		for (size_t w = 0; w < sizeof(*entry) / 8; w++)
			to[w] = atomic_load_explicit((_Atomic uint64_t *)&from[w], memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&page->active, memory_order_relaxed) == *active)
			return 0;
	}
	return why_fail(why, -ESTALE, "the active tables changed %d times while they were looked up; try again", TRIES);
}

static int check_entry(const struct wye_control_region *entry, uint64_t active, char *why)
{
	if (!memchr(entry->path, '\0', sizeof(entry->path)) || entry->path[0] != '/')
		return why_fail(why, -EPROTO, "control file: the active tables' path is not absolute or has no end; "
				"restart wye-ctld");
	if (entry->generation != active)
		return why_fail(why, -EPROTO,
				"control file: generation %llu is active, its entry is of %llu; restart wye-ctld",
				(unsigned long long)active, (unsigned long long)entry->generation);
	return 0;
}

static int check_same(const struct wye_control_region *entry, const struct wye_region *region, char *why)
{
	if (region->file.generation != entry->generation)
		return why_fail(why, -EPROTO, "%s: generation %llu, the control file names %llu; restart wye-ctld",
				entry->path, (unsigned long long)region->file.generation,
				(unsigned long long)entry->generation);
	if (region->file.size_bytes != entry->size_bytes)
		return why_fail(why, -EPROTO, "%s: %llu bytes, the control file says %llu; restart wye-ctld",
				entry->path, (unsigned long long)region->file.size_bytes,
				(unsigned long long)entry->size_bytes);
	return 0;
}

/* Puts the file's name before what the check found. */
static int check_named(const char *path, const struct wye_region *region, uint64_t size_bytes, char *why)
{
	char what[WYE_WHY_BYTES];
	int error = wye_region_check(region, size_bytes, what);

	return error ? why_fail(why, error, "%.200s: %.300s", path, what) : 0;
}

/* Moves whenever tables do: an unchanged stamp around a failed check proves the failure. */
static uint64_t stamp(const struct wye_control *control, const struct wye_region *region)
{
	struct wye_control *page = (struct wye_control *)control;
	struct wye_region *r = (struct wye_region *)region;

	return atomic_load_explicit(&r->epoch, memory_order_acquire) +
	       atomic_load_explicit(&r->locals_version, memory_order_acquire) +
	       atomic_load_explicit(&r->links_version, memory_order_acquire) +
	       atomic_load_explicit(&page->stats.publishes, memory_order_acquire);
}

/* A slot in the readers file beside the control file, as long as the check lasts. NULL: goes without. */
static struct wye_reader_slot *slot_for_check(const struct wye_control *control, const struct wye_region *region,
					      struct wye_readers **readers)
{
	struct wye_reader_slot *slot;
	char path[4096], why[WYE_WHY_BYTES];
	char *name;

	if (mapping_path(control, path, sizeof(path) - sizeof(WYE_FILE_READERS)) < 0)
		return NULL;
	name = strrchr(path, '/');
	strcpy(name ? name + 1 : path, WYE_FILE_READERS);
	if (map_path(path, WYE_KIND_READERS, true, (const void **)readers, why) < 0)
		return NULL;
	slot = wye_reader_claim(*readers, 0);
	if (!slot)
		return NULL;
	atomic_store_explicit(&slot->generation, region->file.generation, memory_order_relaxed);
	wye_reader_online(slot, &region->epoch);
	return slot;
}

static int check_live(const struct wye_control *control, const struct wye_control_region *entry,
		      const struct wye_region *region, char *why)
{
	uint64_t first = stamp(control, region);
	struct wye_readers *readers = NULL;
	struct wye_reader_slot *slot = slot_for_check(control, region, &readers);
	int error = 0;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = stamp(control, region);

		error = check_named(entry->path, region, entry->size_bytes, why);
		if (!error || slot || stamp(control, region) == before)
			break;
		sched_yield();
	}
	if (error == -EPROTO && !slot && stamp(control, region) != first)
		error = why_fail(why, -ESTALE, "%s: changes faster than it can be checked without a reader slot; try "
				 "again, or as root", entry->path);
	wye_reader_release(slot);
	wye_unmap(readers);
	return error;
}

static int map_entry(const struct wye_control *control, const struct wye_control_region *entry,
		     const struct wye_region **region, char *why)
{
	const struct wye_region *base;
	int error = map_path(entry->path, WYE_KIND_TABLES, false, (const void **)&base, why);

	if (error)
		return error;
	error = check_same(entry, base, why);
	error = error ? error : check_live(control, entry, base, why);
	if (error)
		wye_unmap(base);
	else
		*region = base;
	return error;
}

int wye_map_tables(const struct wye_control *control, const struct wye_region **region, char *why)
{
	struct wye_control_region entry;
	uint64_t active, after;
	int error;

	for (int i = 0; i < TRIES; i++) {
		error = look(control, &active, &entry, why);
		error = error ? error : check_entry(&entry, active, why);
		if (error)
			return error;
		error = map_entry(control, &entry, region, why);
		after = atomic_load_explicit((_Atomic uint64_t *)&control->active, memory_order_acquire);
		if (!error || after == active)
			break;
	}
	if (error == -ENOENT)
		return why_fail(why, -ESTALE, "%s: went away before it could be opened; try again", entry.path);
	return error;
}

int wye_map_tables_file(const char *path, const struct wye_region **region, char *why)
{
	const struct wye_region *base;
	int error = map_path(path, WYE_KIND_TABLES, false, (const void **)&base, why);

	if (error)
		return error;
	error = check_named(path, base, base->file.size_bytes, why);
	if (error)
		wye_unmap(base);
	else
		*region = base;
	return error;
}
