/* SPDX-License-Identifier: BSD-3-Clause */
/* What nexthop ids mean, seen as a worker sees it, while neighbours, links and nexthop objects change. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "fib.h"
#include "resolve.h"
#include "resolve_private.h"
#include "tables_fixture.h"
#include "wye_fib.h"

#define READY (WYE_LINK_UP | WYE_LINK_CARRIER)

struct bench {
	struct tables *tables;
	struct resolve *resolve;
	struct fib *fib;	/* a region without a main VRF is not whole */
};

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 0xa }, mac_b[6] = { 2, 0, 0, 0, 0, 0xb };

static void put_link(struct bench *b, uint32_t ifindex, uint32_t flags, uint32_t mtu_bytes)
{
	struct wye_link link = { .ifindex = ifindex, .flags = flags, .mtu_bytes = mtu_bytes, .arp_type = ARPHRD_ETHER,
				 .mac = { 2, 1, 1, 1, 1, (uint8_t)ifindex }, .mac_len = 6 };

	assert_int_not_equal(link_set(b->resolve, &link), 0);
	resolve_link_changed(b->resolve, ifindex);
}

static struct nexthop_leg leg_to(uint32_t ifindex, uint8_t last)
{
	return (struct nexthop_leg){ .kind = WYE_NH_FORWARD, .family = AF_INET, .ifindex = ifindex, .weight = 1,
				     .gateway = { 10, 0, 0, last } };
}

static const struct wye_nexthop *meaning(struct bench *b, uint32_t id)
{
	return wye_nexthop_of(b->tables->region.base, id);
}

static void put_neigh(struct bench *b, uint32_t ifindex, uint8_t last, uint16_t nud, const uint8_t *mac)
{
	uint8_t addr[4] = { 10, 0, 0, last };

	assert_int_equal(neigh_set(b->resolve, ifindex, AF_INET, addr, nud, 0, mac, mac ? 6 : 0), 0);
}

static void drop_neigh(struct bench *b, uint32_t ifindex, uint8_t last)
{
	uint8_t addr[4] = { 10, 0, 0, last };

	neigh_del(b->resolve, ifindex, AF_INET, addr);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->tables = tables_create();
	b->resolve = resolve_create(&b->tables->region);
	assert_non_null(b->resolve);
	b->fib = fib_create(&b->tables->region);
	assert_non_null(b->fib);
	*state = b;
	return 0;
}

/* Every test gives back what it took: then nothing may be left. */
static int teardown(void **state)
{
	struct bench *b = *state;

	tables_check(b->tables);
	for (uint32_t ifindex = 1; ifindex < 10; ifindex++)
		link_del(b->resolve, ifindex);
	assert_true(tables_reclaimed(b->tables, WYE_SECTION_NEXTHOP_SLOT, 0, 1000));
	assert_true(tables_reclaimed(b->tables, WYE_SECTION_NEXTHOP, 0, 1000));
	assert_true(tables_reclaimed(b->tables, WYE_SECTION_GROUP, 0, 1000));
	assert_true(tables_reclaimed(b->tables, WYE_SECTION_NEIGH, 0, 1000));
	assert_true(tables_reclaimed(b->tables, WYE_SECTION_LINK, 0, 1000));
	assert_int_equal(b->resolve->n_links, 0);
	assert_int_equal(b->resolve->n_neigh_hashed, 0);
	assert_int_equal(b->resolve->n_contents, 0);
	fib_destroy(b->fib);
	resolve_destroy(b->resolve);
	tables_destroy(b->tables);
	free(b);
	return 0;
}

/* ---- one leg ------------------------------------------------------------------------------------------------------- */

