/* SPDX-License-Identifier: BSD-3-Clause */
/* Links, addresses, neighbours and netconf: see nl_decode.h. */
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "nl_attr.h"
#include "nl_decode.h"

const struct nlmsghdr *nl_next(const void **at, size_t *left, bool *bad)
{
	const struct nlmsghdr *msg = *at;
	size_t step;

	if (*left < NLMSG_HDRLEN) {
		*bad = *left != 0;
		return NULL;
	}
	if (msg->nlmsg_len < NLMSG_HDRLEN || msg->nlmsg_len > *left) {
		*bad = true;
		return NULL;
	}
	step = NLMSG_ALIGN((size_t)msg->nlmsg_len);
	*left = step >= *left ? 0 : *left - step;
	*at = (const char *)*at + step;
	return msg;
}

/* ---- links ---- */

static const struct nla_policy link_policy[IFLA_MAX + 1] = {
	[IFLA_IFNAME] = { .type = NLA_STRING, .maxlen = IFNAMSIZ },
	[IFLA_MTU] = { .type = NLA_U32 },
	[IFLA_LINK] = { .type = NLA_U32 },
	[IFLA_MASTER] = { .type = NLA_U32 },
	[IFLA_TXQLEN] = { .type = NLA_U32 },
	[IFLA_GROUP] = { .type = NLA_U32 },
	[IFLA_NUM_RX_QUEUES] = { .type = NLA_U32 },
	[IFLA_NUM_TX_QUEUES] = { .type = NLA_U32 },
	[IFLA_LINK_NETNSID] = { .type = NLA_S32 },
	[IFLA_OPERSTATE] = { .type = NLA_U8 },
	[IFLA_LINKMODE] = { .type = NLA_U8 },
};

/* IFLA_INFO_DATA's meaning depends on the kind. */
static bool link_data(struct nl_link *link, const struct nlattr *data)
{
	const struct nlattr *tb[IFLA_VLAN_MAX + IFLA_VRF_MAX + IFLA_MACVLAN_MAX + 1];
	const uint16_t max = (uint16_t)(sizeof(tb) / sizeof(tb[0]) - 1);
	const struct nlattr *attr;

	if (!attrs_index(tb, max, attr_data(data), attr_len(data)))
		return false;
	if (!strcmp(link->kind, "vlan") && (attr = tb[IFLA_VLAN_ID])) {
		if (attr_len(attr) < 2)
			return false;
		link->vlan_id = attr_u16(attr);
	} else if (!strcmp(link->kind, "vrf") && (attr = tb[IFLA_VRF_TABLE])) {
		if (attr_len(attr) < 4)
			return false;
		link->vrf_table = attr_u32(attr);
	} else if ((!strcmp(link->kind, "macvlan") || !strcmp(link->kind, "macvtap")) &&
		   (attr = tb[IFLA_MACVLAN_MODE])) {
		if (attr_len(attr) < 4)
			return false;
		link->macvlan_mode = attr_u32(attr);
	}
	return true;
}

static bool link_info(struct nl_link *link, const struct nlattr *info)
{
	const struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (!attrs_index(tb, IFLA_INFO_MAX, attr_data(info), attr_len(info)))
		return false;
	if (tb[IFLA_INFO_KIND])
		attr_string(link->kind, sizeof(link->kind), tb[IFLA_INFO_KIND]);
	return !tb[IFLA_INFO_DATA] || link_data(link, tb[IFLA_INFO_DATA]);
}

/* A nest with IFLA_INET6_CONF: an array of the interface's IPv6 sysctls. Kernels differ in its length. */
static bool link_inet6(struct nl_link *link, const struct nlattr *nest)
{
	const struct nlattr *tb[IFLA_INET6_MAX + 1];
	const struct nlattr *conf;

	if (!attrs_index(tb, IFLA_INET6_MAX, attr_data(nest), attr_len(nest)))
		return false;
	conf = tb[IFLA_INET6_CONF];
	if (conf && attr_len(conf) > DEVCONF_MTU6 * 4 + 3)
		memcpy(&link->mtu6_bytes, (const char *)attr_data(conf) + DEVCONF_MTU6 * 4, 4);
	if (conf && attr_len(conf) > DEVCONF_DISABLE_IPV6 * 4 + 3)
		memcpy(&link->disable_ipv6, (const char *)attr_data(conf) + DEVCONF_DISABLE_IPV6 * 4, 4);
	return true;
}

