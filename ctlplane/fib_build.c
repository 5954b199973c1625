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
 * goes back to what the slot said before, and the parent is rebuilt only to merge the run. A node with one prefix and no
 * children is published as a stub in its parent's run, constant like all of it. What needs the parent rebuilt - a child or
 * stub that comes, goes, or becomes the other - waits in the parent's `pending` list. Flushing goes from the deepest level
 * up, so the parent's turn comes in the same flush.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "fib_private.h"

struct picture {	/* a node being built */
	uint32_t said[256];	/* by the node's prefixes */
	uint32_t word[256];	/* with children, and WYE_FIB_STUB | slot; then without repetitions */
	struct wye_fib_stub stub[256];	/* by slot */
	uint64_t edge[5];	/* slots whose word may differ from the one before; 256 is none */
	uint64_t bits[4];
	uint32_t n, n_stubs;
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

static uint32_t count_stubs(const struct wye_fib_node *shared, uint32_t n)
{
	uint32_t stubs = 0;

	for (uint32_t i = 0; i < n; i++)
		stubs += wye_fib_is_stub(atomic_load_explicit(wye_fib_word(shared, i), memory_order_relaxed));
	return stubs;
}

void fib_shared_retire(struct fib *fib, uint32_t word)
{
	struct wye_fib_node *shared = fib_shared(fib, word);
	uint32_t n = wye_fib_entries(shared), stubs = 0;
	bool narrow = word & WYE_FIB_NARROW;

	if (narrow)
		fib_palette_unref(fib, shared->entries, n);
	else
		stubs = count_stubs(shared, n);
	region_retire(fib->region, WYE_SECTION_FIB_NODE, word & WYE_FIB_INDEX, wye_fib_units(n, stubs, narrow));
}

static void mark_edges(struct picture *picture, uint32_t first, uint32_t end)
{
	picture->edge[first >> 6] |= 1ULL << (first & 63);
	picture->edge[end >> 6] |= 1ULL << (end & 63);
}

/* The node's prefixes over 256 slots; ids come shortest first, so later ones simply overwrite. */
static void overlay(const struct fib *fib, const struct fib_node *node, struct picture *picture)
{
	const uint32_t *id = fib_node_ids(fib, node);

	memset(picture->said, 0, sizeof(picture->said));
	memset(picture->edge, 0, sizeof(picture->edge));
	for (uint32_t i = 0; i < 8; i++) {
		for (uint64_t left = node->bits[i]; left; left &= left - 1) {
			uint32_t heap = i * 64 + (uint32_t)__builtin_ctzll(left);
			uint32_t len = 31 - (uint32_t)__builtin_clz(heap);
			uint32_t first = (heap - (1U << len)) << (8 - len), end = first + (1U << (8 - len));

			mark_edges(picture, first, end);
			for (uint32_t slot = first; slot < end; slot++)
				picture->said[slot] = *id;
			id++;
		}
	}
}

static bool is_stub(const struct fib_node *node)
{
	return node->level && node->n_ids == 1 && !node->n_children;
}

/* Puts one child in, by the word that names it. What the slot said becomes the child's fallback. */
static void put_child(struct fib *fib, struct picture *picture, uint32_t slot, uint32_t child)
{
	_Atomic uint32_t *inherited = fib_shared_inherited(fib, child);

	if (atomic_load_explicit(inherited, memory_order_relaxed) != picture->said[slot])
		wye_publish_word(inherited, picture->said[slot]); /* P1 */
	picture->word[slot] = child;
	mark_edges(picture, slot, slot + 1);
}

static void put_stub(struct picture *picture, uint32_t slot, struct wye_fib_stub stub)
{
	stub.other = picture->said[slot];
	picture->stub[slot] = stub;
	picture->word[slot] = WYE_FIB_STUB | slot;
	mark_edges(picture, slot, slot + 1);
}

/* The node's only prefix. */
static struct wye_fib_stub stub_of(const struct fib *fib, const struct fib_node *node)
{
	uint32_t heap = 0, len;

