/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a frame that came in on a port, through ip4_forward or ip6_forward on real tables. Beyond not crashing
 * and not reading outside the buffer: a frame that is forwarded is one a router may forward, changed in nothing but
 * what a router changes; a frame that is not is untouched and has a reason that fits its edge.
 *
 * First byte of the input: bit 0 family, bit 1 make the IPv4 checksum right, bit 2 addresses that have a route, bit 3 strict
 * reverse-path filtering.
 */
#include <stdlib.h>

#include "forward_fixture.h"
#include "nodes/ip4.h"
#include "nodes/ip6.h"

#define FRAME_MAX 1600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

/* The tables live on in memory; nothing is left behind however the fuzzer ends. */
static void forget_files(const struct world *world)
{
	static const char *const names[] = { "/control", "/readers", "/tables.1", "/hits.1", "" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", world->dir, names[i]);
		(void)remove(path);
	}
}

static struct world *the_world(void)
{
	static struct world *world;

	if (world)
		return world;
	world = world_create();
	forget_files(world);
	world_route(world, "0.0.0.0/0", WYE_NH_FORWARD, 3, "10.0.2.2");
	world_route(world, "10.0.1.0/24", WYE_NH_FORWARD, 2, "");
	world_route(world, "10.1.0.0/16", WYE_NH_BLACKHOLE, 0, "");
	world_route(world, "::/0", WYE_NH_FORWARD, 3, "fd00:2::2");
	return world;
}

/* Lets deep code be reached: random bytes seldom have a right checksum. */
static void help(uint8_t *frame, uint32_t len, uint8_t how)
{
	struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)(frame + 14);
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)(frame + 14);

	if (!(how & 1) && len >= 14 + sizeof(*ip4)) {
		if (how & 4) {
			ip4->src_addr = RTE_BE32(RTE_IPV4(10, 0, 1, 2));
			ip4->dst_addr = RTE_BE32(RTE_IPV4(10, 0, 2, 2));
		}
		if (how & 2 && (uint32_t)(ip4->version_ihl & 15) * 4 + 14 <= len)
			world_checksum4(ip4);
	}
	if (how & 1 && how & 4 && len >= 14 + sizeof(*ip6)) {
		*(uint8_t *)&ip6->src_addr = 0x20;
		*(uint8_t *)&ip6->dst_addr = 0xfd;
	}
}

/* What the forwarded frame must have been, and be. */
static void check_ip4(struct world *world, const uint8_t *before, uint32_t len, bool strict)
{
	const struct rte_ipv4_hdr *was = (const struct rte_ipv4_hdr *)(before + 14);
	struct rte_ipv4_hdr want;
	uint32_t total, first = rte_be_to_cpu_32(was->dst_addr) >> 24;

	must(len >= 34, "a forwarded frame has an IPv4 header");
	total = rte_be_to_cpu_16(was->total_length);
	must(was->version_ihl == 0x45, "a forwarded packet has no options");
	must(total >= 20 && total + 14 <= len, "its total length is true");
	must(was->time_to_live > 1, "its TTL had not run out");
	must(first != 0 && first != 127 && first >> 4 != 14 && was->dst_addr != UINT32_MAX, "its destination is unicast");
	must(!strict || (was->src_addr & RTE_BE32(0xffffff00)) == RTE_BE32(RTE_IPV4(10, 0, 1, 0)),
	     "its way back is by the port it came in on");
	want = *was;
	world_checksum4(&want);
	must(want.hdr_checksum == was->hdr_checksum || (!was->hdr_checksum && want.hdr_checksum == 0xffff) ||
	     (was->hdr_checksum == 0xffff && !want.hdr_checksum), "its checksum was right");
	must(world->packet[0]->pkt_len == total + 14, "padding is cut off");
	must(ip4_sum(world_ip4(world, 0)) == 0xffff, "its checksum is right");
	want = *was;
	want.time_to_live--;
	want.hdr_checksum = world_ip4(world, 0)->hdr_checksum;
	must(!memcmp(world_ip4(world, 0), &want, sizeof(want)), "nothing but TTL and checksum changed");
	must(!memcmp(world_ip4(world, 0) + 1, was + 1, total - 20), "the payload is as it was");
}

static void check_ip6(struct world *world, const uint8_t *before, uint32_t len)
{
	const struct rte_ipv6_hdr *was = (const struct rte_ipv6_hdr *)(before + 14);
	struct rte_ipv6_hdr want;
	uint32_t total;

	must(len >= 54, "a forwarded frame has an IPv6 header");
	total = rte_be_to_cpu_16(was->payload_len) + 40u;
	must(total + 14 <= len, "its payload length is true");
	must(was->hop_limits > 1, "its hop limit had not run out");
	must(was->dst_addr[0] != 0xff && was->src_addr[0] != 0xff, "it is unicast");
	must(was->proto != 0, "it has no hop-by-hop options");
	must(world->packet[0]->pkt_len == total + 14, "padding is cut off");
	want = *was;
	want.hop_limits--;
	must(!memcmp(world_ip6(world, 0), &want, sizeof(want)), "nothing but the hop limit changed");
	must(!memcmp(world_ip6(world, 0) + 1, was + 1, total - 40), "the payload is as it was");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *world = the_world();
	uint8_t before[FRAME_MAX], how;
	uint32_t len;

	if (size < 1 || size > FRAME_MAX)
		return 0;
	how = data[0];
	world_link_flags(world, 2, WYE_LINK_PRESENT | WYE_LINK_PORT | WYE_LINK_UP | WYE_LINK_CARRIER | WYE_LINK_FORWARD4 |
			 WYE_LINK_FORWARD6 | (how & 8 ? WYE_LINK_RPF_LOOSE4 | WYE_LINK_RPF_STRICT4 : 0), 0);
	len = (uint32_t)size - 1;
	memcpy(before, data + 1, len);
	help(before, len, how);
	world_frame(world, 0, before, len);
	if (how & 1)
		world_forward6(world, 1);
	else
		world_forward4(world, 1);
	if (world_reason(world, 0) != NODE_OK) {
		must(world->packet[0]->pkt_len == len && !memcmp(rte_pktmbuf_mtod(world->packet[0], void *), before, len),
		     "a packet that leaves is untouched");
		return 0;
	}
	if (how & 1)
		check_ip6(world, before, len);
	else
		check_ip4(world, before, len, how & 8);
	return 0;
}
