/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes: reading them out of the tables, and writing them as ip(8) does (print_route() of iproute2 6.1). */
#include "route.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

/* ---- reading ---- */

static void read_prefsrc(struct route *route, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		route->has_prefsrc |= bytes[i] != 0;
	memcpy(route->prefsrc, bytes, len);
}

static bool read4(struct view *view, uint32_t index, struct route *route)
{
	const struct wye_route4 *record = view_record(view, WYE_SECTION_ROUTE4, index);
	struct wye_route4 copy;

	if (!record || !record->type || !view_read(view, &record->seq, record, &copy, sizeof(copy)) || !copy.type)
		return false;
	*route = (struct route){
		.family = AF_INET, .prefix_len = copy.prefix_len, .tos = copy.tos, .type = copy.type,
		.protocol = copy.protocol, .scope = copy.scope, .flags = copy.flags, .table = copy.table,
		.priority = copy.priority, .nexthop = copy.nexthop, .mtu_bytes = copy.mtu_bytes,
	};
	memcpy(route->dst, copy.dst, 4);
	read_prefsrc(route, copy.prefsrc, sizeof(copy.prefsrc));
	return copy.prefix_len <= 32;
}

static bool read6(struct view *view, uint32_t index, struct route *route)
{
	const struct wye_route6 *record = view_record(view, WYE_SECTION_ROUTE6, index);
	struct wye_route6 copy;

	if (!record || !record->type || !view_read(view, &record->seq, record, &copy, sizeof(copy)) || !copy.type)
		return false;
	*route = (struct route){
		.family = AF_INET6, .prefix_len = copy.prefix_len, .type = copy.type, .protocol = copy.protocol,
		.scope = copy.scope, .flags = copy.flags, .pref = copy.pref, .table = copy.table,
		.priority = copy.priority, .nexthop = copy.nexthop, .mtu_bytes = copy.mtu_bytes,
	};
	memcpy(route->dst, copy.dst, 16);
	read_prefsrc(route, copy.prefsrc, sizeof(copy.prefsrc));
	return copy.prefix_len <= 128;
}

bool route_read(struct view *view, uint8_t family, uint32_t index, struct route *route)
{
	return family == AF_INET6 ? read6(view, index, route) : read4(view, index, route);
}

static void leg_of(const struct wye_nexthop *nexthop, uint32_t id, struct leg *leg)
{
	*leg = (struct leg){
		.id = id, .kind = nexthop->kind, .family = nexthop->family, .flags = nexthop->flags,
		.weight = nexthop->weight, .ifindex = nexthop->ifindex, .mtu_bytes = nexthop->mtu_bytes,
		.neigh = nexthop->neigh, .rewrite_len = nexthop->rewrite_len <= 16 ? nexthop->rewrite_len : 16,
	};
	memcpy(leg->gateway, nexthop->gateway, 16);
	memcpy(leg->rewrite, nexthop->rewrite, 16);
}

static struct leg *leg_find(struct leg *legs, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (legs[i].id == id)
			return &legs[i];
	return NULL;
}

static size_t group_legs(const struct view *view, const struct wye_nexthop *group, struct leg *legs, size_t max)
{
	size_t n = 0;

	for (uint32_t b = 0; b < group->buckets; b++) {
		uint32_t id = view_word(view, WYE_SECTION_GROUP, group->group + b);
		const struct wye_nexthop *nexthop = view_nexthop(view, id);
		struct leg *leg = leg_find(legs, n, id);

		if (!nexthop || (!leg && n == max))
			continue;
		if (!leg) {
			leg = &legs[n++];
			leg_of(nexthop, id, leg);
		}
		leg->buckets++;
	}
	return n;
}

size_t route_legs(const struct view *view, uint32_t id, struct leg *legs, size_t max, uint8_t *kind,
		  uint32_t *kernel_id)
{
	const struct wye_nexthop *nexthop = view_nexthop(view, id);

	*kind = nexthop ? nexthop->kind : WYE_NH_NONE;
	*kernel_id = nexthop ? nexthop->kernel_id : 0;
	if (!nexthop)
		return 0;
	if (nexthop->kind == WYE_NH_GROUP)
		return group_legs(view, nexthop, legs, max);
	leg_of(nexthop, id, &legs[0]);
	return 1;
}

/* ---- prefixes ---- */

bool prefix_contains(const uint8_t *net, uint8_t len, const uint8_t *addr)
{
	uint8_t mask = (uint8_t)(0xFF00 >> (len & 7));

	return !memcmp(net, addr, len / 8) && (!(len & 7) || !((net[len / 8] ^ addr[len / 8]) & mask));
}

bool route_covers(const struct route *route, const uint8_t *addr)
{
	return prefix_contains(route->dst, route->prefix_len, addr);
}

