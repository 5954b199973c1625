/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip4_forward on real tables: which packets it forwards, why it does not forward the others (RFC 1812 5.2, and what the
 * kernel adds), and that what it does to a packet is right to the bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "forward_fixture.h"
#include "nodes/ip4.h"

static int setup(void **state)
{
	*state = world_create();
	return 0;
}

static int teardown(void **state)
{
	world_destroy(*state);
	return 0;
}

static enum wye_reason verdict(struct world *world, const char *src, const char *dst)
{
	world_udp4(world, 0, src, dst, 1000, 18);
	world_forward4(world, 1);
	return world_reason(world, 0);
}

/* What a port's packets may not be forwarded for, whatever the tables say of their destination. */
static void ingress_gate(void **state)
{
	enum { UP = WYE_LINK_PRESENT | WYE_LINK_PORT | WYE_LINK_UP | WYE_LINK_CARRIER };
	static const struct { uint32_t flags; enum wye_reason ip4, ip6; } cases[] = {
		{ UP | WYE_LINK_FORWARD4 | WYE_LINK_FORWARD6, NODE_OK, NODE_OK },
		{ UP | WYE_LINK_FORWARD4, NODE_OK, WYE_REASON_PORT_NOT_FORWARDING },
		{ UP | WYE_LINK_FORWARD6, WYE_REASON_PORT_NOT_FORWARDING, NODE_OK },
		/* nobody guards it: its netdev has another name now, or wye-ctld's configuration has it no more */
		{ (UP & ~WYE_LINK_PORT) | WYE_LINK_FORWARD4 | WYE_LINK_FORWARD6, WYE_REASON_PORT_PARITY,
		  WYE_REASON_PORT_PARITY },
		{ (UP & ~WYE_LINK_UP) | WYE_LINK_FORWARD4 | WYE_LINK_FORWARD6, WYE_REASON_PORT_DOWN, WYE_REASON_PORT_DOWN },
		{ WYE_LINK_FORWARD4 | WYE_LINK_FORWARD6, WYE_REASON_PORT_DOWN, WYE_REASON_PORT_DOWN },
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_link_flags(world, 2, cases[i].flags, 0);
		assert_int_equal(node_gate(world->worker, &world->plan->port[0], WYE_LINK_FORWARD4), cases[i].ip4);
		assert_int_equal(node_gate(world->worker, &world->plan->port[0], WYE_LINK_FORWARD6), cases[i].ip6);
	}
	world_link_flags(world, 2, UP | WYE_LINK_FORWARD4 | WYE_LINK_FORWARD6, wye_parity_bits(WYE_PARITY_NFTABLES, WYE_PARITY_IP6));
	assert_int_equal(node_gate(world->worker, &world->plan->port[0], WYE_LINK_FORWARD4), NODE_OK);
	assert_int_equal(node_gate(world->worker, &world->plan->port[0], WYE_LINK_FORWARD6), WYE_REASON_PORT_PARITY);
	world->worker->outdated = true;
	assert_int_equal(node_gate(world->worker, &world->plan->port[0], WYE_LINK_FORWARD4), WYE_REASON_MIRROR_STALE);
	world->worker->outdated = false;
}

