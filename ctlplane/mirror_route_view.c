/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the FIB is told about a prefix, given all its routes, and the route records for people.
 *
 * The main view is local, main and default as fib_lookup() goes through them without policy rules:
 * - At one prefix local beats main. The kernel keeps IPv4's two in one trie until the first policy rule or VRF, then
 *   apart and local first, and tells nobody which; IPv6's are always apart. So a main prefix inside a shorter local one
 *   (127.0.0.0/8, `ip route add local 10.0.0.0/8 dev lo`) is the kernel's to decide: WYE_NH_KERNEL.
 * - Table default (253, IPv4) is asked whenever main gives no route or an error, blackhole included. While it has routes,
 *   no route, blackhole, unreachable and prohibit are therefore WYE_NH_KERNEL; the rest is not touched by it.
 * - throw ends a table: WYE_NH_KERNEL. A VRF's table that has no route goes on to main: no entry, the kernel answers.
 * - Behind the first path of an IPv6 multipath route that a dump told first, another route of its metric may stand that no
 *   dump shows, and win by its preference, or when that path is dead: WYE_NH_KERNEL until the kernel was asked which it
 *   takes (mirror_route_ask.c), and while a path is dead.
 * - A route with a TOS makes its prefix WYE_NH_KERNEL: which route it is depends on the packet. So does an IPv6 route
 *   with a source prefix, and several IPv6 routes of one metric that are no siblings (find_rr_leaf() scores those).
 * - A destination for which the kernel has an exception from its route is WYE_NH_KERNEL (mirror_exception.c).
 * - A route without a living leg is passed over, to the next of its prefix and then to shorter prefixes.
 */
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "mirror.h"

enum route_flag {	/* rib_route.flags: what its record says, to write it only when that changes */
	ROUTE_WRITTEN = 1u << 0,
	ROUTE_WAS_BEST = 1u << 1,
	ROUTE_WAS_DEAD = 1u << 2,
	ROUTE_WAS_KERNEL = 1u << 3,
	ROUTE_WAS_BLACKHOLE = 1u << 4,
};

/* ---- infos ---- */

static uint8_t kind_of_type(uint8_t type)
{
	switch (type) {
	case RTN_UNICAST:
		return WYE_NH_FORWARD;
	case RTN_LOCAL:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		return WYE_NH_LOCAL;
	case RTN_BLACKHOLE:
		return WYE_NH_BLACKHOLE;
	case RTN_UNREACHABLE:
		return WYE_NH_UNREACHABLE;
	case RTN_PROHIBIT:
		return WYE_NH_PROHIBIT;
	default: /* throw, NAT, XRESOLVE */
		return WYE_NH_KERNEL;
	}
}

static bool leg_alive(struct mirror *mirror, const struct route_info *info, uint32_t leg)
{
	return info->legs[leg].kind == WYE_NH_KERNEL ||
	       (!(info->legs[leg].flags & RTNH_F_DEAD) && links_carry(mirror, info->legs[leg].ifindex, info->family));
}

/*
 * Can its paths die with their links (fib_sync_down_dev(), fib6_ifdown())? Not those of local routes, of IPv4's of scope
 * host, and of the anycast routes that IPv6 makes for addresses; one made by hand is not marked as such (RTF_ANYCAST).
 */
static bool paths_die(const struct route_info *info)
{
	if (info->family == AF_INET && info->scope >= RT_SCOPE_HOST)
		return false;
	switch (info->type) {
	case RTN_UNICAST:
		return true;
	case RTN_BROADCAST:
		return info->n_legs != 0;
	case RTN_ANYCAST:
		return (info->family == AF_INET || info->protocol != RTPROT_KERNEL) && info->n_legs;
	case RTN_MULTICAST:
		return info->n_legs != 0;
	default:
		return false;
	}
}

static bool info_alive(struct mirror *mirror, const struct route_info *info)
{
	if (info->doomed)
		return false;
	if (info->kernel_id)
		return nexthops_alive(mirror, info->kernel_id, info->family);
	if (!paths_die(info))
		return true;
	for (uint32_t i = 0; i < info->n_legs; i++)
		if (leg_alive(mirror, info, i))
			return true;
	return false;
}

static bool info_maimed(struct mirror *mirror, const struct route_info *info)
{
	if (info->family != AF_INET6 || info->n_legs < 2)
		return false;
	for (uint32_t i = 0; i < info->n_legs; i++)
		if (!leg_alive(mirror, info, i))
			return true;
	return false;
}

