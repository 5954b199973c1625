/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rte_flow entries, interpreted as a NIC would, then classify for what reaches the dataplane: the verdict must be that of
 * the shared table and of the model, whatever the device can do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "steer_flow_plan.h"
#include "table.h"
#include "wye_map.h"

static const struct flow_can devices[] = {
	{ .grouped = true, .port_masks = true, .sctp = true, .icmp6 = true, .entries_max = FLOW_ENTRIES_MAX },
	{ .port_masks = true, .sctp = true, .icmp6 = true, .entries_max = FLOW_ENTRIES_MAX },
	{ .grouped = true, .entries_max = FLOW_ENTRIES_MAX },
	{ .entries_max = FLOW_ENTRIES_MAX },
};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

/* ---- the NIC ---- */

struct header {		/* what a NIC makes of a frame */
	uint8_t family, ip_proto;
	const uint8_t *src, *dst, *l4;	/* l4: at least 4 bytes, or NULL */
};

static bool nic_parse(const struct packet *packet, struct header *header)
{
	const uint8_t *frame = packet->frame, *ip = frame + 14;
	uint32_t bytes = packet->len_bytes, l4 = 14 + 40;

	memset(header, 0, sizeof(*header));
	if (bytes < 14 || memcmp(frame, packet_mac, 6))
		return false;
	if (frame[12] == 0x08 && frame[13] == 0 && bytes >= 14 + 20) {
		*header = (struct header){ .family = AF_INET, .ip_proto = ip[9], .src = ip + 12, .dst = ip + 16 };
		l4 = 14 + 4 * (ip[0] & 15);
		if ((ip[6] & 0x1f) || ip[7])
			return true;
	} else if (frame[12] == 0x86 && frame[13] == 0xdd && bytes >= 14 + 40) {
		*header = (struct header){ .family = AF_INET6, .ip_proto = ip[6], .src = ip + 8, .dst = ip + 24 };
	} else {
		return false;
	}
	if (bytes >= l4 + 4)
		header->l4 = frame + l4;
	return true;
}