static void gateway_comes_and_goes(void **state)
{
	struct bench *b = *state;
	struct nexthop_leg leg = leg_to(2, 1);
	uint32_t id = nexthop_get(b->resolve, &leg, 1);

	assert_int_equal(meaning(b, id)->kind, WYE_NH_DOWN);	/* no such link */
	put_link(b, 2, READY, 1500);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_UNRESOLVED);
	put_neigh(b, 2, 1, NUD_INCOMPLETE, NULL);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_UNRESOLVED);
	put_neigh(b, 2, 1, NUD_STALE, mac_a);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_FORWARD);
	assert_int_equal(meaning(b, id)->rewrite_len, 14);
	assert_memory_equal(meaning(b, id)->rewrite, mac_a, 6);
	assert_memory_equal(meaning(b, id)->rewrite + 6, ((uint8_t[]){ 2, 1, 1, 1, 1, 2, 0x08, 0x00 }), 8);
	assert_int_equal(meaning(b, id)->mtu_bytes, 1500);
	assert_int_equal(meaning(b, id)->link, link_index(b->resolve, 2));
	put_neigh(b, 2, 1, NUD_REACHABLE, mac_b);	/* moved */
	assert_memory_equal(meaning(b, id)->rewrite, mac_b, 6);
	put_link(b, 2, WYE_LINK_UP, 1500);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_DOWN);	/* no carrier */
	put_link(b, 2, READY, 1400);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_FORWARD);
	assert_int_equal(meaning(b, id)->mtu_bytes, 1400);
	put_neigh(b, 2, 1, NUD_FAILED, mac_b);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_UNRESOLVED);
	put_neigh(b, 2, 1, NUD_REACHABLE, mac_b);
	drop_neigh(b, 2, 1);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_UNRESOLVED);
	link_del(b->resolve, 2);
	resolve_link_changed(b->resolve, 2);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_DOWN);
	nexthop_put(b->resolve, id);
}

