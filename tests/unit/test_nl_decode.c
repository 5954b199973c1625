/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The netlink decoder on messages recorded from a kernel (the fuzzer's corpus) and on ones made here. Each recorded
 * message is also cut short at every length, and has every attribute's length changed: nothing may be read beyond
 * its end (the sanitised build sees that) and a lie must be called one.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>

#include "nl_decode.h"

static struct nl_route route;
static struct nl_nexthop nexthop;

/* The hint reads no further than the decoder, and says the same where both do. */
static enum nl_verdict decode_route(const struct nlmsghdr *msg)
{
	struct nl_route_peek peek;
	bool peeked = nl_peek_route(msg, &peek);
	enum nl_verdict verdict = nl_decode_route(msg, &route);

	if (peeked && verdict == NL_DECODED) {
		assert_int_equal(peek.family, route.family);
		assert_int_equal(peek.dst_len, route.dst_len);
		assert_int_equal(peek.table, route.table);
		assert_memory_equal(peek.dst, route.dst, 16);
	}
	return verdict;
}

static enum nl_verdict decode(const struct nlmsghdr *msg)
{
	struct nl_netconf netconf;
	struct nl_neigh neigh;
	struct nl_link link;
	struct nl_addr addr;
	struct nl_rule rule;
	struct nl_tc tc;

	switch (msg->nlmsg_type & ~1u) {
	case RTM_NEWLINK:
		return nl_decode_link(msg, &link);
	case RTM_NEWADDR:
		return nl_decode_addr(msg, &addr);
	case RTM_NEWNEIGH:
		return nl_decode_neigh(msg, &neigh);
	case RTM_NEWROUTE:
		return decode_route(msg);
	case RTM_NEWNEXTHOP:
		return nl_decode_nexthop(msg, &nexthop);
	case RTM_NEWNETCONF:
		return nl_decode_netconf(msg, &netconf);
	case RTM_NEWRULE:
		return nl_decode_rule(msg, &rule);
	case RTM_NEWQDISC:
	case RTM_NEWTFILTER:
		return nl_decode_tc(msg, &tc);
	}
	return NL_OTHER;
}

/* A copy that ends where the message ends. */
static enum nl_verdict decode_cut(const struct nlmsghdr *msg, uint32_t len)
{
	struct nlmsghdr *copy = malloc(len);
	enum nl_verdict verdict;

	memcpy(copy, msg, len);
	copy->nlmsg_len = len;
	verdict = decode(copy);
	free(copy);
	return verdict;
}

static void torture(const struct nlmsghdr *msg)
{
	struct nlmsghdr *copy = malloc(msg->nlmsg_len);

	for (uint32_t len = NLMSG_HDRLEN; len < msg->nlmsg_len; len++)
		decode_cut(msg, len);
	for (uint32_t at = NLMSG_HDRLEN; at < msg->nlmsg_len; at++) {
		memcpy(copy, msg, msg->nlmsg_len);
		for (int value = 0; value < 3; value++) {
			((uint8_t *)copy)[at] = (uint8_t[]){ 0, 0xff, (uint8_t)(((uint8_t *)msg)[at] + 1) }[value];
			decode(copy);
		}
	}
	free(copy);
}

static size_t read_file(const char *name, uint8_t *data, size_t max)
{
	char path[512];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), SOURCE_DIR "/tests/fuzz/netlink/%s", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	n = fread(data, 1, max, file);
	fclose(file);
	return n;
}

static void recorded_messages_decode(void **state)
{
	DIR *dir = opendir(SOURCE_DIR "/tests/fuzz/netlink");
	int decoded = 0;

	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		static uint8_t data[65536];
		const struct nlmsghdr *msg;
		const void *at = data + 1;
		bool bad = false;
		size_t left;

		/* made by the fuzzer, not by a kernel; or of another protocol */
		if (strspn(entry->d_name, "0123456789abcdef") == 40 || entry->d_name[0] == '.' ||
		    !strncmp(entry->d_name, "nft", 3) || !strncmp(entry->d_name, "xfrm", 4))
			continue;
		left = read_file(entry->d_name, data, sizeof(data)) - 1;
		memmove(data, data + 1, left); /* aligned, as the socket's buffers are */
		at = data;
		while ((msg = nl_next(&at, &left, &bad))) {
			assert_int_not_equal(decode(msg), NL_MALFORMED);
			decoded += decode(msg) == NL_DECODED;
			torture(msg);
		}
		assert_false(bad);
	}
	closedir(dir);
	assert_true(decoded > 100);
}

