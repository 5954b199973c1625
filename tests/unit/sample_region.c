/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds the region described in sample_region.h by hand, from wye_tables.h alone: no code of the writer's. */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sample_region.h"
#include "wye_fib.h"

static const struct {
	uint32_t record_bytes, capacity, used;
} plan[WYE_SECTIONS] = {
	[WYE_SECTION_LINK] = { sizeof(struct wye_link), 16, 2 },
	[WYE_SECTION_ADDR] = { sizeof(struct wye_addr), 32, 2 },
	[WYE_SECTION_LOCAL] = { sizeof(struct wye_local), 128, 2 },
	[WYE_SECTION_NEIGH] = { sizeof(struct wye_neigh), 64, 2 },
	[WYE_SECTION_NEIGH_HASH] = { 4, 1024, 1024 },
	[WYE_SECTION_NEXTHOP_SLOT] = { 4, 1024, 6 },
	[WYE_SECTION_NEXTHOP] = { sizeof(struct wye_nexthop), 64, 6 },
	[WYE_SECTION_GROUP] = { 4, 1024, 5 },
	[WYE_SECTION_ROUTE4] = { sizeof(struct wye_route4), 128, 2 },
	[WYE_SECTION_ROUTE6] = { sizeof(struct wye_route6), 85, 2 },
	[WYE_SECTION_VRF] = { sizeof(struct wye_vrf), 256, 2 },
	[WYE_SECTION_FIB4_ROOT] = { 4, 2 * WYE_FIB_ROOT_WORDS, 2 * WYE_FIB_ROOT_WORDS },
	[WYE_SECTION_FIB6_ROOT] = { 4, 2 * WYE_FIB_ROOT_WORDS, 2 * WYE_FIB_ROOT_WORDS },
	[WYE_SECTION_FIB_NODE] = { sizeof(struct wye_fib_node), 512, SAMPLE_NODE6_LAST + 1 },
	[WYE_SECTION_PARITY] = { sizeof(struct wye_parity_find), 32, 2 },
	[WYE_SECTION_ALTNAME] = { sizeof(struct wye_altname), 32, 2 },
	[WYE_SECTION_RULE] = { sizeof(struct wye_policy_rule), 64, 2 },
};

void *sample_record(struct wye_region *region, enum wye_section_id id, uint32_t index)
{
	return (char *)region + region->section[id].offset + (size_t)region->section[id].record_bytes * index;
}

static uint32_t *word(struct wye_region *region, enum wye_section_id id, uint32_t index)
{
	return sample_record(region, id, index);
}

static uint64_t lay_out(struct wye_section *section)
{
	uint64_t at = sizeof(struct wye_region);

	for (int id = 0; id < WYE_SECTIONS; id++) {
		section[id].offset = at;
		section[id].record_bytes = plan[id].record_bytes;
		section[id].capacity = plan[id].capacity;
		section[id].used = plan[id].used;
		at += ((uint64_t)plan[id].record_bytes * plan[id].capacity + 4095) / 4096 * 4096;
	}
	return at;
}

static void fill_link_and_addresses(struct wye_region *region)
{
	struct wye_link *link = sample_record(region, WYE_SECTION_LINK, 1);
	struct wye_addr *addr = sample_record(region, WYE_SECTION_ADDR, 1);
	struct wye_local *local = sample_record(region, WYE_SECTION_LOCAL, 1);
	struct wye_parity_find *find = sample_record(region, WYE_SECTION_PARITY, 1);

	find->reason = WYE_PARITY_TC;
	find->ifindex = SAMPLE_IFINDEX;
	find->families = WYE_PARITY_IP4;
	strcpy(find->where, "ingress filter, kind bpf");
	link->flags = WYE_LINK_PRESENT | WYE_LINK_UP | WYE_LINK_CARRIER | WYE_LINK_FORWARD4 | WYE_LINK_FORWARD6;
	link->ifindex = SAMPLE_IFINDEX;
	link->mtu_bytes = 1500;
	link->table = 254;
	link->vrf = WYE_VRF_MAIN;
	link->mac_len = 6;
	memcpy(link->mac, "\x02\0\0\0\0\x01", 6);
	strcpy(link->name, "eth0");
	addr->ifindex = SAMPLE_IFINDEX;
	addr->family = local->family = AF_INET;
	addr->prefix_len = 24;
	memcpy(addr->local, "\x0A\0\0\x01", 4);
	local->prefix_len = 32;
	local->type = 2; /* RTN_LOCAL */
	memcpy(local->addr, "\x0A\0\0\x01", 4);
}

