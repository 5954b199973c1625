/* SPDX-License-Identifier: BSD-3-Clause */
/* A small sound tables region for tests and fuzzing, with something in every section. */
#ifndef SAMPLE_REGION_H
#define SAMPLE_REGION_H

#include "wye_tables.h"

/* Zeroed memory of exactly *size_bytes, page-aligned; free() it. NULL: no memory. */
struct wye_region *sample_region(uint64_t *size_bytes);

void *sample_record(struct wye_region *region, enum wye_section_id id, uint32_t index);

/* What is in it. Nexthop ids: */
enum {
	SAMPLE_NH_GATEWAY = 1,	/* FORWARD */
	SAMPLE_NH_ONLINK = 2,
	SAMPLE_NH_GROUP = 3,	/* buckets: GATEWAY, BLACKHOLE, GATEWAY, GATEWAY */
	SAMPLE_NH_BLACKHOLE = 4,
	SAMPLE_NH_NEIGH = 5,	/* of 10.0.0.9 on link 2 */
};
/*
 * 10.0.0.0/8 → GATEWAY, 10.0.7.0/24 → GROUP (node 1), 10.0.7.9/32 → BLACKHOLE (node 2 below it, narrow),
 * 10.1.8.128/25 → GROUP (a stub in node 3), 2001::/16 → ONLINK, 2001:0:0:0:0:0:0:1/128 → GROUP through 14 nodes, one a
 * byte, of which the first has all its entries.
 */
#define SAMPLE_ROOT	 WYE_FIB_ROOT_WORDS	/* of the main VRF, both families */
#define SAMPLE_NARROW	 (WYE_FIB_CHILD | WYE_FIB_NARROW | 2)
#define SAMPLE_PLACE	 200u	/* in the palette, of BLACKHOLE */
#define SAMPLE_NODE_STUB 3u
#define SAMPLE_STUB	 (SAMPLE_NODE_STUB * WYE_FIB_UNIT_WORDS + WYE_FIB_HEAD_WORDS + 3)
#define SAMPLE_NODE6	  4u
#define SAMPLE_NODE6_NEXT 21u
#define SAMPLE_NODE6_LAST 33u
#define SAMPLE_IFINDEX 7u

#endif
