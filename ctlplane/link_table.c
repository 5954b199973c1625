/* SPDX-License-Identifier: BSD-3-Clause */
/* Links by ifindex: their records in the region, and what hangs on each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolve_private.h"

#define LINK_WORDS (sizeof(struct wye_link) / 4 - 1)	/* all but seq */

int link_table_create(struct resolve *resolve)
{
	resolve->link_mask = 63;
	resolve->link = calloc(resolve->link_mask + 1, sizeof(*resolve->link));
	return resolve->link ? 0 : -ENOMEM;
}

static uint32_t home(const struct resolve *resolve, uint32_t ifindex)
{
	return (uint32_t)(ifindex * 0x9E3779B97F4A7C15ULL >> 32) & resolve->link_mask;
}

struct link_anchor *link_anchor_find(const struct resolve *resolve, uint32_t ifindex)
{
	for (uint32_t at = home(resolve, ifindex); resolve->link[at].ifindex; at = (at + 1) & resolve->link_mask)
		if (resolve->link[at].ifindex == ifindex)
			return &resolve->link[at];
	return NULL;
}

static struct link_anchor *insert(struct resolve *resolve, struct link_anchor anchor)
{
	uint32_t at = home(resolve, anchor.ifindex);

	while (resolve->link[at].ifindex)
		at = (at + 1) & resolve->link_mask;
	resolve->link[at] = anchor;
	return &resolve->link[at];
}

static int grow(struct resolve *resolve)
{
	struct link_anchor *old = resolve->link, *bigger;
	uint32_t old_mask = resolve->link_mask;

	if (resolve->n_links * 2 <= old_mask)
		return 0;
	bigger = calloc((size_t)(old_mask + 1) * 2, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	resolve->link = bigger;
	resolve->link_mask = old_mask * 2 + 1;
	for (uint32_t i = 0; i <= old_mask; i++)
		if (old[i].ifindex)
			insert(resolve, old[i]);
	free(old);
	return 0;
}

struct link_anchor *link_anchor_make(struct resolve *resolve, uint32_t ifindex)
{
	struct link_anchor *anchor = link_anchor_find(resolve, ifindex);

	if (anchor)
		return anchor;
	if (grow(resolve))
		return NULL;
	resolve->n_links++;
	return insert(resolve, (struct link_anchor){ .ifindex = ifindex });
}

void link_anchor_unused(struct resolve *resolve, struct link_anchor *anchor)
{
	uint32_t mask = resolve->link_mask, hole = (uint32_t)(anchor - resolve->link);

	if (anchor->record || anchor->nexthops)
		return;
	for (uint32_t at = (hole + 1) & mask; resolve->link[at].ifindex; at = (at + 1) & mask) {
		if (((at - home(resolve, resolve->link[at].ifindex)) & mask) < ((at - hole) & mask))
			continue;
		resolve->link[hole] = resolve->link[at];
		hole = at;
	}
	resolve->link[hole] = (struct link_anchor){ 0 };
	resolve->n_links--;
}

static struct wye_link *record_at(const struct resolve *resolve, uint32_t index)
{
	return (struct wye_link *)region_records(resolve->region, WYE_SECTION_LINK) + index;
}

const struct wye_link *link_record(const struct resolve *resolve, uint32_t ifindex)
{
	const struct link_anchor *anchor = link_anchor_find(resolve, ifindex);

	return anchor && anchor->record ? record_at(resolve, anchor->record) : NULL;
}

uint32_t link_index(const struct resolve *resolve, uint32_t ifindex)
{
	const struct link_anchor *anchor = ifindex ? link_anchor_find(resolve, ifindex) : NULL;

	return anchor ? anchor->record : 0;
}

static void write_record(struct resolve *resolve, uint32_t index, const struct wye_link *link)
{
	struct wye_link *record = record_at(resolve, index);

	wye_seq_write(&record->seq, &record->flags, &link->flags, LINK_WORDS);
	atomic_fetch_add_explicit(&resolve->region->base->links_version, 1, memory_order_release);
	count_publish(resolve);
}

uint32_t link_set(struct resolve *resolve, const struct wye_link *link)
{
	struct link_anchor *anchor = link->ifindex ? link_anchor_make(resolve, link->ifindex) : NULL;
	struct wye_link present = *link;

	if (!anchor)
		return 0;
	if (!anchor->record) {
		anchor->record = region_alloc(resolve->region, WYE_SECTION_LINK, 1);
		if (!anchor->record) {
			link_anchor_unused(resolve, anchor);
			return 0;
		}
		/* what the record said before must not be taken for ours: seq goes on from where it is */
		atomic_store_explicit(&record_at(resolve, anchor->record)->flags, 0, memory_order_relaxed);
	}
	present.flags |= WYE_LINK_PRESENT;
	write_record(resolve, anchor->record, &present);
	return anchor->record;
}

/* The record waits for a grace period although it is under scheme (b): nexthops name it by index, and a worker may
 * still hold one that resolve_link_changed() is about to replace. */
void link_del(struct resolve *resolve, uint32_t ifindex)
{
	struct link_anchor *anchor = link_anchor_find(resolve, ifindex);
	static const struct wye_link absent;

	if (!anchor || !anchor->record)
		return;
	write_record(resolve, anchor->record, &absent);
	region_retire(resolve->region, WYE_SECTION_LINK, anchor->record, 1);
	anchor->record = 0;
	link_anchor_unused(resolve, anchor);
}
