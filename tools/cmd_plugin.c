/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show plugin: which plugins wye-dpd has loaded or refused, and what they count. */
#include <string.h>

#include "counters.h"
#include "wye.h"

static const struct out_column plugin_columns[] = {
	{ "name", "PLUGIN", false }, { "state", "STATE", false }, { "version", "VERSION", false },
	{ "summary", "WHAT", false }, { "detail", "DETAIL", false },
};
static const struct out_column counter_columns[] = {
	{ "plugin", "PLUGIN", false }, { "name", "COUNTER", false }, { "value", "VALUE", true }, { "text", "WHAT", false },
};

static uint64_t counter_sum(const struct wye_stats *stats, uint32_t counter)
{
	uint64_t sum = 0;

	for (uint32_t t = 0; t < THREADS; t++)
		sum += counter_get(&stats->worker[t].plugin_counter[counter]);
	return sum;
}

static bool wanted(const char *only, const struct wye_plugin_info *plugin)
{
	return !only || !strcmp(only, plugin->name);
}

static void print_plugins(struct tool *tool, const char *only)
{
	const struct wye_stats *info = tool->view.info;
	struct out *out = &tool->out;

	out_table(out, "plugins", plugin_columns, sizeof(plugin_columns) / sizeof(plugin_columns[0]));
	for (uint32_t i = 0; i < info->n_plugins; i++) {
		const struct wye_plugin_info *plugin = &info->plugin[i];
		bool runs = plugin->state == WYE_PLUGIN_RUNS;

		if (!wanted(only, plugin))
			continue;
		out_row(out);
		out_cell_state(out, OUT_NAME, plugin->name);
		out_cell_state(out, runs ? OUT_GOOD : OUT_BAD, runs ? "runs" : "refused");
		out_cell_str(out, plugin->version);
		out_cell_str(out, plugin->summary);
		out_cell_str(out, plugin->detail);
		out_row_end(out);
	}
	out_table_end(out);
}

static void print_counters(struct tool *tool, const char *only)
{
	const struct wye_stats *info = tool->view.info;
	struct out *out = &tool->out;

	out_puts(out, "\n");
	out_table(out, "counters", counter_columns, sizeof(counter_columns) / sizeof(counter_columns[0]));
	for (uint32_t i = 0; i < info->n_plugin_counters; i++) {
		const struct wye_plugin_counter_info *counter = &info->plugin_counter[i];

		if (counter->plugin >= info->n_plugins || !wanted(only, &info->plugin[counter->plugin]) ||
		    info->plugin[counter->plugin].state != WYE_PLUGIN_RUNS)
			continue;
		out_row(out);
		out_cell_state(out, OUT_NAME, info->plugin[counter->plugin].name);
		out_cell_str(out, counter->name);
		out_cell_uint(out, counter_sum(tool->view.stats, i));
		out_cell_str(out, counter->text);
		out_row_end(out);
	}
	out_table_end(out);
}

static int run(struct tool *tool, int argc, char **argv)
{
	const char *only = argc ? argv[0] : NULL;
	bool found = !only;
	int err;

	if (argc > 1)
		return usage_error(tool, "argument \"%s\"", argv[1]);
	err = view_stats(&tool->view);
	if (err)
		return err;
	for (uint32_t i = 0; i < tool->view.info->n_plugins; i++)
		found |= wanted(only, &tool->view.info->plugin[i]);
	if (!found)
		return failure(tool, WYE_EXIT_NOT_FOUND, "plugin \"%s\": wye-dpd's configuration lists none of this name", only);
	out_object(&tool->out, NULL);
	print_plugins(tool, only);
	print_counters(tool, only);
	out_object_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_plugin = {
	.name = "plugin",
	.summary = "plugins of wye-dpd, and what they count",
	.arguments = "[NAME]",
	.help = "A plugin that is refused says why; wye-dpd runs without it.\n",
	.run = run,
};
