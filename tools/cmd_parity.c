/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show parity: what keeps packets with the kernel because the dataplane would bypass it (promise 3). */
#include <time.h>

#include "names.h"
#include "wye.h"

static const struct out_column columns[] = {
	{ "scope", "SCOPE", false }, { "families", "FAMILIES", false }, { "reason", "REASON", false },
	{ "where", "FOUND", false }, { "since", "SINCE", false },	{ "effect", "EFFECT", false },
	{ "override", NULL, false },
};

static void cell_families(struct out *out, uint32_t parity)
{
	const char *families[2];
	size_t n = 0;

	if (parity & WYE_PARITY_IP4)
		families[n++] = "inet";
	if (parity & WYE_PARITY_IP6)
		families[n++] = "inet6";
	out_cell_list(out, families, n);
}

static void cell_time(struct out *out, uint64_t since_ns)
{
	time_t since_s = (time_t)(since_ns / 1000000000u);
	struct tm when;
	char text[32];

	if (localtime_r(&since_s, &when) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &when))
		out_cell_str(out, text);
	else
		out_cell_none(out);
}

static void print(struct out *out, const char *scope, uint32_t reason, const struct wye_parity_find *find)
{
	const char *name = "unknown";
	char override[64];

	names_parity(reason, &name, 1);
	out_row(out);
	out_cell_state(out, OUT_NAME, scope);
	cell_families(out, find->families);
	out_cell_state(out, find->ignored ? OUT_PLAIN : OUT_POOR, name);
	out_cell_str(out, find->where);
	if (find->since_ns)
		cell_time(out, find->since_ns);
	else
		out_cell_none(out);
	out_cell_state(out, find->ignored ? OUT_PLAIN : OUT_POOR, find->ignored ? "ignored" : "kernel");
	snprintf(override, sizeof(override), "parity: { %s: ignore }", name);
	out_cell_str(out, reason == WYE_PARITY_CAPACITY ? NULL : override);
	out_row_end(out);
}

static const char *scope_name(const struct view *view, uint32_t ifindex, char *buf)
{
	return ifindex ? view_link_name(view, ifindex, buf) : "all";
}

/* What holds without a finding that says why: the records are full, or one could not be read. */
static size_t print_rest(struct view *view, struct out *out, uint32_t ifindex, uint32_t parity, uint32_t explained)
{
	char buf[WYE_NAME_BYTES];
	size_t n = 0;

	parity &= ~explained;
	for (uint32_t bit = 1; bit <= WYE_PARITY_IP4; bit <<= 1) {
		struct wye_parity_find find = { .families = (parity & bit ? WYE_PARITY_IP4 : 0) |
							    (parity & bit << 16 ? WYE_PARITY_IP6 : 0) };

		if (!find.families)
			continue;
		print(out, scope_name(view, ifindex, buf), bit, &find);
		n++;
	}
	return n;
}

/* The findings of one scope. */
static size_t print_scope(struct view *view, struct out *out, uint32_t ifindex, uint32_t parity)
{
	uint32_t used = view_used(view, WYE_SECTION_PARITY), explained = 0;
	char buf[WYE_NAME_BYTES];
	size_t n = 0;

	for (uint32_t i = 1; i < used; i++) {
		const struct wye_parity_find *record = view_record(view, WYE_SECTION_PARITY, i);
		struct wye_parity_find find;

		if (!record || !view_read(view, &record->seq, record, &find, sizeof(find)) || !find.reason ||
		    find.ifindex != ifindex)
			continue;
		find.where[sizeof(find.where) - 1] = '\0';
		explained |= wye_parity_bits(find.reason, find.families);
		print(out, scope_name(view, ifindex, buf), find.reason, &find);
		n++;
	}
	return n + print_rest(view, out, ifindex, parity, explained);
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct view *view = &tool->view;
	struct out *out = &tool->out;
	int err = no_arguments(tool, argc, argv);
	size_t n;

	err = err ? err : view_tables(view);
	if (err)
		return err;
	out_table(out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	n = print_scope(view, out, 0, atomic_load((_Atomic uint32_t *)&view->region->parity));
	for (size_t i = 0; i < view->n_links; i++)
		n += print_scope(view, out, view->links[i].ifindex, view->links[i].parity);
	out_table_end(out);
	out_puts(out, n ? "A scope is given to the dataplane all the same by parity: { REASON: ignore } in wye.yaml(5).\n" :
		 "nothing: the dataplane may forward on every link\n");
	return WYE_EXIT_OK;
}

const struct command cmd_parity = {
	.name = "parity",
	.summary = "kernel features that keep packets with the kernel, by link",
	.arguments = "",
	.help = "SCOPE is a link, or \"all\" for what holds for the whole namespace. EFFECT: the kernel has these packets,\n"
		"or the configuration ignores what was found.\n",
	.run = run,
};