bool routes_info_refresh(struct mirror *mirror, struct route_info *info)
{
	bool alive = info_alive(mirror, info), maimed = info_maimed(mirror, info);
	bool blackhole = info->kernel_id && nexthops_blackhole(mirror, info->kernel_id);
	bool changed = alive != info->alive || maimed != info->maimed || blackhole != info->blackhole;

	info->alive = alive;
	info->maimed = maimed;
	info->blackhole = blackhole;
	return changed;
}

/* An object's nexthop id is shared by routes, so a route with an MTU of its own cannot have it, nor one of a type of its own,
 * which the kernel obeys whatever the object is. */
static bool by_object(const struct route_info *info)
{
	return info->kernel_id && info->type == RTN_UNICAST && !info->mtu_bytes && !info->src_len;
}

/* Siblings of another type than the first: what the kernel makes of these is its own. */
static uint32_t paths_resolve(struct mirror *mirror, const struct route_info *info)
{
	static struct nexthop_leg legs[NL_LEGS_MAX];

	for (uint32_t i = 0; i < info->n_legs; i++) {
		legs[i] = info->legs[i];
		if (legs[i].type != info->type)
			legs[i].kind = WYE_NH_KERNEL;
	}
	return nexthop_get(mirror->tables->resolve, legs, info->n_legs);
}

static uint32_t info_resolve(struct mirror *mirror, const struct route_info *info)
{
	uint8_t kind = info->src_len || info->kernel_id ? WYE_NH_KERNEL : kind_of_type(info->type);
	struct nexthop_leg leg = { .kind = kind, .weight = 1, .ifindex = info->n_legs ? info->legs[0].ifindex : 0,
				   .kernel_id = info->kernel_id };

	if (by_object(info))
		return nexthops_hold(mirror, info->kernel_id);
	if (kind == WYE_NH_FORWARD && info->n_legs)
		return paths_resolve(mirror, info);
	if (kind != WYE_NH_LOCAL)
		leg.ifindex = 0;
	return nexthop_get(mirror->tables->resolve, &leg, 1);
}

/* Made when first asked for; while the region is full, the kernel's. */
static uint32_t info_nexthop(struct mirror *mirror, struct route_info *info)
{
	if (!info->nexthop) {
		info->nexthop = info_resolve(mirror, info);
		routes_info_refresh(mirror, info);
	}
	return info->nexthop ? info->nexthop : mirror->tables->nh_kernel;
}

void routes_info_drop(struct mirror *mirror, uint32_t index)
{
	struct route_info *info = route_info(&mirror->routes.infos, index);

	if (!route_info_put(&mirror->routes.infos, index))
		return;
	if (by_object(info) && info->nexthop)
		nexthops_drop(mirror, info->kernel_id);
	else
		tables_put_nexthop(mirror->tables, info->nexthop);
	route_info_free(&mirror->routes.infos, index);
}

/* ---- choosing ---- */

struct choice {
	bool found;
	uint32_t nexthop;
	uint32_t route;		/* the one chosen, 0 = the kernel decides among several */
	uint8_t type;
};

static struct choice kernel_decides(const struct mirror *mirror)
{
	return (struct choice){ .found = true, .nexthop = mirror->tables->nh_kernel };
}

/* May a route win, or this one lose, of which no dump told? */
static bool hides6(const struct rib_route *route, const struct route_info *info)
{
	return route->dumped && (!route->asked || info->maimed || info->doomed || !info->alive);
}

/* Is there another living route of at's metric that does not mean the same? Or a dead one, if there may be more that no
 * dump told: which of these the kernel takes now was not asked. */
static bool ambiguous6(struct mirror *mirror, const struct rib *rib, uint32_t at)
{
	const struct rib_route *best = rib_route(rib, at);
	struct route_info *info = route_info(&mirror->routes.infos, best->info);

	for (uint32_t i = best->next; i && rib_route(rib, i)->priority == best->priority; i = rib_route(rib, i)->next) {
		struct route_info *other = route_info(&mirror->routes.infos, rib_route(rib, i)->info);
		bool hides = best->dumped || rib_route(rib, i)->dumped;

		if (other->doomed && !hides)
			continue;
		if (info_nexthop(mirror, other) == info_nexthop(mirror, info) || (!other->alive && !hides))
			continue;
		if (kind_of_type(other->type) != WYE_NH_LOCAL || kind_of_type(info->type) != WYE_NH_LOCAL)
			return true;
	}
	return false;
}

