/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Route messages into the model, route contents interned. The ribs are mirror_route_tables.c's; what becomes of them in the
 * FIB is mirror_route_view.c's; what the kernel does to routes without a message, mirror_route_silent.c's.
 *
 * IPv6 identity: a message about a multipath route names all its siblings, so a route that shares a path with one of
 * equal metric is that one, grown or shrunk; a deletion names the paths that go, all or some (fib6_del_route()).
 */
#include <errno.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "mirror.h"

static struct nl_route scratch;	/* 20 KiB: not on the stack; one thread, no recursion */

/* ---- one route ---- */

static void count(struct mirror *mirror, const struct rib *rib, int64_t by)
{
	mirror_count(&mirror_stats(mirror)->routes[rib->family == AF_INET6], by);
}

static void cover(struct mirror *mirror, struct rib *rib, const uint8_t addr[16], uint8_t len, int by)
{
	uint64_t bit = 1ULL << (len & 63);

	rib->covers_of_len[len] += (uint32_t)by;
	rib->cover_lens[len >> 6] = rib->covers_of_len[len] ? rib->cover_lens[len >> 6] | bit :
							      rib->cover_lens[len >> 6] & ~bit;
	routes_cover_changed(mirror, rib, addr, len);
}

static bool covers_others(const struct rib *rib, uint8_t len)
{
	return rib->table == RT_TABLE_LOCAL && len < (rib->family == AF_INET ? 32 : 128);
}

void routes_remove(struct mirror *mirror, struct rib *rib, uint32_t index)
{
	struct rib_route old = *rib_route(rib, index);

	locals_remove(mirror, rib, &old, route_info(&mirror->routes.infos, old.info));
	routes_record_free(mirror, rib, index);
	rib_remove(rib, index);
	routes_suspect(mirror, rib, old.addr, old.len, old.priority);
	mirror->routes.reveal |= old.dumped;
	count(mirror, rib, -1);
	routes_prefix_changed(mirror, rib, old.addr, old.len);
	routes_info_drop(mirror, old.info);
	if (covers_others(rib, old.len))
		cover(mirror, rib, old.addr, old.len, -1);
}

/* After rib put `info` (one reference, ours) at result.index. */
static void settle(struct mirror *mirror, struct channel *channel, struct rib *rib, const struct rib_result *result,
		   uint32_t info)
{
	struct route_infos *infos = &mirror->routes.infos;
	struct rib_route *route;

	if (!result->index) {
		routes_info_drop(mirror, info);
		channel_lost(channel, -ENOMEM);
		return;
	}
	if (result->old_info == info) { /* nothing new, save perhaps its place in the list */
		routes_info_drop(mirror, info);
		if (!result->same)
			routes_prefix_changed(mirror, rib, rib_route(rib, result->index)->addr,
					      rib_route(rib, result->index)->len);
		return;
	}
	route = rib_route(rib, result->index);
	routes_suspect(mirror, rib, route->addr, route->len, route->priority);
	route->flags = 0; /* its record is to be written */
	if (result->old_info)
		locals_remove(mirror, rib, route, route_info(infos, result->old_info));
	else
		count(mirror, rib, 1);
	locals_add(mirror, rib, route, route_info(infos, info));
	routes_prefix_changed(mirror, rib, route->addr, route->len);
	if (result->old_info)
		routes_info_drop(mirror, result->old_info);
	else if (covers_others(rib, route->len))
		cover(mirror, rib, route->addr, route->len, 1);
}

static void put4(struct mirror *mirror, struct channel *channel, struct rib *rib, const struct rib_key *key,
		 uint16_t nl_flags, bool dumped)
{
	uint32_t info = route_info_get(&mirror->routes.infos, &scratch);
	struct rib_result result = { 0 };

	if (!info)
		channel_lost(channel, -ENOMEM);
	if (!info)
		return;
	result = dumped ? rib_dumped4(rib, key, info, channel->sync.gen, !channel->sync.job[0].ifindex) :
			  rib_notified4(rib, key, info, nl_flags, channel->sync.gen);
	mirror->routes.unsure |= result.unsure;
	if (result.guessed)
		routes_guessed(mirror);
	settle(mirror, channel, rib, &result, info);
}

