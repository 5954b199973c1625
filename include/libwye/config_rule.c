/* SPDX-License-Identifier: BSD-3-Clause */
/* Steering rules of the configuration file: names, prefixes, protocols, port ranges, and how they go together. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

static const struct {
	const char *name;
	uint8_t ip_proto;
} protocols[] = {
	{ "tcp", IPPROTO_TCP },	    { "udp", IPPROTO_UDP }, { "icmp", IPPROTO_ICMP }, { "icmp6", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP },   { "esp", IPPROTO_ESP }, { "gre", IPPROTO_GRE },
};

/* One rule under way: where its match keys stand. */
struct rule_parse {
	struct config_parse *parse;
	yaml_node_t *node, *match;
	struct wye_rule *rule;
};

#define RULE_PROBLEM(r, key, ...) rule_problem(r, config_key((r)->parse, (r)->match, key), __VA_ARGS__)

static void rule_problem(const struct rule_parse *r, const yaml_node_t *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void rule_problem(const struct rule_parse *r, const yaml_node_t *node, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	config_problem(r->parse, node ? node->start_mark : r->node->start_mark, "steering rule \"%s\": %s",
		       config_quote(r->rule->name, strlen(r->rule->name)), what);
}

static const char *quote(const char *text)
{
	return config_quote(text, strlen(text));
}

/* A decimal number of at most `limit`, and nothing else in [text, end). -1: it is not. */
static long decimal(const char *text, const char *end, long limit)
{
	long value = 0;

	if (text == end || (text[0] == '0' && text + 1 != end))
		return -1;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
		if (value > limit)
			return -1;
	}
	return value;
}

/* Zeroes what lies behind the prefix. True if anything did. */
static bool clear_host_bits(struct wye_prefix *prefix)
{
	bool any = false;

	for (unsigned int bit = prefix->len; bit < (prefix->family == AF_INET ? 32u : 128u); bit++) {
		uint8_t mask = (uint8_t)(0x80u >> (bit & 7));

		any |= prefix->addr[bit >> 3] & mask;
		prefix->addr[bit >> 3] &= (uint8_t)~mask;
	}
	return any;
}

static const char *prefix_text(const struct wye_prefix *prefix, char text[static INET6_ADDRSTRLEN + 4])
{
	inet_ntop(prefix->family, prefix->addr, text, INET6_ADDRSTRLEN);
	snprintf(text + strlen(text), 5, "/%u", prefix->len);
	return text;
}

static void check_prefix(const struct rule_parse *r, const char *key, const char *text, struct wye_prefix *prefix)
{
	const char *slash = strchr(text, '/');
	size_t addr_len = slash ? (size_t)(slash - text) : strlen(text);
	char addr[INET6_ADDRSTRLEN] = "", meant[INET6_ADDRSTRLEN + 4];
	long most, len;

	prefix->family = memchr(text, ':', addr_len) ? AF_INET6 : AF_INET;
	most = prefix->family == AF_INET ? 32 : 128;
	if (addr_len < sizeof(addr))
		memcpy(addr, text, addr_len);
	if (inet_pton(prefix->family, addr, prefix->addr) != 1) {
		RULE_PROBLEM(r, key, "%s \"%s\": expected an IPv4 or IPv6 prefix such as 192.0.2.0/24 or 2001:db8::/32",
			     key, quote(text));
		return;
	}
	len = slash ? decimal(slash + 1, slash + strlen(slash), most) : most;
	if (len < 0) {
		RULE_PROBLEM(r, key, "%s \"%s\": prefix lengths are 0-%ld", key, quote(text), most);
		return;
	}
	prefix->len = (uint8_t)len;
	if (clear_host_bits(prefix))
		RULE_PROBLEM(r, key, "%s \"%s\": bits are set behind the prefix; did you mean %s?", key, quote(text),
			     prefix_text(prefix, meant));
}

