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

#define WYE_FIB_AHEAD 40u	/* IPv4: as many cache misses as a core can have under way, and more where memory is slow */
#define WYE_FIB_TURN  64u	/* IPv6: addresses that take turns */

/* What `word` names comes into the cache; a nexthop id names some word or none, no fault and no harm. */
static inline void wye_fib_prefetch(const struct wye_fib *fib, uint32_t word)
{
	__builtin_prefetch((const char *)fib->nodes + ((size_t)(word & WYE_FIB_INDEX) << (2 + (word >> 31) * 4)));
}

/*
 * A walk from `root`, as far as the first `bytes` bytes of an address (two at least) decide it. True: *id is the answer
 * for every address with these bytes: destinations that lie together, as few routes make them, need one walk.
 */
static inline bool wye_fib_walk_shared(const struct wye_fib *fib, const _Atomic uint32_t *root, const uint8_t *addr,
				       uint32_t bytes, uint32_t *id)
{
	uint32_t above = 0, word = wye_read_word(&root[(uint32_t)addr[0] << 8 | addr[1]]);

	for (uint32_t at = 2; word & WYE_FIB_CHILD; at++) {
		uint32_t here = wye_fib_above(fib, word);

		if (at >= bytes)
			return false;
		above = here ? here : above;
		word = wye_fib_step(fib, word, addr[at]);
	}
	if (wye_fib_is_stub(word)) {
		const struct wye_fib_stub *stub = wye_fib_stub(fib, word);

		if (stub->at >= bytes)
			return false;
		word = wye_fib_stub_says(stub, addr);
	}
	*id = word ? word : above;
	return true;
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

/* How many bytes are 0, from the first in memory on? */
static inline uint32_t wye_fib_same_bytes(uint64_t different)
{
	const uint8_t *byte = (const uint8_t *)&different;
	uint32_t bytes = 0;

	while (bytes < 8 && !byte[bytes])
		bytes++;
	return bytes;
}

/* The differences of all from the first, or-ed. */
static inline uint32_t wye_fib4_different(const uint32_t *dst, uint32_t n)
{
	uint32_t different = 0;

	for (uint32_t i = 1; i < n; i++)
		different |= dst[i] ^ dst[0];
	return different;
}

static inline void wye_fib_fill(uint32_t *ids, uint32_t id, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ids[i] = id;
}

/* Addresses like dst, but for `different` (wye_fib4_different()). True: *id is the answer for all of them. */
static inline bool wye_fib4_lookup_alike(const struct wye_fib *fib, const uint32_t *dst, uint32_t different, uint32_t *id)
{
	uint32_t differences[2] = { different, UINT32_MAX }, bytes;
	uint64_t word;

	__builtin_memcpy(&word, differences, sizeof(word));
	bytes = wye_fib_same_bytes(word);
	return bytes >= 2 && wye_fib_walk_shared(fib, fib->root4, (const uint8_t *)dst, bytes, id);
}

/* As wye_fib4_lookup_batch(), for addresses known to be apart. */
static inline void wye_fib4_lookup_apart(const struct wye_fib *fib, const uint32_t *dst, uint32_t *ids, uint32_t n)
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

/* dst: addresses as they stand in the packets (network order). ids[i]: nexthop id of dst[i], 0 = no route. */
static inline void wye_fib4_lookup_batch(const struct wye_fib *fib, const uint32_t *dst, uint32_t *ids, uint32_t n)
{
	uint32_t id;

	if (n && wye_fib4_lookup_alike(fib, dst, wye_fib4_different(dst, n), &id))
		wye_fib_fill(ids, id, n);
	else
		wye_fib4_lookup_apart(fib, dst, ids, n);
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

/* How many bytes have all n addresses in common, from the first on? */
static inline uint32_t wye_fib6_shared(const uint8_t (*dst)[16], uint32_t n)
{
	uint64_t first[2], word, high = 0, low = 0;

	__builtin_memcpy(first, dst[0], 16);
	for (uint32_t i = 1; i < n; i++) {
		__builtin_memcpy(&word, dst[i], 8);
		high |= word ^ first[0];
		__builtin_memcpy(&word, dst[i] + 8, 8);
		low |= word ^ first[1];
	}
	return high ? wye_fib_same_bytes(high) : 8 + wye_fib_same_bytes(low);
}

static inline void wye_fib6_lookup_batch(const struct wye_fib *fib, const uint8_t (*dst)[16], uint32_t *ids,
					 uint32_t n)
{
	uint32_t shared = wye_fib6_shared(dst, n);
	struct wye_fib6_way way;

	if (n && shared >= 2 && wye_fib_walk_shared(fib, fib->root6, dst[0], shared, ids)) {
		wye_fib_fill(ids, ids[0], n);
		return;
	}
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