/* ---- made by hand ---- */

static struct {
	struct nlmsghdr header;
	uint8_t bytes[2048];
} m;

static void begin(uint16_t type, const void *fixed, size_t len)
{
	memset(&m, 0, sizeof(m));
	m.header.nlmsg_type = type;
	memcpy(m.bytes, fixed, len);
	m.header.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len);
}

static struct rtattr *put(uint16_t type, const void *data, size_t len)
{
	struct rtattr *attr = (struct rtattr *)((char *)&m + NLMSG_ALIGN(m.header.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(attr), data, len);
	m.header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m.header.nlmsg_len) + RTA_ALIGN(attr->rta_len));
	return attr;
}

static void put_u32(uint16_t type, uint32_t value)
{
	put(type, &value, 4);
}

static const struct rtmsg main4 = { .rtm_family = AF_INET, .rtm_dst_len = 24, .rtm_table = RT_TABLE_MAIN,
				    .rtm_type = RTN_UNICAST, .rtm_protocol = RTPROT_BGP };
static const uint8_t dst[4] = { 192, 0, 2, 0 }, gateway[4] = { 10, 0, 0, 2 };

static void a_route(void **state)
{
	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 4);
	put(RTA_GATEWAY, gateway, 4);
	put_u32(RTA_OIF, 7);
	put_u32(RTA_PRIORITY, 4294967295u);
	put_u32(RTA_TABLE, 70000);
	assert_int_equal(nl_decode_route(&m.header, &route), NL_DECODED);
	assert_int_equal(route.table, 70000);
	assert_int_equal(route.priority, 4294967295u);
	assert_int_equal(route.n_legs, 1);
	assert_int_equal(route.legs[0].ifindex, 7);
	assert_int_equal(route.legs[0].family, AF_INET);
	assert_memory_equal(route.legs[0].gateway, gateway, 4);
	assert_memory_equal(route.dst, dst, 4);
}

static void lies_about_a_route(void **state)
{
	struct rtmsg longer = main4;
	struct rtattr *attr;

	longer.rtm_dst_len = 33;
	begin(RTM_NEWROUTE, &longer, sizeof(longer));
	put(RTA_DST, dst, 4);
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
	begin(RTM_NEWROUTE, &main4, sizeof(main4)); /* a length without an address */
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 3);
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	attr = put(RTA_DST, dst, 4);
	attr->rta_len = 100;
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
	attr->rta_len = 3;
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
	m.header.nlmsg_len = NLMSG_HDRLEN + sizeof(main4) - 1;
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
}

static void what_is_not_mirrored(void **state)
{
	struct rtmsg other = main4;

	other.rtm_family = AF_MPLS;
	begin(RTM_NEWROUTE, &other, sizeof(other));
	assert_int_equal(nl_decode_route(&m.header, &route), NL_OTHER);
	other = main4;
	other.rtm_flags = RTM_F_CLONED;	/* an exception from a route */
	begin(RTM_NEWROUTE, &other, sizeof(other));
	put(RTA_DST, dst, 4);
	assert_int_equal(nl_decode_route(&m.header, &route), NL_DECODED);
	assert_true(route.rtm_flags & RTM_F_CLONED);
}

static void put_hop(uint8_t *at, uint32_t ifindex, uint8_t weight, uint16_t len)
{
	struct rtnexthop hop = { .rtnh_len = len, .rtnh_hops = (uint8_t)(weight - 1), .rtnh_ifindex = (int)ifindex };

	memcpy(at, &hop, sizeof(hop));
}

