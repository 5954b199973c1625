/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel tells of IPv6 multipath routes only if it is asked for a packet's route: RTM_F_FIB_MATCH names all paths
 * of the one it takes, that first which the packet would take, with its metrics and type. It answers before sending
 * returns. The answer may be ahead of notifications that wait to be read, never behind what was read: what is changed
 * later is told later.
 *
 * Paths that no message told of (join_paths()): asked about with packets to the prefix, out of each unsure path's link and
 * then from many sources, until every one was named or it was in vain for long: one whose link has no carrier may not be
 * taken, nor one of a prefix whose addresses have longer ones. Such a path stays unsure, which is safe, and is asked for
 * anew when a link changes or another route needs it. In a VRF only the first path of each link can be asked for.
 *
 * Routes that no dump shows (routes_hidden6()): whether one of them is taken instead of the route that hides them. If so,
 * the answer is that route, and the prefix has two of one metric, which leaves it to the kernel. Without an answer about
 * the prefix (longer ones have its addresses, rules lead elsewhere, a refusal is no route) or with `forwarding` off, when
 * neighbours count besides, it is the kernel's as well. With it on, which one is taken changes only by messages about
 * routes of that metric (routes_suspect()) and, unsaid, when a hidden one's link has its carrier again of which the lack
 * is ignored, or when a router advertises another preference: found by asking again after any change of a link, and
 * after every audit.
 */
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <string.h>
#include <sys/socket.h>

#include "mirror.h"

#define A_TURN	      256u	/* questions: about a millisecond */
#define WALK_A_TURN   32768u	/* routes looked at */
#define QUESTIONS     128u	/* about the paths of one route: of 8 equal ones, all are named but once in a million */
#define ADDRESSES     16u	/* of one prefix: if longer ones have half of it, one in 65,536 is missed */
#define BUFFER_BYTES  65536u

static struct nl_route answer, said;	/* 20 KiB each: not on the stack; one thread, no recursion */

/* Any addresses will do, as long as they are many. */
static uint64_t next_number(void)
{
	static uint64_t state;
	uint64_t x = state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	return x ^ (x >> 27);
}

static void address_in(uint8_t addr[16], const uint8_t prefix[16], uint8_t len)
{
	uint64_t some[2] = { next_number(), next_number() };
	uint8_t last = len / 8, mask = (uint8_t)(0xff00 >> (len % 8));

	memcpy(addr, some, 16);
	memcpy(addr, prefix, last);
	if (last < 16)
		addr[last] = (uint8_t)((prefix[last] & mask) | (addr[last] & ~mask));
}

static void heard(void *ctx, const struct nlmsghdr *msg)
{
	*(bool *)ctx = msg->nlmsg_type == RTM_NEWROUTE && nl_decode_route(msg, &answer) == NL_DECODED &&
		       !(answer.rtm_flags & RTM_F_CLONED);
}

static struct nl_msg *question(const uint8_t dst[16], const uint8_t *src, uint32_t oif)
{
	struct rtmsg rtm = { .rtm_family = AF_INET6, .rtm_dst_len = 128, .rtm_src_len = src ? 128 : 0,
			     .rtm_flags = RTM_F_FIB_MATCH };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);

	if (!msg)
		return NULL;
	if (nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO) < 0 || nla_put(msg, RTA_DST, 16, dst) < 0 ||
	    (src && nla_put(msg, RTA_SRC, 16, src) < 0) || (oif && nla_put_u32(msg, RTA_OIF, oif) < 0)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Is the answer about a route of this one's identity, if not this one? */
static bool is_about(const struct rib *rib, const struct rib_route *route)
{
	return answer.family == AF_INET6 && answer.table == rib->table && answer.dst_len == route->len && !answer.src_len &&
	       answer.priority == route->priority && !memcmp(answer.dst, route->addr, 16);
}

/* True: the kernel takes a route of this one's identity; `answer` is that. */
static bool ask(struct mirror *mirror, const struct rib *rib, const struct rib_route *route, const uint8_t *src,
		uint32_t oif)
{
	struct nl_endpoint *asker = &mirror->routes.asker;
	bool decoded = false;
	struct nl_reader reader = { .message = heard, .ctx = &decoded };
	uint8_t dst[16];

	mirror->routes.questions++;
	address_in(dst, route->addr, route->len);
	return endpoint_send(asker, question(dst, src, oif)) == 0 && endpoint_receive(asker, 1, &reader) == 1 && decoded &&
	       is_about(rib, route);
}

