/* SPDX-License-Identifier: BSD-3-Clause */
/* wye show rule: policy rules as ip(8) writes them (print_rule() of iproute2 6.1). */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "names.h"
#include "wye.h"

struct rules {
	struct wye_policy_rule *rule;	/* owned; as the kernel asks them */
	size_t n;
};

/* ---- JSON and text at once ---- */

static void say_text(struct out *out, const char *key, const char *format, const char *value)
{
	out_str(out, key, value);
	out_printf(out, format, value);
}

static void say_number(struct out *out, const char *key, const char *format, uint32_t value)
{
	out_uint(out, key, value);
	out_printf(out, format, value);
}

static void say_word(struct out *out, const char *key, const char *text)
{
	out_null(out, key);
	out_puts(out, text);
}

static void say_prefix(struct out *out, const struct wye_policy_rule *rule, const char *name, const char *keyword,
		       const uint8_t *addr, uint8_t len)
{
	uint8_t host = rule->family == AF_INET6 ? 128 : 32;
	char buf[WYE_NAME_BYTES], key[8];

	out_puts(out, keyword);
	say_text(out, name, "%s", name_address(rule->family, addr, buf));
	snprintf(key, sizeof(key), "%slen", name);
	if (len != host)
		say_number(out, key, "/%u", len);
}

/* The kernel tells of neither: a device or a rule that comes or goes is no message about this rule. */
static bool detached(const struct view *view, const char *link)
{
	return !view_link_named(view, link);
}

static bool has_target(const struct rules *rules, const struct wye_policy_rule *rule)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->rule[i].family == rule->family && rules->rule[i].priority == rule->goto_priority)
			return true;
	return false;
}

static void say_link(struct tool *tool, const char *name, const char *link)
{
	char key[16];

	if (!link[0])
		return;
	out_str(&tool->out, name, link);
	out_printf(&tool->out, " %s %s", name, link);
	snprintf(key, sizeof(key), "%s_detached", name);
	if (detached(&tool->view, link))
		say_word(&tool->out, key, " [detached]");
}

static void say_mark(struct out *out, const struct wye_policy_rule *rule)
{
	char buf[32];

	if (!rule->fwmark && !rule->fwmask)
		return;
	snprintf(buf, sizeof(buf), "%#x", rule->fwmark);
	say_text(out, "fwmark", " fwmark %s", rule->fwmark ? buf : "0");
	snprintf(buf, sizeof(buf), "%#x", rule->fwmask);
	if (rule->fwmask != UINT32_MAX)
		say_text(out, "fwmask", "/%s", rule->fwmask ? buf : "0");
}

static void say_ports(struct out *out, const char *name, const uint16_t range[2])
{
	char key[16];

	if (!range[0] && !range[1])
		return;
	out_printf(out, " %s", name);
	if (range[0] == range[1]) {
		say_number(out, name, " %u", range[0]);
		return;
	}
	snprintf(key, sizeof(key), "%s_start", name);
	say_number(out, key, " %u", range[0]);
	snprintf(key, sizeof(key), "%s_end", name);
	say_number(out, key, "-%u", range[1]);
}

