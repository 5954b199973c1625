/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show graph: the dataplane's nodes and where each can send packets. */
#include "wye.h"

static const struct out_column columns[] = { { NULL, "NODE", false }, { NULL, "NEXT", false } };

static size_t next_of(const struct wye_stats *info, uint32_t node, const char **names)
{
	size_t n = 0;

	for (uint32_t i = 0; i < info->n_nodes; i++)
		if (info->node_next[node][i / 32] & 1u << i % 32)
			names[n++] = info->node[i];
	return n;
}

static void print_json(struct out *out, const struct wye_stats *info)
{
	const char *names[WYE_NODES_MAX];

	out_object(out, NULL);
	out_array(out, "nodes");
	for (uint32_t i = 0; i < info->n_nodes; i++)
		out_str(out, NULL, info->node[i]);
	out_array_end(out);
	out_array(out, "edges");
	for (uint32_t i = 0; i < info->n_nodes; i++) {
		size_t n = next_of(info, i, names);

		for (size_t e = 0; e < n; e++) {
			out_object(out, NULL);
			out_str(out, "from", info->node[i]);
			out_str(out, "to", names[e]);
			out_object_end(out);
		}
	}
	out_array_end(out);
	out_object_end(out);
}

static int run(struct tool *tool, int argc, char **argv)
{
	const char *names[WYE_NODES_MAX];
	const struct wye_stats *info;
	struct out *out = &tool->out;
	int err = no_arguments(tool, argc, argv);

	err = err ? err : view_stats(&tool->view);
	if (err)
		return err;
	info = tool->view.info;
	if (out->json) {
		print_json(out, info);
		return WYE_EXIT_OK;
	}
	out_table(out, NULL, columns, 2);
	for (uint32_t i = 0; i < info->n_nodes; i++) {
		out_row(out);
		out_cell_state(out, OUT_NAME, info->node[i]);
		out_cell_list(out, names, next_of(info, i, names));
		out_row_end(out);
	}
	out_table_end(out);
	return WYE_EXIT_OK;
}

const struct command cmd_graph = {
	.name = "graph",
	.summary = "nodes of the dataplane's graph and the edges between them",
	.arguments = "",
	.help = "JSON: {\"nodes\": [...], \"edges\": [{\"from\", \"to\"}]}.\n",
	.run = run,
};
