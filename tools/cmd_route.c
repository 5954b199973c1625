/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye show route: the mirrored routes as ip(8) lists them, in its order. Two passes, so that a million routes need
 * 32 bytes each and no more: the keys of those wanted are gathered and sorted, then each is read again and written.
 */
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "names.h"
#include "route.h"

#define BATCH 1024	/* routes formatted between two writes; the command is an online reader meanwhile */

enum match { MATCH_NONE, MATCH_EXACT, MATCH_ROOT, MATCH_COVERS };

struct filter {
	uint32_t table;		/* 0 = all */
	const char *vrf, *device;
	uint32_t ifindex;
	bool protocol_set, type_set, scope_set, via_set;
	uint8_t protocol, type, scope;
	struct route via, prefix;
	enum match match;
};

struct key {
	uint8_t dst[16];
	uint32_t table, priority, index;
	uint8_t prefix_len, tos;
	uint16_t pad;
};

/* ---- arguments ---- */

static int parse_prefix(const struct tool *tool, const char *text, enum match match, struct filter *filter)
{
	if (!prefix_parse(text, tool->family, &filter->prefix))
		return usage_error(tool, "\"%s\": neither a keyword nor a prefix%s", text,
				   tool->family == AF_INET ? " of IPv4" : tool->family ? " of IPv6" : "");
	filter->match = match;
	return WYE_EXIT_OK;
}

static int parse_keyword(struct tool *tool, const char *word, const char *value, struct filter *filter)
{
	if (!strcmp(word, "table")) {
		if (!strcmp(value, "all"))
			filter->table = 0;
		else if (!number_of_table(value, &filter->table))
			return usage_error(tool, "table \"%s\": a number, all, or a name of rt_tables", value);
	} else if (!strcmp(word, "vrf")) {
		filter->vrf = value;
	} else if (!strcmp(word, "dev")) {
		filter->device = value;
	} else if (!strcmp(word, "proto") || !strcmp(word, "protocol")) {
		filter->protocol_set = number_of_protocol(value, &filter->protocol);
		if (!filter->protocol_set)
			return usage_error(tool, "proto \"%s\": a number up to 255, or a name of rt_protos", value);
	} else if (!strcmp(word, "scope")) {
		filter->scope_set = number_of_scope(value, &filter->scope);
		if (!filter->scope_set)
			return usage_error(tool, "scope \"%s\": a number up to 255, or a name of rt_scopes", value);
	} else if (!strcmp(word, "type")) {
		filter->type_set = number_of_route_type(value, &filter->type);
		if (!filter->type_set)
			return usage_error(tool, "type \"%s\": unicast, local, blackhole ...", value);
	} else if (!strcmp(word, "via")) {
		filter->via_set = prefix_parse(value, 0, &filter->via);
		if (!filter->via_set)
			return usage_error(tool, "via \"%s\": not an address", value);
	} else if (!strcmp(word, "exact")) {
		return parse_prefix(tool, value, MATCH_EXACT, filter);
	} else if (!strcmp(word, "root")) {
		return parse_prefix(tool, value, MATCH_ROOT, filter);
	} else if (!strcmp(word, "match")) {
		return parse_prefix(tool, value, MATCH_COVERS, filter);
	} else {
		return -1;
	}
	return WYE_EXIT_OK;
}

