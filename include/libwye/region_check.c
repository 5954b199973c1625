/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Would a reader of this region stay inside it? Looks at every live record and every word that can be reached, so
 * that the hot path need not look at any. Written for hostile bytes: bounds are taken from the checked header,
 * each field that is used twice is read once, and the time is bounded by the file's size: a trie node, a root or
 * a group bucket is visited once, whatever points at it.
 *
 * Records under a sequence counter are copied; one without a stable copy (its writer died in the middle) counts
 * as absent, as it does for every reader. Record 0 of a section means "none" and should be all zeros; it is looked
 * at like the others, because readers may land on it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "mapping.h"
#include "region_check.h"
#include "why.h"
#include "wye_map.h"
#include "wye_publish.h"

#define RESTART "restart wye-ctld, it builds a new one"

int region_index(const struct region_check *check, const char *what, uint32_t at, enum wye_section_id id,
		 uint32_t index)
{
	uint32_t used = region_used(check, id);

	if (index < used || !index)
		return 0;
	return why_fail(check->why, -EPROTO, "%s %u: index %u, section %s has %u; " RESTART, what, at, index,
			region_section_name[id], used);
}

static int bad_field(const struct region_check *check, enum wye_section_id id, uint32_t at, const char *field,
		     uint32_t value, uint32_t limit)
{
	return why_fail(check->why, -EPROTO, "section %s, record %u: %s %u, limit is %u; " RESTART,
			region_section_name[id], at, field, value, limit);
}

static int check_prefix(const struct region_check *check, enum wye_section_id id, uint32_t at, uint8_t family,
			uint8_t prefix_len)
{
	uint8_t limit = family == AF_INET ? 32 : 128;

	if (family != AF_INET && family != AF_INET6)
		return why_fail(check->why, -EPROTO, "section %s, record %u: family %u is neither IPv4 nor IPv6; "
				RESTART, region_section_name[id], at, family);
	if (prefix_len > limit)
		return bad_field(check, id, at, "prefix length", prefix_len, limit);
	return 0;
}

/* Text that people's tools print: it must end within its field. */
static int check_text(const struct region_check *check, enum wye_section_id id, uint32_t at, const char *text,
		      size_t size_bytes)
{
	if (memchr(text, '\0', size_bytes))
		return 0;
	return why_fail(check->why, -EPROTO, "section %s, record %u: text without an end; " RESTART,
			region_section_name[id], at);
}

/* A stable copy of record `at` of a section whose records start with their sequence counter. */
static bool copy_record(const struct region_check *check, enum wye_section_id id, uint32_t at, void *copy,
			uint32_t record_bytes)
{
	const char *record = region_at(check, id, record_bytes, at);

	memset(copy, 0, 4);
	return wye_seq_read((const _Atomic uint32_t *)record, record + 4, (char *)copy + 4, record_bytes / 4 - 1);
}

static int check_link(const struct region_check *check, uint32_t at)
{
	enum wye_section_id id = WYE_SECTION_LINK;
	struct wye_link link;
	int error;

	if (!copy_record(check, id, at, &link, sizeof(link)) || !(link.flags & WYE_LINK_PRESENT))
		return 0;
	if (link.mac_len > sizeof(link.mac))
		return bad_field(check, id, at, "MAC length", link.mac_len, sizeof(link.mac));
	if (link.permanent_mac_len > sizeof(link.permanent_mac))
		return bad_field(check, id, at, "permanent MAC length", link.permanent_mac_len,
				 sizeof(link.permanent_mac));
	error = check_text(check, id, at, link.name, sizeof(link.name));
	error = error ? error : check_text(check, id, at, link.kind, sizeof(link.kind));
	error = error ? error : check_text(check, id, at, link.qdisc, sizeof(link.qdisc));
	return error ? error : region_index(check, "VRF of link", at, WYE_SECTION_VRF, link.vrf);
}

static int check_altname(const struct region_check *check, uint32_t at)
{
	struct wye_altname altname;

	if (!copy_record(check, WYE_SECTION_ALTNAME, at, &altname, sizeof(altname)) || !altname.ifindex)
		return 0;
	return check_text(check, WYE_SECTION_ALTNAME, at, altname.name, sizeof(altname.name));
}

static int check_addr(const struct region_check *check, uint32_t at)
{
	struct wye_addr addr;
	int error;

	if (!copy_record(check, WYE_SECTION_ADDR, at, &addr, sizeof(addr)) || !addr.ifindex)
		return 0;
	error = check_text(check, WYE_SECTION_ADDR, at, addr.label, sizeof(addr.label));
	return error ? error : check_prefix(check, WYE_SECTION_ADDR, at, addr.family, addr.prefix_len);
}

static int check_local(const struct region_check *check, uint32_t at)
{
	struct wye_local local;

	if (!copy_record(check, WYE_SECTION_LOCAL, at, &local, sizeof(local)) || !local.family)
		return 0;
	return check_prefix(check, WYE_SECTION_LOCAL, at, local.family, local.prefix_len);
}

