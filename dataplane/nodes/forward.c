/* SPDX-License-Identifier: BSD-3-Clause */
#include "forward.h"
#include "ip4.h"
#include "ip6.h"
#include "wye_flow.h"

/* May packets be sent to port p? Its link up, and no kernel feature on it we would bypass. */
static void look_at_egress(struct forward *f, uint32_t p)
{
	const struct plan_port *port = &f->plan->port[p];
	struct wye_link *link = (struct wye_link *)node_link(f->plan, port->link);
	uint32_t flags = atomic_load_explicit(&link->flags, memory_order_relaxed);
	uint32_t parity = atomic_load_explicit(&link->parity, memory_order_relaxed) & f->reasons->parity_mask;

	f->looked |= 1ULL << p;
	if (!port->open || !port->link)
		f->why[p] = f->reasons->not_a_port;
	else if ((flags & (WYE_LINK_PRESENT | WYE_LINK_UP)) != (WYE_LINK_PRESENT | WYE_LINK_UP) || f->down >> p & 1)
		f->why[p] = f->reasons->link_down;
	else if (parity || !(flags & WYE_LINK_PORT))
		f->why[p] = WYE_REASON_PORT_PARITY;
	else
		f->usable |= 1ULL << p;
}

/* The neighbour has traffic. Once a run or a second, whichever is less: the line stays clean otherwise. */
static void hit(struct forward *f, uint32_t neigh)
{
	if (neigh < f->n_seen && atomic_load_explicit(&f->seen[neigh], memory_order_relaxed) != f->mark)
		atomic_store_explicit(&f->seen[neigh], f->mark, memory_order_relaxed);
}

static enum wye_reason egress(struct forward *f, const struct wye_nexthop *nexthop, struct forward_way *way)
{
	uint32_t p = nexthop->link < f->plan->n_links ? f->plan->port_of_link[nexthop->link] : 0;

	if (!p-- || f->plan->port[p].ifindex != nexthop->ifindex)
		return f->reasons->not_a_port;
	if (p == f->ingress)
		return f->reasons->same_port;
	if (!(f->looked >> p & 1))
		look_at_egress(f, p);
	if (!(f->usable >> p & 1))
		return f->why[p];
	way->edge = (rte_edge_t)(NODE_EDGE_PORT_TX + p);
	way->mtu = nexthop->mtu_bytes;
	way->rewrite = nexthop->rewrite;
	hit(f, nexthop->neigh);
	return NODE_OK;
}

static enum wye_reason refuse(const struct forward *f, uint8_t kind)
{
	switch (kind) {
	case WYE_NH_NONE:
		return f->reasons->no_route;
	case WYE_NH_UNRESOLVED:
		return f->reasons->unresolved;
	case WYE_NH_LOCAL:
		return f->reasons->local;
	case WYE_NH_BLACKHOLE:
		return f->reasons->blackhole;
	case WYE_NH_UNREACHABLE:
	case WYE_NH_PROHIBIT:
		return f->reasons->unreachable;
	case WYE_NH_DOWN:
		return f->reasons->link_down;
	default: /* KERNEL, and what a newer writer may say */
		return f->reasons->kernel;
	}
}

static const struct wye_nexthop *nexthop_of(const struct forward *f, uint32_t id)
{
	return &f->nexthops[wye_read_word(&f->slots[id])];
}

/* The leg of a group this packet's flow takes. Buckets are a power of two: the hash's top bits choose. */
static uint32_t group_leg(const struct forward *f, const struct wye_nexthop *group, const struct forward_packet *packet)
{
	const _Atomic uint32_t *bucket = wye_section_base(f->region, WYE_SECTION_GROUP);
	struct wye_region *region = (struct wye_region *)f->region;
	bool ip4 = packet->family == AF_INET;
	bool l4 = atomic_load_explicit(&region->hash_policy[ip4 ? 0 : 1], memory_order_relaxed) != 0;
	uint32_t hash = ip4 ? ip4_flow_hash(packet->ip, packet->head_len, l4) :
			      ip6_flow_hash(packet->ip, packet->head_len, l4);

	if (!group->buckets)
		return 0;
	return wye_read_word(&bucket[group->group + wye_flow_bucket(hash, group->buckets)]);
}

