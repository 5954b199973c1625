/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * forward/ipv4-1m-all: linked to wye-dpd's own objects, this puts a node between port_rx and ip4_forward that writes
 * destinations (spread.h) from the file that WYE_BENCH_SPREAD names. For one worker.
 */
#include <errno.h>
#include <rte_graph_worker.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "between.h"
#include "spread.h"

static struct spread spread;

static uint16_t write_all(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	spread_write(&spread, (struct rte_mbuf **)objs, n);
	rte_node_next_stream_move(graph, node, 0);
	return n;
}

static struct rte_node_register spread_node = {
	.name = "bench_spread", .process = write_all, .nb_edges = 1, .next_nodes = { "ip4_forward" }
};
RTE_NODE_REGISTER(spread_node);

RTE_INIT_PRIO(spread_in, LAST)
{
	const char *path = getenv("WYE_BENCH_SPREAD");

	if (!path || !spread_open(&spread, path)) {
		fprintf(stderr, "dpd_spread: WYE_BENCH_SPREAD=%s: %s\n", path ? path : "", strerror(path ? errno : EINVAL));
		exit(1);
	}
	between_rx_and_ip4("bench_spread");
}
