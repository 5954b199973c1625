/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Policy rules, for people and for one question. The views in the FIB mean what the kernel's rules mean as they are after
 * boot: local, then l3mdev where there are VRFs, then main, then (IPv4) default, all without selectors. Anything more,
 * less or in another order, and every packet of that family is the kernel's (WYE_PARITY_RULES).
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "mirror.h"

static bool is_l3mdev(const struct nl_rule *rule)
{
	return rule->says.flags & WYE_RULE_L3MDEV;
}

static const struct nl_rule *rule_of_table(const struct rule_table *rules, int f, uint32_t table)
{
	for (uint32_t i = 0; i < rules->n[f]; i++)
		if (rules->rule[f][i].rule.says.table == table && !is_l3mdev(&rules->rule[f][i].rule))
			return &rules->rule[f][i].rule;
	return NULL;
}

static bool plain(const struct nl_rule *rule)
{
	uint32_t table = rule->says.table;

	if (rule->special || rule->says.action != FR_ACT_TO_TBL)
		return false;
	return is_l3mdev(rule) || table == RT_TABLE_LOCAL || table == RT_TABLE_MAIN || table == RT_TABLE_DEFAULT;
}

/* Is this family's list what the views of main and of the VRFs stand for? If not, why not. */
static bool as_booted(const struct rule_table *rules, int f, bool have_vrf, char *why, size_t size)
{
	const struct nl_rule *local = rule_of_table(rules, f, RT_TABLE_LOCAL);
	const struct nl_rule *main_rule = rule_of_table(rules, f, RT_TABLE_MAIN);
	const struct nl_rule *last = rule_of_table(rules, f, RT_TABLE_DEFAULT);
	bool l3mdev = false;

	for (uint32_t i = 0; i < rules->n[f]; i++) {
		const struct nl_rule *rule = &rules->rule[f][i].rule;

		l3mdev |= is_l3mdev(rule);
		if (plain(rule) && !(is_l3mdev(rule) && main_rule && rule->says.priority >= main_rule->says.priority))
			continue;
		snprintf(why, size, "rule %u%s", rule->says.priority, is_l3mdev(rule) ? ": l3mdev behind table main" :
			 rule->special ? ", with a selector or option" : "");
		return false;
	}
	if (have_vrf && !l3mdev) {
		snprintf(why, size, "there are VRFs and no rule l3mdev");
		return false;
	}
	if (local && main_rule && local->says.priority < main_rule->says.priority &&
	    (f == 0 ? last && last->says.priority > main_rule->says.priority : !last))
		return true;
	snprintf(why, size, "tables local, main%s are not looked up in this order", f ? "" : ", default");
	return false;
}

static void judge(struct mirror *mirror, int f)
{
	const struct rule_table *rules = &mirror->rules;
	const struct parity_scope scope = { WYE_PARITY_RULES, 0, f ? WYE_PARITY_IP6 : WYE_PARITY_IP4 };
	bool there = f == 0 || rules->n[1] || access("/proc/sys/net/ipv6", F_OK) == 0;
	char why[64] = "";

	parity_set(mirror, f ? PARITY_RULES6 : PARITY_RULES4, scope,
		   there && !as_booted(rules, f, links_have_vrf(mirror), why, sizeof(why)), why);
}

void rules_judge(struct mirror *mirror)
{
	for (int f = 0; f < 2; f++)
		judge(mirror, f);
}

/* ---- the list ---- */

static void rule_write(struct mirror *mirror, struct rule_entry *entry)
{
	entry->record = region_alloc(&mirror->tables->region, WYE_SECTION_RULE, 1);
	if (entry->record)
		tables_write(mirror->tables, WYE_SECTION_RULE, entry->record, &entry->rule.says,
			     sizeof(entry->rule.says));
}

static void rule_add(struct mirror *mirror, int f, const struct nl_rule *rule)
{
	struct rule_table *rules = &mirror->rules;
	struct rule_entry *entry = &rules->rule[f][rules->n[f]++];

	entry->rule = *rule;
	entry->rule.says.order = ++rules->orders;
	rule_write(mirror, entry);
}

static void rule_drop(struct mirror *mirror, int f, uint32_t at)
{
	static const struct wye_policy_rule none;
	struct rule_table *rules = &mirror->rules;
	uint32_t record = rules->rule[f][at].record;

	if (record) {
		tables_write(mirror->tables, WYE_SECTION_RULE, record, &none, sizeof(none));
		region_free(&mirror->tables->region, WYE_SECTION_RULE, record, 1);
	}
	rules->n[f]--;
	memmove(&rules->rule[f][at], &rules->rule[f][at + 1], (rules->n[f] - at) * sizeof(rules->rule[f][0]));
}

void rules_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	struct rule_table *rules = &mirror->rules;
	struct nl_rule rule;
	uint32_t at;
	int f;

	if (!mirror_decoded(mirror, nl_decode_rule(msg, &rule), msg))
		return;
	/* A deletion under a dump leaves no trace of itself: such a list is asked for again. */
	if (!dumped && sync_dumping(&channel->sync) && channel->sync.job[0].class == CLASS_RULE)
		channel->dump_intr = true;
	f = rule.says.family == AF_INET6;
	for (at = 0; at < rules->n[f] && rules->rule[f][at].rule.hash != rule.hash; at++)
		;
	if (msg->nlmsg_type == RTM_DELRULE) {
		if (at < rules->n[f])
			rule_drop(mirror, f, at);
	} else {
		if (at == rules->n[f] && dumped && !audit_differs(mirror, channel, &rule.hash, sizeof(rule.hash)))
			return;
		if (at == rules->n[f] && at < RULES_MAX)
			rule_add(mirror, f, &rule);
		if (at < RULES_MAX)
			rules->rule[f][at].gen = channel->sync.gen;
	}
	if (dumped)
		return;
	judge(mirror, f);
	mirror->routes.ask = true; /* another table may have answered */
}

void rules_sweep(struct mirror *mirror, uint8_t family, uint32_t gen)
{
	struct rule_table *rules = &mirror->rules;
	int f = family == AF_INET6;

	for (uint32_t i = rules->n[f]; i-- > 0;)
		if (rules->rule[f][i].gen < gen && audit_differs(mirror, &mirror->channel[CHANNEL_LINK],
								 &rules->rule[f][i].rule.hash, sizeof(uint32_t)))
			rule_drop(mirror, f, i);
	judge(mirror, f);
}

void rules_republish(struct mirror *mirror)
{
	for (int f = 0; f < 2; f++)
		for (uint32_t i = 0; i < mirror->rules.n[f]; i++)
			rule_write(mirror, &mirror->rules.rule[f][i]);
}
