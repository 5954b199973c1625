/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real XDP program, filled by the real backend, packet by packet with BPF_PROG_TEST_RUN: the table, random rule
 * sets against the model, every way back to the kernel, own addresses coming and going, reloads under traffic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wye_map.h"
#include "xdp_lab.h"

static struct xdp_lab lab;
static struct table *table;
static char why[WYE_WHY_BYTES];

static void apply(const struct steer_rules *rules, const struct steer_locals *locals)
{
	if (steer_xdp.apply(rules, locals, why))
		fail_msg("%s", why);
}

static void every_case(void **state)
{
	uint32_t applied = UINT32_MAX;
	int failures = 0;

	for (size_t i = 0; i < table->n_cases; i++) {
		const struct table_case *test = &table->test[i];
		bool by_rule = test->verdict == WYE_STEER_TAKEN || test->verdict == STEER_BY_RULE;
		struct xdp_answer got;

		if (applied != test->set)
			apply(table->rules[test->set], table->locals);
		applied = test->set;
		xdp_lab_in_port(&lab, test->packet.in_port);
		got = xdp_lab_run(&lab, &test->packet, table->config[test->set]->n_rules);
		TABLE_CHECK(failures,
			    got.verdict == test->verdict && (!by_rule || got.rule == test->rule) &&
				    got.action == (test->verdict == WYE_STEER_TAKEN ? XDP_REDIRECT : XDP_PASS),
			    "%s: %s, rule %u, action %u; expected verdict %u, rule %u", test->text,
			    table_verdict_name(got.verdict), got.rule, got.action, test->verdict, test->rule);
	}
	assert_int_equal(failures, 0);
}

static int compare_one(const struct wye_config *config, const struct packet *packet)
{
	struct model_verdict model = model_judge(config, table->local, table->n_locals, packet, packet_mac);
	uint32_t expected = model.guard ? UINT32_MAX : model.rule < 0 ? WYE_STEER_RULES : (uint32_t)model.rule;
	struct xdp_answer got;

	xdp_lab_in_port(&lab, packet->in_port);
	got = xdp_lab_run(&lab, packet, config->n_rules);
	if (got.rule == expected && got.action == (model.action == WYE_ACTION_DATAPLANE ? XDP_REDIRECT : XDP_PASS))
		return 0;
	fprintf(stderr, "%zu rules: rule %u, action %u, %s; the model says rule %u, action %d\n", config->n_rules,
		got.rule, got.action, table_verdict_name(got.verdict), expected, model.action);
	return 1;
}

static void random_sets(void **state)
{
	static const size_t size[] = { 0, 1, 10, 64, 65, 300, 1000, 1024 };
	struct wye_config *config = calloc(1, sizeof(*config));
	struct model_random random = { .state = 77001 };
	int failures = 0;

	config->rule = calloc(WYE_RULES_MAX, sizeof(*config->rule));
	for (int round = 0; round < 16; round++) {
		struct steer_rules *rules;

		model_random_rules(&random, config, size[round % 8]);
		rules = steer_compile(config);
		apply(rules, table->locals);
		for (int i = 0; i < 1000 && failures < 10; i++) {
			struct packet packet;

			model_random_packet(&random, config, &packet);
			failures += compare_one(config, &packet);
		}
		steer_rules_free(rules);
	}
	free(config->rule);
	free(config);
	assert_int_equal(failures, 0);
}

/* ---- every way back to the kernel ---- */

static void check(const struct packet *packet, uint32_t action, uint32_t verdict)
{
	struct xdp_answer got = xdp_lab_run(&lab, packet, 0);

	if (got.action != action || got.verdict != verdict)
		fail_msg("action %u, verdict %u (%s), expected %u, %u", got.action, got.verdict,
			 table_verdict_name(got.verdict), action, verdict);
}

static void fallbacks(void **state)
{
	uint64_t counters[WYE_STEER_COUNTERS_MAX] = { 0 }, rules[WYE_RULES_MAX + 1] = { 0 };
	struct packet packet;

	packet_build(&packet, "4 10.0.1.2>10.0.2.2 udp 1>2");
	check(&packet, XDP_PASS, WYE_STEER_PORT_OFF);	/* probed, not yet attached */
	assert_int_equal(steer_xdp.enable(&lab.port, false, why), 0);
	check(&packet, XDP_PASS, WYE_STEER_DISABLED);	/* no rules yet */
	apply(table->rules[1], table->locals);
	check(&packet, XDP_PASS, WYE_STEER_PORT_OFF);
	assert_int_equal(steer_xdp.enable(&lab.port, true, why), 0);
	check(&packet, XDP_REDIRECT, WYE_STEER_TAKEN);
	lab.port.no_family[1] = true;	/* the other one */
	assert_int_equal(steer_xdp.enable(&lab.port, true, why), 0);
	check(&packet, XDP_REDIRECT, WYE_STEER_TAKEN);
	lab.port.no_family[0] = true;
	assert_int_equal(steer_xdp.enable(&lab.port, true, why), 0);
	check(&packet, XDP_PASS, WYE_STEER_PORT_OFF);
	lab.port.no_family[0] = lab.port.no_family[1] = false;
	assert_int_equal(steer_xdp.enable(&lab.port, true, why), 0);
	xdp_lab_socket(&lab, false);
	check(&packet, XDP_PASS, WYE_STEER_NO_SOCKET);
	xdp_lab_socket(&lab, true);
	check(&packet, XDP_REDIRECT, WYE_STEER_TAKEN);
	steer_xdp.alive(1);	/* long ago */
	assert_int_equal(xdp_lab_action(&lab, &packet), XDP_PASS);
	steer_xdp.count(rules, counters);
	assert_int_equal(counters[WYE_STEER_STALE], 1);
	check(&packet, XDP_REDIRECT, WYE_STEER_TAKEN);
	assert_int_equal(steer_xdp.enable(&lab.port, false, why), 0);
	check(&packet, XDP_PASS, WYE_STEER_PORT_OFF);
}

