/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port_rx-<port>-<queue>: takes a burst from a queue and tells IPv4 from IPv6 from the rest. Where steering has not
 * been done below us (software), the packets go to classify instead. What enters a link the mirror says must not
 * forward leaves here: one look a vector.
 *
 * The common vector, all IPv4 (or all IPv6) with the port's own destination MAC, is recognised by or-ing the
 * differences of all packets, 16 bytes each, and moved whole. A frame shorter than its headers passes as well:
 * ip4_forward checks.
 */
#include <stdlib.h>

#include "beside.h"
#include "lanes.h"
#include "node.h"
#include "port_rx.h"

#define RX_BURST 128	/* headers and the survey of them fit L1; more costs more than the nodes save */

struct rx_queue {	/* a worker's view of a queue; lives as long as the graph */
	uint16_t port, queue, dpdk_port;
	uint64_t vectors;
};

const uint64_t *port_rx_vectors(struct rte_node *node)
{
	return &((struct rx_queue *)node_ctx(node)->own)->vectors;
}

static int port_rx_init(const struct rte_graph *graph, struct rte_node *node)
{
	struct rx_queue *queue = calloc(1, sizeof(*queue));
	unsigned int port, number;

	if (!queue || sscanf(node->name, "port_rx-%u-%u", &port, &number) != 2) {
		free(queue);
		return -ENOMEM;
	}
	queue->port = (uint16_t)port;
	queue->queue = (uint16_t)number;
	queue->dpdk_port = graph_dpd()->port[port].steer.dpdk_port;
	node_ctx(node)->worker = graph_owner();
	node_ctx(node)->own = queue;
	return 0;
}

static void port_rx_fini(const struct rte_graph *graph, struct rte_node *node)
{
	free(node_ctx(node)->own);
}

struct rx_sum {
	lanes4 different;	/* frames' first 16 bytes from our MAC and the first frame's others, or-ed */
	uint32_t bytes;
};

static inline uint16_t rx_ether_type(const struct rte_mbuf *packet)
{
	return rte_pktmbuf_mtod(packet, const struct rte_ether_hdr *)->ether_type;
}

static inline uint64_t rx_mac_difference(const struct rte_mbuf *packet, uint64_t mac48)
{
	uint64_t first;

	memcpy(&first, rte_pktmbuf_mtod(packet, const void *), 8);
	return (first ^ mac48) << 16;
}

static inline struct rx_sum rx_survey(struct rte_mbuf **packets, uint16_t n, uint64_t mac48, uint16_t dpdk_port)
{
	struct rx_sum sum = { 0 };
	lanes4 want = lanes4_load(rte_pktmbuf_mtod(packets[0], void *));

	want[0] = (uint32_t)mac48;
	want[1] = (want[1] & 0xffff0000) | (uint32_t)(mac48 >> 32);
NODE_UNROLL
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *packet = packets[i];

		sum.different |= lanes4_load(rte_pktmbuf_mtod(packet, void *)) ^ want;
		sum.bytes += packet->pkt_len;
		packet->port = dpdk_port; /* af_xdp of 22.11 leaves it unset */
	}
	return sum;
}

/* All for us, and of the first one's ether_type? */
static inline bool rx_alike(const struct rx_sum *sum)
{
	return !(sum->different[0] | (uint16_t)sum->different[1] | (uint16_t)sum->different[3]);
}

static rte_edge_t rx_edge(const struct worker *worker, const struct plan_port *port, struct rte_mbuf *packet)
{
	uint16_t ether_type = rx_ether_type(packet);
	enum wye_reason gate;

	if (packet->data_len < sizeof(struct rte_ether_hdr))
		return node_leave(packet, WYE_REASON_IP4_INPUT_TOO_SHORT);
	if (beside_copy(port, rte_pktmbuf_mtod(packet, const struct rte_ether_hdr *)))
		return node_leave(packet, WYE_REASON_ETHER_COPY);
	if (ether_type == RTE_BE16(RTE_ETHER_TYPE_VLAN) || ether_type == RTE_BE16(RTE_ETHER_TYPE_QINQ))
		return node_leave(packet, WYE_REASON_ETHER_VLAN);
	if (ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) && ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return node_leave(packet, WYE_REASON_ETHER_NOT_IP);
	if (rx_mac_difference(packet, port->mac48))
		return node_leave(packet, WYE_REASON_ETHER_NOT_FOR_US);
	if (ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
		gate = node_gate(worker, port, WYE_LINK_FORWARD4);
		return gate == NODE_OK ? (rte_edge_t)NODE_EDGE_IP4 : node_leave(packet, gate);
	}
	gate = node_gate(worker, port, WYE_LINK_FORWARD6);
	return gate == NODE_OK ? (rte_edge_t)NODE_EDGE_IP6 : node_leave(packet, gate);
}

