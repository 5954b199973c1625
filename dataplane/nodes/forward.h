/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a nexthop id to an egress port, for both families: what ip4_forward and ip6_forward do alike. A run is a stretch
 * of a vector that came in on one port; the ports' states are looked at once a run.
 */
#ifndef FORWARD_H
#define FORWARD_H

#include "node.h"

struct forward_reasons {	/* the family's */
	enum wye_reason no_route, local, unresolved, unreachable, blackhole, kernel, link_down, not_a_port, same_port,
		too_big;
	uint32_t parity_mask;
};

#define FORWARD_WAYS 32u
#define FORWARD_REWRITE 12	/* bytes; the ether_type stays: the family does not change */

struct forward_way {
	uint32_t mtu;
	rte_edge_t edge;	/* NODE_EDGE_PORT_TX + port */
	const uint8_t *rewrite;
};

struct forward {		/* one run */
	const struct plan *plan;
	const struct wye_region *region;
	const struct forward_reasons *reasons;
	const _Atomic uint32_t *slots;
	const struct wye_nexthop *nexthops;
	uint32_t ingress;	/* port */
	uint64_t looked, usable;	/* bit p: port p has been looked at, may be sent to */
	uint64_t down;			/* worker.ports_down */
	_Atomic uint8_t *seen;	/* wye_hits.seen */
	uint32_t n_seen;
	uint8_t mark;
	uint8_t why[WYE_PORTS_MAX];	/* looked at and not usable */
	/* what ids came to, for further packets with the same; slot: id % FORWARD_WAYS, id 0 = free */
	uint32_t way_id[FORWARD_WAYS];
	struct forward_way way[FORWARD_WAYS];
};

/*
 * The nodes' work: n ≤ NODE_VECTOR packets, each rewritten and given the edge of its egress port, or left as it is and
 * given NODE_EDGE_PUNT or NODE_EDGE_DROP and a reason. True: all take the edge of the first; the others' is not filled in.
 */
bool ip4_forward_edges(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge);
bool ip6_forward_edges(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge);

/* A node's process function: gives its vector to `edges` and packets to where that says. */
uint16_t forward_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n,
			 bool (*edges)(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge));

/* What both tell a trace (trace_node.h). */
void forward_note(struct worker *worker, struct rte_mbuf *packet, rte_edge_t edge, uint8_t family, void *note);
void forward_tell(const struct dpd *dpd, const void *note, struct trace_fields *fields);

/* packet: where it lies, for what only some nexthops ask about it. */
struct forward_packet {
	uint8_t family;
	const void *ip;
	const uint8_t *dst;
	uint32_t head_len;
};

static inline void forward_begin(struct forward *f, const struct worker *worker, uint32_t ingress,
				 const struct forward_reasons *reasons)
{
	const struct plan *plan = worker->plan;

	f->plan = plan;
	f->region = plan->region;
	f->reasons = reasons;
	f->slots = wye_section_base(plan->region, WYE_SECTION_NEXTHOP_SLOT);
	f->nexthops = wye_section_base(plan->region, WYE_SECTION_NEXTHOP);
	f->ingress = ingress;
	f->looked = f->usable = 0;
	f->down = atomic_load_explicit(&worker->ports_down, memory_order_relaxed);
	f->n_seen = plan->n_hits;
	f->seen = plan->hits ? plan->hits->seen : NULL;
	f->mark = plan->hits ? (uint8_t)atomic_load_explicit(&plan->hits->mark, memory_order_relaxed) : 0;
	memset(f->way_id, 0, sizeof(f->way_id));
}

/* Where packets with nexthop id go, their IP bytes being ≤ its mtu. Only if it is remembered: see forward_resolve(). */
static inline const struct forward_way *forward_way(const struct forward *f, uint32_t id)
{
	return &f->way[id % FORWARD_WAYS];
}

static inline bool forward_remembers(const struct forward *f, uint32_t id)
{
	return id && f->way_id[id % FORWARD_WAYS] == id;
}

/*
 * Where does a packet with nexthop id go? NODE_OK: *forward_way(f, id) says; else the reason why it leaves. Remembers
 * ids that need nothing of the packet.
 */
enum wye_reason forward_resolve(struct forward *f, uint32_t id, const struct forward_packet *packet);
/* The id that packets of this one's flow take: a leg of the group, or id itself. */
uint32_t forward_leg(const struct forward *f, uint32_t id, const struct forward_packet *packet);

/* Likewise for packets that all have it, the longest of them so long. True: *edge is where they go, and rewrite is a copy:
 * frames may be anywhere, as far as the compiler knows. False: they must be asked about one by one. */
bool forward_one_way(struct forward *f, uint32_t id, const struct forward_packet *first, uint32_t longest,
		     uint8_t rewrite[FORWARD_REWRITE], rte_edge_t *edge);

/* Likewise for packets with any nexthops, as the run's first question. True: all ids are remembered and lead to *edge. */
bool forward_one_port(struct forward *f, const uint32_t *id, uint32_t n, uint32_t longest, rte_edge_t *edge);

static inline void forward_rewrite(uint8_t *frame, const uint8_t *rewrite)
{
	memcpy(frame, rewrite, FORWARD_REWRITE);
}

/* The kernel forwards a packet without what the link layer padded it with. */
static inline void forward_trim(struct rte_mbuf *packet, uint32_t ip_bytes)
{
	uint32_t want = ip_bytes + (uint32_t)sizeof(struct rte_ether_hdr);

	if (packet->pkt_len != want)
		(void)rte_pktmbuf_trim(packet, (uint16_t)(packet->pkt_len - want));
}

/* The end of the run of packets, starting at from, that came in on the same port. */
static inline uint32_t forward_run(struct rte_mbuf **packets, uint32_t from, uint32_t n)
{
	uint32_t to = from + 1;

	while (to < n && packets[to]->port == packets[from]->port)
		to++;
	return to;
}

/* All n take the edge of the first. */
static inline void forward_spread(rte_edge_t *edge, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		edge[i] = edge[0];
}

/* Do all packets have one nexthop? */
static inline bool forward_one_id(const uint32_t *id, uint32_t n)
{
	uint32_t different = 0;

	for (uint32_t i = 1; i < n; i++)
		different |= id[i] ^ id[0];
	return !different;
}

/* The FIB a port's packets are looked up in. */
static inline struct wye_fib forward_fib(const struct plan *plan, uint32_t ingress)
{
	const struct wye_link *link = node_link(plan, plan->port[ingress].link);
	uint32_t vrf = atomic_load_explicit((_Atomic uint32_t *)&link->vrf, memory_order_relaxed);

	if (vrf == 0 || vrf >= plan->region->section[WYE_SECTION_VRF].capacity)
		vrf = WYE_VRF_MAIN;
	return wye_fib_of(plan->region, vrf);
}

/* Must every source be asked about? True when the filter of local addresses is older than the addresses. */
static inline bool forward_ask_sources(const struct plan *plan)
{
	struct wye_region *region = (struct wye_region *)plan->region;

	return plan->locals->all ||
	       atomic_load_explicit(&region->locals_version, memory_order_relaxed) != plan->locals->version;
}

#endif
