/* SPDX-License-Identifier: BSD-3-Clause */
/* wye lookup: route, nexthop, neighbour, rewrite, egress and verdict for an address, and why. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "link_object.h"
#include "lookup.h"
#include "names.h"

struct request {
	struct lookup_query query;
	const char *vrf, *table, *device;
};

/* ---- arguments ---- */

static int parse_address(const struct tool *tool, const char *text, uint8_t *family, uint8_t *bytes)
{
	uint8_t of = strchr(text, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(of, text, bytes) != 1)
		return usage_error(tool, "\"%s\": not an address", text);
	if (*family && *family != of)
		return usage_error(tool, "\"%s\": the other address is of the other family", text);
	*family = of;
	return WYE_EXIT_OK;
}

static int parse_protocol(const struct tool *tool, const char *text, struct lookup_query *query)
{
	const struct protoent *known = getprotobyname(text);
	char *rest;
	unsigned long number = strtoul(text, &rest, 10);

	query->has_proto = true;
	query->ip_proto = (uint8_t)(known ? (unsigned long)known->p_proto : number);
	if (known || (!*rest && rest != text && *text != '-' && number <= 255))
		return WYE_EXIT_OK;
	return usage_error(tool, "ipproto \"%s\": a number to 255, or a name of /etc/protocols", text);
}

static int parse_port(const struct tool *tool, const char *word, const char *text, uint16_t *port)
{
	char *rest;
	unsigned long number = strtoul(text, &rest, 10);

	*port = (uint16_t)number;
	if (!*rest && rest != text && *text != '-' && number <= 65535)
		return WYE_EXIT_OK;
	return usage_error(tool, "%s \"%s\": ports are 0 to 65535", word, text);
}

static int parse_pair(struct tool *tool, const char *word, const char *value, struct request *request)
{
	struct lookup_query *query = &request->query;

	if (!strcmp(word, "ipproto"))
		return parse_protocol(tool, value, query);
	if (!strcmp(word, "sport") || !strcmp(word, "dport"))
		return parse_port(tool, word, value, *word == 's' ? &query->sport : &query->dport);
	if (!strcmp(word, "vrf"))
		request->vrf = value;
	else if (!strcmp(word, "table"))
		request->table = value;
	else if (!strcmp(word, "iif") || !strcmp(word, "dev"))
		request->device = value;
	else if (strcmp(word, "from"))
		return usage_error(tool, "argument \"%s\"", word);
	else
		query->has_src = true;
	return query->has_src && !strcmp(word, "from") ? parse_address(tool, value, &query->family, query->src) :
							 WYE_EXIT_OK;
}

static int parse(struct tool *tool, int argc, char **argv, struct request *request)
{
	int err;

	if (!argc)
		return usage_error(tool, "which address?");
	err = parse_address(tool, argv[0], &request->query.family, request->query.dst);
	for (int i = 1; i < argc && !err; i++) {
		const char *word = argv[i], *value = argument(tool, argc, argv, &i);

		err = value ? parse_pair(tool, word, value, request) : WYE_EXIT_USAGE;
	}
	return err;
}

static uint32_t vrf_of_table(const struct view *view, uint32_t table)
{
	for (uint32_t i = 1; i < view_used(view, WYE_SECTION_VRF); i++) {
		const struct wye_vrf *vrf = view_record(view, WYE_SECTION_VRF, i);

		if (vrf->table == table)
			return i;
	}
	return 0;
}

static int resolve(struct tool *tool, struct request *request)
{
	struct view *view = &tool->view;
	const struct wye_link *vrf;
	uint32_t table;

	request->query.vrf = WYE_VRF_MAIN;
	if (request->device) {
		if (!find_device(tool, request->device))
			return WYE_EXIT_NOT_FOUND;
		request->query.in = view_link_named(view, request->device);
		if (view_record(view, WYE_SECTION_VRF, request->query.in->vrf))
			request->query.vrf = request->query.in->vrf;
	}
	if (request->table) {
		if (!number_of_table(request->table, &table))
			return usage_error(tool, "table \"%s\": a number, or a name of rt_tables", request->table);
		request->query.vrf = vrf_of_table(view, table);
	}
	if (request->vrf && strcmp(request->vrf, "main") && strcmp(request->vrf, "default")) {
		vrf = view_link_named(view, request->vrf);
		request->query.vrf = vrf && !strcmp(vrf->kind, "vrf") ? vrf_of_table(view, vrf->table) : 0;
	}
	if (request->query.vrf)
		return WYE_EXIT_OK;
	return failure(tool, WYE_EXIT_NOT_FOUND, "%s \"%s\": no packet is looked up there (wye show vrf)",
		       request->vrf ? "vrf" : "table", request->vrf ? request->vrf : request->table);
}

