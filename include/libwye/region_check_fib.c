/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tries of a region: every word of every VRF's root and of every node below it is a nexthop id in use or a node
 * that nothing else leads to, no deeper than the family's addresses are long. A node seen twice is an error (the
 * trie is a tree), which also bounds the time for circular and exploding garbage.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "region_check.h"
#include "wye_fib.h"
#include "why.h"

#define RESTART "restart wye-ctld, it builds a new one"

#define HOLE_BYTES 4096u

struct family {
	const char *name;
	enum wye_section_id root;
	int nodes_max;	/* below the root's 16 bits, 8 bits each */
};

static const struct family families[2] = {
	{ "IPv4", WYE_SECTION_FIB4_ROOT, 2 },
	{ "IPv6", WYE_SECTION_FIB6_ROOT, 14 },
};

static int bad_node(const struct region_check *check, const struct family *family, uint32_t node, const char *what,
		    uint32_t value, const char *expected, uint32_t limit)
{
	return why_fail(check->why, -EPROTO, "%s FIB node %u: %s %u, %s %u; " RESTART, family->name, node, what, value,
			expected, limit);
}

/* One of the node's words. */
static uint32_t node_word(const struct region_check *check, uint32_t at, uint32_t word)
{
	return region_word(check, WYE_SECTION_FIB_NODE, at * WYE_FIB_UNIT_WORDS + word);
}

/* The units of a node are there and no other node's; `from` on, those before were looked at. Returns 0 or -EPROTO. */
static int check_units(const struct region_check *check, const struct family *family, uint32_t at, uint32_t from,
		       uint32_t units)
{
	uint32_t used = region_used(check, WYE_SECTION_FIB_NODE);

	if (units > used - at)
		return bad_node(check, family, at, "units", units, "section FIB_NODE has", used);
	for (uint32_t i = from; i < units; i++)
		if (region_mark(check->nodes_seen, at + i))
			return bad_node(check, family, at, "units", units, "but another node's is", at + i);
	return 0;
}

/* bits and rank must agree, for readers add them up to an index without a further look. Returns the number of entries,
 * 0 on error. */
static uint32_t check_shape(const struct region_check *check, const struct family *family, uint32_t at,
			    const struct wye_fib_node *node)
{
	uint32_t ones = 0;

	if (!(node->bits[0] & 1))
		return bad_node(check, family, at, "bit 0 is", 0, "expected", 1), 0;
	for (int i = 0; i < 4; i++) {
		if (node->rank[i] != ones)
			return bad_node(check, family, at, "rank", node->rank[i], "expected", ones), 0;
		ones += (uint32_t)__builtin_popcountll(node->bits[i]);
	}
	return ones;
}

static int check_word(const struct region_check *check, const struct family *family, uint32_t word, int depth);

/* Stub number k of a node with n entries: `word` says where it should lie, and it is constant. */
static int check_stub(const struct region_check *check, const struct family *family, uint32_t at, uint32_t n, uint32_t k,
		      uint32_t word, int depth)
{
	uint32_t place = at * WYE_FIB_UNIT_WORDS + WYE_FIB_HEAD_WORDS + n + k * WYE_FIB_STUB_WORDS;
	struct wye_fib_stub stub;
	int error;

	if ((word & WYE_FIB_INDEX) != place)
		return bad_node(check, family, at, "stub at word", word & WYE_FIB_INDEX, "expected", place);
	if (depth >= family->nodes_max)
		return bad_node(check, family, at, "stub below depth", (uint32_t)depth, "limit is",
				(uint32_t)family->nodes_max);
	memcpy(&stub, region_at(check, WYE_SECTION_FIB_NODE, 4, place), sizeof(stub));
	if (stub.at != depth + 2)
		return bad_node(check, family, at, "stub looks at byte", stub.at, "expected", (uint32_t)depth + 2);
	error = region_index(check, "nexthop of a stub of FIB node", at, WYE_SECTION_NEXTHOP_SLOT, stub.id);
	return error ? error : region_index(check, "other nexthop of a stub of FIB node", at, WYE_SECTION_NEXTHOP_SLOT,
					    stub.other);
}

