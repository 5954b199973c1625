/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole vectors against one packet at a time: what ip4_forward and ip6_forward make of a vector of any length, in every set
 * of instructions this CPU has, against what they make of each of its packets alone. Packets are random: valid ones with
 * something broken in most. What their surveys find by themselves is test_survey's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "forward_fixture.h"
#include "nodes/lanes.h"

#define FRAME 96

static uint64_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((seed >> 33) % below);
}

static const char *one_of(const char *const *texts, uint32_t n)
{
	return texts[any(n)];
}

/* ---- packets ---------------------------------------------------------------------------------------------------- */

/* How much of a vector is broken: nothing, a packet here and there, most. */
enum breakage { SOUND, SOME_BROKEN, MOST_BROKEN, BREAKAGES };

/* Where a vector goes: by one nexthop; by two or three and one port; by two ports, and not all by nexthops that take them;
 * anywhere; by one port and more nexthops than a run can remember. */
enum ways { ONE_WAY, ONE_PORT, TWO_PORTS, ANY_WAY, MANY_WAYS, WAYS };
#define MANY (2 * FORWARD_WAYS)

static const char *numbered(const char *format, uint32_t number)
{
	static char text[INET6_ADDRSTRLEN];

	snprintf(text, sizeof(text), format, number);
	return text;
}

static bool breaks(enum breakage breakage)
{
	return breakage == SOME_BROKEN ? any(20) == 0 : breakage == MOST_BROKEN && any(4);
}

static void break_anything(struct rte_mbuf *packet, uint32_t header)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(packet, uint8_t *, 14);

	switch (any(4)) {
	case 0:
		ip[any(header)] ^= (uint8_t)(1u << any(8));
		break;
	case 1:
		ip[any(header)] = (uint8_t)any(256);
		break;
	case 2:
		packet->data_len = (uint16_t)any(packet->data_len + 1u);
		packet->pkt_len = packet->data_len;
		break;
	default:
		packet->pkt_len += 100; /* chained, as far as its header tells */
	}
}

static void pad(struct rte_mbuf *packet)
{
	packet->data_len += 6;
	packet->pkt_len += 6;
}

static void make_ip4(struct world *world, uint32_t i, enum breakage breakage, enum ways ways)
{
	static const uint32_t n_to[] = { [ONE_WAY] = 1, [ONE_PORT] = 3, [TWO_PORTS] = 5 };
	static const char *const from[] = { "10.0.1.2", "198.51.100.7", "10.0.2.1", "127.0.0.1", "240.1.2.3",
					    "255.1.2.3", "224.0.0.1", "0.1.2.3" };
	static const char *const to[] = { "10.40.0.1", "10.40.77.2", "10.0.2.2", "10.44.0.1", "10.45.0.1",
					  "10.41.0.1", "10.42.0.1", "10.43.0.1", "10.9.9.9", "255.255.255.255", "255.1.2.3", "239.1.1.1",
					  "10.0.2.1", "240.0.0.9" };
	struct rte_ipv4_hdr *ip;

	world_udp4(world, i, from[breaks(breakage) ? any(8) : any(2)],
		   ways == MANY_WAYS ? numbered("10.46.%u.1", any(MANY)) :
				       one_of(to, ways == ANY_WAY ? 8 + (breakage ? 6 : 0) : n_to[ways]),
		   (uint16_t)any(65536), any(30));
	ip = world_ip4(world, i);
	ip->time_to_live = (uint8_t)(breaks(breakage) ? any(3) : 2 + any(250));
	ip->packet_id = (uint16_t)any(65536);
	world_checksum4(ip);
	if (any(64) == 0) { /* both forms of 0 are right */
		ip->packet_id = 0;
		world_checksum4(ip);
		ip->packet_id = ip->hdr_checksum;
		ip->hdr_checksum = any(2) ? 0 : 0xffff;
	}
	if (breaks(breakage))
		break_anything(world->packet[i], sizeof(*ip));
	if (breakage && any(3) == 0 && (ip->version_ihl & 15) == 5)
		world_checksum4(ip);
}