static void check_in(const struct rule_parse *r, const char *name, const struct wye_config *config)
{
	const char *names[WYE_PORTS_MAX + 1] = { NULL }, *nearest;

	for (size_t i = 0; i < config->n_ports; i++) {
		names[i] = config->port[i].netdev;
		if (!strcmp(names[i], name)) {
			r->rule->in_port = (int)i;
			return;
		}
	}
	nearest = config_nearest(name, names);
	RULE_PROBLEM(r, "in", "in \"%s\": no port has this netdev%s%s%s; list it under ports", quote(name),
		     nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"" : "");
}

static void check_proto(const struct rule_parse *r, const char *text)
{
	long number = decimal(text, text + strlen(text), 255);

	for (size_t i = 0; number < 0 && i < CYAML_ARRAY_LEN(protocols); i++)
		if (!strcmp(protocols[i].name, text))
			number = protocols[i].ip_proto;
	if (number < 0) {
		RULE_PROBLEM(r, "proto", "proto \"%s\": expected tcp, udp, icmp, icmp6, sctp, esp, gre or a number 0-255",
			     quote(text));
		return;
	}
	r->rule->proto_set = true;
	r->rule->ip_proto = (uint8_t)number;
}

static void check_range(const struct rule_parse *r, const char *key, const char *text, struct wye_port_range *range)
{
	const char *dash = strchr(text, '-'), *end = text + strlen(text);
	long first = decimal(text, dash ? dash : end, 65535);
	long last = dash ? decimal(dash + 1, end, 65535) : first;

	if (first < 0 || last < 0) {
		RULE_PROBLEM(r, key, "%s \"%s\": ports are 0-65535, a range is written 4000-4999", key, quote(text));
		return;
	}
	if (first > last) {
		RULE_PROBLEM(r, key, "%s \"%s\": the range ends before it starts; did you mean %ld-%ld?", key,
			     quote(text), last, first);
		return;
	}
	*range = (struct wye_port_range){ true, (uint16_t)first, (uint16_t)last };
}

static bool has_ports(uint8_t ip_proto)
{
	return ip_proto == IPPROTO_TCP || ip_proto == IPPROTO_UDP || ip_proto == IPPROTO_SCTP;
}

/* Rules that could never match are mistakes. */
static void check_together(const struct rule_parse *r, const struct raw_match *raw)
{
	const struct wye_rule *rule = r->rule;
	const char *port_key = raw->dport ? "dport" : "sport";
	uint8_t family = rule->src.family ? rule->src.family : rule->dst.family;

	if ((raw->sport || raw->dport) && !raw->proto)
		RULE_PROBLEM(r, port_key, "%s needs proto tcp, udp or sctp; add it", port_key);
	else if ((raw->sport || raw->dport) && rule->proto_set && !has_ports(rule->ip_proto))
		RULE_PROBLEM(r, port_key, "%s: proto %s has no ports; expected tcp, udp or sctp", port_key,
			     quote(raw->proto));
	if (rule->src.family && rule->dst.family && rule->src.family != rule->dst.family)
		RULE_PROBLEM(r, "dst", "src is %s, dst is %s: no packet has both; write two rules",
			     rule->src.family == AF_INET ? "IPv4" : "IPv6",
			     rule->dst.family == AF_INET ? "IPv4" : "IPv6");
	else if (raw->proto && family == AF_INET && !strcmp(raw->proto, "icmp6"))
		RULE_PROBLEM(r, "proto", "proto icmp6 with an IPv4 prefix never matches; did you mean icmp?");
	else if (raw->proto && family == AF_INET6 && !strcmp(raw->proto, "icmp"))
		RULE_PROBLEM(r, "proto", "proto icmp with an IPv6 prefix never matches; did you mean icmp6?");
}

