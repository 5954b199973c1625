/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The points of the graph where plugins stand, and the edges that are bent there. A packet's way is port_rx → ip4_forward;
 * with plugins A and B at ip4_input it is port_rx → A → B → ip4_forward. Without plugins nothing is bent, so nothing is
 * paid.
 */
#include <errno.h>
#include <rte_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nodes/node.h"
#include "plugin.h"
#include "wye_plugin.h"

static_assert((int)WYE_PLUGIN_PUNT == NODE_EDGE_PUNT && (int)WYE_PLUGIN_DROP == NODE_EDGE_DROP, "node_leave() names edges");
static_assert(sizeof(struct wye_plugin_ctx) == sizeof(struct node_ctx) && offsetof(struct worker, index) == 0,
	      "a plugin's context begins with the worker, and that with its index");

struct arc {
	const char *from;
	rte_edge_t edge;
};

static const struct arc ip4_arcs[] = { { "port_rx", NODE_EDGE_IP4 }, { "classify", NODE_EDGE_IP4 }, { NULL, 0 } };
static const struct arc ip6_arcs[] = { { "port_rx", NODE_EDGE_IP6 }, { "classify", NODE_EDGE_IP6 }, { NULL, 0 } };
static const struct arc output_arcs[] = { { "ip4_forward", NODE_EDGE_PORT_TX }, { "ip6_forward", NODE_EDGE_PORT_TX },
					  { NULL, 0 } };

/* each_port: the arcs' edges are those of port 0, the others' follow; the target's name is completed with the port. */
static struct point {
	const char *name, *target;
	const struct arc *arcs;
	bool each_port;
	char last[RTE_NODE_NAMESIZE];	/* node that stands there last, "" = none yet */
} points[] = {
	{ .name = "ip4_input", .target = "ip4_forward", .arcs = ip4_arcs },
	{ .name = "ip6_input", .target = "ip6_forward", .arcs = ip6_arcs },
	{ .name = "output", .target = "port_tx", .arcs = output_arcs, .each_port = true },
};

static struct point *point_named(const char *name)
{
	for (size_t i = 0; i < RTE_DIM(points); i++)
		if (!strcmp(points[i].name, name))
			return &points[i];
	return NULL;
}

/* A "-" would be a clone's; trace_node.h goes by that. */
static bool well_named(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return length && length <= 24 && !name[length];
}

int plugin_graph_check(const struct wye_plugin_node *node, char *why, size_t why_bytes)
{
	if (!node->name || !well_named(node->name)) {
		snprintf(why, why_bytes, "node \"%.40s\": a name has 1 to 24 lower-case letters, digits and '_'",
			 node->name ? node->name : "");
		return -EINVAL;
	}
	if (!node->point || !node->process || (node->trace && (!node->trace->note || !node->trace->tell))) {
		snprintf(why, why_bytes, "node \"%s\": a point or a function is missing", node->name);
		return -EINVAL;
	}
	if (!point_named(node->point)) {
		snprintf(why, why_bytes, "node \"%s\": there is no point \"%.40s\"; there are ip4_input, ip6_input and output",
			 node->name, node->point);
		return -EINVAL;
	}
	if (rte_node_from_name(node->name) != RTE_NODE_ID_INVALID) {
		snprintf(why, why_bytes, "node \"%s\": there is another of that name", node->name);
		return -EEXIST;
	}
	return 0;
}

static int plugin_node_init(const struct rte_graph *graph, struct rte_node *node)
{
	struct worker *worker = graph_owner();

	*wye_plugin_ctx(node) = (struct wye_plugin_ctx){ &worker->index, worker->stats->plugin_counter };
	return 0;
}

static int register_node(const struct wye_plugin_node *node, const struct point *point)
{
	struct rte_node_register *new = calloc(1, sizeof(*new) + (WYE_PLUGIN_NEXT + 1) * sizeof(new->next_nodes[0]));
	rte_node_t id;

	if (!new)
		return -ENOMEM;
	snprintf(new->name, sizeof(new->name), "%s", node->name);
	new->parent_id = RTE_NODE_ID_INVALID;
	new->process = node->process;
	new->init = plugin_node_init;
	new->nb_edges = WYE_PLUGIN_NEXT + 1;
	new->next_nodes[WYE_PLUGIN_PUNT] = point->each_port ? "drop" : "punt"; /* the kernel gets no rewritten packet */
	new->next_nodes[WYE_PLUGIN_DROP] = "drop";
	new->next_nodes[WYE_PLUGIN_NEXT] = point->target;
	id = __rte_node_register(new);
	free(new); /* all of it has been copied */
	return id == RTE_NODE_ID_INVALID ? -ENOMEM : 0;
}

static int bend(const char *from, rte_edge_t edge, const char *to)
{
	return rte_node_edge_update(rte_node_from_name(from), edge, &to, 1) == RTE_EDGE_ID_INVALID ? -ENOMEM : 0;
}

/* Puts `name` behind what is last at the point, before `target`. */
static int stand(const struct point *point, const char *last, rte_edge_t port, const char *name, const char *target)
{
	int error = bend(name, WYE_PLUGIN_NEXT, target);

	if (last[0])
		return error ? error : bend(last, WYE_PLUGIN_NEXT, name);
	for (const struct arc *arc = point->arcs; arc->from && !error; arc++)
		error = bend(arc->from, (rte_edge_t)(arc->edge + port), name);
	return error;
}

static int stand_at_port(const struct point *point, uint32_t port, const char *node)
{
	char suffix[16], name[RTE_NODE_NAMESIZE], target[RTE_NODE_NAMESIZE], last[RTE_NODE_NAMESIZE] = "";

	snprintf(suffix, sizeof(suffix), "%u", port);
	snprintf(name, sizeof(name), "%.24s-%u", node, port);
	snprintf(target, sizeof(target), "%s-%u", point->target, port);
	if (point->last[0])
		snprintf(last, sizeof(last), "%.24s-%u", point->last, port);
	if (rte_node_clone(rte_node_from_name(node), suffix) == RTE_NODE_ID_INVALID)
		return -ENOMEM;
	return stand(point, last, (rte_edge_t)port, name, target);
}

/* For ever, as DPDK keeps the node itself. */
static int register_trace(const struct wye_plugin_node *node)
{
	struct node_trace_entry *entry = node->trace ? malloc(sizeof(*entry)) : NULL;

	if (entry)
		node_trace_register(entry, node->name, node->trace);
	return node->trace && !entry ? -ENOMEM : 0;
}

int plugin_graph_add(struct dpd *dpd, const struct wye_plugin_node *node)
{
	struct point *point = point_named(node->point);
	int error = register_node(node, point);

	error = error ? error : register_trace(node);
	if (!error && !point->each_port)
		error = stand(point, point->last, 0, node->name, point->target);
	for (uint32_t p = 0; p < dpd->n_ports && point->each_port && !error; p++)
		error = stand_at_port(point, p, node->name);
	snprintf(point->last, sizeof(point->last), "%s", node->name);
	return error;
}
