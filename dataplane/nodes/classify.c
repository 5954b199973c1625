/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * classify: steering for ports whose driver brings all packets (devargs): guards, rules and default per packet, as
 * the XDP program does it; what is not ours is punted to the companion netdev.
 */
#include "beside.h"

static rte_edge_t classify_packet(struct worker *worker, struct rte_mbuf *packet)
{
	uint32_t port = worker->dpd->port_of_dpdk[packet->port] - 1u;
	const struct plan_port *plan = &worker->plan->port[port];
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet, const struct rte_ether_hdr *);
	enum wye_reason gate;
	int rule;

	if (beside_copy(plan, ether))
		return node_leave(packet, WYE_REASON_ETHER_COPY);
	if (steer_software_classify(worker->index, (int)port, ether, packet->data_len, &rule) == WYE_ACTION_KERNEL)
		return node_leave(packet, rule == -2 ? WYE_REASON_STEER_GUARD : WYE_REASON_STEER_KERNEL);
	if (ether->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
		gate = node_gate(worker, plan, WYE_LINK_FORWARD4);
		return gate == NODE_OK ? (rte_edge_t)NODE_EDGE_IP4 : node_leave(packet, gate);
	}
	if (ether->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return node_leave(packet, WYE_REASON_ETHER_NOT_IP);
	gate = node_gate(worker, plan, WYE_LINK_FORWARD6);
	return gate == NODE_OK ? (rte_edge_t)NODE_EDGE_IP6 : node_leave(packet, gate);
}

static uint16_t classify_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	struct worker *worker = node_ctx(node)->worker;
	rte_edge_t edge[NODE_VECTOR];

	for (uint32_t from = 0; from < nb_objs; from += NODE_VECTOR) {
		uint32_t n = RTE_MIN(nb_objs - from, (uint32_t)NODE_VECTOR);

		for (uint32_t i = 0; i < n; i++)
			edge[i] = classify_packet(worker, objs[from + i]);
		node_scatter(graph, node, objs + from, edge, n, n == nb_objs);
	}
	return nb_objs;
}

struct classify_note {
	rte_be16_t ether_type;
	uint8_t reason;		/* NODE_OK: it is the dataplane's */
};

static void classify_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *to)
{
	struct classify_note *note = to;

	note->ether_type = rte_pktmbuf_mtod(packet, const struct rte_ether_hdr *)->ether_type;
	note->reason = edge < NODE_EDGE_IP4 ? *node_reason(packet) : (uint8_t)NODE_OK;
}

static void classify_tell(const struct dpd *dpd, const void *from, struct trace_fields *fields)
{
	const struct classify_note *note = from;

	trace_text(fields, "ether_type", "0x%04x", rte_be_to_cpu_16(note->ether_type));
	trace_reason(fields, note->reason);
}

static const struct node_trace classify_trace = { .note = classify_note, .tell = classify_tell };

static struct rte_node_register classify_node = {
	.name = "classify",
	.process = classify_process,
	.init = node_init,
	.nb_edges = 4,
	.next_nodes = {
		[NODE_EDGE_PUNT] = "punt",
		[NODE_EDGE_DROP] = "drop",
		[NODE_EDGE_IP4] = "ip4_forward",
		[NODE_EDGE_IP6] = "ip6_forward",
	},
};
NODE_REGISTER(classify_node, classify_trace);