static void addresses(void **state)
{
	static const struct { const char *src, *dst; enum wye_reason reason; } cases[] = {
		{ "10.0.1.2", "10.0.2.2", NODE_OK },
		{ "10.0.1.2", "10.0.2.1", WYE_REASON_IP4_FORWARD_LOCAL },
		{ "10.0.1.2", "10.0.1.1", WYE_REASON_IP4_FORWARD_LOCAL },
		{ "10.0.1.2", "10.0.2.9", WYE_REASON_IP4_FORWARD_UNRESOLVED },
		{ "10.0.1.2", "192.0.2.1", WYE_REASON_IP4_FORWARD_NO_ROUTE },
		{ "10.0.1.2", "240.0.0.1", WYE_REASON_IP4_FORWARD_NO_ROUTE },	/* class E is routed like any other */
		{ "10.0.1.2", "255.1.2.3", WYE_REASON_IP4_FORWARD_NO_ROUTE },
		{ "10.0.1.2", "255.255.255.255", WYE_REASON_IP4_INPUT_MULTICAST },
		{ "10.0.1.2", "224.0.0.5", WYE_REASON_IP4_INPUT_MULTICAST },
		{ "10.0.1.2", "239.255.255.255", WYE_REASON_IP4_INPUT_MULTICAST },
		{ "10.0.1.2", "0.0.0.0", WYE_REASON_IP4_INPUT_MARTIAN },
		{ "10.0.1.2", "0.1.2.3", WYE_REASON_IP4_INPUT_MARTIAN },
		{ "10.0.1.2", "127.0.0.1", WYE_REASON_IP4_INPUT_MARTIAN },
		{ "0.0.0.0", "10.0.2.2", WYE_REASON_IP4_INPUT_MARTIAN },
		{ "127.0.0.1", "10.0.2.2", WYE_REASON_IP4_INPUT_MARTIAN },
		{ "224.0.0.1", "10.0.2.2", WYE_REASON_IP4_INPUT_MARTIAN },
		{ "255.255.255.255", "10.0.2.2", WYE_REASON_IP4_INPUT_MARTIAN },
		{ "10.0.2.1", "10.0.2.2", WYE_REASON_IP4_INPUT_MARTIAN },	/* our own address as source */
		{ "10.0.1.1", "10.0.2.2", WYE_REASON_IP4_INPUT_MARTIAN },
		{ "240.0.0.1", "10.0.2.2", NODE_OK },
		{ "255.1.2.3", "10.0.2.2", NODE_OK },
		{ "126.255.255.255", "10.0.2.2", NODE_OK },
		{ "128.0.0.1", "10.0.2.2", NODE_OK },
		{ "223.255.255.255", "10.0.2.2", NODE_OK },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum wye_reason got = verdict(*state, cases[i].src, cases[i].dst);

		if (got != cases[i].reason)
			fail_msg("%s to %s: %s", cases[i].src, cases[i].dst, got == NODE_OK ? "forwarded" : wye_reason_name[got]);
	}
}

/* What rp_filter asks of a source: out of in0 by the tables, by which links, and what that comes to. */
static void way_back(void **state)
{
	enum { UP = WYE_LINK_PRESENT | WYE_LINK_PORT | WYE_LINK_UP | WYE_LINK_CARRIER | WYE_LINK_FORWARD4,
	       LOOSE = WYE_LINK_RPF_LOOSE4, STRICT = WYE_LINK_RPF_LOOSE4 | WYE_LINK_RPF_STRICT4,
	       PASS = NODE_OK, ASTRAY = WYE_REASON_IP4_FORWARD_RP_FILTER, MARTIAN = WYE_REASON_IP4_INPUT_MARTIAN,
	       KERNEL = WYE_REASON_IP4_FORWARD_KERNEL };
	static const struct { const char *src; unsigned int loose, strict; } cases[] = {
		{ "10.0.1.2", PASS, PASS },	/* on the link, its neighbour unknown */
		{ "192.168.1.1", PASS, PASS },	/* by a gateway there */
		{ "10.0.2.2", PASS, ASTRAY },	/* by another link */
		{ "192.168.2.1", PASS, PASS },	/* by two links, one of them this */
		{ "192.168.3.1", PASS, ASTRAY },	/* by two others */
		{ "192.168.4.1", ASTRAY, ASTRAY },	/* a blackhole */
		{ "192.168.5.1", ASTRAY, ASTRAY },	/* unreachable */
		{ "192.168.6.1", ASTRAY, ASTRAY },	/* the link is down: another route may count in the kernel */
		{ "192.0.2.1", ASTRAY, ASTRAY },	/* no route */
		{ "192.168.7.1", KERNEL, KERNEL },
		{ "10.0.1.1", MARTIAN, MARTIAN },
		{ "127.0.0.1", MARTIAN, MARTIAN },
	};
	struct world *world = *state;

	world_route(world, "10.0.1.0/24", WYE_NH_FORWARD, 2, "");
	world_route(world, "192.168.1.0/24", WYE_NH_FORWARD, 2, "10.0.1.9");
	world_links_group(world, "192.168.2.0/24", (const uint32_t[]){ 3, 2 }, 2);
	world_links_group(world, "192.168.3.0/24", (const uint32_t[]){ 3, 4 }, 2);
	world_route(world, "192.168.4.0/24", WYE_NH_BLACKHOLE, 0, "");
	world_route(world, "192.168.5.0/24", WYE_NH_UNREACHABLE, 0, "");
	world_route(world, "192.168.6.0/24", WYE_NH_DOWN, 5, "");
	world_route(world, "192.168.7.0/24", WYE_NH_KERNEL, 0, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int loose, strict;

		world_link_flags(world, 2, UP, 0);
		verdict(world, cases[i].src, "10.0.2.2"); /* whatever: a run without the question may come between */
		world_link_flags(world, 2, UP | LOOSE, 0);
		loose = verdict(world, cases[i].src, "10.0.2.2");
		world_link_flags(world, 2, UP | STRICT, 0);
		strict = verdict(world, cases[i].src, "10.0.2.2");
		if (loose != cases[i].loose || strict != cases[i].strict)
			fail_msg("%s: loose %u, strict %u", cases[i].src, loose, strict);
	}
}

