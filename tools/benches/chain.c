/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * forward/nodes-5: linked to wye-dpd's own objects, this puts five nodes that pass their packets on between port_rx and
 * ip4_forward. What a packet costs more than in wye-dpd itself is what a node costs that does nothing.
 */
#include <rte_common.h>
#include <rte_graph_worker.h>

#include "between.h"

#define CHAIN_NODE(number, next)                                                                                   \
	static struct rte_node_register pass_##number = {                                                             \
		.name = "bench_pass_" #number, .process = pass, .nb_edges = 1, .next_nodes = { next }                  \
	};                                                                                                            \
	RTE_NODE_REGISTER(pass_##number)

static uint16_t pass(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	rte_node_next_stream_move(graph, node, 0);
	return n;
}

CHAIN_NODE(1, "bench_pass_2");
CHAIN_NODE(2, "bench_pass_3");
CHAIN_NODE(3, "bench_pass_4");
CHAIN_NODE(4, "bench_pass_5");
CHAIN_NODE(5, "ip4_forward");

RTE_INIT_PRIO(chain, LAST)
{
	between_rx_and_ip4("bench_pass_1");
}