static int check_neigh(const struct region_check *check, uint32_t at)
{
	const struct wye_neigh *neigh = region_at(check, WYE_SECTION_NEIGH, sizeof(*neigh), at);
	uint8_t lladdr_len = neigh->lladdr_len;
	uint8_t family = neigh->family;

	if (!family)
		return 0;
	if (lladdr_len > sizeof(neigh->lladdr))
		return bad_field(check, WYE_SECTION_NEIGH, at, "link-layer address length", lladdr_len,
				 sizeof(neigh->lladdr));
	return check_prefix(check, WYE_SECTION_NEIGH, at, family, 0);
}

/* What a worker reads of a neighbour, whether or not its record is in use. */
static int check_bucket(const struct region_check *check, uint32_t at)
{
	uint32_t index = region_word(check, WYE_SECTION_NEIGH_HASH, at);
	const struct wye_neigh *neigh = region_at(check, WYE_SECTION_NEIGH, sizeof(*neigh), index);
	int error;

	if (!index || index == WYE_HASH_DELETED)
		return 0;
	error = region_index(check, "neighbour bucket", at, WYE_SECTION_NEIGH, index);
	return error ? error : region_index(check, "nexthop of neighbour", index, WYE_SECTION_NEXTHOP_SLOT,
					    neigh->nexthop);
}

static int check_neigh_hash(const struct region_check *check)
{
	uint32_t mask = atomic_load_explicit((_Atomic uint32_t *)&check->region->neigh_hash_mask,
					     memory_order_relaxed);
	int error = 0;

	for (uint32_t at = 0; !error && at <= mask && at < check->section[WYE_SECTION_NEIGH_HASH].capacity; at++)
		error = check_bucket(check, at);
	return error;
}

static const struct wye_nexthop *nexthop_of(const struct region_check *check, uint32_t id)
{
	return region_at(check, WYE_SECTION_NEXTHOP, sizeof(struct wye_nexthop),
			 region_word(check, WYE_SECTION_NEXTHOP_SLOT, id));
}

/* A bucket's id must lead to one path: a group in a group would have the worker go round in circles. */
static int check_group_word(const struct region_check *check, uint32_t at)
{
	uint32_t id = region_word(check, WYE_SECTION_GROUP, at);
	int error = region_index(check, "group bucket", at, WYE_SECTION_NEXTHOP_SLOT, id);

	if (error)
		return error;
	error = region_index(check, "nexthop id", id, WYE_SECTION_NEXTHOP,
			     region_word(check, WYE_SECTION_NEXTHOP_SLOT, id));
	if (!error && nexthop_of(check, id)->kind == WYE_NH_GROUP)
		return why_fail(check->why, -EPROTO, "group bucket %u: nexthop %u is a group itself; " RESTART, at, id);
	return error;
}

static int check_group(const struct region_check *check, uint32_t id, uint32_t first, uint32_t buckets)
{
	uint32_t used = region_used(check, WYE_SECTION_GROUP);
	int error = 0;

	if (!buckets || (buckets & (buckets - 1)))
		return why_fail(check->why, -EPROTO, "nexthop %u: %u buckets, expected a power of two; " RESTART, id,
				buckets);
	if (!first || first >= used || buckets > used - first)
		return why_fail(check->why, -EPROTO, "nexthop %u: buckets %u to %u, section GROUP has %u; " RESTART, id,
				first, first + buckets - 1, used);
	for (uint32_t at = first; !error && at < first + buckets; at++)
		if (!(at & 63) && check->buckets_seen[at >> 6] == UINT64_MAX)
			at += 63;
		else if (!region_mark(check->buckets_seen, at))
			error = check_group_word(check, at);
	return error;
}

static int check_nexthop(const struct region_check *check, uint32_t id)
{
	uint32_t index = region_word(check, WYE_SECTION_NEXTHOP_SLOT, id);
	struct wye_nexthop nh;
	int error = region_index(check, "nexthop id", id, WYE_SECTION_NEXTHOP, index);

	if (error)
		return error;
	memcpy(&nh, region_at(check, WYE_SECTION_NEXTHOP, sizeof(nh), index), sizeof(nh));
	if (nh.kind >= WYE_NH_KINDS)
		return bad_field(check, WYE_SECTION_NEXTHOP, index, "kind", nh.kind, WYE_NH_KINDS - 1);
	if (nh.rewrite_len > sizeof(nh.rewrite))
		return bad_field(check, WYE_SECTION_NEXTHOP, index, "rewrite length", nh.rewrite_len,
				 sizeof(nh.rewrite));
	error = region_index(check, "link of nexthop", id, WYE_SECTION_LINK, nh.link);
	error = error ? error : region_index(check, "neighbour of nexthop", id, WYE_SECTION_NEIGH, nh.neigh);
	if (!error && nh.kind == WYE_NH_GROUP)
		error = check_group(check, id, nh.group, nh.buckets);
	return error;
}

