/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv6 routes of one prefix and metric, from messages as the kernel writes them: which are one route and which several,
 * what each path of a multipath route is known to be, and what a dump changes of it.
 */
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "mirror_fixture.h"

#define LO	1
#define LINKS	3	/* and m2, m3 */
#define CREATE	(NLM_F_CREATE | NLM_F_EXCL)

static const uint8_t prefix[16] = { 0x20, 0x01, 0x0d, 0xb8 };

struct path {
	uint32_t ifindex;
	uint8_t gateway;	/* last byte of fe80::, 0 = none */
};

static struct mirror_fixture *fixture;
static struct channel *channel;

static struct rib *rib(void)
{
	return routes_rib(&fixture->mirror, AF_INET6, RT_TABLE_MAIN);
}

static int setup(void **state)
{
	static struct stream links;

	fixture = mirror_create();
	fixture->mirror.live = true;
	channel = &fixture->mirror.channel[CHANNEL_ROUTE];
	for (uint32_t i = LO; i <= LINKS; i++) {
		links.len = 0;
		stream_link(&links, 0, 0, i);
		channel_notified(&fixture->mirror.channel[CHANNEL_LINK], stream_last(&links));
	}
	links_commit(&fixture->mirror);
	return 0;
}

static int teardown(void **state)
{
	mirror_destroy(fixture);
	return 0;
}

/* ---- messages ---- */

static void put_gateway(struct stream *stream, uint8_t last)
{
	const uint8_t gateway[16] = { 0xfe, 0x80, [15] = last };

	stream_attr(stream, RTA_GATEWAY, gateway, sizeof(gateway));
}

static void put_paths(struct stream *stream, const struct path *path, size_t n)
{
	static char multipath[64 * 36];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		struct rtnexthop hop = { .rtnh_len = sizeof(hop) + 20, .rtnh_ifindex = (int)path[i].ifindex };
		struct rtattr attr = { .rta_len = 20, .rta_type = RTA_GATEWAY };
		const uint8_t gateway[16] = { 0xfe, 0x80, [15] = path[i].gateway };

		memcpy(multipath + len, &hop, sizeof(hop));
		memcpy(multipath + len + sizeof(hop), &attr, sizeof(attr));
		memcpy(multipath + len + sizeof(hop) + sizeof(attr), gateway, sizeof(gateway));
		len += hop.rtnh_len;
	}
	stream_attr(stream, RTA_MULTIPATH, multipath, len);
}

static void put_mtu(struct stream *stream, uint32_t mtu)
{
	const uint32_t metrics[] = { RTAX_LOCK << 16 | 8, 1u << RTAX_MTU, RTAX_MTU << 16 | 8, mtu };

	stream_attr(stream, RTA_METRICS, metrics, sizeof(metrics));
}

/* A message about a route to the prefix: of one path or several, with a locked MTU or none (0). */
static const struct nlmsghdr *message(uint16_t type, uint16_t flags, uint8_t route_type, uint8_t protocol, uint32_t mtu,
				      const struct path *path, size_t n)
{
	struct rtmsg rtm = { .rtm_family = AF_INET6, .rtm_dst_len = 32, .rtm_table = RT_TABLE_MAIN,
			     .rtm_protocol = protocol, .rtm_type = route_type };
	const uint32_t priority = 1024;
	static struct stream stream;

	stream.len = 0;
	stream_message(&stream, type, flags, 0, &rtm, sizeof(rtm));
	stream_attr(&stream, RTA_DST, prefix, sizeof(prefix));
	stream_attr(&stream, RTA_PRIORITY, &priority, sizeof(priority));
	if (mtu)
		put_mtu(&stream, mtu);
	if (n > 1) {
		put_paths(&stream, path, n);
		return stream_last(&stream);
	}
	if (path->gateway)
		put_gateway(&stream, path->gateway);
	stream_attr(&stream, RTA_OIF, &path->ifindex, sizeof(path->ifindex));
	return stream_last(&stream);
}