static int check_entries(const struct region_check *check, const struct family *family, uint32_t at, uint32_t n, int depth)
{
	uint32_t units = wye_fib_units(n, 0, false), stubs = 0;
	int error = check_units(check, family, at, 1, units);

	for (uint32_t i = 0; !error && i < n; i++)
		stubs += wye_fib_is_stub(node_word(check, at, WYE_FIB_HEAD_WORDS + i));
	error = error ? error : check_units(check, family, at, units, wye_fib_units(n, stubs, false));
	for (uint32_t i = 0, k = 0; !error && i < n; i++) {
		uint32_t word = node_word(check, at, WYE_FIB_HEAD_WORDS + i);

		if (!wye_fib_is_stub(word))
			error = check_word(check, family, word, depth + 1);
		else if (k == stubs)
			error = bad_node(check, family, at, "stubs", k + 1, "just before they were", stubs);
		else
			error = check_stub(check, family, at, n, k++, word, depth);
	}
	return error;
}

/* What IPv6 lookups take for granted (wye_tables.h). */
static int check_node6(const struct region_check *check, const struct family *family, uint32_t word, uint32_t n, int depth)
{
	if (word & WYE_FIB_NARROW)
		return bad_node(check, family, word & WYE_FIB_INDEX, "narrow", 1, "expected", 0);
	if (depth == 1 && n != 256)
		return bad_node(check, family, word & WYE_FIB_INDEX, "entries", n, "below the root expected", 256);
	return 0;
}

/* Recursion is at most nodes_max deep. A narrow node's entries are bytes, and all of the palette was checked. */
static int check_node(const struct region_check *check, const struct family *family, uint32_t word, int depth)
{
	uint32_t at = word & WYE_FIB_INDEX, n;
	const struct wye_fib_node *shared = region_at(check, WYE_SECTION_FIB_NODE, sizeof(*shared), at);
	struct wye_fib_node node;
	int error;

	if (depth > family->nodes_max)
		return bad_node(check, family, at, "depth", (uint32_t)depth, "limit is", (uint32_t)family->nodes_max);
	if (!at || at >= region_used(check, WYE_SECTION_FIB_NODE))
		return bad_node(check, family, at, "no such node:", at, "section FIB_NODE has",
				region_used(check, WYE_SECTION_FIB_NODE));
	if (region_mark(check->nodes_seen, at))
		return why_fail(check->why, -EPROTO, "%s FIB node %u: reached by two ways, the trie is no tree; "
				RESTART, family->name, at);
	for (int i = 0; i < 4; i++) {
		node.bits[i] = shared->bits[i];
		node.rank[i] = shared->rank[i];
	}
	n = check_shape(check, family, at, &node);
	if (!n)
		return -EPROTO;
	error = family->root == WYE_SECTION_FIB6_ROOT ? check_node6(check, family, word, n, depth) : 0;
	error = error ? error : region_index(check, "nexthop inherited by FIB node", at, WYE_SECTION_NEXTHOP_SLOT,
					     node_word(check, at, offsetof(struct wye_fib_node, inherited) / 4));
	if (error)
		return error;
	if (word & WYE_FIB_NARROW)
		return check_units(check, family, at, 1, wye_fib_units(n, 0, true));
	return check_entries(check, family, at, n, depth);
}

static int check_word(const struct region_check *check, const struct family *family, uint32_t word, int depth)
{
	uint32_t slots = region_used(check, WYE_SECTION_NEXTHOP_SLOT);

	if (word & WYE_FIB_CHILD)
		return check_node(check, family, word, depth);
	if (!word || word < slots)
		return 0;
	return why_fail(check->why, -EPROTO, "%s FIB: nexthop id %u, section NEXTHOP_SLOT has %u; " RESTART,
			family->name, word, slots);
}

/* Unit 0 is no node, but what is no stub is looked up there as if it were one. */
static int check_section(const struct region_check *check)
{
	if (region_used(check, WYE_SECTION_FIB_NODE) > WYE_FIB_UNITS_MAX)
		return why_fail(check->why, -EPROTO, "section FIB_NODE has %u records, at most %u have a name; " RESTART,
				region_used(check, WYE_SECTION_FIB_NODE), WYE_FIB_UNITS_MAX);
	for (uint32_t i = 0; i < WYE_FIB_STUB_WORDS; i++)
		if (node_word(check, 0, i))
			return why_fail(check->why, -EPROTO, "section FIB_NODE: record 0 is not empty; " RESTART);
	return 0;
}

