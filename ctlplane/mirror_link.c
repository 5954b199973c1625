/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Links and their sysctls (netconf). Messages only change the model and set `dirty`; links_commit() then makes every
 * link's record anew and writes those that differ, because a master, an upper device or an "all" sysctl changes the
 * records of others. Keyed by ifindex; the name is an attribute. A move to another namespace arrives as RTM_DELLINK.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "mirror.h"

static uint32_t link_hash(const void *ctx, uint32_t index)
{
	const struct link_table *links = ctx;
	const struct link_entry *link = pool_item(&links->pool, index);

	return hash_bytes_of(&link->ifindex, sizeof(link->ifindex), 0);
}

static bool link_equal(const void *ctx, uint32_t index, const void *key)
{
	const struct link_table *links = ctx;
	const struct link_entry *link = pool_item(&links->pool, index);

	return link->ifindex == *(const uint32_t *)key;
}

static const struct netconf netconf_none = { NL_NOT_TOLD, NL_NOT_TOLD, NL_NOT_TOLD, NL_NOT_TOLD, 0 };

int links_open(struct mirror *mirror)
{
	int error = pool_open(&mirror->links.pool, sizeof(struct link_entry));

	mirror->links.all[0] = mirror->links.all[1] = netconf_none;
	return error ? error : hash_open(&mirror->links.hash, 64, link_hash, &mirror->links);
}

void links_close(struct mirror *mirror)
{
	hash_close(&mirror->links.hash);
	pool_close(&mirror->links.pool);
}

struct link_entry *links_find(struct mirror *mirror, uint32_t ifindex)
{
	uint32_t h = hash_bytes_of(&ifindex, sizeof(ifindex), 0);
	uint32_t index = ifindex ? hash_find(&mirror->links.hash, h, link_equal, &ifindex) : 0;

	return index ? pool_item(&mirror->links.pool, index) : NULL;
}

struct link_entry *links_named(struct mirror *mirror, const char *name)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);

		if (link->present && (!strcmp(link->nl.name, name) || altnames_have(mirror, link, name)))
			return link;
	}
	return NULL;
}

static struct link_entry *link_make(struct mirror *mirror, uint32_t ifindex)
{
	struct link_entry *link = links_find(mirror, ifindex);
	uint32_t index;

	if (link)
		return link;
	index = pool_take(&mirror->links.pool);
	if (!index)
		return NULL;
	link = pool_item(&mirror->links.pool, index);
	link->ifindex = ifindex;
	link->again = ifindex <= mirror->links.highest;
	mirror->links.highest = link->again ? mirror->links.highest : ifindex;
	link->nl.disable_ipv6 = link->nl.mtu6_bytes = link->nl.lower_netnsid = -1;
	link->conf[0] = link->conf[1] = netconf_none;
	if (!hash_enter(&mirror->links.hash, hash_bytes_of(&ifindex, sizeof(ifindex), 0), index))
		return link;
	pool_give(&mirror->links.pool, index);
	return NULL;
}

static void link_forget(struct mirror *mirror, struct link_entry *link)
{
	uint32_t h = hash_bytes_of(&link->ifindex, sizeof(link->ifindex), 0);
	uint32_t index = (uint32_t)(((char *)link - mirror->links.pool.items) / (ptrdiff_t)sizeof(*link));

	hash_remove(&mirror->links.hash, h, index);
	pool_give(&mirror->links.pool, index);
}

/* The link is not in this namespace any more: everything that names it goes with it. */
static void link_gone(struct mirror *mirror, struct link_entry *link)
{
	uint32_t ifindex = link->ifindex, table = link->nl.vrf_table;
	bool was_written = link->written;

	altnames_set(mirror, link, NULL);
	link_forget(mirror, link);
	mirror->links.dirty = true;
	if (was_written) {
		link_del(mirror->tables->resolve, ifindex);
		resolve_link_changed(mirror->tables->resolve, ifindex);
	}
	parity_link_gone(mirror, ifindex);
	addrs_link_gone(mirror, ifindex);
	neighs_link_gone(mirror, ifindex);
	routes_link_gone(mirror, ifindex);
	nexthops_link_changed(mirror, ifindex);
	if (table)
		routes_table_remove(mirror, table);
}

