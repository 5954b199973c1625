/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show nexthop: what routes lead to, rewrite included. The ids are wye's own; `nhid` is the kernel object's. */
#include <stdlib.h>
#include <string.h>

#include "link_object.h"
#include "names.h"
#include "route.h"

static const struct out_column columns[] = {
	{ "id", "ID", true }, { "kind", "KIND", false }, { "nhid", "NHID", true }, { "gateway", "GATEWAY", false },
	{ "dev", "DEV", false }, { "mtu", "MTU", true }, { "lladdr", "LLADDR", false }, { NULL, "GROUP", false },
	{ "flags", "FLAGS", false },
};

struct filter {
	uint32_t id, ifindex;
	const char *device;
};

static int parse(struct tool *tool, int argc, char **argv, struct filter *filter)
{
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *value = argument(tool, argc, argv, &i);
		char *end;

		if (!value)
			return WYE_EXIT_USAGE;
		if (!strcmp(word, "id")) {
			filter->id = (uint32_t)strtoul(value, &end, 10);
			if (*end || !filter->id)
				return usage_error(tool, "id \"%s\": a number from 1", value);
		} else if (!strcmp(word, "dev")) {
			filter->device = value;
		} else {
			return usage_error(tool, "argument \"%s\"", word);
		}
	}
	return WYE_EXIT_OK;
}

/* Destination of the rewrite. */
static const char *lladdr_text(const struct leg *leg, char *buf)
{
	if (leg->kind != WYE_NH_FORWARD || leg->rewrite_len < 14)
		return NULL;
	return link_address(0, leg->rewrite, 6, buf);
}

static void print_group(struct out *out, const struct leg *legs, size_t n)
{
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < n && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u*%u", i ? "," : "", legs[i].id,
					legs[i].buckets);
	out_cell_str(out, text);
	if (!out->json)
		return;
	out_array(out, "group");
	for (size_t i = 0; i < n; i++) {
		out_object(out, NULL);
		out_uint(out, "id", legs[i].id);
		out_uint(out, "weight", legs[i].weight);
		out_uint(out, "buckets", legs[i].buckets);
		out_object_end(out);
	}
	out_array_end(out);
}

static void print_cells(struct tool *tool, const struct leg *leg)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	out_cell_str(out, leg && leg->family ? name_address(leg->family, leg->gateway, buf) : NULL);
	out_cell_state(out, OUT_NAME, leg && leg->ifindex ? view_link_name(&tool->view, leg->ifindex, buf) : NULL);
	if (leg && leg->mtu_bytes)
		out_cell_uint(out, leg->mtu_bytes);
	else
		out_cell_none(out);
	out_cell_str(out, leg ? lladdr_text(leg, buf) : NULL);
}

static void print(struct tool *tool, uint32_t id, const struct filter *filter)
{
	struct leg legs[LEGS_MAX];
	const char *flags[8];
	struct out *out = &tool->out;
	uint32_t kernel_id;
	uint8_t kind;
	size_t n = route_legs(&tool->view, id, legs, LEGS_MAX, &kind, &kernel_id);
	bool group = kind == WYE_NH_GROUP;

	if (kind == WYE_NH_NONE || (filter->ifindex && (group || legs[0].ifindex != filter->ifindex)))
		return;
	out_row(out);
	out_cell_uint(out, id);
	out_cell_state(out, kind == WYE_NH_UNRESOLVED || kind == WYE_NH_DOWN ? OUT_POOR : OUT_GOOD,
		       name_nexthop_kind(kind));
	if (kernel_id)
		out_cell_uint(out, kernel_id);
	else
		out_cell_none(out);
	print_cells(tool, n && !group ? &legs[0] : NULL);
	if (group)
		print_group(out, legs, n);
	else
		out_cell_none(out);
	out_cell_list(out, flags, n && !group ? names_nexthop_flags(legs[0].flags, flags, 8) : 0);
	out_row_end(out);
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct filter filter = { 0 };
	int err = parse(tool, argc, argv, &filter);
	uint32_t used;

	err = err ? err : view_tables(&tool->view);
	if (err)
		return err;
	if (filter.device && !(filter.ifindex = find_device(tool, filter.device)))
		return WYE_EXIT_NOT_FOUND;
	used = view_used(&tool->view, WYE_SECTION_NEXTHOP_SLOT);
	if (filter.id && (filter.id >= used || !view_word(&tool->view, WYE_SECTION_NEXTHOP_SLOT, filter.id)))
		return failure(tool, WYE_EXIT_NOT_FOUND, "id %u: not in use", filter.id);
	out_table(&tool->out, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (uint32_t id = filter.id ? filter.id : 1; id < (filter.id ? filter.id + 1 : used); id++) {
		view_enter(&tool->view);
		print(tool, id, &filter);
		view_leave(&tool->view);
	}
	out_table_end(&tool->out);
	return WYE_EXIT_OK;
}

const struct command cmd_nexthop = {
	.name = "nexthop",
	.summary = "nexthops with their rewrites, as the dataplane uses them",
	.arguments = "[id N] [dev NAME]",
	.help = "ID is wye's own; NHID the kernel's nexthop object, where there is one. GROUP: id*buckets, the\n"
		"shares by which flows are spread.\n",
	.run = run,
};