static int check_route4(const struct region_check *check, uint32_t at)
{
	struct wye_route4 route;
	int error;

	if (!copy_record(check, WYE_SECTION_ROUTE4, at, &route, sizeof(route)) || !route.type)
		return 0;
	error = check_prefix(check, WYE_SECTION_ROUTE4, at, AF_INET, route.prefix_len);
	return error ? error : region_index(check, "nexthop of IPv4 route", at, WYE_SECTION_NEXTHOP_SLOT,
					    route.nexthop);
}

static int check_route6(const struct region_check *check, uint32_t at)
{
	struct wye_route6 route;
	int error;

	if (!copy_record(check, WYE_SECTION_ROUTE6, at, &route, sizeof(route)) || !route.type)
		return 0;
	error = check_prefix(check, WYE_SECTION_ROUTE6, at, AF_INET6, route.prefix_len);
	return error ? error : region_index(check, "nexthop of IPv6 route", at, WYE_SECTION_NEXTHOP_SLOT,
					    route.nexthop);
}

static int check_parity(const struct region_check *check, uint32_t at)
{
	struct wye_parity_find find;

	if (!copy_record(check, WYE_SECTION_PARITY, at, &find, sizeof(find)) || !find.reason)
		return 0;
	return check_text(check, WYE_SECTION_PARITY, at, find.where, sizeof(find.where));
}

static int check_rule(const struct region_check *check, uint32_t at)
{
	enum wye_section_id id = WYE_SECTION_RULE;
	struct wye_policy_rule rule;
	int error;

	if (!copy_record(check, id, at, &rule, sizeof(rule)) || !rule.family)
		return 0;
	error = check_prefix(check, id, at, rule.family, rule.src_len);
	error = error ? error : check_prefix(check, id, at, rule.family, rule.dst_len);
	error = error ? error : check_text(check, id, at, rule.iif, sizeof(rule.iif));
	return error ? error : check_text(check, id, at, rule.oif, sizeof(rule.oif));
}

static int check_records(const struct region_check *check)
{
	static const struct {
		enum wye_section_id id;
		int (*check)(const struct region_check *check, uint32_t at);
	} record[] = {
		{ WYE_SECTION_LINK, check_link },	 { WYE_SECTION_ADDR, check_addr },
		{ WYE_SECTION_LOCAL, check_local },	 { WYE_SECTION_NEIGH, check_neigh },
		{ WYE_SECTION_NEXTHOP_SLOT, check_nexthop }, { WYE_SECTION_ROUTE4, check_route4 },
		{ WYE_SECTION_ROUTE6, check_route6 },	 { WYE_SECTION_PARITY, check_parity },
		{ WYE_SECTION_ALTNAME, check_altname },	 { WYE_SECTION_RULE, check_rule },
	};
	int error = 0;

	for (size_t i = 0; i < sizeof(record) / sizeof(*record); i++)
		for (uint32_t at = 0; !error && at < region_used(check, record[i].id); at++)
			error = record[i].check(check, at);
	return error;
}

/* One bit for each `each` records of a section. */
static uint64_t *bits_of(const struct region_check *check, enum wye_section_id id, uint32_t each)
{
	return calloc(check->section[id].capacity / each / 64 + 1, sizeof(uint64_t));
}

int wye_region_check(const struct wye_region *region, uint64_t size_bytes, char *why)
{
	struct region_check check = { .region = region, .why = why, .fd = mapping_fd(region) };
	int error = wye_region_check_header(region, size_bytes, why);

	if (error)
		return error;
	for (int id = 0; id < WYE_SECTIONS; id++) {
		check.section[id].base = (const char *)region + region->section[id].offset;
		check.section[id].capacity = region->section[id].capacity;
	}
	check.nodes_seen = bits_of(&check, WYE_SECTION_FIB_NODE, 1);
	check.roots_seen[0] = bits_of(&check, WYE_SECTION_FIB4_ROOT, WYE_FIB_ROOT_WORDS);
	check.roots_seen[1] = bits_of(&check, WYE_SECTION_FIB6_ROOT, WYE_FIB_ROOT_WORDS);
	check.buckets_seen = bits_of(&check, WYE_SECTION_GROUP, 1);
	if (!check.nodes_seen || !check.roots_seen[0] || !check.roots_seen[1] || !check.buckets_seen)
		error = why_fail(why, -ENOMEM, "out of memory while checking %llu bytes of tables",
				 (unsigned long long)size_bytes);
	error = error ? error : check_records(&check);
	error = error ? error : check_neigh_hash(&check);
	error = error ? error : region_check_fib(&check);
	free(check.nodes_seen);
	free(check.roots_seen[0]);
	free(check.roots_seen[1]);
	free(check.buckets_seen);
	return error;
}