/*
 * As fib_table_lookup() and fib6_select_path() see a leg: dead on a link that is down, or that has no carrier and says
 * ignore_routes_with_linkdown. A link we have not heard of yet is given the benefit of the doubt: its nexthop is DOWN
 * and the kernel forwards.
 */
bool links_carry(struct mirror *mirror, uint32_t ifindex, uint8_t family)
{
	const struct link_entry *link = links_find(mirror, ifindex);
	uint32_t ignore = family == AF_INET ? WYE_LINK_IGNORE_LINKDOWN4 : WYE_LINK_IGNORE_LINKDOWN6;

	if (!link || !link->written)
		return true;
	return link->record.flags & WYE_LINK_UP &&
	       (link->record.flags & WYE_LINK_CARRIER || !(link->record.flags & ignore));
}

/*
 * net.ipv4.conf.all.ignore_routes_with_linkdown means nothing to older kernels; newer ones, and stable releases that took
 * the change over, heed it on every link (IN_DEV_IGNORE_ROUTES_WITH_LINKDOWN()). Which kind this is shows in a route that
 * has no carrier and is dead or not by `all` alone. Only routes of one path tell: one of several may be dead for more
 * reasons. Until then its links are taken to be alive, which leaves their packets to the kernel.
 */
void links_learn(struct mirror *mirror, const struct nl_route *route)
{
	struct link_table *links = &mirror->links;
	const struct link_entry *link;
	bool dead;

	if (route->family != AF_INET || route->n_legs != 1 || !(route->legs[0].flags & RTNH_F_LINKDOWN))
		return;
	link = links_find(mirror, route->legs[0].ifindex);
	dead = route->legs[0].flags & RTNH_F_DEAD;
	if (!link || !netconf_on(links->all[0].ignore_linkdown) || link->conf[0].ignore_linkdown != 0 ||
	    !(link->nl.ifi_flags & IFF_UP) || dead == links->all_ignores)
		return;
	links->all_ignores = dead;
	links->dirty = true;
}

/* ---- messages ---- */

#define CARRIES_FLAGS (IFF_UP | IFF_RUNNING | IFF_LOWER_UP)

static void link_update(struct link_entry *link, const struct nl_link *nl, bool dumped)
{
	struct nl_link old = link->nl;

	/* IPv6 switched on or off kills or revives legs as the link's going down or up does (addrconf_notify()). */
	if (nl->disable_ipv6 >= 0 && old.disable_ipv6 >= 0 && nl->disable_ipv6 != old.disable_ipv6)
		link->silent = true;
	if (nl->family == AF_INET6) { /* the IPv6 side's own message: two values, nothing else */
		link->nl.disable_ipv6 = nl->disable_ipv6 >= 0 ? nl->disable_ipv6 : old.disable_ipv6;
		link->nl.mtu6_bytes = nl->mtu6_bytes >= 0 ? nl->mtu6_bytes : old.mtu6_bytes;
		return;
	}
	/* Each message counts, not only what they come to: down and up again in one turn took routes away all the same. */
	if (link->present && (old.operstate != nl->operstate || (old.ifi_flags ^ nl->ifi_flags) & CARRIES_FLAGS))
		link->silent = true;
	link->nl = *nl;
	link->nl.names = NULL;
	/* An IPv6 route's own MTU may follow the link's (rt6_mtu_change()). */
	if (!dumped && link->present && old.mtu_bytes != nl->mtu_bytes)
		link->silent = true;
	/* addrconf_notify() sets IPv6's to it too, after this message was made. */
	if (!dumped && link->present && old.mtu_bytes != nl->mtu_bytes && nl->mtu6_bytes >= 0)
		link->nl.mtu6_bytes = (int32_t)nl->mtu_bytes;
	if (nl->disable_ipv6 < 0) {
		link->nl.disable_ipv6 = old.disable_ipv6;
		link->nl.mtu6_bytes = old.mtu6_bytes;
	}
	link->present = true;
}

/* The first end of a veth pair is told before it has a peer, and not again when it gets one. */
static void join_pair(struct mirror *mirror, const struct link_entry *link)
{
	struct link_entry *peer = link->nl.lower_netnsid < 0 ? links_find(mirror, link->nl.lower_ifindex) : NULL;

	if (!strcmp(link->nl.kind, "veth") && peer && !peer->nl.lower_ifindex && !strcmp(peer->nl.kind, "veth"))
		peer->nl.lower_ifindex = link->ifindex;
}