/* In a run each packet is asked about by itself, and those that may pass leave as ever. */
static void way_back_of_a_run(void **state)
{
	struct world *world = *state;

	world_route(world, "10.0.1.0/24", WYE_NH_FORWARD, 2, "");
	world_link_flags(world, 2, WYE_LINK_PRESENT | WYE_LINK_PORT | WYE_LINK_UP | WYE_LINK_CARRIER | WYE_LINK_FORWARD4 |
			 WYE_LINK_RPF_LOOSE4 | WYE_LINK_RPF_STRICT4, 0);
	for (uint32_t i = 0; i < WORLD_PACKETS; i++)
		world_udp4(world, i, i % 3 ? "10.0.1.2" : "10.0.2.2", "10.0.2.2", (uint16_t)i, 18);
	world_forward4(world, WORLD_PACKETS);
	for (uint32_t i = 0; i < WORLD_PACKETS; i++) {
		assert_int_equal(world_reason(world, i), i % 3 ? NODE_OK : WYE_REASON_IP4_FORWARD_RP_FILTER);
		assert_int_equal(world_ip4(world, i)->time_to_live, i % 3 ? 63 : 64);
	}
}

/* A change to a good header, with the checksum made right again or not. */
static void headers(void **state)
{
	static const struct { const char *what; int at; uint8_t value; bool checksum; enum wye_reason reason; } cases[] = {
		{ "nothing", 8, 64, true, NODE_OK },
		{ "TTL 2", 8, 2, true, NODE_OK },
		{ "TTL 1", 8, 1, true, WYE_REASON_IP4_FORWARD_TTL },
		{ "TTL 0", 8, 0, true, WYE_REASON_IP4_FORWARD_TTL },
		{ "version 5", 0, 0x55, true, WYE_REASON_IP4_INPUT_BAD_VERSION },
		{ "version 6", 0, 0x65, true, WYE_REASON_IP4_INPUT_BAD_VERSION },
		{ "header of 16 bytes", 0, 0x44, true, WYE_REASON_IP4_INPUT_BAD_LENGTH },
		{ "options", 0, 0x46, true, WYE_REASON_IP4_INPUT_OPTIONS },
		{ "options beyond the packet", 0, 0x4f, true, WYE_REASON_IP4_INPUT_BAD_LENGTH },
		{ "total length 19", 3, 19, true, WYE_REASON_IP4_INPUT_BAD_LENGTH },
		{ "total length 20", 3, 20, true, NODE_OK },
		{ "total length above the frame", 3, 47, true, WYE_REASON_IP4_INPUT_BAD_LENGTH },
		{ "total length far above", 2, 0xff, true, WYE_REASON_IP4_INPUT_BAD_LENGTH },
		{ "checksum", 10, 0, false, WYE_REASON_IP4_INPUT_BAD_CHECKSUM },
		{ "identification without checksum", 4, 0xee, false, WYE_REASON_IP4_INPUT_BAD_CHECKSUM },
		{ "more fragments", 6, 0x20, true, NODE_OK },
		{ "ICMP", 9, 1, true, NODE_OK },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *world = *state;
		enum wye_reason got;

		world_udp4(world, 0, "10.0.1.2", "10.0.2.2", 1000, 18);
		((uint8_t *)world_ip4(world, 0))[cases[i].at] = cases[i].value;
		if (cases[i].checksum)
			world_checksum4(world_ip4(world, 0));
		world_forward4(world, 1);
		got = world_reason(world, 0);
		if (got != cases[i].reason)
			fail_msg("%s: %s", cases[i].what, got == NODE_OK ? "forwarded" : wye_reason_name[got]);
	}
}