/* IPV6_DECODE_PREF() */
static uint8_t rank6(const struct route_info *info)
{
	return (info->pref & 3) ^ 2;
}

/* Of several that mean the same the kernel names the first of those it prefers most (rt6_score_route()). */
static uint32_t preferred6(const struct mirror *mirror, const struct rib *rib, uint32_t at)
{
	const struct route_info *info = route_info(&mirror->routes.infos, rib_route(rib, at)->info);
	uint32_t priority = rib_route(rib, at)->priority, best = at;

	for (at = rib_route(rib, at)->next; at && rib_route(rib, at)->priority == priority; at = rib_route(rib, at)->next) {
		const struct route_info *other = route_info(&mirror->routes.infos, rib_route(rib, at)->info);

		if (other->doomed || !other->alive || rank6(other) <= rank6(info))
			continue;
		best = at;
		info = other;
	}
	return best;
}

static struct choice chosen(struct mirror *mirror, const struct rib *rib, uint32_t at)
{
	struct route_info *info = route_info(&mirror->routes.infos, rib_route(rib, at)->info);

	return (struct choice){ .found = true, .nexthop = info_nexthop(mirror, info), .route = at, .type = info->type };
}

static struct choice choose(struct mirror *mirror, const struct rib *rib, uint32_t first)
{
	for (uint32_t at = first; at; at = rib_route(rib, at)->next) {
		const struct rib_route *route = rib_route(rib, at);
		struct route_info *info = route_info(&mirror->routes.infos, route->info);

		if (info->doomed && !route->dumped)
			continue;
		if (route->tos)
			return kernel_decides(mirror);
		info_nexthop(mirror, info);
		if (hides6(route, info))
			return kernel_decides(mirror);
		if (!info->alive)
			continue;
		if (rib->family == AF_INET)
			return chosen(mirror, rib, at);
		return ambiguous6(mirror, rib, at) ? kernel_decides(mirror) : chosen(mirror, rib, preferred6(mirror, rib, at));
	}
	return (struct choice){ 0 };
}

static void cut(uint8_t to[16], const uint8_t addr[16], uint8_t len)
{
	memset(to, 0, 16);
	memcpy(to, addr, len / 8);
	if (len % 8)
		to[len / 8] = addr[len / 8] & (uint8_t)(0xff00 >> (len % 8));
}

/* Is there a shorter prefix in the local table over this one? */
static bool covered(const struct mirror *mirror, uint8_t family, const uint8_t addr[16], uint8_t len)
{
	const struct rib *local = routes_rib(mirror, family, RT_TABLE_LOCAL);
	uint8_t prefix[16];

	for (int word = 0; word < 2; word++) {
		for (uint64_t lens = local->cover_lens[word]; lens; lens &= lens - 1) {
			uint8_t shorter = (uint8_t)(word * 64 + __builtin_ctzll(lens));

			if (shorter >= len)
				return false;
			cut(prefix, addr, shorter);
			if (rib_first(local, prefix, shorter))
				return true;
		}
	}
	return false;
}

static bool default_table_in_use(const struct mirror *mirror, uint8_t family)
{
	return family == AF_INET && routes_rib(mirror, AF_INET, RT_TABLE_DEFAULT)->pool.count;
}

static bool is_error(uint8_t type)
{
	return type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT;
}

/* ---- records ---- */

static uint32_t record_section(const struct rib *rib)
{
	return rib->family == AF_INET ? WYE_SECTION_ROUTE4 : WYE_SECTION_ROUTE6;
}

static uint8_t record_flags(const struct route_info *info, uint8_t state)
{
	return (uint8_t)((state & ROUTE_WAS_BEST ? WYE_ROUTE_BEST : 0) | (state & ROUTE_WAS_DEAD ? WYE_ROUTE_DEAD : 0) |
			 (state & ROUTE_WAS_KERNEL ? WYE_ROUTE_KERNEL_ONLY : 0) |
			 (info->mtu_locked ? WYE_ROUTE_MTU_LOCKED : 0));
}

