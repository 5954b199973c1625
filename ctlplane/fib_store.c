/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sets of prefixes longer than 16 bits, by node (fib_private.h). Private memory only; nothing here is seen by
 * readers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fib_private.h"

#define PLACES_MIN  1024u
#define IDS_GRANULE 4u

static uint32_t granules(uint32_t n)
{
	return (n + IDS_GRANULE - 1) / IDS_GRANULE;
}

static bool back_ids(struct runs *runs, uint32_t top)
{
	struct fib *fib = runs->ctx;
	uint64_t need = (uint64_t)top * runs->granule * 4, bytes = fib->ids_bytes + fib->ids_bytes / 4 + 65536;
	uint32_t *base;

	if (need <= fib->ids_bytes)
		return true;
	base = realloc(runs->base, bytes > need ? bytes : need);	/* large: mremap, no copy */
	if (!base)
		return false;
	runs->base = base;
	fib->ids_bytes = bytes > need ? bytes : need;
	return true;
}

int fib_store_create(struct fib *fib)
{
	const struct wye_section *section = fib->region->base->section;
	uint64_t ids = (uint64_t)section[WYE_SECTION_ROUTE4].capacity + section[WYE_SECTION_ROUTE6].capacity;
	int error;

	fib->palette.n_idle = 255;
	fib->palette.refs[0] = 1;	/* always in use */
	fib->place_mask = PLACES_MIN - 1;
	fib->place = calloc(PLACES_MIN, sizeof(*fib->place));
	if (!fib->place || pool_open(&fib->nodes, sizeof(*fib->node)))
		return -ENOMEM;
	fib->node = (struct fib_node *)fib->nodes.items;
	/* a node's last granule may be filled by a quarter only */
	error = runs_init(&fib->ids, NULL, IDS_GRANULE, (uint32_t)(ids * 2), back_ids, fib);
	if (error)
		return error;
	return back_ids(&fib->ids, 1) ? 0 : -ENOMEM;	/* lists are reckoned from its base, empty ones too */
}

void fib_store_destroy(struct fib *fib)
{
	pool_close(&fib->nodes);
	free(fib->place);
	free(fib->palette.of_id);
	free(fib->ids.base);
	runs_fini(&fib->ids);
}

/* ---- the hash (parent, slot) → node ---------------------------------------------------------------------------------- */

uint32_t fib_node_find(const struct fib *fib, uint32_t parent, uint32_t slot, uint32_t hash)
{
	for (uint32_t at = hash & fib->place_mask; fib->place[at].node; at = (at + 1) & fib->place_mask) {
		const struct fib_node *node = &fib->node[fib->place[at].node];

		if (fib->place[at].hash == hash && node->parent == parent && node->slot == slot)
			return fib->place[at].node;
	}
	return 0;
}

/* What stands there, if the hash is to be believed; 0 = nothing. */
static uint32_t peek(const struct fib *fib, uint32_t hash)
{
	uint32_t at = hash & fib->place_mask;

	while (fib->place[at].node && fib->place[at].hash != hash)
		at = (at + 1) & fib->place_mask;
	return fib->place[at].node;
}

void fib_prefetch(const struct fib *fib, uint32_t vrf, uint8_t family, const uint8_t *addr, uint8_t prefix_len,
		  unsigned step)
{
	uint32_t hash = vrf * 2 + (family == AF_INET6), slot = (uint32_t)addr[0] << 8 | addr[1];
	const struct fib_node *node = fib->node;

	for (uint8_t len = 16; len < prefix_len; len += 8) {
		hash = fib_hash_below(hash, slot);
		slot = addr[len / 8];
		if (!step) {
			__builtin_prefetch(&fib->place[hash & fib->place_mask]);
			continue;
		}
		node = &fib->node[peek(fib, hash)];
		if (step == 1) {
			__builtin_prefetch(node);
			__builtin_prefetch((const char *)(node + 1) - 1);
		}
	}
	if (step > 1 && prefix_len > 16)
		__builtin_prefetch(fib_node_ids(fib, node));
}

static void place_enter(struct fib *fib, struct fib_place place)
{
	uint32_t at = place.hash & fib->place_mask;

	while (fib->place[at].node)
		at = (at + 1) & fib->place_mask;
	fib->place[at] = place;
	fib->n_placed++;
}

