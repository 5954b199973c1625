/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel does to routes without saying so: a link goes down, the last address goes, a nexthop object is
 * deleted. The cause comes as a message of another kind; here it becomes what it means for routes:
 *
 * - Sure things are done at once. A device that is gone takes every IPv4 route with it that used it, multipath or not
 *   (fib_sync_down_dev(), NETDEV_UNREGISTER); so does a nexthop object. Their infos are "doomed": passed over by every
 *   choice from now on, unfindable for new messages, and removed by a walk that takes a bounded part of each turn.
 * - The rest is asked for: a dump of the routes by that link, behind a fence, and a sweep of those not in it. Until then
 *   the nexthops are DOWN (resolve_link_changed) and the kernel decides.
 * - Whether a leg lives is derived from its link. A route that loses or regains its last living leg is "marked", and a
 *   walk publishes its prefix anew.
 */
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "mirror.h"

#define WALK_A_TURN  32768u	/* routes looked at */
#define WORK_A_TURN  4096u	/* routes removed or published */
#define REVEAL_PAUSE 9u		/* times as long as the dumps took: a tenth of a core at most */
#define REVEAL_PAUSE_MIN_NS 10000000ULL
#define ATTEMPTS_MAX 16u	/* of one job: then what is in doubt stays, until the next */

/* ---- walks ---- */

void routes_walk_all(struct mirror *mirror)
{
	mirror->routes.walk_wanted = mirror->routes.walk_all = true;
}

static void walk_started(struct route_table *routes)
{
	routes->walking = true;
	routes->walk_wanted = false;
	routes->walk_rib = routes->walk_at = 0;
	for (uint32_t i = 1; i < routes->infos.pool.used; i++) {
		struct route_info *info = route_info(&routes->infos, i);

		info->walked = info->marked || routes->walk_all;
		info->marked = false;
	}
	routes->walk_all = false;
}

/* One route of a walk. True: it cost work. */
static bool walk_route(struct mirror *mirror, struct rib *rib, uint32_t at)
{
	const struct rib_route *route = rib_route(rib, at);
	const struct route_info *info = route->info ? route_info(&mirror->routes.infos, route->info) : NULL;

	if (!info || (!info->doomed && !info->walked))
		return false;
	if (info->doomed)
		routes_remove(mirror, rib, at);
	else
		routes_prefix_changed(mirror, rib, route->addr, route->len);
	return true;
}

bool routes_walk(struct mirror *mirror)
{
	struct route_table *routes = &mirror->routes;
	uint32_t looked = 0, work = 0;

	if (!routes->walking) {
		if (!routes->walk_wanted)
			return false;
		walk_started(routes);
	}
	for (; routes->walk_rib < routes->n_ribs; routes->walk_rib++, routes->walk_at = 0) {
		struct rib *rib = routes->rib[routes->walk_rib];

		while (++routes->walk_at < rib->pool.used) {
			work += walk_route(mirror, rib, routes->walk_at);
			if (++looked == WALK_A_TURN || work == WORK_A_TURN)
				return true;
		}
	}
	routes->walking = false;
	return routes->walk_wanted;
}

/* ---- causes ---- */

static void mark(struct mirror *mirror, struct route_info *info)
{
	if (!routes_info_refresh(mirror, info))
		return;
	info->marked = true;
	mirror->routes.walk_wanted = true;
}

static void doom(struct mirror *mirror, uint32_t index)
{
	route_info_doom(&mirror->routes.infos, index);
	mirror->routes.walk_wanted = true;
}

static bool all_legs_use(const struct route_info *info, uint32_t ifindex)
{
	for (uint32_t i = 0; i < info->n_legs; i++)
		if (info->legs[i].ifindex != ifindex)
			return false;
	return info->n_legs != 0;
}

void routes_link_changed(struct mirror *mirror, uint32_t ifindex)
{
	struct route_infos *infos = &mirror->routes.infos;

	for (uint32_t i = 1; i < infos->pool.used; i++) {
		struct route_info *info = route_info(infos, i);

		if (info->refs && !info->doomed && !info->kernel_id && route_info_uses(info, ifindex))
			mark(mirror, info);
	}
	mirror->routes.ask_again = true; /* a path by it may be taken now, or taken no more */
	routes_verify(mirror, ifindex);
}