static void tell(uint16_t type, uint16_t flags, uint8_t route_type, uint32_t mtu, const struct path *path, size_t n)
{
	channel_notified(channel, message(type, flags, route_type, RTPROT_BOOT, mtu, path, n));
}

static void dump_begins(void)
{
	channel->sync.gen++;
	routes_dump_begins(&fixture->mirror);
}

static void dump(uint8_t route_type, uint32_t mtu, const struct path *path, size_t n)
{
	routes_message(&fixture->mirror, channel, message(RTM_NEWROUTE, NLM_F_MULTI, route_type, RTPROT_BOOT, mtu, path, n),
		       true);
}

/* Ends it: what a second, equal one has not shown either is gone. */
static enum sync_outcome dump_ends(unsigned attempt)
{
	const struct sync_job everything = { .class = CLASS_ROUTE, .family = AF_INET6 };

	return routes_sweep(&fixture->mirror, &everything, channel->sync.gen, attempt);
}

/* ---- what there is ---- */

static unsigned count(void)
{
	unsigned n = 0;

	for (uint32_t at = rib_first(rib(), prefix, 32); at; at = rib_route(rib(), at)->next)
		n++;
	return n;
}

static const struct route_info *nth(unsigned n)
{
	uint32_t at = rib_first(rib(), prefix, 32);

	while (at && n--)
		at = rib_route(rib(), at)->next;
	assert_int_not_equal(at, 0);
	return route_info(&fixture->mirror.routes.infos, rib_route(rib(), at)->info);
}

static void expect_path(unsigned path, uint8_t gateway, uint8_t type, uint32_t mtu)
{
	const struct nexthop_leg *leg = &nth(0)->legs[path];

	assert_in_range(path + 1, 1, nth(0)->n_legs);
	assert_int_equal(leg->gateway[15], gateway);
	assert_int_equal(leg->type, type);
	assert_int_equal(leg->mtu_bytes, mtu);
}

static const struct path on_m2 = { .ifindex = 2 }, on_m3 = { .ifindex = 3 }, refused = { .ifindex = LO };
static const struct path a = { 2, 0xa }, b = { 3, 0xb }, c = { 2, 0xc };

/* ---- twice the same ---- */

/* `ip -6 route replace` puts a route in the place of the first that has no siblings, and looks for no duplicates. */
static void twice_by_replace(void)
{
	tell(RTM_NEWROUTE, CREATE, RTN_UNICAST, 0, &on_m2, 1);
	tell(RTM_NEWROUTE, NLM_F_CREATE, RTN_UNREACHABLE, 0, &refused, 1);
	assert_int_equal(count(), 2);
	tell(RTM_NEWROUTE, NLM_F_REPLACE, RTN_UNREACHABLE, 0, &refused, 1);
	assert_int_equal(count(), 2);
}

static void a_dump_shows_each_of_two(void **state)
{
	twice_by_replace();
	dump_begins();
	dump(RTN_UNREACHABLE, 0, &refused, 1);
	dump(RTN_UNREACHABLE, 0, &refused, 1);
	assert_int_equal(dump_ends(1), SYNC_DONE);
	assert_int_equal(count(), 2);
	tell(RTM_DELROUTE, 0, RTN_UNREACHABLE, 0, &refused, 1);
	assert_int_equal(count(), 1);
	tell(RTM_DELROUTE, 0, RTN_UNREACHABLE, 0, &refused, 1);
	assert_int_equal(count(), 0);
}

static void a_dump_makes_two(void **state)
{
	dump_begins();
	dump(RTN_UNICAST, 0, &on_m2, 1);
	dump(RTN_UNICAST, 0, &on_m2, 1);
	assert_int_equal(dump_ends(1), SYNC_DONE);
	assert_int_equal(count(), 2);
}

static void a_dump_takes_one_of_two(void **state)
{
	twice_by_replace();
	for (unsigned attempt = 1; attempt <= 2; attempt++) {
		dump_begins();
		dump(RTN_UNREACHABLE, 0, &refused, 1);
		assert_int_equal(dump_ends(attempt), attempt == 1 ? SYNC_AGAIN : SYNC_DONE);
	}
	assert_int_equal(count(), 1);
}

