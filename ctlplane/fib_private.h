/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The FIB writer's private half: what was set, in a form from which any node can be rebuilt without looking at a
 * route. fib.c is the door, fib_store.c keeps the sets, fib_build.c turns a set into a published node (with the bytes
 * of fib_palette.c if it can), fib_root.c does so for the root words.
 *
 * Prefixes are kept where they are published. Lengths 0..16 of a VRF and family: an array of ids in heap order (prefix
 * p of length l at 2^l + p). Longer ones in the node whose eight bits their length falls into: a bitmap of 512 bits
 * in heap order again (2..511 in use) and the ids of the set bits side by side, shortest first. So an exact match is
 * one hash probe for the node, one bit and one count; an overlay in order of length is one walk over the ids; and a
 * route costs four bytes besides its share of the node.
 */
#ifndef FIB_PRIVATE_H
#define FIB_PRIVATE_H

#include "fib.h"
#include "pool.h"
#include "region_private.h"
#include "wye_fib.h"

#define FIB_LEVELS     14u	/* nodes on a path: address bits 16..23 is level 0, IPv6's 120..127 level 13 */
#define FIB_HEAP_ROOT  131072u	/* prefixes of length 0..16 */
#define FIB_PARENT_ROOT 0x80000000u	/* node.parent: a root's number instead of a node's */

struct fib_root {		/* one VRF and family */
	uint32_t vrf;
	uint8_t family;
	bool in_use;
	_Atomic uint32_t *words;	/* in the region; NULL: none yet, the VRF has the empty root */
	enum wye_section_id section;
	uint32_t index;		/* of words[0] in the section */
	uint32_t *ids;		/* FIB_HEAP_ROOT */
	uint8_t *plen;		/* a slot: 1 + length of the prefix it says, 0 = none */
	uint64_t *queued;	/* bit a heap index: in `changed` */
	uint32_t *changed;	/* heap indices to be published */
	uint32_t n_changed, cap_changed;
};

struct fib_node {
	uint64_t bits[8];	/* prefixes that are set */
	uint32_t ids;		/* first word in fib.ids, 0 = none */
	uint16_t n_ids;
	uint16_t slot;		/* slot in the parent */
	uint32_t parent;	/* node, or FIB_PARENT_ROOT | root */
	uint32_t shared;	/* the word that names it as it is published, 0 = not, or as a stub of its parent */
	uint32_t next_dirty;
	uint32_t next_pending;	/* in parent's list */
	uint32_t pending;	/* children that came, went, or became stubs or nodes since this node was built */
	uint16_t n_children;
	uint8_t level;
	uint8_t in_use : 1, dirty : 1, linked : 1, is_pending : 1;
};
static_assert(sizeof(struct fib_node) == 96, "a node's private cost");

struct fib_palette {		/* place 0 stands for id 0 */
	uint8_t *of_id;		/* id → place, 0 = none */
	uint32_t cap_ids;
	uint32_t id[256];
	uint32_t refs[256];	/* entries of published nodes that say it */
	uint64_t idle_epoch[256];	/* when refs became 0 */
	uint32_t n_idle;	/* places with refs 0 */
	uint32_t next;		/* where to look for one */
};

struct fib_place {		/* of the hash (parent, slot) → node, with open addressing */
	uint32_t node;		/* 0 = free */
	uint32_t hash;		/* fib_hash_below(), so that few nodes are looked at in vain, and none to grow */
};

struct fib {
	struct region *region;
	struct fib_root *root;	/* 2 * REGION_VRFS: vrf * 2 + (family is IPv6) */
	struct pool nodes;
	struct fib_node *node;	/* nodes.items; index 0 unused */
	struct fib_place *place;
	uint32_t place_mask, n_placed;
	struct runs ids;	/* the nodes' id lists */
	uint64_t ids_bytes;
	struct fib_palette palette;
	uint32_t dirty[FIB_LEVELS];	/* lists by level */
	uint32_t n_dirty;	/* nodes dirty + root prefixes changed */
};

/* ---- fib_store.c ---- */
int fib_store_create(struct fib *fib);
void fib_store_destroy(struct fib *fib);
/* hash: fib_hash_below() of the parent's and slot */
uint32_t fib_node_find(const struct fib *fib, uint32_t parent, uint32_t slot, uint32_t hash);
uint32_t fib_node_make(struct fib *fib, uint32_t parent, uint32_t slot, uint32_t hash);	/* 0 = no memory */
void fib_node_unmake(struct fib *fib, uint32_t node);	/* its shared node is the caller's to retire */
uint32_t fib_node_get(const struct fib *fib, const struct fib_node *node, uint32_t heap);
int fib_node_set(struct fib *fib, uint32_t node, uint32_t heap, uint32_t id);	/* 1 changed, 0 same, -ENOMEM */
void fib_mark_dirty(struct fib *fib, uint32_t node);

/* A node's hash follows from the slots on the way to it, the root's number standing above: it is known before the nodes are. */
static inline uint32_t fib_hash_below(uint32_t above, uint32_t slot)
{
	return (uint32_t)(((uint64_t)above << 16 | slot) * 0x9E3779B97F4A7C15ULL >> 32);
}

static inline uint32_t *fib_node_ids(const struct fib *fib, const struct fib_node *node)
{
	return fib->ids.base + node->ids;
}

static inline bool fib_node_empty(const struct fib_node *node)
{
	return !node->n_ids && !node->n_children;
}

/* ---- fib_build.c ---- */
int fib_node_build(struct fib *fib, uint32_t node);	/* 0; -ENOSPC: region full, nothing changed */
void fib_shared_retire(struct fib *fib, uint32_t shared);

static inline struct wye_fib_node *fib_shared(const struct fib *fib, uint32_t word)
{
	return (struct wye_fib_node *)region_records(fib->region, WYE_SECTION_FIB_NODE) + (word & WYE_FIB_INDEX);
}

/* What holds in the node that `word` names where it says nothing. */
static inline _Atomic uint32_t *fib_shared_inherited(const struct fib *fib, uint32_t word)
{
	return &fib_shared(fib, word)->inherited;
}

/* ---- fib_palette.c ---- */
uint32_t fib_palette_find(struct fib *fib, uint32_t id);	/* a place that stands for id; 0 = none to be had */
void fib_palette_ref(struct fib *fib, const uint8_t *places, uint32_t n);
void fib_palette_unref(struct fib *fib, const uint8_t *places, uint32_t n);

/* ---- fib_root.c ---- */
int fib_root_create(struct fib *fib, uint32_t vrf, uint8_t family);	/* without words */
void fib_root_hide(struct fib *fib, const struct fib_root *root);	/* the VRF has the empty root */
void fib_root_destroy(struct fib *fib, struct fib_root *root);	/* retires the words; hidden before */
int fib_root_set(struct fib *fib, struct fib_root *root, uint32_t heap, uint32_t id);
int fib_root_flush(struct fib *fib, struct fib_root *root);
int fib_root_need(struct fib *fib, struct fib_root *root);	/* words; -ENOSPC */
uint32_t fib_root_word(const struct fib_root *root, uint32_t slot);

static inline struct fib_root *fib_root_of(const struct fib *fib, uint32_t parent)
{
	return &fib->root[parent & ~FIB_PARENT_ROOT];
}

#endif
