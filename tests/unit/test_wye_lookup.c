/* SPDX-License-Identifier: BSD-3-Clause */
/* wye lookup: one case a verdict, judged on tables made with the writer's library. */
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "wye.h"
#include "wye_fixture.h"

static struct router *router;

static void to4(const char *prefix, uint32_t id)
{
	route4(router, prefix, (struct wye_route4){ .type = RTN_UNICAST, .table = RT_TABLE_MAIN, .flags = WYE_ROUTE_BEST,
						    .protocol = 3, .nexthop = id });
}

static void to6(const char *prefix, uint32_t id)
{
	route6(router, prefix, (struct wye_route6){ .type = RTN_UNICAST, .table = RT_TABLE_MAIN, .flags = WYE_ROUTE_BEST,
						    .protocol = 3, .nexthop = id });
}

static int set_up(void **state)
{
	uint32_t via, other, down;

	router = router_create();
	via = nexthop_via(router, WYE_NH_FORWARD, 2, "10.0.0.2");
	other = nexthop_via(router, WYE_NH_UNRESOLVED, 3, "10.1.0.2");
	down = nexthop_via(router, WYE_NH_FORWARD, 4, "10.2.0.2");
	to4("10.0.0.0/8", via);
	to4("10.0.0.0/24", nexthop_via(router, WYE_NH_ONLINK, 2, NULL));
	to4("10.0.0.1/32", nexthop_via(router, WYE_NH_LOCAL, 2, NULL));
	to4("10.3.0.0/16", other);
	to4("10.4.0.0/16", nexthop_via(router, WYE_NH_BLACKHOLE, 0, NULL));
	to4("10.5.0.0/16", nexthop_via(router, WYE_NH_PROHIBIT, 0, NULL));
	to4("10.6.0.0/16", down);
	to4("10.7.0.0/16", nexthop_group(router, (uint32_t[]){ via, via, via, other }, 4));
	to4("10.8.0.0/16", nexthop_via(router, WYE_NH_KERNEL, 2, NULL));
	to4("10.9.0.0/16", nexthop_via(router, WYE_NH_FORWARD, 1, "10.0.0.2"));
	to6("2001:db8::/32", nexthop_via(router, WYE_NH_FORWARD, 2, "fe80::2"));
	neighbour(router, 2, "10.0.0.2", NUD_REACHABLE, 0);
	router_stats(router);
	return 0;
}

static int tear_down(void **state)
{
	router_destroy(router);
	return 0;
}

static const char *member(const struct answer *answer, const char *key)
{
	const char *value = json_string_value(json_object_get(answer->json, key));

	return value ? value : "";
}

static void expect(int code, const char *verdict, const char *reason, struct answer answer)
{
	if (answer.code != code || strcmp(member(&answer, "verdict"), verdict) || strcmp(member(&answer, "reason"), reason))
		fail_msg("exit code %d, %s", answer.code, answer.text);
	answer_free(&answer);
}

#define verdict(code, word, reason, ...) expect(code, word, reason, wye(router, "-j", "lookup", __VA_ARGS__, NULL))

static void verdicts(void **state)
{
	verdict(0, "dataplane", "", "10.99.1.1");
	verdict(0, "dataplane", "", "10.99.1.1", "from", "10.1.0.9", "iif", "v1");
	verdict(0, "dataplane", "", "10.0.0.2");
	verdict(0, "dataplane", "", "2001:db8:7::1");
	verdict(0, "kernel", "ip4_forward_unresolved", "10.0.0.77");
	verdict(0, "kernel", "ip4_forward_local", "10.0.0.1");
	verdict(0, "kernel", "ip4_forward_unresolved", "10.3.0.1");
	verdict(0, "drop", "ip4_forward_blackhole", "10.4.0.1");
	verdict(0, "kernel", "ip4_forward_unreachable", "10.5.0.1");
	verdict(0, "kernel", "ip4_forward_kernel", "10.8.0.1");
	verdict(0, "kernel", "ip4_forward_not_a_port", "10.9.0.1");
	verdict(0, "kernel", "ip4_forward_same_port", "10.99.1.1", "iif", "v0");
	verdict(0, "mixed", "", "10.7.0.1");
	verdict(4, "kernel", "ip4_forward_no_route", "192.0.2.1");
	verdict(4, "kernel", "ip6_forward_no_route", "2001:db9::1");
	verdict(4, "kernel", "ip4_input_multicast", "224.0.0.5");
	verdict(0, "kernel", "ip4_input_martian", "10.99.1.1", "from", "127.0.0.1");
	verdict(0, "kernel", "ip4_input_martian", "10.99.1.1", "from", "10.0.0.1");
	verdict(4, "kernel", "ip6_input_multicast", "fe80::1");
}

