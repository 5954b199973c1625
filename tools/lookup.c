/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataplane's decision, without a packet: the gate of the ingress port, the addresses, the FIB, the nexthop, the
 * neighbour, the egress port. The order is that of dataplane/nodes; the first reason wins there and here.
 */
#include "lookup.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "wye_fib.h"
#include "wye_flow.h"

#define REASON(query, name)                                                                                        \
	((query)->family == AF_INET6 ? (uint32_t)WYE_REASON_IP6_##name : (uint32_t)WYE_REASON_IP4_##name)

/* ---- ports and links ---- */

static bool is_port(const struct view *view, uint32_t ifindex)
{
	for (uint32_t i = 0; view->info && i < view->info->n_ports; i++)
		if (view->info->port[i].ifindex == ifindex && (view->info->port[i].state == WYE_PORT_ACTIVE ||
							       view->info->port[i].state == WYE_PORT_KERNEL))
			return true;
	return false;
}

static bool is_up(const struct wye_link *link)
{
	return link && (link->flags & (WYE_LINK_PRESENT | WYE_LINK_UP)) == (WYE_LINK_PRESENT | WYE_LINK_UP);
}

static uint32_t parity_mask(const struct lookup_query *query)
{
	return query->family == AF_INET6 ? WYE_PARITY_IP6 : WYE_PARITY_IP4;
}

/* node_gate(): may packets of the ingress port be forwarded at all? */
static uint32_t gate(const struct view *view, const struct lookup_query *query)
{
	uint32_t forward = query->family == AF_INET6 ? WYE_LINK_FORWARD6 : WYE_LINK_FORWARD4;
	uint32_t parity = atomic_load((_Atomic uint32_t *)&view->region->parity) | (query->in ? query->in->parity : 0);

	if (view->stats && atomic_load((_Atomic uint32_t *)&view->stats->trust))
		return WYE_REASON_MIRROR_STALE;
	if (query->in && !is_up(query->in))
		return WYE_REASON_PORT_DOWN;
	if (parity & parity_mask(query))
		return WYE_REASON_PORT_PARITY;
	return query->in && !(query->in->flags & forward) ? WYE_REASON_PORT_NOT_FORWARDING : LOOKUP_FORWARD;
}

/* ---- addresses ---- */

static bool special4(const uint8_t *a)
{
	return a[0] == 0 || a[0] == 127;
}

static bool multicast4(const uint8_t *a)
{
	return a[0] >> 4 == 14 || (a[0] & a[1] & a[2] & a[3]) == 255;
}

static uint32_t addresses4(const struct lookup_query *query)
{
	if (multicast4(query->dst))
		return WYE_REASON_IP4_INPUT_MULTICAST;
	if (special4(query->dst) || (query->has_src && (special4(query->src) || multicast4(query->src))))
		return WYE_REASON_IP4_INPUT_MARTIAN;
	return LOOKUP_FORWARD;
}

static bool special6(const struct in6_addr *a)
{
	return IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_V4MAPPED(a);
}

static uint32_t addresses6(const struct lookup_query *query)
{
	struct in6_addr dst, src;

	memcpy(&dst, query->dst, 16);
	memcpy(&src, query->src, 16);
	if (IN6_IS_ADDR_MULTICAST(&dst) || IN6_IS_ADDR_LINKLOCAL(&dst) ||
	    (query->has_src && IN6_IS_ADDR_LINKLOCAL(&src)))
		return WYE_REASON_IP6_INPUT_MULTICAST;
	if (special6(&dst) || (query->has_src && (special6(&src) || IN6_IS_ADDR_MULTICAST(&src))))
		return WYE_REASON_IP6_INPUT_MARTIAN;
	return LOOKUP_FORWARD;
}

static uint8_t source_kind(struct view *view, uint32_t vrf, const struct lookup_query *query)
{
	const struct wye_nexthop *nexthop = view_nexthop(view, lookup_fib(view, vrf, AF_INET, query->src));

	return nexthop ? nexthop->kind : WYE_NH_NONE;
}

/* ip4_rp_filter_astray() of one packet */
static bool is_astray(const struct view *view, const struct lookup_query *query, uint32_t id)
{
	bool strict = query->in->flags & WYE_LINK_RPF_STRICT4;
	static struct leg legs[LEGS_MAX];
	uint32_t kernel_id;
	uint8_t kind;
	size_t n = id ? route_legs(view, id, legs, LEGS_MAX, &kind, &kernel_id) : 0;

	for (size_t i = 0; i < n; i++)
		if ((legs[i].kind == WYE_NH_FORWARD || legs[i].kind == WYE_NH_ONLINK || legs[i].kind == WYE_NH_UNRESOLVED) &&
		    (!strict || legs[i].ifindex == query->in->ifindex))
			return false;
	return true;
}

/* An IPv4 source that is the host's own, or may be, looks as if the host had sent it: ip4_source_reason(). */
static uint32_t source(struct view *view, const struct lookup_query *query)
{
	uint8_t kind;

	if (!query->has_src || query->family != AF_INET)
		return LOOKUP_FORWARD;
	kind = source_kind(view, query->vrf, query);
	if (kind == WYE_NH_LOCAL)
		return WYE_REASON_IP4_INPUT_MARTIAN;
	if (kind == WYE_NH_KERNEL || source_kind(view, WYE_VRF_MAIN, query) == WYE_NH_LOCAL)
		return WYE_REASON_IP4_FORWARD_KERNEL;
	if (query->in && query->in->flags & (WYE_LINK_RPF_LOOSE4 | WYE_LINK_RPF_STRICT4) &&
	    is_astray(view, query, lookup_fib(view, query->vrf, AF_INET, query->src)))
		return WYE_REASON_IP4_FORWARD_RP_FILTER;
	return LOOKUP_FORWARD;
}

/* ---- nexthops ---- */

static uint32_t refusal(const struct lookup_query *query, uint8_t kind)
{
	switch (kind) {
	case WYE_NH_NONE: return REASON(query, FORWARD_NO_ROUTE);
	case WYE_NH_UNRESOLVED: return REASON(query, FORWARD_UNRESOLVED);
	case WYE_NH_LOCAL: return REASON(query, FORWARD_LOCAL);
	case WYE_NH_BLACKHOLE: return REASON(query, FORWARD_BLACKHOLE);
	case WYE_NH_UNREACHABLE:
	case WYE_NH_PROHIBIT: return REASON(query, FORWARD_UNREACHABLE);
	case WYE_NH_DOWN: return REASON(query, FORWARD_LINK_DOWN);
	default: return REASON(query, FORWARD_KERNEL);
	}
}

static uint32_t egress(const struct view *view, const struct lookup_query *query, const struct lookup_leg *leg)
{
	if (view->info && !is_port(view, leg->final.ifindex))
		return REASON(query, FORWARD_NOT_A_PORT);
	if (query->in && query->in->ifindex == leg->final.ifindex)
		return REASON(query, FORWARD_SAME_PORT);
	if (!is_up(leg->out))
		return REASON(query, FORWARD_LINK_DOWN);
	return leg->out->parity & parity_mask(query) ? (uint32_t)WYE_REASON_PORT_PARITY : (uint32_t)LOOKUP_FORWARD;
}

static void neighbour_of(struct view *view, struct lookup_leg *leg, uint32_t index)
{
	const struct wye_neigh *neigh = view_record(view, WYE_SECTION_NEIGH, index);

	leg->has_neigh = neigh && neigh->family && view_read(view, &neigh->seq, neigh, &leg->neigh, sizeof(*neigh));
}

static void final_of(struct view *view, const struct lookup_query *query, struct lookup_leg *leg)
{
	uint32_t id, index;
	uint8_t kind;
	uint32_t kernel_id;

	leg->final = leg->leg;
	if (leg->leg.kind != WYE_NH_ONLINK) {
		neighbour_of(view, leg, leg->leg.neigh);
		return;
	}
	id = wye_neigh_lookup(view->region, leg->leg.ifindex, query->family, query->dst);
	if (!id || !route_legs(view, id, &leg->final, 1, &kind, &kernel_id)) {
		leg->final.kind = WYE_NH_UNRESOLVED;
		return;
	}
	if (leg->leg.mtu_bytes < leg->final.mtu_bytes) /* the neighbour's own nexthop has the link's */
		leg->final.mtu_bytes = leg->leg.mtu_bytes;
	index = leg->final.neigh;
	neighbour_of(view, leg, index);
}

static void judge(struct view *view, const struct lookup_query *query, struct lookup_leg *leg)
{
	final_of(view, query, leg);
	leg->out = view_link(view, leg->final.ifindex);
	if (leg->final.kind == WYE_NH_FORWARD)
		leg->reason = egress(view, query, leg);
	else
		leg->reason = refusal(query, leg->final.kind);
}

/* ---- the route behind the id, for people ---- */

static bool in_vrf(const struct view *view, uint32_t vrf, uint32_t table)
{
	const struct wye_vrf *v = view_record(view, WYE_SECTION_VRF, vrf);

	if (table == RT_TABLE_LOCAL || table == RT_TABLE_MAIN)
		return true; /* the main view; what a VRF's own table leaves open falls through to it */
	if (table == RT_TABLE_DEFAULT) /* makes no FIB entry: what it may decide is WYE_NH_KERNEL */
		return false;
	return v && v->table == table;
}

static void find_route(struct view *view, const struct lookup_query *query, struct lookup *result)
{
	uint32_t used = view_used(view, query->family == AF_INET6 ? WYE_SECTION_ROUTE6 : WYE_SECTION_ROUTE4);
	struct route route;
	int best = -1;

	for (uint32_t i = 1; i < used; i++) {
		int rank;

		if (!route_read(view, query->family, i, &route) || route.nexthop != result->id ||
		    !route_covers(&route, query->dst) || !in_vrf(view, query->vrf, route.table))
			continue;
		rank = route.prefix_len * 2 + !!(route.flags & WYE_ROUTE_BEST);
		if (rank <= best)
			continue;
		best = rank;
		result->route = route;
		result->has_route = true;
	}
}

/* ---- which leg ---- */

static uint32_t flow_hash(const struct lookup_query *query, bool l4)
{
	const uint8_t bytes[4] = { (uint8_t)(query->sport >> 8), (uint8_t)query->sport, (uint8_t)(query->dport >> 8),
				   (uint8_t)query->dport };
	uint32_t ports = 0;

	if (wye_flow_has_ports(query->ip_proto))
		memcpy(&ports, bytes, sizeof(ports));
	return query->family == AF_INET6 ? wye_flow_hash6(query->src, query->dst, query->ip_proto, ports, l4) :
					   wye_flow_hash4(query->src, query->dst, query->ip_proto, ports, l4);
}

/* As group_leg() of the nodes: an index of legs, LEGS_MAX when the query does not say all that counts. */
static size_t choose(const struct view *view, const struct lookup_query *query, const struct lookup *result,
		     const struct leg *legs)
{
	const struct wye_nexthop *group = view_nexthop(view, result->id);
	const _Atomic uint32_t *policy = &view->region->hash_policy[query->family == AF_INET6];
	bool l4 = atomic_load_explicit((_Atomic uint32_t *)policy, memory_order_relaxed) != 0;
	uint32_t id;

	if (!group || group->kind != WYE_NH_GROUP || !query->has_src || (l4 && !query->has_proto))
		return LEGS_MAX;
	id = view_word(view, WYE_SECTION_GROUP, group->group + wye_flow_bucket(flow_hash(query, l4), group->buckets));
	for (size_t i = 0; i < result->n_legs; i++)
		if (legs[i].id == id)
			return i;
	return LEGS_MAX;
}

/* ---- all of it ---- */

uint32_t lookup_fib(struct view *view, uint32_t vrf, uint8_t family, const uint8_t *addr)
{
	struct wye_fib fib = wye_fib_of(view->region, vrf);

	return family == AF_INET6 ? wye_fib6_lookup(&fib, addr) : wye_fib4_lookup(&fib, addr);
}

static uint32_t sum_up(const struct lookup_query *query, const struct lookup *result)
{
	uint32_t reason = result->n_legs ? result->leg[0].reason : REASON(query, FORWARD_NO_ROUTE);

	if (result->chosen < result->n_legs)
		return result->leg[result->chosen].reason;
	for (size_t i = 1; i < result->n_legs; i++)
		if (result->leg[i].reason != reason)
			return LOOKUP_MIXED;
	return reason;
}

void lookup(struct view *view, const struct lookup_query *query, struct lookup *result)
{
	static struct leg legs[LEGS_MAX];
	uint32_t before;

	memset(result, 0, sizeof(*result));
	result->chosen = LEGS_MAX;
	view_enter(view);
	before = gate(view, query);
	if (before == LOOKUP_FORWARD)
		before = query->family == AF_INET6 ? addresses6(query) : addresses4(query);
	if (before == LOOKUP_FORWARD)
		before = source(view, query);
	result->id = lookup_fib(view, query->vrf, query->family, query->dst);
	if (result->id) {
		result->n_legs = route_legs(view, result->id, legs, LEGS_MAX, &result->kind, &result->kernel_id);
		result->chosen = choose(view, query, result, legs);
		find_route(view, query, result);
	}
	for (size_t i = 0; i < result->n_legs; i++) {
		result->leg[i].leg = legs[i];
		judge(view, query, &result->leg[i]);
	}
	view_leave(view);
	result->reason = before == LOOKUP_FORWARD ? sum_up(query, result) : before;
}
