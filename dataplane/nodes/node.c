/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_errno.h>

#include "node.h"
#include "port_rx.h"

int node_reason_offset = -1;

int node_reason_open(void)
{
	static const struct rte_mbuf_dynfield field = { .name = "wye_reason", .size = 1, .align = 1 };

	node_reason_offset = rte_mbuf_dynfield_register(&field);
	return node_reason_offset < 0 ? -rte_errno : 0;
}

int node_init(const struct rte_graph *graph, struct rte_node *node)
{
	node_ctx(node)->worker = graph_owner();
	return 0;
}

const uint64_t *node_vectors(struct rte_node *node)
{
	return strncmp(node->name, "port_rx-", 8) ? NULL : port_rx_vectors(node);
}

void node_scatter(struct rte_graph *graph, struct rte_node *node, void **packets, const rte_edge_t *edge, uint32_t n,
		  bool whole)
{
	uint32_t from = 0;

	while (from < n) {
		uint32_t to = from + 1;

		while (to < n && edge[to] == edge[from])
			to++;
		node_pass(graph, node, packets + from, edge[from], to - from, whole && to - from == n);
		from = to;
	}
}
