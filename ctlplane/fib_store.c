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

#define HASH_MIN    1024u
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

	fib->palette.n_idle = 255;
	fib->palette.refs[0] = 1;	/* always in use */
	fib->cap_nodes = 1024;
	fib->n_nodes = 1;
	fib->hash_mask = HASH_MIN - 1;
	fib->node = calloc(fib->cap_nodes, sizeof(*fib->node));
	fib->hash = calloc(HASH_MIN, sizeof(*fib->hash));
	if (!fib->node || !fib->hash)
		return -ENOMEM;
	/* a node's last granule may be filled by a quarter only */
	return runs_init(&fib->ids, NULL, IDS_GRANULE, (uint32_t)(ids * 2), back_ids, fib);
}

void fib_store_destroy(struct fib *fib)
{
	free(fib->node);
	free(fib->hash);
	free(fib->palette.of_id);
	free(fib->ids.base);
	runs_fini(&fib->ids);
}

/* ---- the hash (parent, slot) → node ---------------------------------------------------------------------------------- */

static uint32_t home(const struct fib *fib, uint32_t parent, uint32_t slot)
{
	uint64_t h = ((uint64_t)parent << 16 | slot) * 0x9E3779B97F4A7C15ULL;

	return (uint32_t)(h >> 32) & fib->hash_mask;
}

uint32_t fib_node_find(const struct fib *fib, uint32_t parent, uint32_t slot)
{
	for (uint32_t at = home(fib, parent, slot); fib->hash[at]; at = (at + 1) & fib->hash_mask) {
		const struct fib_node *node = &fib->node[fib->hash[at]];

		if (node->parent == parent && node->slot == slot)
			return fib->hash[at];
	}
	return 0;
}

void fib_prefetch(const struct fib *fib, uint32_t vrf, uint8_t family, const uint8_t *addr, bool near)
{
	uint32_t root = vrf * 2 + (family == AF_INET6);
	uint32_t at = home(fib, FIB_PARENT_ROOT | root, (uint32_t)addr[0] << 8 | addr[1]);

	if (near)
		__builtin_prefetch(&fib->node[fib->hash[at]]);
	else
		__builtin_prefetch(&fib->hash[at]);
}

static void hash_insert(struct fib *fib, uint32_t index)
{
	const struct fib_node *node = &fib->node[index];
	uint32_t at = home(fib, node->parent, node->slot);

	while (fib->hash[at])
		at = (at + 1) & fib->hash_mask;
	fib->hash[at] = index;
	fib->n_hashed++;
}

static int hash_grow(struct fib *fib)
{
	uint32_t *old = fib->hash, *bigger, old_mask = fib->hash_mask;

	if (fib->n_hashed < old_mask - old_mask / 4)
		return 0;
	bigger = calloc((size_t)(old_mask + 1) * 2, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	fib->hash = bigger;
	fib->hash_mask = old_mask * 2 + 1;
	fib->n_hashed = 0;
	for (uint32_t i = 0; i <= old_mask; i++)
		if (old[i])
			hash_insert(fib, old[i]);
	free(old);
	return 0;
}

/* Knuth's Algorithm R: pull back what would no longer be found. */
static void hash_remove(struct fib *fib, uint32_t index)
{
	const struct fib_node *node = &fib->node[index];
	uint32_t mask = fib->hash_mask, hole = home(fib, node->parent, node->slot), at;

	while (fib->hash[hole] != index)
		hole = (hole + 1) & mask;
	for (at = (hole + 1) & mask; fib->hash[at]; at = (at + 1) & mask) {
		const struct fib_node *other = &fib->node[fib->hash[at]];

		if (((at - home(fib, other->parent, other->slot)) & mask) >= ((at - hole) & mask)) {
			fib->hash[hole] = fib->hash[at];
			hole = at;
		}
	}
	fib->hash[hole] = 0;
	fib->n_hashed--;
}

/* ---- nodes ----------------------------------------------------------------------------------------------------------- */

static uint32_t node_alloc(struct fib *fib)
{
	uint32_t index = fib->free_node;

	if (index) {
		fib->free_node = fib->node[index].next_pending;
		return index;
	}
	if (fib->n_nodes == fib->cap_nodes) {
		uint32_t cap = fib->cap_nodes + fib->cap_nodes / 4;
		struct fib_node *bigger = realloc(fib->node, (size_t)cap * sizeof(*bigger));

		if (!bigger)
			return 0;
		fib->node = bigger;
		fib->cap_nodes = cap;
	}
	return fib->n_nodes++;
}

uint32_t fib_node_make(struct fib *fib, uint32_t parent, uint32_t slot, uint8_t level)
{
	uint32_t index;

	if (hash_grow(fib))
		return 0;
	index = node_alloc(fib);
	if (!index)
		return 0;
	fib->node[index] = (struct fib_node){ .parent = parent, .slot = (uint16_t)slot, .level = level, .in_use = 1 };
	hash_insert(fib, index);
	if (!(parent & FIB_PARENT_ROOT))
		fib->node[parent].n_children++;
	fib_mark_dirty(fib, index);	/* even if it stays empty: then the flush removes it */
	return index;
}

void fib_node_unmake(struct fib *fib, uint32_t index)
{
	struct fib_node *node = &fib->node[index];

	if (node->ids)
		runs_free(&fib->ids, node->ids / IDS_GRANULE, granules(node->n_ids));
	hash_remove(fib, index);
	if (!(node->parent & FIB_PARENT_ROOT))
		fib->node[node->parent].n_children--;
	*node = (struct fib_node){ .next_pending = fib->free_node };
	fib->free_node = index;
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
