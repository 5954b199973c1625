/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traces, the workers' half. A node of rte_graph is a function that takes packets and puts them behind those its
 * successors have already. traced_process() stands in its place: it remembers how many each successor has, runs the node,
 * and finds in what came to it the packets that carry a mark. Where packets come in it gives out the marks; where they
 * leave (a node without edges) it hands the node marked packets one at a time, since they are gone afterwards.
 *
 * A mark is the packet's number in the mbuf; port_rx's packets all get one, 0 for those that nobody wants, and it is taken
 * off before the packet leaves the graph.
 */
#include <errno.h>
#include <sys/types.h> /* which pcap/bpf.h takes for granted */

#include <pcap/bpf.h>
#include <rte_cycles.h>
#include <rte_ring.h>
#include <string.h>

#include "clock.h"
#include "dpd.h"
#include "nodes/node.h"
#include "runtime/process.h"

struct trace_mark {
	uint32_t packet;	/* 0 = not traced */
	uint8_t input;
};

static int mark_offset = -1;

/* Who walks which graph: set while its nodes are entered through here. */
static _Thread_local struct {
	struct worker *worker;
	const struct graph_worker *graph;
} walk;

int trace_mark_open(void)
{
	static const struct rte_mbuf_dynfield field = { .name = "wye_trace", .size = sizeof(struct trace_mark),
							.align = __alignof__(struct trace_mark) };

	mark_offset = rte_mbuf_dynfield_register(&field);
	return mark_offset < 0 ? -rte_errno : 0;
}

static struct trace_mark *mark_of(struct rte_mbuf *packet)
{
	return RTE_MBUF_DYNFIELD(packet, mark_offset, struct trace_mark *);
}

static const struct graph_node *graph_node_of(const struct rte_node *node)
{
	for (uint32_t i = 0; i < walk.graph->n_nodes; i++)
		if (walk.graph->node[i].node == node)
			return &walk.graph->node[i];
	return NULL;
}

/* ---- notes -------------------------------------------------------------------------------------------------------- */

/* NULL: no buffer, it is counted as lost. */
static struct trace_note *begin_note(const struct graph_node *at, const struct trace_mark *mark, uint64_t tsc)
{
	struct trace *trace = walk.worker->plan->trace;
	struct trace_note *note;

	if (rte_ring_dequeue(trace->exchange.empty, (void **)&note)) {
		atomic_fetch_add_explicit(&trace->lost, 1, memory_order_relaxed);
		return NULL;
	}
	*note = (struct trace_note){ .tsc = tsc, .packet = mark->packet, .input = mark->input, .trace = at->trace,
				     .worker = (uint8_t)walk.worker->index, .node = at->index, .next = WYE_NODES_MAX };
	return note;
}

static void end_note(struct trace_note *note)
{
	rte_ring_enqueue(walk.worker->plan->trace->exchange.full, note); /* has room for all */
	process_wake();
}

/* ---- where packets come in ---------------------------------------------------------------------------------------- */

static bool wants(const struct trace_input *input, uint32_t port, uint32_t queue, const struct rte_mbuf *packet)
{
	if (input->port != port || (input->queue >= 0 && (uint32_t)input->queue != queue) ||
	    atomic_load_explicit(&input->taken, memory_order_relaxed) >= input->wanted)
		return false;
	return !input->filter || bpf_filter(input->filter, rte_pktmbuf_mtod(packet, const u_char *), packet->pkt_len,
					    packet->data_len);
}

/* A packet is traced once, for the first that wants it. */
static void give_mark(const struct graph_node *source, struct rte_mbuf *packet)
{
	const struct plan *plan = walk.worker->plan;
	struct trace_mark *mark = mark_of(packet);

	*mark = (struct trace_mark){ 0 };
	for (uint32_t i = 0; i < plan->n_trace_inputs && source->is_port_rx; i++) {
		struct trace_input *input = &plan->trace->input[i];

		if (!wants(input, source->port, source->queue, packet) ||
		    atomic_fetch_add_explicit(&input->taken, 1, memory_order_relaxed) >= input->wanted)
			continue;
		mark->packet = atomic_fetch_add_explicit(&plan->trace->n_packets, 1, memory_order_relaxed) + 1;
		mark->input = (uint8_t)i;
		return;
	}
}

/* ---- nodes -------------------------------------------------------------------------------------------------------- */

/* Where packets leave: a marked one goes alone. */
static uint16_t process_last(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n,
			     const struct graph_node *at)
{
	for (uint16_t from = 0, to; from < n; from = to) {
		struct trace_mark mark = *mark_of(objs[from]);
		struct trace_note *note = NULL;

		to = from + 1;
		if (mark.packet) {
			mark_of(objs[from])->packet = 0;
			note = begin_note(at, &mark, rte_rdtsc());
			if (note && at->trace)
				at->trace->note(walk.worker, node, objs[from], 0, note->note);
		} else {
			while (to < n && !mark_of(objs[to])->packet)
				to++;
		}
		at->process(graph, node, objs + from, to - from);
		if (note && at->trace && at->trace->outcome)
			at->trace->outcome(walk.worker, node, note->note);
		if (note)
			end_note(note);
	}
	return n;
}

static void note_edge(struct rte_node *node, const struct graph_node *at, struct rte_mbuf *packet, rte_edge_t edge,
		      uint64_t tsc, bool first)
{
	const struct graph_node *next = graph_node_of(node->nodes[edge]);
	struct trace_note *note = begin_note(at, mark_of(packet), tsc);

	if (!note)
		return;
	note->time_ns = first ? clock_wall_ns() : 0;
	note->next = next ? next->index : WYE_NODES_MAX;
	if (at->trace)
		at->trace->note(walk.worker, node, packet, edge, note->note);
	end_note(note);
}

/* Where two edges lead to one node (a plugin's, at `output`), its packets are taken for the first one's. */
static bool is_first_to(const struct rte_node *node, rte_edge_t edge)
{
	for (rte_edge_t before = 0; before < edge; before++)
		if (node->nodes[before] == node->nodes[edge])
			return false;
	return true;
}

static uint16_t traced_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	const struct graph_node *at = graph_node_of(node);
	uint16_t had[WYE_NODES_MAX];
	uint64_t tsc = rte_rdtsc();
	bool source = n == 0;
	uint16_t done;

	if (node->nb_edges == 0)
		return process_last(graph, node, objs, n, at);
	if (node->nb_edges > WYE_NODES_MAX)
		return at->process(graph, node, objs, n);
	for (rte_edge_t edge = 0; edge < node->nb_edges; edge++)
		had[edge] = node->nodes[edge]->idx;
	done = at->process(graph, node, objs, n);
	for (rte_edge_t edge = 0; edge < node->nb_edges; edge++) {
		struct rte_node *to = node->nodes[edge];

		for (uint16_t i = had[edge]; i < to->idx && is_first_to(node, edge); i++) {
			if (source)
				give_mark(at, to->objs[i]);
			if (mark_of(to->objs[i])->packet)
				note_edge(node, at, to->objs[i], edge, tsc, source);
		}
	}
	return done;
}

void trace_adopt(struct worker *worker, struct graph_worker *graph)
{
	bool traced = worker->plan && worker->plan->trace;

	walk.worker = worker;
	walk.graph = graph;
	for (uint32_t i = 0; graph && i < graph->n_nodes; i++)
		graph->node[i].node->process = traced ? traced_process : graph->node[i].process;
}