/* net.ipv6.conf.NAME.mtu holds for what goes to an IPv6 gateway, the link's MTU for the rest. */
/* The kernel decides at such a gateway, whichever came first, and goes on to when the address is gone. */
static void own_gateway(void **state)
{
	static const uint8_t subnet[4] = { 10, 0, 0, 4 };
	struct bench *b = *state;
	struct nexthop_leg legs[] = { leg_to(2, 5), leg_to(2, 9) }, onlink = leg_to(2, 5), elsewhere = leg_to(3, 5);
	uint32_t before, group, after, other[2];

	onlink.flags = RTNH_F_ONLINK;
	put_link(b, 2, READY, 1500);
	put_link(b, 3, READY, 1500);
	for (uint32_t ifindex = 2; ifindex < 4; ifindex++)
		put_neigh(b, ifindex, 5, NUD_REACHABLE, mac_a);
	put_neigh(b, 2, 9, NUD_REACHABLE, mac_b);
	before = nexthop_get(b->resolve, legs, 1);
	group = nexthop_get(b->resolve, legs, 2);
	assert_int_equal(meaning(b, before)->kind, WYE_NH_FORWARD);
	assert_int_equal(resolve_own(b->resolve, 2, subnet, 30, true), 0);
	assert_int_equal(meaning(b, before)->kind, WYE_NH_KERNEL);
	assert_int_equal(meaning(b, group)->kind, WYE_NH_GROUP);
	legs[0].mtu_bytes = 1400;
	after = nexthop_get(b->resolve, legs, 1);
	assert_int_equal(meaning(b, after)->kind, WYE_NH_KERNEL);
	other[0] = nexthop_get(b->resolve, &onlink, 1);
	other[1] = nexthop_get(b->resolve, &elsewhere, 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(meaning(b, other[i])->kind, WYE_NH_FORWARD);
	assert_int_equal(resolve_own(b->resolve, 2, subnet, 30, false), 0);
	resolve_link_changed(b->resolve, 2);
	assert_int_equal(meaning(b, before)->kind, WYE_NH_KERNEL);
	nexthop_put(b->resolve, after);
	after = nexthop_get(b->resolve, legs, 1);
	assert_int_equal(meaning(b, after)->kind, WYE_NH_FORWARD);
	for (int i = 0; i < 2; i++)
		nexthop_put(b->resolve, other[i]);
	nexthop_put(b->resolve, before);
	nexthop_put(b->resolve, group);
	nexthop_put(b->resolve, after);
	for (uint32_t ifindex = 2; ifindex < 4; ifindex++)
		drop_neigh(b, ifindex, 5);
	drop_neigh(b, 2, 9);
}

static void ipv6_has_an_mtu_of_its_own(void **state)
{
	struct bench *b = *state;
	struct wye_link link = { .ifindex = 2, .flags = READY, .mtu_bytes = 1500, .mtu6_bytes = 1300,
				 .arp_type = ARPHRD_ETHER, .mac_len = 6 };
	struct nexthop_leg four = leg_to(2, 1), six = { .kind = WYE_NH_FORWARD, .family = AF_INET6, .ifindex = 2,
							.weight = 1, .gateway = { 0xfd } };
	uint32_t id4 = nexthop_get(b->resolve, &four, 1), id6 = nexthop_get(b->resolve, &six, 1);

	assert_int_not_equal(link_set(b->resolve, &link), 0);
	resolve_link_changed(b->resolve, 2);
	assert_int_equal(meaning(b, id4)->mtu_bytes, 1500);
	assert_int_equal(meaning(b, id6)->mtu_bytes, 1300);
	link.mtu6_bytes = 9000; /* above the link's it means nothing */
	link_set(b->resolve, &link);
	resolve_link_changed(b->resolve, 2);
	assert_int_equal(meaning(b, id6)->mtu_bytes, 1500);
	nexthop_put(b->resolve, id4);
	nexthop_put(b->resolve, id6);
}

static void kinds(void **state)
{
	struct bench *b = *state;
	struct nexthop_leg leg = { .kind = WYE_NH_FORWARD, .ifindex = 3, .weight = 1 };
	static const uint8_t plain[] = { WYE_NH_LOCAL, WYE_NH_BLACKHOLE, WYE_NH_UNREACHABLE, WYE_NH_PROHIBIT,
					 WYE_NH_KERNEL };
	uint32_t id;

	put_link(b, 3, READY, 9000);
	id = nexthop_get(b->resolve, &leg, 1);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_ONLINK);
	put_link(b, 3, READY | WYE_LINK_POINTOPOINT, 9000);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_KERNEL);
	nexthop_put(b->resolve, id);
	put_link(b, 3, READY, 9000);
	leg = leg_to(3, 1);
	leg.mtu_bytes = 1300;
	leg.flags = RTNH_F_ONLINK;
	id = nexthop_get(b->resolve, &leg, 1);
	assert_int_equal(meaning(b, id)->mtu_bytes, 1300);
	assert_int_equal(meaning(b, id)->flags, RTNH_F_ONLINK);
	nexthop_put(b->resolve, id);
	leg.flags = RTNH_F_DEAD;
	id = nexthop_get(b->resolve, &leg, 1);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_DOWN);
	nexthop_put(b->resolve, id);
	for (size_t i = 0; i < sizeof(plain); i++) {
		leg = (struct nexthop_leg){ .kind = plain[i] };
		id = nexthop_get(b->resolve, &leg, 1);
		assert_int_equal(meaning(b, id)->kind, plain[i]);
		nexthop_put(b->resolve, id);
	}
}

static void ipv6_gateway(void **state)
{
	struct bench *b = *state;
	struct nexthop_leg leg = { .kind = WYE_NH_FORWARD, .family = AF_INET6, .ifindex = 4,
				   .gateway = { 0xfe, 0x80, [15] = 1 } };
	uint32_t id = nexthop_get(b->resolve, &leg, 1);

	put_link(b, 4, READY, 1500);
	assert_int_equal(neigh_set(b->resolve, 4, AF_INET6, leg.gateway, NUD_REACHABLE, NTF_ROUTER, mac_a, 6), 0);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_FORWARD);
	assert_memory_equal(meaning(b, id)->rewrite + 12, "\x86\xdd", 2);
	neigh_del(b->resolve, 4, AF_INET6, leg.gateway);
	nexthop_put(b->resolve, id);
}

