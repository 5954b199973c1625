/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steering in software: the table of tests/steer_cases, random rule sets against the model, the limits, the host's own
 * prefixes and the software backend.
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

#include "table.h"
#include "wye_map.h"

static struct wye_config *random_config(void)
{
	struct wye_config *config = calloc(1, sizeof(*config));

	config->rule = calloc(WYE_RULES_MAX + 1, sizeof(*config->rule));
	return config;
}

static void free_config(struct wye_config *config)
{
	free(config->rule);
	free(config);
}

static void every_case(void **state)
{
	struct table *table = table_load();
	int failures = 0;

	assert_true(table->n_cases >= 200);
	for (size_t i = 0; i < table->n_cases; i++) {
		const struct table_case *test = &table->test[i];
		uint32_t rule = 0, got = steer_judge(table->rules[test->set], table->locals, test->packet.in_port,
						     packet_mac, test->packet.frame, test->packet.len_bytes, &rule);

		TABLE_CHECK(failures, got == test->verdict && rule == test->rule,
			    "%s: %s, rule %u; expected verdict %u, rule %u", test->text, table_verdict_name(got), rule,
			    test->verdict, test->rule);
	}
	table_free(table);
	assert_int_equal(failures, 0);
}

/* The table and the model were written by one hand, but not from one another. */
static void every_case_by_the_model(void **state)
{
	struct table *table = table_load();
	int failures = 0;

	for (size_t i = 0; i < table->n_cases; i++) {
		const struct table_case *test = &table->test[i];
		struct model_verdict model = model_judge(table->config[test->set], table->local, table->n_locals,
							 &test->packet, packet_mac);
		bool by_rule = test->verdict == WYE_STEER_TAKEN || test->verdict == STEER_BY_RULE;

		TABLE_CHECK(failures,
			    model.guard == !by_rule && (model.action == WYE_ACTION_DATAPLANE) == !test->verdict,
			    "%s: the model says guard %d, action %d", test->text, model.guard, model.action);
	}
	table_free(table);
	assert_int_equal(failures, 0);
}

static int compare_one(const struct wye_config *config, const struct steer_rules *rules, const struct table *table,
		       const struct packet *packet)
{
	struct model_verdict model = model_judge(config, table->local, table->n_locals, packet, packet_mac);
	int rule;
	enum wye_action action = steer_classify(rules, table->locals, packet->in_port, packet_mac, packet->frame,
						packet->len_bytes, &rule);
	int expected = model.guard ? -2 : model.rule;

	if (rule == expected && action == model.action)
		return 0;
	fprintf(stderr, "%zu rules: rule %d, action %d; the model says rule %d, action %d\n", config->n_rules, rule,
		action, expected, model.action);
	return 1;
}

static void random_sets(void **state)
{
	static const size_t size[] = { 0, 1, 2, 10, 63, 64, 65, 128, 300, 1000, 1024 };
	struct model_random random = { .state = 20260422 };
	struct wye_config *config = random_config();
	struct table *table = table_load();
	int failures = 0, by_rule = 0;

	for (int round = 0; round < 44; round++) {
		struct steer_rules *rules;

		model_random_rules(&random, config, size[round % 11]);
		rules = steer_compile(config);
		assert_non_null(rules);
		for (int i = 0; i < 2000 && failures < 10; i++) {
			struct packet packet;

			model_random_packet(&random, config, &packet);
			failures += compare_one(config, rules, table, &packet);
			by_rule += model_judge(config, table->local, table->n_locals, &packet, packet_mac).rule > 0;
		}
		steer_rules_free(rules);
	}
	table_free(table);
	free_config(config);
	assert_int_equal(failures, 0);
	assert_true(by_rule > 20000);	/* or the packets do not test much */
}

