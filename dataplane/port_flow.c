/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rte_flow on real devices: whether a port is steered by it, what its device can do, and steer_flow's operations.
 *
 * A device qualifies when packets without a rule go to the kernel's netdev, and rte_flow_isolate() works: mlx5, and tap
 * with a remote. Others isolate as well (sfc), but would drop what has no rule. Not isolated, an mlx5 netdev would get no
 * unicast any more: no reason to go on.
 *
 * What a device can do is found by creating entries for an address that nobody has (0.0.0.1, which the guards keep with
 * the kernel anyhow) and destroying them: rte_flow_validate() of tap says yes to more than create does.
 */
#include <errno.h>
#include <netinet/in.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "dpd.h"
#include "log.h"
#include "steer_flow.h"

#define ITEMS_MAX 4
#define ACTIONS_MAX 3

static bool counts[RTE_MAX_ETHPORTS];	/* the device takes COUNT */

/* ---- pattern ------------------------------------------------------------------------------------------------------- */

struct pattern {
	struct rte_flow_item item[ITEMS_MAX];
	struct rte_flow_item_eth eth, eth_mask;
	union {
		struct rte_flow_item_ipv4 ip4;
		struct rte_flow_item_ipv6 ip6;
	} ip, ip_mask;
	union {
		struct rte_flow_item_tcp tcp;
		struct rte_flow_item_udp udp;
		struct rte_flow_item_sctp sctp;
		struct rte_flow_item_icmp6 icmp6;
	} l4, l4_mask;
};

static void pattern_add(struct pattern *pattern, int *n, enum rte_flow_item_type type, const void *spec, const void *mask)
{
	pattern->item[(*n)++] = (struct rte_flow_item){ .type = type, .spec = spec, .mask = mask };
}

static void prefix_mask(uint8_t *mask, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static void pattern_eth(struct pattern *pattern, int *n, const struct flow_place *place, uint8_t family)
{
	if (!place->mac) {
		pattern_add(pattern, n, RTE_FLOW_ITEM_TYPE_ETH, NULL, NULL);
		return;
	}
	memcpy(&pattern->eth.hdr.dst_addr, place->mac, 6);
	memset(&pattern->eth_mask.hdr.dst_addr, 0xff, 6);
	pattern->eth.hdr.ether_type = family == AF_INET ? RTE_BE16(RTE_ETHER_TYPE_IPV4) : RTE_BE16(RTE_ETHER_TYPE_IPV6);
	pattern->eth_mask.hdr.ether_type = 0xffff;
	pattern_add(pattern, n, RTE_FLOW_ITEM_TYPE_ETH, &pattern->eth, &pattern->eth_mask);
}

static void pattern_ip4(struct pattern *pattern, int *n, const struct flow_match *match)
{
	struct rte_ipv4_hdr *spec = &pattern->ip.ip4.hdr, *mask = &pattern->ip_mask.ip4.hdr;

	memcpy(&spec->src_addr, match->src.addr, 4);
	memcpy(&spec->dst_addr, match->dst.addr, 4);
	prefix_mask((uint8_t *)&mask->src_addr, match->src.len);
	prefix_mask((uint8_t *)&mask->dst_addr, match->dst.len);
	spec->next_proto_id = match->ip_proto;
	mask->next_proto_id = match->proto_set ? 0xff : 0;
	pattern_add(pattern, n, RTE_FLOW_ITEM_TYPE_IPV4, &pattern->ip.ip4, &pattern->ip_mask.ip4);
}

static void pattern_ip6(struct pattern *pattern, int *n, const struct flow_match *match)
{
	struct rte_ipv6_hdr *spec = &pattern->ip.ip6.hdr, *mask = &pattern->ip_mask.ip6.hdr;

	memcpy(&spec->src_addr, match->src.addr, 16);
	memcpy(&spec->dst_addr, match->dst.addr, 16);
	prefix_mask((uint8_t *)&mask->src_addr, match->src.len);
	prefix_mask((uint8_t *)&mask->dst_addr, match->dst.len);
	spec->proto = match->ip_proto;
	mask->proto = match->proto_set ? 0xff : 0;
	pattern_add(pattern, n, RTE_FLOW_ITEM_TYPE_IPV6, &pattern->ip.ip6, &pattern->ip_mask.ip6);
}

/* The three begin with source and destination port. */
static void pattern_l4(struct pattern *pattern, int *n, const struct flow_match *match)
{
	static const struct { uint8_t ip_proto; enum rte_flow_item_type type; } ports[] = {
		{ IPPROTO_TCP, RTE_FLOW_ITEM_TYPE_TCP },
		{ IPPROTO_UDP, RTE_FLOW_ITEM_TYPE_UDP },
		{ IPPROTO_SCTP, RTE_FLOW_ITEM_TYPE_SCTP },
	};

	if (match->icmp_type_mask) {
		pattern->l4.icmp6.type = match->icmp_type;
		pattern->l4_mask.icmp6.type = match->icmp_type_mask;
		pattern_add(pattern, n, RTE_FLOW_ITEM_TYPE_ICMP6, &pattern->l4, &pattern->l4_mask);
		return;
	}
	if (!match->sport_mask && !match->dport_mask)
		return;
	pattern->l4.udp.hdr.src_port = htons(match->sport);
	pattern->l4.udp.hdr.dst_port = htons(match->dport);
	pattern->l4_mask.udp.hdr.src_port = htons(match->sport_mask);
	pattern->l4_mask.udp.hdr.dst_port = htons(match->dport_mask);
	for (size_t i = 0; i < RTE_DIM(ports); i++)
		if (ports[i].ip_proto == match->ip_proto)
			pattern_add(pattern, n, ports[i].type, &pattern->l4, &pattern->l4_mask);
}

static void pattern_make(struct pattern *pattern, const struct flow_place *place, const struct flow_match *match)
{
	int n = 0;

	memset(pattern, 0, sizeof(*pattern));
	pattern_eth(pattern, &n, place, match->family);
	if (match->family == AF_INET)
		pattern_ip4(pattern, &n, match);
	else
		pattern_ip6(pattern, &n, match);
	pattern_l4(pattern, &n, match);
	pattern_add(pattern, &n, RTE_FLOW_ITEM_TYPE_END, NULL, NULL);
}

/* ---- actions ------------------------------------------------------------------------------------------------------- */

struct actions {
	struct rte_flow_action action[ACTIONS_MAX];
	struct rte_flow_action_count count;
	struct rte_flow_action_jump jump;
	struct rte_flow_action_queue queue;
	struct rte_flow_action_rss rss;
	uint16_t queues[WYE_QUEUES_MAX];
};

/* Over all queues by RSS, which here is an action: the port's own RSS settings do not work when isolated. */
static struct rte_flow_action to_queues(struct actions *actions, uint16_t dpdk_port)
{
	struct rte_eth_dev_info info;
	uint16_t n = 1;

	if (rte_eth_dev_info_get(dpdk_port, &info) == 0 && info.nb_rx_queues > 1) {
		n = RTE_MIN(info.nb_rx_queues, (uint16_t)WYE_QUEUES_MAX);
		for (uint16_t q = 0; q < n; q++)
			actions->queues[q] = q;
		actions->rss.types = info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP);
		actions->rss.queue_num = n;
		actions->rss.queue = actions->queues;
		return (struct rte_flow_action){ .type = RTE_FLOW_ACTION_TYPE_RSS, .conf = &actions->rss };
	}
	return (struct rte_flow_action){ .type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &actions->queue };
}