static void make_ip6(struct world *world, uint32_t i, enum breakage breakage, enum ways ways)
{
	static const uint32_t n_to[] = { [ONE_WAY] = 1, [ONE_PORT] = 3, [TWO_PORTS] = 5 };
	static const char *const from[] = { "fd00:1::2", "2001:db8::7", "fe80::1", "::1", "ff02::1", "::ffff:1.2.3.4",
					    "4000::1" };
	static const char *const to[] = { "2001:db8:40::1", "2001:db8:40:77::2", "fd00:2::2", "2001:db8:44::1",
					  "2001:db8:45::1", "2001:db8:41::1", "2001:db8:42::1", "2001:db8:43::1", "2001:db8:9::9", "ff0e::1", "fe80::2",
					  "fd00:2::1", "::1", "4000::2" };
	struct rte_ipv6_hdr *ip;

	world_udp6(world, i, from[breaks(breakage) ? any(7) : any(2)],
		   ways == MANY_WAYS ? numbered("2001:db8:46:%x::1", any(MANY)) :
				       one_of(to, ways == ANY_WAY ? 8 + (breakage ? 6 : 0) : n_to[ways]),
		   (uint16_t)any(65536), any(30));
	ip = world_ip6(world, i);
	ip->hop_limits = (uint8_t)(breaks(breakage) ? any(3) : 2 + any(250));
	if (breaks(breakage))
		ip->proto = (uint8_t)any(256);
	if (breaks(breakage))
		break_anything(world->packet[i], sizeof(*ip));
}

static void make_vector(struct world *world, uint32_t n, uint32_t round,
			void (*make)(struct world *, uint32_t, enum breakage, enum ways))
{
	enum breakage breakage = round % BREAKAGES;
	bool padded = any(4) == 0, ports = any(4) == 0;
	enum ways ways = any(WAYS);

	for (uint32_t i = 0; i < n; i++) {
		make(world, i, breakage, ways);
		if (padded && any(2))
			pad(world->packet[i]);
		world->packet[i]->port = ports ? (uint16_t)any(2) : 0;
	}
}

static void many_routes(struct world *world)
{
	char gateway[INET6_ADDRSTRLEN];

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(gateway, sizeof(gateway), "10.0.2.%u", 100 + i);
		world_neigh(world, 3, gateway, (uint8_t)(100 + i));
		world_route(world, numbered("10.46.%u.0/24", i), WYE_NH_FORWARD, 3, gateway);
		snprintf(gateway, sizeof(gateway), "fd00:2::%x", 100 + i);
		world_neigh(world, 3, gateway, (uint8_t)(100 + i));
		world_route(world, numbered("2001:db8:46:%x::/64", i), WYE_NH_FORWARD, 3, gateway);
	}
}

static void routes(struct world *world)
{
	static const char *const gateways[] = { "10.0.2.2", "10.0.2.3" };
	static const char *const gateways6[] = { "fd00:2::2", "fd00:2::3" };
	static const uint16_t weights[] = { 1, 1 };

	world_neigh(world, 3, "10.0.2.3", 3);
	world_neigh(world, 3, "fd00:2::3", 3);
	world_route(world, "10.40.0.0/16", WYE_NH_FORWARD, 3, "10.0.2.2");
	world_route(world, "10.40.77.0/24", WYE_NH_FORWARD, 3, "10.0.2.3");
	world_group(world, "10.41.0.0/16", gateways, weights, 2);
	world_route(world, "10.42.0.0/16", WYE_NH_BLACKHOLE, 0, "");
	world_mtu_route(world, "10.43.0.0/16", 3, "", 60); /* on the link, nobody there, and small */
	world_neigh(world, 3, "10.43.0.1", 4);
	world_route(world, "2001:db8:40::/48", WYE_NH_FORWARD, 3, "fd00:2::2");
	world_route(world, "2001:db8:40:77::/64", WYE_NH_FORWARD, 3, "fd00:2::3");
	world_group(world, "2001:db8:41::/48", gateways6, weights, 2);
	world_route(world, "2001:db8:42::/48", WYE_NH_BLACKHOLE, 0, "");
	world_mtu_route(world, "2001:db8:43::/48", 3, "", 80);
	world_neigh(world, 3, "2001:db8:43::1", 4);
	world_link_flags(world, 5, WYE_LINK_PRESENT | WYE_LINK_UP | WYE_LINK_CARRIER, 0);
	world_neigh(world, 5, "10.0.5.2", 5);
	world_neigh(world, 5, "fd00:5::2", 5);
	world_mtu_route(world, "10.44.0.0/16", 3, "10.0.2.3", 50);
	world_mtu_route(world, "2001:db8:44::/48", 3, "fd00:2::3", 70);
	world_route(world, "10.45.0.0/16", WYE_NH_FORWARD, 5, "10.0.5.2");
	world_route(world, "2001:db8:45::/48", WYE_NH_FORWARD, 5, "fd00:5::2");
	world->region.base->hash_policy[0] = world->region.base->hash_policy[1] = 1;
}

