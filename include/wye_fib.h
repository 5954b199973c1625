/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Longest-prefix match in a mapped tables region: the one header with code on the hot path. The caller is an
 * online reader (wye_publish.h) of the region for as long as it uses a result. Returns nexthop ids; 0 = no route.
 */
#ifndef WYE_FIB_H
#define WYE_FIB_H

#include "wye_publish.h"
#include "wye_tables.h"

/* One VRF's FIB in a mapped region; filled by wye_fib_of(). Pointers are this process's own. */
struct wye_fib {
	const _Atomic uint32_t *root4;
	const _Atomic uint32_t *root6;
	const struct wye_fib_node *nodes;
	const _Atomic uint32_t *palette;
};

static inline const void *wye_section_base(const struct wye_region *region, enum wye_section_id id)
{
	return (const char *)region + region->section[id].offset;
}

static inline struct wye_fib wye_fib_of(const struct wye_region *region, uint32_t vrf)
{
	const struct wye_vrf *v = (const struct wye_vrf *)wye_section_base(region, WYE_SECTION_VRF) + vrf;

	return (struct wye_fib){
		.root4 = (const _Atomic uint32_t *)wye_section_base(region, WYE_SECTION_FIB4_ROOT) +
			 wye_read_word(&v->root4),
		.root6 = (const _Atomic uint32_t *)wye_section_base(region, WYE_SECTION_FIB6_ROOT) +
			 wye_read_word(&v->root6),
		.nodes = wye_section_base(region, WYE_SECTION_FIB_NODE),
		.palette = region->fib_palette,
	};
}

static inline const struct wye_fib_node *wye_fib_node(const struct wye_fib *fib, uint32_t word)
{
	return &fib->nodes[word & WYE_FIB_INDEX];
}

/* The number of slot's entry. Constant data behind an acquired word: plain loads. */
static inline uint32_t wye_fib_entry(const struct wye_fib_node *node, uint32_t slot)
{
	uint32_t i = slot >> 6;

	return node->rank[i] + (uint32_t)__builtin_popcountll(node->bits[i] << (~slot & 63)) - 1;
}

static inline uint32_t wye_fib_entries(const struct wye_fib_node *node)
{
	return node->rank[3] + (uint32_t)__builtin_popcountll(node->bits[3]);
}

/* Word number `entry` of a wide node. */
static inline _Atomic uint32_t *wye_fib_word(const struct wye_fib_node *node, uint32_t entry)
{
	return (_Atomic uint32_t *)(uintptr_t)node + WYE_FIB_HEAD_WORDS + entry;
}

/* What `slot` says in a wide node: a nexthop id, 0, the name of a child or of a stub. It may be a child that was rebuilt:
 * acquire. */
static inline uint32_t wye_fib_step_wide(const struct wye_fib_node *node, uint32_t slot)
{
	return wye_read_word(wye_fib_word(node, wye_fib_entry(node, slot)));
}

/* The same in any node that `word` names. */
static inline uint32_t wye_fib_step(const struct wye_fib *fib, uint32_t word, uint32_t slot)
{
	const struct wye_fib_node *node = wye_fib_node(fib, word);

	if (!(word & WYE_FIB_NARROW))
		return wye_fib_step_wide(node, slot);
	return atomic_load_explicit((_Atomic uint32_t *)&fib->palette[node->entries[wye_fib_entry(node, slot)]],
				    memory_order_relaxed);
}

static inline bool wye_fib_is_stub(uint32_t word)
{
	return word >> 30 == WYE_FIB_STUB >> 30;
}

/* Constant data behind the acquired word that names its node: plain loads. */
static inline const struct wye_fib_stub *wye_fib_stub(const struct wye_fib *fib, uint32_t word)
{
	return (const struct wye_fib_stub *)((const uint32_t *)fib->nodes + (word & WYE_FIB_INDEX));
}

