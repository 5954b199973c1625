/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the nodes share: their context, their edges, and how a packet that leaves the forwarding path says why.
 * A node handles its whole vector; packets that all go one way are moved, not copied.
 */
#ifndef NODE_H
#define NODE_H

#include <rte_ethdev.h>
#include <rte_graph_worker.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "dpd.h"

#define NODE_VECTOR 256		/* packets handled at a time */
#define NODE_UNROLL _Pragma("GCC unroll 4")	/* for loops of a few instructions a packet, where their own three show */

/* The first edges of every node that has any. */
enum node_edge {
	NODE_EDGE_PUNT,
	NODE_EDGE_DROP,
	NODE_EDGE_PORT_TX,	/* ip4_forward, ip6_forward: + port */
	NODE_EDGE_IP4 = NODE_EDGE_PORT_TX,	/* port_rx, classify */
	NODE_EDGE_IP6,
	NODE_EDGE_CLASSIFY,	/* port_rx */
};

struct node_ctx {
	struct worker *worker;
	void *own;		/* port_rx, port_tx: theirs */
};
static_assert(sizeof(struct node_ctx) <= RTE_NODE_CTX_SZ, "rte_node gives 16 bytes");

static inline struct node_ctx *node_ctx(struct rte_node *node)
{
	return (struct node_ctx *)node->ctx;
}

int node_init(const struct rte_graph *graph, struct rte_node *node);	/* for nodes that need their worker only */
const uint64_t *node_vectors(struct rte_node *node);	/* port_rx's count of calls that had packets, else NULL */

/* ---- why a packet leaves: one byte in the mbuf ---------------------------------------------------------------- */

extern int node_reason_offset;
int node_reason_open(void);	/* registers the field; 0 or -errno */

static inline uint8_t *node_reason(struct rte_mbuf *packet)
{
	return RTE_MBUF_DYNFIELD(packet, node_reason_offset, uint8_t *);
}

/* Notes the reason and tells the edge its verdict leads to. */
static inline rte_edge_t node_leave(struct rte_mbuf *packet, enum wye_reason reason)
{
	*node_reason(packet) = (uint8_t)reason;
	return wye_reason_verdict[reason] == WYE_VERDICT_PUNT ? NODE_EDGE_PUNT : NODE_EDGE_DROP;
}

/* Sends all packets to one edge; whole: packets is the node's own stream, all of it. */
static inline void node_pass(struct rte_graph *graph, struct rte_node *node, void **packets, rte_edge_t edge, uint32_t n,
			     bool whole)
{
	if (whole)
		rte_node_next_stream_move(graph, node, edge);
	else
		rte_node_enqueue(graph, node, edge, packets, (uint16_t)n);
}

/* Sends packets[i] to edge[i]. A vector of one mind is moved whole when `whole`: packets is the node's own stream. */
void node_scatter(struct rte_graph *graph, struct rte_node *node, void **packets, const rte_edge_t *edge, uint32_t n,
		  bool whole);

/* ---- may this port's packets be forwarded? One look a vector. ---------------------------------------------------- */

#define NODE_OK WYE_REASON_COUNT	/* "no reason not to" */

static inline const struct wye_link *node_link(const struct plan *plan, uint32_t link)
{
	return (const struct wye_link *)wye_section_base(plan->region, WYE_SECTION_LINK) + link;
}

static inline uint32_t node_parity_mask(bool ip6)
{
	return ip6 ? WYE_PARITY_IP6 : WYE_PARITY_IP4;
}

/* forward: WYE_LINK_FORWARD4 or 6. */
static inline enum wye_reason node_gate(const struct worker *worker, const struct plan_port *port, uint32_t forward)
{
	const struct plan *plan = worker->plan;
	struct wye_region *region = (struct wye_region *)plan->region;
	struct wye_link *link;
	uint32_t flags;

	if (!plan->trusted || worker->outdated || !region)
		return WYE_REASON_MIRROR_STALE;
	if (!port->link)
		return WYE_REASON_PORT_DOWN;
	link = (struct wye_link *)node_link(plan, port->link);
	flags = atomic_load_explicit(&link->flags, memory_order_relaxed);
	if ((flags & (WYE_LINK_PRESENT | WYE_LINK_UP)) != (WYE_LINK_PRESENT | WYE_LINK_UP))
		return WYE_REASON_PORT_DOWN;
	if (!(flags & WYE_LINK_PORT))
		return WYE_REASON_PORT_PARITY;
	if ((atomic_load_explicit(&link->parity, memory_order_relaxed) |
	     atomic_load_explicit(&region->parity, memory_order_relaxed)) & node_parity_mask(forward == WYE_LINK_FORWARD6))
		return WYE_REASON_PORT_PARITY;
	if (!(flags & forward))
		return WYE_REASON_PORT_NOT_FORWARDING;
	return NODE_OK;
}

#endif