const char *route_prefix_text(const struct route *route, char *buf)
{
	uint8_t host = route->family == AF_INET6 ? 128 : 32;

	if (!route->prefix_len)
		return "default";
	name_address(route->family, route->dst, buf);
	if (route->prefix_len != host)
		snprintf(buf + strlen(buf), 5, "/%u", route->prefix_len);
	return buf;
}

bool prefix_parse(const char *text, int family, struct route *prefix)
{
	char addr[INET6_ADDRSTRLEN + 1], *end;
	size_t len = strcspn(text, "/");
	unsigned long bits;

	*prefix = (struct route){ 0 };
	if (!strcmp(text, "default") || !strcmp(text, "any") || !strcmp(text, "all")) {
		prefix->family = (uint8_t)family;
		return true;
	}
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	prefix->family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	prefix->prefix_len = prefix->family == AF_INET6 ? 128 : 32;
	if ((family && family != prefix->family) || inet_pton(prefix->family, addr, prefix->dst) != 1)
		return false;
	if (!text[len])
		return true;
	bits = strtoul(text + len + 1, &end, 10);
	if (*end || end == text + len + 1 || bits > prefix->prefix_len)
		return false;
	prefix->prefix_len = (uint8_t)bits;
	return true;
}

/* ---- writing ---- */

static bool has_gateway(const struct leg *leg)
{
	return leg->family != 0;
}

/*
 * The kernel does not tell when a path loses its carrier; it follows from the link. Not so for the host's own addresses
 * (fib_sync_down_dev(), fib6_ifdown()).
 */
static uint32_t leg_flags(const struct tool *tool, const struct route *route, const struct leg *leg)
{
	const struct wye_link *link = view_link(&tool->view, leg->ifindex);
	bool own = route->family == AF_INET6 ? route->type == RTN_LOCAL || route->type == RTN_ANYCAST :
					       route->scope == RT_SCOPE_HOST;

	if (!link || own || !(link->flags & WYE_LINK_UP) || link->flags & WYE_LINK_CARRIER)
		return leg->flags;
	return leg->flags | RTNH_F_LINKDOWN;
}

static uint32_t route_flags(const struct tool *tool, const struct route *route, const struct leg *legs, size_t n)
{
	uint32_t flags = n == 1 ? leg_flags(tool, route, &legs[0]) : 0;

	if (route->flags & WYE_ROUTE_LINKDOWN)
		flags |= RTNH_F_LINKDOWN;
	if (route->flags & WYE_ROUTE_DEAD)
		flags |= RTNH_F_DEAD;
	return flags;
}

static void json_flags(struct out *out, uint32_t flags)
{
	const char *names[8];
	size_t n = names_nexthop_flags(flags, names, 8);

	out_array(out, "flags");
	for (size_t i = 0; i < n; i++)
		out_str(out, NULL, names[i]);
	out_array_end(out);
}

static void json_leg(struct tool *tool, const struct route *route, const struct leg *leg, bool device)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	if (has_gateway(leg) && leg->family == route->family) {
		out_str(out, "gateway", name_address(leg->family, leg->gateway, buf));
	} else if (has_gateway(leg)) {
		out_object(out, "via");
		out_str(out, "family", name_family(leg->family));
		out_str(out, "host", name_address(leg->family, leg->gateway, buf));
		out_object_end(out);
	}
	if (leg->ifindex && device)
		out_str(out, "dev", view_link_name(&tool->view, leg->ifindex, buf));
}

static void json_nexthops(struct tool *tool, const struct route *route, const struct leg *legs, size_t n)
{
	out_array(&tool->out, "nexthops");
	for (size_t i = 0; i < n; i++) {
		out_object(&tool->out, NULL);
		json_leg(tool, route, &legs[i], true);
		out_uint(&tool->out, "weight", legs[i].weight ? legs[i].weight : legs[i].buckets);
		json_flags(&tool->out, leg_flags(tool, route, &legs[i]));
		out_object_end(&tool->out);
	}
	out_array_end(&tool->out);
}

static void print_json(struct tool *tool, const char *key, const struct route *route, struct route_style style,
		       const struct leg *legs, size_t n, bool group, uint32_t kernel_id)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	out_object(out, key);
	if (route->type != RTN_UNICAST)
		out_str(out, "type", name_route_type(route->type, buf));
	out_str(out, "dst", route_prefix_text(route, buf));
	if (kernel_id)
		out_uint(out, "nhid", kernel_id);
	if (route->tos) {
		snprintf(buf, sizeof(buf), "0x%02x", route->tos);
		out_str(out, "tos", buf);
	}
	if (n && !group)
		json_leg(tool, route, &legs[0], !style.no_device);
	if (style.table && route->table != RT_TABLE_MAIN)
		out_str(out, "table", name_table(route->table, buf));
	if (route->protocol != RTPROT_BOOT)
		out_str(out, "protocol", name_protocol(route->protocol, buf));
	if (route->scope != RT_SCOPE_UNIVERSE)
		out_str(out, "scope", name_scope(route->scope, buf));
	if (route->has_prefsrc)
		out_str(out, "prefsrc", name_address(route->family, route->prefsrc, buf));
	if (route->priority || route->family == AF_INET6)
		out_uint(out, "metric", route->priority);
	json_flags(out, route_flags(tool, route, legs, group ? 0 : n));
	if (route->mtu_bytes) {
		out_array(out, "metrics");
		out_object(out, NULL);
		out_uint(out, "mtu", route->mtu_bytes);
		out_object_end(out);
		out_array_end(out);
	}
	if (route->family == AF_INET6)
		out_str(out, "pref", name_route_pref(route->pref));
	if (group)
		json_nexthops(tool, route, legs, n);
	out_object_end(out);
}