static void runts(void **state)
{
	struct world *world = *state;
	uint8_t frame[64];

	world_udp4(world, 1, "10.0.1.2", "10.0.2.2", 1000, 18);
	memcpy(frame, rte_pktmbuf_mtod(world->packet[1], void *), 60);
	for (uint32_t len = 0; len < 34; len++) {
		world_frame(world, 0, frame, len);
		/* what stood in the buffer before must not help */
		memcpy(rte_pktmbuf_mtod(world->packet[0], void *), frame, 60);
		world_forward4(world, 1);
		assert_int_equal(world_reason(world, 0), WYE_REASON_IP4_INPUT_TOO_SHORT);
	}
	for (uint32_t len = 34; len < 60; len++) {
		world_frame(world, 0, frame, len);
		world_forward4(world, 1);
		assert_int_equal(world_reason(world, 0), WYE_REASON_IP4_INPUT_BAD_LENGTH);
	}
}

/* Every TTL, many headers: the incremental checksum equals the full one. */
static void decrement(void **state)
{
	struct rte_ipv4_hdr ip = { .version_ihl = 0x45 }, full;
	uint32_t seed = 1;

	for (uint32_t round = 0; round < 2000; round++) {
		for (uint32_t ttl = 1; ttl < 256; ttl++) {
			ip.time_to_live = (uint8_t)ttl;
			world_checksum4(&ip);
			assert_int_equal(ip4_sum(&ip), 0xffff);
			full = ip;
			full.time_to_live--;
			world_checksum4(&full);
			ip4_decrement_ttl(&ip);
			assert_int_equal(ip.time_to_live, ttl - 1);
			/* 0 and 0xffff are the same number in one's complement; the receiver's sum decides */
			assert_int_equal(ip4_sum(&ip), 0xffff);
			if (full.hdr_checksum != 0 && full.hdr_checksum != 0xffff)
				assert_int_equal(ip.hdr_checksum, full.hdr_checksum);
		}
		seed = seed * 1664525 + 1013904223;
		ip.src_addr = seed;
		ip.packet_id = (uint16_t)(seed >> 7);
		ip.dst_addr = seed * 2654435761u;
		ip.total_length = (uint16_t)(seed >> 13);
		ip.next_proto_id = (uint8_t)(seed >> 24);
	}
}

static void rewrite(void **state)
{
	static const uint8_t header[14] = { 2, 1, 1, 1, 1, 2, 2, 0, 0, 0, 0, 3, 8, 0 };
	struct world *world = *state;
	struct rte_ipv4_hdr want;
	uint8_t payload[26];

	world_udp4(world, 0, "10.0.1.2", "10.0.2.2", 1000, 18);
	want = *world_ip4(world, 0);
	memcpy(payload, world_ip4(world, 0) + 1, sizeof(payload));
	want.time_to_live--;
	world_checksum4(&want);
	world_forward4(world, 1);
	assert_int_equal(world->edge[0], NODE_EDGE_PORT_TX + 1);
	assert_memory_equal(rte_pktmbuf_mtod(world->packet[0], void *), header, sizeof(header));
	assert_memory_equal(world_ip4(world, 0), &want, sizeof(want));
	assert_memory_equal(world_ip4(world, 0) + 1, payload, sizeof(payload));
}

static void padding_is_trimmed(void **state)
{
	struct world *world = *state;

	world_udp4(world, 0, "10.0.1.2", "10.0.2.2", 1000, 18);
	world_ip4(world, 0)->total_length = RTE_BE16(29);
	world_checksum4(world_ip4(world, 0));
	world_forward4(world, 1);
	assert_int_equal(world_reason(world, 0), NODE_OK);
	assert_int_equal(world->packet[0]->pkt_len, 43);
	assert_int_equal(world->packet[0]->data_len, 43);
}

