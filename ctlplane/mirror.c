/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mirror as a whole: channels, the turn of the loop, first sync and flip, resync, larger regions.
 *
 * A start: links, their sysctls, addresses and rules first, since what follows hangs on links; then neighbours, nexthop
 * objects, routes, traffic control. All goes into a region nobody sees. When every channel is in sync the region is
 * flipped to; until then readers stay on the one a predecessor left.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/attr.h>

#include "errand.h"
#include "log.h"
#include "mirror.h"
#include "notify.h"

#define BEAT_NS	       100000000ULL
#define DOUBLINGS_MAX  6u
#define GROW_PAUSE_NS  10000000000ULL

struct wye_mirror_stats *mirror_stats(struct mirror *mirror)
{
	return &mirror->control.page->stats;
}

void mirror_beat(struct mirror *mirror)
{
	uint64_t now = now_ns();

	if (now - mirror->beat_ns < BEAT_NS)
		return;
	mirror->beat_ns = now;
	control_heartbeat(&mirror->control);
}

/* Once for each kind: where the bytes came from, what is wrong with them. */
static void log_refused(struct mirror *mirror, enum nl_verdict verdict, const struct nlmsghdr *msg)
{
	uint8_t family = msg->nlmsg_len > NLMSG_HDRLEN ? *((const uint8_t *)msg + NLMSG_HDRLEN) : 0;
	const uint16_t kind[] = { msg->nlmsg_type, family };
	char at[32] = "";

	if (key_set_has(&mirror->told, (uint8_t)verdict, kind, sizeof(kind)) ||
	    !key_set_add(&mirror->told, (uint8_t)verdict, kind, sizeof(kind)))
		return;
	if (mirror->source.byte)
		snprintf(at, sizeof(at), ", byte %llu", (unsigned long long)mirror->source.byte);
	log_message(verdict == NL_OTHER ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
		    "netlink %s%s: %s of type %u, family %u, %u bytes, sequence %u, from %u: %s; ignored and counted, said "
		    "once", mirror->source.name ? mirror->source.name : "", at, mirror->source.dumped ? "part of a dump" :
		    "a message", msg->nlmsg_type, family, msg->nlmsg_len, msg->nlmsg_seq, msg->nlmsg_pid,
		    verdict == NL_OTHER ? "not of a kind that is mirrored" : "a length or value in it is out of range");
}

bool mirror_decoded(struct mirror *mirror, enum nl_verdict verdict, const struct nlmsghdr *msg)
{
	struct wye_mirror_stats *stats = mirror_stats(mirror);

	mirror_count(&stats->messages, 1);
	if (verdict == NL_DECODED)
		return true;
	atomic_fetch_add_explicit(verdict == NL_OTHER ? &stats->unknown : &stats->malformed, 1, memory_order_relaxed);
	log_refused(mirror, verdict, msg);
	return false;
}

struct nl_msg *mirror_request(int type, const void *header, size_t header_bytes, int attr1, uint32_t value1, int attr2,
			      uint32_t value2)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_DUMP);

	if (!msg)
		return NULL;
	if (nlmsg_append(msg, (void *)header, header_bytes, NLMSG_ALIGNTO) < 0 ||
	    (value1 && nla_put_u32(msg, attr1, value1) < 0) || (value2 && nla_put_u32(msg, attr2, value2) < 0)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* ---- channels of rtnetlink ---- */

static void rtnl_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	switch (msg->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		routes_message(mirror, channel, msg, dumped);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neighs_message(mirror, channel, msg, dumped);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		links_message(mirror, channel, msg, dumped);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		addrs_message(mirror, channel, msg, dumped);
		break;
	case RTM_NEWNETCONF:
	case RTM_DELNETCONF:
		netconf_message(mirror, channel, msg, dumped);
		break;
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		nexthops_message(mirror, channel, msg, dumped);
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		rules_message(mirror, channel, msg, dumped);
		break;
	default:
		mirror_decoded(mirror, NL_OTHER, msg);
	}
}

