/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a set of prefixes to a published node (wye_tables.h, the FIB).
 *
 * Ordering guarantees: a node and its words are filled while no reader can reach them; one release-store of the word
 * that names it, in the root or in its parent's words, publishes them (P1, pairs with P2 in wye_read_word); what
 * the word named before is retired. `inherited` and words that name a child are the only things that change in
 * place, each alone and each atomic: for any one address a reader sees the route before or the route after.
 *
 * A child has a word of its own in its parent's run, so rebuilding it needs no work above; when it goes, that word
 * goes back to what the slot said before, and the parent is rebuilt only to merge the run. A child that comes needs
 * the parent rebuilt first: it waits in the parent's `pending` list. Flushing goes from the deepest level up, so the
 * parent's turn comes in the same flush.
 */
#include <errno.h>
#include <string.h>

#include "fib_private.h"

struct picture {	/* a node being built */
	uint32_t word[256];
	uint64_t bits[4];
	uint32_t n;		/* entries */
	uint8_t place[256];	/* the entries of a narrow node */
};

/* The word that names the node, wherever it stands now. Only for linked nodes. */
static _Atomic uint32_t *naming_word(const struct fib *fib, const struct fib_node *node)
{
	const struct wye_fib_node *above;

	if (node->parent & FIB_PARENT_ROOT)
		return &fib_root_of(fib, node->parent)->words[node->slot];
	above = fib_shared(fib, fib->node[node->parent].shared);
	return wye_fib_word(above, wye_fib_entry(above, node->slot));
}

void fib_shared_retire(struct fib *fib, uint32_t word)
{
	struct wye_fib_node *shared = fib_shared(fib, word);
	uint32_t n = wye_fib_entries(shared);

	if (word & WYE_FIB_NARROW)
		fib_palette_unref(fib, (uint8_t *)shared + WYE_FIB_HEAD_BYTES, n);
	region_retire(fib->region, WYE_SECTION_FIB_NODE, word & WYE_FIB_INDEX, wye_fib_units(n, word & WYE_FIB_NARROW));
}

/* The node's prefixes over 256 slots; ids come shortest first, so later ones simply overwrite. */
static void overlay(const struct fib *fib, const struct fib_node *node, uint32_t word[256])
{
	const uint32_t *id = fib_node_ids(fib, node);

	memset(word, 0, 256 * sizeof(*word));
	for (uint32_t i = 0; i < 8; i++) {
		for (uint64_t left = node->bits[i]; left; left &= left - 1) {
			uint32_t heap = i * 64 + (uint32_t)__builtin_ctzll(left);
			uint32_t len = 31 - (uint32_t)__builtin_clz(heap);
			uint32_t first = (heap - (1U << len)) << (8 - len), end = first + (1U << (8 - len));

			for (uint32_t slot = first; slot < end; slot++)
				word[slot] = *id;
			id++;
		}
	}
}

/* Puts one child in, by the word that names it. What the slot said becomes the child's fallback. */
static void put_child(struct fib *fib, struct picture *picture, uint32_t slot, uint32_t child)
{
	_Atomic uint32_t *inherited = fib_shared_inherited(fib, child);

	if (atomic_load_explicit(inherited, memory_order_relaxed) != picture->word[slot])
		wye_publish_word(inherited, picture->word[slot]); /* P1 */
	picture->word[slot] = child;
}

/* The children that the published node names. A narrow one names none. */
static void put_old_children(struct fib *fib, const struct fib_node *node, struct picture *picture)
{
	const struct wye_fib_node *old = fib_shared(fib, node->shared);
	uint32_t entry = 0;

	if (node->shared & WYE_FIB_NARROW)
		return;
	for (uint32_t i = 0; i < 4; i++) {
		for (uint64_t left = old->bits[i]; left; left &= left - 1) {
			uint32_t slot = i * 64 + (uint32_t)__builtin_ctzll(left);
			uint32_t word = atomic_load_explicit(wye_fib_word(old, entry++), memory_order_relaxed);

			if (word & WYE_FIB_CHILD)
				put_child(fib, picture, slot, word);
		}
	}
}

static void put_new_children(struct fib *fib, const struct fib_node *node, struct picture *picture)
{
	for (uint32_t c = node->pending; c; c = fib->node[c].next_pending)
		put_child(fib, picture, fib->node[c].slot, fib->node[c].shared);
}

/*
 * Each word is stored at the place it has if it differs from the one before it; if it does not, the place is
 * overwritten by the next that does. The place never passes the slot being read.
 */
static void compress(struct picture *picture)
{
	uint32_t n = 0, before = ~picture->word[0];

	for (uint32_t i = 0; i < 4; i++) {
		uint64_t bits = 0;

		for (uint32_t b = 0; b < 64; b++) {
			uint32_t word = picture->word[i * 64 + b];

			bits |= (uint64_t)(word != before) << b;
			picture->word[n] = word;
			n += word != before;
			before = word;
		}
		picture->bits[i] = bits;
	}
	picture->n = n;
}

