/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules → bit vectors. For each field: which values make a difference, and for each of those the vector of rules that
 * accept it. Equal vectors share a class. At most 6,471 classes and 32,768 blocks a trie come of 1,024 rules, so
 * what wye_steer.h has room for always suffices.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "steer_private.h"

#define CLASS_BUCKETS (2 * WYE_STEER_CLASSES)

struct compiler {
	const struct wye_rule *rule;
	uint32_t n_rules;
	struct wye_steer_rules *out;
	uint32_t n_classes;
	uint16_t bucket[CLASS_BUCKETS];	/* class + 1, 0 = free */
};

static void vector_add(struct wye_steer_vector *vector, uint32_t rule)
{
	vector->word[rule / 64] |= 1ULL << rule % 64;
	vector->summary |= 1ULL << rule / 64;
}

/* The class of a vector: an equal one's, or a new one. */
static uint16_t class_of(struct compiler *compiler, const struct wye_steer_vector *vector)
{
	struct wye_steer_vector *all = compiler->out->vector;
	uint64_t hash = 0;
	uint32_t at;

	for (uint32_t w = 0; w < WYE_STEER_WORDS; w++)
		hash = (hash ^ vector->word[w]) * 0x9E3779B97F4A7C15ULL ^ hash >> 29;
	for (at = hash >> 50; compiler->bucket[at]; at = (at + 1) % CLASS_BUCKETS)
		if (!memcmp(&all[compiler->bucket[at] - 1], vector, sizeof(*vector)))
			return compiler->bucket[at] - 1;
	all[compiler->n_classes] = *vector;
	compiler->bucket[at] = ++compiler->n_classes;
	return compiler->n_classes - 1;
}

static uint16_t class_where(struct compiler *compiler, bool (*accepts)(const struct wye_rule *, uint32_t),
			    uint32_t value)
{
	struct wye_steer_vector vector = { 0 };

	for (uint32_t i = 0; i < compiler->n_rules; i++)
		if (accepts(&compiler->rule[i], value))
			vector_add(&vector, i);
	return class_of(compiler, &vector);
}

/* ---- fields of few values ---- */

static bool accepts_all(const struct wye_rule *rule, uint32_t value)
{
	return true;
}

static bool accepts_in_port(const struct wye_rule *rule, uint32_t in_port)
{
	return rule->in_port < 0 || (uint32_t)rule->in_port == in_port;
}

static bool has_ports(uint32_t ip_proto)
{
	return ip_proto == IPPROTO_TCP || ip_proto == IPPROTO_UDP || ip_proto == IPPROTO_SCTP;
}

/* A rule with ports wants a protocol that has some: its port fields need not be asked whether there are any. */
static bool accepts_proto(const struct wye_rule *rule, uint32_t ip_proto)
{
	if ((rule->sport.set || rule->dport.set) && !has_ports(ip_proto))
		return false;
	return !rule->proto_set || rule->ip_proto == ip_proto;
}

/* ---- ports ---- */

static bool range_accepts(const struct wye_port_range *range, uint32_t port)
{
	return !range->set || (range->first <= port && port <= range->last);
}

static bool accepts_sport(const struct wye_rule *rule, uint32_t port)
{
	return range_accepts(&rule->sport, port);
}

static bool accepts_dport(const struct wye_rule *rule, uint32_t port)
{
	return range_accepts(&rule->dport, port);
}

/* Only where some range begins or has just ended does the class change. */
static void compile_ports(struct compiler *compiler, bool (*accepts)(const struct wye_rule *, uint32_t), size_t range_at,
			  __u16 *out)
{
	static bool edge[65537];
	uint16_t class = 0;

	memset(edge, 0, sizeof(edge));
	edge[0] = true;
	for (uint32_t i = 0; i < compiler->n_rules; i++) {
		const struct wye_port_range *range =
			(const struct wye_port_range *)((const char *)&compiler->rule[i] + range_at);

		if (range->set)
			edge[range->first] = edge[range->last + 1] = true;
	}
	for (uint32_t port = 0; port < 65536; port++) {
		if (edge[port])
			class = class_where(compiler, accepts, port);
		out[port] = class;
	}
}

/* ---- addresses ---- */

static const struct wye_prefix *prefix_of(const struct wye_rule *rule, size_t prefix_at)
{
	return (const struct wye_prefix *)((const char *)rule + prefix_at);
}

