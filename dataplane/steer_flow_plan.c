/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules → rte_flow entries; see steer_flow_plan.h. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steer_flow_plan.h"
#include "wye_map.h"

struct planner {
	struct flow_plan *plan;
	const struct flow_can *can;
	const struct steer_port *port;
	bool full, no_memory;
};

static void add(struct planner *planner, const struct flow_entry *entry)
{
	struct flow_plan *plan = planner->plan;

	if (planner->port->no_family[entry->match.family == AF_INET6])
		return;
	if (plan->n >= planner->can->entries_max || plan->n >= FLOW_ENTRIES_MAX) {
		planner->full = true;
		return;
	}
	if (plan->n == plan->room) {
		size_t room = plan->room ? plan->room * 2 : 64;
		struct flow_entry *grown = realloc(plan->entry, room * sizeof(*grown));

		if (!grown) {
			planner->no_memory = true;
			return;
		}
		plan->entry = grown;
		plan->room = room;
	}
	plan->entry[plan->n++] = *entry;
}

/* ---- ports ---- */

struct blocks {		/* of a port range: value and mask each */
	uint32_t n;
	uint16_t value[FLOW_BLOCKS_MAX], mask[FLOW_BLOCKS_MAX];
};

static void any_port(struct blocks *blocks)
{
	blocks->n = 1;
	blocks->value[0] = blocks->mask[0] = 0;
}

/* The largest aligned power of two that begins at `from` and does not pass `last`; 1 without masks. */
static uint32_t block_size(uint32_t from, uint32_t last, bool masks)
{
	uint32_t size = 1;

	while (masks && !(from & size) && from + 2 * size - 1 <= last)
		size *= 2;
	return size;
}

/* False: the blocks accept more than the range does. */
static bool blocks_of(const struct wye_port_range *range, bool masks, struct blocks *blocks)
{
	any_port(blocks);
	if (!range->set || (range->first == 0 && range->last == 65535))
		return true;
	blocks->n = 0;
	for (uint32_t from = range->first; from <= range->last;) {
		uint32_t size = block_size(from, range->last, masks);

		if (blocks->n == FLOW_BLOCKS_MAX) {
			any_port(blocks);
			return false;
		}
		blocks->value[blocks->n] = (uint16_t)from;
		blocks->mask[blocks->n++] = (uint16_t)~(size - 1);
		from += size;
	}
	return true;
}

/* ---- a rule ---- */

/* One family and protocol of a rule, whose ports are given in *entry's stead. */
static void add_ports(struct planner *planner, const struct wye_rule *rule, struct flow_entry *entry)
{
	bool known = entry->match.ip_proto != IPPROTO_SCTP || planner->can->sctp;
	bool asks = rule->sport.set || rule->dport.set, exact = !asks || known;
	struct blocks sport, dport;

	any_port(&sport);
	any_port(&dport);
	if (asks && known) {
		exact &= blocks_of(&rule->sport, planner->can->port_masks, &sport);
		exact &= blocks_of(&rule->dport, planner->can->port_masks, &dport);
	}
	while (sport.n * dport.n > FLOW_BLOCKS_MAX) {
		any_port(sport.n > dport.n ? &sport : &dport);
		exact = false;
	}
	if (!entry->dataplane && !exact)
		return;
	for (uint32_t s = 0; s < sport.n; s++)
		for (uint32_t d = 0; d < dport.n; d++) {
			entry->match.sport = sport.value[s];
			entry->match.sport_mask = sport.mask[s];
			entry->match.dport = dport.value[d];
			entry->match.dport_mask = dport.mask[d];
			add(planner, entry);
		}
}

/* Ports without a protocol mean those that have some. */
static void add_protocols(struct planner *planner, const struct wye_rule *rule, struct flow_entry *entry)
{
	static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	bool each = (rule->sport.set || rule->dport.set) && !rule->proto_set;

	entry->match.proto_set = rule->proto_set || each;
	entry->match.ip_proto = rule->proto_set ? rule->ip_proto : 0;
	for (size_t i = 0; i < (each ? sizeof(with_ports) : 1); i++) {
		if (each)
			entry->match.ip_proto = with_ports[i];
		add_ports(planner, rule, entry);
	}
}

static bool has_ports(uint8_t ip_proto)
{
	return ip_proto == IPPROTO_TCP || ip_proto == IPPROTO_UDP || ip_proto == IPPROTO_SCTP;
}

/* Rules that match nothing here: of another port, of two families, with ports of a protocol that has none. */
static bool idle(const struct planner *planner, const struct wye_rule *rule)
{
	bool ports = rule->sport.set || rule->dport.set;

	return (rule->in_port >= 0 && rule->in_port != planner->port->config_index) ||
	       (rule->src.family && rule->dst.family && rule->src.family != rule->dst.family) ||
	       (ports && rule->proto_set && !has_ports(rule->ip_proto));
}

static void add_rule(struct planner *planner, const struct wye_rule *rule, struct flow_entry *entry)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	uint8_t family = rule->dst.family ? rule->dst.family : rule->src.family;

	if (idle(planner, rule) || (!entry->dataplane && !planner->can->grouped))
		return;
	entry->match.src = rule->src;
	entry->match.dst = rule->dst;
	for (size_t i = 0; i < sizeof(families); i++) {
		entry->match.family = families[i];
		if (!family || family == families[i])
			add_protocols(planner, rule, entry);
	}
}

