/* SPDX-License-Identifier: BSD-3-Clause */
/* ip6_forward on real tables: RFC 8200, ipv6_rcv() and ip6_forward() of Linux. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "forward_fixture.h"

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
	world_udp6(world, 0, src, dst, 1000, 10);
	world_forward6(world, 1);
	return world_reason(world, 0);
}

static void addresses(void **state)
{
	static const struct { const char *src, *dst; enum wye_reason reason; } cases[] = {
		{ "fd00:1::2", "fd00:2::2", NODE_OK },
		{ "2001:db8::1", "fd00:2::2", NODE_OK },
		{ "64:ff9b::1", "fd00:2::2", NODE_OK },		/* outside 2000::/3, and forwarded by the kernel */
		{ "fd00:1::2", "fd00:2::1", WYE_REASON_IP6_FORWARD_LOCAL },
		{ "fd00:1::2", "fd00:2::9", WYE_REASON_IP6_FORWARD_UNRESOLVED },
		{ "fd00:1::2", "2001:db8::1", WYE_REASON_IP6_FORWARD_NO_ROUTE },
		{ "fd00:1::2", "ff02::1", WYE_REASON_IP6_INPUT_MULTICAST },
		{ "fd00:1::2", "ff0e::1", WYE_REASON_IP6_INPUT_MULTICAST },
		{ "fd00:1::2", "fe80::1", WYE_REASON_IP6_INPUT_MULTICAST },
		{ "fe80::1", "fd00:2::2", WYE_REASON_IP6_INPUT_MULTICAST },
		{ "ff02::1", "fd00:2::2", WYE_REASON_IP6_INPUT_MARTIAN },
		{ "::", "fd00:2::2", WYE_REASON_IP6_INPUT_MARTIAN },
		{ "::1", "fd00:2::2", WYE_REASON_IP6_INPUT_MARTIAN },
		{ "::ffff:10.0.0.1", "fd00:2::2", WYE_REASON_IP6_INPUT_MARTIAN },
		{ "fd00:1::2", "::", WYE_REASON_IP6_INPUT_MARTIAN },
		{ "fd00:1::2", "::1", WYE_REASON_IP6_INPUT_MARTIAN },
		{ "fd00:1::2", "::ffff:10.0.2.2", WYE_REASON_IP6_INPUT_MARTIAN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum wye_reason got = verdict(*state, cases[i].src, cases[i].dst);

		if (got != cases[i].reason)
			fail_msg("%s to %s: %s", cases[i].src, cases[i].dst, got == NODE_OK ? "forwarded" : wye_reason_name[got]);
	}
}

static void headers(void **state)
{
	static const struct { const char *what; int at; uint8_t value; enum wye_reason reason; } cases[] = {
		{ "nothing", 7, 64, NODE_OK },
		{ "traffic class and flow label", 1, 0xff, NODE_OK },
		{ "hop limit 2", 7, 2, NODE_OK },
		{ "hop limit 1", 7, 1, WYE_REASON_IP6_FORWARD_HOP_LIMIT },
		{ "hop limit 0", 7, 0, WYE_REASON_IP6_FORWARD_HOP_LIMIT },
		{ "version 4", 0, 0x45, WYE_REASON_IP6_INPUT_BAD_VERSION },
		{ "payload above the frame", 5, 19, WYE_REASON_IP6_INPUT_BAD_LENGTH },
		{ "payload far above", 4, 0xff, WYE_REASON_IP6_INPUT_BAD_LENGTH },
		{ "hop-by-hop options", 6, 0, WYE_REASON_IP6_INPUT_EXTENSION },
		{ "routing header", 6, 43, WYE_REASON_IP6_INPUT_EXTENSION },
		{ "destination options", 6, 60, WYE_REASON_IP6_INPUT_EXTENSION },
		{ "fragment", 6, 44, NODE_OK },
		{ "ESP", 6, 50, NODE_OK },
		{ "TCP", 6, 6, NODE_OK },
		{ "no next header", 6, 59, NODE_OK },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *world = *state;
		enum wye_reason got;

		world_udp6(world, 0, "fd00:1::2", "fd00:2::2", 1000, 10);
		((uint8_t *)world_ip6(world, 0))[cases[i].at] = cases[i].value;
		world_forward6(world, 1);
		got = world_reason(world, 0);
		if (got != cases[i].reason)
			fail_msg("%s: %s", cases[i].what, got == NODE_OK ? "forwarded" : wye_reason_name[got]);
	}
}