/* A packet that leaves is as it came: the kernel decides on the original. */
static void untouched_when_it_leaves(void **state)
{
	static const char *const dst[] = { "10.0.2.1", "10.0.2.9", "192.0.2.1", "224.0.0.1", "10.9.0.1", "10.8.0.1", "10.7.0.1" };
	struct world *world = *state;
	uint8_t before[60];

	world_route(world, "10.9.0.0/16", WYE_NH_FORWARD, 4, "");
	world_route(world, "10.8.0.0/16", WYE_NH_UNREACHABLE, 0, "");
	world_route(world, "10.7.0.0/16", WYE_NH_FORWARD, 3, "10.0.2.77");
	for (size_t i = 0; i < sizeof(dst) / sizeof(dst[0]); i++) {
		world_udp4(world, 0, "10.0.1.2", dst[i], 1000, 18);
		memcpy(before, rte_pktmbuf_mtod(world->packet[0], void *), sizeof(before));
		world_forward4(world, 1);
		assert_int_not_equal(world_reason(world, 0), NODE_OK);
		assert_memory_equal(rte_pktmbuf_mtod(world->packet[0], void *), before, sizeof(before));
		assert_int_equal(world->packet[0]->pkt_len, 60);
	}
}

static void nexthop_kinds(void **state)
{
	struct world *world = *state;

	world_neigh(world, 4, "10.0.4.2", 4);
	world_neigh(world, 2, "10.0.1.7", 7);
	world_neigh(world, 5, "10.0.5.2", 5);
	world_neigh(world, 6, "10.0.6.2", 6);
	world_route(world, "10.1.0.0/16", WYE_NH_BLACKHOLE, 0, "");
	world_route(world, "10.2.0.0/16", WYE_NH_UNREACHABLE, 0, "");
	world_route(world, "10.3.0.0/16", WYE_NH_PROHIBIT, 0, "");
	world_route(world, "10.4.0.0/16", WYE_NH_KERNEL, 0, "");
	world_route(world, "10.5.0.0/16", WYE_NH_FORWARD, 4, "10.0.4.2");
	world_route(world, "10.6.0.0/16", WYE_NH_FORWARD, 2, "10.0.1.7");
	world_route(world, "10.7.0.0/16", WYE_NH_FORWARD, 3, "10.0.2.99");
	world_route(world, "10.8.0.0/16", WYE_NH_FORWARD, 5, "10.0.5.2");
	world_route(world, "10.10.0.0/16", WYE_NH_FORWARD, 6, "10.0.6.2");
	assert_int_equal(verdict(world, "10.0.1.2", "10.1.0.1"), WYE_REASON_IP4_FORWARD_BLACKHOLE);
	assert_int_equal(verdict(world, "10.0.1.2", "10.2.0.1"), WYE_REASON_IP4_FORWARD_UNREACHABLE);
	assert_int_equal(verdict(world, "10.0.1.2", "10.3.0.1"), WYE_REASON_IP4_FORWARD_UNREACHABLE);
	assert_int_equal(verdict(world, "10.0.1.2", "10.4.0.1"), WYE_REASON_IP4_FORWARD_KERNEL);
	assert_int_equal(verdict(world, "10.0.1.2", "10.5.0.1"), WYE_REASON_IP4_FORWARD_NOT_A_PORT);
	assert_int_equal(verdict(world, "10.0.1.2", "10.6.0.1"), WYE_REASON_IP4_FORWARD_SAME_PORT);
	assert_int_equal(verdict(world, "10.0.1.2", "10.7.0.1"), WYE_REASON_IP4_FORWARD_UNRESOLVED);
	/* the link went down, and got a filter, after the nexthop was made: the link's own record decides */
	assert_int_equal(verdict(world, "10.0.1.2", "10.8.0.1"), WYE_REASON_IP4_FORWARD_LINK_DOWN);
	assert_int_equal(verdict(world, "10.0.1.2", "10.10.0.1"), WYE_REASON_PORT_PARITY);
	/* what holds IPv6 back is no matter of ours */
	world_link_flags(world, 6, WYE_LINK_PRESENT | WYE_LINK_PORT | WYE_LINK_UP | WYE_LINK_CARRIER,
			 wye_parity_bits(WYE_PARITY_NFTABLES, WYE_PARITY_IP6));
	world_neigh(world, 6, "10.0.6.2", 98);
	assert_int_equal(verdict(world, "10.0.1.2", "10.10.0.1"), NODE_OK);
	/* nor are links that nobody guards */
	world_link_flags(world, 6, WYE_LINK_PRESENT | WYE_LINK_UP | WYE_LINK_CARRIER, 0);
	assert_int_equal(verdict(world, "10.0.1.2", "10.10.0.1"), WYE_REASON_PORT_PARITY);
	world_link_flags(world, 6, WYE_LINK_PRESENT | WYE_LINK_PORT | WYE_LINK_UP | WYE_LINK_CARRIER, 0);
	assert_int_equal(verdict(world, "10.0.1.2", "10.10.0.1"), NODE_OK);
	world_neigh(world, 3, "10.0.2.99", 99);
	assert_int_equal(verdict(world, "10.0.1.2", "10.7.0.1"), NODE_OK);
	assert_int_equal(rte_pktmbuf_mtod(world->packet[0], uint8_t *)[5], 99);
}