/* ---- what is the kernel's whatever the rules say ---- */

static void add_locals(struct planner *planner, const struct steer_locals *locals)
{
	for (size_t i = 0; i < locals->n && i < FLOW_LOCALS_MAX; i++) {
		struct flow_entry entry = { .cause = FLOW_BY_GUARD };

		entry.match.family = entry.match.dst.family = locals->entry[i].family;
		entry.match.dst.len = locals->entry[i].prefix_len;
		memcpy(entry.match.dst.addr, locals->entry[i].addr, 16);
		add(planner, &entry);
	}
}

/* Sent to our MAC: neighbour discovery (130-137 and 143, as wye_steer_parse_l4() has it) and link-local traffic. */
static void add_guards(struct planner *planner)
{
	static const struct { uint8_t type, mask; } control[] = { { 130, 0xfe }, { 132, 0xfc }, { 136, 0xfe }, { 143, 0xff } };
	struct flow_entry entry = { .cause = FLOW_BY_GUARD, .match.family = AF_INET6 };

	entry.match.dst = (struct wye_prefix){ .family = AF_INET6, .len = 10, .addr = { 0xfe, 0x80 } };
	add(planner, &entry);
	memset(&entry.match.dst, 0, sizeof(entry.match.dst));
	entry.match.proto_set = 1;
	entry.match.ip_proto = IPPROTO_ICMPV6;
	for (size_t i = 0; planner->can->icmp6 && i < sizeof(control) / sizeof(control[0]); i++) {
		entry.match.icmp_type = control[i].type;
		entry.match.icmp_type_mask = control[i].mask;
		add(planner, &entry);
	}
}

static void add_default(struct planner *planner, bool dataplane, uint32_t priority)
{
	struct flow_entry entry = { .cause = FLOW_BY_DEFAULT, .dataplane = dataplane, .priority = priority };

	if (!dataplane && !planner->can->grouped)
		return;
	entry.match.family = AF_INET;
	add(planner, &entry);
	entry.match.family = AF_INET6;
	add(planner, &entry);
}

/* ---- the whole ---- */

/* The rule with the most entries, for the message. */
static uint32_t greediest(const struct flow_plan *plan, uint32_t n_rules)
{
	uint32_t count[WYE_RULES_MAX] = { 0 }, most = 0;

	for (size_t i = 0; i < plan->n; i++)
		if (plan->entry[i].cause >= 0)
			count[plan->entry[i].cause]++;
	for (uint32_t i = 0; i < n_rules; i++)
		if (count[i] > count[most])
			most = i;
	return most;
}

static int refuse(const struct planner *planner, const struct steer_rules *rules, char *why)
{
	uint32_t room = planner->can->entries_max < FLOW_ENTRIES_MAX ? planner->can->entries_max : FLOW_ENTRIES_MAX;

	if (planner->no_memory) {
		snprintf(why, WYE_WHY_BYTES, "%s: steering rules: %s", planner->port->netdev, strerror(ENOMEM));
		return ENOMEM;
	}
	snprintf(why, WYE_WHY_BYTES,
		 "%s: %u steering rules need more than the %u flow entries there is room for; the largest is rule \"%s\": "
		 "merge rules, or let port ranges begin and end at multiples of powers of two",
		 planner->port->netdev, rules->map_value.n_rules, room,
		 rules->rule[greediest(planner->plan, rules->map_value.n_rules)].name);
	return E2BIG;
}

/* With everything taken in no order, what a single rule takes makes no difference. */
static void plan_rules(struct planner *planner, const struct steer_rules *rules, bool all)
{
	for (uint32_t i = 0; i < rules->map_value.n_rules && !(all && !planner->can->grouped); i++) {
		struct flow_entry entry = {
			.cause = (int)i,
			.dataplane = rules->rule[i].action == WYE_ACTION_DATAPLANE,
			.priority = planner->can->grouped ? i + 1 : 0,
		};

		add_rule(planner, &rules->rule[i], &entry);
	}
	add_default(planner, all, planner->can->grouped ? rules->map_value.n_rules + 1 : 0);
}

struct flow_plan *flow_plan_make(const struct steer_rules *rules, const struct steer_locals *locals,
				 const struct steer_port *port, const struct flow_can *can, char *why)
{
	struct planner planner = { .plan = calloc(1, sizeof(*planner.plan)), .can = can, .port = port };
	int error;

	planner.no_memory = !planner.plan;
	if (planner.plan && can->grouped) {
		add_guards(&planner);
		add_locals(&planner, locals);
	}
	if (planner.plan)
		plan_rules(&planner, rules, rules->map_value.action[WYE_STEER_RULES] == WYE_ACTION_DATAPLANE);
	if (!planner.full && !planner.no_memory)
		return planner.plan;
	error = refuse(&planner, rules, why);
	flow_plan_free(planner.plan);
	errno = error;
	return NULL;
}

void flow_plan_free(struct flow_plan *plan)
{
	if (!plan)
		return;
	free(plan->entry);
	free(plan);
}
