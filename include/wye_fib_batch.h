/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye_fib.h for a whole vector of addresses: the same answers, but the cache misses of many lookups are under way
 * at once. IPv4, where one node answers nearly always, is one loop that reads the root word and prefetches the node of
 * an address some places ahead of the one it finishes. IPv6, several nodes deep, takes turns: each pass goes one node
 * down with all addresses still on their way, and prefetches what the next pass will read. A full IPv6 table is as much
 * a matter of instructions as of cache misses, so a pass does only what every address needs; an answer from further up
 * is found at the end.
 * The caller is an online reader (wye_publish.h), as for a single lookup.
 */
#ifndef WYE_FIB_BATCH_H
#define WYE_FIB_BATCH_H

#include "wye_fib.h"

#define WYE_FIB_AHEAD 16u	/* IPv4: about as many as a core has cache misses under way; measured: 8 to 24 are alike */
#define WYE_FIB_TURN  64u	/* IPv6: addresses that take turns */

/* What `word` names comes into the cache; a nexthop id names some word or none, no fault and no harm. */
static inline void wye_fib_prefetch(const struct wye_fib *fib, uint32_t word)
{
	__builtin_prefetch((const char *)fib->nodes + ((size_t)(word & WYE_FIB_INDEX) << (2 + (word >> 31) * 4)));
}

static inline void wye_fib4_begin(const struct wye_fib *fib, const uint8_t *dst, uint32_t *id)
{
	*id = wye_read_word(&fib->root4[(uint32_t)dst[0] << 8 | dst[1]]);
	wye_fib_prefetch(fib, *id);
}

static inline void wye_fib4_finish(const struct wye_fib *fib, const uint8_t *dst, uint32_t *id)
{
	uint32_t root = *id, word;

	if (!(root & WYE_FIB_CHILD))
		return;
	word = wye_fib_step(fib, root, dst[2]);
	if (__builtin_expect(word >> 30, 0))
		word = wye_fib_walk(fib, root, dst);
	*id = word ? word : wye_fib_above(fib, root);
}

/* dst: addresses as they stand in the packets (network order). ids[i]: nexthop id of dst[i], 0 = no route. */
static inline void wye_fib4_lookup_batch(const struct wye_fib *fib, const uint32_t *dst, uint32_t *ids, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n && i < WYE_FIB_AHEAD; i++)
		wye_fib4_begin(fib, (const uint8_t *)&dst[i], &ids[i]);
	for (i = 0; i + WYE_FIB_AHEAD < n; i++) {
		wye_fib4_begin(fib, (const uint8_t *)&dst[i + WYE_FIB_AHEAD], &ids[i + WYE_FIB_AHEAD]);
		wye_fib4_finish(fib, (const uint8_t *)&dst[i], &ids[i]);
	}
	for (; i < n; i++)
		wye_fib4_finish(fib, (const uint8_t *)&dst[i], &ids[i]);
}

struct wye_fib6_way {
	uint32_t word[WYE_FIB_TURN];	/* said last: the next node, a stub, an id, 0 */
	uint32_t from[WYE_FIB_TURN];	/* names the node that said it; a root's id */
	uint8_t on[WYE_FIB_TURN];	/* the addresses that go on */
	uint32_t n;
};

/* The root and the node below it, which is small and hot. */
static inline void wye_fib6_begin(const struct wye_fib *fib, const uint8_t (*dst)[16], struct wye_fib6_way *way,
				  uint32_t n)
{
	way->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t word = wye_read_word(&fib->root6[(uint32_t)dst[i][0] << 8 | dst[i][1]]);

		way->from[i] = word;
		if (word & WYE_FIB_CHILD)
			word = wye_read_word(wye_fib_word(wye_fib_node(fib, word), dst[i][2]));
		way->word[i] = word;
		wye_fib_prefetch(fib, word);
		way->on[way->n] = (uint8_t)i;
		way->n += word >> 31;	/* WYE_FIB_CHILD */
	}
}

/* One node down, by byte number `byte`. No branch hangs on an address: how far each goes cannot be foreseen. */
static inline void wye_fib6_pass(const struct wye_fib *fib, const uint8_t (*dst)[16], struct wye_fib6_way *way,
				 uint32_t byte)
{
	uint32_t on = 0;

	for (uint32_t k = 0; k < way->n; k++) {
		uint32_t i = way->on[k], word = way->word[i];

		way->from[i] = word;
		word = wye_fib_step_wide(wye_fib_node(fib, word), dst[i][byte]);
		way->word[i] = word;
		wye_fib_prefetch(fib, word);
		way->on[on] = (uint8_t)i;
		on += word >> 31;
	}
	way->n = on;
}

static inline uint32_t wye_fib6_finish(const struct wye_fib *fib, const uint8_t *dst, uint32_t word, uint32_t from)
{
	uint32_t stub = word >> 30;	/* 1 or 0; if it is none, unit 0 is looked at for nothing */
	uint32_t says = wye_fib_stub_says(wye_fib_stub(fib, word & -stub), dst);

	word = stub ? says : word;
	if (__builtin_expect(!word && from & WYE_FIB_CHILD, 0)) {
		word = wye_fib_above(fib, from);
		if (!word)
			word = wye_fib6_lookup(fib, dst);
	}
	return word;
}

static inline void wye_fib6_lookup_batch(const struct wye_fib *fib, const uint8_t (*dst)[16], uint32_t *ids,
					 uint32_t n)
{
	struct wye_fib6_way way;

	for (uint32_t done = 0; done < n; done += WYE_FIB_TURN) {
		uint32_t turn = n - done < WYE_FIB_TURN ? n - done : WYE_FIB_TURN;

		wye_fib6_begin(fib, dst + done, &way, turn);
		for (uint32_t byte = 3; way.n; byte++)
			wye_fib6_pass(fib, dst + done, &way, byte);
		for (uint32_t i = 0; i < turn; i++)
			ids[done + i] = wye_fib6_finish(fib, dst[done + i], way.word[i], way.from[i]);
	}
}

#endif