static void say_tun_id(struct out *out, const uint8_t id[8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | id[i];
	if (!value)
		return;
	out_uint(out, "tun_id", value);
	out_printf(out, " tun_id %llu", (unsigned long long)value);
}

static void say_ip_proto(struct out *out, uint8_t number)
{
	const struct protoent *entry = number ? getprotobynumber(number) : NULL;
	char buf[WYE_NAME_BYTES];

	snprintf(buf, sizeof(buf), "ipproto-%u", number);
	if (number)
		say_text(out, "ipproto", " ipproto %s", entry ? entry->p_name : buf);
}

static void say_selectors(struct tool *tool, const struct wye_policy_rule *rule)
{
	struct out *out = &tool->out;
	char buf[WYE_NAME_BYTES];

	if (rule->flags & WYE_RULE_NOT)
		say_word(out, "not", "not ");
	if (rule->src_len)
		say_prefix(out, rule, "src", "from ", rule->src, rule->src_len);
	else
		say_text(out, "src", "from %s", "all");
	if (rule->dst_len)
		say_prefix(out, rule, "dst", " to ", rule->dst, rule->dst_len);
	snprintf(buf, sizeof(buf), "0x%02x", rule->tos);
	if (rule->tos)
		say_text(out, "tos", " tos %s", buf);
	say_mark(out, rule);
	say_link(tool, "iif", rule->iif);
	say_link(tool, "oif", rule->oif);
	if (rule->flags & WYE_RULE_L3MDEV)
		say_word(out, "l3mdev", " lookup [l3mdev-table]");
	if (rule->flags & WYE_RULE_UID) {
		say_number(out, "uid_start", " uidrange %u", rule->uid[0]);
		say_number(out, "uid_end", "-%u", rule->uid[1]);
	}
	say_ip_proto(out, rule->ip_proto);
	say_ports(out, "sport", rule->sport);
	say_ports(out, "dport", rule->dport);
	say_tun_id(out, rule->tun_id);
	if (rule->flags & WYE_RULE_MORE)
		say_word(out, "more", " more");
}

/* ---- what it does ---- */

static void say_table(struct out *out, const struct wye_policy_rule *rule)
{
	char buf[WYE_NAME_BYTES];

	if (!rule->table)
		return;
	say_text(out, "table", " lookup %s", name_table(rule->table, buf));
	if (rule->suppress_prefix_len != -1)
		say_number(out, "suppress_prefixlen", " suppress_prefixlength %u",
			   (uint32_t)rule->suppress_prefix_len);
	if (rule->suppress_group != -1)
		say_text(out, "suppress_ifgroup", " suppress_ifgroup %s",
			 name_group((uint32_t)rule->suppress_group, buf));
}

static void say_realms(struct out *out, uint32_t realms)
{
	char buf[16];

	if (!realms)
		return;
	out_puts(out, " realms ");
	snprintf(buf, sizeof(buf), "%u", realms >> 16);
	if (realms >> 16)
		say_text(out, "flow_from", "%s/", buf);
	snprintf(buf, sizeof(buf), "%u", realms & 0xffff);
	say_text(out, "flow_to", "%s", buf);
}

static void say_action(struct out *out, const struct rules *rules, const struct wye_policy_rule *rule)
{
	char buf[WYE_NAME_BYTES];

	say_table(out, rule);
	say_realms(out, rule->realms);
	switch (rule->action) {
	case FR_ACT_TO_TBL:
		break;
	case FR_ACT_GOTO:
		say_number(out, "goto", " goto %u", rule->goto_priority);
		if (!has_target(rules, rule))
			say_word(out, "unresolved", " unresolved");
		break;
	case FR_ACT_NOP:
		say_word(out, "nop", " nop");
		break;
	default:
		say_text(out, "action", " %s", name_route_type(rule->action, buf));
	}
	if (rule->protocol && rule->protocol != RTPROT_KERNEL)
		say_text(out, "protocol", " proto %s", name_protocol(rule->protocol, buf));
}

/* ---- the list ---- */

static int by_turn(const void *a, const void *b)
{
	const struct wye_policy_rule *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool read_rules(struct view *view, uint8_t family, struct rules *rules)
{
	uint32_t used = view_used(view, WYE_SECTION_RULE);

	rules->rule = calloc(used ? used : 1, sizeof(*rules->rule));
	if (!rules->rule)
		return false;
	for (uint32_t i = 1; i < used; i++) {
		const struct wye_policy_rule *record = view_record(view, WYE_SECTION_RULE, i);
		struct wye_policy_rule *copy = &rules->rule[rules->n];

		if (!view_read(view, &record->seq, record, copy, sizeof(*copy)) || copy->family != family)
			continue;
		copy->iif[15] = copy->oif[15] = '\0';
		rules->n++;
	}
	qsort(rules->rule, rules->n, sizeof(*rules->rule), by_turn);
	return true;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct rules rules = { 0 };
	struct out *out = &tool->out;
	int err = no_arguments(tool, argc, argv);

	err = err ? err : view_tables(&tool->view);
	if (err)
		return err;
	if (!read_rules(&tool->view, tool->family ? (uint8_t)tool->family : AF_INET, &rules))
		return failure(tool, WYE_EXIT_ERROR, "out of memory");
	out_array(out, NULL);
	for (size_t i = 0; i < rules.n; i++) {
		out_object(out, NULL);
		say_number(out, "priority", "%u:\t", rules.rule[i].priority);
		say_selectors(tool, &rules.rule[i]);
		say_action(out, &rules, &rules.rule[i]);
		out_object_end(out);
		out_puts(out, "\n");
	}
	out_array_end(out);
	free(rules.rule);
	return WYE_EXIT_OK;
}

const struct command cmd_rule = {
	.name = "rule",
	.summary = "policy rules; more than the kernel's own keep all packets with it",
	.arguments = "",
	.help = "IPv4 unless -6. JSON: the keys of `ip -j rule`; \"more\" stands for a selector this version does not know.\n",
	.run = run,
};
