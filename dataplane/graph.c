/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which node follows which, and making graphs of them.
 *
 *   port_rx-<port>-<queue> ──▶ ip4_forward ──▶ port_tx-<port>
 *          │    └▶ classify ──▶ ip6_forward ──▶ …
 *          └────────────────────────▶ punt, drop
 *
 * Nodes are registered once and cannot be removed, so all that may ever be needed are made at the start: a port_tx
 * for every configured port, port_rx when a queue is first opened. A graph holds the port_rx of the worker's own
 * queues and whatever can be reached from them. Queue q of port p belongs to worker (p + q) % workers.
 */
#include <errno.h>
#include <rte_errno.h>
#include <rte_graph_worker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpd.h"
#include "log.h"
#include "nodes/node.h"
#include "plugin.h"
#include "runtime/init.h"

static struct {
	struct dpd *dpd;
	struct worker *worker;
	uint32_t serial;	/* makes graph names unique */
} building;

struct worker *graph_owner(void)
{
	return building.worker;
}

struct dpd *graph_dpd(void)
{
	return building.dpd;
}

/* ---- nodes and edges -------------------------------------------------------------------------------------------- */

/* Adds an edge to port_tx-<p> for each port, so that edge NODE_EDGE_PORT_TX + p leads to port p. */
static int add_port_edges(const char *node, uint32_t n_ports)
{
	rte_node_t id = rte_node_from_name(node);

	for (uint32_t p = 0; p < n_ports; p++) {
		char name[RTE_NODE_NAMESIZE];
		const char *next = name;

		snprintf(name, sizeof(name), "port_tx-%u", p);
		if (rte_node_edge_update(id, RTE_EDGE_ID_INVALID, &next, 1) == RTE_EDGE_ID_INVALID)
			return -ENOMEM;
	}
	if (n_ports && rte_node_edge_count(id) != NODE_EDGE_PORT_TX + n_ports)
		return -EINVAL;
	return 0;
}

static int clone_node(const char *parent, const char *suffix)
{
	char name[RTE_NODE_NAMESIZE];

	snprintf(name, sizeof(name), "%s-%s", parent, suffix);
	if (rte_node_from_name(name) != RTE_NODE_ID_INVALID)
		return 0;
	return rte_node_clone(rte_node_from_name(parent), suffix) == RTE_NODE_ID_INVALID ? -ENOMEM : 0;
}

/* Registers nodes and edges. */
static int graph_open(struct dpd *dpd)
{
	int error = node_reason_open();

	error = error ? error : trace_mark_open();

	for (uint32_t p = 0; p < dpd->n_ports && !error; p++) {
		char suffix[16];

		snprintf(suffix, sizeof(suffix), "%u", p);
		error = clone_node("port_tx", suffix);
	}
	error = error ? error : add_port_edges("ip4_forward", dpd->n_ports);
	error = error ? error : add_port_edges("ip6_forward", dpd->n_ports);
	error = error ? error : plugin_attach(dpd);
	if (error)
		log_error("graph: nodes could not be registered: %s", strerror(-error));
	return error;
}

/* ---- statistics ------------------------------------------------------------------------------------------------- */

static void describe_edges(struct dpd *dpd, uint32_t index, const char *name)
{
	rte_node_t id = rte_node_from_name(name);
	rte_edge_t n = rte_node_edge_count(id);
	char **next = calloc(n + 1, sizeof(*next));
	uint32_t set[8] = { 0 };

	if (!next)
		return;
	if (n && rte_node_edge_get(id, next) != RTE_EDGE_ID_INVALID)
		for (rte_edge_t e = 0; e < n; e++) {
			uint32_t to = stats_node(dpd, next[e]);

			if (to < WYE_NODES_MAX)
				set[to / 32] |= 1u << to % 32;
		}
	stats_node_edges(dpd, index, set);
	free(next);
}

static void note_source(struct graph_node *node, struct wait *wait)
{
	unsigned int port, queue;

	node->is_port_rx = sscanf(node->node->name, "port_rx-%u-%u", &port, &queue) == 2;
	if (!node->is_port_rx)
		return;
	node->port = (uint16_t)port;
	node->queue = (uint16_t)queue;
	wait_note(wait, node);
}

static void note_nodes(struct dpd *dpd, struct worker *worker, struct graph_worker *to)
{
	struct rte_node *node;
	rte_graph_off_t off;
	rte_node_t count;

	rte_graph_foreach_node(count, off, to->graph, node) {
		uint32_t index = stats_node(dpd, node->name);

		if (index >= WYE_NODES_MAX || to->n_nodes == WYE_NODES_MAX)
			continue;
		describe_edges(dpd, index, node->name);
		stats_node_kind(dpd, index, node_vectors(node) ? WYE_NODE_INPUT : WYE_NODE_INTERNAL);
		to->node[to->n_nodes] = (struct graph_node){
			.node = node,
			.process = node->process,
			.trace = node_trace_of(node->name),
			.index = (uint16_t)index,
			.counters = &worker->stats->node[index],
			.vectors = node_vectors(node),
		};
		note_source(&to->node[to->n_nodes], &to->wait);
		to->n_nodes++;
	}
}

