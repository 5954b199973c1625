/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a netlink datagram. The first byte says from which protocol and whether as a notification; the rest is
 * cut into messages as the sockets' reader does. Each message is decoded from a heap block of exactly its length, so
 * that ASan sees every read beyond it. Beyond not crashing: what is let through keeps the promises of nl_decode.h, and
 * routes keep the order of rib.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

#include "nl_decode.h"
#include "rib.h"
#include "route_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum protocol { PROTOCOL_ROUTE, PROTOCOL_NETFILTER, PROTOCOL_XFRM, PROTOCOLS };

static struct rib rib;
static struct route_infos infos;

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void check_family(uint8_t family)
{
	must(family == AF_INET || family == AF_INET6, "a decoded address has a family");
}

static void link_decoded(const struct nlmsghdr *msg)
{
	static struct nl_link link;

	if (nl_decode_link(msg, &link) != NL_DECODED)
		return;
	must(link.ifindex, "a link has an index");
	must(memchr(link.name, 0, sizeof(link.name)) && memchr(link.kind, 0, sizeof(link.kind)) &&
	     memchr(link.qdisc, 0, sizeof(link.qdisc)), "strings end");
	must(link.mac_len <= sizeof(link.mac), "a MAC fits");
}

static void addr_decoded(const struct nlmsghdr *msg)
{
	struct nl_addr addr;

	if (nl_decode_addr(msg, &addr) != NL_DECODED)
		return;
	check_family(addr.family);
	must(addr.ifindex && addr.prefix_len <= (addr.family == AF_INET ? 32 : 128), "a prefix is no longer than its address");
	must(memchr(addr.label, 0, sizeof(addr.label)) != NULL, "a label ends");
}

static void neigh_decoded(const struct nlmsghdr *msg)
{
	struct nl_neigh neigh;

	if (nl_decode_neigh(msg, &neigh) != NL_DECODED)
		return;
	check_family(neigh.family);
	must(neigh.ifindex && neigh.has_addr && neigh.lladdr_len <= sizeof(neigh.lladdr), "a neighbour has link and address");
}

static void check_order(const uint8_t addr[16], uint8_t len)
{
	uint32_t first = rib_first(&rib, addr, len), n = 0;

	for (uint32_t at = first; at; at = rib_route(&rib, at)->next) {
		const struct rib_route *route = rib_route(&rib, at), *next = rib_route(&rib, route->next);

		must(++n <= rib.pool.count, "a list has no cycle");
		must(route->info != 0, "a route in a list is in use");
		if (route->next)
			must(route->tos > next->tos || (route->tos == next->tos && route->priority <= next->priority),
			     "TOS from high to low, then priority from low to high");
	}
}

/* Into a rib, as mirror_route.c does for IPv4. */
static void route_applied(const struct nlmsghdr *msg, const struct nl_route *route, bool dumped)
{
	const struct rib_key key = { .addr = route->dst, .len = route->dst_len, .tos = route->tos,
				     .priority = route->priority };
	struct rib_result result;
	uint32_t info;

	if (msg->nlmsg_type == RTM_DELROUTE) {
		uint32_t index = rib_match4(&rib, &key, route_info_find(&infos, route));

		if (!index)
			return;
		info = rib_route(&rib, index)->info;
		rib_remove(&rib, index);
		if (route_info_put(&infos, info))
			route_info_free(&infos, info);
		check_order(route->dst, route->dst_len);
		return;
	}
	info = route_info_get(&infos, route);
	must(info != 0, "memory");
	result = dumped ? rib_dumped4(&rib, &key, info, 7, msg->nlmsg_flags & 1) : rib_notified4(&rib, &key, info, msg->nlmsg_flags, 7);
	must(result.index != 0, "memory");
	if (result.old_info && route_info_put(&infos, result.old_info))
		route_info_free(&infos, result.old_info);
	check_order(route->dst, route->dst_len);
}