static void control_messages(void **state)
{
	static const struct { uint8_t type; enum wye_reason reason; } cases[] = {
		{ 128, NODE_OK }, { 129, NODE_OK }, { 1, NODE_OK }, { 2, NODE_OK },
		{ 130, WYE_REASON_STEER_GUARD }, { 131, WYE_REASON_STEER_GUARD }, { 132, WYE_REASON_STEER_GUARD },
		{ 133, WYE_REASON_STEER_GUARD }, { 134, WYE_REASON_STEER_GUARD }, { 135, WYE_REASON_STEER_GUARD },
		{ 136, WYE_REASON_STEER_GUARD }, { 137, WYE_REASON_STEER_GUARD }, { 143, WYE_REASON_STEER_GUARD },
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_udp6(world, 0, "fd00:1::2", "fd00:2::2", 1000, 10);
		world_ip6(world, 0)->proto = 58;
		*(uint8_t *)(world_ip6(world, 0) + 1) = cases[i].type;
		world_forward6(world, 1);
		assert_int_equal(world_reason(world, 0), cases[i].reason);
	}
}

static void runts(void **state)
{
	struct world *world = *state;
	uint8_t frame[72];

	world_udp6(world, 1, "fd00:1::2", "fd00:2::2", 1000, 10);
	memcpy(frame, rte_pktmbuf_mtod(world->packet[1], void *), 72);
	for (uint32_t len = 0; len < 54; len++) {
		world_frame(world, 0, frame, len);
		memcpy(rte_pktmbuf_mtod(world->packet[0], void *), frame, 72);
		world_forward6(world, 1);
		assert_int_equal(world_reason(world, 0), WYE_REASON_IP6_INPUT_TOO_SHORT);
	}
}

static void rewrite(void **state)
{
	static const uint8_t header[14] = { 2, 1, 1, 1, 1, 2, 2, 0, 0, 0, 0, 3, 0x86, 0xdd };
	struct world *world = *state;
	struct rte_ipv6_hdr want;

	world_udp6(world, 0, "fd00:1::2", "fd00:2::2", 1000, 10);
	world_ip6(world, 0)->payload_len = RTE_BE16(9);
	want = *world_ip6(world, 0);
	want.hop_limits--;
	world_forward6(world, 1);
	assert_int_equal(world->edge[0], NODE_EDGE_PORT_TX + 1);
	assert_memory_equal(rte_pktmbuf_mtod(world->packet[0], void *), header, sizeof(header));
	assert_memory_equal(world_ip6(world, 0), &want, sizeof(want));
	assert_int_equal(world->packet[0]->pkt_len, 63);
}

static void too_big(void **state)
{
	struct world *world = *state;

	world_udp6(world, 0, "fd00:1::2", "fd00:2::2", 1000, 1452);
	world_udp6(world, 1, "fd00:1::2", "fd00:2::2", 1000, 1453);
	world_forward6(world, 2);
	assert_int_equal(world_reason(world, 0), NODE_OK);
	assert_int_equal(world_reason(world, 1), WYE_REASON_IP6_FORWARD_TOO_BIG);
}

static void by_weight(void **state)
{
	static const char *const gateways[] = { "fd00:2::11", "fd00:2::12" };
	static const uint16_t weights[] = { 1, 3 };
	struct world *world = *state;
	uint32_t taken[2] = { 0 };
	const uint32_t flows = 20000;

	world_neigh(world, 3, gateways[0], 11);
	world_neigh(world, 3, gateways[1], 12);
	world_group(world, "2001:db8:20::/48", gateways, weights, 2);
	world->region.base->hash_policy[1] = 1;
	for (uint32_t flow = 0; flow < flows; flow++) {
		world_udp6(world, 0, "fd00:1::2", "2001:db8:20::1", (uint16_t)flow, 10);
		world_forward6(world, 1);
		assert_int_equal(world_reason(world, 0), NODE_OK);
		taken[rte_pktmbuf_mtod(world->packet[0], uint8_t *)[5] - 11]++;
	}
	assert_true(fabs((double)taken[0] / flows - 0.25) < 0.03);
	world->region.base->hash_policy[1] = 0;
	world_udp6(world, 0, "fd00:1::2", "2001:db8:20::1", 1, 10);
	world_udp6(world, 1, "fd00:1::2", "2001:db8:20::1", 2, 10);
	world_forward6(world, 2);
	assert_int_equal(rte_pktmbuf_mtod(world->packet[0], uint8_t *)[5], rte_pktmbuf_mtod(world->packet[1], uint8_t *)[5]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(addresses), TEST(headers), TEST(control_messages), TEST(runts), TEST(rewrite), TEST(too_big), TEST(by_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
