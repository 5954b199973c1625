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
	uint32_t n_words;
};

static _Atomic uint32_t *leaf_words(const struct fib *fib, const struct wye_fib_node *shared)
{
	return (_Atomic uint32_t *)region_records(fib->region, WYE_SECTION_FIB_LEAF) + shared->leaf;
}

static uint32_t word_index(const struct wye_fib_node *shared, uint32_t slot)
{
	return shared->rank[slot >> 6] +
	       (uint32_t)__builtin_popcountll(shared->bits[slot >> 6] & (~0ULL >> (63 - (slot & 63)))) - 1;
}

/* The word that names the node, wherever it stands now. Only for linked nodes. */
static _Atomic uint32_t *naming_word(const struct fib *fib, const struct fib_node *node)
{
	const struct wye_fib_node *above;

	if (node->parent & FIB_PARENT_ROOT)
		return &fib_root_of(fib, node->parent)->words[node->slot];
	above = fib_shared(fib, fib->node[node->parent].shared);
	return leaf_words(fib, above) + word_index(above, node->slot);
}

void fib_shared_retire(struct fib *fib, uint32_t index)
{
	struct wye_fib_node *shared = fib_shared(fib, index);

	region_retire(fib->region, WYE_SECTION_FIB_LEAF, shared->leaf, shared->words);
	region_retire(fib->region, WYE_SECTION_FIB_NODE, index, 1);
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

/* Puts one child in. What the slot said becomes the child's fallback. */
static void put_child(struct fib *fib, struct picture *picture, uint32_t slot, uint32_t shared)
{
	_Atomic uint32_t *inherited = &fib_shared(fib, shared)->inherited;

	if (atomic_load_explicit(inherited, memory_order_relaxed) != picture->word[slot])
		wye_publish_word(inherited, picture->word[slot]); /* P1 */
	picture->word[slot] = WYE_FIB_CHILD | shared;
}

/* The children that the published node names. */
static void put_old_children(struct fib *fib, const struct fib_node *node, struct picture *picture)
{
	const struct wye_fib_node *old = fib_shared(fib, node->shared);
	const _Atomic uint32_t *words = leaf_words(fib, old);

	for (uint32_t i = 0; i < 4; i++) {
		for (uint64_t left = old->bits[i]; left; left &= left - 1) {
			uint32_t slot = i * 64 + (uint32_t)__builtin_ctzll(left);
			uint32_t word = atomic_load_explicit((_Atomic uint32_t *)words++, memory_order_relaxed);

			if (word & WYE_FIB_CHILD)
				put_child(fib, picture, slot, word & ~WYE_FIB_CHILD);
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
	picture->n_words = n;
}

static uint32_t make_shared(struct fib *fib, const struct picture *picture, uint32_t inherited)
{
	struct region *region = fib->region;
	uint32_t index = region_alloc(region, WYE_SECTION_FIB_NODE, 1), leaf, ones = 0;
	struct wye_fib_node *shared;

	if (!index)
		return 0;
	leaf = region_alloc(region, WYE_SECTION_FIB_LEAF, picture->n_words);
	if (!leaf) {
		region_free(region, WYE_SECTION_FIB_NODE, index, 1);
		return 0;
	}
	shared = fib_shared(fib, index);
	for (int i = 0; i < 4; i++) {
		shared->bits[i] = picture->bits[i];
		shared->rank[i] = (uint8_t)ones;
		ones += (uint32_t)__builtin_popcountll(picture->bits[i]);
	}
	shared->leaf = leaf;
	shared->words = picture->n_words;
	atomic_store_explicit(&shared->inherited, inherited, memory_order_relaxed);
	memcpy((uint32_t *)region_records(region, WYE_SECTION_FIB_LEAF) + leaf, picture->word, picture->n_words * 4);
	return index;
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
		uint32_t inherited = atomic_load_explicit(&fib_shared(fib, shared)->inherited, memory_order_relaxed);

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
		inherited = atomic_load_explicit(&fib_shared(fib, old)->inherited, memory_order_relaxed);
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
		wye_publish_word(naming_word(fib, node), WYE_FIB_CHILD | shared); /* P1 */
	else
		wait_for_parent(fib, index);
	if (old)
		fib_shared_retire(fib, old);
	settle_pending(fib, node);
	return 0;
}
