/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pass: a plugin whose nodes do nothing but hand each vector on: what another node costs (tools/bench forward/nodes-5).
 * Five stand at ip4_input and five at ip6_input.
 */
#include <rte_common.h>

#include "wye_plugin.h"

static uint16_t pass(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	rte_node_next_stream_move(graph, node, WYE_PLUGIN_NEXT);
	return n;
}

static const struct wye_plugin_node nodes[] = {
	{ "pass4_1", "ip4_input", pass, NULL }, { "pass4_2", "ip4_input", pass, NULL }, { "pass4_3", "ip4_input", pass, NULL },
	{ "pass4_4", "ip4_input", pass, NULL }, { "pass4_5", "ip4_input", pass, NULL }, { "pass6_1", "ip6_input", pass, NULL },
	{ "pass6_2", "ip6_input", pass, NULL }, { "pass6_3", "ip6_input", pass, NULL }, { "pass6_4", "ip6_input", pass, NULL },
	{ "pass6_5", "ip6_input", pass, NULL },
};

const struct wye_plugin wye_plugin = {
	WYE_PLUGIN_HEAD,
	.name = "pass",
	.version = "1",
	.summary = "does nothing, ten times",
	.node = nodes,
	.n_nodes = RTE_DIM(nodes),
};