/* ---- what paths are ---- */

/* True: the kernel named a path of this route. Then `said` has what it told. */
static bool ask_for_path(struct mirror *mirror, const struct rib *rib, const struct rib_route *route, const uint8_t *src,
			 uint32_t oif)
{
	if (!ask(mirror, rib, route, src, oif) || answer.kernel_id || !answer.n_legs)
		return false;
	for (uint32_t i = 0; i < said.n_legs; i++) {
		struct nexthop_leg *leg = &said.legs[i];

		if (!leg->unsure || !leg_same_path(leg, &answer.legs[0]))
			continue;
		leg->mtu_bytes = answer.legs[0].mtu_bytes;
		leg->type = answer.legs[0].type;
		leg->unsure = false;
	}
	return true;
}

/* Some path that may be taken is not sure yet. */
static bool asks_more(struct mirror *mirror)
{
	for (uint32_t i = 0; i < said.n_legs; i++)
		if (said.legs[i].unsure && links_carry(mirror, said.legs[i].ifindex, AF_INET6))
			return true;
	return false;
}

static void ask_for_paths(struct mirror *mirror, struct rib *rib, uint32_t at)
{
	static const uint8_t sources[16] = { 0xfd };
	const struct rib_route *route = rib_route(rib, at);
	bool by_source = rib->table == RT_TABLE_MAIN;
	uint8_t src[16];
	uint32_t named = 0;

	route_info_say(route_info(&mirror->routes.infos, route->info), &said);
	for (uint32_t i = 0; i < said.n_legs; i++)
		if (said.legs[i].unsure)
			named += ask_for_path(mirror, rib, route, NULL, said.legs[i].ifindex);
	for (uint32_t i = 0; by_source && named && i < QUESTIONS && asks_more(mirror); i++) {
		address_in(src, sources, 8);
		ask_for_path(mirror, rib, route, src, 0);
	}
	said.type = said.legs[0].type;
	routes_say(mirror, rib, at, &said);
}

/* ---- routes that no dump shows ---- */

/* Such a link has no IPv6 routes, said or unsaid (skip_notify_on_dev_down), but for paths of multipath ones (fib6_ifdown()). */
static bool is_down(struct mirror *mirror, uint32_t ifindex)
{
	const struct link_entry *link = links_find(mirror, ifindex);

	return link && link->written && (!(link->record.flags & WYE_LINK_UP) || link->nl.disable_ipv6 > 0);
}

/*
 * A dump steps from the first path of a multipath route to its last, over whatever else of that metric stands between
 * (fib6_dump_node()). So it is no witness against such a route, as long as that can be there.
 */
bool routes_hidden6(struct mirror *mirror, const struct rib *rib, uint32_t index)
{
	const struct rib_route *route = rib_route(rib, index);
	const struct route_info *info = route_info(&mirror->routes.infos, route->info);

	if (can_have_siblings(info->legs, info->n_legs) || (info->n_legs && is_down(mirror, info->legs[0].ifindex)))
		return false;
	for (uint32_t at = rib_first(rib, route->addr, route->len); at; at = rib_route(rib, at)->next) {
		const struct route_info *other = route_info(&mirror->routes.infos, rib_route(rib, at)->info);

		if (rib_route(rib, at)->priority == route->priority && !other->doomed && other->n_legs > 1)
			return true;
	}
	return false;
}

/* A multipath route lost paths: what it may have hidden, and what we kept for that reason, is to be seen now. Of one that was
 * dumped we do not know what that is. */
void routes_reveal6(struct mirror *mirror, const struct rib *rib, const struct rib_key *key, bool dumped)
{
	mirror->routes.reveal |= dumped;
	for (uint32_t at = rib_first(rib, key->addr, key->len); at; at = rib_route(rib, at)->next) {
		const struct rib_route *route = rib_route(rib, at);
		const struct route_info *info = route_info(&mirror->routes.infos, route->info);

		if (route->priority == key->priority && !can_have_siblings(info->legs, info->n_legs))
			routes_verify(mirror, info->n_legs ? info->legs[0].ifindex : 0);
	}
}