static void equal_legs_share(void **state)
{
	struct bench *b = *state;
	struct nexthop_leg legs[2] = { leg_to(2, 1), leg_to(2, 2) };
	uint32_t id[6];

	id[0] = nexthop_get(b->resolve, &legs[0], 1);
	id[1] = nexthop_get(b->resolve, &legs[1], 1);
	assert_int_not_equal(id[0], id[1]);
	legs[0].gateway[9] = 99;	/* beyond an IPv4 address: says nothing */
	id[2] = nexthop_get(b->resolve, &legs[0], 1);
	assert_int_equal(id[2], id[0]);
	id[3] = nexthop_get(b->resolve, legs, 2);
	id[4] = nexthop_get(b->resolve, legs, 2);
	assert_int_equal(id[3], id[4]);
	legs[1].weight = 2;
	id[5] = nexthop_get(b->resolve, legs, 2);
	assert_int_not_equal(id[5], id[3]);
	for (int i = 0; i < 6; i++)
		nexthop_put(b->resolve, id[i]);
}

/* ---- groups -------------------------------------------------------------------------------------------------------- */

static uint32_t buckets_of(struct bench *b, uint32_t group, uint32_t id)
{
	const struct wye_nexthop *nh = meaning(b, group);
	const uint32_t *words = region_records(&b->tables->region, WYE_SECTION_GROUP);
	uint32_t n = 0;

	assert_int_equal(nh->kind, WYE_NH_GROUP);
	assert_int_equal(nh->buckets & (nh->buckets - 1), 0);
	for (uint32_t i = 0; i < nh->buckets; i++)
		n += words[nh->group + i] == id;
	return n;
}

static void group_follows_its_legs(void **state)
{
	struct bench *b = *state;
	struct nexthop_leg legs[3] = { leg_to(2, 1), leg_to(3, 1), leg_to(3, 2) };
	uint32_t id[3], group, n;

	legs[2].weight = 2;
	put_link(b, 2, READY | WYE_LINK_IGNORE_LINKDOWN4, 1500);
	put_link(b, 3, READY, 1500);
	group = nexthop_get(b->resolve, legs, 3);
	for (int i = 0; i < 3; i++)
		id[i] = nexthop_get(b->resolve, &legs[i], 1);
	n = meaning(b, group)->buckets;
	assert_int_equal(buckets_of(b, group, id[0]), n / 4);
	assert_int_equal(buckets_of(b, group, id[1]), n / 4);
	assert_int_equal(buckets_of(b, group, id[2]), n / 2);
	put_link(b, 2, WYE_LINK_UP | WYE_LINK_IGNORE_LINKDOWN4, 1500);	/* carrier lost, ignored: left out */
	assert_int_equal(buckets_of(b, group, id[0]), 0);
	put_link(b, 3, WYE_LINK_UP, 1500);	/* carrier lost, not ignored: kept, its packets are the kernel's */
	assert_true(buckets_of(b, group, id[1]) > 0);
	assert_int_equal(meaning(b, id[1])->kind, WYE_NH_DOWN);
	put_link(b, 3, 0, 1500);
	assert_int_equal(meaning(b, group)->kind, WYE_NH_DOWN);
	tables_check(b->tables);
	put_link(b, 2, READY, 1500);
	put_link(b, 3, READY, 1500);
	assert_int_equal(buckets_of(b, group, id[2]), meaning(b, group)->buckets / 2);
	put_neigh(b, 3, 2, NUD_REACHABLE, mac_a);
	assert_int_equal(meaning(b, id[2])->kind, WYE_NH_FORWARD);
	drop_neigh(b, 3, 2);
	for (int i = 0; i < 3; i++)
		nexthop_put(b->resolve, id[i]);
	nexthop_put(b->resolve, group);
}

/* An IPv4 route by IPv6 gateways obeys the link's IPv4 setting, and an IPv6 route on the link the other. */
static void legs_die_by_their_route(void **state)
{
	struct bench *b = *state;
	struct nexthop_leg legs[2] = { leg_to(2, 1), leg_to(3, 1) };

	put_link(b, 2, WYE_LINK_UP | WYE_LINK_IGNORE_LINKDOWN6, 1500);	/* no carrier */
	put_link(b, 3, READY, 1500);
	for (int six = 0; six < 2; six++) {
		uint32_t group, id;

		legs[0].family = six ? 0 : AF_INET6;
		legs[0].route_family = legs[1].route_family = six ? AF_INET6 : AF_INET;
		group = nexthop_get(b->resolve, legs, 2);
		id = nexthop_get(b->resolve, &legs[0], 1);
		assert_int_equal(buckets_of(b, group, id) > 0, !six);
		nexthop_put(b->resolve, id);
		nexthop_put(b->resolve, group);
	}
}