static void punted_frames(void **state)
{
	static const uint8_t punt_mac[6] = { 0x02, 'w', 'y', 1, 2, 3 };
	struct packet packet, arp;
	struct xdp_answer got;

	packet_build(&packet, "4 10.0.1.2>10.0.2.2 udp 1>2 dmac=02:77:79:01:02:03");
	packet_build(&arp, "eth type=0x0806 dmac=02:77:79:01:02:03");
	apply(table->rules[1], table->locals);
	memcpy(lab.port.punt_mac, punt_mac, 6);
	xdp_lab_in_port(&lab, 0);
	check(&packet, XDP_PASS, WYE_STEER_NOT_OUR_MAC);	/* native: just a strange MAC */
	lab.port.generic_xdp = true;
	xdp_lab_in_port(&lab, 0);
	got = xdp_lab_run(&lab, &packet, 0);
	assert_int_equal(got.action, XDP_PASS);
	assert_int_equal(got.verdict, WYE_STEER_PUNTED);
	assert_memory_equal(got.mac, packet_mac, 6);
	assert_int_equal(steer_xdp.enable(&lab.port, false, why), 0);	/* on their way when the port went off */
	got = xdp_lab_run(&lab, &arp, 0);
	assert_int_equal(got.verdict, WYE_STEER_PUNTED);
	assert_memory_equal(got.mac, packet_mac, 6);
	packet_build(&packet, "4 10.0.1.2>10.0.2.2 udp 1>2");
	xdp_lab_in_port(&lab, 0);
	check(&packet, XDP_REDIRECT, WYE_STEER_TAKEN);
	lab.port.generic_xdp = false;
}

/* ---- own addresses ---- */

static size_t random_locals(struct model_random *random, struct steer_local *list, struct model_local *model)
{
	size_t n = model_random(random, 40);

	for (size_t i = 0; i < n; i++) {
		bool ip6 = model_random(random, 2);
		uint8_t bits = ip6 ? 128 : 32;

		memset(&list[i], 0, sizeof(list[i]));
		list[i].family = ip6 ? AF_INET6 : AF_INET;
		list[i].prefix_len = model_random(random, 8) ? bits : bits - model_random(random, 9);
		list[i].addr[0] = ip6 ? 0xfd : 10;
		list[i].addr[ip6 ? 15 : 3] = model_random(random, 64);
		memcpy(&model[i], &list[i], sizeof(model[i]));
	}
	return n;
}

/* Each list replaces another; now and then all prefixes are full length, so that hints alone decide. */
static void locals_change(void **state)
{
	struct model_random random = { .state = 4711 };
	struct steer_local list[40];
	struct model_local model[40];
	int failures = 0;

	apply(table->rules[1], table->locals);
	xdp_lab_in_port(&lab, 0);
	for (int round = 0; round < 60; round++) {
		size_t n = random_locals(&random, list, model);
		struct steer_locals *locals;

		for (size_t i = 0; round % 2 && i < n; i++)
			model[i].prefix_len = list[i].prefix_len = list[i].family == AF_INET ? 32 : 128;
		locals = steer_locals_from(list, n);
		assert_int_equal(steer_xdp.locals(locals, why), 0);
		steer_locals_free(locals);
		for (uint32_t i = 0; i < 128; i++) {
			struct model_verdict expected;
			struct packet packet;
			char text[80];

			snprintf(text, sizeof(text), i & 1 ? "6 fd00::%x>fd00::%x udp 1>2" : "4 10.0.0.%u>10.0.0.%u udp 1>2",
				 model_random(&random, 64), i / 2);
			packet_build(&packet, text);
			expected = model_judge(table->config[1], model, n, &packet, packet_mac);
			xdp_lab_alive();
			TABLE_CHECK(failures,
				    (xdp_lab_action(&lab, &packet) == XDP_PASS) == (expected.action == WYE_ACTION_KERNEL),
				    "round %d: %s", round, text);
		}
	}
	assert_int_equal(failures, 0);
}

