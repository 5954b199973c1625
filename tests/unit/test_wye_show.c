/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show on tables made with the writer's library: keys, words and order are those of ip -j. */
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

#define UNICAST RTN_UNICAST, .table = RT_TABLE_MAIN, .flags = WYE_ROUTE_BEST

static struct router *router;

static int set_up(void **state)
{
	router = router_create();
	return 0;
}

static int tear_down(void **state)
{
	router_destroy(router);
	return 0;
}

static void some_routes(void)
{
	uint32_t via = nexthop_via(router, WYE_NH_FORWARD, 2, "10.0.0.2");
	uint32_t other = nexthop_via(router, WYE_NH_UNRESOLVED, 3, "10.1.0.2");
	uint32_t onlink = nexthop_via(router, WYE_NH_ONLINK, 2, NULL);
	uint32_t group = nexthop_group(router, (uint32_t[]){ via, via, via, other }, 4);
	uint32_t six = nexthop_via(router, WYE_NH_FORWARD, 2, "2001:db8::2");
	uint32_t local = nexthop_via(router, WYE_NH_LOCAL, 2, NULL);

	route4(router, "10.9.0.0/16", (struct wye_route4){ .type = UNICAST, .protocol = 12, .priority = 300000, .nexthop = group });
	route4(router, "0.0.0.0/0", (struct wye_route4){ .type = UNICAST, .protocol = RTPROT_BOOT, .nexthop = via });
	route4(router, "10.0.0.0/24", (struct wye_route4){ .type = UNICAST, .protocol = RTPROT_KERNEL,
		.scope = RT_SCOPE_LINK, .prefsrc = { 10, 0, 0, 1 }, .nexthop = onlink });
	route4(router, "10.3.0.0/16", (struct wye_route4){ .type = UNICAST, .protocol = RTPROT_BOOT, .nexthop = six });
	route4(router, "10.0.0.1/32", (struct wye_route4){ .type = RTN_LOCAL, .table = RT_TABLE_LOCAL, .protocol = RTPROT_KERNEL,
		.scope = RT_SCOPE_HOST, .prefsrc = { 10, 0, 0, 1 }, .flags = WYE_ROUTE_BEST, .nexthop = local });
	route4(router, "10.4.0.0/16", (struct wye_route4){ .type = RTN_BLACKHOLE, .table = RT_TABLE_MAIN, .protocol = 77,
		.tos = 0x10, .nexthop = nexthop_via(router, WYE_NH_BLACKHOLE, 0, NULL) });
	route6(router, "::/0", (struct wye_route6){ .type = UNICAST, .protocol = RTPROT_BOOT, .priority = 1024, .nexthop = six });
	route6(router, "2001:db8::/64", (struct wye_route6){ .type = UNICAST, .protocol = RTPROT_KERNEL, .priority = 256,
		.prefsrc = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, .nexthop = onlink, .pref = 1 });
}

#define R_DEFAULT "{\"dst\":\"default\",\"gateway\":\"10.0.0.2\",\"dev\":\"v0\",\"flags\":[]}"
#define R_CONNECTED "{\"dst\":\"10.0.0.0/24\",\"dev\":\"v0\",\"protocol\":\"kernel\",\"scope\":\"link\"," \
	"\"prefsrc\":\"10.0.0.1\",\"flags\":[]}"
#define R_SIX "{\"dst\":\"10.3.0.0/16\",\"via\":{\"family\":\"inet6\",\"host\":\"2001:db8::2\"},\"dev\":\"v0\",\"flags\":[]}"
#define R_BLACKHOLE "{\"type\":\"blackhole\",\"dst\":\"10.4.0.0/16\",\"tos\":\"0x10\",\"protocol\":\"77\",\"flags\":[]}"
#define R_GROUP "{\"dst\":\"10.9.0.0/16\",\"protocol\":\"bird\",\"metric\":300000,\"flags\":[],\"nexthops\":[" \
	"{\"gateway\":\"10.0.0.2\",\"dev\":\"v0\",\"weight\":1,\"flags\":[]}," \
	"{\"gateway\":\"10.1.0.2\",\"dev\":\"v1\",\"weight\":1,\"flags\":[]}]}"