static void text_flags(struct out *out, uint32_t flags)
{
	const char *names[8];
	size_t n = names_nexthop_flags(flags, names, 8);

	for (size_t i = 0; i < n; i++)
		out_printf(out, " %s", names[i]);
}

static void text_leg(struct tool *tool, const struct route *route, const struct leg *leg, bool device)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	if (has_gateway(leg)) {
		out_puts(out, " via ");
		if (leg->family != route->family)
			out_printf(out, "%s ", name_family(leg->family));
		out_coloured(out, OUT_ADDRESS, name_address(leg->family, leg->gateway, buf));
	}
	if (leg->ifindex && device) {
		out_puts(out, " dev ");
		out_coloured(out, OUT_NAME, view_link_name(&tool->view, leg->ifindex, buf));
	}
}

static void print_text(struct tool *tool, const struct route *route, struct route_style style,
		       const struct leg *legs, size_t n, bool group, uint32_t kernel_id)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	if (route->type != RTN_UNICAST)
		out_printf(out, "%s ", name_route_type(route->type, buf));
	out_coloured(out, OUT_ADDRESS, route_prefix_text(route, buf));
	if (kernel_id)
		out_printf(out, " nhid %u", kernel_id);
	if (route->tos)
		out_printf(out, " tos 0x%02x", route->tos);
	if (n && !group)
		text_leg(tool, route, &legs[0], !style.no_device);
	if (style.table && route->table != RT_TABLE_MAIN)
		out_printf(out, " table %s", name_table(route->table, buf));
	if (route->protocol != RTPROT_BOOT)
		out_printf(out, " proto %s", name_protocol(route->protocol, buf));
	if (route->scope != RT_SCOPE_UNIVERSE)
		out_printf(out, " scope %s", name_scope(route->scope, buf));
	if (route->has_prefsrc)
		out_printf(out, " src %s", name_address(route->family, route->prefsrc, buf));
	if (route->priority || route->family == AF_INET6)
		out_printf(out, " metric %u", route->priority);
	text_flags(out, route_flags(tool, route, legs, group ? 0 : n));
	if (route->mtu_bytes)
		out_printf(out, " mtu %s%u", route->flags & WYE_ROUTE_MTU_LOCKED ? "lock " : "", route->mtu_bytes);
	if (route->family == AF_INET6)
		out_printf(out, " pref %s", name_route_pref(route->pref));
	for (size_t i = 0; group && i < n; i++) {
		out_puts(out, "\n\tnexthop");
		text_leg(tool, route, &legs[i], true);
		out_printf(out, " weight %u", legs[i].weight ? legs[i].weight : legs[i].buckets);
		text_flags(out, leg_flags(tool, route, &legs[i]));
	}
	out_puts(out, "\n");
}

#define LOOPBACK_IFINDEX 1	/* of every network namespace */

/* The kernel hangs IPv6 routes that refuse on lo (fib6_nh_init()); what refuses needs no device in the tables. */
static size_t refusing_leg(const struct route *route, struct leg *legs, size_t n)
{
	bool refuses = route->type == RTN_BLACKHOLE || route->type == RTN_UNREACHABLE || route->type == RTN_PROHIBIT ||
		       route->type == RTN_THROW;

	if (route->family != AF_INET6 || !refuses || (n && legs[0].ifindex))
		return n;
	legs[0] = (struct leg){ .ifindex = LOOPBACK_IFINDEX };
	return 1;
}

void route_print(struct tool *tool, const char *key, const struct route *route, struct route_style style)
{
	struct leg legs[LEGS_MAX];
	uint32_t kernel_id;
	uint8_t kind;
	size_t n = route_legs(&tool->view, route->nexthop, legs, LEGS_MAX, &kind, &kernel_id);

	n = refusing_leg(route, legs, n);
	if (tool->out.json)
		print_json(tool, key, route, style, legs, n, kind == WYE_NH_GROUP, kernel_id);
	else
		print_text(tool, route, style, legs, n, kind == WYE_NH_GROUP, kernel_id);
}
