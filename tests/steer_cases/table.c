/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of cases.h made ready; see table.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cases.h"
#include "table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void __attribute__((noreturn)) wrong(const char *what, const char *text)
{
	fprintf(stderr, "cases.h: %s: %s\n", what, text);
	exit(1);
}

static const char *const counter_name[] = {
#define X(name, text) #name,
	WYE_STEER_COUNTERS(X)
#undef X
};

const char *table_verdict_name(uint32_t verdict)
{
	static char name[32];
	size_t i = 0;

	if (verdict >= WYE_STEER_COUNTER_COUNT)
		return "kernel by rule";
	for (; counter_name[verdict][i] && i < sizeof(name) - 1; i++)
		name[i] = tolower(counter_name[verdict][i]);
	name[i] = 0;
	return name;
}

static struct wye_config *load_set(const struct steer_case_set *set)
{
	struct wye_config *config = NULL;
	char text[4096];
	int len = snprintf(text, sizeof(text),
			   "ports: [ { netdev: p0 }, { netdev: p1 }, { netdev: p2 } ]\nsteering:\n%s", set->steering);

	if (wye_config_parse(set->name, text, len, &config, stderr))
		wrong("set is no configuration", set->name);
	return config;
}

static uint32_t rule_index(const struct wye_config *config, const char *name)
{
	if (!strcmp(name, "default"))
		return WYE_STEER_RULES;
	for (size_t i = 0; i < config->n_rules; i++)
		if (!strcmp(config->rule[i].name, name))
			return i;
	wrong("no such rule", name);
}

static void expect(struct table_case *test, const struct wye_config *config, const char *expected)
{
	char verdict[16], name[32];

	if (sscanf(expected, "%15s %31s", verdict, name) != 2)
		wrong("not VERDICT NAME", expected);
	if (strcmp(verdict, "guard")) {
		test->verdict = strcmp(verdict, "taken") ? STEER_BY_RULE : WYE_STEER_TAKEN;
		test->rule = rule_index(config, name);
		return;
	}
	for (test->verdict = 1; test->verdict < WYE_STEER_COUNTER_COUNT; test->verdict++)
		if (!strcasecmp(counter_name[test->verdict], name))
			return;
	wrong("no such guard", name);
}

static void load_case(struct table *table, size_t i)
{
	const struct steer_case *from = &steer_case[i];
	struct table_case *test = &table->test[i];

	test->text = from->packet;
	for (test->set = 0; strcmp(steer_case_set[test->set].name, from->set); test->set++)
		if (test->set == COUNT(steer_case_set) - 1)
			wrong("no such set", from->set);
	if (packet_build(&test->packet, from->packet))
		wrong("no packet", from->packet);
	expect(test, table->config[test->set], from->expected);
}

static void load_local(struct table *table, size_t i, struct steer_local *list)
{
	struct model_local *local = &table->local[i];
	char text[64], *slash;

	snprintf(text, sizeof(text), "%s", steer_case_local[i]);
	slash = strchr(text, '/');
	*slash = 0;
	local->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	local->prefix_len = atoi(slash + 1);
	if (inet_pton(local->family, text, local->addr) != 1)
		wrong("no prefix", steer_case_local[i]);
	list[i] = (struct steer_local){ .family = local->family, .prefix_len = local->prefix_len };
	memcpy(list[i].addr, local->addr, 16);
}

struct table *table_load(void)
{
	struct table *table = calloc(1, sizeof(*table));
	struct steer_local list[COUNT(steer_case_local)];

	table->n_sets = COUNT(steer_case_set);
	table->n_cases = COUNT(steer_case);
	table->n_locals = COUNT(steer_case_local);
	table->test = calloc(table->n_cases, sizeof(*table->test));
	table->local = calloc(table->n_locals, sizeof(*table->local));
	for (size_t i = 0; i < table->n_sets; i++) {
		table->config[i] = load_set(&steer_case_set[i]);
		table->rules[i] = steer_compile(table->config[i]);
	}
	for (size_t i = 0; i < table->n_cases; i++)
		load_case(table, i);
	for (size_t i = 0; i < table->n_locals; i++)
		load_local(table, i, list);
	table->locals = steer_locals_from(list, table->n_locals);
	return table;
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->n_sets; i++) {
		wye_config_free(table->config[i]);
		steer_rules_free(table->rules[i]);
	}
	steer_locals_free(table->locals);
	free(table->test);
	free(table->local);
	free(table);
}