/* Would a message change anything? */
static bool link_same(const struct link_entry *link, const struct nl_link *nl)
{
	struct link_entry would;

	if (!link || !link->present)
		return false;
	memcpy(&would, link, sizeof(would));
	link_update(&would, nl, true);
	return !memcmp(&would.nl, &link->nl, sizeof(would.nl));
}

/* A macvlan in passthru mode has the MAC of the link below and follows it without a message (macvlan_device_event()). */
static void watch_uppers(struct mirror *mirror, const struct link_entry *link, const struct nl_link *nl)
{
	if (!link || !link->present || nl->family != AF_UNSPEC || !memcmp(link->nl.mac, nl->mac, sizeof(nl->mac)))
		return;
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		const struct link_entry *upper = pool_item(&mirror->links.pool, i);

		if (upper->present && upper->nl.lower_ifindex == link->ifindex && !strncmp(upper->nl.kind, "macv", 4))
			sync_add(&mirror->channel[CHANNEL_LINK].sync, &(struct sync_job){ .class = CLASS_LINK, .fence = true });
	}
}

/*
 * A link goes down. A new IPv6 address is told at the end of its check by DAD, even one that is not to be checked, and the
 * link's going down takes the check away: if it keeps the address (keep_addr_on_down), that was never told. Nor is it told
 * that a kept one is tentative again (addrconf_ifdown()).
 */
static void watch_addresses(struct mirror *mirror, const struct link_entry *link, const struct nl_link *nl)
{
	if (link && link->present && nl->family == AF_UNSPEC && link->nl.ifi_flags & ~nl->ifi_flags & IFF_UP)
		sync_add(&mirror->channel[CHANNEL_LINK].sync, &(struct sync_job){ .class = CLASS_ADDR, .fence = true });
}

void links_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	struct link_entry *link;
	struct nl_link nl;

	if (!mirror_decoded(mirror, nl_decode_link(msg, &nl), msg))
		return;
	if (dumped && channel_touched(channel, CLASS_LINK, &nl.ifindex, sizeof(nl.ifindex)))
		return;
	if (!dumped && nl.family == AF_UNSPEC) /* the IPv6 side's message is no substitute for what the dump says */
		channel_touch(channel, CLASS_LINK, &nl.ifindex, sizeof(nl.ifindex));
	if (msg->nlmsg_type == RTM_DELLINK) {
		link = links_find(mirror, nl.ifindex);
		if (link && nl.family == AF_UNSPEC)
			link_gone(mirror, link);
		return;
	}
	link = links_find(mirror, nl.ifindex);
	if (dumped && channel_audits(channel) &&
	    (link_same(link, &nl) || !audit_differs(mirror, channel, &nl.ifindex, sizeof(nl.ifindex)))) {
		if (link)
			link->gen = channel->sync.gen;
		return;
	}
	if (!dumped) {
		watch_uppers(mirror, link, &nl);
		watch_addresses(mirror, link, &nl);
		routes_link_told(mirror, nl.ifindex);
	}
	link = link_make(mirror, nl.ifindex);
	if (!link) {
		channel_lost(channel, -ENOMEM);
		return;
	}
	link_update(link, &nl, dumped);
	if (nl.family == AF_UNSPEC) {
		link->gen = channel->sync.gen;
		altnames_set(mirror, link, nl.names);
	}
	join_pair(mirror, link);
	mirror->links.dirty = true;
}

static int32_t told(int32_t value, int32_t otherwise)
{
	return value == NL_NOT_TOLD ? otherwise : value;
}

static bool netconf_same(const struct netconf *conf, const struct nl_netconf *nl)
{
	return conf->gen && told(nl->forwarding, conf->forwarding) == conf->forwarding &&
	       told(nl->rp_filter, conf->rp_filter) == conf->rp_filter && told(nl->proxy, conf->proxy) == conf->proxy &&
	       told(nl->ignore_linkdown, conf->ignore_linkdown) == conf->ignore_linkdown;
}

static void links_all_silent(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);

		link->silent |= link->present && !(link->nl.ifi_flags & IFF_LOWER_UP);
	}
}