static uint8_t record_type(const struct route_info *info)
{
	return info->blackhole ? RTN_BLACKHOLE : info->type;
}

static uint16_t record_mtu(const struct route_info *info)
{
	return (uint16_t)(info->mtu_bytes < UINT16_MAX ? info->mtu_bytes : UINT16_MAX);
}

static void write4(struct mirror *mirror, const struct rib *rib, const struct rib_route *route,
		   const struct route_info *info, uint8_t state)
{
	struct wye_route4 record = { .prefix_len = route->len, .tos = route->tos, .type = record_type(info),
				     .protocol = info->protocol, .table = rib->table, .priority = route->priority,
				     .nexthop = info->nexthop, .scope = info->scope,
				     .flags = record_flags(info, state), .mtu_bytes = record_mtu(info) };

	memcpy(record.dst, route->addr, 4);
	memcpy(record.prefsrc, info->prefsrc, 4);
	tables_write(mirror->tables, WYE_SECTION_ROUTE4, route->record, &record, sizeof(record));
}

static void write6(struct mirror *mirror, const struct rib *rib, const struct rib_route *route,
		   const struct route_info *info, uint8_t state)
{
	struct wye_route6 record = { .prefix_len = route->len, .pref = info->pref, .type = record_type(info),
				     .protocol = info->protocol, .table = rib->table, .priority = route->priority,
				     .nexthop = info->nexthop, .scope = info->scope,
				     .flags = record_flags(info, state), .mtu_bytes = record_mtu(info) };

	memcpy(record.dst, route->addr, 16);
	memcpy(record.prefsrc, info->prefsrc, 16);
	tables_write(mirror->tables, WYE_SECTION_ROUTE6, route->record, &record, sizeof(record));
}

static void write_records(struct mirror *mirror, struct rib *rib, uint32_t first, uint32_t best, bool kernel)
{
	for (uint32_t at = first; at; at = rib_route(rib, at)->next) {
		struct rib_route *route = rib_route(rib, at);
		struct route_info *info = route_info(&mirror->routes.infos, route->info);
		uint8_t state = ROUTE_WRITTEN;

		info_nexthop(mirror, info);
		state |= at == best ? ROUTE_WAS_BEST : 0;
		state |= info->alive ? 0 : ROUTE_WAS_DEAD;
		state |= kernel ? ROUTE_WAS_KERNEL : 0;
		state |= info->blackhole ? ROUTE_WAS_BLACKHOLE : 0;
		if (route->flags == state)
			continue;
		if (!route->record)
			route->record = region_alloc(&mirror->tables->region, record_section(rib), 1);
		if (!route->record)
			return; /* full: the region is marked so, and will be replaced by a larger one */
		route->flags = state;
		if (rib->family == AF_INET)
			write4(mirror, rib, route, info, state);
		else
			write6(mirror, rib, route, info, state);
	}
}

void routes_record_free(struct mirror *mirror, struct rib *rib, uint32_t index)
{
	static const struct wye_route6 none;	/* the larger */
	struct rib_route *route = rib_route(rib, index);

	if (!route->record)
		return;
	tables_write(mirror->tables, record_section(rib), route->record, &none,
		     rib->family == AF_INET ? sizeof(struct wye_route4) : sizeof(struct wye_route6));
	region_free(&mirror->tables->region, record_section(rib), route->record, 1);
	route->record = 0;
}

/* ---- publishing ---- */

static void fib_put(struct mirror *mirror, uint32_t vrf, uint8_t family, const uint8_t addr[16], uint8_t len, uint32_t id)
{
	if (vrf && fib_set(mirror->tables->fib, vrf, family, addr, len, id) < 0)
		mirror->tables->region.failed = true;
}

static void main_view(struct mirror *mirror, uint8_t family, const uint8_t addr[16], uint8_t len)
{
	struct rib *local = routes_rib(mirror, family, RT_TABLE_LOCAL);
	struct rib *table = routes_rib(mirror, family, RT_TABLE_MAIN);
	uint32_t local_first = rib_first(local, addr, len), main_first = rib_first(table, addr, len);
	struct choice choice = choose(mirror, local, local_first);
	bool from_local = choice.found, kernel;

	if (!from_local)
		choice = choose(mirror, table, main_first);
	if (default_table_in_use(mirror, family) && (choice.found ? is_error(choice.type) : !len))
		choice = kernel_decides(mirror);
	if (choice.found && !from_local && main_first && covered(mirror, family, addr, len))
		choice = kernel_decides(mirror);
	if (!from_local && exceptions_have(mirror, family, addr, len))
		choice = kernel_decides(mirror);
	fib_put(mirror, WYE_VRF_MAIN, family, addr, len, choice.found ? choice.nexthop : 0);
	kernel = choice.nexthop == mirror->tables->nh_kernel;
	write_records(mirror, local, local_first, from_local ? choice.route : 0, kernel && from_local);
	write_records(mirror, table, main_first, from_local ? 0 : choice.route, kernel && !from_local);
}

