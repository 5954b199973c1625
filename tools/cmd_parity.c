/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show parity: what keeps packets with the kernel because the dataplane would bypass it (promise 3). */
#include "names.h"
#include "wye.h"

static const struct out_column columns[] = {
	{ "scope", "SCOPE", false }, { "reason", "REASON", false }, { "text", "WHAT IT MEANS", false },
};

static void print_scope(struct out *out, const char *scope, uint32_t parity)
{
	for (uint32_t bit = 1; bit; bit <<= 1) {
		const char *name = "unknown";

		if (!(parity & bit))
			continue;
		names_parity(bit, &name, 1);
		out_row(out);
		out_cell_state(out, OUT_NAME, scope);
		out_cell_state(out, OUT_POOR, name);
		out_cell_str(out, text_parity(bit));
		out_row_end(out);
	}
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct view *view = &tool->view;
	struct out *out = &tool->out;
	int err = no_arguments(tool, argc, argv);
	uint32_t whole, any;

	err = err ? err : view_tables(view);
	if (err)
		return err;
	whole = any = atomic_load((_Atomic uint32_t *)&view->region->parity);
	for (size_t i = 0; i < view->n_links; i++)
		any |= view->links[i].parity;
	if (!any)
		out_puts(out, "nothing: the dataplane may forward on every link\n");
	if (!any && !out->json)
		return WYE_EXIT_OK;
	out_table(out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	print_scope(out, "all", whole);
	for (size_t i = 0; i < view->n_links; i++)
		print_scope(out, view->links[i].name, view->links[i].parity);
	out_table_end(out);
	return WYE_EXIT_OK;
}

const struct command cmd_parity = {
	.name = "parity",
	.summary = "kernel features that keep packets with the kernel, by link",
	.arguments = "",
	.help = "SCOPE is a link, or \"all\" for what holds for the whole namespace.\n",
	.run = run,
};