static void del4(struct mirror *mirror, struct rib *rib, const struct rib_key *key)
{
	uint32_t info = route_info_find(&mirror->routes.infos, &scratch);
	uint32_t index = rib_match4(rib, key, info);

	if (index)
		routes_remove(mirror, rib, index);
}

/* ---- IPv6 siblings ---- */

static bool has_leg(const struct route_info *info, const struct nexthop_leg *leg)
{
	for (uint32_t i = 0; i < info->n_legs; i++)
		if (leg_same_path(&info->legs[i], leg))
			return true;
	return false;
}

/* Do the message in scratch and this route speak of the same one? */
static bool same_route6(const struct route_info *info)
{
	bool siblings = can_have_siblings(info->legs, info->n_legs) && can_have_siblings(scratch.legs, scratch.n_legs);

	if (info->src_len != scratch.src_len || (info->src_len && info->rest_hash != scratch.rest_hash))
		return false;
	if (info->kernel_id || scratch.kernel_id)
		return info->kernel_id == scratch.kernel_id;
	if (info->type != scratch.type && !siblings) /* all that refuse are on lo */
		return false;
	for (uint32_t i = 0; i < scratch.n_legs; i++)
		if (has_leg(info, &scratch.legs[i]))
			return true;
	return !info->n_legs && !scratch.n_legs;
}

/* The route that the one in scratch takes the place of: the first of its metric that, like it, can or cannot have siblings,
 * else the first of its metric (fib6_add_rt2node()). */
static uint32_t replaced6(const struct mirror *mirror, const struct rib *rib, const struct rib_key *key)
{
	bool siblings = can_have_siblings(scratch.legs, scratch.n_legs);
	uint32_t any = 0;

	for (uint32_t at = rib_first(rib, key->addr, key->len); at; at = rib_route(rib, at)->next) {
		const struct rib_route *route = rib_route(rib, at);
		const struct route_info *info = route_info(&mirror->routes.infos, route->info);

		if (route->priority != key->priority || info->doomed || info->src_len != scratch.src_len)
			continue;
		if (can_have_siblings(info->legs, info->n_legs) == siblings)
			return at;
		any = any ? any : at;
	}
	return any;
}

/*
 * The route a message in scratch is about. One without siblings may be there twice, because a route that replaces another
 * is not compared with the rest (fib6_add_rt2node()): then the one that says exactly this, and in a dump (`gen`; 0: none)
 * one that it has not told of. A dump may repeat itself, though, while the table changes.
 */
static uint32_t find6(struct mirror *mirror, const struct rib *rib, const struct rib_key *key, uint32_t gen)
{
	uint32_t found = 0, told = 0;

	for (uint32_t at = rib_first(rib, key->addr, key->len); at; at = rib_route(rib, at)->next) {
		const struct rib_route *route = rib_route(rib, at);
		const struct route_info *info = route_info(&mirror->routes.infos, route->info);

		if (route->priority != key->priority || info->doomed || !same_route6(info))
			continue;
		if (can_have_siblings(info->legs, info->n_legs))
			return at;
		if (route->gen == gen)
			told = at;
		else if (!found || (route->info != rib_route(rib, found)->info &&
				    route->info == route_info_find(&mirror->routes.infos, &scratch)))
			found = at;
	}
	if (found || !told || mirror->routes.changed6)
		return found ? found : told;
	mirror->routes.doubled6 = true;
	return 0;
}

/* The path that a dump begins with stands first, as long as it is there; the rest follows around the ring. */
static void turn_paths(const struct nexthop_leg *first)
{
	static struct nexthop_leg turned[NL_LEGS_MAX];
	uint32_t at = 0;

	while (at < scratch.n_legs && !leg_same_path(&scratch.legs[at], first))
		at++;
	for (uint32_t i = 0; at < scratch.n_legs && i < scratch.n_legs; i++)
		turned[i] = scratch.legs[(at + i) % scratch.n_legs];
	if (at < scratch.n_legs)
		memcpy(scratch.legs, turned, scratch.n_legs * sizeof(turned[0]));
}