static void multipath(void **state)
{
	uint8_t hops[3 * sizeof(struct rtnexthop)];

	for (uint32_t i = 0; i < 3; i++)
		put_hop(hops + i * sizeof(struct rtnexthop), i + 1, (uint8_t)(i * 100 + 1), sizeof(struct rtnexthop));
	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 4);
	put(RTA_MULTIPATH, hops, sizeof(hops));
	assert_int_equal(nl_decode_route(&m.header, &route), NL_DECODED);
	assert_int_equal(route.n_legs, 3);
	assert_int_equal(route.legs[2].weight, 201);
	put_hop(hops + sizeof(struct rtnexthop), 2, 1, 9); /* does not fill its header's alignment, the next is off */
	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 4);
	put(RTA_MULTIPATH, hops, sizeof(hops));
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
	put_hop(hops, 1, 1, 4); /* shorter than a hop is */
	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 4);
	put(RTA_MULTIPATH, hops, sizeof(hops));
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
}

static void ipv4_by_an_ipv6_gateway(void **state)
{
	uint8_t via[18] = { 0 };
	uint16_t family = AF_INET6;

	memcpy(via, &family, 2);
	via[2] = 0xfd;
	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 4);
	put(RTA_VIA, via, sizeof(via));
	assert_int_equal(nl_decode_route(&m.header, &route), NL_DECODED);
	assert_int_equal(route.legs[0].family, AF_INET6);
	assert_int_equal(route.legs[0].gateway[0], 0xfd);
	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 4);
	put(RTA_VIA, via, 6); /* an IPv6 family, an IPv4 length */
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
}

static void an_encapsulation_is_the_kernels(void **state)
{
	uint32_t without;

	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 4);
	put_u32(RTA_OIF, 7);
	assert_int_equal(nl_decode_route(&m.header, &route), NL_DECODED);
	assert_int_equal(route.legs[0].kind, WYE_NH_FORWARD);
	without = route.rest_hash;
	put(RTA_ENCAP_TYPE, "\1\0", 2);
	put(RTA_ENCAP, "12345678", 8);
	assert_int_equal(nl_decode_route(&m.header, &route), NL_DECODED);
	assert_int_equal(route.legs[0].kind, WYE_NH_KERNEL);
	assert_int_not_equal(route.rest_hash, without);
}

static void metrics(void **state)
{
	struct {
		struct rtattr lock;
		uint32_t bits;
		struct rtattr mtu;
		uint32_t bytes;
	} nest = { { 8, RTAX_LOCK }, 1u << RTAX_MTU, { 8, RTAX_MTU }, 1400 };

	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 4);
	put(RTA_METRICS, &nest, sizeof(nest));
	assert_int_equal(nl_decode_route(&m.header, &route), NL_DECODED);
	assert_int_equal(route.mtu_bytes, 1400);
	assert_true(route.mtu_locked);
	assert_int_equal(route.legs[0].mtu_bytes, 1400);
	nest.mtu.rta_len = 6;
	begin(RTM_NEWROUTE, &main4, sizeof(main4));
	put(RTA_DST, dst, 4);
	put(RTA_METRICS, &nest, sizeof(nest));
	assert_int_equal(nl_decode_route(&m.header, &route), NL_MALFORMED);
}

static void datagrams(void **state)
{
	struct nlmsghdr two[2] = { { .nlmsg_len = sizeof(two[0]) }, { .nlmsg_len = sizeof(two[0]) } };
	const void *at = two;
	size_t left = sizeof(two);
	bool bad = false;

	assert_ptr_equal(nl_next(&at, &left, &bad), &two[0]);
	assert_ptr_equal(nl_next(&at, &left, &bad), &two[1]);
	assert_null(nl_next(&at, &left, &bad));
	assert_false(bad);
	two[1].nlmsg_len = 17; /* one byte more than there is */
	at = two;
	left = sizeof(two);
	assert_non_null(nl_next(&at, &left, &bad));
	assert_null(nl_next(&at, &left, &bad));
	assert_true(bad);
	two[0].nlmsg_len = 15;
	at = two;
	left = sizeof(two);
	bad = false;
	assert_null(nl_next(&at, &left, &bad));
	assert_true(bad);
}