/* ---- words ---- */

static const char *verdict_word(uint32_t reason)
{
	if (reason == LOOKUP_FORWARD)
		return "dataplane";
	if (reason == LOOKUP_MIXED)
		return "mixed";
	return wye_reason_verdict[reason] == WYE_VERDICT_DROP ? "drop" : "kernel";
}

static const char *verdict_text(uint32_t reason)
{
	if (reason == LOOKUP_FORWARD)
		return "forwarded";
	return reason == LOOKUP_MIXED ? "depends on the flow: see each path" : wye_reason_text[reason];
}

static enum out_colour verdict_colour(uint32_t reason)
{
	if (reason == LOOKUP_FORWARD)
		return OUT_GOOD;
	return reason != LOOKUP_MIXED && wye_reason_verdict[reason] == WYE_VERDICT_DROP ? OUT_BAD : OUT_POOR;
}

static const char *mac_text(const uint8_t *mac, char *buf)
{
	return link_address(0, mac, 6, buf);
}

static const char *neigh_state(const struct wye_neigh *neigh)
{
	const char *name;

	return names_neigh_states(neigh->nud_state, &name, 1) ? name : "NONE";
}

/* What none of the tables tells: is there a dataplane at all? */
static const char *note_of(const struct view *view)
{
	struct view_daemon dpd = view_dpd(view);

	if (!dpd.alive)
		return "wye-dpd is not running: the kernel forwards";
	return dpd.hung ? "wye-dpd hangs: the kernel forwards" : NULL;
}

/* ---- JSON ---- */

static void json_verdict(struct out *out, uint32_t reason)
{
	out_str(out, "verdict", verdict_word(reason));
	if (reason < WYE_REASON_COUNT)
		out_str(out, "reason", wye_reason_name[reason]);
	out_str(out, "text", verdict_text(reason));
}

static void json_neighbour(struct tool *tool, const struct lookup_leg *leg)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	if (!leg->has_neigh)
		return;
	out_object(out, "neighbour");
	out_str(out, "dst", name_address(leg->neigh.family, leg->neigh.addr, buf));
	out_str(out, "dev", view_link_name(&tool->view, leg->neigh.ifindex, buf));
	if (leg->neigh.lladdr_len)
		out_str(out, "lladdr", link_address(0, leg->neigh.lladdr, leg->neigh.lladdr_len, buf));
	out_array(out, "state");
	out_str(out, NULL, neigh_state(&leg->neigh));
	out_array_end(out);
	out_object_end(out);
}

static void json_leg(struct tool *tool, const struct lookup_leg *leg, bool group, bool chosen)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	out_object(out, NULL);
	out_uint(out, "id", leg->leg.id);
	out_str(out, "kind", name_nexthop_kind(leg->leg.kind));
	if (leg->leg.family)
		out_str(out, "gateway", name_address(leg->leg.family, leg->leg.gateway, buf));
	if (leg->leg.ifindex)
		out_str(out, "dev", view_link_name(&tool->view, leg->leg.ifindex, buf));
	if (group)
		out_uint(out, "weight", leg->leg.weight);
	if (group)
		out_uint(out, "buckets", leg->leg.buckets);
	if (chosen)
		out_bool(out, "chosen", true);
	if (leg->final.mtu_bytes)
		out_uint(out, "mtu", leg->final.mtu_bytes);
	json_neighbour(tool, leg);
	if (leg->final.kind == WYE_NH_FORWARD && leg->final.rewrite_len >= 14) {
		out_object(out, "rewrite");
		out_str(out, "dst", mac_text(leg->final.rewrite, buf));
		out_str(out, "src", mac_text(leg->final.rewrite + 6, buf));
		out_object_end(out);
	}
	json_verdict(out, leg->reason);
	out_object_end(out);
}

static void print_json(struct tool *tool, const struct request *request, const struct lookup *result)
{
	const struct lookup_query *query = &request->query;
	const char *note = note_of(&tool->view);
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	out_object(out, NULL);
	out_str(out, "dst", name_address(query->family, query->dst, buf));
	if (query->has_src)
		out_str(out, "from", name_address(query->family, query->src, buf));
	if (query->in)
		out_str(out, "iif", query->in->name);
	out_uint(out, "vrf", query->vrf);
	if (result->has_route)
		route_print(tool, "route", &result->route, (struct route_style){ .table = true });
	if (result->id)
		out_uint(out, "nexthop", result->id);
	if (result->kernel_id)
		out_uint(out, "nhid", result->kernel_id);
	out_array(out, "paths");
	for (size_t i = 0; i < result->n_legs; i++)
		json_leg(tool, &result->leg[i], result->kind == WYE_NH_GROUP, i == result->chosen);
	out_array_end(out);
	json_verdict(out, result->reason);
	if (note)
		out_str(out, "note", note);
	out_object_end(out);
}

