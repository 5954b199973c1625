/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Root words: prefixes of length 0..16 of one VRF and family. To add one is to overwrite the slots that say a prefix
 * not longer; to delete one is to give its slots to the next shorter prefix that is set, found by walking up the
 * heap. Either is one pass over the slots covered. A slot with a child keeps its word: what it would say stands in
 * the child's `inherited`.
 *
 * A root has words of its own, all of them backed with memory, from the first route on; until then its VRF has the
 * region's empty root. So a VRF without routes costs no memory, and no reader is ever the first to touch a page.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fib_private.h"

int fib_root_create(struct fib *fib, uint32_t vrf, uint8_t family)
{
	struct fib_root *root = &fib->root[vrf * 2 + (family == AF_INET6)];

	*root = (struct fib_root){ .vrf = vrf, .family = family, .in_use = true };
	root->section = family == AF_INET6 ? WYE_SECTION_FIB6_ROOT : WYE_SECTION_FIB4_ROOT;
	root->ids = calloc(FIB_HEAP_ROOT, sizeof(*root->ids));	/* large, zero, touched by and by */
	root->plen = calloc(WYE_FIB_ROOT_WORDS, 1);
	root->queued = calloc(FIB_HEAP_ROOT / 64, sizeof(*root->queued));
	if (root->ids && root->plen && root->queued)
		return 0;
	fib_root_destroy(fib, root);
	return -ENOMEM;
}

/* What readers of the VRF find from now on. */
static void show_root(struct fib *fib, const struct fib_root *root, uint32_t index)
{
	struct wye_vrf *vrf = (struct wye_vrf *)region_records(fib->region, WYE_SECTION_VRF) + root->vrf;

	wye_publish_word(root->family == AF_INET6 ? &vrf->root6 : &vrf->root4, index); /* P1 */
}

void fib_root_hide(struct fib *fib, const struct fib_root *root)
{
	show_root(fib, root, 0);
}

void fib_root_destroy(struct fib *fib, struct fib_root *root)
{
	if (root->words)
		region_retire(fib->region, root->section, root->index, WYE_FIB_ROOT_WORDS);
	free(root->ids);
	free(root->plen);
	free(root->queued);
	free(root->changed);
	*root = (struct fib_root){ 0 };
}

int fib_root_need(struct fib *fib, struct fib_root *root)
{
	if (root->words)
		return 0;
	root->index = region_alloc(fib->region, root->section, WYE_FIB_ROOT_WORDS);
	if (!root->index)
		return -ENOSPC;
	root->words = (_Atomic uint32_t *)region_records(fib->region, root->section) + root->index;
	show_root(fib, root, root->index);
	return 0;
}

uint32_t fib_root_word(const struct fib_root *root, uint32_t slot)
{
	return root->words ? atomic_load_explicit(&root->words[slot], memory_order_relaxed) : 0;
}

int fib_root_set(struct fib *fib, struct fib_root *root, uint32_t heap, uint32_t id)
{
	if (root->ids[heap] == id)
		return 0;
	if (!(root->queued[heap / 64] >> (heap % 64) & 1)) {
		if (root->n_changed == root->cap_changed) {
			uint32_t cap = root->cap_changed ? root->cap_changed * 2 : 64;
			uint32_t *bigger = realloc(root->changed, cap * sizeof(*bigger));

			if (!bigger)
				return -ENOSPC;
			root->changed = bigger;
			root->cap_changed = cap;
		}
		root->queued[heap / 64] |= 1ULL << (heap % 64);
		root->changed[root->n_changed++] = heap;
		fib->n_dirty++;
	}
	root->ids[heap] = id;
	return 0;
}

static void say(struct fib *fib, struct fib_root *root, uint32_t slot, uint32_t id)
{
	uint32_t word = atomic_load_explicit(&root->words[slot], memory_order_relaxed);
	_Atomic uint32_t *where = &root->words[slot];

	if (word & WYE_FIB_CHILD) {
		where = fib_shared_inherited(fib, word);
		word = atomic_load_explicit(where, memory_order_relaxed);
	}
	if (word != id)
		wye_publish_word(where, id); /* P1; the id's record was published by resolve before */
}

static uint32_t heap_len(uint32_t heap)
{
	return 31 - (uint32_t)__builtin_clz(heap);
}

static int publish(struct fib *fib, struct fib_root *root, uint32_t heap)
{
	uint32_t len = heap_len(heap), first = (heap - (1U << len)) << (16 - len), count = 1U << (16 - len);
	uint32_t id = root->ids[heap], cover = heap;
	uint8_t was_max, was_min, now;

	if (id) {	/* over all that is not longer */
		if (fib_root_need(fib, root))
			return -ENOSPC;
		was_min = 0;
		was_max = (uint8_t)(len + 1);
		now = was_max;
	} else {	/* the slots that say this one go to the next shorter */
		while (cover && !root->ids[cover])
			cover >>= 1;
		id = cover ? root->ids[cover] : 0;
		now = cover ? (uint8_t)(heap_len(cover) + 1) : 0;
		was_min = was_max = (uint8_t)(len + 1);
	}
	for (uint32_t slot = first; slot < first + count; slot++) {
		if (root->plen[slot] < was_min || root->plen[slot] > was_max)
			continue;
		root->plen[slot] = now;
		say(fib, root, slot, id);
	}
	return 0;
}

int fib_root_flush(struct fib *fib, struct fib_root *root)
{
	while (root->n_changed) {
		uint32_t heap = root->changed[root->n_changed - 1];
		int err = publish(fib, root, heap);

		if (err) {
			fib->region->failed = true;
			return err;
		}
		root->queued[heap / 64] &= ~(1ULL << (heap % 64));
		root->n_changed--;
		fib->n_dirty--;
	}
	return 0;
}