static int setup(void **state)
{
	*state = world_create();
	routes(*state);
	many_routes(*state);
	return 0;
}

static int teardown(void **state)
{
	world_destroy(*state);
	return 0;
}

/* ---- nodes -------------------------------------------------------------------------------------------------------- */

struct outcome {
	uint8_t frame[FRAME + 32];
	uint32_t pkt_len, data_len;
	rte_edge_t edge;
	enum wye_reason reason;
};

static void outcome_take(struct world *world, uint32_t i, struct outcome *outcome)
{
	memcpy(outcome->frame, rte_pktmbuf_mtod(world->packet[i], void *), sizeof(outcome->frame));
	outcome->pkt_len = world->packet[i]->pkt_len;
	outcome->data_len = world->packet[i]->data_len;
	outcome->edge = world->edge[i];
	outcome->reason = world_reason(world, i);
}

static void restore(struct rte_mbuf *packet, const struct rte_mbuf *head, const uint8_t *frame)
{
	*packet = *head;
	memcpy(rte_pktmbuf_mtod(packet, void *), frame, FRAME + 32);
}

/* Each packet alone, put into the first one's place; then all of them. */
static void same_alone(struct world *world, uint32_t n, void (*forward)(struct world *, uint32_t))
{
	static struct outcome alone[NODE_VECTOR], together;
	static struct rte_mbuf head[NODE_VECTOR];
	static uint8_t frame[NODE_VECTOR][FRAME + 32];
	struct rte_mbuf *first = world->packet[0];

	for (uint32_t i = 0; i < n; i++) {
		head[i] = *world->packet[i];
		memcpy(frame[i], rte_pktmbuf_mtod(world->packet[i], void *), sizeof(frame[i]));
		world->packet[0] = world->packet[i];
		forward(world, 1);
		outcome_take(world, 0, &alone[i]);
		world->packet[0] = first;
		restore(world->packet[i], &head[i], frame[i]);
	}
	forward(world, n);
	for (uint32_t i = 0; i < n; i++) {
		memset(&together, 0, sizeof(together));
		outcome_take(world, i, &together);
		assert_int_equal(together.reason, alone[i].reason);
		assert_int_equal(together.edge, alone[i].edge);
		assert_int_equal(together.pkt_len, alone[i].pkt_len);
		assert_int_equal(together.data_len, alone[i].data_len);
		assert_memory_equal(together.frame, alone[i].frame, sizeof(together.frame));
	}
}

static void with_each_isa(struct world *world, void (*make)(struct world *, uint32_t, enum breakage, enum ways),
			  void (*forward)(struct world *, uint32_t))
{
	enum lanes_isa best = lanes_isa;

	for (lanes_isa = LANES_PLAIN; lanes_isa < LANES_ISAS; lanes_isa++)
		for (uint32_t round = 0; lanes_have(lanes_isa) && round < 3 * NODE_VECTOR; round++) {
			make_vector(world, 1 + round % NODE_VECTOR, round + round / NODE_VECTOR, make);
			same_alone(world, 1 + round % NODE_VECTOR, forward);
		}
	lanes_isa = best;
}

static void ip4_vectors(void **state)
{
	with_each_isa(*state, make_ip4, world_forward4);
}

static void ip6_vectors(void **state)
{
	with_each_isa(*state, make_ip6, world_forward6);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = { TEST(ip4_vectors), TEST(ip6_vectors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
