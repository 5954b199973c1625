/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared record of a link, made from its own state, its master's, the links above it and the "all" sysctls.
 *
 * Which sysctl the kernel heeds: IPv4 forwards by the input interface's `forwarding` (IN_DEV_FORWARD), IPv6 by
 * net.ipv6.conf.all.forwarding alone (ip6_forward()), and not on an interface without IPv6 or with disable_ipv6.
 * rp_filter is the larger of `all` and the interface's (IN_DEV_RPFILTER).
 */
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define MACVLAN_PASSTHRU 8u
#define MACVLAN_SOURCE	 16u

#include "mirror.h"

static bool is_vrf(const struct link_entry *link)
{
	return link->present && !strcmp(link->nl.kind, "vrf");
}

/* 0 off, 1 strict, 2 loose, which every other number is. */
static uint8_t link_rp_filter(const struct mirror *mirror, const struct link_entry *link)
{
	int32_t own = link->conf[0].rp_filter, all = mirror->links.all[0].rp_filter;
	int32_t larger = own > all ? own : all;

	return !netconf_on(larger) ? 0 : larger == 1 ? 1 : 2;
}

/* Without an address on the link fib_validate_source() lets pass what has its way back by it, or nothing. */
static uint32_t rpf_flags(const struct mirror *mirror, const struct link_entry *link)
{
	uint8_t rp_filter = link_rp_filter(mirror, link);

	if (!rp_filter || !link->port || mirror->config->parity.ignore & WYE_PARITY_RP_FILTER)
		return 0;
	return rp_filter == 1 || !addrs_any4(mirror, link->ifindex) ? WYE_LINK_RPF_LOOSE4 | WYE_LINK_RPF_STRICT4 :
								       WYE_LINK_RPF_LOOSE4;
}

static uint32_t link_flags(const struct mirror *mirror, const struct link_entry *link)
{
	const struct netconf *v4 = &link->conf[0], *v6 = &link->conf[1], *all6 = &mirror->links.all[1];
	uint32_t flags = WYE_LINK_PRESENT;

	flags |= link->nl.ifi_flags & IFF_UP ? WYE_LINK_UP : 0;
	flags |= link->nl.ifi_flags & IFF_LOWER_UP ? WYE_LINK_CARRIER : 0;
	flags |= link->nl.ifi_flags & (IFF_POINTOPOINT | IFF_NOARP) ? WYE_LINK_POINTOPOINT : 0;
	flags |= netconf_on(v4->forwarding) ? WYE_LINK_FORWARD4 : 0;
	flags |= v6->gen && netconf_on(all6->forwarding) && link->nl.disable_ipv6 <= 0 ? WYE_LINK_FORWARD6 : 0;
	/* ignore_routes_with_linkdown: IPv6 hands down what is written to `all`, IPv4 may heed it (links_learn()). */
	if (netconf_on(v4->ignore_linkdown) || (mirror->links.all_ignores && netconf_on(mirror->links.all[0].ignore_linkdown)))
		flags |= WYE_LINK_IGNORE_LINKDOWN4;
	flags |= netconf_on(v6->ignore_linkdown) ? WYE_LINK_IGNORE_LINKDOWN6 : 0;
	flags |= netconf_on(v4->proxy) || netconf_on(mirror->links.all[0].proxy) ? WYE_LINK_PROXY_ARP4 : 0;
	flags |= netconf_on(v6->proxy) || netconf_on(all6->proxy) ? WYE_LINK_PROXY_NDP6 : 0;
	flags |= link->port ? WYE_LINK_PORT : 0;
	return flags | rpf_flags(mirror, link);
}

/* A device above that takes packets addressed to this one: its rx handler runs where the dataplane never comes. */
static const struct link_entry *taken_by_upper(struct mirror *mirror, uint32_t ifindex)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		const struct link_entry *upper = pool_item(&mirror->links.pool, i);
		const char *kind = upper->nl.kind;

		if (!upper->present || upper->nl.lower_ifindex != ifindex || upper->nl.lower_netnsid >= 0)
			continue;
		if (!strcmp(kind, "ipvlan") || !strcmp(kind, "ipvtap") || !strcmp(kind, "macsec") || !strcmp(kind, "rmnet"))
			return upper;
		if ((!strcmp(kind, "macvlan") || !strcmp(kind, "macvtap")) &&
		    upper->nl.macvlan_mode & (MACVLAN_PASSTHRU | MACVLAN_SOURCE))
			return upper;
	}
	return NULL;
}

