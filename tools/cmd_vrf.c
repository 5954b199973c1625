/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show vrf: the routing views a packet can be looked up in. */
#include "names.h"
#include "wye.h"

static const struct out_column columns[] = {
	{ "vrf", "VRF", true }, { "name", "NAME", false }, { "table", "TABLE", false }, { "ifindex", "IFINDEX", true },
	{ "links", "LINKS", false },
};

static size_t links_of(const struct view *view, uint32_t vrf, const char **names, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_links && n < max; i++)
		if (view->links[i].vrf == vrf)
			names[n++] = view->links[i].name;
	return n;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct view *view = &tool->view;
	struct out *out = &tool->out;
	const char *names[256];
	char buf[WYE_NAME_BYTES], link_buf[WYE_NAME_BYTES];
	int err = no_arguments(tool, argc, argv);

	err = err ? err : view_tables(view);
	if (err)
		return err;
	out_table(out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	view_enter(view);
	for (uint32_t i = 1; i < view_used(view, WYE_SECTION_VRF); i++) {
		const struct wye_vrf *vrf = view_record(view, WYE_SECTION_VRF, i);

		if (!vrf->table)
			continue;
		out_row(out);
		out_cell_uint(out, i);
		out_cell_state(out, OUT_NAME, vrf->ifindex ? view_link_name(view, vrf->ifindex, link_buf) : "main");
		out_cell_str(out, name_table(vrf->table, buf));
		out_cell_uint(out, vrf->ifindex);
		out_cell_list(out, names, links_of(view, i, names, 256));
		out_row_end(out);
	}
	view_leave(view);
	out_table_end(out);
	return WYE_EXIT_OK;
}

const struct command cmd_vrf = {
	.name = "vrf",
	.summary = "routing views: the main one and each VRF, with their links",
	.arguments = "",
	.help = "The main view is the tables local, main and default as the kernel's default rules ask them.\n",
	.run = run,
};