static struct nl_msg *rtnl_request(struct mirror *mirror, const struct sync_job *job)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct ifaddrmsg ifa = { .ifa_family = AF_UNSPEC };
	struct netconfmsg ncm = { .ncm_family = job->family };
	struct fib_rule_hdr frh = { .family = job->family };
	struct ndmsg ndm = { .ndm_family = job->family };
	struct nhmsg nhm = { .nh_family = AF_UNSPEC };
	struct rtmsg rtm = { .rtm_family = job->family,
			     .rtm_flags = job->class == CLASS_EXCEPTION ? RTM_F_CLONED : 0 };

	switch (job->class) {
	case CLASS_LINK:
		return mirror_request(RTM_GETLINK, &ifi, sizeof(ifi), 0, 0, 0, 0);
	case CLASS_ADDR:
		return mirror_request(RTM_GETADDR, &ifa, sizeof(ifa), 0, 0, 0, 0);
	case CLASS_NETCONF:
		return mirror_request(RTM_GETNETCONF, &ncm, sizeof(ncm), 0, 0, 0, 0);
	case CLASS_RULE:
		return mirror_request(RTM_GETRULE, &frh, sizeof(frh), 0, 0, 0, 0);
	case CLASS_NEIGH:
		return mirror_request(RTM_GETNEIGH, &ndm, sizeof(ndm), 0, 0, 0, 0);
	case CLASS_NEXTHOP:
		return mirror_request(RTM_GETNEXTHOP, &nhm, sizeof(nhm), 0, 0, 0, 0);
	case CLASS_EXCEPTION:
		return mirror_request(RTM_GETROUTE, &rtm, sizeof(rtm), 0, 0, 0, 0);
	default:
		routes_dump_begins(mirror);
		return mirror_request(RTM_GETROUTE, &rtm, sizeof(rtm), RTA_OIF, job->ifindex, RTA_TABLE, job->table);
	}
}

static enum sync_outcome rtnl_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	switch (job->class) {
	case CLASS_LINK:
		links_sweep(mirror, gen);
		break;
	case CLASS_ADDR:
		addrs_sweep(mirror, gen);
		break;
	case CLASS_NETCONF:
		netconf_sweep(mirror, job->family, gen);
		break;
	case CLASS_RULE:
		rules_sweep(mirror, job->family, gen);
		break;
	case CLASS_NEIGH:
		return neighs_sweep(mirror, job, gen, attempt);
	case CLASS_NEXTHOP:
		nexthops_sweep(mirror, gen);
		break;
	case CLASS_EXCEPTION: /* they end by themselves */
		break;
	default:
		return routes_sweep(mirror, job, gen, attempt);
	}
	return SYNC_DONE;
}

static bool rtnl_moot(struct mirror *mirror, const struct sync_job *job)
{
	return job->class == CLASS_ROUTE && job->ifindex && !routes_use(mirror, job->family, job->ifindex);
}

static void links_resync(struct mirror *mirror, struct channel *channel)
{
	static const struct sync_job jobs[] = {
		{ .class = CLASS_LINK },
		{ .class = CLASS_NETCONF, .family = AF_INET },
		{ .class = CLASS_NETCONF, .family = AF_INET6 },
		{ .class = CLASS_ADDR },
		{ .class = CLASS_RULE, .family = AF_INET },
		{ .class = CLASS_RULE, .family = AF_INET6 },
	};

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		sync_add(&channel->sync, &jobs[i]);
	/* A link that went down and up again unseen took routes with it. */
	mirror->routes_after_links = mirror->phase_two;
}

/* Those of rtnetlink that tables are made of. */
static void channels_make(struct mirror *mirror)
{
	static const char *const names[] = { "links", "neighbours", "routes" };
	static void (*const resync[])(struct mirror *, struct channel *) = { links_resync, neighs_resync, routes_resync };

	for (int i = CHANNEL_LINK; i <= CHANNEL_ROUTE; i++)
		mirror->channel[i] = (struct channel){ .name = names[i], .mirror = mirror, .loop = &mirror->loop,
						       .protocol = NETLINK_ROUTE, .message = rtnl_message,
						       .request = rtnl_request, .sweep = rtnl_sweep, .resync = resync[i],
						       .moot = rtnl_moot };
}

static int channels_open(struct mirror *mirror)
{
	static const int groups[][9] = {
		{ RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
		  RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV6_IFINFO, 0 },
		{ RTNLGRP_NEIGH, 0 },
		{ RTNLGRP_NEXTHOP, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, 0 },
	};

	channels_make(mirror);
	for (int i = CHANNEL_LINK; i <= CHANNEL_ROUTE; i++) {
		int error = channel_open(&mirror->channel[i], groups[i]);

		if (error)
			return error;
	}
	links_resync(mirror, &mirror->channel[CHANNEL_LINK]);
	return parity_open(mirror);
}

/* ---- opening and closing ---- */

static int models_open(struct mirror *mirror)
{
	int (*const opens[])(struct mirror *) = { links_open, altnames_open, addrs_open, neighs_open, locals_open, nexthops_open,
						  routes_open, exceptions_open };
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(opens) / sizeof(opens[0]); i++)
		error = opens[i](mirror);
	if (error)
		log_error("out of memory for the mirror's own tables (tables.routes4: %llu, routes6: %llu): lower them",
			  (unsigned long long)mirror->config->tables.routes4,
			  (unsigned long long)mirror->config->tables.routes6);
	return error;
}

