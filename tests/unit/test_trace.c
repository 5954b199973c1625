/* SPDX-License-Identifier: BSD-3-Clause */
/* What the forwarding nodes tell a trace of real packets that went through them, and the words' limits. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "forward_fixture.h"
#include "wye_config.h"

static struct wye_config config = { .n_ports = 2, .port = { { .netdev = "in0" }, { .netdev = "out0" } } };

static struct world *make_world(void)
{
	struct world *world = world_create();

	world->dpd->config = &config;
	world->dpd->n_ports = 2;
	return world;
}

/* What the node says of packet i, "key value, key value". */
static const char *told(struct world *world, const char *name, uint32_t i)
{
	static char text[WYE_TRACE_FIELDS * sizeof(struct wye_trace_field)];
	const struct node_trace *trace = node_trace_of(name);
	uint64_t note[TRACE_NOTE_BYTES / 8] = { 0 };
	struct trace_fields fields = { 0 };
	size_t length = 0;

	assert_non_null(trace);
	trace->note(world->worker, NULL, world->packet[i], world->edge[i], note);
	trace->tell(world->dpd, note, &fields);
	for (uint32_t f = 0; f < fields.n; f++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s %s", f ? ", " : "", fields.field[f].key,
					   fields.field[f].value);
	return text;
}

static uint32_t id_of(struct world *world, const char *dst)
{
	struct wye_fib fib = wye_fib_of(world->region.base, WYE_VRF_MAIN);
	uint8_t addr[16];

	if (inet_pton(AF_INET, dst, addr) == 1)
		return wye_fib4_lookup(&fib, addr);
	assert_int_equal(inet_pton(AF_INET6, dst, addr), 1);
	return wye_fib6_lookup(&fib, addr);
}

static void forwarded4(void **state)
{
	struct world *world = make_world();
	char expected[256];

	world_route(world, "10.0.9.0/24", WYE_NH_FORWARD, 3, "10.0.2.2");
	world_udp4(world, 0, "10.0.1.2", "10.0.9.1", 7000, 20);
	world_forward4(world, 1);
	assert_int_equal(world_reason(world, 0), NODE_OK);
	snprintf(expected, sizeof(expected), "src 10.0.1.2, dst 10.0.9.1, ttl 64, nexthop %u, mac_dst 02:01:01:01:01:02, "
		 "mac_src 02:00:00:00:00:03, port out0", id_of(world, "10.0.9.1"));
	assert_string_equal(told(world, "ip4_forward", 0), expected);
	world_destroy(world);
}

static void forwarded6(void **state)
{
	struct world *world = make_world();
	char expected[256];

	world_route(world, "2001:db8::/32", WYE_NH_FORWARD, 3, "fd00:2::2");
	world_udp6(world, 0, "fd00:1::2", "2001:db8::1", 7000, 20);
	world_forward6(world, 1);
	assert_int_equal(world_reason(world, 0), NODE_OK);
	snprintf(expected, sizeof(expected), "src fd00:1::2, dst 2001:db8::1, hop_limit 64, nexthop %u, ",
		 id_of(world, "2001:db8::1"));
	assert_memory_equal(told(world, "ip6_forward", 0), expected, strlen(expected));
	world_destroy(world);
}

/* Which leg of a group: the one whose neighbour the packet was sent to. */
static void legs(void **state)
{
	const char *const gateways[] = { "10.0.2.2", "10.0.2.3" };
	const uint16_t weights[] = { 1, 1 };
	struct world *world = make_world();
	uint32_t seen[2] = { 0 };

	world_neigh(world, 3, "10.0.2.3", 3);
	world_group(world, "10.0.9.0/24", gateways, weights, 2);
	for (uint32_t i = 0; i < 64; i++)
		world_udp4(world, i, "10.0.1.2", "10.0.9.1", (uint16_t)(7000 + i), 20);
	atomic_store(&world->region.base->hash_policy[0], 1);
	world_forward4(world, 64);
	for (uint32_t i = 0; i < 64; i++) {
		const char *text = told(world, "ip4_forward", i), *leg = strstr(text, ", leg "), *mac = strstr(text, "mac_dst ");
		uint32_t which = strncmp(mac + strlen("mac_dst 02:01:01:01:01:0"), "3", 1) == 0, id;

		assert_non_null(leg);
		id = (uint32_t)atoi(leg + strlen(", leg "));
		assert_true(!seen[which] || seen[which] == id);
		seen[which] = id;
	}
	assert_true(seen[0] && seen[1] && seen[0] != seen[1]);
	world_destroy(world);
}