/* ---- text ---- */

static void text_neighbour(struct tool *tool, const struct lookup_leg *leg)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES], dev[WYE_NAME_BYTES], mac[WYE_NAME_BYTES];

	if (leg->has_neigh)
		out_printf(out, "neighbour  %s dev %s lladdr %s %s\n",
			   name_address(leg->neigh.family, leg->neigh.addr, buf),
			   view_link_name(&tool->view, leg->neigh.ifindex, dev),
			   leg->neigh.lladdr_len ? link_address(0, leg->neigh.lladdr, leg->neigh.lladdr_len, mac) : "-",
			   neigh_state(&leg->neigh));
	else if (leg->final.kind == WYE_NH_UNRESOLVED)
		out_puts(out, "neighbour  unknown to the kernel: it will be asked for with the first packet\n");
	if (leg->final.kind == WYE_NH_FORWARD && leg->final.rewrite_len >= 14) {
		out_printf(out, "rewrite    to %s", mac_text(leg->final.rewrite, mac));
		out_printf(out, " from %s\n", mac_text(leg->final.rewrite + 6, mac));
	}
}

static void text_leg(struct tool *tool, const struct lookup_leg *leg, bool group, bool chosen)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	out_printf(out, "nexthop    id %u %s", leg->leg.id, name_nexthop_kind(leg->leg.kind));
	if (leg->leg.family)
		out_printf(out, " via %s", name_address(leg->leg.family, leg->leg.gateway, buf));
	if (leg->leg.ifindex)
		out_printf(out, " dev %s", view_link_name(&tool->view, leg->leg.ifindex, buf));
	if (group)
		out_printf(out, ", %u buckets", leg->leg.buckets);
	out_puts(out, "\n");
	text_neighbour(tool, leg);
	if (leg->out && leg->final.ifindex)
		out_printf(out, "egress     %s, mtu %u, %s\n", leg->out->name,
			   leg->final.mtu_bytes ? leg->final.mtu_bytes : leg->out->mtu_bytes,
			   leg->out->flags & WYE_LINK_UP ? "up" : "down");
	if (group)
		out_printf(out, "path       %s: %s%s\n", verdict_word(leg->reason), verdict_text(leg->reason),
			   chosen ? "; this flow's" : "");
}

static void print_text(struct tool *tool, const struct lookup *result)
{
	const char *note = note_of(&tool->view);
	struct out *out = &tool->out;

	out_puts(out, "route      ");
	if (result->has_route)
		route_print(tool, NULL, &result->route, (struct route_style){ .table = true });
	else
		out_puts(out, result->id ? "(its record is being written)\n" : "none\n");
	for (size_t i = 0; i < result->n_legs; i++)
		text_leg(tool, &result->leg[i], result->kind == WYE_NH_GROUP, i == result->chosen);
	out_puts(out, "verdict    ");
	out_coloured(out, verdict_colour(result->reason), verdict_word(result->reason));
	out_printf(out, ": %s\n", verdict_text(result->reason));
	if (note)
		out_printf(out, "note       %s\n", note);
}

static int run(struct tool *tool, int argc, char **argv)
{
	static struct lookup result;
	struct request request = { 0 };
	int err = parse(tool, argc, argv, &request);

	err = err ? err : view_tables(&tool->view);
	err = err ? err : resolve(tool, &request);
	if (err)
		return err;
	tool->view.quiet = true;
	view_stats(&tool->view); /* without it ports are unknown, and the note says so */
	lookup(&tool->view, &request.query, &result);
	if (tool->out.json)
		print_json(tool, &request, &result);
	else
		print_text(tool, &result);
	return result.id ? WYE_EXIT_OK : WYE_EXIT_NOT_FOUND;
}

const struct command cmd_lookup = {
	.name = "lookup",
	.summary = "what the dataplane does with a packet to an address, and why",
	.arguments = "ADDR [from ADDR] [iif DEV] [ipproto P [sport N] [dport N]] [vrf NAME | table N]",
	.help = "Judges by the same tables and in the same order as the dataplane; steering rules come before and are\n"
		"not part of it (wye show steer). Without iif, what the ingress port forbids is not judged. Exit code\n"
		"4: no route. Of several paths the one is marked that the flow takes: by `from`, and by ipproto and ports\n"
		"where fib_multipath_hash_policy looks at them.\n",
	.run = run,
};
