/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port_tx-<port>: hands a vector to the driver. Worker w uses transmit queue w % queues; only when there are fewer
 * queues than workers do they share one, under a spinlock. A full queue is tried again a few times, since a driver
 * frees sent buffers when asked to send; what still does not fit is dropped and counted.
 *
 * A netdev that is down is noticed here first. The af_xdp driver's send() then fails with ENETDOWN (xsk_check_common()):
 * the driver tells nobody, but errno is still there. The mirror may be late by as long as the kernel holds a CPU to take
 * the routes out. So the port is taken as down until there is a new plan: the mirror has told, or main has looked.
 */
#include <errno.h>
#include <stdlib.h>

#include "beside.h"

#define TX_TRIES 8

static int port_tx_init(const struct rte_graph *graph, struct rte_node *node)
{
	node_ctx(node)->worker = graph_owner();
	node_ctx(node)->own = (void *)(uintptr_t)strtoul(node->name + strlen("port_tx-"), NULL, 10);
	return 0;
}

static uint16_t tx_send(const struct plan_port *port, uint16_t queue, struct rte_mbuf **packets, uint16_t n)
{
	uint16_t sent = rte_eth_tx_burst(port->dpdk_port, queue, packets, n);

	for (int i = 0; i < TX_TRIES && sent < n; i++) {
		rte_pause();
		sent += rte_eth_tx_burst(port->dpdk_port, queue, packets + sent, n - sent);
	}
	return sent;
}

static void tx_refused(struct worker *worker, uint32_t port)
{
	uint64_t down = atomic_load_explicit(&worker->ports_down, memory_order_relaxed);

	atomic_store_explicit(&worker->ports_down, down | 1ULL << port, memory_order_relaxed);
}

static uint32_t tx_bytes(struct rte_mbuf **packets, uint16_t n)
{
	uint32_t bytes = 0;

NODE_UNROLL
	for (uint16_t i = 0; i < n; i++)
		bytes += packets[i]->pkt_len;
	return bytes;
}

static uint16_t port_tx_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	struct worker *worker = node_ctx(node)->worker;
	uint32_t index = (uint32_t)(uintptr_t)node_ctx(node)->own;
	const struct plan_port *port = &worker->plan->port[index];
	struct wye_port_counters *counters = &worker->stats->port[index];
	struct rte_mbuf **packets = (struct rte_mbuf **)objs;
	uint64_t bytes = tx_bytes(packets, nb_objs);
	uint16_t queue, sent = 0, left;

	if (unlikely(port->device_mac48))
		beside_sent(port, packets, nb_objs);
	if (unlikely(port->captured))
		capture_sent(worker, index, packets, nb_objs);
	if (port->open && port->n_tx) {
		queue = worker->index % port->n_tx;
		if (port->tx_lock)
			rte_spinlock_lock(&port->tx_lock[queue]);
		errno = 0;
		sent = tx_send(port, queue, packets, nb_objs);
		if (unlikely(errno == ENETDOWN))
			tx_refused(worker, index);
		if (port->tx_lock)
			rte_spinlock_unlock(&port->tx_lock[queue]);
	}
	left = nb_objs - sent;
	if (left) {
		bytes -= tx_bytes(packets + sent, left);
		if (unlikely(worker->plan->captures_leaving))
			capture_left(worker, WYE_REASON_PORT_TX_FULL, packets + sent, left);
		rte_pktmbuf_free_bulk(packets + sent, left);
		count_add(&counters->tx_dropped, left);
		count_reason(worker, WYE_REASON_PORT_TX_FULL, left);
	}
	count_add(&counters->tx_packets, sent);
	count_add(&counters->tx_bytes, bytes);
	return nb_objs;
}

struct tx_note {
	uint8_t port;
	bool sent;
	uint32_t bytes;
	uint64_t full_before;	/* count of packets that found no room */
};

static void tx_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *to)
{
	struct tx_note *note = to;

	note->port = (uint8_t)(uintptr_t)node_ctx(node)->own;
	note->bytes = packet->pkt_len;
	note->full_before = count_of(worker, WYE_REASON_PORT_TX_FULL);
}

static void tx_outcome(struct worker *worker, struct rte_node *node, void *to)
{
	struct tx_note *note = to;

	note->sent = count_of(worker, WYE_REASON_PORT_TX_FULL) == note->full_before;
}

static void tx_tell(const struct dpd *dpd, const void *from, struct trace_fields *fields)
{
	const struct tx_note *note = from;

	trace_text(fields, "result", note->sent ? "sent" : "dropped");
	if (!note->sent)
		trace_reason(fields, WYE_REASON_PORT_TX_FULL);
	trace_port(fields, dpd, note->port);
	trace_number(fields, "bytes", note->bytes);
}

static const struct node_trace port_tx_trace = { .note = tx_note, .outcome = tx_outcome, .tell = tx_tell };

static struct rte_node_register port_tx_node = {
	.name = "port_tx",
	.process = port_tx_process,
	.init = port_tx_init,
};
NODE_REGISTER(port_tx_node, port_tx_trace);