/* The kernel begins anew when the table changes under a dump. */
static void a_dump_repeats_itself(void **state)
{
	dump_begins();
	dump(RTN_UNICAST, 0, &on_m2, 1);
	fixture->mirror.routes.changed6 = true;
	dump(RTN_UNICAST, 0, &on_m2, 1);
	assert_int_equal(count(), 1);

	dump_begins();
	dump(RTN_UNICAST, 0, &on_m2, 1);
	dump(RTN_UNICAST, 0, &on_m2, 1);
	fixture->mirror.routes.changed6 = true; /* the change is read after what it did to the dump */
	assert_int_equal(dump_ends(5), SYNC_AGAIN);
}

/* Alike but for what a message says besides: each is the one that says so. */
static void alike_is_not_equal(void **state)
{
	tell(RTM_NEWROUTE, CREATE, RTN_UNICAST, 0, &on_m2, 1);
	tell(RTM_NEWROUTE, NLM_F_CREATE, RTN_UNICAST, 0, &on_m3, 1);
	tell(RTM_NEWROUTE, NLM_F_REPLACE, RTN_UNICAST, 1300, &on_m3, 1);
	assert_int_equal(count(), 2);
	tell(RTM_DELROUTE, 0, RTN_UNICAST, 0, &on_m3, 1);
	assert_int_equal(count(), 1);
	assert_int_equal(nth(0)->mtu_bytes, 1300);
}

/* ---- routes that no dump shows ---- */

static bool may_hide(void)
{
	return rib_route(rib(), rib_first(rib(), prefix, 32))->dumped;
}

static void only_what_is_dumped_first_hides(void **state)
{
	const struct path two[] = { a, b };

	tell(RTM_NEWROUTE, NLM_F_CREATE, RTN_UNICAST, 0, two, 2);
	dump_begins();
	dump(RTN_UNICAST, 0, two, 2);
	assert_false(may_hide());
	tell(RTM_DELROUTE, 0, RTN_UNICAST, 0, two, 2);
	dump(RTN_UNICAST, 0, two, 2);
	assert_true(may_hide());
	assert_true(fixture->mirror.routes.ask);
}

/* Among the lost messages may have been one about a route that it hides. */
static void after_a_loss_any_hides(void **state)
{
	const struct path two[] = { a, b };

	tell(RTM_NEWROUTE, NLM_F_CREATE, RTN_UNICAST, 0, two, 2);
	channel->lost = true;
	dump_begins();
	dump(RTN_UNICAST, 0, two, 2);
	assert_true(may_hide());
	assert_true(fixture->mirror.routes.ask);
}

/* ---- siblings of several types ---- */

static void types_are_the_paths(void **state)
{
	const struct path two[] = { b, a };

	tell(RTM_NEWROUTE, CREATE, RTN_UNICAST, 0, &a, 1);
	tell(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, RTN_MULTICAST, 0, two, 2);
	assert_int_equal(count(), 1);
	assert_int_equal(nth(0)->type, RTN_UNICAST);
	expect_path(0, 0xa, RTN_UNICAST, 0);
	expect_path(1, 0xb, RTN_MULTICAST, 0);
	tell(RTM_DELROUTE, 0, RTN_UNICAST, 0, &a, 1);
	assert_int_equal(nth(0)->type, RTN_MULTICAST);
}

static void a_dump_tells_the_first_type(void **state)
{
	const struct path two[] = { a, b }, three[] = { c, a, b };

	dump_begins();
	dump(RTN_MULTICAST, 0, two, 2);
	tell(RTM_NEWROUTE, NLM_F_CREATE, RTN_UNICAST, 0, three, 3);
	assert_int_equal(nth(0)->type, RTN_MULTICAST);
	expect_path(2, 0xc, RTN_UNICAST, 0);
}

/* ---- siblings of several MTUs ---- */

