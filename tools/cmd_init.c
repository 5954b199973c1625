/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show init: what wye-dpd started, what a reload changes, in which order, and how long each took. */
#include "wye.h"

static const struct out_column init_columns[] = {
	{ "order", "#", true }, { "name", "INIT FUNCTION", false }, { "seconds", "SECONDS", true },
};
static const struct out_column section_columns[] = {
	{ "order", "#", true }, { "name", "SECTION", false }, { "change", "CHANGES", false }, { "seconds", "SECONDS", true },
};

static void print_inits(struct out *out, const struct wye_stats *info)
{
	out_table(out, "inits", init_columns, sizeof(init_columns) / sizeof(init_columns[0]));
	for (uint32_t i = 0; i < info->n_inits; i++) {
		out_row(out);
		out_cell_uint(out, i + 1);
		out_cell_state(out, OUT_NAME, info->init[i].name);
		out_cell_real(out, (double)info->init[i].took_ns / 1e9, 6);
		out_row_end(out);
	}
	out_table_end(out);
}

static const char *change_name(uint32_t change)
{
	static const char *const name[] = {
		[WYE_CONFIG_RESTART] = "at a restart", [WYE_CONFIG_WAITS] = "waits for a restart",
		[WYE_CONFIG_RELOAD] = "at once", [WYE_CONFIG_CTLD] = "wye-ctld's",
	};

	return change <= WYE_CONFIG_CTLD ? name[change] : NULL;
}

static void print_sections(struct out *out, const struct wye_stats *info)
{
	out_table(out, "sections", section_columns, sizeof(section_columns) / sizeof(section_columns[0]));
	for (uint32_t i = 0; i < info->n_config_sections; i++) {
		const struct wye_config_info *section = &info->config_section[i];

		out_row(out);
		out_cell_uint(out, i + 1);
		out_cell_state(out, OUT_NAME, section->name);
		out_cell_state(out, section->change == WYE_CONFIG_WAITS ? OUT_POOR : OUT_PLAIN, change_name(section->change));
		if (section->took_ns)
			out_cell_real(out, (double)section->took_ns / 1e9, 6);
		else
			out_cell_none(out);
		out_row_end(out);
	}
	out_table_end(out);
}

static int run(struct tool *tool, int argc, char **argv)
{
	int err = no_arguments(tool, argc, argv);

	err = err ? err : view_stats(&tool->view);
	if (err)
		return err;
	out_object(&tool->out, NULL);
	print_inits(&tool->out, tool->view.info);
	out_puts(&tool->out, "\n");
	print_sections(&tool->out, tool->view.info);
	out_object_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_init = {
	.name = "init",
	.summary = "what wye-dpd started and what a reload changes, in order, and how long each took",
	.arguments = "",
	.help = "The order follows from what each says it comes before or after. While wye-dpd starts, the first list ends\n"
		"with what was started last: the next one is under way. At the end it is undone in reverse. Sections of\n"
		"wye.yaml are changed by a reload in the order of the second list, and changed back in reverse when a later\n"
		"one is refused.\n",
	.run = run,
};