void routes_prefix_changed(struct mirror *mirror, struct rib *rib, const uint8_t addr[16], uint8_t len)
{
	struct choice choice;
	uint32_t first;

	if (rib->table == RT_TABLE_MAIN || rib->table == RT_TABLE_LOCAL) {
		main_view(mirror, rib->family, addr, len);
		return;
	}
	first = rib_first(rib, addr, len);
	if (rib->table == RT_TABLE_DEFAULT) {
		write_records(mirror, rib, first, 0, true);
		if (rib->family == AF_INET && rib->in_use != (rib->pool.count != 0)) {
			rib->in_use = rib->pool.count != 0;
			main_view(mirror, AF_INET, (const uint8_t[16]){ 0 }, 0);
			routes_walk_all(mirror);
		}
		return;
	}
	choice = exceptions_have(mirror, rib->family, addr, len) ? kernel_decides(mirror) : choose(mirror, rib, first);
	if (!rib->vrf)
		rib->vrf = links_vrf_of_table(mirror, rib->table);
	fib_put(mirror, rib->vrf, rib->family, addr, len,
		choice.found ? choice.nexthop : 0);
	write_records(mirror, rib, first, choice.route, choice.nexthop == mirror->tables->nh_kernel);
}

void routes_address_changed(struct mirror *mirror, uint8_t family, const uint8_t addr[16])
{
	for (uint32_t r = 0; r < mirror->routes.n_ribs; r++) {
		struct rib *rib = mirror->routes.rib[r];

		if (rib->family == family && rib->table != RT_TABLE_LOCAL && rib->table != RT_TABLE_DEFAULT)
			routes_prefix_changed(mirror, rib, addr, family == AF_INET ? 32 : 128);
	}
}

static bool inside(const uint8_t addr[16], uint8_t len, const uint8_t cover[16], uint8_t cover_len)
{
	uint8_t bytes = cover_len / 8, bits = cover_len % 8;

	return len > cover_len && !memcmp(addr, cover, bytes) &&
	       (!bits || !((addr[bytes] ^ cover[bytes]) >> (8 - bits)));
}

void routes_cover_changed(struct mirror *mirror, const struct rib *local, const uint8_t addr[16], uint8_t len)
{
	struct rib *table = routes_rib(mirror, local->family, RT_TABLE_MAIN);

	for (uint32_t at = 1; at < table->pool.used; at++) {
		const struct rib_route *route = rib_route(table, at);

		if (route->info && inside(route->addr, route->len, addr, len))
			routes_prefix_changed(mirror, table, route->addr, route->len);
	}
}

void routes_republish(struct mirror *mirror)
{
	struct route_table *routes = &mirror->routes;

	for (uint32_t i = 1; i < routes->infos.pool.used; i++)
		if (route_info(&routes->infos, i)->refs)
			route_info(&routes->infos, i)->nexthop = 0;
	for (uint32_t r = 0; r < routes->n_ribs; r++) {
		routes->rib[r]->vrf = 0;
		for (uint32_t at = 1; at < routes->rib[r]->pool.used; at++) {
			struct rib_route *route = rib_route(routes->rib[r], at);

			route->record = route->info ? 0 : route->record;
			route->flags = 0;
		}
	}
	for (uint32_t r = 0; r < routes->n_ribs; r++) {
		struct rib *rib = routes->rib[r];

		for (uint32_t at = 1; at < rib->pool.used; at++) {
			const struct rib_route *route = rib_route(rib, at);

			if (!route->info || route->flags) /* already, with its prefix */
				continue;
			routes_prefix_changed(mirror, rib, route->addr, route->len);
			if (!(at % 65536))
				tables_flush(mirror->tables, 0);
			mirror_beat(mirror);
		}
	}
}