static void actions_make(struct actions *actions, const struct flow_place *place, bool dataplane)
{
	int n = 0;

	memset(actions, 0, sizeof(*actions));
	if (counts[place->dpdk_port])
		actions->action[n++] = (struct rte_flow_action){ .type = RTE_FLOW_ACTION_TYPE_COUNT, .conf = &actions->count };
	actions->jump.group = place->jump;
	if (place->jump)
		actions->action[n++] = (struct rte_flow_action){ .type = RTE_FLOW_ACTION_TYPE_JUMP, .conf = &actions->jump };
	else if (dataplane)
		actions->action[n++] = to_queues(actions, place->dpdk_port);
	else
		actions->action[n++] = (struct rte_flow_action){ .type = RTE_FLOW_ACTION_TYPE_SEND_TO_KERNEL };
	actions->action[n] = (struct rte_flow_action){ .type = RTE_FLOW_ACTION_TYPE_END };
}

/* ---- operations ----------------------------------------------------------------------------------------------------- */

static void *flow_create(const struct flow_place *place, const struct flow_entry *entry, char *why)
{
	struct rte_flow_attr attr = { .group = place->group, .priority = place->priority, .ingress = 1 };
	struct rte_flow_error error = { 0 };
	struct pattern pattern;
	struct actions actions;
	void *handle = NULL;

	pattern_make(&pattern, place, &entry->match);
	actions_make(&actions, place, entry->dataplane);
	if (rte_flow_validate(place->dpdk_port, &attr, pattern.item, actions.action, &error) == 0)
		handle = rte_flow_create(place->dpdk_port, &attr, pattern.item, actions.action, &error);
	if (!handle)
		snprintf(why, WYE_WHY_BYTES,
			 "the device refuses a flow entry (rule %d, group %u, priority %u): %.200s; run with -v for the driver's "
			 "words, and give the rule to the kernel", entry->cause, place->group, place->priority,
			 error.message ? error.message : strerror(rte_errno));
	return handle;
}

static int flow_destroy(uint16_t dpdk_port, void *handle)
{
	return rte_flow_destroy(dpdk_port, handle, NULL);
}

static uint64_t flow_packets(uint16_t dpdk_port, void *handle)
{
	const struct rte_flow_action what = { .type = RTE_FLOW_ACTION_TYPE_COUNT };
	struct rte_flow_query_count count = { 0 };

	if (!counts[dpdk_port] || rte_flow_query(dpdk_port, handle, &what, &count, NULL) < 0 || !count.hits_set)
		return 0;
	return count.hits;
}

