/* SPDX-License-Identifier: BSD-3-Clause */
/* punt: gives packets back to the kernel, in runs of one reason (punt.h). */
#include "node.h"

static uint16_t punt_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	struct worker *worker = node_ctx(node)->worker;
	struct rte_mbuf **packets = (struct rte_mbuf **)objs;
	uint16_t from = 0;

	while (from < nb_objs) {
		uint8_t reason = *node_reason(packets[from]);
		uint16_t to = from + 1;

		while (to < nb_objs && *node_reason(packets[to]) == reason)
			to++;
		punt_packets(worker, reason, packets + from, to - from);
		from = to;
	}
	return nb_objs;
}

static struct rte_node_register punt_node = {
	.name = "punt",
	.process = punt_process,
	.init = node_init,
};
RTE_NODE_REGISTER(punt_node);
