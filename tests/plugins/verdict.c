/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verdict: a plugin that uses every edge: of IPv4 UDP, port 9 is dropped and port 7 given to the kernel; the rest goes on, is
 * counted at `output`, and dropped there with port 13.
 */
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "wye_plugin.h"

static int count_in, count_out;

static int configure(void)
{
	count_in = wye_plugin_counter("in", "IPv4 packets received");
	count_out = wye_plugin_counter("out", "packets to be sent");
	return 0;
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

static const struct wye_plugin_node nodes[] = {
	{ "verdict_in", "ip4_input", judge },
	{ "verdict_out", "output", output },
};

const struct wye_plugin wye_plugin = {
	WYE_PLUGIN_HEAD,
	.name = "verdict",
	.version = "1",
	.summary = "drops port 9, punts port 7",
	.configure = configure,
	.node = nodes,
	.n_nodes = RTE_DIM(nodes),
};