static void rx_one_by_one(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	const struct worker *worker = node_ctx(node)->worker;
	const struct rx_queue *queue = node_ctx(node)->own;
	rte_edge_t edge[NODE_VECTOR];

	for (uint16_t i = 0; i < n; i++)
		edge[i] = rx_edge(worker, &worker->plan->port[queue->port], objs[i]);
	node_scatter(graph, node, objs, edge, n, true);
}

static uint16_t port_rx_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	struct worker *worker = node_ctx(node)->worker;
	struct rx_queue *queue = node_ctx(node)->own;
	const struct plan_port *port = &worker->plan->port[queue->port];
	struct wye_port_counters *counters = &worker->stats->port[queue->port];
	uint16_t n = rte_eth_rx_burst(queue->dpdk_port, queue->queue, (struct rte_mbuf **)objs, RX_BURST);
	uint16_t ether_type;
	struct rx_sum sum;

	if (!n)
		return 0;
	queue->vectors++;
	worker->received += n;
	node->idx = n;
	sum = rx_survey((struct rte_mbuf **)objs, n, port->mac48, queue->dpdk_port);
	count_add(&counters->rx_packets, n);
	count_add(&counters->rx_bytes, sum.bytes);
	if (unlikely(port->captured))
		capture_received(worker, queue->port, (struct rte_mbuf **)objs, n);
	if (unlikely(port->device_mac48) && beside_received(port, (struct rte_mbuf **)objs, n))
		sum = rx_survey((struct rte_mbuf **)objs, n, port->mac48, queue->dpdk_port);

	if (port->classify) {
		rte_node_next_stream_move(graph, node, NODE_EDGE_CLASSIFY);
		return n;
	}
	ether_type = rx_alike(&sum) ? rx_ether_type(objs[0]) : 0;
	if (ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) && node_gate(worker, port, WYE_LINK_FORWARD4) == NODE_OK)
		rte_node_next_stream_move(graph, node, NODE_EDGE_IP4);
	else if (ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6) &&
		 node_gate(worker, port, WYE_LINK_FORWARD6) == NODE_OK)
		rte_node_next_stream_move(graph, node, NODE_EDGE_IP6);
	else
		rx_one_by_one(graph, node, objs, n);
	return n;
}

struct rx_note {
	uint16_t port, queue;
	uint32_t bytes;
};

static void rx_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *to)
{
	const struct rx_queue *queue = node_ctx(node)->own;
	struct rx_note *note = to;

	*note = (struct rx_note){ queue->port, queue->queue, packet->pkt_len };
}

static void rx_tell(const struct dpd *dpd, const void *from, struct trace_fields *fields)
{
	const struct rx_note *note = from;

	trace_port(fields, dpd, note->port);
	trace_number(fields, "queue", note->queue);
	trace_number(fields, "bytes", note->bytes);
}

static const struct node_trace port_rx_trace = { .note = rx_note, .tell = rx_tell };

static struct rte_node_register port_rx_node = {
	.name = "port_rx",
	.flags = RTE_NODE_SOURCE_F,
	.process = port_rx_process,
	.init = port_rx_init,
	.fini = port_rx_fini,
	.nb_edges = 5,
	.next_nodes = {
		[NODE_EDGE_PUNT] = "punt",
		[NODE_EDGE_DROP] = "drop",
		[NODE_EDGE_IP4] = "ip4_forward",
		[NODE_EDGE_IP6] = "ip6_forward",
		[NODE_EDGE_CLASSIFY] = "classify",
	},
};
NODE_REGISTER(port_rx_node, port_rx_trace);