static const struct nexthop_leg *known_path(const struct route_info *old, const struct nexthop_leg *leg)
{
	for (uint32_t i = 0; old && i < old->n_legs; i++)
		if (leg_same_path(&old->legs[i], leg))
			return &old->legs[i];
	return NULL;
}

/*
 * Each path of a multipath route has its own type and metrics, and a message tells those of the path that it names first:
 * a dump the first's of all; a notification the new path's or, when several were appended at once, the first's of all
 * (ip6_route_mpath_notify()). What is known of the others stays; what is not is unsure (mirror_route_ask.c), and has the
 * least MTU there is, so that larger packets are the kernel's (ip6_forward() knows none below). alike: the new paths are
 * as the first is told. The route is of the type of the kernel's first, which stays the first.
 */
static void join_paths(const struct route_info *old, bool dumped, bool alike)
{
	for (uint32_t i = 1; i < scratch.n_legs; i++) {
		const struct nexthop_leg *known = known_path(old, &scratch.legs[i]);
		struct nexthop_leg *leg = &scratch.legs[i];

		leg->unsure = known ? known->unsure : !alike;
		leg->mtu_bytes = known ? known->mtu_bytes : alike ? leg->mtu_bytes : IPV6_MIN_MTU;
		leg->type = known ? known->type : leg->type;
	}
	if (old && !dumped)
		turn_paths(&old->legs[0]);
	scratch.type = scratch.legs[0].type;
}

/* Were all paths that a notification has and we have not made by one request? Not if some may have been there unseen. */
static bool of_one_request(const struct mirror *mirror, const struct channel *channel, const struct nlmsghdr *msg,
			   bool known)
{
	if (msg->nlmsg_flags & NLM_F_REPLACE)
		return true;
	return mirror->live && !channel->lost && !(known && msg->nlmsg_flags & NLM_F_APPEND);
}

static void put6(struct mirror *mirror, struct channel *channel, struct rib *rib, const struct rib_key *key, uint32_t over,
		 bool dumped, bool replaces)
{
	struct rib_result result;
	uint32_t info;
	bool hid;

	info = route_info_get(&mirror->routes.infos, &scratch);
	if (!info) {
		channel_lost(channel, -ENOMEM);
		return;
	}
	hid = over && route_info(&mirror->routes.infos, rib_route(rib, over)->info)->n_legs > 1;
	mirror->routes.ask |= route_info_unsure(route_info(&mirror->routes.infos, info));
	result = rib_put6(rib, key, over, info, channel->sync.gen);
	if (result.index && dumped && scratch.n_legs > 1 && (!hid || channel->lost)) {
		rib_route(rib, result.index)->dumped = true;
		routes_suspect(mirror, rib, key->addr, key->len, key->priority);
		result.same = false;
	}
	settle(mirror, channel, rib, &result, info);
	if (replaces) /* what is hidden may be what was replaced */
		mirror->routes.reveal |= routes_suspect(mirror, rib, key->addr, key->len, key->priority);
	if (replaces && hid && result.index)
		routes_reveal6(mirror, rib, key, rib_route(rib, result.index)->dumped);
}

/* What is left of a route when the paths in scratch go; false: nothing. On return scratch holds the rest. */
static bool subtract_legs(const struct route_info *info)
{
	static struct nl_route rest;

	if (info->kernel_id)
		return false;
	route_info_say(info, &rest);
	rest.n_legs = 0;
	for (uint32_t i = 0; i < info->n_legs; i++) {
		bool goes = false;

		for (uint32_t j = 0; j < scratch.n_legs; j++)
			goes |= leg_same_path(&info->legs[i], &scratch.legs[j]);
		if (!goes)
			rest.legs[rest.n_legs++] = info->legs[i];
	}
	if (!rest.n_legs)
		return false;
	if (rest.n_legs == 1)
		rest.legs[0].weight = 1;
	rest.type = rest.legs[0].type;
	memcpy(&scratch, &rest, sizeof(rest));
	return true;
}

