/* SPDX-License-Identifier: BSD-3-Clause */
/* A sound region passes the check, each way of being unsound is refused by name, and it takes no longer than it must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample_region.h"
#include "wye_fib.h"
#include "wye_map.h"

static void sound_region_passes_and_works(void **state)
{
	uint64_t size_bytes;
	struct wye_region *region = sample_region(&size_bytes);
	struct wye_fib fib = wye_fib_of(region, WYE_VRF_MAIN);
	char why[WYE_WHY_BYTES] = "";

	if (wye_region_check(region, size_bytes, why))
		fail_msg("%s", why);
	assert_int_equal(wye_fib4_lookup(&fib, (uint8_t[]){ 10, 1, 2, 3 }), SAMPLE_NH_GATEWAY);
	assert_int_equal(wye_fib4_lookup(&fib, (uint8_t[]){ 10, 0, 7, 8 }), SAMPLE_NH_GROUP);
	assert_int_equal(wye_fib4_lookup(&fib, (uint8_t[]){ 10, 0, 7, 9 }), SAMPLE_NH_BLACKHOLE);
	assert_int_equal(wye_fib4_lookup(&fib, (uint8_t[]){ 10, 1, 8, 200 }), SAMPLE_NH_GROUP);
	assert_int_equal(wye_fib4_lookup(&fib, (uint8_t[]){ 10, 1, 8, 1 }), 0);	/* the stub says nothing of it */
	assert_int_equal(wye_fib4_lookup(&fib, (uint8_t[]){ 11, 0, 0, 1 }), 0);
	assert_int_equal(wye_fib6_lookup(&fib, (uint8_t[16]){ 0x20, 1, [15] = 1 }), SAMPLE_NH_GROUP);
	assert_int_equal(wye_fib6_lookup(&fib, (uint8_t[16]){ 0x20, 1, [15] = 2 }), SAMPLE_NH_ONLINK);
	assert_int_equal(wye_neigh_lookup(region, SAMPLE_IFINDEX, 2, (uint8_t[16]){ 10, 0, 0, 9 }), SAMPLE_NH_NEIGH);
	free(region);
}

/* One field of one record made wrong, and how the refusal starts. */
static const struct wrong {
	int section;		/* -1: header */
	uint32_t index;
	size_t offset, size;
	uint64_t value;
	const char *says;
} wrongs[] = {
#define HEADER(field, value, says) { -1, 0, offsetof(struct wye_region, field), \
				     sizeof(((struct wye_region *)0)->field), value, says }
#define RECORD(id, index, type, field, value, says) { WYE_SECTION_##id, index, offsetof(struct type, field), \
						      sizeof(((struct type *)0)->field), value, says }