void netconf_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	struct link_entry *link = NULL;
	struct netconf *conf;
	struct nl_netconf nl;

	if (!mirror_decoded(mirror, nl_decode_netconf(msg, &nl), msg) || nl.ifindex == NETCONFA_IFINDEX_DEFAULT)
		return;
	/* A notification may tell one value only, so it cannot stand for the dump that it overtook. */
	if (!dumped && sync_dumping(&channel->sync) && channel->sync.job[0].class == CLASS_NETCONF)
		channel->dump_intr = true;
	if (nl.ifindex > 0)
		link = msg->nlmsg_type == RTM_DELNETCONF ? links_find(mirror, (uint32_t)nl.ifindex) :
							   link_make(mirror, (uint32_t)nl.ifindex);
	if (nl.ifindex > 0 && !link)
		return;
	conf = link ? &link->conf[nl.family == AF_INET6] : &mirror->links.all[nl.family == AF_INET6];
	if (dumped && channel_audits(channel) &&
	    (netconf_same(conf, &nl) || !audit_differs(mirror, channel, &nl.ifindex, sizeof(nl.ifindex)))) {
		conf->gen = conf->gen ? channel->sync.gen : 0;
		return;
	}
	/* The link lost the family (an MTU below 1280: addrconf_ifdown()), or has it again: so do routes by it. */
	if (link && (msg->nlmsg_type == RTM_DELNETCONF || !conf->gen))
		link->silent = true;
	mirror->links.dirty = true;
	if (msg->nlmsg_type == RTM_DELNETCONF) {
		*conf = netconf_none;
		return;
	}
	conf->gen = channel->sync.gen;
	/* Without it the kernel also heeds which neighbours answer (rt6_score_route()). */
	mirror->routes.ask_again |= nl.family == AF_INET6 && !link &&
				    netconf_on(told(nl.forwarding, conf->forwarding)) != netconf_on(conf->forwarding);
	conf->forwarding = told(nl.forwarding, conf->forwarding);
	conf->rp_filter = told(nl.rp_filter, conf->rp_filter);
	conf->proxy = told(nl.proxy, conf->proxy);
	if (!link && told(nl.ignore_linkdown, conf->ignore_linkdown) != conf->ignore_linkdown)
		links_all_silent(mirror); /* what that means the routes by them tell */
	conf->ignore_linkdown = told(nl.ignore_linkdown, conf->ignore_linkdown);
}

/* ---- sweeps ---- */

void links_sweep(struct mirror *mirror, uint32_t gen)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);

		if (!link->ifindex || link->gen >= gen || !link->present ||
		    !audit_differs(mirror, &mirror->channel[CHANNEL_LINK], &link->ifindex, sizeof(link->ifindex)))
			continue;
		atomic_fetch_add_explicit(&mirror_stats(mirror)->swept, 1, memory_order_relaxed);
		link_gone(mirror, link);
	}
}

void netconf_sweep(struct mirror *mirror, uint8_t family, uint32_t gen)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);
		struct netconf *conf = &link->conf[family == AF_INET6];

		if (link->ifindex && conf->gen && conf->gen < gen &&
		    audit_differs(mirror, &mirror->channel[CHANNEL_LINK], &link->ifindex, sizeof(link->ifindex)))
			*conf = netconf_none;
	}
	mirror->links.dirty = true;
}

/* ---- writing ---- */

bool links_have_vrf(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		const struct link_entry *link = pool_item(&mirror->links.pool, i);

		if (link->present && link->nl.vrf_table)
			return true;
	}
	return false;
}

uint32_t links_vrf_device(struct mirror *mirror, uint32_t table)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		const struct link_entry *link = pool_item(&mirror->links.pool, i);

		if (link->present && link->nl.vrf_table == table)
			return link->ifindex;
	}
	return 0;
}

uint32_t links_vrf_of_table(struct mirror *mirror, uint32_t table)
{
	uint32_t device;

	if (table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL || table == RT_TABLE_DEFAULT)
		return WYE_VRF_MAIN;
	device = links_vrf_device(mirror, table);
	return device ? fib_vrf(mirror->tables->fib, table, device) : 0;
}

#define SILENT_FLAGS (WYE_LINK_UP | WYE_LINK_CARRIER | WYE_LINK_IGNORE_LINKDOWN4 | WYE_LINK_IGNORE_LINKDOWN6)