/* The paths in scratch leave the route at index; the last takes it along. */
static void take_legs(struct mirror *mirror, struct channel *channel, struct rib *rib, const struct rib_key *key,
		      uint32_t index)
{
	const struct route_info *old = route_info(&mirror->routes.infos, rib_route(rib, index)->info);
	bool hid = old->n_legs > 1, dumped = rib_route(rib, index)->dumped;
	struct rib_result result;
	uint32_t info;

	if (!subtract_legs(old)) {
		routes_remove(mirror, rib, index);
		if (hid)
			routes_reveal6(mirror, rib, key, dumped);
		return;
	}
	info = route_info_get(&mirror->routes.infos, &scratch);
	if (!info) {
		channel_lost(channel, -ENOMEM);
		return;
	}
	result = rib_put6(rib, key, index, info, channel->sync.gen);
	settle(mirror, channel, rib, &result, info);
	routes_reveal6(mirror, rib, key, dumped);
}

void routes_say(struct mirror *mirror, struct rib *rib, uint32_t index, const struct nl_route *said)
{
	const struct rib_route *route = rib_route(rib, index);
	struct rib_key key = { .addr = route->addr, .len = route->len, .tos = route->tos, .priority = route->priority };
	uint32_t info = route_info_get(&mirror->routes.infos, said);
	struct rib_result result;

	if (!info) /* as it is, it is safe */
		return;
	result = rib_put6(rib, &key, index, info, route->gen);
	settle(mirror, &mirror->channel[CHANNEL_ROUTE], rib, &result, info);
}

void routes_leave_link(struct mirror *mirror, struct rib *rib, uint32_t index, uint32_t ifindex)
{
	const struct rib_route *route = rib_route(rib, index);
	const struct route_info *info = route_info(&mirror->routes.infos, route->info);
	struct rib_key key = { .len = route->len, .tos = route->tos, .priority = route->priority };
	uint8_t addr[16];

	memcpy(addr, route->addr, 16);
	key.addr = addr;
	scratch.n_legs = 0;
	for (uint32_t i = 0; i < info->n_legs; i++) {
		if (info->legs[i].ifindex == ifindex)
			scratch.legs[scratch.n_legs++] = info->legs[i];
		else /* the last living path takes the dead ones along (rt6_multipath_flush()) */
			routes_verify(mirror, info->legs[i].ifindex);
	}
	take_legs(mirror, &mirror->channel[CHANNEL_ROUTE], rib, &key, index);
}

/* ---- messages ---- */

static void mask(uint8_t addr[16], uint8_t len)
{
	uint8_t bytes = len / 8;

	if (len % 8) {
		addr[bytes] &= (uint8_t)(0xff00 >> (len % 8));
		bytes++;
	}
	memset(addr + bytes, 0, 16 - bytes);
}

/*
 * RTNH_F_DEAD and RTNH_F_LINKDOWN change silently with the link, so they are derived from it wherever they can be. What is
 * left is a leg that is dead on a link that is up: fib_disable_ip() does that when the last IPv4 address goes.
 */
static void normalise_leg(struct mirror *mirror, struct nexthop_leg *leg, uint8_t family)
{
	/* The kernel has not noticed that such a path's link had no carrier when it was made (fib_check_nh_v6_gw()), and
	 * ignores it only from the next change on: what it does until then is its own. */
	if (family == AF_INET && leg->family == AF_INET6 && !(leg->flags & (RTNH_F_LINKDOWN | RTNH_F_DEAD)) &&
	    !links_carry(mirror, leg->ifindex, family))
		leg->kind = WYE_NH_KERNEL;
	if (!links_carry(mirror, leg->ifindex, family))
		leg->flags &= (uint8_t)~RTNH_F_DEAD;
	leg->flags &= RTNH_F_ONLINK | RTNH_F_DEAD;
}

static void normalise(struct mirror *mirror, struct nl_route *route)
{
	mask(route->dst, route->dst_len);
	if (route->n_legs == 1)
		route->legs[0].weight = 1;
	for (uint32_t i = 0; i < route->n_legs; i++) {
		normalise_leg(mirror, &route->legs[i], route->family);
		if (route->too_many_legs)
			route->legs[i].kind = WYE_NH_KERNEL;
	}
}

bool routes_have(struct mirror *mirror, const struct rib *rib, struct nl_route *found)
{
	uint32_t at = rib_first(rib, found->dst, found->dst_len), info;

	normalise(mirror, found);
	info = route_info_find(&mirror->routes.infos, found);
	while (at && (rib_route(rib, at)->priority != found->priority || rib_route(rib, at)->info != info))
		at = rib_route(rib, at)->next;
	return at != 0;
}