static bool waits_for_notice(const struct route_info *info, uint32_t ifindex)
{
	for (uint32_t i = 0; i < info->n_legs && info->family == AF_INET; i++)
		if (info->legs[i].ifindex == ifindex && info->legs[i].family == AF_INET6 &&
		    info->legs[i].kind == WYE_NH_KERNEL)
			return true;
	return false;
}

void routes_link_told(struct mirror *mirror, uint32_t ifindex)
{
	struct route_infos *infos = &mirror->routes.infos;

	for (uint32_t i = 1; i < infos->pool.used; i++) {
		const struct route_info *info = route_info(infos, i);

		if (!info->refs || info->doomed || !waits_for_notice(info, ifindex))
			continue;
		routes_verify(mirror, ifindex);
		return;
	}
}

void routes_link_gone(struct mirror *mirror, uint32_t ifindex)
{
	struct route_infos *infos = &mirror->routes.infos;

	for (uint32_t i = 1; i < infos->pool.used; i++) {
		struct route_info *info = route_info(infos, i);

		if (!info->refs || info->doomed || !route_info_uses(info, ifindex))
			continue;
		if (info->family == AF_INET || all_legs_use(info, ifindex))
			doom(mirror, i);
		else /* what becomes of the other paths may go unsaid (skip_notify_on_dev_down) */
			routes_verify(mirror, ifindex);
	}
}

void routes_nexthop_changed(struct mirror *mirror, uint32_t kernel_id, bool gone)
{
	struct route_infos *infos = &mirror->routes.infos;
	bool blackhole = false;

	for (uint32_t i = 1; i < infos->pool.used; i++) {
		struct route_info *info = route_info(infos, i);

		if (!info->refs || info->doomed || info->kernel_id != kernel_id)
			continue;
		blackhole |= info->blackhole;
		if (gone)
			doom(mirror, i);
		else
			mark(mirror, info);
	}
	if (blackhole && !gone && !nexthops_blackhole(mirror, kernel_id)) /* of what type its routes are may not have been told */
		routes_verify(mirror, 0);
}

void routes_prefsrc_gone(struct mirror *mirror, uint8_t family, const uint8_t addr[16])
{
	struct route_infos *infos = &mirror->routes.infos;

	for (uint32_t i = 1; i < infos->pool.used; i++) {
		const struct route_info *info = route_info(infos, i);

		if (!info->refs || info->doomed || !info->has_prefsrc || info->family != family ||
		    memcmp(info->prefsrc, addr, 16))
			continue;
		if (info->kernel_id)
			routes_verify(mirror, 0);
		for (uint32_t leg = 0; leg < info->n_legs; leg++)
			routes_verify(mirror, info->legs[leg].ifindex);
	}
}

/* fib_sync_up(): an address revives the legs that the loss of the last one killed. */
void routes_address_added(struct mirror *mirror, uint32_t ifindex)
{
	struct route_infos *infos = &mirror->routes.infos;

	for (uint32_t i = 1; i < infos->pool.used; i++) {
		const struct route_info *info = route_info(infos, i);

		for (uint32_t leg = 0; info->refs && !info->doomed && leg < info->n_legs; leg++) {
			if (info->legs[leg].ifindex != ifindex || !(info->legs[leg].flags & RTNH_F_DEAD))
				continue;
			routes_verify(mirror, ifindex);
			return;
		}
	}
}

/* ---- dumps to verify ---- */

void routes_resync(struct mirror *mirror, struct channel *channel)
{
	static const struct sync_job jobs[] = {
		{ .class = CLASS_NEXTHOP, .fence = true },
		{ .class = CLASS_ROUTE, .family = AF_INET, .fence = true },
		{ .class = CLASS_ROUTE, .family = AF_INET6, .fence = true },
		{ .class = CLASS_EXCEPTION, .family = AF_INET },
		{ .class = CLASS_EXCEPTION, .family = AF_INET6 },
	};
	struct sync *sync = &channel->sync;

	if (!mirror->phase_two)
		return;
	/* What waits is part of it; what runs goes on. */
	if (sync->n_jobs > 1)
		sync->n_jobs = 1;
	if (sync->state == SYNC_RESYNC || sync->state == SYNC_IN_SYNC || sync->state == SYNC_SUBSCRIBE)
		sync->n_jobs = 0;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		sync_add(sync, &jobs[i]);
}