/* ---- reloads ---- */

#define RELOADS 150

/*
 * Rule i: its own destination and its own port, to the dataplane. `turn` moves the rules around, and one more rule
 * shifts the numbers of classes: almost any mixture of two such sets gives a packet to the default, the kernel.
 */
static struct steer_rules *turned_rules(uint32_t turn)
{
	struct wye_config config = { .n_rules = 1000 + !!turn };
	struct steer_rules *rules;

	config.rule = calloc(config.n_rules, sizeof(*config.rule));
	for (uint32_t i = 0; i < config.n_rules; i++) {
		uint32_t flow = i < 1000 ? (i + turn) % 1000 : 1000;
		struct wye_rule *rule = &config.rule[i];

		rule->in_port = -1;
		rule->dst = (struct wye_prefix){ .family = AF_INET, .len = 32, .addr = { 11, 0, flow >> 8, flow } };
		rule->proto_set = true;
		rule->ip_proto = 17;
		rule->dport = (struct wye_port_range){ true, 1000 + flow, 1000 + flow };
		rule->sport = (struct wye_port_range){ flow == 1000, 5, 6 };
		rule->action = WYE_ACTION_DATAPLANE;
	}
	rules = steer_compile(&config);
	free(config.rule);
	return rules;
}

struct reloader {
	struct steer_rules *set[2];
	_Atomic bool done;
	int err;
};

/* Two threads that share a CPU hardly ever meet in the middle of a reload. */
static void pin(int nth)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) < 2)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set) || nth-- > 0)
			continue;
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
		return;
	}
}

static void *reload(void *arg)
{
	struct reloader *reloader = arg;
	char reason[WYE_WHY_BYTES];

	pin(0);
	for (int i = 0; i < RELOADS && !reloader->err; i++)
		reloader->err = steer_xdp.apply(reloader->set[i & 1], table->locals, reason);
	atomic_store(&reloader->done, true);
	return NULL;
}

static void reload_is_atomic(void **state)
{
	struct reloader reloader = { .set = { turned_rules(0), turned_rules(333) } };
	uint32_t packets = 0, lost = 0;
	cpu_set_t everywhere;
	pthread_t thread;

	apply(reloader.set[1], table->locals);
	xdp_lab_in_port(&lab, 0);
	assert_int_equal(pthread_create(&thread, NULL, reload, &reloader), 0);
	sched_getaffinity(0, sizeof(everywhere), &everywhere);
	pin(1);
	for (; !atomic_load(&reloader.done); packets++) {
		uint32_t flow = packets * 7 % 1000;
		struct packet packet;
		char text[80];

		snprintf(text, sizeof(text), "4 10.0.1.2>11.0.%u.%u udp 1>%u", flow >> 8, flow & 255, 1000 + flow);
		packet_build(&packet, text);
		xdp_lab_alive();
		lost += xdp_lab_action(&lab, &packet) != XDP_REDIRECT;
	}
	pthread_join(thread, NULL);
	sched_setaffinity(0, sizeof(everywhere), &everywhere);
	print_message("%u packets during %d reloads of 1,000 rules, %u judged by a mixture\n", packets, RELOADS, lost);
	assert_int_equal(reloader.err, 0);
	assert_true(packets > 1000);
	assert_int_equal(lost, 0);
	steer_rules_free(reloader.set[0]);
	steer_rules_free(reloader.set[1]);
}

static void counts_restart(void **state)
{
	uint64_t counters[WYE_STEER_COUNTERS_MAX] = { 0 }, rules[WYE_RULES_MAX + 1] = { 0 };
	struct packet packet;

	packet_build(&packet, "4 10.0.1.2>10.0.2.2 udp 1>4000");
	xdp_lab_in_port(&lab, 0);
	for (int round = 0; round < 3; round++) {
		apply(table->rules[3], table->locals);
		for (int i = 0; i < 5; i++)
			xdp_lab_run(&lab, &packet, 6);
		memset(rules, 0, sizeof(rules));
		steer_xdp.count(rules, counters);
		assert_int_equal(rules[1], 5);
	}
}

static int open_lab(void **state)
{
	xdp_lab_open(&lab);
	return 0;
}

static int close_lab(void **state)
{
	xdp_lab_close(&lab);
	return 0;
}

int main(void)
{
#define IN_LAB(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)
	const struct CMUnitTest tests[] = {
		IN_LAB(fallbacks),     IN_LAB(every_case),	 IN_LAB(random_sets),	IN_LAB(punted_frames),
		IN_LAB(locals_change), IN_LAB(reload_is_atomic), IN_LAB(counts_restart),
	};
	int failures;

	setvbuf(stdout, NULL, _IOLBF, 0);
	xdp_lab_enter();
	table = table_load();
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	table_free(table);
	return failures;
}