static void too_big(void **state)
{
	struct world *world = *state;

	world_udp4(world, 0, "10.0.1.2", "10.0.2.2", 1000, 1472);
	world_udp4(world, 1, "10.0.1.2", "10.0.2.2", 1000, 1473);
	world_udp4(world, 2, "10.0.1.2", "10.0.2.2", 1000, 18);
	world_forward4(world, 3);
	assert_int_equal(world_reason(world, 0), NODE_OK);
	assert_int_equal(world_reason(world, 1), WYE_REASON_IP4_FORWARD_TOO_BIG);
	assert_int_equal(world_reason(world, 2), NODE_OK);
	world_mtu_route(world, "10.0.2.0/24", 3, "", 1280); /* the route's own, though the neighbour is the destination */
	world_udp4(world, 0, "10.0.1.2", "10.0.2.2", 1000, 1252);
	world_udp4(world, 1, "10.0.1.2", "10.0.2.2", 1000, 1253);
	world_forward4(world, 2);
	assert_int_equal(world_reason(world, 0), NODE_OK);
	assert_int_equal(world_reason(world, 1), WYE_REASON_IP4_FORWARD_TOO_BIG);
}

/* New addresses that the plan's filter does not know yet, and local prefixes that are no host address. */
static void sources_asked(void **state)
{
	struct world *world = *state;

	world_local(world, "10.0.77.1");
	memset(world->locals.bits, 0, sizeof(world->locals.bits)); /* the filter is older than the address */
	world->locals.n = 0;
	assert_int_equal(verdict(world, "10.0.77.1", "10.0.2.2"), WYE_REASON_IP4_INPUT_MARTIAN);
	assert_int_equal(verdict(world, "10.0.77.2", "10.0.2.2"), NODE_OK);
	world_plan_locals(world);
	world->locals.all = true;
	world_route(world, "10.0.78.0/24", WYE_NH_LOCAL, 2, "");
	assert_int_equal(verdict(world, "10.0.78.5", "10.0.2.2"), WYE_REASON_IP4_INPUT_MARTIAN);
	world_route(world, "10.0.79.0/24", WYE_NH_KERNEL, 0, ""); /* behind a throw may be a local route */
	assert_int_equal(verdict(world, "10.0.79.5", "10.0.2.2"), WYE_REASON_IP4_FORWARD_KERNEL);
}

static void a_vrf_is_another_view(void **state)
{
	struct world *world = *state;

	world_route(world, "192.0.2.0/24", WYE_NH_FORWARD, 3, "10.0.2.2");
	assert_int_equal(verdict(world, "10.0.1.2", "192.0.2.1"), NODE_OK);
	world_vrf(world, 2);
	assert_int_equal(verdict(world, "10.0.1.2", "192.0.2.1"), WYE_REASON_IP4_FORWARD_NO_ROUTE);
	world_route(world, "192.0.2.0/24", WYE_NH_BLACKHOLE, 0, "");
	world_route(world, "198.51.100.0/24", WYE_NH_FORWARD, 3, "10.0.2.2");
	assert_int_equal(verdict(world, "10.0.1.2", "192.0.2.1"), WYE_REASON_IP4_FORWARD_BLACKHOLE);
	assert_int_equal(verdict(world, "10.0.1.2", "198.51.100.1"), NODE_OK);
	world_local(world, "10.0.88.1");
	assert_int_equal(verdict(world, "10.0.88.1", "198.51.100.1"), WYE_REASON_IP4_INPUT_MARTIAN);
	/* The host's own outside of the VRF: the kernel's rules say whether that counts. */
	assert_int_equal(verdict(world, "10.0.2.1", "198.51.100.1"), WYE_REASON_IP4_FORWARD_KERNEL);
}