#define R_LOCAL(table) "{\"type\":\"local\",\"dst\":\"10.0.0.1\",\"dev\":\"v0\"," table "\"protocol\":\"kernel\"," \
	"\"scope\":\"host\",\"prefsrc\":\"10.0.0.1\",\"flags\":[]}"
#define R6_CONNECTED "{\"dst\":\"2001:db8::/64\",\"dev\":\"v0\",\"protocol\":\"kernel\",\"prefsrc\":\"2001:db8::1\"," \
	"\"metric\":256,\"flags\":[],\"pref\":\"high\"}"
#define R6_DEFAULT "{\"dst\":\"default\",\"gateway\":\"2001:db8::2\",\"dev\":\"v0\",\"metric\":1024,\"flags\":[]," \
	"\"pref\":\"medium\"}"

static void routes_as_ip(void **state)
{
	some_routes();
	assert_wye(router, "[" R_DEFAULT "," R_CONNECTED "," R_SIX "," R_BLACKHOLE "," R_GROUP "]", "show", "route");
	assert_wye(router, "[" R6_CONNECTED "," R6_DEFAULT "]", "-6", "route");
	assert_wye(router, "[" R_LOCAL("") "]", "show", "route", "table", "local");
	assert_wye(router, "[" R_DEFAULT "," R_CONNECTED "," R_SIX "," R_BLACKHOLE "," R_GROUP ","
		   R_LOCAL("\"table\":\"local\",") "," R6_CONNECTED "," R6_DEFAULT "]", "route", "table", "all");
}

static void route_prefixes(void **state)
{
	some_routes();
	assert_wye(router, "[" R_CONNECTED "]", "route", "10.0.0.0/24");
	assert_wye(router, "[" R_CONNECTED "]", "route", "exact", "10.0.0.0/24");
	assert_wye(router, "[" R_DEFAULT "," R_CONNECTED "]", "route", "match", "10.0.0.7");
	assert_wye(router, "[" R_SIX "]", "route", "root", "10.2.0.0/15");
}

static void route_keywords(void **state)
{
	some_routes();
	assert_wye(router, "[" R_GROUP "]", "route", "dev", "v1");
	assert_wye(router, "[" R_GROUP "]", "route", "proto", "bird");
	assert_wye(router, "[" R_BLACKHOLE "]", "route", "type", "blackhole");
	assert_wye(router, "[" R_SIX "]", "route", "via", "2001:db8::2");
	assert_wye(router, "[" R_CONNECTED "]", "route", "scope", "link");
	assert_wye(router, "[]", "route", "table", "77");
	assert_wye(router, "[" R6_DEFAULT "]", "route", "match", "2001:db9::1");
}

/* fib_table_dump() and fib6_walk(): IPv4 by address, longest first at the same one; IPv6 children before parents. */
static void route_order(void **state)
{
	static const char *const prefixes[] = { "10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/24", "9.0.0.0/8", "0.0.0.0/0",
						"255.255.255.255/32" };
	static const char *const six[] = { "::/0", "2001:db8:1::/48", "fe80::/64", "2001:db8::/32", "2001:db8:0:1::/64" };
	uint32_t via = nexthop_via(router, WYE_NH_FORWARD, 2, "10.0.0.2");
	struct answer answer;

	for (size_t i = 0; i < 6; i++)
		route4(router, prefixes[i], (struct wye_route4){ .type = UNICAST, .protocol = 3, .nexthop = via });
	for (size_t i = 0; i < 5; i++)
		route6(router, six[i], (struct wye_route6){ .type = UNICAST, .protocol = 3, .nexthop = via });
	answer = wye(router, "route", NULL);
	assert_string_equal(answer.text, "default via 10.0.0.2 dev v0\n9.0.0.0/8 via 10.0.0.2 dev v0\n"
			    "10.0.0.0/24 via 10.0.0.2 dev v0\n10.0.0.0/8 via 10.0.0.2 dev v0\n"
			    "10.1.0.0/16 via 10.0.0.2 dev v0\n255.255.255.255 via 10.0.0.2 dev v0\n");
	answer_free(&answer);
	answer = wye(router, "-6", "route", NULL);
	assert_string_equal(answer.text, "2001:db8:0:1::/64 via inet 10.0.0.2 dev v0 metric 0 pref medium\n"
			    "2001:db8:1::/48 via inet 10.0.0.2 dev v0 metric 0 pref medium\n"
			    "2001:db8::/32 via inet 10.0.0.2 dev v0 metric 0 pref medium\n"
			    "fe80::/64 via inet 10.0.0.2 dev v0 metric 0 pref medium\n"
			    "default via inet 10.0.0.2 dev v0 metric 0 pref medium\n");
	answer_free(&answer);
}