#define WORD(id, index, value, says) { WYE_SECTION_##id, index, 0, 4, value, says }
	HEADER(file.magic, 1, "tables: not a file of wye's: magic 0x0000000000000001, expected 0x31303065797777ff"),
	HEADER(file.kind, WYE_KIND_STATS, "tables: kind 4, expected 2 (tables)"),
	HEADER(file.abi_version, 2, "tables: ABI version 2, this program has 1; restart wye-ctld"),
	HEADER(file.layout_hash, 5, "tables: layout hash 0x0000000000000005, this program has"),
	HEADER(file.size_bytes, 100, "tables: header says 100 bytes, a tables file has at least 4096"),
	HEADER(file.size_bytes, 1ULL << 40, "tables: truncated:"),
	HEADER(neigh_hash_mask, 1022, "neighbour hash mask 0x3fe: expected a power of two less one"),
	HEADER(neigh_hash_mask, 2047, "neighbour hash mask 0x7ff"),
	HEADER(neigh_hash_mask, UINT32_MAX, "neighbour hash mask 0xffffffff"),
	HEADER(section[WYE_SECTION_LINK].record_bytes, 64, "section LINK: 64 bytes a record, expected 256"),
	HEADER(section[WYE_SECTION_LINK].offset, 4097, "section LINK: at byte 4097, expected a multiple of 4096"),
	HEADER(section[WYE_SECTION_LINK].offset, 0, "section LINK: at byte 0"),
	HEADER(section[WYE_SECTION_LINK].offset, UINT64_MAX - 4095, "section LINK: 16 records of 256 bytes at byte"),
	HEADER(section[WYE_SECTION_LINK].offset, 8192, "sections LINK and ADDR overlap"),
	HEADER(section[WYE_SECTION_LINK].capacity, UINT32_MAX, "section LINK: 4294967295 records"),
	HEADER(section[WYE_SECTION_LINK].used, 17, "section LINK: 17 records used of 16"),
	HEADER(section[WYE_SECTION_VRF].capacity, 1, "section VRF: room for 1 records, at least 2 are needed"),
	HEADER(section[WYE_SECTION_FIB6_ROOT].capacity, 65535, "section FIB6_ROOT: room for 65535"),
	HEADER(section[WYE_SECTION_VRF].used, 1, "VRF of link 1: index 1, section VRF has 1"),
	RECORD(LINK, 1, wye_link, vrf, 2, "VRF of link 1: index 2, section VRF has 2"),
	RECORD(LINK, 1, wye_link, mac_len, 9, "section LINK, record 1: MAC length 9, limit is 8"),
	RECORD(LINK, 1, wye_link, permanent_mac_len, 9, "section LINK, record 1: permanent MAC length 9, limit is 8"),
	RECORD(RULE, 1, wye_policy_rule, family, 7, "section RULE, record 1: family 7 is neither"),
	RECORD(RULE, 1, wye_policy_rule, dst_len, 33, "section RULE, record 1: prefix length 33, limit is 32"),
	RECORD(ADDR, 1, wye_addr, family, 7, "section ADDR, record 1: family 7 is neither"),
	RECORD(ADDR, 1, wye_addr, prefix_len, 33, "section ADDR, record 1: prefix length 33, limit is 32"),
	RECORD(LOCAL, 1, wye_local, prefix_len, 40, "section LOCAL, record 1: prefix length 40, limit is 32"),
	RECORD(NEIGH, 1, wye_neigh, nexthop, 6, "nexthop of neighbour 1: index 6, section NEXTHOP_SLOT has 6"),
	RECORD(NEIGH, 1, wye_neigh, lladdr_len, 200, "section NEIGH, record 1: link-layer address length 200"),
	WORD(NEIGH_HASH, 5, 2, "neighbour bucket 5: index 2, section NEIGH has 2"),
	WORD(NEXTHOP_SLOT, 1, 6, "nexthop id 1: index 6, section NEXTHOP has 6"),
	RECORD(NEXTHOP, 1, wye_nexthop, kind, WYE_NH_KINDS, "section NEXTHOP, record 1: kind 11, limit is 10"),
	RECORD(NEXTHOP, 1, wye_nexthop, rewrite_len, 17, "section NEXTHOP, record 1: rewrite length 17, limit is 16"),
	RECORD(NEXTHOP, 1, wye_nexthop, link, 2, "link of nexthop 1: index 2, section LINK has 2"),
	RECORD(NEXTHOP, 1, wye_nexthop, neigh, 2, "neighbour of nexthop 1: index 2, section NEIGH has 2"),
	RECORD(NEXTHOP, 3, wye_nexthop, buckets, 3, "nexthop 3: 3 buckets, expected a power of two"),
	RECORD(NEXTHOP, 3, wye_nexthop, buckets, 0, "nexthop 3: 0 buckets, expected a power of two"),
	RECORD(NEXTHOP, 3, wye_nexthop, buckets, 8, "nexthop 3: buckets 1 to 8, section GROUP has 5"),
	RECORD(NEXTHOP, 3, wye_nexthop, group, UINT32_MAX - 1, "nexthop 3: buckets"),
	WORD(GROUP, 2, 6, "group bucket 2: index 6, section NEXTHOP_SLOT has 6"),
	WORD(GROUP, 2, 3, "group bucket 2: nexthop 3 is a group itself"),
	RECORD(NEXTHOP, 0, wye_nexthop, kind, WYE_NH_GROUP, "nexthop 0: 0 buckets"),
	WORD(NEXTHOP_SLOT, 0, 6, "nexthop id 0: index 6, section NEXTHOP has 6"),
	RECORD(ROUTE4, 1, wye_route4, nexthop, 6, "nexthop of IPv4 route 1: index 6"),
	RECORD(ROUTE4, 1, wye_route4, prefix_len, 33, "section ROUTE4, record 1: prefix length 33"),
	RECORD(ROUTE6, 1, wye_route6, nexthop, 6, "nexthop of IPv6 route 1: index 6"),
	RECORD(ROUTE6, 1, wye_route6, prefix_len, 129, "section ROUTE6, record 1: prefix length 129"),
	RECORD(VRF, 1, wye_vrf, root4, 1, "VRF 1: IPv4 root at word 1, expected a multiple of 65536, section FIB4_ROOT has 131072"),
	RECORD(VRF, 1, wye_vrf, root6, 131072, "VRF 1: IPv6 root at word 131072"),
	RECORD(VRF, 1, wye_vrf, root6, UINT32_MAX, "VRF 1: IPv6 root at word 4294967295"),
	WORD(FIB4_ROOT, SAMPLE_ROOT + 99, 6, "IPv4 FIB: nexthop id 6, section NEXTHOP_SLOT has 6"),
	WORD(FIB4_ROOT, SAMPLE_ROOT + 99, WYE_FIB_STUB | SAMPLE_STUB, "IPv4 FIB: nexthop id 1073741885"),
	WORD(FIB4_ROOT, SAMPLE_ROOT + 99, WYE_FIB_CHILD | 34, "IPv4 FIB node 34: no such node: 34, section FIB_NODE has 34"),
	WORD(FIB4_ROOT, SAMPLE_ROOT + 99, WYE_FIB_CHILD, "IPv4 FIB node 0: no such node"),
	WORD(FIB4_ROOT, SAMPLE_ROOT + 99, SAMPLE_NARROW, "IPv4 FIB node 2: reached by two ways, the trie is no tree"),
	WORD(FIB4_ROOT, SAMPLE_ROOT + 99, WYE_FIB_CHILD | 31, "IPv4 FIB node 33: depth 3, limit is 2"),
	WORD(FIB6_ROOT, SAMPLE_ROOT + 99, WYE_FIB_CHILD | 1, "IPv6 FIB node 1: reached by two ways"),
	WORD(FIB6_ROOT, SAMPLE_ROOT + 0x2001, WYE_FIB_CHILD | WYE_FIB_NARROW | SAMPLE_NODE6, "IPv6 FIB node 4: narrow 1, expected 0"),
	RECORD(FIB_NODE, 0, wye_fib_node, bits[0], 1, "section FIB_NODE: record 0 is not empty"),
	RECORD(FIB_NODE, 1, wye_fib_node, bits[0], 2, "IPv4 FIB node 1: bit 0 is 0, expected 1"),
	RECORD(FIB_NODE, 1, wye_fib_node, rank[1], 2, "IPv4 FIB node 1: rank 2, expected 3"),
	RECORD(FIB_NODE, 1, wye_fib_node, bits[3], UINT64_MAX, "IPv4 FIB node 2: reached by two ways"), /* grown over it */
	RECORD(FIB_NODE, 33, wye_fib_node, bits[3], UINT64_MAX, "IPv6 FIB node 33: units 5, section FIB_NODE has 34"),
	RECORD(FIB_NODE, 4, wye_fib_node, bits[3], 1, "IPv6 FIB node 4: entries 193, below the root expected 256"),
	RECORD(FIB_NODE, 1, wye_fib_node, inherited, 6, "nexthop inherited by FIB node 1: index 6"),
	RECORD(FIB_NODE, 1, wye_fib_node, inherited, WYE_FIB_CHILD, "nexthop inherited by FIB node 1"),
	RECORD(FIB_NODE, 2, wye_fib_node, inherited, 6, "nexthop inherited by FIB node 2: index 6"),
	RECORD(FIB_NODE, 1, wye_fib_node, entries[4], 1, "IPv4 FIB node 1: reached by two ways"), /* a circle */
	RECORD(FIB_NODE, 1, wye_fib_node, entries[0], 9, "IPv4 FIB: nexthop id 9"),
	RECORD(FIB_NODE, 3, wye_fib_node, entries[4], 62, "IPv4 FIB node 3: stub at word 62, expected 61"),
	RECORD(FIB_NODE, 3, wye_fib_node, entries[12], 6, "nexthop of a stub of FIB node 3: index 6"),
	RECORD(FIB_NODE, 3, wye_fib_node, entries[19], 128, "other nexthop of a stub of FIB node 3: index"),
	RECORD(FIB_NODE, 3, wye_fib_node, entries[20], 4, "IPv4 FIB node 3: stub looks at byte 4, expected 3"),
	RECORD(FIB_NODE, 33, wye_fib_node, entries[7], 0x40, "IPv6 FIB node 33: stub at word 3, expected 541"),
	HEADER(fib_palette[7], 6, "FIB palette 7: index 6, section NEXTHOP_SLOT has 6"),
	HEADER(fib_palette[7], WYE_FIB_CHILD, "FIB palette 7: index"),
};

