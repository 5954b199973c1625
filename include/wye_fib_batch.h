/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye_fib.h for a whole vector of addresses: the same answers, but the cache misses of many lookups are under way
 * at once. IPv4, where one node answers nearly always, is one loop that reads the root word and prefetches the node of
 * an address some places ahead of the one it finishes. IPv6, several nodes deep, takes turns: each pass goes one node
 * down with all addresses still on their way, and prefetches what the next pass will read.
 * The caller is an online reader (wye_publish.h), as for a single lookup.
 */
#ifndef WYE_FIB_BATCH_H
#define WYE_FIB_BATCH_H

#include "wye_fib.h"

#define WYE_FIB_AHEAD 16u	/* IPv4: about as many as a core has cache misses under way; measured: 8 to 24 are alike */
#define WYE_FIB_TURN  64u	/* IPv6: addresses that take turns */

/* The root word of dst into *id; the node it names comes into the cache. */
static inline void wye_fib_begin(const struct wye_fib *fib, const _Atomic uint32_t *root, const uint8_t *dst,
				 uint32_t *id)
{
	uint32_t word = wye_read_word(&root[(uint32_t)dst[0] << 8 | dst[1]]);

	*id = word;
	__builtin_prefetch(wye_fib_node(fib, word));	/* a nexthop id: some node or none, no fault and no harm */
}

static inline void wye_fib4_finish(const struct wye_fib *fib, const uint8_t *dst, uint32_t *id)
{
	uint32_t root = *id, word;

	if (!(root & WYE_FIB_CHILD))
		return;
	word = wye_fib_step(fib, root, dst[2]);
	if (__builtin_expect(word & WYE_FIB_CHILD, 0))
		word = wye_fib_step(fib, word, dst[3]);
	if (__builtin_expect(!word, 0))
		word = wye_fib_fallback(fib, root, dst);
	*id = word;
}

/* dst: addresses as they stand in the packets (network order). ids[i]: nexthop id of dst[i], 0 = no route. */
static inline void wye_fib4_lookup_batch(const struct wye_fib *fib, const uint32_t *dst, uint32_t *ids, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n && i < WYE_FIB_AHEAD; i++)
		wye_fib_begin(fib, fib->root4, (const uint8_t *)&dst[i], &ids[i]);
	for (i = 0; i + WYE_FIB_AHEAD < n; i++) {
		wye_fib_begin(fib, fib->root4, (const uint8_t *)&dst[i + WYE_FIB_AHEAD], &ids[i + WYE_FIB_AHEAD]);
		wye_fib4_finish(fib, (const uint8_t *)&dst[i], &ids[i]);
	}
	for (; i < n; i++)
		wye_fib4_finish(fib, (const uint8_t *)&dst[i], &ids[i]);
}

/* One node down, by byte number `byte`, with the n addresses listed in way; returns how many go on. */
static inline uint32_t wye_fib6_pass(const struct wye_fib *fib, const uint8_t (*dst)[16], uint32_t *ids, uint32_t *way,
				     uint32_t n, uint32_t byte)
{
	uint32_t on = 0;

	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = way[k], word = wye_fib_step(fib, ids[i], dst[i][byte]);

		if (!word)
			word = wye_fib_above(fib, ids[i]);
		ids[i] = word;
		if (!(word & WYE_FIB_CHILD))
			continue;
		__builtin_prefetch(wye_fib_node(fib, word));
		way[on++] = i;
	}
	return on;
}

/* n ≤ WYE_FIB_TURN */
static inline void wye_fib6_turn(const struct wye_fib *fib, const uint8_t (*dst)[16], uint32_t *ids, uint32_t n)
{
	uint32_t way[WYE_FIB_TURN], left = 0;

	for (uint32_t i = 0; i < n; i++) {
		wye_fib_begin(fib, fib->root6, dst[i], &ids[i]);
		if (ids[i] & WYE_FIB_CHILD)
			way[left++] = i;
	}
	for (uint32_t byte = 2; left; byte++)
		left = wye_fib6_pass(fib, dst, ids, way, left, byte);
	for (uint32_t i = 0; i < n; i++)	/* is the answer further up? */
		if (!ids[i])
			ids[i] = wye_fib_fallback(fib, wye_read_word(&fib->root6[(uint32_t)dst[i][0] << 8 | dst[i][1]]),
						  dst[i]);
}

static inline void wye_fib6_lookup_batch(const struct wye_fib *fib, const uint8_t (*dst)[16], uint32_t *ids,
					 uint32_t n)
{
	for (uint32_t i = 0; i < n; i += WYE_FIB_TURN)
		wye_fib6_turn(fib, dst + i, ids + i, n - i < WYE_FIB_TURN ? n - i : WYE_FIB_TURN);
}

#endif