static void path_mtu_and_flags(void **state)
{
	uint32_t via = nexthop(router, (struct wye_nexthop){ .kind = WYE_NH_FORWARD, .family = AF_INET, .ifindex = 2, .link = 2,
		.mtu_bytes = 1400, .kernel_id = 7, .flags = RTNH_F_ONLINK, .gateway = { 10, 0, 0, 3 } });

	route4(router, "10.5.0.0/16", (struct wye_route4){ .type = RTN_UNICAST, .table = RT_TABLE_MAIN, .protocol = 3,
		.flags = WYE_ROUTE_BEST | WYE_ROUTE_LINKDOWN, .nexthop = via, .mtu_bytes = 1400 });
	assert_wye(router, "[{\"dst\":\"10.5.0.0/16\",\"nhid\":7,\"gateway\":\"10.0.0.3\",\"dev\":\"v0\","
		   "\"flags\":[\"onlink\",\"linkdown\"],\"metrics\":[{\"mtu\":1400}]}]", "route");
}

static void links_as_ip(void **state)
{
	struct answer answer = wye(router, "-j", "show", "link", "v0", NULL);
	json_t *link = json_array_get(answer.json, 0), *want;

	assert_int_equal(answer.code, 0);
	assert_int_equal(json_object_del(link, "wye"), 0);
	want = json_loads("{\"ifindex\":2,\"ifname\":\"v0\",\"flags\":[\"BROADCAST\",\"MULTICAST\",\"UP\",\"LOWER_UP\"],"
			  "\"mtu\":1500,\"qdisc\":\"noqueue\",\"operstate\":\"UP\",\"linkmode\":\"DEFAULT\","
			  "\"group\":\"default\",\"txqlen\":1000,\"link_type\":\"ether\",\"address\":\"02:00:00:00:00:02\","
			  "\"broadcast\":\"ff:ff:ff:ff:ff:ff\"}", 0, NULL);
	assert_true(json_equal(link, want));
	json_decref(want);
	answer_free(&answer);
	answer = wye(router, "-j", "link", "show", NULL);
	assert_int_equal(json_array_size(answer.json), 4);
	answer_free(&answer);
}

static void addresses_as_ip(void **state)
{
	struct answer answer;
	json_t *want;

	address(router, "10.0.0.1/24", (struct wye_addr){ .ifindex = 2, .flags = 0x80, .broadcast = { 10, 0, 0, 255 },
		.label = "v0", .valid_lft_s = UINT32_MAX, .preferred_lft_s = UINT32_MAX });
	address(router, "2001:db8::1/64", (struct wye_addr){ .ifindex = 2, .flags = 0x2, .scope = 253, .valid_lft_s = 9,
		.preferred_lft_s = 8 });
	answer = wye(router, "addr", "-j", "dev", "v0", NULL);
	want = json_loads("[{\"family\":\"inet\",\"local\":\"10.0.0.1\",\"prefixlen\":24,\"broadcast\":\"10.0.0.255\","
			  "\"scope\":\"global\",\"label\":\"v0\",\"valid_life_time\":4294967295,"
			  "\"preferred_life_time\":4294967295},{\"family\":\"inet6\",\"local\":\"2001:db8::1\","
			  "\"prefixlen\":64,\"scope\":\"link\",\"nodad\":true,\"dynamic\":true,\"valid_life_time\":9,"
			  "\"preferred_life_time\":8}]", 0, NULL);
	assert_non_null(want);
	assert_true(json_equal(json_object_get(json_array_get(answer.json, 0), "addr_info"), want));
	json_decref(want);
	answer_free(&answer);
	answer = wye(router, "-j", "-6", "addr", NULL);
	assert_int_equal(json_array_size(answer.json), 1);
	answer_free(&answer);
}

