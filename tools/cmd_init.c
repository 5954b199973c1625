/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show init: what wye-dpd started, in which order, and how long each took. */
#include "wye.h"

static const struct out_column columns[] = {
	{ "order", "#", true }, { "name", "INIT FUNCTION", false }, { "seconds", "SECONDS", true },
};

static int run(struct tool *tool, int argc, char **argv)
{
	int err = no_arguments(tool, argc, argv);
	const struct wye_stats *info;

	err = err ? err : view_stats(&tool->view);
	if (err)
		return err;
	info = tool->view.info;
	out_table(&tool->out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (uint32_t i = 0; i < info->n_inits; i++) {
		out_row(&tool->out);
		out_cell_uint(&tool->out, i + 1);
		out_cell_state(&tool->out, OUT_NAME, info->init[i].name);
		out_cell_real(&tool->out, (double)info->init[i].took_ns / 1e9, 6);
		out_row_end(&tool->out);
	}
	out_table_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_init = {
	.name = "init",
	.summary = "what wye-dpd started, in order, and how long each took",
	.arguments = "",
	.help = "The order follows from what each says it comes before or after. While wye-dpd starts, the list ends with what\n"
		"was started last: the next one is under way. At the end it is undone in reverse.\n",
	.run = run,
};