static bool accepts_any_src(const struct wye_rule *rule, uint32_t value)
{
	return !rule->src.family;
}

static bool accepts_any_dst(const struct wye_rule *rule, uint32_t value)
{
	return !rule->dst.family;
}

static int compile_addresses(struct compiler *compiler, bool (*accepts_any)(const struct wye_rule *, uint32_t),
			     size_t prefix_at, struct wye_steer_trie *out)
{
	struct steer_trie_builder builder;
	int err = 0;

	steer_trie_init(&builder, out, class_where(compiler, accepts_any, 0));
	for (uint32_t len = 0; len <= 128; len++)
		for (uint32_t i = 0; i < compiler->n_rules && !err; i++) {
			const struct wye_prefix *prefix = prefix_of(&compiler->rule[i], prefix_at);
			struct wye_steer_vector vector;

			if (!prefix->family || prefix->len != len)
				continue;
			vector = compiler->out->vector[steer_trie_get(&builder, prefix)];
			vector_add(&vector, i);
			err = steer_trie_set(&builder, prefix, class_of(compiler, &vector));
		}
	return err;
}

/* ---- the whole ---- */

static uint32_t fields_of(const struct wye_rule *rule)
{
	bool ports = rule->sport.set || rule->dport.set;

	return (rule->in_port >= 0 ? WYE_STEER_F_IN : 0) | (rule->src.family ? WYE_STEER_F_SRC : 0) |
	       (rule->dst.family ? WYE_STEER_F_DST : 0) | (rule->proto_set || ports ? WYE_STEER_F_PROTO : 0) |
	       (rule->sport.set ? WYE_STEER_F_SPORT : 0) | (rule->dport.set ? WYE_STEER_F_DPORT : 0);
}

static int compile(struct compiler *compiler)
{
	struct wye_steer_rules *out = compiler->out;
	int err = 0;

	out->n_rules = compiler->n_rules;
	for (uint32_t i = 0; i < compiler->n_rules; i++) {
		out->fields |= fields_of(&compiler->rule[i]);
		out->action[i] = compiler->rule[i].action;
	}
	class_where(compiler, accepts_all, 0);	/* class 0: also what a table nobody fills leads to */
	for (uint32_t i = 0; out->fields & WYE_STEER_F_IN && i < WYE_STEER_PORTS; i++)
		out->in_port[i] = class_where(compiler, accepts_in_port, i);
	for (uint32_t i = 0; out->fields & WYE_STEER_F_PROTO && i < 256; i++)
		out->proto[i] = class_where(compiler, accepts_proto, i);
	if (out->fields & WYE_STEER_F_SPORT)
		compile_ports(compiler, accepts_sport, offsetof(struct wye_rule, sport), out->sport);
	if (out->fields & WYE_STEER_F_DPORT)
		compile_ports(compiler, accepts_dport, offsetof(struct wye_rule, dport), out->dport);
	if (out->fields & WYE_STEER_F_SRC)
		err = compile_addresses(compiler, accepts_any_src, offsetof(struct wye_rule, src), &out->src);
	if (out->fields & WYE_STEER_F_DST && !err)
		err = compile_addresses(compiler, accepts_any_dst, offsetof(struct wye_rule, dst), &out->dst);
	return err;
}

struct steer_rules *steer_compile(const struct wye_config *config)
{
	struct compiler *compiler;
	struct steer_rules *rules;
	int err;

	if (config->n_rules > WYE_RULES_MAX) {
		errno = E2BIG;
		return NULL;
	}
	rules = calloc(1, sizeof(*rules));
	compiler = calloc(1, sizeof(*compiler));
	if (!rules || !compiler) {
		err = -ENOMEM;
		goto out;
	}
	compiler->rule = config->rule;
	compiler->n_rules = config->n_rules;
	compiler->out = &rules->map_value;
	rules->map_value.action[WYE_STEER_RULES] = config->default_action;
	if (config->n_rules)
		memcpy(rules->rule, config->rule, config->n_rules * sizeof(*config->rule));
	err = compile(compiler);
out:
	free(compiler);
	if (err) {
		free(rules);
		errno = -err;
		return NULL;
	}
	return rules;
}

void steer_rules_free(struct steer_rules *rules)
{
	free(rules);
}