static void neighbours_as_ip(void **state)
{
	neighbour(router, 2, "10.0.0.2", NUD_REACHABLE, 0);
	neighbour(router, 3, "2001:db8::2", NUD_STALE, NTF_ROUTER);
	neighbour(router, 3, "10.1.0.9", NUD_FAILED, 0);
	neighbour(router, 2, "224.0.0.22", NUD_NOARP, 0);
	assert_wye(router, "[{\"dst\":\"10.0.0.2\",\"dev\":\"v0\",\"lladdr\":\"02:00:00:00:09:09\",\"state\":[\"REACHABLE\"]},"
		   "{\"dst\":\"2001:db8::2\",\"dev\":\"v1\",\"lladdr\":\"02:00:00:00:09:09\",\"router\":null,"
		   "\"state\":[\"STALE\"]},{\"dst\":\"10.1.0.9\",\"dev\":\"v1\",\"state\":[\"FAILED\"]}]", "show", "neigh");
	assert_wye(router, "[{\"dst\":\"10.1.0.9\",\"state\":[\"FAILED\"]}]", "-4", "neigh", "dev", "v1");
	assert_wye(router, "[{\"dst\":\"224.0.0.22\",\"dev\":\"v0\",\"lladdr\":\"02:00:00:00:09:09\","
		   "\"state\":[\"NOARP\"]}]", "neigh", "nud", "noarp");
}

static void vrfs(void **state)
{
	uint32_t vrf = router_vrf(router, 9, "red", 1010), via = nexthop_via(router, WYE_NH_FORWARD, 2, "10.0.0.2");
	struct answer answer;
	const uint8_t net[4] = { 10, 50 };

	route4(router, "10.50.0.0/16", (struct wye_route4){ .type = RTN_UNICAST, .table = 1010, .protocol = 3, .nexthop = via });
	assert_int_equal(fib_set(router->fib, vrf, AF_INET, net, 16, via), 0);
	fib_flush(router->fib, 0);
	assert_wye(router, "[{\"dst\":\"10.50.0.0/16\",\"gateway\":\"10.0.0.2\",\"dev\":\"v0\",\"flags\":[]}]", "route", "vrf",
		   "red");
	assert_wye(router, "[{\"vrf\":1,\"name\":\"main\",\"table\":\"main\",\"ifindex\":0,\"links\":[\"lo\",\"v0\",\"v1\","
		   "\"v2\"]},{\"vrf\":2,\"name\":\"red\",\"table\":\"1010\",\"ifindex\":9,\"links\":[\"red\"]}]", "vrf");
	for (int i = 0; i < 3; i++) {
		static const char *const how[3][2] = { { "vrf", "red" }, { "table", "1010" }, { "iif", "red" } };

		answer = wye(router, "-j", "lookup", "10.50.1.1", how[i][0], how[i][1], NULL);
		assert_int_equal(answer.code, 0);
		assert_int_equal(json_integer_value(json_object_get(answer.json, "nexthop")), via);
		answer_free(&answer);
	}
	answer = wye(router, "lookup", "10.50.1.1", NULL);
	assert_int_equal(answer.code, WYE_EXIT_NOT_FOUND);
	answer_free(&answer);
}