static void shares_are_fair(void **state)
{
	uint64_t seed = 5;

	for (int round = 0; round < 3000; round++) {
		uint32_t weight[64], share[64], n_legs = 1 + (uint32_t)(test_random(&seed) % 64), n, sum = 0;
		uint64_t total = 0;

		for (uint32_t i = 0; i < n_legs; i++)
			total += weight[i] = 1 + (uint32_t)(test_random(&seed) % (round % 2 ? 256 : 3));
		n = nexthop_buckets(weight, share, n_legs);
		assert_true(n <= 1024 && !(n & (n - 1)));
		for (uint32_t i = 0; i < n_legs; i++) {
			double want = (double)weight[i] / (double)total, got = (double)share[i] / n;

			assert_true(share[i] > 0);
			/* within 2% of its share, or as near as 1024 buckets allow */
			assert_true(got - want < 0.02 * want + 1e-12 || n == 1024);
			assert_true(got - want < 0.02 && want - got < 0.02);
			sum += share[i];
		}
		assert_int_equal(sum, n);
	}
}

/* ---- named --------------------------------------------------------------------------------------------------------- */

static void named_changes_meaning(void **state)
{
	struct bench *b = *state;
	struct nexthop_leg legs[2] = { leg_to(2, 1), leg_to(2, 2) };
	uint32_t id = nexthop_named(b->resolve, 77);

	assert_int_equal(meaning(b, id)->kind, WYE_NH_NONE);
	put_link(b, 2, READY, 1500);
	put_neigh(b, 2, 1, NUD_REACHABLE, mac_a);
	legs[0].kernel_id = 77;
	assert_int_equal(nexthop_assign(b->resolve, id, legs, 1), 0);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_FORWARD);
	assert_int_equal(meaning(b, id)->kernel_id, 77);
	assert_int_equal(nexthop_assign(b->resolve, id, legs, 2), 0);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_GROUP);
	assert_int_equal(meaning(b, id)->kernel_id, 77);
	tables_check(b->tables);
	legs[0] = (struct nexthop_leg){ .kind = WYE_NH_BLACKHOLE };
	assert_int_equal(nexthop_assign(b->resolve, id, legs, 1), 0);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_BLACKHOLE);
	assert_int_equal(nexthop_assign(b->resolve, id, NULL, 0), 0);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_NONE);
	assert_int_equal(nexthop_assign(b->resolve, id + 1000, legs, 1), -EINVAL);
	nexthop_put(b->resolve, id);
	drop_neigh(b, 2, 1);
}

/* A put before the flush that takes the last FIB word off the id: the id waits for the flush. */
static void put_waits_for_flush(void **state)
{
	struct bench *b = *state;
	struct nexthop_leg leg = leg_to(2, 1);
	uint32_t id = nexthop_get(b->resolve, &leg, 1);

	b->tables->region.unpublished = 1;
	nexthop_put(b->resolve, id);
	for (int i = 0; i < 5; i++)
		region_reclaim(&b->tables->region);
	assert_int_equal(region_live(&b->tables->region, WYE_SECTION_NEXTHOP_SLOT), 1);
	assert_int_equal(meaning(b, id)->kind, WYE_NH_DOWN);
	b->tables->region.unpublished = 0;
	assert_true(tables_reclaimed(b->tables, WYE_SECTION_NEXTHOP_SLOT, 0, 1000));
	assert_int_equal(meaning(b, id)->kind, WYE_NH_NONE);
}

/* ---- neighbours ---------------------------------------------------------------------------------------------------- */

struct seen {
	struct bench *bench;
	uint32_t n;
};