static void left(void **state)
{
	struct world *world = make_world();
	char expected[128];
	const uint8_t runt[15] = { 2, 0, 0, 0, 0, 2, 2, 9, 9, 9, 9, 9, 0x08, 0x00, 0x45 };

	world_route(world, "10.9.0.0/16", WYE_NH_BLACKHOLE, 0, "");
	world_udp4(world, 0, "10.0.1.2", "10.9.0.1", 7000, 20);
	world_udp4(world, 1, "10.0.1.2", "10.77.0.1", 7000, 20);
	world_udp4(world, 2, "10.0.1.2", "10.9.0.1", 7000, 20);
	world_ip4(world, 2)->time_to_live = 1;
	world_checksum4(world_ip4(world, 2));
	world_frame(world, 3, runt, sizeof(runt));
	world_forward4(world, 4);
	snprintf(expected, sizeof(expected), "src 10.0.1.2, dst 10.9.0.1, ttl 64, nexthop %u, reason ip4_forward_blackhole",
		 id_of(world, "10.9.0.1"));
	assert_string_equal(told(world, "ip4_forward", 0), expected);
	assert_string_equal(told(world, "ip4_forward", 1), "src 10.0.1.2, dst 10.77.0.1, ttl 64, reason ip4_forward_no_route");
	assert_string_equal(told(world, "ip4_forward", 2), "src 10.0.1.2, dst 10.9.0.1, ttl 1, reason ip4_forward_ttl");
	assert_string_equal(told(world, "ip4_forward", 3), "reason ip4_input_too_short");
	world_destroy(world);
}

static void names(void **state)
{
	assert_non_null(node_trace_of("ip4_forward"));
	assert_ptr_equal(node_trace_of("ip4_forward-3-1"), node_trace_of("ip4_forward"));
	assert_ptr_not_equal(node_trace_of("ip6_forward"), node_trace_of("ip4_forward"));
	assert_null(node_trace_of("ip4"));
	assert_null(node_trace_of("ip4_forwarder"));
	assert_null(node_trace_of(""));
}

/* What does not fit is cut, and a field too many left out: nothing beyond the record is written. */
static void limits(void **state)
{
	struct { struct trace_fields fields; uint8_t beyond[64]; } room;
	char wide[200];

	memset(wide, 'w', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	memset(&room, 0, sizeof(room));
	memset(room.beyond, 0xa5, sizeof(room.beyond));
	for (uint32_t i = 0; i < WYE_TRACE_FIELDS + 3; i++)
		trace_text(&room.fields, wide, "%s", wide);
	trace_number(&room.fields, "n", UINT64_MAX);
	trace_reason(&room.fields, 255);
	assert_int_equal(room.fields.n, WYE_TRACE_FIELDS);
	assert_int_equal(strlen(room.fields.field[7].value), sizeof(room.fields.field[7].value) - 1);
	assert_int_equal(strlen(room.fields.field[7].key), sizeof(room.fields.field[7].key) - 1);
	assert_int_equal(room.fields.field[7].number, 0);
	for (size_t i = 0; i < sizeof(room.beyond); i++)
		assert_int_equal(room.beyond[i], 0xa5);
}

/* A value may be what a packet brought; it is printed on a terminal. */
static void nothing_but_print(void **state)
{
	struct trace_fields fields = { 0 };

	trace_text(&fields, "a\nb", "%s", "\x1b[2J\x7f\tx\xc3\xa9");
	assert_string_equal(fields.field[0].key, "a?b");
	assert_string_equal(fields.field[0].value, "?[2J??x\xc3\xa9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwarded4), cmocka_unit_test(forwarded6), cmocka_unit_test(legs),
		cmocka_unit_test(left), cmocka_unit_test(names), cmocka_unit_test(limits),
		cmocka_unit_test(nothing_but_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