static void flow_flush(uint16_t dpdk_port)
{
	(void)rte_flow_flush(dpdk_port, NULL);
}

static const struct flow_ops flow_ops = { flow_create, flow_destroy, flow_packets, flow_flush };

/* ---- what a device can do -------------------------------------------------------------------------------------------- */

static const uint8_t nobodys_mac[6] = { 0x02, 'w', 'y', 'e', 0, 0 };

static struct flow_entry nobodys_entry(uint8_t family, uint8_t ip_proto)
{
	struct flow_entry entry = { .dataplane = true, .cause = FLOW_BY_GUARD };

	entry.match.family = entry.match.dst.family = family;
	entry.match.dst.len = family == AF_INET ? 32 : 128;
	entry.match.dst.addr[family == AF_INET ? 3 : 15] = 1;
	entry.match.proto_set = 1;
	entry.match.ip_proto = ip_proto;
	return entry;
}

static bool takes(uint16_t dpdk_port, const struct flow_entry *entry, char *why)
{
	struct flow_place place = { .dpdk_port = dpdk_port, .mac = nobodys_mac };
	void *handle = flow_create(&place, entry, why);

	return handle && flow_destroy(dpdk_port, handle) == 0;
}

/* A group that ends in the kernel, and a way into it. */
static bool takes_groups(uint16_t dpdk_port)
{
	struct flow_place end = { .dpdk_port = dpdk_port, .group = 2 };
	struct flow_place way = { .dpdk_port = dpdk_port, .mac = nobodys_mac, .jump = 2 };
	struct flow_entry all = { .match.family = AF_INET, .cause = FLOW_BY_DEFAULT };
	char why[WYE_WHY_BYTES];
	void *in_group = flow_create(&end, &all, why);
	void *jump = in_group ? flow_create(&way, &all, why) : NULL;

	if (jump)
		(void)flow_destroy(dpdk_port, jump);
	if (in_group)
		(void)flow_destroy(dpdk_port, in_group);
	return jump;
}

static int find_out(uint16_t dpdk_port, struct flow_can *can, char *why)
{
	struct flow_entry entry = nobodys_entry(AF_INET, IPPROTO_UDP);
	char refused[WYE_WHY_BYTES];

	counts[dpdk_port] = true;
	if (!takes(dpdk_port, &entry, refused)) {
		counts[dpdk_port] = false;
		if (!takes(dpdk_port, &entry, why))
			return -ENOTSUP;
	}
	entry.match.dport = 4096;
	entry.match.dport_mask = 0xf000;
	can->port_masks = takes(dpdk_port, &entry, refused);
	entry = nobodys_entry(AF_INET, IPPROTO_SCTP);
	entry.match.dport_mask = 0xffff;
	can->sctp = takes(dpdk_port, &entry, refused);
	entry = nobodys_entry(AF_INET6, IPPROTO_ICMPV6);
	entry.match.icmp_type = 132;
	entry.match.icmp_type_mask = 0xfc;
	can->icmp6 = takes(dpdk_port, &entry, refused);
	can->grouped = takes_groups(dpdk_port);
	return 0;
}

/* ---- a port ----------------------------------------------------------------------------------------------------------- */

static bool is_tap(const struct rte_eth_dev_info *info)
{
	return !strcmp(info->driver_name, "net_tap");
}

/* Its netdev gets what no rule matches. */
static bool bifurcates(const struct port *port, const struct rte_eth_dev_info *info)
{
	return !strncmp(info->driver_name, "mlx5", 4) ||
	       (is_tap(info) && port->config->devargs && strstr(port->config->devargs, ",remote="));
}

int port_flow_isolate(struct port *port, char *why)
{
	struct rte_flow_error error = { 0 };
	struct rte_eth_dev_info info;
	int failed = rte_eth_dev_info_get(port->steer.dpdk_port, &info);

	port->steer.tc_steered = false;
	if (failed || !bifurcates(port, &info)) {
		port->backend = &steer_software;
		return failed;
	}
	failed = rte_flow_isolate(port->steer.dpdk_port, 1, &error);
	if (failed) {
		snprintf(why, WYE_WHY_BYTES, "%s cannot be isolated, and would take all of %s: %.200s; use driver: af_xdp",
			 port->device, port->config->netdev, error.message ? error.message : strerror(-failed));
		return failed;
	}
	port->backend = &steer_flow;
	port->steer.tc_steered = is_tap(&info);
	return 0;
}

int port_flow_attach(struct port *port, char *why)
{
	struct flow_can can = { .entries_max = FLOW_ENTRIES_MAX };
	int error = find_out(port->steer.dpdk_port, &can, why);

	if (error)
		return error;
	log_notice("port %s: %s: flow entries %s%s%s%s%s, at most %u", port->config->netdev, port->device,
		   can.grouped ? "in groups" : "in one group", can.port_masks ? ", port masks" : "", can.sctp ? ", SCTP" : "",
		   can.icmp6 ? ", ICMPv6 types" : "", counts[port->steer.dpdk_port] ? ", counters" : "", can.entries_max);
	return steer_flow_attach(&port->steer, &flow_ops, &can, why);
}