/* An object that is not known may be of any link. */
static bool may_use(struct mirror *mirror, const struct route_info *info, uint32_t ifindex)
{
	if (!info->kernel_id)
		return route_info_uses(info, ifindex);
	return !nexthops_known(mirror, info->kernel_id) || nexthops_use(mirror, info->kernel_id, ifindex);
}

bool routes_use(struct mirror *mirror, uint8_t family, uint32_t ifindex)
{
	struct route_infos *infos = &mirror->routes.infos;

	for (uint32_t i = 1; i < infos->pool.used; i++) {
		const struct route_info *info = route_info(infos, i);

		if (info->refs && !info->doomed && info->family == family && may_use(mirror, info, ifindex))
			return true;
	}
	return false;
}

static void verify(struct mirror *mirror, uint32_t ifindex, bool always)
{
	struct channel *channel = &mirror->channel[CHANNEL_ROUTE];
	struct sync_job job = { .class = CLASS_ROUTE, .fence = true, .always = always, .ifindex = ifindex };
	bool ok;

	if (!mirror->phase_two)
		return;
	if (!ifindex) {
		routes_resync(mirror, channel);
		return;
	}
	/* Objects we know none of may wait in the socket, and be gone already. */
	ok = sync_add(&channel->sync, &(struct sync_job){ .class = CLASS_NEXTHOP, .fence = true });
	for (int f = 0; f < 2; f++) {
		job.family = f ? AF_INET6 : AF_INET;
		ok = ok && sync_add(&channel->sync, &job);
	}
	if (!ok)
		routes_resync(mirror, channel);
}

void routes_verify(struct mirror *mirror, uint32_t ifindex)
{
	verify(mirror, ifindex, false);
}

void routes_link_again(struct mirror *mirror, uint32_t ifindex)
{
	verify(mirror, ifindex, true);
}

/*
 * Has everything that went unsaid been found out? Its cause was read, no dump is to come that would show it, and nothing
 * that it made go is still there.
 */
static bool settled(const struct mirror *mirror)
{
	const struct channel *channel = &mirror->channel[CHANNEL_ROUTE];
	const struct sync *sync = &channel->sync;
	bool only_audits = !sync->n_jobs || sync->job[sync->n_jobs - 1].audit;

	return channel_idle(&mirror->channel[CHANNEL_LINK]) && only_audits && !channel->lost &&
	       !mirror->routes.walk_wanted && !mirror->routes.walking;
}

void routes_guessed(struct mirror *mirror)
{
	if (settled(mirror))
		mirror->routes.guessed = true;
	else
		mirror->routes.unsure = true;
}

/* What the kernel did unsaid before a message of a route, it told the cause of before: on the links' socket, if anywhere. */
void routes_check_guess(struct mirror *mirror)
{
	struct route_table *routes = &mirror->routes;

	if (!routes->guessed || !channel_drain(&mirror->channel[CHANNEL_LINK]))
		return;
	links_commit(mirror);
	routes->unsure |= !settled(mirror);
	routes->guessed = false;
}

/* A full table's dump takes a second, and what made it necessary may come back at once. */
static bool may_reveal(struct mirror *mirror, uint64_t now)
{
	struct route_table *routes = &mirror->routes;

	if (routes->reveal_asked_ns) {
		if (!channel_idle(&mirror->channel[CHANNEL_ROUTE]))
			return false;
		routes->reveal_after_ns = now + REVEAL_PAUSE * (now - routes->reveal_asked_ns) + REVEAL_PAUSE_MIN_NS;
		routes->reveal_asked_ns = 0;
	}
	return now >= routes->reveal_after_ns;
}

void routes_reveal(struct mirror *mirror)
{
	struct sync *sync = &mirror->channel[CHANNEL_ROUTE].sync;
	struct route_table *routes = &mirror->routes;
	bool wanted = (routes->reveal || routes->unsure) && mirror->phase_two;
	uint64_t now = wanted || routes->reveal_asked_ns ? now_ns() : 0;

	if (!now || !may_reveal(mirror, now) || !wanted)
		return;
	if (routes->reveal && sync_add(sync, &(struct sync_job){ .class = CLASS_ROUTE, .family = AF_INET6 }))
		routes->reveal = false;
	if (routes->unsure && sync_add(sync, &(struct sync_job){ .class = CLASS_ROUTE, .family = AF_INET }))
		routes->unsure = false;
	routes->reveal_asked_ns = now;
}