static void fill_names_and_rules(struct wye_region *region)
{
	struct wye_altname *altname = sample_record(region, WYE_SECTION_ALTNAME, 1);
	struct wye_policy_rule *rule = sample_record(region, WYE_SECTION_RULE, 1);

	altname->ifindex = SAMPLE_IFINDEX;
	strcpy(altname->name, "enp0s31f6");
	rule->family = AF_INET;
	rule->action = 1; /* FR_ACT_TO_TBL */
	rule->table = 254;
	rule->priority = 32766;
	rule->suppress_prefix_len = rule->suppress_group = -1;
}

static void fill_neighbour(struct wye_region *region)
{
	struct wye_neigh *neigh = sample_record(region, WYE_SECTION_NEIGH, 1);

	neigh->ifindex = SAMPLE_IFINDEX;
	neigh->family = AF_INET;
	neigh->lladdr_len = 6;
	memcpy(neigh->addr, "\x0A\0\0\x09", 4);
	neigh->nexthop = SAMPLE_NH_NEIGH;
	region->neigh_hash_mask = 1023;
	*word(region, WYE_SECTION_NEIGH_HASH, wye_neigh_hash(SAMPLE_IFINDEX, neigh->addr) & 1023) = 1;
}

static void fill_nexthops(struct wye_region *region)
{
	static const uint8_t kinds[] = {
		[SAMPLE_NH_GATEWAY] = WYE_NH_FORWARD,	  [SAMPLE_NH_ONLINK] = WYE_NH_ONLINK,
		[SAMPLE_NH_GROUP] = WYE_NH_GROUP,	  [SAMPLE_NH_BLACKHOLE] = WYE_NH_BLACKHOLE,
		[SAMPLE_NH_NEIGH] = WYE_NH_FORWARD,
	};

	for (uint32_t id = 1; id <= SAMPLE_NH_NEIGH; id++) {
		struct wye_nexthop *nh = sample_record(region, WYE_SECTION_NEXTHOP, id);

		*word(region, WYE_SECTION_NEXTHOP_SLOT, id) = id;
		nh->kind = kinds[id];
		nh->link = 1;
		nh->ifindex = SAMPLE_IFINDEX;
		nh->rewrite_len = kinds[id] == WYE_NH_FORWARD ? 14 : 0;
		nh->neigh = kinds[id] == WYE_NH_FORWARD;
		nh->group = kinds[id] == WYE_NH_GROUP;
		nh->buckets = kinds[id] == WYE_NH_GROUP ? 4 : 0;
	}
	for (uint32_t bucket = 1; bucket <= 4; bucket++)
		*word(region, WYE_SECTION_GROUP, bucket) = bucket == 2 ? SAMPLE_NH_BLACKHOLE : SAMPLE_NH_GATEWAY;
}

static void fill_routes(struct wye_region *region)
{
	struct wye_route4 *route4 = sample_record(region, WYE_SECTION_ROUTE4, 1);
	struct wye_route6 *route6 = sample_record(region, WYE_SECTION_ROUTE6, 1);

	route4->dst[0] = 10;
	route4->prefix_len = 8;
	route4->type = route6->type = 1; /* RTN_UNICAST */
	route4->table = route6->table = 254;
	route4->nexthop = SAMPLE_NH_GATEWAY;
	route6->dst[0] = 0x20;
	route6->dst[1] = 0x01;
	route6->prefix_len = 16;
	route6->nexthop = SAMPLE_NH_ONLINK;
}

/* The node that `name` calls: `elsewhere` in all slots but `slot`, which says `value`; palette places if it is narrow. */
static void fill_node(struct wye_region *region, uint32_t name, uint8_t slot, uint32_t value, uint32_t elsewhere,
		      uint32_t inherited)
{
	struct wye_fib_node *node = sample_record(region, WYE_SECTION_FIB_NODE, name & WYE_FIB_INDEX);
	const uint32_t says[3] = { elsewhere, value, elsewhere };
	uint32_t ones = 0, first = slot == 0;

	node->bits[0] = 1;
	node->bits[slot >> 6] |= 1ULL << (slot & 63);
	if (slot < 255)
		node->bits[(slot + 1) >> 6] |= 1ULL << ((slot + 1) & 63);
	for (uint32_t i = 0; i < 4; i++) {
		node->rank[i] = (uint8_t)ones;
		ones += (uint32_t)__builtin_popcountll(node->bits[i]);
	}
	for (uint32_t i = 0; i < ones; i++) {
		if (name & WYE_FIB_NARROW)
			node->entries[i] = (uint8_t)says[first + i];
		else
			*wye_fib_word(node, i) = says[first + i];
	}
	node->inherited = inherited;
}