/* Odd and plain packets mixed in every way: each gets its own verdict. */
static void mixed_vectors(void **state)
{
	struct world *world = *state;
	uint32_t seed = 7, kind[WORLD_PACKETS];

	for (uint32_t round = 0; round < 200; round++) {
		uint32_t n = 1 + round % WORLD_PACKETS;

		for (uint32_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			kind[i] = seed >> 28 & 3;
			world_udp4(world, i, "10.0.1.2", kind[i] == 1 ? "10.0.2.1" : "10.0.2.2", 1000, 18);
			if (kind[i] == 2)
				world_ip4(world, i)->hdr_checksum ^= 1;
			if (kind[i] == 3) {
				world_ip4(world, i)->time_to_live = 1;
				world_checksum4(world_ip4(world, i));
			}
		}
		world_forward4(world, n);
		for (uint32_t i = 0; i < n; i++) {
			static const enum wye_reason want[] = { NODE_OK, WYE_REASON_IP4_FORWARD_LOCAL,
								WYE_REASON_IP4_INPUT_BAD_CHECKSUM,
								WYE_REASON_IP4_FORWARD_TTL };

			assert_int_equal(world_reason(world, i), want[kind[i]]);
		}
	}
}

static void by_weight(void **state)
{
	static const char *const gateways[] = { "10.0.2.11", "10.0.2.12", "10.0.2.13" };
	static const uint16_t weights[] = { 1, 2, 5 };
	struct world *world = *state;
	uint32_t taken[3] = { 0 };
	const uint32_t flows = 20000;

	for (uint8_t i = 0; i < 3; i++)
		world_neigh(world, 3, gateways[i], (uint8_t)(11 + i));
	world_group(world, "10.20.0.0/16", gateways, weights, 3);
	world->region.base->hash_policy[0] = 1;
	for (uint32_t flow = 0; flow < flows; flow++) {
		uint8_t leg;

		world_udp4(world, 0, "10.0.1.2", "10.20.0.1", (uint16_t)(flow * 3), 18);
		world_ip4(world, 0)->src_addr += flow >> 12;
		world_checksum4(world_ip4(world, 0));
		world_forward4(world, 1);
		assert_int_equal(world_reason(world, 0), NODE_OK);
		leg = rte_pktmbuf_mtod(world->packet[0], uint8_t *)[5];
		assert_in_range(leg, 11, 13);
		taken[leg - 11]++;
	}
	for (int i = 0; i < 3; i++) {
		double share = (double)taken[i] / flows, want = weights[i] / 8.0;

		if (fabs(share - want) > 0.03)
			fail_msg("leg %d of weight %u has %.3f of the flows, not %.3f", i, weights[i], share, want);
	}
}

static uint8_t leg_of(struct world *world, uint16_t sport, uint8_t proto, uint16_t fragment)
{
	world_udp4(world, 0, "10.0.1.2", "10.20.0.1", sport, 18);
	world_ip4(world, 0)->next_proto_id = proto;
	world_ip4(world, 0)->fragment_offset = rte_cpu_to_be_16(fragment);
	world_checksum4(world_ip4(world, 0));
	world_forward4(world, 1);
	assert_int_equal(world_reason(world, 0), NODE_OK);
	return rte_pktmbuf_mtod(world->packet[0], uint8_t *)[5];
}

