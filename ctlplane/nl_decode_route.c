/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes and nexthop objects: see nl_decode.h. Routes come by the million, so they are indexed in one pass and nothing
 * is cleared that is not read (struct nl_route's legs).
 */
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "nl_attr.h"
#include "nl_decode.h"

#define ROUTE_ATTR_MAX RTA_NH_ID

static uint32_t hash_bytes(uint32_t hash, const struct nlattr *attr)
{
	const uint8_t *at = attr_data(attr);

	hash = (hash ^ attr->nla_type) * 16777619u;
	for (uint32_t i = 0; i < attr_len(attr); i++)
		hash = (hash ^ at[i]) * 16777619u;
	return hash;
}

/* RTA_VIA: a gateway of whichever family. */
static bool leg_via(struct nexthop_leg *leg, const struct nlattr *attr)
{
	uint16_t family;
	uint32_t len;

	if (attr_len(attr) < sizeof(family))
		return false;
	family = attr_u16(attr);
	len = attr_len(attr) - (uint32_t)sizeof(family);
	if (!(family == AF_INET && len == 4) && !(family == AF_INET6 && len == 16))
		return false;
	leg->family = (uint8_t)family;
	memcpy(leg->gateway, (const char *)attr_data(attr) + sizeof(family), len);
	return true;
}

/* One path out of a route's own attributes, or of one entry of RTA_MULTIPATH. */
static bool leg_decode(struct nl_route *route, struct nexthop_leg *leg, const struct nlattr **tb, uint32_t ifindex,
		       uint32_t flags, uint16_t weight)
{
	*leg = (struct nexthop_leg){ .kind = WYE_NH_FORWARD, .route_family = route->family, .flags = (uint8_t)flags,
				     .ifindex = ifindex, .mtu_bytes = route->mtu_bytes, .weight = weight,
				     .type = route->type };
	if (tb[RTA_GATEWAY]) {
		leg->family = route->family;
		if (!attr_addr(leg->gateway, route->family, tb[RTA_GATEWAY]))
			return false;
	} else if (tb[RTA_VIA] && !leg_via(leg, tb[RTA_VIA])) {
		return false;
	}
	if (tb[RTA_ENCAP_TYPE] || tb[RTA_ENCAP]) {
		leg->kind = WYE_NH_KERNEL;
		if (tb[RTA_ENCAP])
			route->rest_hash = hash_bytes(route->rest_hash, tb[RTA_ENCAP]);
	}
	if (tb[RTA_FLOW])
		route->rest_hash = hash_bytes(route->rest_hash, tb[RTA_FLOW]);
	return true;
}

static bool route_multipath(struct nl_route *route, const struct nlattr *multipath)
{
	const char *at = attr_data(multipath);
	size_t left = attr_len(multipath);

	while (left >= sizeof(struct rtnexthop)) {
		const struct nlattr *tb[ROUTE_ATTR_MAX + 1];
		struct rtnexthop hop;
		size_t step;

		memcpy(&hop, at, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left || hop.rtnh_ifindex < 0)
			return false;
		if (!attrs_index(tb, ROUTE_ATTR_MAX, at + sizeof(hop), hop.rtnh_len - sizeof(hop)))
			return false;
		if (route->n_legs == NL_LEGS_MAX) {
			route->too_many_legs = true;
			return true;
		}
		if (!leg_decode(route, &route->legs[route->n_legs], tb, (uint32_t)hop.rtnh_ifindex, hop.rtnh_flags,
				(uint16_t)(hop.rtnh_hops + 1)))
			return false;
		route->n_legs++;
		step = RTNH_ALIGN((size_t)hop.rtnh_len);
		left = step >= left ? 0 : left - step;
		at += step;
	}
	return left == 0;
}

static bool route_metrics(struct nl_route *route, const struct nlattr *metrics)
{
	const struct nlattr *tb[RTAX_MAX + 1];

	if (!attrs_index(tb, RTAX_MAX, attr_data(metrics), attr_len(metrics)))
		return false;
	if (tb[RTAX_MTU]) {
		if (attr_len(tb[RTAX_MTU]) < 4)
			return false;
		route->mtu_bytes = attr_u32(tb[RTAX_MTU]);
	}
	if (tb[RTAX_LOCK]) {
		if (attr_len(tb[RTAX_LOCK]) < 4)
			return false;
		route->mtu_locked = attr_u32(tb[RTAX_LOCK]) & (1u << RTAX_MTU);
	}
	route->rest_hash = hash_bytes(route->rest_hash, metrics);
	return true;
}

static bool route_number(const struct nlattr *attr, uint32_t *to)
{
	if (!attr)
		return true;
	if (attr_len(attr) < 4)
		return false;
	*to = attr_u32(attr);
	return true;
}

static void route_header(struct nl_route *route, const struct rtmsg *rtm)
{
	memset(route, 0, offsetof(struct nl_route, legs));
	route->family = rtm->rtm_family;
	route->dst_len = rtm->rtm_dst_len;
	route->src_len = rtm->rtm_src_len;
	route->tos = rtm->rtm_tos;
	route->scope = rtm->rtm_scope;
	route->type = rtm->rtm_type;
	route->protocol = rtm->rtm_protocol;
	route->table = rtm->rtm_table;
	route->rtm_flags = rtm->rtm_flags;
}

static bool route_legs(struct nl_route *route, const struct nlattr **tb)
{
	uint32_t oif = 0;

	if (!route_number(tb[RTA_OIF], &oif))
		return false;
	if (route->kernel_id) /* the object says where to; what is repeated here (compat mode) grows stale */
		return true;
	if (tb[RTA_MULTIPATH])
		return route_multipath(route, tb[RTA_MULTIPATH]);
	route->n_legs = 1;
	return leg_decode(route, &route->legs[0], tb, oif, route->rtm_flags & 0xff, 1);
}

enum nl_verdict nl_decode_route(const struct nlmsghdr *msg, struct nl_route *route)
{
	const struct rtmsg *rtm = msg_header(msg, sizeof(*rtm));
	const struct nlattr *tb[ROUTE_ATTR_MAX + 1];
	uint8_t bits;

	if (!rtm || !attrs_index(tb, ROUTE_ATTR_MAX, rtm + 1, msg->nlmsg_len - NLMSG_HDRLEN - sizeof(*rtm)))
		return NL_MALFORMED;
	if (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6)
		return NL_OTHER;
	route_header(route, rtm);
	bits = route->family == AF_INET ? 32 : 128;
	if (route->dst_len > bits || route->src_len > bits)
		return NL_MALFORMED;
	if (tb[RTA_DST] ? !attr_addr(route->dst, route->family, tb[RTA_DST]) : route->dst_len != 0)
		return NL_MALFORMED;
	if (!route_number(tb[RTA_TABLE], &route->table) || !route_number(tb[RTA_PRIORITY], &route->priority) ||
	    !route_number(tb[RTA_NH_ID], &route->kernel_id))
		return NL_MALFORMED;
	if (tb[RTA_PREF]) {
		if (attr_len(tb[RTA_PREF]) < 1)
			return NL_MALFORMED;
		route->pref = attr_u8(tb[RTA_PREF]);
	}
	if (tb[RTA_PREFSRC]) {
		route->has_prefsrc = true;
		if (!attr_addr(route->prefsrc, route->family, tb[RTA_PREFSRC]))
			return NL_MALFORMED;
	}
	if (tb[RTA_SRC])
		route->rest_hash = hash_bytes(route->rest_hash, tb[RTA_SRC]);
	if (tb[RTA_METRICS] && !route_metrics(route, tb[RTA_METRICS]))
		return NL_MALFORMED;
	return route_legs(route, tb) ? NL_DECODED : NL_MALFORMED;
}

/* fib_dump_info() and rt6_fill_node() put RTA_TABLE first, then RTA_DST. */
bool nl_peek_route(const struct nlmsghdr *msg, struct nl_route_peek *peek)
{
	const struct rtmsg *rtm = msg_header(msg, sizeof(*rtm));
	const struct nlattr *table, *dst;
	size_t skip = NLMSG_HDRLEN + sizeof(*rtm) + NLA_HDRLEN + sizeof(peek->table);

	if (!rtm || (msg->nlmsg_type != RTM_NEWROUTE && msg->nlmsg_type != RTM_DELROUTE))
		return false;
	table = (const struct nlattr *)(rtm + 1);
	dst = (const struct nlattr *)((const char *)msg + skip);
	if (msg->nlmsg_len < skip + NLA_HDRLEN || table->nla_type != RTA_TABLE ||
	    table->nla_len != NLA_HDRLEN + sizeof(peek->table) || dst->nla_type != RTA_DST ||
	    msg->nlmsg_len < skip + dst->nla_len || dst->nla_len < NLA_HDRLEN)
		return false;
	peek->family = rtm->rtm_family;
	peek->dst_len = rtm->rtm_dst_len;
	peek->table = attr_u32(table);
	return (peek->family == AF_INET || peek->family == AF_INET6) && attr_addr(peek->dst, peek->family, dst);
}

/* ---- nexthop objects ---- */

static void nexthop_members(struct nl_nexthop *nexthop, const struct nlattr *group)
{
	const char *at = attr_data(group);
	uint32_t n = attr_len(group) / (uint32_t)sizeof(struct nexthop_grp);

	nexthop->group = true;
	nexthop->too_many_members = n > NL_LEGS_MAX;
	nexthop->n_members = n > NL_LEGS_MAX ? NL_LEGS_MAX : n;
	for (uint32_t i = 0; i < nexthop->n_members; i++, at += sizeof(struct nexthop_grp)) {
		const uint8_t *weight = (const uint8_t *)at + offsetof(struct nexthop_grp, weight);

		/* The high byte is 0, and reserved, before Linux 6.12. */
		memcpy(&nexthop->member[i].id, at, sizeof(nexthop->member[i].id));
		nexthop->member[i].weight = ((uint32_t)weight[1] << 8 | weight[0]) + 1;
	}
}

enum nl_verdict nl_decode_nexthop(const struct nlmsghdr *msg, struct nl_nexthop *nexthop)
{
	static const struct nla_policy policy[NHA_MAX + 1] = {
		[NHA_ID] = { .type = NLA_U32 },
		[NHA_OIF] = { .type = NLA_U32 },
		[NHA_GROUP_TYPE] = { .type = NLA_U16 },
	};
	const struct nhmsg *nhm = msg_header(msg, sizeof(*nhm));
	struct nlattr *tb[NHA_MAX + 1];

	if (!nhm || !msg_parse(msg, sizeof(*nhm), tb, NHA_MAX, policy) || !tb[NHA_ID])
		return NL_MALFORMED;
	memset(nexthop, 0, offsetof(struct nl_nexthop, member));
	nexthop->id = attr_u32(tb[NHA_ID]);
	nexthop->nh_flags = nhm->nh_flags;
	nexthop->family = nhm->nh_family;
	nexthop->blackhole = tb[NHA_BLACKHOLE] != NULL;
	nexthop->fdb = tb[NHA_FDB] != NULL;
	nexthop->encap = tb[NHA_ENCAP] || tb[NHA_ENCAP_TYPE];
	if (!nexthop->id)
		return NL_MALFORMED;
	if (tb[NHA_OIF])
		nexthop->ifindex = attr_u32(tb[NHA_OIF]);
	if (tb[NHA_GATEWAY]) {
		if ((nhm->nh_family != AF_INET && nhm->nh_family != AF_INET6) ||
		    !attr_addr(nexthop->gateway, nhm->nh_family, tb[NHA_GATEWAY]))
			return NL_MALFORMED;
		nexthop->has_gateway = true;
	}
	if (tb[NHA_GROUP])
		nexthop_members(nexthop, tb[NHA_GROUP]);
	nexthop->resilient = tb[NHA_GROUP_TYPE] && attr_u16(tb[NHA_GROUP_TYPE]) != NEXTHOP_GRP_TYPE_MPATH;
	return NL_DECODED;
}
