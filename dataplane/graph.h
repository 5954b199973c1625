/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One rte_graph a worker: its receive queues as sources, the shared nodes behind them. Graphs cannot change once made,
 * so a change of ports makes a new set, handed to the workers with the next plan. Main thread only, but for
 * graph_count().
 */
#ifndef GRAPH_H
#define GRAPH_H

#include <rte_graph.h>
#include <stdbool.h>

#include "wait.h"
#include "wye_stats.h"

struct dpd;
struct worker;

struct graph_node {		/* what a worker copies into the stats file, and what it needs to trace */
	struct rte_node *node;
	rte_node_process_t process;	/* the node's own, whoever stands in its place (trace.h) */
	const struct node_trace *trace;
	uint16_t index;			/* in wye_stats.node */
	bool is_port_rx;		/* of this port and queue */
	uint16_t port, queue;
	struct wye_node_counters *counters;
	const uint64_t *vectors;	/* calls that had packets; NULL: every call has */
	uint64_t calls, packets, cycles, had;	/* as of the last copy */
};

struct graph_worker {
	struct rte_graph *graph;	/* NULL = no queue for this worker */
	struct wait wait;
	struct graph_node node[WYE_NODES_MAX];
	uint32_t n_nodes;
};

struct graph_set {
	uint32_t n_workers;
	struct graph_worker worker[];
};

/* Graphs for the ports that are open now. NULL, errno. */
struct graph_set *graph_build(struct dpd *dpd);
void graph_free(struct graph_set *set);
/* Adds what the nodes counted since the last call. The worker that runs them. */
void graph_count(struct graph_worker *worker);

/* For the init functions of nodes, while graph_build() runs: who will run the graph. */
struct worker *graph_owner(void);
struct dpd *graph_dpd(void);

#endif