void routes_found(struct mirror *mirror, struct rib *rib, const struct nl_route *found)
{
	struct rib_key key = { .addr = found->dst, .len = found->dst_len, .priority = found->priority };

	memcpy(&scratch, found, sizeof(scratch));
	put6(mirror, &mirror->channel[CHANNEL_ROUTE], rib, &key, 0, false, false);
}

/*
 * While a nexthop object is a blackhole, that is told as the type of all routes by it, whatever their own is
 * (fib_dump_info()); which counts again when the object, without a word of them, leads somewhere. Notifications come in
 * order with those of objects, dumps may be behind.
 */
static uint8_t own_type(struct mirror *mirror, const struct rib *rib, const struct rib_key *key, bool dumped)
{
	bool leads = nexthops_known(mirror, scratch.kernel_id) && !nexthops_blackhole(mirror, scratch.kernel_id);

	if (leads && !dumped)
		return scratch.type;
	for (uint32_t at = rib_first(rib, key->addr, key->len); at; at = rib_route(rib, at)->next) {
		const struct rib_route *route = rib_route(rib, at);
		const struct route_info *info = route_info(&mirror->routes.infos, route->info);

		if (info->kernel_id == scratch.kernel_id && route->priority == key->priority && route->tos == key->tos)
			return info->type;
	}
	return leads ? scratch.type : RTN_UNICAST;
}

/* Traces of an interface's IPv6 being switched on or off (disable_ipv6), which no link message tells: its route to all
 * multicast comes or goes. */
static void watch_ipv6(struct mirror *mirror, const struct nl_route *route)
{
	if (route->table == RT_TABLE_LOCAL && route->type == RTN_MULTICAST && mirror->phase_two)
		sync_add(&mirror->channel[CHANNEL_LINK].sync, &(struct sync_job){ .class = CLASS_LINK });
}

/* Its preferred source is gone already: told on another socket, perhaps before this route, and with it the route or that. */
static void watch_prefsrc(struct mirror *mirror, const struct nl_route *route)
{
	if (!route->has_prefsrc || addrs_have(mirror, route->family, route->prefsrc))
		return;
	if (route->kernel_id)
		routes_verify(mirror, 0);
	for (uint32_t i = 0; i < route->n_legs; i++)
		routes_verify(mirror, route->legs[i].ifindex);
}

/* What a notification speaks of: all routes of one prefix, TOS and priority, since more than one may be alike in these. */
struct touch_key {
	uint32_t table, priority;
	uint8_t family, len, tos, pad;
	uint8_t addr[16];
};

static struct touch_key touch_key(const struct rib *rib, const struct rib_key *key)
{
	struct touch_key touch = { .table = rib->table, .priority = key->priority, .family = rib->family,
				   .len = key->len, .tos = key->tos };

	memcpy(touch.addr, key->addr, 16);
	return touch;
}

static void touch(struct channel *channel, const struct rib *rib, const struct rib_key *key)
{
	struct touch_key touched = touch_key(rib, key);

	channel_touch(channel, CLASS_ROUTE, &touched, sizeof(touched));
}

bool routes_touched(const struct mirror *mirror, const struct rib *rib, const struct rib_key *key)
{
	struct touch_key touched = touch_key(rib, key);

	return channel_touched(&mirror->channel[CHANNEL_ROUTE], CLASS_ROUTE, &touched, sizeof(touched));
}

/* The same paths, in whatever order: a notification begins with the new one. What else is told of a multipath route is one
 * path's, and not always the same one's. */
static bool same_siblings(const struct route_info *info)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < info->n_legs; i++)
		for (uint32_t j = 0; j < scratch.n_legs; j++)
			n += leg_same_path(&info->legs[i], &scratch.legs[j]) &&
			     info->legs[i].weight == scratch.legs[j].weight && info->legs[i].kind == scratch.legs[j].kind;
	return n == info->n_legs && n == scratch.n_legs && can_have_siblings(info->legs, info->n_legs);
}