static int check_palette(const struct region_check *check)
{
	int error = 0;

	for (uint32_t i = 0; !error && i < 256; i++)
		error = region_index(check, "FIB palette", i, WYE_SECTION_NEXTHOP_SLOT,
				     atomic_load_explicit((_Atomic uint32_t *)&check->region->fib_palette[i],
							  memory_order_relaxed));
	return error;
}

/*
 * The first word at or after `word` that may be other than 0. Sections are sparse, and reading a hole of a tmpfs file
 * through a mapping fills it with a page: the file is asked where it has data (hugetlbfs cannot say: all of it).
 */
static uint64_t skip_hole(const struct region_check *check, enum wye_section_id id, uint64_t word)
{
	uint64_t section = (uint64_t)(check->section[id].base - (const char *)check->region);
	uint64_t at = section + word * 4;
	off_t data;

	if (check->fd < 0 || at % HOLE_BYTES)
		return word;
	data = lseek(check->fd, (off_t)at, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? UINT64_MAX : word; /* nothing but a hole from here on */
	return (uint64_t)data <= at ? word : ((uint64_t)data - section) / 4;
}

/* again: the VRF is gone, and its root may by now be another's, seen already. Root 0 is everybody's who has no routes. */
static int check_root(const struct region_check *check, int f, uint32_t vrf, uint32_t first, bool again)
{
	const struct family *family = &families[f];
	uint32_t capacity = check->section[family->root].capacity;
	uint64_t end = (uint64_t)first + WYE_FIB_ROOT_WORDS;
	int error = 0;

	if (first % WYE_FIB_ROOT_WORDS || end > capacity)
		return why_fail(check->why, -EPROTO,
				"VRF %u: %s root at word %u, expected a multiple of %u, section %s has %u; " RESTART, vrf,
				family->name, first, WYE_FIB_ROOT_WORDS, region_section_name[family->root], capacity);
	if (region_mark(check->roots_seen[f], first / WYE_FIB_ROOT_WORDS))
		return again || !first ? 0 : why_fail(check->why, -EPROTO, "VRF %u: %s root at word %u is another VRF's; " RESTART, vrf,
				family->name, first);
	for (uint64_t i = skip_hole(check, family->root, first); !error && i < end;
	     i = skip_hole(check, family->root, i + 1)) {
		uint32_t word = region_word(check, family->root, (uint32_t)i);

		error = word ? check_word(check, family, word, 1) : 0;
	}
	return error;
}

static int check_vrf(const struct region_check *check, uint32_t vrf, bool again)
{
	const struct wye_vrf *v = region_at(check, WYE_SECTION_VRF, sizeof(*v), vrf);
	int error = check_root(check, 0, vrf, wye_read_word(&v->root4), again);

	return error ? error : check_root(check, 1, vrf, wye_read_word(&v->root6), again);
}

/* A link may name a VRF that was just removed; a worker that does not look at `table` uses its roots all the same. */
static int check_vrf_of_link(const struct region_check *check, uint32_t at)
{
	const struct wye_link *link = region_at(check, WYE_SECTION_LINK, sizeof(*link), at);
	uint32_t flags = atomic_load_explicit((_Atomic uint32_t *)&link->flags, memory_order_relaxed);
	uint32_t vrf = atomic_load_explicit((_Atomic uint32_t *)&link->vrf, memory_order_relaxed);

	if (!(flags & WYE_LINK_PRESENT) || !vrf || vrf >= region_used(check, WYE_SECTION_VRF))
		return 0; /* no record, or none that is in use: check_link() has seen to it */
	return check_vrf(check, vrf, true);
}

int region_check_fib(struct region_check *check)
{
	uint32_t used = region_used(check, WYE_SECTION_VRF);
	int error = check_section(check);

	error = error ? error : check_palette(check);
	if (used <= WYE_VRF_MAIN)
		return why_fail(check->why, -EPROTO, "section VRF has %u records, the main one is missing; " RESTART,
				used);
	for (uint32_t vrf = WYE_VRF_MAIN; !error && vrf < used; vrf++) {
		const struct wye_vrf *v = region_at(check, WYE_SECTION_VRF, sizeof(*v), vrf);

		if (vrf == WYE_VRF_MAIN || v->table)
			error = check_vrf(check, vrf, false);
	}
	for (uint32_t at = 0; !error && at < region_used(check, WYE_SECTION_LINK); at++)
		error = check_vrf_of_link(check, at);
	return error;
}
