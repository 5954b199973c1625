/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Netlink bytes to plain structs. Pure: no socket, no state, no memory of its own; what a message says comes out as it
 * was said, its meaning is the mirrors' business. Input is hostile: a length that lies, an attribute of the wrong size
 * or a value out of range makes the whole message malformed, and nothing is ever read beyond `msg->nlmsg_len`, which
 * the caller has checked against what it holds.
 */
#ifndef NL_DECODE_H
#define NL_DECODE_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolve.h"

enum nl_verdict {
	NL_DECODED = 0,
	NL_OTHER = 1,		/* well-formed, but a kind or family that is not mirrored */
	NL_MALFORMED = -1,
};

struct nl_link {		/* RTM_NEWLINK, RTM_DELLINK; family AF_INET6: only ifindex, disable_ipv6, mtu6_bytes */
	uint8_t family;
	uint32_t ifindex, ifi_flags;
	uint16_t arp_type, vlan_id;
	uint32_t mtu_bytes, master_ifindex, lower_ifindex, txqlen, group, num_rx_queues, num_tx_queues;
	int32_t lower_netnsid;	/* -1 = this namespace */
	uint32_t vrf_table;	/* of a VRF device, else 0 */
	uint32_t macvlan_mode;
	uint8_t mac_len, operstate, linkmode;
	uint8_t mac[8], broadcast[8];
	char name[16], kind[16], qdisc[16];
	int32_t disable_ipv6;	/* -1 = not told */
	int32_t mtu6_bytes;	/* -1 = not told */
	uint8_t permanent_mac_len;
	uint8_t permanent_mac[8];
	const struct nlattr *names;	/* IFLA_PROP_LIST, for nl_altname(); valid as long as the message, NULL = none */
};

struct nl_addr {
	uint32_t ifindex, flags, valid_lft_s, preferred_lft_s;
	uint8_t family, prefix_len, scope;
	uint8_t local[16], address[16], broadcast[16];
	char label[16];
};

struct nl_neigh {
	uint32_t ifindex, ntf_flags;
	uint16_t nud_state;
	uint8_t family, lladdr_len;
	uint8_t addr[16], lladdr[8];
	bool has_addr, proxy;
};

#define NL_NOT_TOLD INT32_MIN	/* the kernel takes every other number, and any but 0 for "on" */

struct nl_netconf {
	int32_t ifindex;	/* NETCONFA_IFINDEX_ALL, _DEFAULT or a link's */
	uint8_t family;
	int32_t forwarding, rp_filter, proxy, ignore_linkdown;	/* or NL_NOT_TOLD */
};

struct nl_rule {
	struct wye_policy_rule says;	/* without seq and order */
	uint32_t hash;		/* of all it says: rules have no key */
	bool special;		/* any selector or option beyond "all traffic, look up this table" */
};

#define NL_LEGS_MAX 512u	/* legs of one multipath route or nexthop group */

struct nl_route {
	uint8_t family, dst_len, src_len, tos, scope, type, protocol, pref;
	uint32_t table, priority, rtm_flags;
	uint32_t kernel_id;	/* RTA_NH_ID, 0 = legs are the route's own */
	uint32_t rest_hash;	/* of what tells two routes apart beside the fields here: metrics, encapsulation, realms */
	uint32_t mtu_bytes;
	bool mtu_locked, has_prefsrc;
	bool too_many_legs;	/* more than NL_LEGS_MAX: legs[] has the first ones */
	uint8_t dst[16], prefsrc[16];
	uint32_t n_legs;
	struct nexthop_leg legs[NL_LEGS_MAX];	/* kind: FORWARD, or KERNEL with an encapsulation */
};

struct nl_route_peek {
	uint8_t family, dst_len;
	uint32_t table;
	uint8_t dst[16];
};