static void ports_and_links(void **state)
{
	struct wye_region *region = router->tables->region.base;
	struct wye_link *links = region_records(&router->tables->region, WYE_SECTION_LINK);

	router->stats->n_ports = 3;
	snprintf(router->stats->port[2].netdev, 16, "v2");
	router->stats->port[2].ifindex = 4;
	router->stats->port[2].state = WYE_PORT_KERNEL;
	verdict(0, "kernel", "ip4_forward_link_down", "10.6.0.1");
	verdict(0, "kernel", "port_down", "10.99.1.1", "iif", "v2");
	links[2].parity = WYE_PARITY_TC;
	verdict(0, "kernel", "port_parity", "10.99.1.1");
	links[2].parity = 0;
	/* 10.99.1.1's way back is by v0, that of 10.7.0.1 by v0 or v1 */
	links[3].flags |= WYE_LINK_RPF_LOOSE4;
	verdict(0, "dataplane", "", "10.99.1.1", "from", "10.0.9.1", "iif", "v1");
	verdict(0, "kernel", "ip4_forward_rp_filter", "10.99.1.1", "from", "10.4.0.1", "iif", "v1");
	verdict(0, "kernel", "ip4_forward_rp_filter", "10.99.1.1", "from", "192.0.2.1", "iif", "v1");
	links[3].flags |= WYE_LINK_RPF_STRICT4;
	verdict(0, "kernel", "ip4_forward_rp_filter", "10.99.1.1", "from", "10.0.9.1", "iif", "v1");
	verdict(0, "dataplane", "", "10.99.1.1", "from", "10.7.0.1", "iif", "v1");
	verdict(0, "dataplane", "", "10.99.1.1", "iif", "v1");
	links[3].flags &= ~(uint32_t)(WYE_LINK_RPF_LOOSE4 | WYE_LINK_RPF_STRICT4);
	links[3].flags &= ~(uint32_t)WYE_LINK_FORWARD4;
	verdict(0, "kernel", "port_not_forwarding", "10.99.1.1", "iif", "v1");
	verdict(0, "dataplane", "", "2001:db8:7::1", "iif", "v1");
	region->parity = WYE_PARITY_NFTABLES;
	verdict(0, "kernel", "port_parity", "10.99.1.1");
	region->parity = 0;
	router->stats->trust = WYE_TRUST_STALE;
	verdict(0, "kernel", "mirror_stale", "10.99.1.1");
}

static void details(void **state)
{
	struct answer answer = wye(router, "-j", "lookup", "10.0.0.2", NULL);
	json_t *path = json_array_get(json_object_get(answer.json, "paths"), 0), *route = json_object_get(answer.json, "route");

	assert_string_equal(json_string_value(json_object_get(route, "dst")), "10.0.0.0/24");
	assert_string_equal(json_string_value(json_object_get(path, "kind")), "onlink");
	assert_string_equal(json_string_value(json_object_get(json_object_get(path, "neighbour"), "lladdr")),
			    "02:00:00:00:09:09");
	assert_string_equal(json_string_value(json_object_get(json_object_get(path, "rewrite"), "src")), "02:00:00:00:00:02");
	answer_free(&answer);
	answer = wye(router, "lookup", "10.7.0.1", NULL);
	assert_int_equal(answer.code, 0);
	assert_non_null(strstr(answer.text, "3 buckets"));
	assert_non_null(strstr(answer.text, "verdict    mixed"));
	answer_free(&answer);
}

static void refusals(void **state)
{
	static const struct {
		int code;
		const char *args[4];
	} cases[] = {
		{ 2, { NULL } },
		{ 2, { "10.0.0.1", "from", "2001:db8::1" } },
		{ 2, { "10.0.0.1", "via", "x" } },
		{ 4, { "10.0.0.1", "iif", "nosuch" } },
		{ 4, { "10.0.0.1", "vrf", "v0" } },
		{ 4, { "10.0.0.1", "table", "77" } },
		{ 0, { "10.0.0.1", "table", "main" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer answer = wye(router, "lookup", cases[i].args[0], cases[i].args[1], cases[i].args[2], NULL);

		if (answer.code != cases[i].code)
			fail_msg("case %zu: exit code %d, expected %d", i, answer.code, cases[i].code);
		answer_free(&answer);
	}
}

/* Exactly one path is the flow's when enough is known of it, and the verdict is that path's. */
static void one_leg_of_a_group(void **state)
{
	size_t n_kernel = 0;

	for (int i = 0; i < 64; i++) {
		char src[32];
		struct answer answer;
		size_t index, n_chosen = 0;
		json_t *path;

		snprintf(src, sizeof(src), "192.0.2.%d", i);
		answer = wye(router, "-j", "lookup", "10.7.0.1", "from", src, NULL);
		json_array_foreach(json_object_get(answer.json, "paths"), index, path) {
			if (!json_is_true(json_object_get(path, "chosen")))
				continue;
			n_chosen++;
			assert_string_equal(member(&answer, "verdict"), json_string_value(json_object_get(path, "verdict")));
		}
		assert_int_equal(n_chosen, 1);
		n_kernel += !strcmp(member(&answer, "verdict"), "kernel");
		answer_free(&answer);
	}
	assert_in_range(n_kernel, 6, 28); /* of 64, a quarter of the buckets */
}

static void too_little_of_a_flow(void **state)
{
	struct answer answer;

	atomic_store(&router->tables->region.base->hash_policy[0], 1);
	answer = wye(router, "-j", "lookup", "10.7.0.1", "from", "192.0.2.1", NULL);
	assert_string_equal(member(&answer, "verdict"), "mixed");
	answer_free(&answer);
	answer = wye(router, "-j", "lookup", "10.7.0.1", "from", "192.0.2.1", "ipproto", "udp", "sport", "7", "dport", "9", NULL);
	assert_string_not_equal(member(&answer, "verdict"), "mixed");
	answer_free(&answer);
	answer = wye(router, "lookup", "10.7.0.1", "sport", "65536", NULL);
	assert_int_equal(answer.code, 2);
	answer_free(&answer);
	answer = wye(router, "lookup", "10.7.0.1", "ipproto", "nonsense", NULL);
	assert_int_equal(answer.code, 2);
	answer_free(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(verdicts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ports_and_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(details, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_leg_of_a_group, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_little_of_a_flow, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