bool routes_suspect(struct mirror *mirror, const struct rib *rib, const uint8_t addr[16], uint8_t len, uint32_t priority)
{
	bool nobody = !mirror->routes.asker.sock; /* a recording answers nothing, and nothing is forwarded by it */
	bool found = false;

	for (uint32_t at = rib->family == AF_INET6 ? rib_first(rib, addr, len) : 0; at; at = rib_route(rib, at)->next) {
		struct rib_route *route = rib_route(rib, at);

		if (!route->dumped || route->priority != priority)
			continue;
		route->asked = nobody;
		found = mirror->routes.ask = true;
	}
	return found;
}

/* Is the answer this route, by one of its paths? */
static bool is_this(const struct route_info *info)
{
	for (uint32_t i = 0; answer.n_legs && i < info->n_legs; i++)
		if (leg_same_path(&info->legs[i], &answer.legs[0]))
			return true;
	return false;
}

/* True: `answer` is the route of this one's metric that the kernel takes. */
static bool ask_for_choice(struct mirror *mirror, const struct rib *rib, const struct rib_route *route)
{
	uint32_t oif = links_vrf_device(mirror, rib->table), tries = 0;

	if (!netconf_on(mirror->links.all[1].forwarding))
		return false;
	while (!ask(mirror, rib, route, NULL, oif))
		if (++tries == ADDRESSES)
			return false;
	return true;
}

/* Did notifications that the answer is ahead of tell of IPv6 routes? */
static bool overtaken(struct mirror *mirror)
{
	bool before = mirror->routes.changed6, changed;

	mirror->routes.changed6 = false;
	changed = !channel_drain(&mirror->channel[CHANNEL_ROUTE]) || mirror->routes.changed6;
	mirror->routes.changed6 |= before;
	return changed;
}

/* True: we have `answer`, which is not the route that was asked about, now. */
static bool take_in(struct mirror *mirror, struct rib *rib)
{
	if (answer.n_legs > 1) /* it is that route, as we have not read yet */
		return false;
	if (!routes_have(mirror, rib, &answer))
		routes_found(mirror, rib, &answer);
	return true;
}

static void settle_choice(struct mirror *mirror, struct rib *rib, uint32_t at)
{
	const struct rib_route *asked_about = rib_route(rib, at);
	bool asked = ask_for_choice(mirror, rib, asked_about);
	struct rib_route *route;

	if (asked && !is_this(route_info(&mirror->routes.infos, asked_about->info))) {
		if (!routes_have(mirror, rib, &answer) && overtaken(mirror)) {
			mirror->routes.ask_again = true;
			return;
		}
		asked = take_in(mirror, rib);
	}
	route = rib_route(rib, at);
	if (route->asked == asked)
		return;
	route->asked = asked;
	routes_prefix_changed(mirror, rib, route->addr, route->len);
}

/* ---- the walk ---- */

static void ask_about(struct mirror *mirror, struct rib *rib, uint32_t at)
{
	const struct rib_route *route = rib_route(rib, at);
	const struct route_info *info = route->info ? route_info(&mirror->routes.infos, route->info) : NULL;

	if (!info || info->doomed)
		return;
	if (route_info_unsure(info))
		ask_for_paths(mirror, rib, at);
	if (route->dumped && (!route->asked || mirror->routes.asking_again))
		settle_choice(mirror, rib, at);
}

static void walk_begins(struct route_table *routes)
{
	routes->asking = true;
	routes->asking_again = routes->ask_again;
	routes->ask = routes->ask_again = false;
	routes->ask_rib = routes->ask_at = 0;
}

bool routes_ask(struct mirror *mirror)
{
	struct route_table *routes = &mirror->routes;
	uint32_t looked = 0;

	if (!routes->asking) {
		if ((!routes->ask && !routes->ask_again) || !routes->asker.sock)
			return false;
		walk_begins(routes);
	}
	routes->questions = 0;
	for (; routes->ask_rib < routes->n_ribs; routes->ask_rib++, routes->ask_at = 0) {
		struct rib *rib = routes->rib[routes->ask_rib];

		if (rib->family != AF_INET6)
			continue;
		while (++routes->ask_at < rib->pool.used) {
			ask_about(mirror, rib, routes->ask_at);
			if (++looked == WALK_A_TURN || routes->questions >= A_TURN)
				return true;
		}
	}
	routes->asking = false;
	return routes->ask || routes->ask_again;
}

int routes_ask_open(struct mirror *mirror)
{
	return endpoint_open(&mirror->routes.asker, NETLINK_ROUTE, BUFFER_BYTES);
}

void routes_ask_close(struct mirror *mirror)
{
	endpoint_close(&mirror->routes.asker);
}
