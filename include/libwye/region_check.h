/* SPDX-License-Identifier: BSD-3-Clause */
/* libwye's own: what the parts of the region check share. */
#ifndef REGION_CHECK_H
#define REGION_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "wye_tables.h"

/*
 * One check under way. Section bounds are copied once and used from here: what the file says of itself may change
 * while it is read.
 */
struct region_check {
	const struct wye_region *region;
	char *why;
	int fd;			/* the region's file, -1 = unknown; not owned */
	struct {
		const char *base;
		uint32_t capacity;
	} section[WYE_SECTIONS];
	uint64_t *nodes_seen;	/* bit per FIB_NODE; owned */
	uint64_t *roots_seen[2]; /* bit per root, IPv4 and IPv6; owned */
	uint64_t *buckets_seen;	/* bit per GROUP word; owned */
};

extern const char *const region_section_name[WYE_SECTIONS];

/* Indices below this were handed out, now. */
static inline uint32_t region_used(const struct region_check *check, enum wye_section_id id)
{
	const _Atomic uint32_t *used = &check->region->section[id].used;
	uint32_t n = atomic_load_explicit((_Atomic uint32_t *)used, memory_order_relaxed);

	return n < check->section[id].capacity ? n : check->section[id].capacity;
}

static inline const void *region_at(const struct region_check *check, enum wye_section_id id, uint32_t record_bytes,
				    uint32_t index)
{
	return check->section[id].base + (uint64_t)record_bytes * index;
}

static inline uint32_t region_word(const struct region_check *check, enum wye_section_id id, uint32_t index)
{
	const _Atomic uint32_t *word = region_at(check, id, 4, index);

	return atomic_load_explicit((_Atomic uint32_t *)word, memory_order_acquire); /* P2 */
}

/* Was bit `index` set before? Sets it. */
static inline bool region_mark(uint64_t *bits, uint32_t index)
{
	uint64_t bit = 1ULL << (index & 63);
	bool before = bits[index >> 6] & bit;

	bits[index >> 6] |= bit;
	return before;
}

/* Is index in use in section id? If not, fills in why: `what` number `at` names it. 0 or -EPROTO. */
int region_index(const struct region_check *check, const char *what, uint32_t at, enum wye_section_id id,
		 uint32_t index);

/* All VRFs and their tries. 0 or -EPROTO with why. */
int region_check_fib(struct region_check *check);

#endif