static inline uint32_t wye_fib_stub_says(const struct wye_fib_stub *stub, const uint8_t *addr)
{
	return (addr[stub->at] ^ stub->value) & stub->mask ? stub->other : stub->id;
}

/* What holds where the node that `word` names says 0; 0 = ask the node above. */
static inline uint32_t wye_fib_above(const struct wye_fib *fib, uint32_t word)
{
	return wye_read_word(&wye_fib_node(fib, word)->inherited);
}

/* Follows root word `word` through the address bytes from addr[2] on. */
static inline uint32_t wye_fib_walk(const struct wye_fib *fib, uint32_t word, const uint8_t *addr)
{
	uint32_t above = 0;

	for (const uint8_t *byte = addr + 2; word & WYE_FIB_CHILD; byte++) {
		uint32_t here = wye_fib_above(fib, word);

		above = here ? here : above;
		word = wye_fib_step(fib, word, *byte);
	}
	if (wye_fib_is_stub(word))
		word = wye_fib_stub_says(wye_fib_stub(fib, word), addr);
	return word ? word : above;
}

/* dst: the four bytes as they stand in the packet. */
static inline uint32_t wye_fib4_lookup(const struct wye_fib *fib, const uint8_t dst[4])
{
	return wye_fib_walk(fib, wye_read_word(&fib->root4[(uint32_t)dst[0] << 8 | dst[1]]), dst);
}

static inline uint32_t wye_fib6_lookup(const struct wye_fib *fib, const uint8_t dst[16])
{
	return wye_fib_walk(fib, wye_read_word(&fib->root6[(uint32_t)dst[0] << 8 | dst[1]]), dst);
}

/* ---- neighbours on a link ------------------------------------------------------------------------------------------- */

static inline uint32_t wye_neigh_hash(uint32_t ifindex, const uint8_t addr[16])
{
	const uint8_t *p = addr;
	uint64_t a, b, h;

	__builtin_memcpy(&a, p, 8);
	__builtin_memcpy(&b, p + 8, 8);
	h = (a ^ ((uint64_t)ifindex << 32 | ifindex)) * 0x9E3779B97F4A7C15ULL;
	h = (h ^ (h >> 32) ^ b) * 0xC2B2AE3D27D4EB4FULL;
	return (uint32_t)(h >> 32);
}

/* The nexthop id of the neighbour addr (16 bytes, IPv4 in the first four) on ifindex; 0 = the kernel knows none. */
static inline uint32_t wye_neigh_lookup(const struct wye_region *region, uint32_t ifindex, uint8_t family,
					const uint8_t addr[16])
{
	const _Atomic uint32_t *hash = (const _Atomic uint32_t *)wye_section_base(region, WYE_SECTION_NEIGH_HASH);
	const struct wye_neigh *neigh = (const struct wye_neigh *)wye_section_base(region, WYE_SECTION_NEIGH);
	uint32_t mask = atomic_load_explicit((_Atomic uint32_t *)&region->neigh_hash_mask, memory_order_relaxed);
	uint32_t at = wye_neigh_hash(ifindex, addr) & mask;

	for (uint32_t probes = 0; probes <= mask; probes++, at = (at + 1) & mask) {
		uint32_t index = wye_read_word(&hash[at]);

		if (!index)
			return 0;
		if (index != WYE_HASH_DELETED && neigh[index].ifindex == ifindex && neigh[index].family == family &&
		    !__builtin_memcmp(neigh[index].addr, addr, 16))
			return neigh[index].nexthop;
	}
	return 0;
}

/* The record behind a nexthop id. */
static inline const struct wye_nexthop *wye_nexthop_of(const struct wye_region *region, uint32_t id)
{
	const _Atomic uint32_t *slots = (const _Atomic uint32_t *)wye_section_base(region, WYE_SECTION_NEXTHOP_SLOT);
	const struct wye_nexthop *nexthops =
		(const struct wye_nexthop *)wye_section_base(region, WYE_SECTION_NEXTHOP);

	return &nexthops[wye_read_word(&slots[id])];
}

#endif