static int places_grow(struct fib *fib)
{
	struct fib_place *old = fib->place, *bigger;
	uint32_t old_mask = fib->place_mask;

	if (fib->n_placed < old_mask - old_mask / 4)
		return 0;
	bigger = calloc((size_t)(old_mask + 1) * 2, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	fib->place = bigger;
	fib->place_mask = old_mask * 2 + 1;
	fib->n_placed = 0;
	for (uint32_t i = 0; i <= old_mask; i++)
		if (old[i].node)
			place_enter(fib, old[i]);
	free(old);
	return 0;
}

static uint32_t hash_of(const struct fib *fib, const struct fib_node *node)
{
	uint32_t parent = node->parent;

	return fib_hash_below(parent & FIB_PARENT_ROOT ? parent & ~FIB_PARENT_ROOT : hash_of(fib, &fib->node[parent]),
			      node->slot);
}

/* Knuth's Algorithm R: pull back what would no longer be found. */
static void place_remove(struct fib *fib, uint32_t index)
{
	uint32_t mask = fib->place_mask, hole = hash_of(fib, &fib->node[index]) & mask, at;

	while (fib->place[hole].node != index)
		hole = (hole + 1) & mask;
	for (at = (hole + 1) & mask; fib->place[at].node; at = (at + 1) & mask) {
		if (((at - fib->place[at].hash) & mask) >= ((at - hole) & mask)) {
			fib->place[hole] = fib->place[at];
			hole = at;
		}
	}
	fib->place[hole] = (struct fib_place){ 0 };
	fib->n_placed--;
}

/* ---- nodes ----------------------------------------------------------------------------------------------------------- */

uint32_t fib_node_make(struct fib *fib, uint32_t parent, uint32_t slot, uint32_t hash)
{
	bool below_root = parent & FIB_PARENT_ROOT;
	uint32_t index = places_grow(fib) ? 0 : pool_take(&fib->nodes);
	struct fib_node *node;

	if (!index)
		return 0;
	fib->node = (struct fib_node *)fib->nodes.items;	/* they may have moved */
	node = &fib->node[index];
	node->parent = parent;
	node->slot = (uint16_t)slot;
	node->level = below_root ? 0 : fib->node[parent].level + 1;
	node->in_use = 1;
	place_enter(fib, (struct fib_place){ index, hash });
	if (!below_root)
		fib->node[parent].n_children++;
	fib_mark_dirty(fib, index);	/* even if it stays empty: then the flush removes it */
	return index;
}

void fib_node_unmake(struct fib *fib, uint32_t index)
{
	struct fib_node *node = &fib->node[index];

	if (node->ids)
		runs_free(&fib->ids, node->ids / IDS_GRANULE, granules(node->n_ids));
	place_remove(fib, index);
	if (!(node->parent & FIB_PARENT_ROOT))
		fib->node[node->parent].n_children--;
	pool_give(&fib->nodes, index);
}

void fib_mark_dirty(struct fib *fib, uint32_t index)
{
	struct fib_node *node = &fib->node[index];

	if (node->dirty)
		return;
	if (node->shared)	/* the flush will read it */
		__builtin_prefetch(fib_shared(fib, node->shared));
	node->dirty = 1;
	node->next_dirty = fib->dirty[node->level];
	fib->dirty[node->level] = index;
	fib->n_dirty++;
}

/* How many prefixes stand before `heap` in the id list. */
static uint32_t rank_of(const struct fib_node *node, uint32_t heap)
{
	uint32_t rank = (uint32_t)__builtin_popcountll(node->bits[heap / 64] & ((1ULL << (heap % 64)) - 1));

	for (uint32_t i = 0; i < heap / 64; i++)
		rank += (uint32_t)__builtin_popcountll(node->bits[i]);
	return rank;
}

static bool has(const struct fib_node *node, uint32_t heap)
{
	return node->bits[heap / 64] >> (heap % 64) & 1;
}

uint32_t fib_node_get(const struct fib *fib, const struct fib_node *node, uint32_t heap)
{
	return has(node, heap) ? fib_node_ids(fib, node)[rank_of(node, heap)] : 0;
}

/* The list in a run that fits n ids. The run's size follows from n, so nothing else need be kept. */
static int resize(struct fib *fib, struct fib_node *node, uint32_t n)
{
	uint32_t run = 0, keep = n < node->n_ids ? n : node->n_ids;

	if (granules(n) == granules(node->n_ids))
		return 0;
	if (n) {
		run = runs_alloc(&fib->ids, granules(n)) * IDS_GRANULE;
		if (!run)
			return -ENOMEM;
		memcpy(fib->ids.base + run, fib_node_ids(fib, node), keep * 4);
	}
	if (node->ids)
		runs_free(&fib->ids, node->ids / IDS_GRANULE, granules(node->n_ids));
	node->ids = run;
	return 0;
}

static int insert(struct fib *fib, struct fib_node *node, uint32_t heap, uint32_t id)
{
	uint32_t rank = rank_of(node, heap), *ids;
	int err = resize(fib, node, node->n_ids + 1u);

	if (err)
		return err;
	ids = fib_node_ids(fib, node);
	memmove(ids + rank + 1, ids + rank, (node->n_ids - rank) * 4);
	ids[rank] = id;
	node->n_ids++;
	node->bits[heap / 64] |= 1ULL << (heap % 64);
	return 1;
}

static int delete(struct fib *fib, struct fib_node *node, uint32_t heap)
{
	uint32_t rank = rank_of(node, heap), *ids = fib_node_ids(fib, node);
	uint32_t gone = ids[rank];

	memmove(ids + rank, ids + rank + 1, (node->n_ids - rank - 1) * 4);
	if (resize(fib, node, node->n_ids - 1u)) {	/* a smaller run could not be had: keep the entry */
		memmove(ids + rank + 1, ids + rank, (node->n_ids - rank - 1) * 4);
		ids[rank] = gone;
		return -ENOMEM;
	}
	node->n_ids--;
	node->bits[heap / 64] &= ~(1ULL << (heap % 64));
	return 1;
}

int fib_node_set(struct fib *fib, uint32_t index, uint32_t heap, uint32_t id)
{
	struct fib_node *node = &fib->node[index];
	int changed = 0;

	if (!has(node, heap)) {
		changed = id ? insert(fib, node, heap, id) : 0;
	} else if (!id) {
		changed = delete(fib, node, heap);
	} else {
		uint32_t *at = fib_node_ids(fib, node) + rank_of(node, heap);

		changed = *at != id;
		*at = id;
	}
	if (changed > 0)
		fib_mark_dirty(fib, index);
	return changed;
}