static void each_wrong_field_is_refused(void **state)
{
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		uint64_t size_bytes;
		struct wye_region *region = sample_region(&size_bytes);
		char why[WYE_WHY_BYTES] = "", start[WYE_WHY_BYTES];
		char *at = w->section < 0 ? (char *)region :
					    sample_record(region, (enum wye_section_id)w->section, w->index);

		memcpy(at + w->offset, &w->value, w->size);
		assert_int_equal(wye_region_check(region, size_bytes, why), -EPROTO);
		snprintf(start, sizeof(start), "%.*s", (int)strlen(w->says), why);
		assert_string_equal(start, w->says);
		free(region);
	}
}

static void text_without_end_is_refused(void **state)
{
	uint64_t size_bytes;
	struct wye_region *region = sample_region(&size_bytes);
	struct wye_link *link = sample_record(region, WYE_SECTION_LINK, 1);
	char why[WYE_WHY_BYTES];

	memset(link->name, 'x', sizeof(link->name));
	assert_int_equal(wye_region_check(region, size_bytes, why), -EPROTO);
	assert_non_null(strstr(why, "section LINK, record 1: text without an end"));
	link->seq = 1; /* its writer died in the middle: nobody reads it */
	assert_int_equal(wye_region_check(region, size_bytes, why), 0);
	free(region);
}

