/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The FIB writer's door: VRFs, set, get, flush. A set changes private memory and marks one node (or one root prefix);
 * the flush publishes each marked thing once, however many messages of the batch touched it, from the deepest level
 * to the root.
 */
#include "fib.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fib_private.h"

static struct wye_vrf *vrf_record(const struct fib *fib, uint32_t vrf)
{
	return (struct wye_vrf *)region_records(fib->region, WYE_SECTION_VRF) + vrf;
}

static void note_unpublished(struct fib *fib)
{
	fib->region->unpublished = fib->n_dirty;
}

struct fib *fib_create(struct region *region)
{
	struct fib *fib = calloc(1, sizeof(*fib));

	if (!fib)
		return NULL;
	fib->region = region;
	fib->root = calloc(2 * REGION_VRFS, sizeof(*fib->root));
	if (!fib->root || fib_store_create(fib) || fib_vrf(fib, RT_TABLE_MAIN, 0) != WYE_VRF_MAIN) {
		fib_destroy(fib);
		errno = ENOMEM;
		return NULL;
	}
	return fib;
}

void fib_destroy(struct fib *fib)
{
	if (!fib)
		return;
	for (uint32_t i = 0; fib->root && i < 2 * REGION_VRFS; i++)
		fib_root_destroy(fib, &fib->root[i]);
	fib->region->unpublished = 0;
	fib_store_destroy(fib);
	free(fib->root);
	free(fib);
}

uint32_t fib_vrf(struct fib *fib, uint32_t table, uint32_t ifindex)
{
	struct wye_vrf *record;
	uint32_t vrf;

	for (vrf = 1; vrf < REGION_VRFS; vrf++)
		if (fib->root[vrf * 2].in_use && vrf_record(fib, vrf)->table == table)
			return vrf;
	vrf = region_alloc(fib->region, WYE_SECTION_VRF, 1);
	if (!vrf)
		return 0;
	if (fib_root_create(fib, vrf, AF_INET))
		goto no_root4;
	if (fib_root_create(fib, vrf, AF_INET6))
		goto no_root6;
	record = vrf_record(fib, vrf);
	record->ifindex = ifindex;
	/* P1 for those who list VRFs; workers learn the index from a link record written after this */
	wye_publish_word((_Atomic uint32_t *)&record->table, table);
	return vrf;
no_root6:
	fib_root_destroy(fib, &fib->root[vrf * 2]);
no_root4:
	region_free(fib->region, WYE_SECTION_VRF, vrf, 1);
	return 0;
}

/* ---- removing a VRF --------------------------------------------------------------------------------------------------- */

static uint32_t root_number(const struct fib *fib, uint32_t index)
{
	uint32_t parent = fib->node[index].parent;

	while (!(parent & FIB_PARENT_ROOT))
		parent = fib->node[parent].parent;
	return parent & ~FIB_PARENT_ROOT;
}

/* Deepest first, so that each node's parent is still there when it goes. */
static void remove_nodes(struct fib *fib, uint32_t vrf)
{
	for (int level = FIB_LEVELS - 1; level >= 0; level--) {
		for (uint32_t i = 1; i < fib->nodes.used; i++) {
			if (!fib->node[i].in_use || fib->node[i].level != level || root_number(fib, i) / 2 != vrf)
				continue;
			if (fib->node[i].shared)
				fib_shared_retire(fib, fib->node[i].shared);
			fib_node_unmake(fib, i);
		}
	}
}

static void relist_dirty(struct fib *fib)
{
	memset(fib->dirty, 0, sizeof(fib->dirty));
	fib->n_dirty = 0;
	for (uint32_t i = 1; i < fib->nodes.used; i++) {
		if (!fib->node[i].in_use || !fib->node[i].dirty)
			continue;
		fib->node[i].dirty = 0;
		fib_mark_dirty(fib, i);
	}
	for (uint32_t i = 0; i < 2 * REGION_VRFS; i++)
		fib->n_dirty += fib->root[i].n_changed;
}

void fib_vrf_remove(struct fib *fib, uint32_t vrf)
{
	struct fib_root *root4 = &fib->root[vrf * 2], *root6 = root4 + 1;

	if (!vrf || vrf >= REGION_VRFS || !root4->in_use)
		return;
	wye_publish_word((_Atomic uint32_t *)&vrf_record(fib, vrf)->table, 0); /* P1 */
	fib_root_hide(fib, root4);
	fib_root_hide(fib, root6);
	remove_nodes(fib, vrf);
	fib_root_destroy(fib, root4);
	fib_root_destroy(fib, root6);
	region_retire(fib->region, WYE_SECTION_VRF, vrf, 1);
	relist_dirty(fib);
	note_unpublished(fib);
}