void graph_count(struct graph_worker *worker)
{
	for (uint32_t i = 0; i < worker->n_nodes; i++) {
		struct graph_node *from = &worker->node[i];
		uint64_t calls = from->node->total_calls, packets = from->node->total_objs;
		uint64_t cycles = from->node->total_cycles, had = from->vectors ? *from->vectors : calls;

		if (calls == from->calls)
			continue;
		count_add(&from->counters->calls, calls - from->calls);
		count_add(&from->counters->packets, packets - from->packets);
		count_add(&from->counters->cycles, cycles - from->cycles);
		count_add(&from->counters->vectors, had - from->had);
		from->calls = calls;
		from->packets = packets;
		from->cycles = cycles;
		from->had = had;
	}
}

/* ---- graphs ----------------------------------------------------------------------------------------------------- */

static uint32_t queue_worker(const struct dpd *dpd, uint32_t port, uint32_t queue)
{
	return (port + queue) % dpd->n_workers;
}

/* Names of the worker's source nodes, made where they do not exist yet. Returns how many, or -errno. */
static int own_sources(struct dpd *dpd, uint32_t worker, char (*names)[RTE_NODE_NAMESIZE])
{
	int n = 0;

	for (uint32_t p = 0; p < dpd->n_ports; p++) {
		for (uint32_t q = 0; dpd->port[p].open && q < dpd->port[p].n_queues; q++) {
			char suffix[24];

			if (queue_worker(dpd, p, q) != worker)
				continue;
			snprintf(suffix, sizeof(suffix), "%u-%u", p, q);
			if (clone_node("port_rx", suffix) < 0)
				return -ENOMEM;
			snprintf(names[n++], RTE_NODE_NAMESIZE, "port_rx-%s", suffix);
		}
	}
	return n;
}

/* Where one of its queues has nothing that tells of packets, the worker cannot wait. */
static void open_wait(struct dpd *dpd, uint32_t worker, struct wait *wait)
{
	int error = wait_open(wait, dpd->worker[worker].wake_fd);

	for (uint32_t p = 0; p < dpd->n_ports; p++)
		for (uint16_t q = 0; dpd->port[p].open && q < dpd->port[p].n_queues; q++)
			if (!error && queue_worker(dpd, p, q) == worker)
				error = wait_add(wait, &dpd->port[p], q);
	if (error)
		wait_close(wait);
}

static int build_worker(struct dpd *dpd, uint32_t index, struct graph_worker *to)
{
	static char names[WYE_PORTS_MAX * WYE_QUEUES_MAX][RTE_NODE_NAMESIZE];
	static const char *patterns[WYE_PORTS_MAX * WYE_QUEUES_MAX];
	struct rte_graph_param param = { .socket_id = SOCKET_ID_ANY, .node_patterns = patterns };
	int n = own_sources(dpd, index, names);
	char name[RTE_GRAPH_NAMESIZE];
	rte_graph_t id;

	if (n < 0)
		return n;
	open_wait(dpd, index, &to->wait);
	if (n == 0)
		return 0;
	for (int i = 0; i < n; i++)
		patterns[i] = names[i];
	param.nb_node_patterns = (uint16_t)n;
	snprintf(name, sizeof(name), "wye-%u-%u", index, building.serial++);
	building.dpd = dpd;
	building.worker = &dpd->worker[index];
	id = rte_graph_create(name, &param);
	building.worker = NULL;
	if (id == RTE_GRAPH_ID_INVALID)
		return rte_errno ? -rte_errno : -ENOMEM;
	to->graph = rte_graph_lookup(name);
	note_nodes(dpd, &dpd->worker[index], to);
	return 0;
}

struct graph_set *graph_build(struct dpd *dpd)
{
	struct graph_set *set = calloc(1, sizeof(*set) + dpd->n_workers * sizeof(set->worker[0]));

	if (!set)
		return NULL;
	set->n_workers = dpd->n_workers;
	for (uint32_t i = 0; i < dpd->n_workers; i++)
		set->worker[i].wait.epoll_fd = -1;
	for (uint32_t i = 0; i < dpd->n_workers; i++) {
		int error = build_worker(dpd, i, &set->worker[i]);

		if (!error)
			continue;
		log_error("graph of worker %u: %s", i, strerror(-error));
		/* What was made of it stays: DPDK 22.11 gives graph ids out twice, and destroys the oldest of an id, so
		 * only the oldest set may be destroyed. */
		errno = -error;
		return NULL;
	}
	return set;
}

void graph_free(struct graph_set *set)
{
	for (uint32_t i = 0; set && i < set->n_workers; i++) {
		if (set->worker[i].graph)
			rte_graph_destroy(rte_graph_from_name(set->worker[i].graph->name));
		wait_close(&set->worker[i].wait);
	}
	free(set);
}

static void graph_close(struct dpd *dpd)
{
	graph_free(dpd->graphs);
	dpd->graphs = NULL;
}
INIT(graph, .start = graph_open, .stop = graph_close, .after = INIT_NAMES("eal", "ports", "process", "stats"));
