/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BETWEEN_H
#define BETWEEN_H

#include <rte_graph.h>
#include <string.h>

#define EDGES_MAX 64

/* Puts node `first` where port_rx leads to ip4_forward. When all nodes are registered, before any is cloned. */
static inline void between_rx_and_ip4(const char *first)
{
	rte_node_t source = rte_node_from_name("port_rx");
	rte_edge_t n = rte_node_edge_count(source);
	char *next[EDGES_MAX] = { 0 };

	if (n > EDGES_MAX || rte_node_edge_get(source, next) == RTE_EDGE_ID_INVALID)
		return;
	for (rte_edge_t edge = 0; edge < n; edge++)
		if (!strcmp(next[edge], "ip4_forward"))
			rte_node_edge_update(source, edge, &first, 1);
}

#endif