int mirror_open_offline(struct mirror *mirror)
{
	int error = models_open(mirror);

	if (error)
		return error;
	mirror->started_ns = now_ns();
	mirror->tables = tables_open(&mirror->control, mirror->config);
	if (!mirror->tables)
		return -errno; /* region_create() said why */
	channels_make(mirror);
	parity_channels(mirror);
	for (int i = 0; i < CHANNELS; i++)
		channel_open_offline(&mirror->channel[i]);
	return 0;
}

int mirror_open(struct mirror *mirror)
{
	int error = mirror_open_offline(mirror);

	if (error)
		return error;
	error = exceptions_listen(mirror); /* before the dumps: what comes meanwhile is not missed */
	if (error)
		return error;
	error = channels_open(mirror);
	if (!error)
		error = neighs_life_open(mirror);
	if (!error)
		error = routes_ask_open(mirror);
	if (!error)
		error = errand_open();
	if (error == -EPERM)
		log_error("netlink: the receive buffers need CAP_NET_ADMIN in this network namespace's user namespace; run "
			  "as root, or give wye-ctld that capability");
	else if (error)
		log_error("netlink: cannot open sockets: %s", strerror(-error));
	return error;
}

void mirror_close(struct mirror *mirror)
{
	errand_close();
	for (int i = 0; i < CHANNELS; i++)
		if (mirror->channel[i].name)
			channel_close(&mirror->channel[i]);
	tables_close(mirror->tables);
	audit_close(mirror);
	key_set_close(&mirror->told);
	parity_close(mirror);
	routes_close(mirror);
	nexthops_close(mirror);
	locals_close(mirror);
	exceptions_close(mirror);
	neighs_life_close(mirror);
	routes_ask_close(mirror);
	neighs_close(mirror);
	addrs_close(mirror);
	altnames_close(mirror);
	links_close(mirror);
}

/* ---- a new region from the model ---- */

static void republish(struct mirror *mirror)
{
	links_republish(mirror);
	altnames_republish(mirror);
	rules_republish(mirror);
	nexthops_republish(mirror);
	neighs_republish(mirror);
	addrs_republish(mirror);
	locals_republish(mirror);
	routes_republish(mirror);
	exceptions_republish(mirror);
	for (int f = 0; f < 2; f++)
		atomic_store_explicit(&mirror->tables->region.base->hash_policy[f], mirror->hash_policy[f],
				      memory_order_relaxed);
	parity_republish(mirror);
	while (tables_flush(mirror->tables, 65536))
		mirror_beat(mirror);
}

int mirror_rebuild(struct mirror *mirror, unsigned doublings)
{
	struct tables *old = mirror->tables;
	bool full = true;

	for (; full && doublings <= DOUBLINGS_MAX; doublings++) {
		struct wye_config larger = *mirror->config;
		struct tables *fresh;

		larger.tables.routes4 <<= doublings;
		larger.tables.routes6 <<= doublings;
		larger.tables.neighbours <<= doublings;
		fresh = tables_open(&mirror->control, &larger);
		if (!fresh)
			break;
		if (mirror->tables != old)
			tables_close(mirror->tables);
		mirror->tables = fresh;
		republish(mirror);
		full = fresh->region.failed;
	}
	mirror->capacity_failed = full;
	parity_set(mirror, PARITY_CAPACITY, (struct parity_scope){ WYE_PARITY_CAPACITY, 0, PARITY_BOTH }, full,
		   "a table is full and no larger region can be made");
	parity_commit(mirror);
	if (mirror->tables == old)
		return -ENOMEM;
	region_collapse(&mirror->tables->region);
	if (mirror->live)
		region_flip(&mirror->tables->region);
	tables_close(old);
	log_notice("tables: new region, generation %llu%s", (unsigned long long)mirror->tables->region.generation,
		   full ? ", and still too small" : "");
	return full ? -ENOSPC : 0;
}

void mirror_grow(struct mirror *mirror)
{
	uint64_t now = now_ns();

	if (!mirror->tables->region.failed || now < mirror->grow_after_ns)
		return;
	mirror->grow_after_ns = now + (mirror->capacity_failed ? GROW_PAUSE_NS : 0);
	mirror->doublings++;
	if (mirror_rebuild(mirror, mirror->doublings) < 0) {
		mirror->grow_after_ns = now_ns() + GROW_PAUSE_NS;
		mirror->doublings = 0;
		log_limited(LOG_LEVEL_ERROR, "tables: no larger region can be made (of %llu IPv4 and %llu IPv6 routes): all "
			    "packets stay with the kernel; free memory under %s or lower the number of routes",
			    (unsigned long long)mirror->config->tables.routes4,
			    (unsigned long long)mirror->config->tables.routes6, mirror->control.run_dir);
	}
}