static void see(void *ctx, uint32_t index, const struct wye_neigh *neigh)
{
	struct seen *seen = ctx;

	seen->n++;
	if (neigh->ifindex == 2)
		neigh_del(seen->bench->resolve, neigh->ifindex, neigh->family, neigh->addr);
}

/* A worker's lookup against a plain array, through churn that fills the hash with deleted words many times over. */
static void neighbour_hash_churns(void **state)
{
	struct bench *b = *state;
	static uint8_t present[2][2000];
	uint64_t seed = 9;
	uint32_t live = 0;
	struct seen seen = { .bench = b };

	memset(present, 0, sizeof(present));
	put_link(b, 1, READY, 1500);
	put_link(b, 2, READY, 1500);
	for (int round = 0; round < 60000; round++) {
		uint64_t r = test_random(&seed);
		uint32_t which = r % 2000, link = (uint32_t)(r >> 32) % 2;
		uint8_t addr[16] = { 10, 0, (uint8_t)(which >> 8), (uint8_t)which };

		if (present[link][which] || live > 3000) {
			live -= present[link][which];
			present[link][which] = 0;
			neigh_del(b->resolve, 1 + link, AF_INET, addr);
		} else {
			live++;
			present[link][which] = 1;
			assert_int_equal(neigh_set(b->resolve, 1 + link, AF_INET, addr, NUD_REACHABLE, 0, mac_a, 6), 0);
		}
		which = (uint32_t)(r >> 40) % 2000;
		addr[2] = (uint8_t)(which >> 8);
		addr[3] = (uint8_t)which;
		assert_int_equal(wye_neigh_lookup(b->tables->region.base, 1 + link, AF_INET, addr) != 0,
				 present[link][which]);
		if (!(round % 64))
			region_reclaim(&b->tables->region);
		if (!(round % 2048)) {
			tables_check(b->tables);
			assert_true(b->resolve->n_deleted <= b->tables->region.base->neigh_hash_mask / 4 + 1);
		}
	}
	neigh_each(b->resolve, 2, see, &seen);
	neigh_each(b->resolve, 0, see, &seen);
	assert_int_equal(seen.n, live);
	for (uint32_t which = 0; which < 2000; which++) {
		uint8_t addr[16] = { 10, 0, (uint8_t)(which >> 8), (uint8_t)which };

		assert_int_equal(wye_neigh_lookup(b->tables->region.base, 2, AF_INET, addr), 0);
		neigh_del(b->resolve, 1, AF_INET, addr);
	}
}

static void neighbours_full(void **state)
{
	struct bench *b = *state;
	uint8_t addr[16] = { 10 };
	uint32_t n = 0;

	put_link(b, 1, READY, 1500);
	for (uint32_t i = 0; i < 4001; i++) {
		addr[2] = (uint8_t)(i >> 8);
		addr[3] = (uint8_t)i;
		n += !neigh_set(b->resolve, 1, AF_INET, addr, NUD_REACHABLE, 0, mac_a, 6);
	}
	assert_int_equal(n, 4000);
	assert_true(b->tables->region.failed);
	tables_check(b->tables);
	for (uint32_t i = 0; i < 4001; i++) {
		addr[2] = (uint8_t)(i >> 8);
		addr[3] = (uint8_t)i;
		neigh_del(b->resolve, 1, AF_INET, addr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gateway_comes_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(own_gateway, setup, teardown),
		cmocka_unit_test_setup_teardown(ipv6_has_an_mtu_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(ipv6_gateway, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_legs_share, setup, teardown),
		cmocka_unit_test_setup_teardown(group_follows_its_legs, setup, teardown),
		cmocka_unit_test_setup_teardown(legs_die_by_their_route, setup, teardown),
		cmocka_unit_test(shares_are_fair),
		cmocka_unit_test_setup_teardown(named_changes_meaning, setup, teardown),
		cmocka_unit_test_setup_teardown(put_waits_for_flush, setup, teardown),
		cmocka_unit_test_setup_teardown(neighbour_hash_churns, setup, teardown),
		cmocka_unit_test_setup_teardown(neighbours_full, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