static void check_name(const struct rule_parse *r, const struct wye_config *config)
{
	yaml_node_t *node = config_key(r->parse, r->node, "name");

	for (const char *at = r->rule->name; *at; at++)
		if (*at <= ' ' || *at >= 127 || *at == '"' || *at == '\\') {
			rule_problem(r, node, "a name has printable ASCII characters, no blanks, '\"' or '\\'");
			break;
		}
	for (size_t i = 0; i < config->n_rules; i++)
		if (!strcmp(config->rule[i].name, r->rule->name)) {
			rule_problem(r, node, "name already used by the rule on line %u; choose another",
				     config->rule[i].line);
			break;
		}
}

/* Appends to the rule's one line; what does not fit ends in "...". */
static void text_add(struct wye_rule *rule, const char *key, const char *value)
{
	size_t used = strlen(rule->text), room = sizeof(rule->text) - used;

	if ((size_t)snprintf(rule->text + used, room, "%s%s %s", used ? " " : "", key, value) >= room)
		strcpy(rule->text + sizeof(rule->text) - 4, "...");
}

static void text_range(struct wye_rule *rule, const char *key, const struct wye_port_range *range)
{
	char text[16];

	if (range->set) {
		snprintf(text, sizeof(text), range->first == range->last ? "%u" : "%u-%u", range->first, range->last);
		text_add(rule, key, text);
	}
}

static void rule_text(struct wye_rule *rule, const struct wye_config *config)
{
	char text[INET6_ADDRSTRLEN + 4];

	if (rule->in_port >= 0)
		text_add(rule, "in", config->port[rule->in_port].netdev);
	if (rule->src.family)
		text_add(rule, "src", prefix_text(&rule->src, text));
	if (rule->dst.family)
		text_add(rule, "dst", prefix_text(&rule->dst, text));
	if (rule->proto_set) {
		snprintf(text, sizeof(text), "%u", rule->ip_proto);
		for (size_t i = 0; i < CYAML_ARRAY_LEN(protocols); i++)
			if (protocols[i].ip_proto == rule->ip_proto)
				strcpy(text, protocols[i].name);
		text_add(rule, "proto", text);
	}
	text_range(rule, "sport", &rule->sport);
	text_range(rule, "dport", &rule->dport);
	if (!rule->text[0])
		strcpy(rule->text, "any");
}

static void check_rule(struct rule_parse *r, const struct raw_rule *raw, const struct wye_config *config)
{
	struct wye_rule *rule = r->rule;

	snprintf(rule->name, sizeof(rule->name), "%s", raw->name);
	rule->action = raw->action;
	rule->line = (uint32_t)r->node->start_mark.line + 1;
	rule->in_port = -1;
	check_name(r, config);
	if (raw->match.in)
		check_in(r, raw->match.in, config);
	if (raw->match.src)
		check_prefix(r, "src", raw->match.src, &rule->src);
	if (raw->match.dst)
		check_prefix(r, "dst", raw->match.dst, &rule->dst);
	if (raw->match.proto)
		check_proto(r, raw->match.proto);
	if (raw->match.sport)
		check_range(r, "sport", raw->match.sport, &rule->sport);
	if (raw->match.dport)
		check_range(r, "dport", raw->match.dport, &rule->dport);
	check_together(r, &raw->match);
	rule_text(rule, config);
}

int config_check_rules(struct config_parse *parse, const struct raw *raw, struct wye_config *config)
{
	yaml_node_t *steering = config_key(parse, yaml_document_get_root_node(&parse->doc), "steering");
	yaml_node_t *rules = config_key(parse, steering, "rules");

	config->default_action =
		raw->steering.default_action ? *raw->steering.default_action : WYE_ACTION_KERNEL;
	config->rule = calloc(raw->steering.rules_count + 1, sizeof(*config->rule));
	if (!config->rule)
		return -ENOMEM;
	for (uint32_t i = 0; i < raw->steering.rules_count && !config_gave_up(parse); i++) {
		yaml_node_t *node = config_item(parse, rules, i);
		struct rule_parse r = { parse, node, config_key(parse, node, "match"), &config->rule[i] };

		check_rule(&r, &raw->steering.rules[i], config);
		config->n_rules++;
	}
	return 0;
}