	for (uint32_t i = 0; i < 8; i++)
		if (node->bits[i])
			heap = i * 64 + (uint32_t)__builtin_ctzll(node->bits[i]);
	len = 31 - (uint32_t)__builtin_clz(heap);
	return (struct wye_fib_stub){ .id = *fib_node_ids(fib, node), .at = (uint8_t)(2 + node->level),
				      .value = (uint8_t)(heap << (8 - len)), .mask = (uint8_t)(0xff << (8 - len)) };
}

/* The children and stubs that the published node names. A narrow one names none. */
static void put_old(struct fib *fib, const struct fib_node *node, struct picture *picture)
{
	const struct wye_fib_node *old = fib_shared(fib, node->shared);
	const struct wye_fib_stub *stub = (const struct wye_fib_stub *)wye_fib_word(old, wye_fib_entries(old));
	uint32_t entry = 0;

	if (node->shared & WYE_FIB_NARROW)
		return;
	for (uint32_t i = 0; i < 4; i++) {
		for (uint64_t left = old->bits[i]; left; left &= left - 1) {
			uint32_t slot = i * 64 + (uint32_t)__builtin_ctzll(left);
			uint32_t word = atomic_load_explicit(wye_fib_word(old, entry++), memory_order_relaxed);

			if (word & WYE_FIB_CHILD)
				put_child(fib, picture, slot, word);
			else if (wye_fib_is_stub(word))
				put_stub(picture, slot, *stub++);
		}
	}
}

static void put_pending(struct fib *fib, const struct fib_node *node, struct picture *picture)
{
	for (uint32_t c = node->pending; c; c = fib->node[c].next_pending) {
		const struct fib_node *child = &fib->node[c];

		if (fib_node_empty(child))
			picture->word[child->slot] = picture->said[child->slot];
		else if (is_stub(child))
			put_stub(picture, child->slot, stub_of(fib, child));
		else
			put_child(fib, picture, child->slot, child->shared);
	}
}

/*
 * Each word is stored at the place it has if it differs from the one before it; if it does not, the place is
 * overwritten by the next that does. The place never passes the slot being read.
 */
static void compress(struct picture *picture)
{
	uint32_t n = 0, before = ~picture->word[0];

	picture->edge[0] |= 1;
	for (uint32_t i = 0; i < 4; i++) {
		uint64_t bits = 0;

		for (uint64_t left = picture->edge[i]; left; left &= left - 1) {
			uint32_t word = picture->word[i * 64 + (uint32_t)__builtin_ctzll(left)];

			bits |= word != before ? left & -left : 0;
			picture->word[n] = word;
			n += word != before;
			before = word;
		}
		picture->bits[i] = bits;
	}
	picture->n = n;
}

/* All 256, one by one. */
static void spread(struct picture *picture)
{
	memset(picture->bits, 0xff, sizeof(picture->bits));
	picture->n = 256;
}

static bool is_ipv6(const struct fib *fib, const struct fib_node *node)
{
	if (node->level > 1)
		return true;
	if (node->level)
		node = &fib->node[node->parent];
	return fib_root_of(fib, node->parent)->family == AF_INET6;
}

/* Can every entry be a byte, and does it save a unit? Then they are in picture->place. */
static bool make_narrow(struct fib *fib, struct picture *picture)
{
	if (wye_fib_units(picture->n, 0, true) == wye_fib_units(picture->n, 0, false))
		return false;
	for (uint32_t i = 0; i < picture->n; i++) {
		uint32_t word = picture->word[i];

		picture->place[i] = (uint8_t)(word & WYE_FIB_CHILD ? 0 : fib_palette_find(fib, word));
		if (word && !picture->place[i])
			return false;
	}
	return true;
}

static void fill_wide(struct fib *fib, const struct picture *picture, struct wye_fib_node *shared)
{
	uint32_t *entry = (uint32_t *)shared + WYE_FIB_HEAD_WORDS, *stub = entry + picture->n;

	for (uint32_t i = 0; i < picture->n; i++) {
		entry[i] = picture->word[i];
		if (!wye_fib_is_stub(entry[i]))
			continue;
		memcpy(stub, &picture->stub[entry[i] & WYE_FIB_INDEX], sizeof(struct wye_fib_stub));
		entry[i] = WYE_FIB_STUB |
			   (uint32_t)(stub - (uint32_t *)region_records(fib->region, WYE_SECTION_FIB_NODE));
		stub += WYE_FIB_STUB_WORDS;
	}
}

/* The node in shared memory; the word that names it, 0 = no memory. */
static uint32_t make_shared(struct fib *fib, struct picture *picture, bool narrow, uint32_t inherited)
{
	uint32_t index = region_alloc(fib->region, WYE_SECTION_FIB_NODE,
				      wye_fib_units(picture->n, picture->n_stubs, narrow)), ones = 0;
	struct wye_fib_node *shared;

	if (!index)
		return 0;
	shared = fib_shared(fib, index);
	for (int i = 0; i < 4; i++) {
		shared->bits[i] = picture->bits[i];
		shared->rank[i] = (uint8_t)ones;
		ones += (uint32_t)__builtin_popcountll(picture->bits[i]);
	}
	if (narrow) {
		memcpy(shared->entries, picture->place, picture->n);
		fib_palette_ref(fib, picture->place, picture->n);
	} else {
		fill_wide(fib, picture, shared);
	}
	atomic_store_explicit(&shared->inherited, inherited, memory_order_relaxed);
	return WYE_FIB_CHILD | (narrow ? WYE_FIB_NARROW : 0) | index;
}

static uint32_t draw(struct fib *fib, const struct fib_node *node, uint32_t inherited)
{
	bool ipv6 = is_ipv6(fib, node);
	struct picture picture;

	overlay(fib, node, &picture);
	memcpy(picture.word, picture.said, sizeof(picture.word));
	if (node->shared)
		put_old(fib, node, &picture);
	put_pending(fib, node, &picture);
	if (ipv6 && !node->level)
		spread(&picture);
	else
		compress(&picture);
	picture.n_stubs = 0;
	for (uint32_t i = 0; i < picture.n; i++)
		picture.n_stubs += wye_fib_is_stub(picture.word[i]);
	return make_shared(fib, &picture, !ipv6 && !picture.n_stubs && make_narrow(fib, &picture), inherited);
}

/* What became of the node is for its parent's next build to show. */
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

/* The parent has shown it. */
static void settle(struct fib *fib, uint32_t index)
{
	struct fib_node *node = &fib->node[index];
	bool shown = !fib_node_empty(node) && !is_stub(node);

	node->is_pending = 0;
	node->linked = shown;
	if (!shown && node->shared) {
		fib_shared_retire(fib, node->shared);
		node->shared = 0;
	}
	if (fib_node_empty(node))
		fib_node_unmake(fib, index);
}

static void settle_pending(struct fib *fib, uint32_t parent)
{
	struct fib_node *node = &fib->node[parent];

	for (uint32_t c = node->pending, next; c; c = next) {
		next = fib->node[c].next_pending;
		settle(fib, c);
	}
	node->pending = 0;
	if (fib_node_empty(node) || is_stub(node))	/* now that the children are gone */
		fib_mark_dirty(fib, parent);
}

/* Neither prefixes nor children: out of the tree. */
static void remove_node(struct fib *fib, uint32_t index)
{
	struct fib_node *node = &fib->node[index];
	bool below_root = node->parent & FIB_PARENT_ROOT;
	uint32_t shared = node->shared;

	if (!node->linked && !below_root) {	/* the parent may have it as a stub */
		wait_for_parent(fib, index);
		return;
	}
	if (node->linked) {
		uint32_t inherited = atomic_load_explicit(fib_shared_inherited(fib, shared), memory_order_relaxed);

		wye_publish_word(naming_word(fib, node), inherited); /* P1 */
	}
	if (node->is_pending)
		wait_no_more(fib, index);
	if (shared)
		fib_shared_retire(fib, shared);
	if (!below_root)
		fib_mark_dirty(fib, node->parent);
	fib_node_unmake(fib, index);
}

int fib_node_build(struct fib *fib, uint32_t index)
{
	struct fib_node *node = &fib->node[index];
	struct fib_root *root = node->parent & FIB_PARENT_ROOT ? fib_root_of(fib, node->parent) : NULL;
	uint32_t old = node->shared, inherited = 0, shared;

	if (fib_node_empty(node)) {
		remove_node(fib, index);
		return 0;
	}
	if (is_stub(node)) {
		wait_for_parent(fib, index);
		return 0;
	}
	if (root && fib_root_need(fib, root))
		return -ENOSPC;
	if (old)
		inherited = atomic_load_explicit(fib_shared_inherited(fib, old), memory_order_relaxed);
	else if (root)
		inherited = fib_root_word(root, node->slot);
	shared = draw(fib, node, inherited);
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
	settle_pending(fib, index);
	return 0;
}
