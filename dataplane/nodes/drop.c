/* SPDX-License-Identifier: BSD-3-Clause */
/* drop: counts each packet under its reason and frees it. */
#include "node.h"

static uint16_t drop_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	struct worker *worker = node_ctx(node)->worker;

	for (uint16_t i = 0; i < nb_objs; i++) {
		count_reason(worker, *node_reason(objs[i]), 1);
		if (unlikely(worker->plan->captures_leaving))
			capture_left(worker, *node_reason(objs[i]), (struct rte_mbuf **)&objs[i], 1);
	}
	rte_pktmbuf_free_bulk((struct rte_mbuf **)objs, nb_objs);
	return nb_objs;
}

static void drop_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *note)
{
	*(uint8_t *)note = *node_reason(packet);
}

static void drop_tell(const struct dpd *dpd, const void *note, struct trace_fields *fields)
{
	trace_text(fields, "result", "dropped");
	trace_reason(fields, *(const uint8_t *)note);
}

static const struct node_trace drop_trace = { .note = drop_note, .tell = drop_tell };

static struct rte_node_register drop_node = {
	.name = "drop",
	.process = drop_process,
	.init = node_init,
};
NODE_REGISTER(drop_node, drop_trace);