/* An audit's dump shows the route in scratch. Is there nothing to do? at: of IPv6, the one it is about. */
static bool audited(struct mirror *mirror, struct channel *channel, struct rib *rib, const struct rib_key *key, uint32_t at)
{
	uint32_t info = route_info_find(&mirror->routes.infos, &scratch), gen = channel->sync.gen;
	struct touch_key suspect = touch_key(rib, key);
	bool same;

	if (rib->family == AF_INET) {
		same = info && rib_seen4(rib, key, info, gen);
	} else {
		same = at && rib_route(rib, at)->info == info;
		if (at)
			rib_route(rib, at)->gen = gen;
		if (at && !same && same_siblings(route_info(&mirror->routes.infos, rib_route(rib, at)->info)))
			return scratch.n_legs > 1; /* what is the last one's own was not told before: take it over */
	}
	return same || !audit_differs(mirror, channel, &suspect, sizeof(suspect));
}

bool routes_gone(struct mirror *mirror, const struct rib *rib, const struct rib_key *key)
{
	struct touch_key suspect = touch_key(rib, key);

	return audit_differs(mirror, &mirror->channel[CHANNEL_ROUTE], &suspect, sizeof(suspect));
}

void routes_ahead(const struct mirror *mirror, const struct nlmsghdr *msg, unsigned step)
{
	struct nl_route_peek peek;
	const struct rib *rib;

	if (!nl_peek_route(msg, &peek) || peek.table != RT_TABLE_MAIN)
		return;
	rib = routes_rib(mirror, peek.family, peek.table);
	rib_prefetch(rib, peek.dst, peek.dst_len, step);
	fib_prefetch(mirror->tables->fib, WYE_VRF_MAIN, peek.family, peek.dst, peek.dst_len, step);
}

void routes_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	bool replaces = !dumped && msg->nlmsg_type == RTM_NEWROUTE && msg->nlmsg_flags & NLM_F_REPLACE;
	uint32_t about = 0;
	uint8_t addr[16];
	struct rib_key key;
	struct rib *rib;

	if (!mirror_decoded(mirror, nl_decode_route(msg, &scratch), msg))
		return;
	if (scratch.rtm_flags & RTM_F_CLONED) {
		exceptions_dumped(mirror, &scratch);
		return;
	}
	rib = routes_rib(mirror, scratch.family, scratch.table);
	if (!rib)
		return;
	if (dumped)
		links_learn(mirror, &scratch);
	normalise(mirror, &scratch);
	if (!dumped && msg->nlmsg_type == RTM_NEWROUTE)
		watch_prefsrc(mirror, &scratch);
	if (!dumped && rib->family == AF_INET6) {
		mirror->routes.changed6 = true;
		watch_ipv6(mirror, &scratch);
	}
	memcpy(addr, scratch.dst, 16); /* scratch is used anew for an IPv6 remainder */
	key = (struct rib_key){ .addr = addr, .len = scratch.dst_len, .tos = scratch.tos, .priority = scratch.priority };
	if (dumped && routes_touched(mirror, rib, &key))
		return;
	if (scratch.kernel_id && scratch.type == RTN_BLACKHOLE)
		scratch.type = own_type(mirror, rib, &key, dumped);
	if (rib->family == AF_INET6)
		about = replaces ? replaced6(mirror, rib, &key) : find6(mirror, rib, &key, dumped ? channel->sync.gen : 0);
	if (rib->family == AF_INET6 && scratch.n_legs > 1 && msg->nlmsg_type == RTM_NEWROUTE)
		join_paths(about && !replaces ? route_info(&mirror->routes.infos, rib_route(rib, about)->info) : NULL,
			   dumped, !dumped && of_one_request(mirror, channel, msg, about));
	if (dumped && channel_audits(channel) && audited(mirror, channel, rib, &key, about))
		return;
	if (!dumped)
		touch(channel, rib, &key);
	if (msg->nlmsg_type == RTM_DELROUTE) {
		if (rib->family == AF_INET)
			del4(mirror, rib, &key);
		else if (about)
			take_legs(mirror, channel, rib, &key, about);
	} else if (rib->family == AF_INET) {
		put4(mirror, channel, rib, &key, msg->nlmsg_flags, dumped);
	} else {
		put6(mirror, channel, rib, &key, about, dumped, replaces);
	}
}