uint32_t forward_leg(const struct forward *f, uint32_t id, const struct forward_packet *packet)
{
	const struct wye_nexthop *nexthop = nexthop_of(f, id);

	return nexthop->kind == WYE_NH_GROUP ? group_leg(f, nexthop, packet) : id;
}

/* The neighbour that is the destination itself. */
static uint32_t onlink_neighbour(const struct forward *f, const struct wye_nexthop *nexthop,
				 const struct forward_packet *packet)
{
	uint8_t addr[16] = { 0 };

	memcpy(addr, packet->dst, packet->family == AF_INET ? 4 : 16);
	return wye_neigh_lookup(f->region, nexthop->ifindex, packet->family, addr);
}

enum wye_reason forward_resolve(struct forward *f, uint32_t id, const struct forward_packet *packet)
{
	const struct wye_nexthop *nexthop = nexthop_of(f, id);
	struct forward_way *way = &f->way[id % FORWARD_WAYS];
	uint32_t *way_id = &f->way_id[id % FORWARD_WAYS];
	uint32_t route_mtu = UINT32_MAX;
	enum wye_reason reason;

	*way_id = 0;
	if (!id)
		return f->reasons->no_route;
	if (nexthop->kind == WYE_NH_FORWARD) {
		reason = egress(f, nexthop, way);
		*way_id = reason == NODE_OK ? id : 0;
		return reason;
	}
	if (nexthop->kind == WYE_NH_GROUP)
		nexthop = nexthop_of(f, group_leg(f, nexthop, packet));
	if (nexthop->kind == WYE_NH_ONLINK) {
		uint32_t neighbour = onlink_neighbour(f, nexthop, packet);

		route_mtu = nexthop->mtu_bytes;	/* the neighbour's own nexthop has the link's */
		if (!neighbour)
			return f->reasons->unresolved;
		nexthop = nexthop_of(f, neighbour);
	}
	if (nexthop->kind != WYE_NH_FORWARD)
		return refuse(f, nexthop->kind);
	reason = egress(f, nexthop, way);
	if (reason == NODE_OK)
		way->mtu = RTE_MIN(way->mtu, route_mtu);
	return reason;
}

bool forward_one_way(struct forward *f, uint32_t id, const struct forward_packet *first, uint32_t longest,
		     uint8_t rewrite[FORWARD_REWRITE], rte_edge_t *edge)
{
	const struct forward_way *way = forward_way(f, id);

	if (forward_resolve(f, id, first) != NODE_OK || !forward_remembers(f, id) || longest > way->mtu)
		return false;
	memcpy(rewrite, way->rewrite, FORWARD_REWRITE);
	*edge = way->edge;
	return true;
}

/* Remembers where id goes, if that needs nothing of the packet and no other id is remembered in its place. */
static bool remember(struct forward *f, uint32_t id)
{
	const struct wye_nexthop *nexthop = nexthop_of(f, id);
	uint32_t *way_id = &f->way_id[id % FORWARD_WAYS];

	if (*way_id || !id || nexthop->kind != WYE_NH_FORWARD ||
	    egress(f, nexthop, &f->way[id % FORWARD_WAYS]) != NODE_OK)
		return false;
	*way_id = id;
	return true;
}

bool forward_one_port(struct forward *f, const uint32_t *id, uint32_t n, uint32_t longest, rte_edge_t *edge)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct forward_way *way = forward_way(f, id[i]);

		if (likely(forward_remembers(f, id[i])))
			continue;
		if (!remember(f, id[i]) || longest > way->mtu || (i && way->edge != *edge))
			return false;
		*edge = way->edge;
	}
	return true;
}

uint16_t forward_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n,
			 bool (*edges)(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge))
{
	struct worker *worker = node_ctx(node)->worker;
	rte_edge_t edge[NODE_VECTOR];

	for (uint32_t from = 0; from < n; from += NODE_VECTOR) {
		uint32_t some = RTE_MIN(n - from, (uint32_t)NODE_VECTOR);

		if (edges(worker, (struct rte_mbuf **)objs + from, some, edge))
			node_pass(graph, node, objs + from, edge[0], some, some == n);
		else
			node_scatter(graph, node, objs + from, edge, some, some == n);
	}
	return n;
}
