/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye_fib.h for a whole vector of addresses: the same answers, but the cache misses of many lookups are under way
 * at once. Each stage goes over all addresses still on their way and prefetches what the next stage will read.
 * The caller is an online reader (wye_publish.h), as for a single lookup.
 */
#ifndef WYE_FIB_BATCH_H
#define WYE_FIB_BATCH_H

#include "wye_fib.h"

#define WYE_FIB_BATCH 64u	/* addresses worked on together */

struct wye_fib_walker {	/* one address between two stages */
	uint32_t word;		/* names the node to be read next; later the leaf's index */
	uint32_t inherited;	/* nearest answer so far */
	uint32_t at;		/* position in the caller's arrays */
};

/* Reads the nodes of n walkers, which are in cache by now, and prefetches the words they lead to. `stride` apart lie
 * the addresses at `bytes`, whose byte `level` picks the slot. */
static inline void wye_fib_stage_node(const struct wye_fib *fib, struct wye_fib_walker *walker, uint32_t n,
				      const uint8_t *bytes, uint32_t stride, uint32_t level)
{
	for (uint32_t i = 0; i < n; i++) {
		struct wye_fib_walker *w = &walker[i];
		const struct wye_fib_node *node = &fib->nodes[w->word & ~WYE_FIB_CHILD];
		uint32_t here = atomic_load_explicit((_Atomic uint32_t *)&node->inherited, memory_order_acquire);
		uint32_t slot = bytes[(size_t)w->at * stride + level], part = slot >> 6;
		uint64_t up_to = node->bits[part] & (~0ULL >> (63 - (slot & 63)));

		w->inherited = here ? here : w->inherited;
		w->word = node->leaf + node->rank[part] + (uint32_t)__builtin_popcountll(up_to) - 1;
		__builtin_prefetch((const void *)&fib->leaves[w->word]);
	}
}

/* Reads the words. Who has an answer stores it and leaves; the others, whose number is returned, go one node down. */
static inline uint32_t wye_fib_stage_leaf(const struct wye_fib *fib, struct wye_fib_walker *walker, uint32_t n,
					  uint32_t *ids)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct wye_fib_walker w = walker[i];

		w.word = wye_read_word(&fib->leaves[w.word]);
		ids[w.at] = w.word ? w.word : w.inherited;
		if (!(w.word & WYE_FIB_CHILD))
			continue;
		__builtin_prefetch(&fib->nodes[w.word & ~WYE_FIB_CHILD]);
		walker[left++] = w;
	}
	return left;
}

/* n ≤ WYE_FIB_BATCH */
static inline void wye_fib_batch_part(const struct wye_fib *fib, const _Atomic uint32_t *root, const uint8_t *bytes,
				      uint32_t stride, uint32_t *ids, uint32_t n)
{
	struct wye_fib_walker walker[WYE_FIB_BATCH];
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *addr = bytes + (size_t)i * stride;
		uint32_t word = wye_read_word(&root[(uint32_t)addr[0] << 8 | addr[1]]);

		ids[i] = word;
		if (!(word & WYE_FIB_CHILD))
			continue;
		__builtin_prefetch(&fib->nodes[word & ~WYE_FIB_CHILD]);
		walker[left++] = (struct wye_fib_walker){ .word = word, .at = i };
	}
	for (uint32_t level = 2; left; level++) {
		wye_fib_stage_node(fib, walker, left, bytes, stride, level);
		left = wye_fib_stage_leaf(fib, walker, left, ids);
	}
}

/* dst: addresses as they stand in the packets (network order). ids[i]: nexthop id of dst[i], 0 = no route. */
static inline void wye_fib4_lookup_batch(const struct wye_fib *fib, const uint32_t *dst, uint32_t *ids, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += WYE_FIB_BATCH)
		wye_fib_batch_part(fib, fib->root4, (const uint8_t *)(dst + i), 4, ids + i,
				   n - i < WYE_FIB_BATCH ? n - i : WYE_FIB_BATCH);
}

static inline void wye_fib6_lookup_batch(const struct wye_fib *fib, const uint8_t (*dst)[16], uint32_t *ids,
					 uint32_t n)
{
	for (uint32_t i = 0; i < n; i += WYE_FIB_BATCH)
		wye_fib_batch_part(fib, fib->root6, dst[i], 16, ids + i,
				   n - i < WYE_FIB_BATCH ? n - i : WYE_FIB_BATCH);
}

#endif