static bool link_af_spec(struct nl_link *link, const struct nlattr *spec)
{
	const struct nlattr *tb[AF_INET6 + 1];

	if (!attrs_index(tb, AF_INET6, attr_data(spec), attr_len(spec)))
		return false;
	return !tb[AF_INET6] || link_inet6(link, tb[AF_INET6]);
}

static void link_hwaddr(uint8_t to[8], uint8_t *len, const struct nlattr *attr)
{
	uint32_t n = attr_len(attr) > 8 ? 8 : attr_len(attr);

	memcpy(to, attr_data(attr), n);
	if (len)
		*len = (uint8_t)(attr_len(attr) > 8 ? 0 : n);
}

static bool link_names_end_well(const struct nlattr *names)
{
	const struct nlattr *tb[1];

	return attrs_index(tb, 0, attr_data(names), attr_len(names));
}

bool nl_altname(const struct nlattr *names, const struct nlattr **at, char name[128])
{
	const char *end = (const char *)names + names->nla_len;

	for (;;) {
		*at = *at == names ? attr_data(names) : (const void *)((const char *)*at + NLA_ALIGN((*at)->nla_len));
		if ((const char *)*at + NLA_HDRLEN > end)
			return false;
		if (((*at)->nla_type & NLA_TYPE_MASK) == IFLA_ALT_IFNAME && attr_len(*at)) {
			attr_string(name, 128, *at);
			return true;
		}
	}
}

