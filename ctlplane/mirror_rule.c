/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Policy rules. The main view of the FIB means what the kernel's rules mean as they are after boot: local, then l3mdev
 * where there are VRFs, then main, then (IPv4) default, all without selectors. Anything more, less or in another order,
 * and every packet of that family is the kernel's (WYE_PARITY_RULES).
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "mirror.h"

static const struct nl_rule *rule_of_table(const struct rule_table *rules, int f, uint32_t table)
{
	for (uint32_t i = 0; i < rules->n[f]; i++)
		if (rules->rule[f][i].rule.table == table && !rules->rule[f][i].rule.l3mdev)
			return &rules->rule[f][i].rule;
	return NULL;
}

static bool plain(const struct nl_rule *rule)
{
	if (rule->special || rule->action != FR_ACT_TO_TBL)
		return false;
	return rule->l3mdev || rule->table == RT_TABLE_LOCAL || rule->table == RT_TABLE_MAIN ||
	       rule->table == RT_TABLE_DEFAULT;
}

/* Is this family's list what the main view stands for? If not, why not. */
static bool as_booted(const struct rule_table *rules, int f, char *why, size_t size)
{
	const struct nl_rule *local = rule_of_table(rules, f, RT_TABLE_LOCAL);
	const struct nl_rule *main_rule = rule_of_table(rules, f, RT_TABLE_MAIN);
	const struct nl_rule *last = rule_of_table(rules, f, RT_TABLE_DEFAULT);

	for (uint32_t i = 0; i < rules->n[f]; i++) {
		const struct nl_rule *rule = &rules->rule[f][i].rule;

		if (plain(rule) && !(rule->l3mdev && main_rule && rule->priority >= main_rule->priority))
			continue;
		snprintf(why, size, "rule %u%s", rule->priority, rule->l3mdev ? ": l3mdev behind table main" :
			 rule->special ? ", with a selector or option" : "");
		return false;
	}
	if (local && main_rule && local->priority < main_rule->priority &&
	    (f == 0 ? last && last->priority > main_rule->priority : !last))
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

	parity_set(mirror, f ? PARITY_RULES6 : PARITY_RULES4, scope, there && !as_booted(rules, f, why, sizeof(why)), why);
}

static void rule_drop(struct rule_table *rules, int f, uint32_t at)
{
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
	f = rule.family == AF_INET6;
	for (at = 0; at < rules->n[f] && rules->rule[f][at].rule.hash != rule.hash; at++)
		;
	if (msg->nlmsg_type == RTM_DELRULE) {
		if (at < rules->n[f])
			rule_drop(rules, f, at);
	} else {
		if (at == rules->n[f] && dumped && !audit_differs(mirror, channel, &rule.hash, sizeof(rule.hash)))
			return;
		if (at == rules->n[f] && at < RULES_MAX)
			rules->rule[f][rules->n[f]++].rule = rule;
		if (at < RULES_MAX)
			rules->rule[f][at].gen = channel->sync.gen;
	}
	if (!dumped)
		judge(mirror, f);
}

void rules_sweep(struct mirror *mirror, uint8_t family, uint32_t gen)
{
	struct rule_table *rules = &mirror->rules;
	int f = family == AF_INET6;

	for (uint32_t i = rules->n[f]; i-- > 0;)
		if (rules->rule[f][i].gen < gen && audit_differs(mirror, &mirror->channel[CHANNEL_LINK],
								 &rules->rule[f][i].rule.hash, sizeof(uint32_t)))
			rule_drop(rules, f, i);
	judge(mirror, f);
}