static bool is_keyword(const char *word)
{
	static const char *const words[] = { "table", "vrf", "dev", "proto", "protocol", "scope", "type", "via",
					     "exact", "root", "match" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

static int parse(struct tool *tool, int argc, char **argv, struct filter *filter)
{
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *value;
		int err;

		if (!is_keyword(word)) {
			err = parse_prefix(tool, word, MATCH_EXACT, filter);
		} else {
			value = argument(tool, argc, argv, &i);
			err = value ? parse_keyword(tool, word, value, filter) : WYE_EXIT_USAGE;
		}
		if (err)
			return err;
	}
	return WYE_EXIT_OK;
}

/* Names that only the tables can tell. */
static int resolve(struct tool *tool, struct filter *filter)
{
	const struct wye_link *vrf = filter->vrf ? view_link_named(&tool->view, filter->vrf) : NULL;

	if (filter->vrf && (!vrf || strcmp(vrf->kind, "vrf")))
		return failure(tool, WYE_EXIT_NOT_FOUND, "vrf \"%s\": the mirror knows no such VRF (wye show vrf)",
			       filter->vrf);
	if (vrf)
		filter->table = vrf->table;
	if (filter->device && !(filter->ifindex = find_device(tool, filter->device)))
		return WYE_EXIT_NOT_FOUND;
	return WYE_EXIT_OK;
}

/* ---- which ---- */

static bool prefix_wanted(const struct filter *filter, const struct route *route)
{
	const struct route *p = &filter->prefix;

	if (p->family && p->family != route->family)
		return false;
	switch (filter->match) {
	case MATCH_EXACT:
		return p->prefix_len == route->prefix_len && prefix_contains(p->dst, p->prefix_len, route->dst);
	case MATCH_ROOT:
		return route->prefix_len >= p->prefix_len && prefix_contains(p->dst, p->prefix_len, route->dst);
	case MATCH_COVERS:
		return route->prefix_len <= p->prefix_len && route_covers(route, p->dst);
	default:
		return true;
	}
}

static bool legs_wanted(const struct view *view, const struct filter *filter, const struct route *route)
{
	struct leg legs[LEGS_MAX];
	uint32_t kernel_id;
	uint8_t kind;
	size_t n = route_legs(view, route->nexthop, legs, LEGS_MAX, &kind, &kernel_id);

	for (size_t i = 0; i < n; i++)
		if ((!filter->ifindex || legs[i].ifindex == filter->ifindex) &&
		    (!filter->via_set || (legs[i].family == filter->via.family &&
					  !memcmp(legs[i].gateway, filter->via.dst, 16))))
			return true;
	return false;
}

static bool wanted(const struct view *view, const struct filter *filter, const struct route *route)
{
	if ((filter->table && route->table != filter->table) ||
	    (filter->protocol_set && route->protocol != filter->protocol) ||
	    (filter->scope_set && route->scope != filter->scope) || (filter->type_set && route->type != filter->type))
		return false;
	if (!prefix_wanted(filter, route))
		return false;
	return (!filter->ifindex && !filter->via_set) || legs_wanted(view, filter, route);
}

/* ---- order ---- */

static int compare_number(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

/* The kernel walks its tables by the low byte of their number. */
static int compare_table(uint32_t a, uint32_t b)
{
	int order = compare_number(a & 255, b & 255);

	return order ? order : compare_number(a, b);
}

/* fib_table_dump(): by address, then the longest prefix, then TOS (highest first) and metric. */
static int compare4(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = compare_table(x->table, y->table);

	order = order ? order : memcmp(x->dst, y->dst, 4);
	order = order ? order : compare_number(y->prefix_len, x->prefix_len);
	order = order ? order : compare_number(y->tos, x->tos);
	order = order ? order : compare_number(x->priority, y->priority);
	return order ? order : compare_number(x->index, y->index);
}

/* fib6_walk(): what lies below a prefix comes before it. */
static int compare6(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	uint8_t shorter = x->prefix_len < y->prefix_len ? x->prefix_len : y->prefix_len;
	int order = compare_table(x->table, y->table);

	if (!order && prefix_contains(x->dst, shorter, y->dst))
		order = compare_number(y->prefix_len, x->prefix_len);
	order = order ? order : memcmp(x->dst, y->dst, 16);
	order = order ? order : compare_number(x->priority, y->priority);
	return order ? order : compare_number(x->index, y->index);
}

/* ---- the two passes ---- */

static size_t gather(struct tool *tool, const struct filter *filter, uint8_t family, uint32_t used, struct key *keys)
{
	struct route route;
	size_t n = 0;

	view_enter(&tool->view);
	for (uint32_t i = 1; i < used; i++) {
		if (i % BATCH == 0) {
			view_leave(&tool->view);
			view_enter(&tool->view);
		}
		if (!route_read(&tool->view, family, i, &route) || !wanted(&tool->view, filter, &route))
			continue;
		keys[n] = (struct key){ .table = route.table, .priority = route.priority, .index = i,
					.prefix_len = route.prefix_len, .tos = route.tos };
		memcpy(keys[n++].dst, route.dst, 16);
	}
	view_leave(&tool->view);
	return n;
}

static void print(struct tool *tool, const struct filter *filter, uint8_t family, const struct key *keys, size_t n)
{
	struct route_style style = { .table = !filter->table, .no_device = filter->ifindex != 0 };
	struct route route;

	for (size_t done = 0; done < n && !tool->out.error;) {
		size_t end = done + BATCH < n ? done + BATCH : n;

		view_enter(&tool->view);
		for (; done < end; done++)
			if (route_read(&tool->view, family, keys[done].index, &route) &&
			    wanted(&tool->view, filter, &route))
				route_print(tool, NULL, &route, style);
		view_leave(&tool->view);
		out_flush(&tool->out);
	}
}

static int show_family(struct tool *tool, const struct filter *filter, uint8_t family)
{
	uint32_t used = view_used(&tool->view, family == AF_INET6 ? WYE_SECTION_ROUTE6 : WYE_SECTION_ROUTE4);
	struct key *keys = malloc((used ? used : 1) * sizeof(*keys));
	size_t n;

	if (!keys)
		return failure(tool, WYE_EXIT_ERROR, "out of memory");
	n = gather(tool, filter, family, used, keys);
	qsort(keys, n, sizeof(*keys), family == AF_INET6 ? compare6 : compare4);
	print(tool, filter, family, keys, n);
	free(keys);
	return WYE_EXIT_OK;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct filter filter = { .table = RT_TABLE_MAIN };
	int family, err = parse(tool, argc, argv, &filter);

	if (!err)
		err = view_tables(&tool->view);
	if (!err)
		err = resolve(tool, &filter);
	if (err)
		return err;
	family = tool->family ? tool->family : filter.match != MATCH_NONE ? filter.prefix.family : 0;
	if (!family && filter.table)
		family = AF_INET; /* as ip does: one table means IPv4 unless told otherwise */
	out_array(&tool->out, NULL);
	if (!err && family != AF_INET6)
		err = show_family(tool, &filter, AF_INET);
	if (!err && family != AF_INET)
		err = show_family(tool, &filter, AF_INET6);
	out_array_end(&tool->out);
	return err;
}

const struct command cmd_route = {
	.name = "route",
	.summary = "routes as the mirror has them, in the words and the order of ip(8)",
	.arguments = "[table N|NAME|all] [vrf NAME] [[exact|root|match] PREFIX] [dev NAME] [via ADDR]\n"
		     "                      [proto P] [type T] [scope S]",
	.help = "Without a table: main. Without -4 or -6: IPv4 for one table, both for `table all`, as `ip route`.\n"
		"PREFIX alone or exact: this prefix; root: it and all below; match: all that cover it.\n"
		"dev and via also find multipath routes with such a path.\n"
		"JSON: the keys of `ip -j route`. Not mirrored: metrics but mtu, expiry times, dead multipath legs.\n",
	.run = run,
};