static void a_dump_tells_the_first_mtu(void **state)
{
	const struct path two[] = { a, b }, three[] = { c, a, b };

	dump_begins();
	dump(RTN_UNICAST, 1400, two, 2);
	tell(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, RTN_UNICAST, 1300, three, 3);
	expect_path(0, 0xa, RTN_UNICAST, 1400);
	expect_path(1, 0xb, RTN_UNICAST, 1280);
	expect_path(2, 0xc, RTN_UNICAST, 1300);
	assert_true(nth(0)->legs[1].unsure);
	assert_true(fixture->mirror.routes.ask);
}

static void one_request_tells_all(void **state)
{
	const struct path two[] = { a, b };

	tell(RTM_NEWROUTE, NLM_F_CREATE, RTN_UNICAST, 1400, two, 2);
	expect_path(1, 0xb, RTN_UNICAST, 1400);
	tell(RTM_NEWROUTE, NLM_F_REPLACE, RTN_UNICAST, 1300, two, 2);
	expect_path(0, 0xa, RTN_UNICAST, 1300);
	expect_path(1, 0xb, RTN_UNICAST, 1300);
	assert_false(fixture->mirror.routes.ask);
}

/* The message is about the first of all, which was there before. */
static void appended_at_once_are_not_told(void **state)
{
	const struct path three[] = { a, b, c };

	tell(RTM_NEWROUTE, CREATE, RTN_UNICAST, 1400, &a, 1);
	tell(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, RTN_UNICAST, 1400, three, 3);
	expect_path(0, 0xa, RTN_UNICAST, 1400);
	expect_path(1, 0xb, RTN_UNICAST, 1280);
	expect_path(2, 0xc, RTN_UNICAST, 1280);
}

/* Some may have been there before what is told. */
static void before_the_first_sync_nothing_is_sure(void **state)
{
	const struct path two[] = { a, b };

	fixture->mirror.live = false;
	tell(RTM_NEWROUTE, NLM_F_CREATE, RTN_UNICAST, 1400, two, 2);
	expect_path(0, 0xa, RTN_UNICAST, 1400);
	expect_path(1, 0xb, RTN_UNICAST, 1280);
}

/* ---- links without carrier, ignored ---- */

/* As SETUP(route type and protocol) with the link's carrier gone. */
static bool alive(uint8_t type, uint8_t protocol)
{
	struct link_entry *link = links_find(&fixture->mirror, 2);
	struct route_info *info;

	routes_message(&fixture->mirror, channel, message(RTM_NEWROUTE, CREATE, type, protocol, 0, &on_m2, 1), false);
	link->record.flags = WYE_LINK_UP | WYE_LINK_IGNORE_LINKDOWN6;
	info = route_info(&fixture->mirror.routes.infos, rib_route(rib(), rib_first(rib(), prefix, 32))->info);
	routes_info_refresh(&fixture->mirror, info);
	return info->alive;
}

static void unicast_dies_with_its_link(void **state)
{
	assert_false(alive(RTN_UNICAST, RTPROT_BOOT));
}

static void anycast_made_by_hand_dies(void **state)
{
	assert_false(alive(RTN_ANYCAST, RTPROT_STATIC));
}

static void anycast_of_an_address_lives(void **state)
{
	assert_true(alive(RTN_ANYCAST, RTPROT_KERNEL));
}

static void local_lives(void **state)
{
	assert_true(alive(RTN_LOCAL, RTPROT_STATIC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_dump_shows_each_of_two, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dump_makes_two, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dump_takes_one_of_two, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dump_repeats_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(alike_is_not_equal, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_is_dumped_first_hides, setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_loss_any_hides, setup, teardown),
		cmocka_unit_test_setup_teardown(types_are_the_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dump_tells_the_first_type, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dump_tells_the_first_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(one_request_tells_all, setup, teardown),
		cmocka_unit_test_setup_teardown(appended_at_once_are_not_told, setup, teardown),
		cmocka_unit_test_setup_teardown(before_the_first_sync_nothing_is_sure, setup, teardown),
		cmocka_unit_test_setup_teardown(unicast_dies_with_its_link, setup, teardown),
		cmocka_unit_test_setup_teardown(anycast_made_by_hand_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(anycast_of_an_address_lives, setup, teardown),
		cmocka_unit_test_setup_teardown(local_lives, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