/* A flow keeps its leg; by policy 0, and for fragments, ports do not matter. */
static void one_flow_one_leg(void **state)
{
	static const char *const gateways[] = { "10.0.2.11", "10.0.2.12" };
	static const uint16_t weights[] = { 1, 1 };
	struct world *world = *state;
	uint32_t legs = 0;

	world_neigh(world, 3, gateways[0], 11);
	world_neigh(world, 3, gateways[1], 12);
	world_group(world, "10.20.0.0/16", gateways, weights, 2);
	world->region.base->hash_policy[0] = 1;
	for (uint16_t port = 0; port < 64; port++) {
		uint8_t leg = leg_of(world, port, 17, 0);

		legs |= 1u << (leg - 11);
		for (int again = 0; again < 3; again++)
			assert_int_equal(leg_of(world, port, 17, 0), leg);
		assert_int_equal(leg_of(world, port, 17, 0x2000), leg_of(world, 0, 17, 0x0010));
		assert_int_equal(leg_of(world, port, 1, 0), leg_of(world, 0, 1, 0));
	}
	assert_int_equal(legs, 3);
	world->region.base->hash_policy[0] = 0;
	for (uint16_t port = 0; port < 64; port++)
		assert_int_equal(leg_of(world, port, 17, 0), leg_of(world, 0, 6, 0));
}

/* The mark of the neighbour whose address ends so. */
static uint8_t mark_of(struct world *world, uint8_t last)
{
	const struct wye_neigh *neighs = region_records(&world->region, WYE_SECTION_NEIGH);
	uint32_t used = world->region.base->section[WYE_SECTION_NEIGH].used;

	for (uint32_t i = 1; i < used; i++)
		if (neighs[i].family == AF_INET && neighs[i].addr[3] == last && neighs[i].addr[2] != 1)
			return world->region.hits->seen[i];
	fail_msg("no neighbour .%u", last);
	return 0;
}

/* By a gateway, in a group, on a link: whoever a packet is sent to, and nobody else. */
static void neighbours_are_marked(void **state)
{
	static const char *const gateways[] = { "10.0.2.21", "10.0.2.22" };
	static const uint16_t weights[] = { 1, 1 };
	struct world *world = *state;

	assert_non_null(world->region.hits);
	world->plan->hits = world->region.hits;
	world->plan->n_hits = world->region.base->section[WYE_SECTION_NEIGH].capacity;
	for (uint8_t last = 20; last < 26; last++)
		world_neigh(world, 3, (const char *const[]){ "10.0.2.20", "10.0.2.21", "10.0.2.22", "10.30.0.23", "10.30.0.24",
							     "10.0.2.25" }[last - 20], last);
	world_route(world, "10.19.0.0/16", WYE_NH_FORWARD, 3, "10.0.2.20");
	world_group(world, "10.20.0.0/16", gateways, weights, 2);
	world_mtu_route(world, "10.30.0.0/16", 3, "", 1500);
	atomic_store(&world->region.hits->mark, 7);
	assert_int_equal(verdict(world, "10.0.1.2", "10.19.0.1"), NODE_OK);
	assert_int_equal(verdict(world, "10.0.1.2", "10.30.0.23"), NODE_OK);
	assert_int_equal(mark_of(world, 20), 7);
	assert_int_equal(mark_of(world, 23), 7);
	assert_int_equal(mark_of(world, 21) | mark_of(world, 22) | mark_of(world, 24) | mark_of(world, 25), 0);
	atomic_store(&world->region.hits->mark, 8);
	world->region.base->hash_policy[0] = 1;
	for (uint16_t port = 0; port < 64; port++)
		leg_of(world, port, 17, 0);
	assert_int_equal(mark_of(world, 21), 8);
	assert_int_equal(mark_of(world, 22), 8);
	assert_int_equal(mark_of(world, 20), 7);
	/* a file smaller than the table, or none */
	world->plan->n_hits = 1;
	assert_int_equal(verdict(world, "10.0.1.2", "10.19.0.1"), NODE_OK);
	world->plan->hits = NULL;
	world->plan->n_hits = 0;
	assert_int_equal(verdict(world, "10.0.1.2", "10.19.0.1"), NODE_OK);
	assert_int_equal(mark_of(world, 20), 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(ingress_gate), TEST(addresses), TEST(way_back), TEST(way_back_of_a_run), TEST(headers), TEST(runts),
		TEST(decrement), TEST(rewrite), TEST(padding_is_trimmed),
		TEST(untouched_when_it_leaves), TEST(nexthop_kinds), TEST(too_big), TEST(sources_asked), TEST(mixed_vectors),
		TEST(a_vrf_is_another_view),
		TEST(by_weight), TEST(one_flow_one_leg), TEST(neighbours_are_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