struct nl_nexthop {
	uint32_t id, nh_flags, ifindex;
	uint8_t family;		/* of the gateway or, without one, of the object */
	bool blackhole, fdb, encap, has_gateway, group, resilient, too_many_members;
	uint8_t gateway[16];
	uint32_t n_members;
	struct {
		uint32_t id;
		uint32_t weight;	/* 1.. */
	} member[NL_LEGS_MAX];
};

struct nl_tc {			/* qdisc or filter */
	uint32_t ifindex, handle, parent;
	char kind[16];
};

struct nl_nft_table {
	uint64_t id;		/* of family and name */
	bool dormant;		/* none of its chains is hooked */
};

struct nl_hooked {		/* on which devices: attributes in the message, for nl_hooked_on(); NULL = none */
	const struct nlattr *device, *devices;
};

struct nl_chain {		/* of nf_tables */
	uint8_t family;		/* NFPROTO_* */
	bool base;		/* is it hooked, and where? */
	uint32_t hook;
	uint64_t table_id;	/* as nl_nft_table.id */
	bool accepts_all;	/* no rule, policy accept */
	char table[64], name[64];	/* cut */
	struct nl_hooked hooked;
};

struct nl_flowtable {
	uint8_t family;
	char table[64], name[64];
	struct nl_hooked hooked;
};

struct nl_policy {		/* of IPsec */
	uint8_t family;		/* AF_UNSPEC: both */
	uint8_t dir;		/* XFRM_POLICY_* */
	uint8_t src_len, dst_len;
	uint8_t src[16], dst[16];
};

enum nl_verdict nl_decode_link(const struct nlmsghdr *msg, struct nl_link *link);
/* The next of a link's alternative names, cut to 127 characters; *at starts as nl_link.names. False: no more. */
bool nl_altname(const struct nlattr *names, const struct nlattr **at, char name[128]);
enum nl_verdict nl_decode_addr(const struct nlmsghdr *msg, struct nl_addr *addr);
enum nl_verdict nl_decode_neigh(const struct nlmsghdr *msg, struct nl_neigh *neigh);
enum nl_verdict nl_decode_netconf(const struct nlmsghdr *msg, struct nl_netconf *netconf);
enum nl_verdict nl_decode_rule(const struct nlmsghdr *msg, struct nl_rule *rule);
enum nl_verdict nl_decode_route(const struct nlmsghdr *msg, struct nl_route *route);	/* nl_decode_route.c */
/* A hint: which prefix a message about a route seems to be about. False: none. The address is masked as it came. */
bool nl_peek_route(const struct nlmsghdr *msg, struct nl_route_peek *peek);
enum nl_verdict nl_decode_nexthop(const struct nlmsghdr *msg, struct nl_nexthop *nexthop);

/* nl_decode_parity.c */
/* NL_OTHER: a filter of a shared block, which has no ifindex, but a kind. */
enum nl_verdict nl_decode_tc(const struct nlmsghdr *msg, struct nl_tc *tc);
enum nl_verdict nl_decode_nft_table(const struct nlmsghdr *msg, struct nl_nft_table *table);
enum nl_verdict nl_decode_chain(const struct nlmsghdr *msg, struct nl_chain *chain);
enum nl_verdict nl_decode_flowtable(const struct nlmsghdr *msg, struct nl_flowtable *flowtable);
/* Is it on the device of this name? Only while the message is there. */
bool nl_hooked_on(const struct nl_hooked *hooked, const char *name);
enum nl_verdict nl_decode_policy(const struct nlmsghdr *msg, struct nl_policy *policy);
/* What becomes of forwarded packets that no policy is for: true = they are dropped. */
enum nl_verdict nl_decode_policy_default(const struct nlmsghdr *msg, bool *blocks);

/*
 * The next message of a datagram: returns the one at *at (of *left bytes) and moves on, NULL at the end. A header that
 * lies makes *bad true and ends it.
 */
const struct nlmsghdr *nl_next(const void **at, size_t *left, bool *bad);

#endif