/* 1,024 rules of the greediest kind: nothing shared, host prefixes, every port range another. */
static void the_limits(void **state)
{
	struct wye_config *config = random_config();

	for (int family = 0; family < 2; family++) {
		struct steer_rules *rules;

		for (uint32_t i = 0; i < WYE_RULES_MAX; i++) {
			struct wye_rule *rule = &config->rule[i];

			memset(rule, 0, sizeof(*rule));
			rule->in_port = i % WYE_PORTS_MAX;
			rule->src.family = rule->dst.family = family ? AF_INET6 : AF_INET;
			rule->src.len = rule->dst.len = family ? 128 : 32;
			rule->src.addr[0] = rule->dst.addr[0] = 0x20 + i / 256;
			rule->src.addr[1] = rule->dst.addr[1] = i;
			rule->dst.addr[family ? 15 : 3] = 1;
			rule->proto_set = true;
			rule->ip_proto = i % 256;
			rule->sport = rule->dport = (struct wye_port_range){ true, 60 * i, 60 * i + 29 };
		}
		config->n_rules = WYE_RULES_MAX;
		rules = steer_compile(config);
		assert_non_null(rules);
		steer_rules_free(rules);
	}
	config->n_rules = WYE_RULES_MAX + 1;
	errno = 0;
	assert_null(steer_compile(config));
	assert_int_equal(errno, E2BIG);
	free_config(config);
}

/* No loader in between: a rule with ports and no protocol means those that have ports. */
static void ports_without_protocol(void **state)
{
	struct wye_rule rule = { .in_port = -1, .dport = { true, 0, 65535 }, .action = WYE_ACTION_DATAPLANE };
	struct wye_config config = { .rule = &rule, .n_rules = 1 };
	struct steer_rules *rules = steer_compile(&config);
	struct steer_locals *locals = steer_locals_from(NULL, 0);
	struct packet packet;
	int by;

	packet_build(&packet, "4 10.0.1.2>10.0.2.2 udp 1>2");
	assert_int_equal(steer_classify(rules, locals, 0, packet_mac, packet.frame, packet.len_bytes, &by), 1);
	packet_build(&packet, "4 10.0.1.2>10.0.2.2 icmp 8");
	assert_int_equal(steer_classify(rules, locals, 0, packet_mac, packet.frame, packet.len_bytes, &by), 0);
	assert_int_equal(by, -1);
	assert_int_equal(steer_classify(rules, NULL, 0, packet_mac, packet.frame, packet.len_bytes, &by), 0);
	assert_int_equal(by, -2);
	steer_rules_free(rules);
	steer_locals_free(locals);
}

/* Section LOCAL of a region: what is unused, torn or nonsense is skipped; what guards keep anyhow is left out. */
static void locals_of_a_region(void **state)
{
	static const struct wye_local record[] = {
		{ .family = 0 },	/* index 0 is never used */
		{ .family = AF_INET, .prefix_len = 32, .addr = { 10, 0, 1, 1 } },
		{ .family = AF_INET, .prefix_len = 32, .addr = { 10, 0, 1, 1 } },
		{ .family = AF_INET, .prefix_len = 24, .addr = { 198, 51, 100, 77 } },
		{ .family = 0, .prefix_len = 32, .addr = { 10, 0, 9, 9 } },
		{ .seq = 1, .family = AF_INET, .prefix_len = 32, .addr = { 10, 0, 8, 8 } },
		{ .family = AF_INET, .prefix_len = 33, .addr = { 10, 0, 7, 7 } },
		{ .family = AF_INET6, .prefix_len = 129, .addr = { 0xfd } },
		{ .family = 77, .prefix_len = 1, .addr = { 10 } },
		{ .family = AF_INET, .prefix_len = 8, .addr = { 127 } },
		{ .family = AF_INET6, .prefix_len = 128, .addr = { 0xfe, 0x80, [15] = 1 } },
		{ .family = AF_INET6, .prefix_len = 128, .addr = { 0xfd, [15] = 1 } },
		{ .family = AF_INET, .prefix_len = 32, .addr = { 10, 0, 6, 6 } },	/* beyond `used` */
	};
	struct wye_region *region = calloc(1, sizeof(*region) + sizeof(record));
	struct wye_section *section = &region->section[WYE_SECTION_LOCAL];
	struct steer_locals *locals;

	section->offset = sizeof(*region);
	section->record_bytes = sizeof(record[0]);
	section->capacity = sizeof(record) / sizeof(record[0]);
	section->used = section->capacity - 1;
	memcpy((char *)region + section->offset, record, sizeof(record));
	locals = steer_locals_of(region);
	assert_non_null(locals);
	assert_int_equal(locals->n, 3);
	assert_int_equal(locals->n_lengths[0], 2);
	assert_int_equal(locals->n_lengths[1], 1);
	for (size_t i = 0; i < locals->n; i++)
		assert_int_equal(locals->entry[i].addr[3], locals->entry[i].prefix_len == 32 ? 1 : 0);
	steer_locals_free(locals);
	free(region);
}