static void route_decoded(const struct nlmsghdr *msg, bool dumped)
{
	static struct nl_route route;
	struct nl_route_peek peek;

	nl_peek_route(msg, &peek);
	if (nl_decode_route(msg, &route) != NL_DECODED)
		return;
	check_family(route.family);
	must(route.dst_len <= (route.family == AF_INET ? 32 : 128), "a prefix is no longer than its address");
	must(route.n_legs <= NL_LEGS_MAX, "legs fit");
	for (uint32_t i = 0; i < route.n_legs; i++)
		must(route.legs[i].weight != 0 && (route.legs[i].kind == WYE_NH_FORWARD ||
		     route.legs[i].kind == WYE_NH_KERNEL), "a leg has a weight and a kind");
	route_applied(msg, &route, dumped);
}

static void nexthop_decoded(const struct nlmsghdr *msg)
{
	static struct nl_nexthop nexthop;

	if (nl_decode_nexthop(msg, &nexthop) != NL_DECODED)
		return;
	must(nexthop.id != 0 && nexthop.n_members <= NL_LEGS_MAX, "a nexthop has an id, and its members fit");
	for (uint32_t i = 0; i < nexthop.n_members; i++)
		must(nexthop.member[i].weight > 0 && nexthop.member[i].weight <= 65536, "a member has a weight");
	if (nexthop.has_gateway)
		check_family(nexthop.family);
}

static void message(enum protocol protocol, const struct nlmsghdr *msg, bool dumped)
{
	struct nl_netconf netconf;
	struct nl_rule rule;
	struct nl_nft_table table;
	struct nl_flowtable flowtable;
	struct nl_policy policy;
	struct nl_chain chain;
	struct nl_tc tc;
	bool blocks;

	if (protocol == PROTOCOL_NETFILTER) {
		if (nl_decode_chain(msg, &chain) == NL_DECODED)
			nl_hooked_on(&chain.hooked, "eth0");
		if (nl_decode_flowtable(msg, &flowtable) == NL_DECODED)
			nl_hooked_on(&flowtable.hooked, "eth0");
		nl_decode_nft_table(msg, &table);
		return;
	}
	if (protocol == PROTOCOL_XFRM) {
		nl_decode_policy(msg, &policy);
		nl_decode_policy_default(msg, &blocks);
		return;
	}
	switch (msg->nlmsg_type & ~1u) { /* NEW and DEL are of one shape; RTM_NEWx is 4n, RTM_DELx 4n + 1 */
	case RTM_NEWLINK:
		link_decoded(msg);
		break;
	case RTM_NEWADDR:
		addr_decoded(msg);
		break;
	case RTM_NEWNEIGH:
		neigh_decoded(msg);
		break;
	case RTM_NEWROUTE:
		route_decoded(msg, dumped);
		break;
	case RTM_NEWNEXTHOP:
		nexthop_decoded(msg);
		break;
	case RTM_NEWNETCONF:
		nl_decode_netconf(msg, &netconf);
		break;
	case RTM_NEWRULE:
		nl_decode_rule(msg, &rule);
		break;
	case RTM_NEWQDISC:
	case RTM_NEWTFILTER:
		if (nl_decode_tc(msg, &tc) == NL_DECODED)
			must(memchr(tc.kind, 0, sizeof(tc.kind)) != NULL, "a kind ends");
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nlmsghdr *msg;
	const void *at;
	size_t left = size ? size - 1 : 0;
	bool bad = false;
	char *datagram;

	if (!size)
		return 0;
	must(!rib_open(&rib, AF_INET, RT_TABLE_MAIN, 64) && !route_infos_open(&infos), "memory");
	datagram = malloc(left ? left : 1);
	memcpy(datagram, data + 1, left);
	at = datagram;
	while ((msg = nl_next(&at, &left, &bad))) {
		char *exact = malloc(NLMSG_ALIGNTO + msg->nlmsg_len); /* a message is aligned to 4, and to no more */

		memcpy(exact + NLMSG_ALIGNTO, msg, msg->nlmsg_len);
		message((data[0] & 0x7f) % PROTOCOLS, (const void *)(exact + NLMSG_ALIGNTO), data[0] & 0x80);
		free(exact);
	}
	free(datagram);
	route_infos_close(&infos);
	rib_close(&rib);
	return 0;
}