static void link_numbers(struct nl_link *link, struct nlattr **tb)
{
	const struct {
		int type;
		uint32_t *to;
	} numbers[] = {
		{ IFLA_MTU, &link->mtu_bytes }, { IFLA_LINK, &link->lower_ifindex },
		{ IFLA_MASTER, &link->master_ifindex }, { IFLA_TXQLEN, &link->txqlen }, { IFLA_GROUP, &link->group },
		{ IFLA_NUM_RX_QUEUES, &link->num_rx_queues }, { IFLA_NUM_TX_QUEUES, &link->num_tx_queues },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (tb[numbers[i].type])
			*numbers[i].to = attr_u32(tb[numbers[i].type]);
	if (tb[IFLA_LINK_NETNSID])
		link->lower_netnsid = (int32_t)attr_u32(tb[IFLA_LINK_NETNSID]);
	if (tb[IFLA_OPERSTATE])
		link->operstate = attr_u8(tb[IFLA_OPERSTATE]);
	if (tb[IFLA_LINKMODE])
		link->linkmode = attr_u8(tb[IFLA_LINKMODE]);
}

enum nl_verdict nl_decode_link(const struct nlmsghdr *msg, struct nl_link *link)
{
	const struct ifinfomsg *ifi = msg_header(msg, sizeof(*ifi));
	struct nlattr *tb[IFLA_MAX + 1];

	if (!ifi || ifi->ifi_index <= 0 || !msg_parse(msg, sizeof(*ifi), tb, IFLA_MAX, link_policy))
		return NL_MALFORMED;
	*link = (struct nl_link){ .family = ifi->ifi_family, .ifindex = (uint32_t)ifi->ifi_index,
				  .ifi_flags = ifi->ifi_flags, .arp_type = ifi->ifi_type, .lower_netnsid = -1,
				  .disable_ipv6 = -1, .mtu6_bytes = -1 };
	if (ifi->ifi_family == AF_INET6)
		return !tb[IFLA_PROTINFO] || link_inet6(link, tb[IFLA_PROTINFO]) ? NL_DECODED : NL_MALFORMED;
	/* Bridge ports' own messages, and wireless events, which carry a name and nothing else. */
	if (ifi->ifi_family != AF_UNSPEC || (msg->nlmsg_type == RTM_NEWLINK && !tb[IFLA_MTU]))
		return NL_OTHER;
	link_numbers(link, tb);
	if (tb[IFLA_IFNAME])
		attr_string(link->name, sizeof(link->name), tb[IFLA_IFNAME]);
	if (tb[IFLA_QDISC])
		attr_string(link->qdisc, sizeof(link->qdisc), tb[IFLA_QDISC]);
	if (tb[IFLA_ADDRESS])
		link_hwaddr(link->mac, &link->mac_len, tb[IFLA_ADDRESS]);
	if (tb[IFLA_BROADCAST])
		link_hwaddr(link->broadcast, NULL, tb[IFLA_BROADCAST]);
	if (tb[IFLA_PERM_ADDRESS])
		link_hwaddr(link->permanent_mac, &link->permanent_mac_len, tb[IFLA_PERM_ADDRESS]);
	link->names = tb[IFLA_PROP_LIST];
	if ((link->names && !link_names_end_well(link->names)) ||
	    (tb[IFLA_LINKINFO] && !link_info(link, tb[IFLA_LINKINFO])) ||
	    (tb[IFLA_AF_SPEC] && !link_af_spec(link, tb[IFLA_AF_SPEC])))
		return NL_MALFORMED;
	return NL_DECODED;
}

/* ---- addresses ---- */

enum nl_verdict nl_decode_addr(const struct nlmsghdr *msg, struct nl_addr *addr)
{
	const struct ifaddrmsg *ifa = msg_header(msg, sizeof(*ifa));
	const struct nlattr *tb[IFA_MAX + 1];
	struct ifa_cacheinfo cache;

	if (!ifa || !attrs_index(tb, IFA_MAX, ifa + 1, msg->nlmsg_len - NLMSG_HDRLEN - sizeof(*ifa)))
		return NL_MALFORMED;
	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return NL_OTHER;
	if (!ifa->ifa_index || ifa->ifa_prefixlen > (ifa->ifa_family == AF_INET ? 32 : 128))
		return NL_MALFORMED;
	*addr = (struct nl_addr){ .ifindex = ifa->ifa_index, .flags = ifa->ifa_flags, .family = ifa->ifa_family,
				  .prefix_len = ifa->ifa_prefixlen, .scope = ifa->ifa_scope,
				  .valid_lft_s = UINT32_MAX, .preferred_lft_s = UINT32_MAX };
	if (tb[IFA_FLAGS]) {
		if (attr_len(tb[IFA_FLAGS]) < 4)
			return NL_MALFORMED;
		addr->flags = attr_u32(tb[IFA_FLAGS]);
	}
	if (!tb[IFA_ADDRESS] && !tb[IFA_LOCAL])
		return NL_MALFORMED;
	if (!attr_addr(addr->address, addr->family, tb[IFA_ADDRESS] ? tb[IFA_ADDRESS] : tb[IFA_LOCAL]) ||
	    !attr_addr(addr->local, addr->family, tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS]) ||
	    (tb[IFA_BROADCAST] && !attr_addr(addr->broadcast, addr->family, tb[IFA_BROADCAST])))
		return NL_MALFORMED;
	if (tb[IFA_CACHEINFO]) {
		if (attr_len(tb[IFA_CACHEINFO]) < sizeof(cache))
			return NL_MALFORMED;
		memcpy(&cache, attr_data(tb[IFA_CACHEINFO]), sizeof(cache));
		addr->valid_lft_s = cache.ifa_valid;
		addr->preferred_lft_s = cache.ifa_prefered;
	}
	if (tb[IFA_LABEL])
		attr_string(addr->label, sizeof(addr->label), tb[IFA_LABEL]);
	return NL_DECODED;
}

/* ---- neighbours ---- */