/* ---- the turn ---- */

static bool all_idle(const struct mirror *mirror)
{
	for (int i = 0; i < CHANNELS; i++)
		if (!channel_idle(&mirror->channel[i]))
			return false;
	return mirror->phase_two;
}

static void start_phase_two(struct mirror *mirror)
{
	if (mirror->phase_two || !channel_idle(&mirror->channel[CHANNEL_LINK]))
		return;
	links_commit(mirror);
	mirror->phase_two = true;
	neighs_resync(mirror, &mirror->channel[CHANNEL_NEIGH]);
	routes_resync(mirror, &mirror->channel[CHANNEL_ROUTE]);
	mirror->channel[CHANNEL_TC].resync(mirror, &mirror->channel[CHANNEL_TC]);
}

static void go_live(struct mirror *mirror)
{
	const struct wye_mirror_stats *stats = mirror_stats(mirror);

	region_collapse(&mirror->tables->region);
	region_flip(&mirror->tables->region);
	mirror->live = true;
	audit_open(mirror);
	control_state(&mirror->control, WYE_MIRROR_IN_SYNC);
	control_heartbeat(&mirror->control);
	log_info("in sync after %.3f s: %llu links, %llu IPv4 and %llu IPv6 routes, %llu neighbours",
		 (double)(now_ns() - mirror->started_ns) / 1e9, (unsigned long long)stats->links,
		 (unsigned long long)stats->routes[0], (unsigned long long)stats->routes[1],
		 (unsigned long long)stats->neighbours);
	notify_systemd("READY=1\nSTATUS=in sync");
}

/* Which channels lost messages and have made up for it. */
static void watch_loss(struct mirror *mirror)
{
	bool lost = false;

	if (mirror->routes_after_links && channel_idle(&mirror->channel[CHANNEL_LINK])) {
		mirror->routes_after_links = false;
		mirror->channel[CHANNEL_ROUTE].lost = true;
		routes_resync(mirror, &mirror->channel[CHANNEL_ROUTE]);
	}
	for (int i = 0; i < CHANNELS; i++) {
		struct channel *channel = &mirror->channel[i];

		if (channel->lost && channel_idle(channel)) {
			channel->lost = false;
			if (mirror->live)
				atomic_fetch_add_explicit(&mirror_stats(mirror)->resyncs, 1, memory_order_relaxed);
			log_notice("netlink %s: in sync again", channel->name);
		}
		lost |= channel->lost;
	}
	if (!mirror->live || lost == mirror->resyncing)
		return;
	mirror->resyncing = lost;
	control_state(&mirror->control, lost ? WYE_MIRROR_RESYNC : WYE_MIRROR_IN_SYNC);
}

static int due_ms(const struct mirror *mirror)
{
	uint64_t now = now_ns();
	int due = 250;

	for (int i = 0; i < CHANNELS; i++) {
		int ms = channel_due_ms(&mirror->channel[i], now);

		if (ms >= 0 && ms < due)
			due = ms;
	}
	return due;
}

/* Notifications go first: what else there is to do waits while some are unread. True: it waits. */
static bool step_channels(struct mirror *mirror, bool *more)
{
	bool behind = false;

	for (int i = 0; i < CHANNELS; i++) {
		struct channel *channel = &mirror->channel[i];

		if (channel->absent)
			continue;
		channel_resume(channel, now_ns());
		if (channel->behind)
			behind = true;
		else
			*more |= sync_step(&channel->sync, now_ns());
		channel->behind = false; /* said anew by the next read, if there is one */
	}
	*more |= behind;
	return behind;
}

int mirror_turn(void *ctx)
{
	struct mirror *mirror = ctx;
	bool more = false, behind;

	routes_check_guess(mirror);
	parity_commit(mirror);
	links_commit(mirror);
	behind = step_channels(mirror, &more);
	parity_commit(mirror);
	links_commit(mirror);
	start_phase_two(mirror);
	routes_reveal(mirror);
	if (!behind)
		more |= routes_walk(mirror);
	more |= tables_flush(mirror->tables, mirror->live ? 0 : 65536);
	mirror_grow(mirror);
	watch_loss(mirror);
	if (!more && all_idle(mirror))
		more = routes_ask(mirror);
	if (!mirror->live && !more && all_idle(mirror) && !mirror->tables->region.unpublished)
		go_live(mirror);
	if (mirror->live && !more && all_idle(mirror) && !mirror->links.dirty && !mirror->tables->region.unpublished)
		audit_turn(mirror);
	mirror_beat(mirror);
	return more || mirror->links.dirty ? 0 : due_ms(mirror);
}