/* A writer that died in the middle of a record must not hang the command, nor hide the other records. */
static void torn_record_is_skipped(void **state)
{
	struct wye_route4 *records = region_records(&router->tables->region, WYE_SECTION_ROUTE4);
	uint32_t torn;

	some_routes();
	torn = route4(router, "10.200.0.0/16", (struct wye_route4){ .type = UNICAST, .nexthop = 1 });
	records[torn].seq = 7;
	assert_wye(router, "[" R_DEFAULT "," R_CONNECTED "," R_SIX "," R_BLACKHOLE "," R_GROUP "]", "show", "route");
}

static void slot_is_given_back(void **state)
{
	const struct wye_readers *readers = router->tables->control.readers;

	some_routes();
	assert_wye(router, "[" R_CONNECTED "]", "route", "10.0.0.0/24");
	for (size_t i = 0; i < WYE_READER_SLOTS; i++)
		assert_int_equal(readers->slot[i].pid, 0);
}

static void exit_codes(void **state)
{
	static const struct {
		int code;
		const char *args[4];
	} cases[] = {
		{ 0, { "show", "vrf" } },
		{ 0, { "sh", "l" } },
		{ 0, { "route", "--help" } },
		{ 0, { "--version" } },
		{ 2, { "show" } },
		{ 2, { "show", "nothing" } },
		{ 2, { "nothing" } },
		{ 2, { "route", "table" } },
		{ 2, { "route", "table", "nosuch" } },
		{ 2, { "route", "10.0.0.0/33" } },
		{ 2, { "--nosuch", "route" } },
		{ 2, { "-x", "route" } },
		{ 2, { "vrf", "x" } },
		{ 2, { "lookup", "1.2.3" } },
		{ 2, { "stats", "--watch", "0" } },
		{ 3, { "show", "port" } },
		{ 3, { "status" } },
		{ 4, { "link", "nosuch" } },
		{ 4, { "route", "dev", "nosuch" } },
		{ 4, { "route", "vrf", "v0" } },
		{ 4, { "nexthop", "id", "77" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const *a = cases[i].args;
		struct answer answer = wye(router, a[0], a[1], a[2], a[3], NULL);

		if (answer.code != cases[i].code)
			fail_msg("wye %s %s %s: exit code %d, expected %d", a[0], a[1] ? a[1] : "", a[1] && a[2] ? a[2] : "",
				 answer.code, cases[i].code);
		answer_free(&answer);
	}
}

static void connect_nodes(struct wye_stats *stats, uint32_t from, uint32_t to)
{
	stats->node_next[from][to / 32] |= 1u << to % 32;
}

/* Names and edges are another process's words: quoted, and a ring ends. */
static void graph_pictures(void **state)
{
	static const char *const names[] = { "in\"put", "<a&b>", "out\\" };
	struct wye_stats *stats = router_stats(router);
	struct answer dot, svg;

	stats->n_nodes = 3;
	for (uint32_t i = 0; i < 3; i++) {
		snprintf(stats->node[i], sizeof(stats->node[i]), "%s", names[i]);
		connect_nodes(stats, i, (i + 1) % 3);
	}
	connect_nodes(stats, 0, 0);
	connect_nodes(stats, 0, 200); /* beyond n_nodes */
	dot = wye(router, "show", "graph", "dot", NULL);
	assert_int_equal(dot.code, 0);
	assert_non_null(strstr(dot.text, "\t\"in\\\"put\" -> \"<a&b>\";\n"));
	assert_non_null(strstr(dot.text, "\t\"out\\\\\" -> \"in\\\"put\";\n"));
	svg = wye(router, "show", "graph", "svg", NULL);
	assert_int_equal(svg.code, 0);
	assert_non_null(strstr(svg.text, ">&lt;a&amp;b&gt;</text>"));
	answer_free(&dot);
	answer_free(&svg);
}

/* Every command says something sensible of every table, also as JSON, also with a dataplane. */
static void everything_answers(void **state)
{
	static const char *const objects[] = { "link", "addr", "neigh", "route", "nexthop", "vrf", "parity", "port", "steer",
					       "graph", "runtime", "init", "plugin", "stats", "memory" };
	struct wye_stats *stats = router_stats(router);

	some_routes();
	neighbour(router, 2, "10.0.0.2", NUD_STALE, 0);
	stats->worker[1].tid = 1;
	stats->worker[1].loops = 5;
	stats->worker[1].port[0].rx_packets = 42;
	stats->worker[1].reason[WYE_REASON_IP4_FORWARD_TTL] = 3;
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		for (int form = 0; form < 3; form++) {
			struct answer answer = wye(router, "show", objects[i], form == 2 ? "-pj" : form ? "-j" : NULL, NULL);

			assert_int_equal(answer.code, 0);
			assert_true(answer.text[0] != '\0');
			assert_true(!form || answer.json);
			answer_free(&answer);
		}
}

static json_t *first_rule(struct answer *answer)
{
	*answer = wye(router, "-j", "show", "steer", NULL);
	return json_array_get(json_object_get(answer->json, "rules"), 0);
}

/* Where a rule is in force, and by what: of all ports, or of the one it is about. */
static void rules_in_force(void **state)
{
	struct wye_stats *stats = router_stats(router);
	struct answer answer;
	json_t *rule;

	stats->n_rules = 1;
	strcpy(stats->rule[0].name, "transit");
	stats->rule[0].in_port = -1;
	stats->rule_wanted[0] = 6;
	stats->rule_installed[0] = 5;
	strcpy(stats->port[0].backend, "rte_flow");
	strcpy(stats->port[1].backend, "xdp");
	rule = first_rule(&answer);
	assert_string_equal(json_string_value(json_object_get(rule, "by")), "rte_flow, xdp");
	assert_int_equal(json_integer_value(json_object_get(rule, "wanted")), 6);
	assert_int_equal(json_integer_value(json_object_get(rule, "installed")), 5);
	assert_string_equal(json_string_value(json_object_get(answer.json, "backends")), "rte_flow, xdp");
	answer_free(&answer);
	stats->rule[0].in_port = 1;
	assert_string_equal(json_string_value(json_object_get(first_rule(&answer), "by")), "xdp");
	answer_free(&answer);
}

static void counters_and_status(void **state)
{
	struct wye_stats *stats = router_stats(router);
	struct answer answer;
	json_t *json;

	stats->worker[1].tid = 1;
	stats->worker[1].port[1].tx_packets = 40;
	stats->worker[2].port[1].tx_packets = 2;
	stats->worker[2].reason[WYE_REASON_IP4_FORWARD_TTL] = 3;
	answer = wye(router, "-j", "stats", NULL);
	json = json_object_get(answer.json, "reasons");
	assert_int_equal(json_object_size(json), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "ip4_forward_ttl")), 3);
	json = json_array_get(json_object_get(answer.json, "ports"), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "tx_packets")), 42);
	answer_free(&answer);
	answer = wye(router, "-j", "status", NULL);
	assert_int_equal(answer.code, 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(answer.json, "ctld"), "state")), "in_sync");
	assert_string_equal(json_string_value(json_object_get(json_object_get(answer.json, "flows"), "with")), "dataplane");
	answer_free(&answer);
	stats->trust = WYE_TRUST_STALE;
	answer = wye(router, "-j", "status", NULL);
	assert_string_equal(json_string_value(json_object_get(json_object_get(answer.json, "flows"), "with")), "kernel");
	answer_free(&answer);
	stats->heartbeat_ns = 1; /* it hangs */
	answer = wye(router, "status", NULL);
	assert_int_equal(answer.code, WYE_EXIT_NOT_RUNNING);
	assert_non_null(strstr(answer.text, "hangs"));
	answer_free(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(routes_as_ip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(route_prefixes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(route_keywords, set_up, tear_down),
		cmocka_unit_test_setup_teardown(route_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(path_mtu_and_flags, set_up, tear_down),
		cmocka_unit_test_setup_teardown(links_as_ip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(addresses_as_ip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(neighbours_as_ip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(vrfs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(torn_record_is_skipped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slot_is_given_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(exit_codes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(graph_pictures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(everything_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rules_in_force, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counters_and_status, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
