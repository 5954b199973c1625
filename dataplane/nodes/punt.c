/* SPDX-License-Identifier: BSD-3-Clause */
/* punt: gives packets back to the kernel, in runs of one port and reason (punt.h). */
#include "node.h"

static uint16_t punt_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	struct worker *worker = node_ctx(node)->worker;
	struct rte_mbuf **packets = (struct rte_mbuf **)objs;
	uint16_t from = 0;

	while (from < nb_objs) {
		uint8_t reason = *node_reason(packets[from]);
		uint16_t to = from + 1;

		while (to < nb_objs && *node_reason(packets[to]) == reason && packets[to]->port == packets[from]->port)
			to++;
		punt_packets(worker, reason, packets + from, to - from);
		from = to;
	}
	return nb_objs;
}

struct punt_note {
	uint8_t reason;
	uint8_t port;		/* + 1, 0 = none of ours */
	uint8_t lost;		/* why it did not get there; NODE_OK: it did */
	uint64_t lost_before[2]; /* counts of the lost[] below */
};

static const uint8_t lost[2] = { WYE_REASON_PUNT_RATE, WYE_REASON_PUNT_QUEUE_FULL };

static void punt_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *to)
{
	struct punt_note *note = to;

	note->reason = *node_reason(packet);
	note->port = (uint8_t)dpd_port_of(worker->dpd, packet);
	for (uint32_t i = 0; i < RTE_DIM(lost); i++)
		note->lost_before[i] = count_of(worker, lost[i]);
}

static void punt_outcome(struct worker *worker, struct rte_node *node, void *to)
{
	struct punt_note *note = to;

	note->lost = NODE_OK;
	for (uint32_t i = 0; i < RTE_DIM(lost); i++)
		if (count_of(worker, lost[i]) != note->lost_before[i])
			note->lost = lost[i];
}

static void punt_tell(const struct dpd *dpd, const void *from, struct trace_fields *fields)
{
	const struct punt_note *note = from;

	trace_text(fields, "result", note->lost == NODE_OK ? "punted" : "dropped");
	trace_reason(fields, note->lost == NODE_OK ? note->reason : note->lost);
	if (note->port)
		trace_port(fields, dpd, note->port - 1u);
}

static const struct node_trace punt_trace = { .note = punt_note, .outcome = punt_outcome, .tell = punt_tell };

static struct rte_node_register punt_node = {
	.name = "punt",
	.process = punt_process,
	.init = node_init,
};
NODE_REGISTER(punt_node, punt_trace);