static void look_at(struct mirror *mirror, const struct link_entry *link)
{
	const struct link_entry *master = links_find(mirror, link->nl.master_ifindex);
	const struct link_entry *upper = taken_by_upper(mirror, link->ifindex);
	struct parity_scope scope = { WYE_PARITY_BRIDGE_PORT, link->ifindex, PARITY_BOTH };

	if (link->nl.master_ifindex && !(master && is_vrf(master)))
		parity_found(mirror, PARITY_LINKS, scope, "master %s (%s)", master ? master->nl.name : "unknown",
			     master && master->nl.kind[0] ? master->nl.kind : "?");
	if (upper)
		parity_found(mirror, PARITY_LINKS, scope, "upper device %s (%s)", upper->nl.name, upper->nl.kind);
}

void links_look(struct mirror *mirror)
{
	parity_look(mirror, PARITY_LINKS);
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		const struct link_entry *link = pool_item(&mirror->links.pool, i);

		if (link->present && parity_is_port(link))
			look_at(mirror, link);
	}
	parity_looked(mirror, PARITY_LINKS, 0);
}

static void link_vrf(struct mirror *mirror, const struct link_entry *link, const struct link_entry *master,
		     struct wye_link *record)
{
	const struct link_entry *vrf = is_vrf(link) ? link : master && is_vrf(master) ? master : NULL;

	record->table = RT_TABLE_MAIN;
	record->vrf = WYE_VRF_MAIN;
	if (vrf && vrf->nl.vrf_table) {
		record->table = vrf->nl.vrf_table;
		record->vrf = fib_vrf(mirror->tables->fib, vrf->nl.vrf_table, vrf->ifindex);
		if (!record->vrf) /* no room for its table */
			record->parity |= wye_parity_bits(WYE_PARITY_CAPACITY, PARITY_BOTH);
	}
}

struct wye_link links_record(struct mirror *mirror, const struct link_entry *link)
{
	const struct link_entry *master = links_find(mirror, link->nl.master_ifindex);
	struct wye_link record = { 0 };

	record.rp_filter = link_rp_filter(mirror, link);
	record.flags = link_flags(mirror, link);
	record.parity = link->parity;
	record.mtu_bytes = link->nl.mtu_bytes;
	record.ifindex = link->ifindex;
	record.ifi_flags = link->nl.ifi_flags;
	record.master_ifindex = link->nl.master_ifindex;
	record.lower_ifindex = link->nl.lower_ifindex;
	record.lower_netnsid = link->nl.lower_netnsid;
	record.vlan_id = link->nl.vlan_id;
	record.arp_type = link->nl.arp_type;
	record.mtu6_bytes = link->nl.mtu6_bytes > 0 ? (uint32_t)link->nl.mtu6_bytes : 0;
	record.mac_len = link->nl.mac_len;
	record.permanent_mac_len = link->nl.permanent_mac_len;
	record.operstate = link->nl.operstate;
	record.linkmode = link->nl.linkmode;
	record.txqlen = link->nl.txqlen;
	record.group = link->nl.group;
	record.num_rx_queues = link->nl.num_rx_queues;
	record.num_tx_queues = link->nl.num_tx_queues;
	memcpy(record.mac, link->nl.mac, sizeof(record.mac));
	memcpy(record.permanent_mac, link->nl.permanent_mac, sizeof(record.permanent_mac));
	memcpy(record.broadcast, link->nl.broadcast, sizeof(record.broadcast));
	memcpy(record.name, link->nl.name, sizeof(record.name));
	memcpy(record.kind, link->nl.kind, sizeof(record.kind));
	memcpy(record.qdisc, link->nl.qdisc, sizeof(record.qdisc));
	link_vrf(mirror, link, master, &record);
	return record;
}
