/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verdict: a plugin that uses every edge: of IPv4 UDP, port 9 is dropped and port 7 given to the kernel; the rest goes on, is
 * counted at `output`, and dropped there with port 13. It tells traces so, and counts the workers' loops.
 */
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "wye_plugin.h"

static int count_in, count_out, count_loops;

static int configure(void)
{
	count_in = wye_plugin_counter("in", "IPv4 packets received");
	count_out = wye_plugin_counter("out", "packets to be sent");
	count_loops = wye_plugin_counter("loops", "loops of all workers");
	return 0;
}

static void look(struct worker *worker)
{
	if (wye_plugin_worker_of(worker) < WYE_WORKERS_MAX)
		wye_plugin_count_worker(worker, count_loops, 1);
}

static uint16_t udp_port(const struct rte_mbuf *packet)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(packet, const struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	const size_t need = sizeof(struct rte_ether_hdr) + sizeof(*ip) + sizeof(*udp);

	if (packet->data_len < need || ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_UDP)
		return 0;
	return rte_be_to_cpu_16(udp->dst_port);
}

static uint16_t judge(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	wye_plugin_count(node, count_in, n);
	for (uint16_t i = 0; i < n; i++) {
		uint16_t port = udp_port(objs[i]);
		rte_edge_t edge = port == 9 ? wye_plugin_drop(objs[i]) : port == 7 ? wye_plugin_punt(objs[i]) : WYE_PLUGIN_NEXT;

		rte_node_enqueue_x1(graph, node, edge, objs[i]);
	}
	return n;
}

static uint16_t output(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	wye_plugin_count(node, count_out, n);
	for (uint16_t i = 0; i < n; i++)
		rte_node_enqueue_x1(graph, node, udp_port(objs[i]) == 13 ? wye_plugin_punt(objs[i]) : WYE_PLUGIN_NEXT, objs[i]);
	return n;
}

struct verdict_note {
	uint16_t port;
	rte_edge_t edge;
};
static_assert(sizeof(struct verdict_note) <= TRACE_NOTE_BYTES, "it fits");

static void note_verdict(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *to)
{
	*(struct verdict_note *)to = (struct verdict_note){ udp_port(packet), edge };
}

static void tell_verdict(const struct dpd *dpd, const void *from, struct trace_fields *fields)
{
	static const char *const word[] = { [WYE_PLUGIN_PUNT] = "punt", [WYE_PLUGIN_DROP] = "drop", [WYE_PLUGIN_NEXT] = "next" };
	const struct verdict_note *note = from;

	trace_number(fields, "udp_port", note->port);
	trace_text(fields, "verdict", "%s", word[note->edge]);
}

static const struct node_trace verdict_trace = { .note = note_verdict, .tell = tell_verdict };

static const struct wye_plugin_node nodes[] = {
	{ "verdict_in", "ip4_input", judge, &verdict_trace },
	{ "verdict_out", "output", output, &verdict_trace },
};
static const struct wye_plugin_pre_input pre_inputs[] = { { "verdict_look", look } };

const struct wye_plugin wye_plugin = {
	WYE_PLUGIN_HEAD,
	.name = "verdict",
	.version = "1",
	.summary = "drops port 9, punts port 7",
	.configure = configure,
	.node = nodes,
	.n_nodes = RTE_DIM(nodes),
	.pre_input = pre_inputs,
	.n_pre_inputs = RTE_DIM(pre_inputs),
};