/* Can every entry be a byte, and does it save a unit? Then they are in picture->place. */
static bool make_narrow(struct fib *fib, struct picture *picture)
{
	if (wye_fib_units(picture->n, 1) == wye_fib_units(picture->n, 0))
		return false;
	for (uint32_t i = 0; i < picture->n; i++) {
		uint32_t word = picture->word[i];

		picture->place[i] = (uint8_t)(word & WYE_FIB_CHILD ? 0 : fib_palette_find(fib, word));
		if (word && !picture->place[i])
			return false;
	}
	return true;
}

/* The node in shared memory; the word that names it, 0 = no memory. */
static uint32_t make_shared(struct fib *fib, struct picture *picture, uint32_t inherited)
{
	uint32_t narrow = make_narrow(fib, picture) ? WYE_FIB_NARROW : 0, ones = 0, index, word;
	struct wye_fib_node *shared;

	index = region_alloc(fib->region, WYE_SECTION_FIB_NODE, wye_fib_units(picture->n, narrow));
	if (!index)
		return 0;
	word = WYE_FIB_CHILD | narrow | index;
	shared = fib_shared(fib, word);
	for (int i = 0; i < 4; i++) {
		shared->bits[i] = picture->bits[i];
		shared->rank[i] = (uint8_t)ones;
		ones += (uint32_t)__builtin_popcountll(picture->bits[i]);
	}
	if (narrow) {
		memcpy((uint8_t *)shared + WYE_FIB_HEAD_BYTES, picture->place, picture->n);
		fib_palette_ref(fib, picture->place, picture->n);
	} else {
		memcpy((uint8_t *)shared + WYE_FIB_HEAD_BYTES, picture->word, picture->n * 4);
	}
	atomic_store_explicit(wye_fib_inherited(shared, word), inherited, memory_order_relaxed);
	return word;
}

/* A node built for the first time: its parent's next build links it. */
static void wait_for_parent(struct fib *fib, uint32_t index)
{
	struct fib_node *node = &fib->node[index];

	fib_mark_dirty(fib, node->parent);
	if (node->is_pending)
		return;
	node->is_pending = 1;
	node->next_pending = fib->node[node->parent].pending;
	fib->node[node->parent].pending = index;
}

static void wait_no_more(struct fib *fib, uint32_t index)
{
	uint32_t *at = &fib->node[fib->node[index].parent].pending;

	while (*at != index)
		at = &fib->node[*at].next_pending;
	*at = fib->node[index].next_pending;
}

static void settle_pending(struct fib *fib, struct fib_node *node)
{
	for (uint32_t c = node->pending; c; c = fib->node[c].next_pending) {
		fib->node[c].is_pending = 0;
		fib->node[c].linked = 1;
	}
	node->pending = 0;
}

/* Neither prefixes nor children: out of the tree. */
static void remove_node(struct fib *fib, uint32_t index)
{
	struct fib_node *node = &fib->node[index];
	uint32_t shared = node->shared;

	if (node->linked) {
		uint32_t inherited = atomic_load_explicit(fib_shared_inherited(fib, shared), memory_order_relaxed);

		wye_publish_word(naming_word(fib, node), inherited); /* P1 */
	}
	if (node->is_pending)
		wait_no_more(fib, index);
	if (shared)
		fib_shared_retire(fib, shared);
	if (!(node->parent & FIB_PARENT_ROOT))
		fib_mark_dirty(fib, node->parent);
	fib_node_unmake(fib, index);
}

int fib_node_build(struct fib *fib, uint32_t index)
{
	struct fib_node *node = &fib->node[index];
	struct fib_root *root = node->parent & FIB_PARENT_ROOT ? fib_root_of(fib, node->parent) : NULL;
	uint32_t old = node->shared, inherited = 0, shared;
	struct picture picture;

	if (fib_node_empty(node)) {
		remove_node(fib, index);
		return 0;
	}
	if (root && fib_root_back(fib, root, node->slot, 1)) {
		fib->region->failed = true;
		return -ENOSPC;
	}
	if (old)
		inherited = atomic_load_explicit(fib_shared_inherited(fib, old), memory_order_relaxed);
	else if (root)
		inherited = fib_root_word(root, node->slot);
	overlay(fib, node, picture.word);
	if (old)
		put_old_children(fib, node, &picture);
	put_new_children(fib, node, &picture);
	compress(&picture);
	shared = make_shared(fib, &picture, inherited);
	if (!shared)
		return -ENOSPC;
	node->shared = shared;
	node->linked |= root != NULL;
	if (node->linked)
		wye_publish_word(naming_word(fib, node), shared); /* P1 */
	else
		wait_for_parent(fib, index);
	if (old)
		fib_shared_retire(fib, old);
	settle_pending(fib, node);
	return 0;
}
