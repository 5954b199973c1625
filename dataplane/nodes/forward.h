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

struct forward {		/* one run */
	const struct plan *plan;
	const struct wye_region *region;
	const struct forward_reasons *reasons;
	const _Atomic uint32_t *slots;
	const struct wye_nexthop *nexthops;
	uint32_t ingress;	/* port */
	uint64_t looked, usable;	/* bit p: port p has been looked at, may be sent to */
	_Atomic uint8_t *seen;	/* wye_hits.seen */
	uint32_t n_seen;
	uint8_t mark;
	uint8_t why[WYE_PORTS_MAX];	/* looked at and not usable */
	/* what the last id came to, for the next packet with the same */
	uint32_t last_id;
	uint32_t last_mtu;
	rte_edge_t last_edge;	/* NODE_EDGE_PORT_TX + port */
	const uint8_t *last_rewrite;
};

/*
 * The nodes' work: n ≤ NODE_VECTOR packets that came in on one port, each rewritten and given the edge of its egress
 * port, or left as it is and given NODE_EDGE_PUNT or NODE_EDGE_DROP and a reason.
 */
void ip4_forward_edges(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge);
void ip6_forward_edges(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge);

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

static inline void forward_begin(struct forward *f, const struct plan *plan, uint32_t ingress,
				 const struct forward_reasons *reasons)
{
	f->plan = plan;
	f->region = plan->region;
	f->reasons = reasons;
	f->slots = wye_section_base(plan->region, WYE_SECTION_NEXTHOP_SLOT);
	f->nexthops = wye_section_base(plan->region, WYE_SECTION_NEXTHOP);
	f->ingress = ingress;
	f->looked = f->usable = 0;
	f->n_seen = plan->n_hits;
	f->seen = plan->hits ? plan->hits->seen : NULL;
	f->mark = plan->hits ? (uint8_t)atomic_load_explicit(&plan->hits->mark, memory_order_relaxed) : 0;
	f->last_id = 0;
}

/*
 * Where does a packet with nexthop id go? NODE_OK: to last_edge with last_rewrite, up to last_mtu bytes of IP; else the
 * reason why it leaves. Remembers ids that need nothing of the packet.
 */
enum wye_reason forward_resolve(struct forward *f, uint32_t id, const struct forward_packet *packet);
/* The id that packets of this one's flow take: a leg of the group, or id itself. */
uint32_t forward_leg(const struct forward *f, uint32_t id, const struct forward_packet *packet);

static inline void forward_rewrite(struct rte_mbuf *packet, const uint8_t *rewrite)
{
	uint8_t *to = rte_pktmbuf_mtod(packet, uint8_t *);

	memcpy(to, rewrite, 12); /* the ether_type stays: the family does not change */
}

/* The kernel forwards a packet without what the link layer padded it with. */
static inline void forward_trim(struct rte_mbuf *packet, uint32_t ip_bytes)
{
	uint32_t want = ip_bytes + (uint32_t)sizeof(struct rte_ether_hdr);

	if (packet->pkt_len != want)
		(void)rte_pktmbuf_trim(packet, (uint16_t)(packet->pkt_len - want));
}

/* The end of the run of packets, starting at from, that came in on the same port; at most NODE_VECTOR long. */
static inline uint32_t forward_run(void **objs, uint32_t from, uint32_t n)
{
	uint16_t port = ((struct rte_mbuf *)objs[from])->port;
	uint32_t to = from + 1;

	n = RTE_MIN(n, from + NODE_VECTOR);
	while (to < n && ((struct rte_mbuf *)objs[to])->port == port)
		to++;
	return to;
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