static void nexthop_group_weights(void **state)
{
	static const uint8_t hdr[8] = { 0 };
	static const uint8_t members[16] = { 7, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 0xff, 0x01, 0, 0 };
	static const uint16_t resilient = 1; /* NEXTHOP_GRP_TYPE_RES */

	begin(RTM_NEWNEXTHOP, hdr, sizeof(hdr));
	put_u32(1 /* NHA_ID */, 9);
	put(2 /* NHA_GROUP */, members, sizeof(members));
	assert_int_equal(nl_decode_nexthop(&m.header, &nexthop), NL_DECODED);
	assert_int_equal(nexthop.n_members, 2);
	assert_int_equal(nexthop.member[0].weight, 3);
	assert_int_equal(nexthop.member[1].weight, 512); /* 16 bits since 6.12 */
	assert_false(nexthop.resilient);
	put(3 /* NHA_GROUP_TYPE */, &resilient, sizeof(resilient));
	assert_int_equal(nl_decode_nexthop(&m.header, &nexthop), NL_DECODED);
	assert_true(nexthop.resilient);
}

/* Attributes inside one another: end_nest(begin_nest(type)). */
static uint32_t begin_nest(uint16_t type)
{
	uint32_t at = m.header.nlmsg_len;

	put(type, "", 0);
	return at;
}

static void end_nest(uint32_t at)
{
	((struct nlattr *)((char *)&m.header + at))->nla_len = (uint16_t)(m.header.nlmsg_len - at);
}

static void put_be32(uint16_t type, uint32_t value)
{
	put_u32(type, htonl(value));
}

static void base_chain(uint8_t family, uint32_t hook)
{
	const uint8_t nfgen[4] = { family };
	uint32_t nest;

	begin(0x0a03 /* NFT_MSG_NEWCHAIN */, nfgen, sizeof(nfgen));
	put(NFTA_CHAIN_TABLE, "t", 2);
	put(NFTA_CHAIN_NAME, "c", 2);
	nest = begin_nest(NFTA_CHAIN_HOOK);
	put_be32(NFTA_HOOK_HOOKNUM, hook);
	put_be32(NFTA_HOOK_PRIORITY, 0);
	end_nest(nest);
}

static void chains(void **state)
{
	struct nl_nft_table table;
	struct nl_chain chain;

	base_chain(NFPROTO_IPV6, NF_INET_FORWARD);
	assert_int_equal(nl_decode_chain(&m.header, &chain), NL_DECODED);
	assert_true(chain.base);
	assert_int_equal(chain.hook, NF_INET_FORWARD);
	assert_string_equal(chain.table, "t");
	assert_false(chain.accepts_all); /* not told: assume the worst */
	put_be32(NFTA_CHAIN_POLICY, NF_ACCEPT);
	put_be32(NFTA_CHAIN_USE, 0);
	assert_int_equal(nl_decode_chain(&m.header, &chain), NL_DECODED);
	assert_true(chain.accepts_all);
	put_be32(NFTA_CHAIN_USE, 1);
	assert_int_equal(nl_decode_chain(&m.header, &chain), NL_DECODED);
	assert_false(chain.accepts_all);

	begin(0x0a00 /* NFT_MSG_NEWTABLE */, (const uint8_t[]){ NFPROTO_IPV6, 0, 0, 0 }, 4);
	put(NFTA_TABLE_NAME, "t", 2);
	put_be32(NFTA_TABLE_FLAGS, NFT_TABLE_F_DORMANT);
	assert_int_equal(nl_decode_nft_table(&m.header, &table), NL_DECODED);
	assert_true(table.dormant);
	assert_true(table.id == chain.table_id);
	begin(0x0a00, (const uint8_t[]){ NFPROTO_IPV4, 0, 0, 0 }, 4);
	put(NFTA_TABLE_NAME, "t", 2);
	assert_int_equal(nl_decode_nft_table(&m.header, &table), NL_DECODED);
	assert_false(table.dormant);
	assert_true(table.id != chain.table_id);
}