/* The dataplane takes a link's VRF by its index, whether or not the record says it is in use. */
static void a_removed_vrf_is_looked_at(void **state)
{
	uint64_t size_bytes;
	struct wye_region *region = sample_region(&size_bytes);
	struct wye_vrf *vrf = sample_record(region, WYE_SECTION_VRF, 2);
	struct wye_link *link = sample_record(region, WYE_SECTION_LINK, 1);
	char why[WYE_WHY_BYTES];

	region->section[WYE_SECTION_VRF].used = 3;
	*vrf = (struct wye_vrf){ .table = 0, .root4 = SAMPLE_ROOT, .root6 = SAMPLE_ROOT }; /* the main one's now */
	link->vrf = 2;
	assert_int_equal(wye_region_check(region, size_bytes, why), 0);
	vrf->root6 = 131072;
	assert_int_equal(wye_region_check(region, size_bytes, why), -EPROTO);
	assert_non_null(strstr(why, "VRF 2: IPv6 root at word 131072"));
	vrf->root6 = 0;
	vrf->table = 10; /* two in use with one root */
	assert_int_equal(wye_region_check(region, size_bytes, why), -EPROTO);
	assert_non_null(strstr(why, "VRF 2: IPv4 root at word 65536 is another VRF's"));
	vrf->root4 = 0; /* the empty root may be anybody's */
	((struct wye_vrf *)sample_record(region, WYE_SECTION_VRF, 1))->root6 = 0;
	assert_int_equal(wye_region_check(region, size_bytes, why), 0);
	free(region);
}

static void truncated_is_refused(void **state)
{
	uint64_t size_bytes;
	struct wye_region *region = sample_region(&size_bytes);
	char why[WYE_WHY_BYTES];

	for (uint64_t n = 0; n < size_bytes; n += n < 4096 ? 64 : 4096) {
		struct wye_region *part = malloc(n ? n : 1); /* its end is where ASan looks */

		memcpy((void *)part, region, n);
		assert_int_equal(wye_region_check(part, n, why), -EPROTO);
		assert_non_null(strstr(why, "truncated: "));
		free(part);
	}
	free(region);
}

/* Every node's words lead to the node after it, 256 times over: without the marks this would take 256^14 steps. */
static void exploding_trie_ends(void **state)
{
	uint32_t units = wye_fib_units(256, 0, false);
	uint64_t size_bytes;
	struct wye_region *region = sample_region(&size_bytes);
	char why[WYE_WHY_BYTES];

	region->section[WYE_SECTION_FIB_NODE].used = SAMPLE_NODE6 + 14 * units;
	for (uint32_t at = SAMPLE_NODE6; at < SAMPLE_NODE6 + 14 * units; at += units) {
		struct wye_fib_node *node = sample_record(region, WYE_SECTION_FIB_NODE, at);

		memset((void *)node, 0, units * sizeof(*node));
		memset(node->bits, 0xff, sizeof(node->bits));
		for (uint32_t i = 0; i < 4; i++)
			node->rank[i] = (uint8_t)(i * 64);
		for (uint32_t i = 0; i < 256; i++)
			*wye_fib_word(node, i) = at + units < SAMPLE_NODE6 + 14 * units ? WYE_FIB_CHILD | (at + units) : 0;
	}
	assert_int_equal(wye_region_check(region, size_bytes, why), -EPROTO);
	assert_non_null(strstr(why, "reached by two ways"));
	free(region);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_region_passes_and_works),
		cmocka_unit_test(each_wrong_field_is_refused),
		cmocka_unit_test(text_without_end_is_refused),
		cmocka_unit_test(a_removed_vrf_is_looked_at),
		cmocka_unit_test(truncated_is_refused),
		cmocka_unit_test(exploding_trie_ends),
	};

	return cmocka_run_group_tests_name("region_check", tests, NULL, NULL);
}