static bool in_prefix(const struct wye_prefix *prefix, const uint8_t *addr)
{
	for (int bit = 0; bit < prefix->len; bit++)
		if ((prefix->addr[bit / 8] ^ addr[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static bool nic_matches(const struct flow_match *match, const struct header *header)
{
	const uint8_t *l4 = header->l4;

	if (match->family != header->family || (match->proto_set && match->ip_proto != header->ip_proto))
		return false;
	if (!in_prefix(&match->src, header->src) || !in_prefix(&match->dst, header->dst))
		return false;
	if ((match->sport_mask || match->dport_mask || match->icmp_type_mask) && !l4)
		return false;
	return (!match->sport_mask || ((l4[0] << 8 | l4[1]) & match->sport_mask) == match->sport) &&
	       (!match->dport_mask || ((l4[2] << 8 | l4[3]) & match->dport_mask) == match->dport) &&
	       (!match->icmp_type_mask || (l4[0] & match->icmp_type_mask) == match->icmp_type);
}

/* Does the dataplane get it? A group ends in an entry for all; a flat device gives a miss to the kernel. */
static bool nic_takes(const struct flow_plan *plan, const struct flow_can *can, const struct packet *packet)
{
	struct header header;

	if (!nic_parse(packet, &header))
		return false;
	for (size_t i = 0; i < plan->n; i++) {
		assert_true(!i || plan->entry[i - 1].priority <= plan->entry[i].priority);
		assert_true(can->grouped || (plan->entry[i].dataplane && !plan->entry[i].priority));
		if (nic_matches(&plan->entry[i].match, &header))
			return plan->entry[i].dataplane;
	}
	assert_false(can->grouped);
	return false;
}

/* ---- tests ---- */

static struct flow_plan *plan_of(const struct steer_rules *rules, const struct steer_locals *locals, int in_port,
				 const struct flow_can *can)
{
	struct steer_port port = { .netdev = "p0", .config_index = in_port };
	char why[WYE_WHY_BYTES] = "";
	struct flow_plan *plan = flow_plan_make(rules, locals, &port, can, why);

	if (!plan)
		fprintf(stderr, "%s\n", why);
	return plan;
}

/* With a device that can do everything, a packet that a rule or the default gives to the kernel never comes. */
static int check_case(const struct table *table, const struct table_case *test, const struct flow_can *can)
{
	struct flow_plan *plan = plan_of(table->rules[test->set], table->locals, test->packet.in_port, can);
	enum wye_action action = WYE_ACTION_KERNEL;
	bool exact = can->grouped && can->port_masks, takes;
	int rule, failures = 0;

	assert_non_null(plan);
	takes = nic_takes(plan, can, &test->packet);
	if (takes)
		action = steer_classify(table->rules[test->set], table->locals, test->packet.in_port, packet_mac,
					test->packet.frame, test->packet.len_bytes, &rule);
	TABLE_CHECK(failures, action == (test->verdict == WYE_STEER_TAKEN ? WYE_ACTION_DATAPLANE : WYE_ACTION_KERNEL),
		    "%s: %s: action %d%s", can->grouped ? "grouped" : "flat", test->text, action,
		    takes ? "" : ", the NIC gives it to the kernel");
	TABLE_CHECK(failures, !(takes && exact && test->verdict == STEER_BY_RULE), "%s: the NIC gives it to the dataplane",
		    test->text);
	flow_plan_free(plan);
	return failures;
}

static void every_case(void **state)
{
	struct table *table = table_load();
	int failures = 0;

	assert_true(table->n_cases >= 200);
	for (size_t d = 0; d < DEVICES; d++)
		for (size_t i = 0; i < table->n_cases; i++)
			failures += check_case(table, &table->test[i], &devices[d]);
	table_free(table);
	assert_int_equal(failures, 0);
}

/* What the guards keep of one's own: with groups the NIC itself does it, so that it holds when wye-dpd hangs. */
static void own_traffic(void **state)
{
	static const char *const own[] = { "4 10.0.1.2>10.0.1.1 tcp 1>22", "6 fd00:1::2>fd00:1::1 tcp 1>22",
					   "4 10.0.1.2>198.51.100.9 udp 1>2", "6 fd00:1::2>fe80::1 tcp 1>179",
					   "6 fd00:1::2>fd00:3::1 icmp6 135", "6 fd00:1::2>fd00:3::1 icmp6 136" };
	struct table *table = table_load();
	struct flow_plan *plan = plan_of(table->rules[1], table->locals, 0, &devices[0]);

	assert_string_equal(table->config[1]->path, "all");
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct packet packet;

		assert_int_equal(packet_build(&packet, own[i]), 0);
		assert_false(nic_takes(plan, &devices[0], &packet));
	}
	flow_plan_free(plan);
	table_free(table);
}

static struct wye_config *random_config(void)
{
	struct wye_config *config = calloc(1, sizeof(*config));

	config->rule = calloc(WYE_RULES_MAX, sizeof(*config->rule));
	return config;
}

static void free_config(struct wye_config *config)
{
	free(config->rule);
	free(config);
}

static int random_packets(struct model_random *random, const struct wye_config *config, const struct table *table,
			  const struct flow_can *can, uint32_t *reached)
{
	struct steer_rules *rules = steer_compile(config);
	int in_port = (int)model_random(random, 4), failures = 0;
	struct flow_plan *plan = plan_of(rules, table->locals, in_port, can);

	assert_non_null(plan);
	for (int i = 0; i < 1000; i++) {
		enum wye_action action = WYE_ACTION_KERNEL;
		struct model_verdict model;
		struct packet packet;
		int rule;

		model_random_packet(random, config, &packet);
		packet.in_port = in_port;
		model = model_judge(config, table->local, table->n_locals, &packet, packet_mac);
		if (nic_takes(plan, can, &packet)) {
			++*reached;
			action = steer_classify(rules, table->locals, in_port, packet_mac, packet.frame, packet.len_bytes,
						&rule);
		}
		TABLE_CHECK(failures, action == model.action, "%zu rules: action %d, the model says %d by rule %d",
			    config->n_rules, action, model.action, model.rule);
	}
	flow_plan_free(plan);
	steer_rules_free(rules);
	return failures;
}

static void random_sets(void **state)
{
	static const size_t size[] = { 0, 1, 2, 10, 64, 100, 200 };
	struct model_random random = { .state = 20261125 };
	struct wye_config *config = random_config();
	struct table *table = table_load();
	uint32_t reached = 0;
	int failures = 0;

	for (int round = 0; round < 84; round++) {
		model_random_rules(&random, config, size[round % 7]);
		failures += random_packets(&random, config, table, &devices[round / 7 % DEVICES], &reached);
	}
	table_free(table);
	free_config(config);
	assert_int_equal(failures, 0);
	assert_in_range(reached, 84000 / 4, 84000 * 3 / 4);	/* or the packets do not test much */
}

static struct flow_plan *one_rule(struct wye_rule rule, const struct flow_can *can)
{
	struct wye_config config = { .rule = &rule, .n_rules = 1 };
	struct steer_rules *rules = steer_compile(&config);
	struct steer_locals *locals = steer_locals_from(NULL, 0);
	struct flow_plan *plan = plan_of(rules, locals, 0, can);

	steer_rules_free(rules);
	steer_locals_free(locals);
	assert_non_null(plan);
	return plan;
}

static void port_blocks(void **state)
{
	static const struct { uint16_t value, mask; } expected[] = {
		{ 4000, 0xffe0 }, { 4032, 0xffc0 }, { 4096, 0xfe00 }, { 4608, 0xff00 }, { 4864, 0xff80 }, { 4992, 0xfff8 },
	};
	struct wye_rule rule = { .in_port = -1, .dst = { AF_INET, 8, { 10 } }, .proto_set = true, .ip_proto = 17,
				 .dport = { true, 4000, 4999 }, .action = WYE_ACTION_DATAPLANE };
	struct flow_plan *plan = one_rule(rule, &devices[1]);

	assert_int_equal(plan->n, 6);
	for (size_t i = 0; i < plan->n; i++) {
		assert_int_equal(plan->entry[i].match.dport, expected[i].value);
		assert_int_equal(plan->entry[i].match.dport_mask, expected[i].mask);
		assert_int_equal(plan->entry[i].cause, 0);
	}
	flow_plan_free(plan);
	plan = one_rule(rule, &devices[3]);	/* no masks: any port, the rest is classify's */
	assert_int_equal(plan->n, 1);
	assert_int_equal(plan->entry[0].match.dport_mask, 0);
	assert_int_equal(plan->entry[0].match.ip_proto, 17);
	flow_plan_free(plan);
	rule.dport = (struct wye_port_range){ true, 53, 54 };
	plan = one_rule(rule, &devices[3]);
	assert_int_equal(plan->n, 2);
	assert_int_equal(plan->entry[1].match.dport, 54);
	assert_int_equal(plan->entry[1].match.dport_mask, 0xffff);
	flow_plan_free(plan);
}

/* Two ragged ranges: the product is cut to one of them for the dataplane, and not expressed for the kernel. */
static void products_are_coarsened(void **state)
{
	struct wye_rule rule = { .in_port = -1, .dst = { AF_INET, 8, { 10 } }, .proto_set = true, .ip_proto = 6,
				 .sport = { true, 1, 65534 }, .dport = { true, 3, 1000 }, .action = WYE_ACTION_DATAPLANE };
	struct flow_plan *plan = one_rule(rule, &devices[1]);

	assert_in_range(plan->n, 2, FLOW_BLOCKS_MAX);
	for (size_t i = 0; i < plan->n; i++) {
		assert_int_equal(plan->entry[i].match.sport_mask, 0);
		assert_int_not_equal(plan->entry[i].match.dport_mask, 0);
	}
	flow_plan_free(plan);
	rule.action = WYE_ACTION_KERNEL;
	plan = one_rule(rule, &devices[0]);
	for (size_t i = 0; i < plan->n; i++)
		assert_true(plan->entry[i].cause < 0);
	flow_plan_free(plan);
}

static void family_off(void **state)
{
	struct table *table = table_load();
	struct steer_port port = { .netdev = "p0", .no_family = { false, true } };
	char why[WYE_WHY_BYTES] = "";
	struct flow_plan *plan = flow_plan_make(table->rules[1], table->locals, &port, &devices[0], why);

	assert_non_null(plan);
	assert_true(plan->n > 0);
	for (size_t i = 0; i < plan->n; i++)
		assert_int_equal(plan->entry[i].match.family, AF_INET);
	flow_plan_free(plan);
	table_free(table);
}

static void budget(void **state)
{
	struct flow_can can = devices[1];
	struct steer_port port = { .netdev = "eth7" };
	struct wye_config *config = random_config();
	struct steer_locals *locals = steer_locals_from(NULL, 0);
	struct steer_rules *rules;
	struct flow_plan *plan;
	char why[WYE_WHY_BYTES] = "";

	config->n_rules = 100;
	for (uint32_t i = 0; i < config->n_rules; i++) {
		config->rule[i] = (struct wye_rule){ .in_port = -1, .dst = { AF_INET, 32, { 10, 0, 0, i } }, .proto_set = true,
						     .ip_proto = 17, .dport = { true, 1, i == 42 ? 62 : 1 },
						     .action = WYE_ACTION_DATAPLANE };
		snprintf(config->rule[i].name, sizeof(config->rule[i].name), "r%u", i);
	}
	rules = steer_compile(config);
	can.entries_max = 99 + 10;
	plan = flow_plan_make(rules, locals, &port, &can, why);
	assert_non_null(plan);
	assert_int_equal(plan->n, can.entries_max);
	flow_plan_free(plan);
	can.entries_max--;
	errno = 0;
	assert_null(flow_plan_make(rules, locals, &port, &can, why));
	assert_int_equal(errno, E2BIG);
	assert_string_equal(why, "eth7: 100 steering rules need more than the 108 flow entries there is room for; the largest is "
				 "rule \"r42\": merge rules, or let port ranges begin and end at multiples of powers of two");
	steer_rules_free(rules);
	steer_locals_free(locals);
	free_config(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case),  cmocka_unit_test(own_traffic), cmocka_unit_test(random_sets),
		cmocka_unit_test(port_blocks), cmocka_unit_test(products_are_coarsened), cmocka_unit_test(family_off),
		cmocka_unit_test(budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