/* Changes with which the kernel kills or revives legs. IPv6 does so when the link gets operational, which is after it
 * has a carrier (addrconf_link_ready(), rt6_sync_up()). */
static bool moves_routes(const struct wye_link *old, const struct wye_link *now)
{
	return (old->flags ^ now->flags) & SILENT_FLAGS || old->operstate != now->operstate ||
	       (old->ifi_flags ^ now->ifi_flags) & CARRIES_FLAGS;
}

/* Writes the record if it differs. True: nexthops must hear of it; `silent`: routes may have come or gone unsaid. */
static bool link_write(struct mirror *mirror, struct link_entry *link, bool *silent)
{
	struct wye_link record = links_record(mirror, link);
	struct wye_link old = link->record;
	bool was_written = link->written;

	*silent = false;
	if (was_written && !memcmp(&old, &record, sizeof(record)))
		return false;
	if (!link_set(mirror->tables->resolve, &record))
		return false;
	link->record = record;
	link->written = true;
	*silent = !was_written || moves_routes(&old, &record);
	if (!was_written)
		return true;
	return *silent || old.mtu_bytes != record.mtu_bytes || old.mtu6_bytes != record.mtu6_bytes ||
	       memcmp(old.mac, record.mac, sizeof(old.mac)) || old.mac_len != record.mac_len || old.flags != record.flags;
}

static bool was_port(const struct link_entry *link)
{
	return link->written && link->record.flags & WYE_LINK_PORT;
}

/* Which links are ports hangs on names, as does what the guard finds on them. */
static void find_ports(struct mirror *mirror)
{
	bool look = false;

	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);

		link->port = link->present && parity_names(mirror, link);
		look |= link->port && (!was_port(link) || strcmp(link->record.name, link->nl.name));
	}
	if (look)
		parity_look_at_ports(mirror);
}

/* The guard looks at it until its record says that it is none any more. */
static void leave_port(struct mirror *mirror, const struct link_entry *link)
{
	if (was_port(link))
		return;
	parity_link_gone(mirror, link->ifindex);
	mirror->links.dirty = true;
}

/*
 * Routes and neighbours come on sockets of their own: what was read there may be ahead, and then that the last link of this
 * index is gone took those of the new one along.
 */
static void link_again(struct mirror *mirror, struct link_entry *link)
{
	if (!link->again)
		return;
	link->again = false;
	routes_link_again(mirror, link->ifindex);
	neighs_resync(mirror, &mirror->channel[CHANNEL_NEIGH]);
}

void links_commit(struct mirror *mirror)
{
	struct link_table *links = &mirror->links;
	uint32_t n = 0;

	if (!links->dirty)
		return;
	find_ports(mirror);
	links_look(mirror);
	parity_commit(mirror);
	links->dirty = false;
	for (uint32_t i = 1; i < links->pool.used; i++) {
		struct link_entry *link = pool_item(&links->pool, i);
		bool silent, port = was_port(link);

		if (!link->present)
			continue;
		n++;
		if (link->nl.vrf_table && routes_table_add(mirror, link->nl.vrf_table) < 0)
			log_limited(LOG_LEVEL_ERROR, "vrf %s: table %u: %u routing tables are the limit; its links stay "
				    "with the kernel", link->nl.name, link->nl.vrf_table, RIBS_MAX / 2);
		if (link_write(mirror, link, &silent))
			resolve_link_changed(mirror->tables->resolve, link->ifindex);
		if (port)
			leave_port(mirror, link);
		link->silent |= silent;
	}
	atomic_store_explicit(&mirror_stats(mirror)->links, n, memory_order_relaxed);
	if (links->have_vrf != links_have_vrf(mirror)) {
		links->have_vrf = !links->have_vrf;
		rules_judge(mirror);
	}
	for (uint32_t i = 1; i < links->pool.used; i++) {
		struct link_entry *link = pool_item(&links->pool, i);

		if (!link->present || !link->silent)
			continue;
		link->silent = false;
		nexthops_link_changed(mirror, link->ifindex);
		routes_link_changed(mirror, link->ifindex);
		link_again(mirror, link);
	}
}

void links_republish(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);
		bool silent;

		link->written = false;
		if (link->present)
			link_write(mirror, link, &silent);
	}
}