/* ---- sweep ---- */

/* A sweep may have been cut short by a loss of messages. */
void routes_dump_begins(struct mirror *mirror)
{
	struct route_table *routes = &mirror->routes;

	routes->sweep_rib = routes->sweep_at = routes->sweep_suspects = routes->sweep_doubts = 0;
	routes->changed6 = routes->doubled6 = false;
}

static bool in_scope(struct mirror *mirror, const struct sync_job *job, const struct route_info *info)
{
	if (!job->ifindex)
		return true;
	return info->kernel_id ? nexthops_use(mirror, info->kernel_id, job->ifindex) :
				 route_info_uses(info, job->ifindex);
}

static void sweep_one(struct mirror *mirror, const struct sync_job *job, struct rib *rib, uint32_t at, uint32_t gen)
{
	struct route_table *routes = &mirror->routes;
	const struct rib_route *route = rib_route(rib, at);

	struct rib_key key = { .addr = route->addr, .len = route->len, .tos = route->tos, .priority = route->priority };

	if (!route->info || route->gen >= gen || !in_scope(mirror, job, route_info(&routes->infos, route->info)))
		return;
	if (route_info(&routes->infos, route->info)->doomed)
		return;
	routes->sweep_work++;
	/* One of its like was notified meanwhile, so what the dump said of this one was not heard either. */
	if (routes_touched(mirror, rib, &key)) {
		routes->sweep_doubts++;
		return;
	}
	if (rib->family == AF_INET6 && routes_hidden6(mirror, rib, at))
		return;
	/* IPv6 dumps can miss what is there: twice missed is gone. */
	if (rib->family == AF_INET6 && routes->suspect_gen == 0 && job->audit != SYNC_LOOK) {
		routes->sweep_suspects++;
		return;
	}
	if (!routes_gone(mirror, rib, &key))
		return;
	atomic_fetch_add_explicit(&mirror_stats(mirror)->swept, 1, memory_order_relaxed);
	/* Not in the dump by that link means without a path by it; unsaid with skip_notify_on_dev_down (fib6_ifdown()). */
	if (rib->family == AF_INET6 && job->ifindex)
		routes_leave_link(mirror, rib, at, job->ifindex);
	else
		routes_remove(mirror, rib, at);
}

/* An IPv6 dump that raced with changes may have missed what we have never seen: look again, up to three times. It may also
 * have repeated what is there once: not to be left so. */
static bool raced6(struct mirror *mirror, const struct sync_job *job, unsigned attempt)
{
	if (job->family != AF_INET6 || !mirror->routes.changed6)
		return false;
	return (!job->ifindex && attempt < 4) || (mirror->routes.doubled6 && attempt < ATTEMPTS_MAX);
}

enum sync_outcome routes_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	struct route_table *routes = &mirror->routes;
	uint32_t looked = 0, doubts;

	if (attempt == 1 && !routes->sweep_rib && !routes->sweep_at)
		routes->suspect_gen = 0;
	if (routes->suspect_gen)
		gen = routes->suspect_gen;
	routes->sweep_work = 0;
	for (; routes->sweep_rib < routes->n_ribs; routes->sweep_rib++, routes->sweep_at = 0) {
		struct rib *rib = routes->rib[routes->sweep_rib];

		if (rib->family != job->family || (job->table && rib->table != job->table))
			continue;
		while (++routes->sweep_at < rib->pool.used) {
			sweep_one(mirror, job, rib, routes->sweep_at, gen);
			if (++looked == WALK_A_TURN || routes->sweep_work == WORK_A_TURN)
				return SYNC_MORE;
		}
	}
	routes->sweep_rib = routes->sweep_at = 0;
	doubts = routes->sweep_doubts;
	routes->sweep_doubts = 0;
	if (job->audit == SYNC_LOOK)
		return SYNC_DONE;
	if (routes->sweep_suspects || (doubts && attempt < ATTEMPTS_MAX) || raced6(mirror, job, attempt)) {
		routes->suspect_gen = routes->sweep_suspects ? gen : routes->suspect_gen;
		routes->sweep_suspects = 0;
		return SYNC_AGAIN;
	}
	routes->suspect_gen = 0;
	return SYNC_DONE;
}
