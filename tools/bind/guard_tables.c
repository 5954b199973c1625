/* SPDX-License-Identifier: BSD-3-Clause */
/* Default routes of all tables; /proc/net has the main one's only. The kernel leaves out those by other links, when it can. */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "guard_private.h"
#include "libwye/netlink.h"

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif

struct search {
	const char *netdev;
	uint32_t ifindex, table;	/* table: found in this one; 0 = in none */
};

static bool leaves_by(const struct nlmsghdr *message, uint32_t ifindex)
{
	struct netlink_attrs attrs = netlink_attrs(message, sizeof(struct rtmsg));
	const struct nlattr *paths = netlink_find(attrs, RTA_MULTIPATH, sizeof(struct rtnexthop));
	const char *at = paths ? netlink_data(paths) : NULL, *end = paths ? at + netlink_bytes(paths) : NULL;

	if (netlink_u32(netlink_find(attrs, RTA_OIF, 4)) == ifindex)
		return true;
	while (at && end - at >= (ptrdiff_t)sizeof(struct rtnexthop)) {
		const struct rtnexthop *path = (const struct rtnexthop *)at;

		if ((uint32_t)path->rtnh_ifindex == ifindex)
			return true;
		if (path->rtnh_len < sizeof(*path))
			return false;
		at += RTNH_ALIGN(path->rtnh_len);
	}
	return false;
}

static void look(void *ctx, const struct nlmsghdr *message)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	struct search *search = ctx;
	uint32_t table;

	if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof(*route)) || route->rtm_dst_len ||
	    route->rtm_type != RTN_UNICAST || !leaves_by(message, search->ifindex))
		return;
	table = netlink_u32(netlink_find(netlink_attrs(message, sizeof(*route)), RTA_TABLE, 4));
	search->table = table ? table : route->rtm_table;
}

static int search_family(struct netlink *netlink, uint8_t family, struct search *search)
{
	const struct rtmsg all = { .rtm_family = family };
	struct netlink_request request;

	netlink_request(&request, RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
	netlink_put(&request, RTA_OIF, &search->ifindex, sizeof(search->ifindex));
	return netlink_dump(netlink, &request, look, search);
}

bool guard_carries_default(const struct guard_netdevs *netdevs, char *what, size_t size)
{
	struct search search = { 0 };
	struct netlink netlink;
	int on = 1, error = netlink_open(&netlink, NETLINK_ROUTE);

	if (!error)
		(void)setsockopt(netlink.fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	for (size_t i = 0; i < netdevs->n && !search.table && !error; i++) {
		search.ifindex = if_nametoindex(netdevs->name[i]);
		if (!search.ifindex)
			continue;
		error = search_family(&netlink, AF_INET, &search);
		error = error ? error : search_family(&netlink, AF_INET6, &search);
	}
	netlink_close(&netlink);
	if (search.table)
		snprintf(what, size, "that of table %u", search.table);
	else if (error)
		snprintf(what, size, "perhaps: the kernel's routes cannot be read: %s", strerror(-error));
	return search.table || error;
}
