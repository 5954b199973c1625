/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is this a tables region whose sections lie within it? First half of the region check; costs the same whatever
 * the size. The records inside are region_check.c's.
 */
#include <errno.h>

#include "mapping.h"
#include "region_check.h"
#include "why.h"
#include "wye_map.h"

#define RESTART "restart wye-ctld, it builds a new one"

const char *const region_section_name[WYE_SECTIONS] = {
	[WYE_SECTION_LINK] = "LINK",
	[WYE_SECTION_ADDR] = "ADDR",
	[WYE_SECTION_LOCAL] = "LOCAL",
	[WYE_SECTION_NEIGH] = "NEIGH",
	[WYE_SECTION_NEIGH_HASH] = "NEIGH_HASH",
	[WYE_SECTION_NEXTHOP_SLOT] = "NEXTHOP_SLOT",
	[WYE_SECTION_NEXTHOP] = "NEXTHOP",
	[WYE_SECTION_GROUP] = "GROUP",
	[WYE_SECTION_ROUTE4] = "ROUTE4",
	[WYE_SECTION_ROUTE6] = "ROUTE6",
	[WYE_SECTION_VRF] = "VRF",
	[WYE_SECTION_FIB4_ROOT] = "FIB4_ROOT",
	[WYE_SECTION_FIB6_ROOT] = "FIB6_ROOT",
	[WYE_SECTION_FIB_NODE] = "FIB_NODE",
	[WYE_SECTION_PARITY] = "PARITY",
	[WYE_SECTION_ALTNAME] = "ALTNAME",
	[WYE_SECTION_RULE] = "RULE",
};

/* Bytes a record, and how many there must at least be for a reader to work at all. */
static const struct {
	uint32_t record_bytes, min_capacity;
} expected[WYE_SECTIONS] = {
	[WYE_SECTION_LINK] = { sizeof(struct wye_link), 1 },
	[WYE_SECTION_ADDR] = { sizeof(struct wye_addr), 1 },
	[WYE_SECTION_LOCAL] = { sizeof(struct wye_local), 1 },
	[WYE_SECTION_NEIGH] = { sizeof(struct wye_neigh), 1 },
	[WYE_SECTION_NEIGH_HASH] = { 4, 1 },
	[WYE_SECTION_NEXTHOP_SLOT] = { 4, 1 },
	[WYE_SECTION_NEXTHOP] = { sizeof(struct wye_nexthop), 1 },
	[WYE_SECTION_GROUP] = { 4, 1 },
	[WYE_SECTION_ROUTE4] = { sizeof(struct wye_route4), 1 },
	[WYE_SECTION_ROUTE6] = { sizeof(struct wye_route6), 1 },
	[WYE_SECTION_VRF] = { sizeof(struct wye_vrf), WYE_VRF_MAIN + 1 },
	[WYE_SECTION_FIB4_ROOT] = { 4, WYE_FIB_ROOT_WORDS },
	[WYE_SECTION_FIB6_ROOT] = { 4, WYE_FIB_ROOT_WORDS },
	[WYE_SECTION_FIB_NODE] = { sizeof(struct wye_fib_node), 1 },
	[WYE_SECTION_PARITY] = { sizeof(struct wye_parity_find), 1 },
	[WYE_SECTION_ALTNAME] = { sizeof(struct wye_altname), 1 },
	[WYE_SECTION_RULE] = { sizeof(struct wye_policy_rule), 1 },
};

static uint64_t section_end(const struct wye_section *s)
{
	return s->offset + (uint64_t)s->record_bytes * s->capacity;
}

static int check_section(const struct wye_region *region, enum wye_section_id id, uint64_t file_bytes, char *why)
{
	struct wye_section s = {
		.offset = region->section[id].offset,
		.record_bytes = region->section[id].record_bytes,
		.capacity = region->section[id].capacity,
	};
	uint32_t used = atomic_load_explicit((_Atomic uint32_t *)&region->section[id].used, memory_order_relaxed);
	const char *name = region_section_name[id];

	if (s.record_bytes != expected[id].record_bytes)
		return why_fail(why, -EPROTO, "section %s: %u bytes a record, expected %u; " RESTART, name,
				s.record_bytes, expected[id].record_bytes);
	if (s.capacity < expected[id].min_capacity)
		return why_fail(why, -EPROTO, "section %s: room for %u records, at least %u are needed; " RESTART, name,
				s.capacity, expected[id].min_capacity);
	if (s.offset % 4096 || s.offset < sizeof(*region))
		return why_fail(why, -EPROTO,
				"section %s: at byte %llu, expected a multiple of 4096 after the header; " RESTART, name,
				(unsigned long long)s.offset);
	if (s.offset > file_bytes || section_end(&s) > file_bytes)
		return why_fail(why, -EPROTO, "section %s: %u records of %u bytes at byte %llu, the file ends at %llu; "
				RESTART, name, s.capacity, s.record_bytes, (unsigned long long)s.offset,
				(unsigned long long)file_bytes);
	if (used > s.capacity)
		return why_fail(why, -EPROTO, "section %s: %u records used of %u; " RESTART, name, used, s.capacity);
	return 0;
}

/* Two sections sharing bytes would let a sound record of one be anything in the other. */
static int check_overlap(const struct wye_region *region, char *why)
{
	for (int a = 0; a < WYE_SECTIONS; a++)
		for (int b = 0; b < a; b++) {
			const struct wye_section *x = &region->section[a], *y = &region->section[b];

			if (x->offset < section_end(y) && y->offset < section_end(x))
				return why_fail(why, -EPROTO, "sections %s and %s overlap; " RESTART,
						region_section_name[b], region_section_name[a]);
		}
	return 0;
}

int wye_region_check_header(const struct wye_region *region, uint64_t size_bytes, char *why)
{
	uint32_t mask;
	int error;

	if (size_bytes < sizeof(*region))
		return why_fail(why, -EPROTO, "truncated: %llu bytes, the header alone has %zu; " RESTART,
				(unsigned long long)size_bytes, sizeof(*region));
	error = wye_file_check(&region->file, WYE_KIND_TABLES, size_bytes, why);
	for (int id = 0; !error && id < WYE_SECTIONS; id++)
		error = check_section(region, (enum wye_section_id)id, size_bytes, why);
	if (!error)
		error = check_overlap(region, why);
	if (error)
		return error;
	mask = atomic_load_explicit((_Atomic uint32_t *)&region->neigh_hash_mask, memory_order_relaxed);
	if ((mask & (mask + 1)) || mask >= region->section[WYE_SECTION_NEIGH_HASH].capacity)
		return why_fail(why, -EPROTO, "neighbour hash mask 0x%x: expected a power of two less one, below %u; "
				RESTART, mask, region->section[WYE_SECTION_NEIGH_HASH].capacity);
	return 0;
}