/* As it lies in a datagram behind another message: aligned to 4, though it has members of 8 bytes. */
static void an_ipsec_policy(void **state)
{
	static _Alignas(8) uint8_t datagram[4 + NLMSG_HDRLEN + sizeof(struct xfrm_userpolicy_info)];
	struct xfrm_userpolicy_info info = { .dir = XFRM_POLICY_FWD, .sel = { .family = AF_INET, .prefixlen_d = 24 } };
	struct nl_policy policy;
	struct nlmsghdr *msg = (void *)(datagram + 4);

	memcpy(&info.sel.daddr, dst, sizeof(dst));
	begin(XFRM_MSG_NEWPOLICY, &info, sizeof(info));
	memcpy(msg, &m, m.header.nlmsg_len);
	assert_int_equal(nl_decode_policy(msg, &policy), NL_DECODED);
	assert_int_equal(policy.family, AF_INET);
	assert_int_equal(policy.dir, XFRM_POLICY_FWD);
	assert_int_equal(policy.dst_len, 24);
	assert_memory_equal(policy.dst, dst, sizeof(dst));
	msg->nlmsg_len--;
	assert_int_equal(nl_decode_policy(msg, &policy), NL_MALFORMED);
}

/* One device, several, and names that only begin so, as Linux 6.16 and 6.17 say it. */
static void hooked_devices(void **state)
{
	struct nl_flowtable flowtable;
	struct nl_chain chain;
	uint32_t nest, list;

	begin(0x0a03, (const uint8_t[]){ NFPROTO_NETDEV, 0, 0, 0 }, 4);
	put(NFTA_CHAIN_TABLE, "t", 2);
	put(NFTA_CHAIN_NAME, "c", 2);
	nest = begin_nest(NFTA_CHAIN_HOOK);
	put_be32(NFTA_HOOK_HOOKNUM, NF_NETDEV_EGRESS);
	put(NFTA_HOOK_DEV, "eth0", 5);
	list = begin_nest(NFTA_HOOK_DEVS);
	put(NFTA_DEVICE_NAME, "eth1", 5);
	put(NFTA_DEVICE_NAME, "wan", 3);
	put(2 /* NFTA_DEVICE_PREFIX */, "lan", 4);
	end_nest(list);
	end_nest(nest);
	assert_int_equal(nl_decode_chain(&m.header, &chain), NL_DECODED);
	for (const char *const *name = (const char *const[]){ "eth0", "eth1", "wan", "wan7", "lan", "lan0", NULL }; *name; name++)
		assert_true(nl_hooked_on(&chain.hooked, *name));
	for (const char *const *name = (const char *const[]){ "eth", "eth00", "eth10", "wa", "la", "", NULL }; *name; name++)
		assert_false(nl_hooked_on(&chain.hooked, *name));

	begin(0x0a16 /* NFT_MSG_NEWFLOWTABLE */, (const uint8_t[]){ NFPROTO_INET, 0, 0, 0 }, 4);
	put(NFTA_FLOWTABLE_TABLE, "t", 2);
	put(NFTA_FLOWTABLE_NAME, "fast", 5);
	nest = begin_nest(NFTA_FLOWTABLE_HOOK);
	put_be32(NFTA_FLOWTABLE_HOOK_NUM, 0);
	list = begin_nest(NFTA_FLOWTABLE_HOOK_DEVS);
	put(NFTA_DEVICE_NAME, "eth0", 5);
	end_nest(list);
	end_nest(nest);
	assert_int_equal(nl_decode_flowtable(&m.header, &flowtable), NL_DECODED);
	assert_string_equal(flowtable.name, "fast");
	assert_true(nl_hooked_on(&flowtable.hooked, "eth0"));
	assert_false(nl_hooked_on(&flowtable.hooked, "eth1"));
}

/* ---- links and rules ---- */