enum nl_verdict nl_decode_neigh(const struct nlmsghdr *msg, struct nl_neigh *neigh)
{
	const struct ndmsg *ndm = msg_header(msg, sizeof(*ndm));
	const struct nlattr *tb[NDA_FLAGS_EXT + 1];

	if (!ndm || !attrs_index(tb, NDA_FLAGS_EXT, ndm + 1, msg->nlmsg_len - NLMSG_HDRLEN - sizeof(*ndm)))
		return NL_MALFORMED;
	if (ndm->ndm_family != AF_INET && ndm->ndm_family != AF_INET6)
		return NL_OTHER;
	if (ndm->ndm_ifindex < 0)
		return NL_MALFORMED;
	*neigh = (struct nl_neigh){ .ifindex = (uint32_t)ndm->ndm_ifindex, .ntf_flags = ndm->ndm_flags,
				    .nud_state = ndm->ndm_state, .family = ndm->ndm_family,
				    .proxy = ndm->ndm_flags & NTF_PROXY, .has_addr = tb[NDA_DST] != NULL };
	if (tb[NDA_DST] && !attr_addr(neigh->addr, neigh->family, tb[NDA_DST]))
		return NL_MALFORMED;
	if (tb[NDA_FLAGS_EXT]) {
		if (attr_len(tb[NDA_FLAGS_EXT]) < 4)
			return NL_MALFORMED;
		neigh->ntf_flags |= attr_u32(tb[NDA_FLAGS_EXT]) << 8;
	}
	if (tb[NDA_LLADDR] && attr_len(tb[NDA_LLADDR]) <= sizeof(neigh->lladdr)) {
		neigh->lladdr_len = (uint8_t)attr_len(tb[NDA_LLADDR]);
		memcpy(neigh->lladdr, attr_data(tb[NDA_LLADDR]), neigh->lladdr_len);
	}
	return neigh->has_addr && neigh->ifindex ? NL_DECODED : NL_OTHER;
}

/* ---- per-interface sysctls ---- */

enum nl_verdict nl_decode_netconf(const struct nlmsghdr *msg, struct nl_netconf *netconf)
{
	static const struct nla_policy policy[NETCONFA_MAX + 1] = {
		[NETCONFA_IFINDEX] = { .type = NLA_S32 },
		[NETCONFA_FORWARDING] = { .type = NLA_S32 },
		[NETCONFA_RP_FILTER] = { .type = NLA_S32 },
		[NETCONFA_PROXY_NEIGH] = { .type = NLA_S32 },
		[NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN] = { .type = NLA_S32 },
	};
	const struct netconfmsg *ncm = msg_header(msg, sizeof(*ncm));
	struct nlattr *tb[NETCONFA_MAX + 1];

	if (!ncm || !msg_parse(msg, sizeof(*ncm), tb, NETCONFA_MAX, policy))
		return NL_MALFORMED;
	if (ncm->ncm_family != AF_INET && ncm->ncm_family != AF_INET6)
		return NL_OTHER;
	if (!tb[NETCONFA_IFINDEX])
		return NL_MALFORMED;
	*netconf = (struct nl_netconf){ .family = ncm->ncm_family, .ifindex = (int32_t)attr_u32(tb[NETCONFA_IFINDEX]),
					.forwarding = NL_NOT_TOLD, .rp_filter = NL_NOT_TOLD, .proxy = NL_NOT_TOLD,
					.ignore_linkdown = NL_NOT_TOLD };
	if (tb[NETCONFA_FORWARDING])
		netconf->forwarding = (int32_t)attr_u32(tb[NETCONFA_FORWARDING]);
	if (tb[NETCONFA_RP_FILTER])
		netconf->rp_filter = (int32_t)attr_u32(tb[NETCONFA_RP_FILTER]);
	if (tb[NETCONFA_PROXY_NEIGH])
		netconf->proxy = (int32_t)attr_u32(tb[NETCONFA_PROXY_NEIGH]);
	if (tb[NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN])
		netconf->ignore_linkdown = (int32_t)attr_u32(tb[NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN]);
	return NL_DECODED;
}