static void software_backend(void **state)
{
	struct table *table = table_load();
	struct steer_port port = { .netdev = "p0", .config_index = 5 };
	uint64_t rule_packets[WYE_RULES_MAX + 1] = { 0 }, counters[WYE_STEER_COUNTERS_MAX] = { 0 };
	char why[WYE_WHY_BYTES];
	struct packet packet;
	int rule;

	memcpy(port.mac, packet_mac, 6);
	packet_build(&packet, "4 10.0.1.2>10.0.2.2 udp 1>4000");
	assert_int_equal(steer_software.probe(&port, why), 0);
	assert_int_equal(steer_software_classify(1, 5, packet.frame, packet.len_bytes, &rule), WYE_ACTION_KERNEL);
	assert_int_equal(steer_software.enable(&port, true, why), 0);
	assert_int_equal(steer_software_classify(1, 5, packet.frame, packet.len_bytes, &rule), WYE_ACTION_KERNEL);
	assert_int_equal(steer_software.apply(table->rules[3], table->locals, why), 0);
	assert_int_equal(steer_software_classify(1, 5, packet.frame, packet.len_bytes, &rule), WYE_ACTION_DATAPLANE);
	assert_int_equal(rule, 1);
	assert_int_equal(steer_software_classify(2, 5, packet.frame, packet.len_bytes, &rule), WYE_ACTION_DATAPLANE);
	packet_build(&packet, "4 10.0.1.2>10.0.2.2 udp 1>1");
	assert_int_equal(steer_software_classify(2, 5, packet.frame, packet.len_bytes, &rule), WYE_ACTION_KERNEL);
	packet_build(&packet, "4 10.0.1.2>10.0.2.1 udp 1>1");
	assert_int_equal(steer_software_classify(2, 5, packet.frame, packet.len_bytes, &rule), WYE_ACTION_KERNEL);
	steer_software.count(rule_packets, counters);
	assert_int_equal(rule_packets[1], 2);
	assert_int_equal(rule_packets[table->config[3]->n_rules], 1);
	assert_int_equal(counters[WYE_STEER_TAKEN], 2);
	assert_int_equal(counters[WYE_STEER_LOCAL_DST], 1);
	assert_int_equal(counters[WYE_STEER_PORT_OFF], 1);
	assert_int_equal(counters[WYE_STEER_DISABLED], 1);
	assert_int_equal(steer_software.enable(&port, false, why), 0);
	packet_build(&packet, "4 10.0.1.2>10.0.2.2 udp 1>4000");
	assert_int_equal(steer_software_classify(1, 5, packet.frame, packet.len_bytes, &rule), WYE_ACTION_KERNEL);
	steer_software.remove(&port);
	port.config_index = WYE_PORTS_MAX;
	assert_int_equal(steer_software.probe(&port, why), -EINVAL);
	table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case),	     cmocka_unit_test(every_case_by_the_model),
		cmocka_unit_test(random_sets),	     cmocka_unit_test(the_limits),
		cmocka_unit_test(ports_without_protocol), cmocka_unit_test(locals_of_a_region),
		cmocka_unit_test(software_backend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