static void alternative_names(void **state)
{
	static const struct ifinfomsg ifi = { .ifi_index = 7 };
	struct {
		struct rtattr head;
		char text[8];
	} names[3] = { { { 4 + 6, IFLA_ALT_IFNAME }, "first" }, { { 4 + 8, IFLA_ALT_IFNAME + 1 }, "no" },
		       { { 4 + 8, IFLA_ALT_IFNAME }, "last one" } /* without an end */ };
	const struct nlattr *at;
	struct nl_link link;
	char name[128];

	begin(RTM_NEWLINK, &ifi, sizeof(ifi));
	put_u32(IFLA_MTU, 1500);
	put(IFLA_PROP_LIST | NLA_F_NESTED, names, sizeof(names));
	assert_int_equal(nl_decode_link(&m.header, &link), NL_DECODED);
	at = link.names;
	assert_true(nl_altname(link.names, &at, name));
	assert_string_equal(name, "first");
	assert_true(nl_altname(link.names, &at, name));
	assert_string_equal(name, "last one");
	assert_false(nl_altname(link.names, &at, name));
	begin(RTM_NEWLINK, &ifi, sizeof(ifi));
	put_u32(IFLA_MTU, 1500);
	names[2].head.rta_len = 100;
	put(IFLA_PROP_LIST | NLA_F_NESTED, names, sizeof(names));
	assert_int_equal(nl_decode_link(&m.header, &link), NL_MALFORMED);
}

static struct nl_rule rule_of(const struct fib_rule_hdr *frh, uint16_t type, const void *data, size_t len,
			      enum nl_verdict verdict)
{
	struct nl_rule rule = { 0 };

	begin(RTM_NEWRULE, frh, sizeof(*frh));
	put_u32(FRA_PRIORITY, 100);
	put_u32(FRA_TABLE, RT_TABLE_MAIN);
	put(type, data, len);
	assert_int_equal(nl_decode_rule(&m.header, &rule), verdict);
	return rule;
}

static void rules(void **state)
{
	struct fib_rule_hdr frh = { .family = AF_INET, .table = RT_TABLE_MAIN, .action = FR_ACT_TO_TBL };
	struct nl_rule rule = rule_of(&frh, FRA_PROTOCOL, "\4", 1, NL_DECODED), other;

	assert_false(rule.special);
	assert_int_equal(rule.says.priority, 100);
	assert_int_equal(rule.says.table, RT_TABLE_MAIN);
	assert_true(rule_of(&frh, FRA_FWMARK, "\1\0\0\0", 4, NL_DECODED).special);
	assert_int_equal(rule_of(&frh, FRA_FWMARK, "\1\0\0\0", 4, NL_DECODED).says.fwmask, UINT32_MAX);
	rule_of(&frh, FRA_FWMARK, "\1\0\0", 3, NL_MALFORMED);
	rule_of(&frh, FRA_SRC, "\1\0\0", 3, NL_MALFORMED);
	/* What a newer kernel selects by. */
	other = rule_of(&frh, 40, "\1", 1, NL_DECODED);
	assert_true(other.special && other.says.flags & WYE_RULE_MORE);
	/* Its device came: no message, and yet the deletion will be written so. */
	rule = rule_of(&frh, FRA_IIFNAME, "eth0", 5, NL_DECODED);
	frh.flags = FIB_RULE_IIF_DETACHED;
	assert_int_equal(rule_of(&frh, FRA_IIFNAME, "eth0", 5, NL_DECODED).hash, rule.hash);
	frh.flags = FIB_RULE_INVERT;
	assert_int_not_equal(rule_of(&frh, FRA_IIFNAME, "eth0", 5, NL_DECODED).hash, rule.hash);
	frh.src_len = 33;
	rule_of(&frh, FRA_IIFNAME, "eth0", 5, NL_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_messages_decode), cmocka_unit_test(a_route),
		cmocka_unit_test(lies_about_a_route), cmocka_unit_test(what_is_not_mirrored),
		cmocka_unit_test(multipath), cmocka_unit_test(ipv4_by_an_ipv6_gateway),
		cmocka_unit_test(an_encapsulation_is_the_kernels), cmocka_unit_test(metrics),
		cmocka_unit_test(datagrams), cmocka_unit_test(nexthop_group_weights), cmocka_unit_test(chains),
		cmocka_unit_test(an_ipsec_policy), cmocka_unit_test(hooked_devices),
		cmocka_unit_test(alternative_names), cmocka_unit_test(rules),
	};

	return cmocka_run_group_tests_name("nl_decode", tests, NULL, NULL);
}
