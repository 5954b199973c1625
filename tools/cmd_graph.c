/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show graph: the dataplane's nodes and where each can send packets. */
#include <string.h>

#include "graph_draw.h"
#include "wye.h"

static const struct out_column columns[] = { { NULL, "NODE", false }, { NULL, "NEXT", false } };

static size_t next_of(const struct wye_stats *info, uint32_t node, const char **names)
{
	size_t n = 0;

	for (uint32_t i = 0; i < info->n_nodes; i++)
		if (graph_has_edge(info, node, i))
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

static void print_text(struct out *out, const struct wye_stats *info)
{
	const char *names[WYE_NODES_MAX];

	out_table(out, NULL, columns, 2);
	for (uint32_t i = 0; i < info->n_nodes; i++) {
		out_row(out);
		out_cell_state(out, OUT_NAME, info->node[i]);
		out_cell_list(out, names, next_of(info, i, names));
		out_row_end(out);
	}
	out_table_end(out);
}

static const struct {
	const char *name;	/* "" = none given */
	bool json;
	void (*print)(struct out *out, const struct wye_stats *info);
} forms[] = {
	{ "", false, print_text }, { "", true, print_json }, { "dot", false, graph_draw_dot }, { "svg", false, graph_draw_svg },
};

static int run(struct tool *tool, int argc, char **argv)
{
	const char *name = argc ? argv[0] : "";
	int err = argc > 1 ? no_arguments(tool, argc - 1, argv + 1) : WYE_EXIT_OK;

	for (size_t i = 0; !err && i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(forms[i].name, name) || forms[i].json != tool->out.json)
			continue;
		err = view_stats(&tool->view);
		if (!err)
			forms[i].print(&tool->out, tool->view.info);
		return err;
	}
	return err ? err : usage_error(tool, "form \"%s\": dot or svg, without -j", name);
}

const struct command cmd_graph = {
	.name = "graph",
	.summary = "nodes of the dataplane's graph and the edges between them",
	.arguments = "[dot | svg]",
	.help = "dot: for graphviz; svg: a picture. JSON: {\"nodes\": [...], \"edges\": [{\"from\", \"to\"}]}.\n",
	.run = run,
};
