/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show steer: the rules as they run, what each took, and what the guards kept with the kernel. */
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "wye.h"
#include "wye_config.h"
#include "wye_steer.h"

static const struct out_column rule_columns[] = {
	{ "index", "#", true }, { "name", "RULE", false }, { "action", "ACTION", false },
	{ "packets", "PACKETS", true }, { "by", "BY", false }, { "wanted", "WANTED", true }, { "installed", "INSTALLED", true },
	{ "match", "MATCH", false }, { "line", "LINE", true },
};
static const struct out_column counter_columns[] = {
	{ NULL, "COUNTER", false }, { NULL, "PACKETS", true }, { NULL, "WHAT", false },
};
static const char *const counter_names[] = {
#define X(name, text) #name,
	WYE_STEER_COUNTERS(X)
#undef X
};
static const char *const counter_texts[] = {
#define X(name, text) text,
	WYE_STEER_COUNTERS(X)
#undef X
};
#define COUNTERS ((uint32_t)WYE_STEER_COUNTER_COUNT)
_Static_assert(WYE_STEER_COUNTER_COUNT <= WYE_STEER_COUNTERS_MAX, "the stats file has room for all");

static const char *action_name(uint32_t action)
{
	return action == WYE_ACTION_DATAPLANE ? "dataplane" : "kernel";
}

/* The backends of the ports, each once: "xdp, rte_flow"; of one port, if only >= 0. */
static const char *backends(const struct wye_stats *info, int only, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < info->n_ports && i < WYE_PORTS_MAX; i++) {
		const char *backend = info->port[i].backend;

		if ((only < 0 || (uint32_t)only == i) && !strstr(text, backend) && at < size)
			at += (size_t)snprintf(text + at, size - at, "%s%s", at ? ", " : "", backend);
	}
	return text;
}

/* By what, where it is to be in force, and where it is. */
static void force_cells(struct out *out, const struct tool *tool, uint32_t rule, int in_port)
{
	const struct wye_stats *stats = tool->view.stats;
	char by[64];

	out_cell_str(out, backends(tool->view.info, in_port, by, sizeof(by)));
	out_cell_uint(out, atomic_load_explicit(&stats->rule_wanted[rule], memory_order_relaxed));
	out_cell_uint(out, atomic_load_explicit(&stats->rule_installed[rule], memory_order_relaxed));
}

static void default_row(struct out *out, const struct tool *tool)
{
	out_row(out);
	out_cell_none(out);
	out_cell_state(out, OUT_NAME, "default");
	out_cell_str(out, action_name(tool->view.info->default_action));
	out_cell_uint(out, counter_get(&tool->view.stats->rule_packets[WYE_RULES_MAX]));
	force_cells(out, tool, WYE_RULES_MAX, -1);
	out_cell_str(out, "what no rule matches");
	out_cell_none(out);
	out_row_end(out);
}

static void print_rules(struct tool *tool)
{
	const struct wye_stats *stats = tool->view.stats, *info = tool->view.info;
	struct out *out = &tool->out;
	char by[64];

	backends(info, -1, by, sizeof(by));
	if (out->json)
		out_str(out, "backends", by);
	else
		out_printf(out, "steered by %s\n", by[0] ? by : "nothing yet");

	out_table(out, "rules", rule_columns, sizeof(rule_columns) / sizeof(rule_columns[0]));
	for (uint32_t i = 0; i < info->n_rules; i++) {
		const struct wye_rule_info *rule = &info->rule[i];

		out_row(out);
		out_cell_uint(out, i);
		out_cell_state(out, OUT_NAME, rule->name);
		out_cell_str(out, action_name(rule->action));
		out_cell_uint(out, counter_get(&stats->rule_packets[i]));
		force_cells(out, tool, i, rule->in_port);
		out_cell_str(out, rule->match[0] ? rule->match : "everything");
		out_cell_uint(out, rule->line);
		out_row_end(out);
	}
	if (!out->json)
		default_row(out, tool);
	out_table_end(out);
	out_object(out, "default");
	out_str(out, "action", action_name(info->default_action));
	out_uint(out, "packets", counter_get(&stats->rule_packets[WYE_RULES_MAX]));
	out_uint(out, "wanted", atomic_load_explicit(&stats->rule_wanted[WYE_RULES_MAX], memory_order_relaxed));
	out_uint(out, "installed", atomic_load_explicit(&stats->rule_installed[WYE_RULES_MAX], memory_order_relaxed));
	out_object_end(out);
}

static void lower(const char *from, char *to, size_t size)
{
	size_t i;

	for (i = 0; from[i] && i + 1 < size; i++)
		to[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] + 'a' - 'A' : from[i]);
	to[i] = '\0';
}

static void print_counters(struct tool *tool, bool all)
{
	const struct wye_stats *stats = tool->view.stats;
	struct out *out = &tool->out;
	char name[32];

	out_puts(out, "\n");
	out_object(out, "xdp");
	for (uint32_t i = 0; out->json && i < COUNTERS; i++) {
		lower(counter_names[i], name, sizeof(name));
		out_uint(out, name, counter_get(&stats->steer_counter[i]));
	}
	out_object_end(out);
	if (out->json)
		return;
	out_table(out, NULL, counter_columns, sizeof(counter_columns) / sizeof(counter_columns[0]));
	for (uint32_t i = 0; i < COUNTERS; i++) {
		uint64_t packets = counter_get(&stats->steer_counter[i]);

		if (!packets && !all)
			continue;
		lower(counter_names[i], name, sizeof(name));
		out_row(out);
		out_cell_str(out, name);
		out_cell_uint(out, packets);
		out_cell_str(out, counter_texts[i]);
		out_row_end(out);
	}
	out_table_end(out);
}

static int run(struct tool *tool, int argc, char **argv)
{
	bool all = argc && !strcmp(argv[0], "--all");
	int err;

	if (argc > all)
		return usage_error(tool, "argument \"%s\"", argv[all]);
	err = view_stats(&tool->view);
	if (err)
		return err;
	out_object(&tool->out, NULL);
	print_rules(tool);
	print_counters(tool, all);
	out_object_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_steer = {
	.name = "steer",
	.summary = "steering rules as they run, with their packets, and the guards' counters",
	.arguments = "[--all]",
	.help = "The first rule that matches decides, after the guards that always keep a packet with the kernel. BY: what\n"
		"steers the ports that a rule is about. WANTED and INSTALLED: flow entries asked for and on the devices, with\n"
		"rte_flow; else ports that are to have the rule, and have it in force. Packets that a device keeps with the kernel\n"
		"are counted where it can. The counters below the rules are copied about once a second; --all shows zeros too.\n",
	.run = run,
};