/* ---- set, get --------------------------------------------------------------------------------------------------------- */

struct place {	/* where a prefix is kept */
	struct fib_root *root;
	uint32_t heap;		/* in root->ids, or in the node */
	uint8_t level;		/* of the node; prefixes longer than 16 */
	bool in_root;
};

static bool locate(const struct fib *fib, uint32_t vrf, uint8_t family, const uint8_t *addr, uint8_t len,
		   struct place *place)
{
	uint8_t rest;

	if (!vrf || vrf >= REGION_VRFS || (family != AF_INET && family != AF_INET6) ||
	    len > (family == AF_INET ? 32 : 128))
		return false;
	*place = (struct place){ .root = &fib->root[vrf * 2 + (family == AF_INET6)], .in_root = len <= 16 };
	if (place->in_root) {
		place->heap = 1U << len | ((uint32_t)addr[0] << 8 | addr[1]) >> (16 - len);
		return place->root->in_use;
	}
	place->level = (uint8_t)((len - 17) / 8);
	rest = (uint8_t)(len - 16 - place->level * 8);	/* 1..8 */
	place->heap = 1U << rest | addr[2 + place->level] >> (8 - rest);
	return place->root->in_use;
}

/* The node at place->level on addr's path. 0: none and not to be made, or no memory. */
static uint32_t descend(struct fib *fib, const struct place *place, const uint8_t *addr, bool make)
{
	uint32_t root = (uint32_t)(place->root - fib->root), parent = FIB_PARENT_ROOT | root;
	uint32_t slot = (uint32_t)addr[0] << 8 | addr[1], hash = root, node = 0;

	for (uint8_t level = 0; level <= place->level; level++) {
		hash = fib_hash_below(hash, slot);
		node = fib_node_find(fib, parent, slot, hash);
		if (!node && make)
			node = fib_node_make(fib, parent, slot, hash);
		if (!node)
			return 0;
		parent = node;
		slot = addr[2 + level];
	}
	return node;
}

int fib_set(struct fib *fib, uint32_t vrf, uint8_t family, const uint8_t *addr, uint8_t prefix_len,
	    uint32_t nexthop_id)
{
	struct place place;
	uint32_t node;
	int err;

	if (!locate(fib, vrf, family, addr, prefix_len, &place))
		return -EINVAL;
	if (place.in_root) {
		err = fib_root_set(fib, place.root, place.heap, nexthop_id);
	} else {
		node = descend(fib, &place, addr, nexthop_id != 0);
		err = node ? fib_node_set(fib, node, place.heap, nexthop_id) : nexthop_id ? -ENOSPC : 0;
	}
	note_unpublished(fib);
	return err < 0 ? -ENOSPC : 0;
}

uint32_t fib_get(const struct fib *fib, uint32_t vrf, uint8_t family, const uint8_t *addr, uint8_t prefix_len)
{
	struct place place;
	uint32_t node;

	if (!locate(fib, vrf, family, addr, prefix_len, &place))
		return 0;
	if (place.in_root)
		return place.root->ids[place.heap];
	node = descend((struct fib *)fib, &place, addr, false);
	return node ? fib_node_get(fib, &fib->node[node], place.heap) : 0;
}

/* ---- flush ------------------------------------------------------------------------------------------------------------ */

/* The deepest dirty node, taken off its list; 0 = none. */
static uint32_t next_dirty(struct fib *fib)
{
	for (int level = FIB_LEVELS - 1; level >= 0; level--) {
		uint32_t index = fib->dirty[level];

		if (!index)
			continue;
		fib->dirty[level] = fib->node[index].next_dirty;
		fib->node[index].dirty = 0;
		fib->n_dirty--;
		return index;
	}
	return 0;
}

static void count_publishes(struct fib *fib, uint32_t words)
{
	atomic_fetch_add_explicit(&fib->region->control->page->stats.publishes, words, memory_order_relaxed);
}

uint32_t fib_flush(struct fib *fib, uint32_t budget_nodes)
{
	uint32_t done = 0, index;

	while (fib->n_dirty && (!budget_nodes || done < budget_nodes)) {
		index = next_dirty(fib);
		if (!index)
			break;
		done++;
		if (fib_node_build(fib, index)) {
			fib_mark_dirty(fib, index);
			goto out;
		}
	}
	for (uint32_t i = 0; fib->n_dirty && i < 2 * REGION_VRFS && (!budget_nodes || done < budget_nodes); i++) {
		uint32_t changed = fib->root[i].n_changed;

		if (changed && fib_root_flush(fib, &fib->root[i]))
			break;
		done += changed;
	}
out:
	count_publishes(fib, done);
	note_unpublished(fib);
	return fib->n_dirty;
}