/* A node with all 256 entries. */
static void fill_spread(struct wye_region *region, uint32_t at, uint8_t slot, uint32_t value, uint32_t inherited)
{
	struct wye_fib_node *node = sample_record(region, WYE_SECTION_FIB_NODE, at);

	for (uint32_t i = 0; i < 4; i++) {
		node->bits[i] = UINT64_MAX;
		node->rank[i] = (uint8_t)(i * 64);
	}
	*wye_fib_word(node, slot) = value;
	node->inherited = inherited;
}

/* Has three entries before it. */
static void fill_stub(struct wye_region *region)
{
	struct wye_fib_stub *stub = sample_record(region, WYE_SECTION_FIB_NODE, SAMPLE_NODE_STUB);

	fill_node(region, WYE_FIB_CHILD | SAMPLE_NODE_STUB, 8, WYE_FIB_STUB | SAMPLE_STUB, SAMPLE_NH_GATEWAY, 0);
	stub = (struct wye_fib_stub *)((uint32_t *)(void *)stub + WYE_FIB_HEAD_WORDS + 3);
	*stub = (struct wye_fib_stub){ .id = SAMPLE_NH_GROUP, .at = 3, .value = 128, .mask = 128 };
}

static void fill_fib(struct wye_region *region)
{
	struct wye_vrf *vrf = sample_record(region, WYE_SECTION_VRF, WYE_VRF_MAIN);

	vrf->table = 254;
	vrf->root4 = vrf->root6 = SAMPLE_ROOT;
	region->fib_palette[SAMPLE_PLACE] = SAMPLE_NH_BLACKHOLE;
	for (uint32_t i = 0x0A00; i < 0x0B00; i++)
		*word(region, WYE_SECTION_FIB4_ROOT, SAMPLE_ROOT + i) = SAMPLE_NH_GATEWAY;
	*word(region, WYE_SECTION_FIB4_ROOT, SAMPLE_ROOT + 0x0A00) = WYE_FIB_CHILD | 1;
	fill_node(region, WYE_FIB_CHILD | 1, 7, SAMPLE_NARROW, SAMPLE_NH_GATEWAY, 0);
	fill_node(region, SAMPLE_NARROW, 9, SAMPLE_PLACE, 0, SAMPLE_NH_GROUP);
	*word(region, WYE_SECTION_FIB4_ROOT, SAMPLE_ROOT + 0x0A01) = WYE_FIB_CHILD | SAMPLE_NODE_STUB;
	fill_stub(region);
	*word(region, WYE_SECTION_FIB6_ROOT, SAMPLE_ROOT + 0x2001) = WYE_FIB_CHILD | SAMPLE_NODE6;
	fill_spread(region, SAMPLE_NODE6, 0, WYE_FIB_CHILD | SAMPLE_NODE6_NEXT, SAMPLE_NH_ONLINK);
	for (uint32_t at = SAMPLE_NODE6_NEXT; at < SAMPLE_NODE6_LAST; at++)
		fill_node(region, WYE_FIB_CHILD | at, 0, WYE_FIB_CHILD | (at + 1), 0, 0);
	fill_node(region, WYE_FIB_CHILD | SAMPLE_NODE6_LAST, 1, SAMPLE_NH_GROUP, 0, 0);
}

struct wye_region *sample_region(uint64_t *size_bytes)
{
	struct wye_section section[WYE_SECTIONS] = { 0 };
	struct wye_region *region;

	*size_bytes = lay_out(section);
	region = aligned_alloc(4096, *size_bytes);
	if (!region)
		return NULL;
	memset((void *)region, 0, *size_bytes);
	region->file.magic = WYE_MAGIC;
	region->file.abi_version = WYE_ABI_VERSION;
	region->file.kind = WYE_KIND_TABLES;
	region->file.layout_hash = WYE_LAYOUT_HASH;
	region->file.size_bytes = *size_bytes;
	region->file.generation = 1;
	memcpy((void *)region->section, section, sizeof(section));
	fill_link_and_addresses(region);
	fill_names_and_rules(region);
	fill_neighbour(region);
	fill_nexthops(region);
	fill_routes(region);
	fill_fib(region);
	return region;
}
