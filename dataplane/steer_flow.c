/* SPDX-License-Identifier: BSD-3-Clause */
/* The rte_flow backend; see steer_flow.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "steer_flow.h"
#include "wye_map.h"

struct placed {		/* an entry on the device */
	struct flow_entry entry;
	void *handle;
};

struct flow_set {
	size_t n;
	struct placed *placed;	/* owned */
	uint8_t mac[6];		/* flat: what its entries match */
	uint32_t group;		/* grouped: 1 or 2 */
	uint32_t jump_priority;	/* 0 or 1 */
	void *jump[2];		/* by family; NULL = none */
};

struct flow_port {
	bool attached, enabled;
	struct steer_port port;
	const struct flow_ops *ops;
	struct flow_can can;
	struct flow_plan *plan;		/* wanted; owned */
	struct flow_set *set;		/* on the device; NULL = nothing is */
	struct flow_set *staged;	/* about to replace set */
	uint64_t kernel_hits[WYE_RULES_MAX + 1];	/* of entries that are gone; last: the default */
};

static struct flow_port flow_port[WYE_PORTS_MAX];
static const struct steer_rules *current_rules;
static const struct steer_locals *current_locals;
static bool dead;	/* workers stand still: nothing may be on the devices */

/* ---- one entry ---- */

static void drop_placed(struct flow_port *port, struct placed *placed)
{
	int hits = placed->entry.cause == FLOW_BY_DEFAULT ? (int)WYE_RULES_MAX : placed->entry.cause;

	if (hits >= 0 && !placed->entry.dataplane)
		port->kernel_hits[hits] += port->ops->packets(port->port.dpdk_port, placed->handle);
	(void)port->ops->destroy(port->port.dpdk_port, placed->handle);
	placed->handle = NULL;
}

static int place_entry(struct flow_port *port, const struct flow_set *set, const struct flow_entry *entry,
		       struct placed *to, char *why)
{
	struct flow_place place = {
		.dpdk_port = port->port.dpdk_port,
		.group = set->group,
		.priority = entry->priority,
		.mac = port->can.grouped ? NULL : set->mac,
	};

	*to = (struct placed){ .entry = *entry, .handle = port->ops->create(&place, entry, why) };
	return to->handle ? 0 : -EIO;
}

/* ---- sets ---- */

static int compare_entries(const void *a, const void *b)
{
	const struct flow_entry *x = a, *y = b;
	int order = memcmp(&x->match, &y->match, sizeof(x->match));

	return order ? order : (x->cause > y->cause) - (x->cause < y->cause);
}

/* A flat device asks in no order, so the entries may be sorted; of equal ones the first rule's counts. */
static void sort_flat(struct flow_plan *plan)
{
	size_t kept = 0;

	qsort(plan->entry, plan->n, sizeof(*plan->entry), compare_entries);
	for (size_t i = 0; i < plan->n; i++)
		if (!kept || memcmp(&plan->entry[kept - 1].match, &plan->entry[i].match, sizeof(struct flow_match)))
			plan->entry[kept++] = plan->entry[i];
	plan->n = kept;
}

/* The old set's entry that matches the same, to be kept. Both are sorted: *at walks along. */
static const struct placed *kept_entry(const struct flow_set *old, const struct flow_entry *entry, size_t *at)
{
	while (old && *at < old->n && memcmp(&old->placed[*at].entry.match, &entry->match, sizeof(entry->match)) < 0)
		++*at;
	if (old && *at < old->n && !memcmp(&old->placed[*at].entry.match, &entry->match, sizeof(entry->match)))
		return &old->placed[*at];
	return NULL;
}

static int stage_jumps(struct flow_port *port, struct flow_set *set, char *why)
{
	static const uint8_t family[2] = { AF_INET, AF_INET6 };

	set->jump_priority = port->set ? !port->set->jump_priority : 0;
	for (int i = 0; i < 2; i++) {
		struct flow_entry entry = { .match.family = family[i], .cause = FLOW_BY_GUARD };
		struct flow_place place = { .dpdk_port = port->port.dpdk_port, .priority = set->jump_priority,
					    .mac = set->mac, .jump = set->group };

		if (port->port.no_family[i])
			continue;
		set->jump[i] = port->ops->create(&place, &entry, why);
		if (!set->jump[i])
			return -EIO;
	}
	return 0;
}

/* Destroys what of a set is not also `but`'s, jumps first. */
static void drop_set(struct flow_port *port, struct flow_set *set, const struct flow_set *but)
{
	size_t at = 0;

	for (int i = 0; i < 2; i++)
		if (set->jump[i])
			(void)port->ops->destroy(port->port.dpdk_port, set->jump[i]);
	for (size_t i = 0; i < set->n; i++) {
		bool shared = false;

		for (; but && at < but->n && memcmp(&but->placed[at].entry.match, &set->placed[i].entry.match,
						    sizeof(struct flow_match)) < 0; at++)
			;
		shared = but && at < but->n && but->placed[at].handle == set->placed[i].handle;
		if (!shared && set->placed[i].handle)
			drop_placed(port, &set->placed[i]);
	}
	free(set->placed);
	free(set);
}

/* Entries of one set are compared with another's only where both are flat and for the same MAC. */
static const struct flow_set *comparable(const struct flow_port *port, const struct flow_set *set,
					 const struct flow_set *other)
{
	return !port->can.grouped && other && !memcmp(set->mac, other->mac, 6) ? other : NULL;
}

static void unstage(struct flow_port *port)
{
	if (port->staged)
		drop_set(port, port->staged, comparable(port, port->staged, port->set));
	port->staged = NULL;
}

/* Builds port->plan on the device beside the set that is there. On failure nothing of it is left. */
static int stage(struct flow_port *port, const struct flow_plan *plan, char *why)
{
	struct flow_set *set = calloc(1, sizeof(*set));
	const struct flow_set *old;
	size_t at = 0;
	int error = 0;

	if (set)
		set->placed = calloc(plan->n ? plan->n : 1, sizeof(*set->placed));
	if (!set || !set->placed) {
		free(set);
		snprintf(why, WYE_WHY_BYTES, "%s: flow entries: %s", port->port.netdev, strerror(ENOMEM));
		return -ENOMEM;
	}
	memcpy(set->mac, port->port.mac, 6);
	set->group = port->can.grouped ? (port->set ? 3 - port->set->group : 1) : 0;
	old = comparable(port, set, port->set);
	port->staged = set;
	for (size_t i = 0; i < plan->n && !error; i++) {
		const struct placed *same = kept_entry(old, &plan->entry[i], &at);

		if (same) {
			set->placed[set->n] = *same;
			set->placed[set->n++].entry = plan->entry[i];
			continue;
		}
		error = place_entry(port, set, &plan->entry[i], &set->placed[set->n], why);
		set->n += !error;
	}
	if (!error && port->can.grouped)
		error = stage_jumps(port, set, why);
	if (error)
		unstage(port);
	return error;
}

static void commit(struct flow_port *port)
{
	if (!port->staged)
		return;
	if (port->set)
		drop_set(port, port->set, comparable(port, port->set, port->staged));
	port->set = port->staged;
	port->staged = NULL;
}

/* All to the kernel, at once. */
static void take_down(struct flow_port *port)
{
	if (port->set)
		drop_set(port, port->set, NULL);
	port->set = NULL;
	port->ops->flush(port->port.dpdk_port);
}

/* ---- all ports ---- */

static bool wants(const struct flow_port *port)
{
	return port->attached && port->enabled && !dead;
}

static struct flow_plan *make_plan(const struct flow_port *port, const struct steer_rules *rules,
				   const struct steer_locals *locals, char *why)
{
	struct flow_plan *plan = flow_plan_make(rules, locals, &port->port, &port->can, why);

	if (plan && !port->can.grouped)
		sort_flat(plan);
	return plan;
}

/* plan[]: by port, for those attached; owned by the caller. 0, or what one port's rules ask too much. */
static int plan_all(const struct steer_rules *rules, const struct steer_locals *locals, struct flow_plan **plan, char *why)
{
	for (uint32_t i = 0; i < WYE_PORTS_MAX; i++) {
		if (!flow_port[i].attached)
			continue;
		plan[i] = make_plan(&flow_port[i], rules, locals, why);
		if (!plan[i])
			return -errno;
	}
	return 0;
}

/* The new set as a whole on all ports, or the old ones stay. */
static int replace_all(const struct steer_rules *rules, const struct steer_locals *locals, char *why)
{
	struct flow_plan *plan[WYE_PORTS_MAX] = { 0 };
	int error = plan_all(rules, locals, plan, why);

	for (uint32_t i = 0; i < WYE_PORTS_MAX && !error; i++)
		if (wants(&flow_port[i]))
			error = stage(&flow_port[i], plan[i], why);
	for (uint32_t i = 0; i < WYE_PORTS_MAX; i++) {
		struct flow_port *port = &flow_port[i];
		struct flow_plan *unused = plan[i];

		if (!port->attached)
			continue;
		if (error)
			unstage(port);
		else
			commit(port);
		if (!error) {
			unused = port->plan;
			port->plan = plan[i];
		}
		flow_plan_free(unused);
	}
	return error;
}

static int replace_one(struct flow_port *port, char *why)
{
	struct flow_plan *plan = make_plan(port, current_rules, current_locals, why);
	int error;

	if (!plan)
		return -errno;
	error = stage(port, plan, why);
	if (error) {
		flow_plan_free(plan);
		return error;
	}
	commit(port);
	flow_plan_free(port->plan);
	port->plan = plan;
	return 0;
}

/* ---- the backend ---- */

static int flow_probe(struct steer_port *port, char *why)
{
	return steer_software.probe(port, why);
}

int steer_flow_attach(const struct steer_port *port, const struct flow_ops *ops, const struct flow_can *can,
		      char *why)
{
	struct flow_port *to;

	if (port->config_index < 0 || port->config_index >= (int)WYE_PORTS_MAX)
		return flow_probe((struct steer_port *)port, why);
	to = &flow_port[port->config_index];
	*to = (struct flow_port){ .attached = true, .port = *port, .ops = ops, .can = *can };
	return 0;
}

static int flow_apply(const struct steer_rules *rules, const struct steer_locals *locals, char *why)
{
	int error = replace_all(rules, locals, why);

	if (error)
		return error;
	current_rules = rules;
	current_locals = locals;
	for (uint32_t i = 0; i < WYE_PORTS_MAX; i++)
		memset(flow_port[i].kernel_hits, 0, sizeof(flow_port[i].kernel_hits));
	return 0;
}

static int flow_locals(const struct steer_locals *locals, char *why)
{
	int error = replace_all(current_rules, locals, why);

	/* The old entries stay if they must: classify knows the new addresses either way. */
	current_locals = locals;
	return error;
}

static int flow_enable(struct steer_port *port, bool enable, char *why)
{
	struct flow_port *to = &flow_port[port->config_index];
	char unused[WYE_WHY_BYTES];
	int error = 0;

	if (!to->attached) {
		snprintf(why, WYE_WHY_BYTES, "%s: takes no flow entries yet", port->netdev);
		return -ENODEV;
	}
	memcpy(to->port.mac, port->mac, 6);
	memcpy(to->port.no_family, port->no_family, sizeof(port->no_family));
	if (enable)
		error = steer_software.enable(port, true, why);
	to->enabled = enable && !error;
	if (wants(to))
		error = replace_one(to, why);
	if (error)
		to->enabled = false;
	if (!to->enabled) {
		take_down(to);
		(void)steer_software.enable(port, false, unused);
	}
	return error;
}

/* An entry that cannot be put back shows as a port that lost its program: see flow_present(). */
static void flow_alive(uint64_t now_ns)
{
	char why[WYE_WHY_BYTES];

	if (dead == (now_ns == STEER_DEAD_NS))
		return;
	dead = now_ns == STEER_DEAD_NS;
	for (uint32_t i = 0; i < WYE_PORTS_MAX; i++) {
		if (!flow_port[i].attached || !flow_port[i].enabled)
			continue;
		if (dead)
			take_down(&flow_port[i]);
		else
			(void)replace_one(&flow_port[i], why);
	}
}

static bool flow_present(const struct steer_port *port)
{
	const struct flow_port *to = &flow_port[port->config_index];

	return !wants(to) || to->set;
}

/* The device is gone already, and its entries with it: enable(false) came before. */
static void flow_remove(struct steer_port *port)
{
	struct flow_port *to = &flow_port[port->config_index];

	steer_software.remove(port);
	if (to->set)
		free(to->set->placed);
	free(to->set);
	flow_plan_free(to->plan);
	*to = (struct flow_port){ 0 };
}

static void count_port(struct flow_port *port, uint32_t n_rules, uint64_t *rule_packets)
{
	for (uint32_t i = 0; i < n_rules; i++)
		rule_packets[i] += port->kernel_hits[i];
	rule_packets[n_rules] += port->kernel_hits[WYE_RULES_MAX];
	for (size_t i = 0; port->set && i < port->set->n; i++) {
		const struct placed *placed = &port->set->placed[i];
		int hits = placed->entry.cause == FLOW_BY_DEFAULT ? (int)n_rules : placed->entry.cause;

		if (hits >= 0 && !placed->entry.dataplane)
			rule_packets[hits] += port->ops->packets(port->port.dpdk_port, placed->handle);
	}
}

/* What the dataplane got, the software backend counts; this is what the device kept with the kernel by a rule. */
static void flow_count(uint64_t *rule_packets, uint64_t *counters)
{
	uint32_t n_rules = current_rules ? current_rules->map_value.n_rules : 0;

	for (uint32_t i = 0; i < WYE_PORTS_MAX; i++)
		if (flow_port[i].attached && flow_port[i].can.grouped)
			count_port(&flow_port[i], n_rules, rule_packets);
}

static void count_entry(const struct flow_entry *entry, uint32_t n_rules, uint32_t *to)
{
	if (entry->cause != FLOW_BY_GUARD)
		to[entry->cause == FLOW_BY_DEFAULT ? n_rules : (uint32_t)entry->cause]++;
}

void steer_flow_entries(uint32_t *wanted, uint32_t *installed)
{
	uint32_t n_rules = current_rules ? current_rules->map_value.n_rules : 0;

	for (uint32_t i = 0; i < WYE_PORTS_MAX; i++) {
		const struct flow_port *port = &flow_port[i];

		for (size_t k = 0; port->plan && k < port->plan->n; k++)
			count_entry(&port->plan->entry[k], n_rules, wanted);
		for (size_t k = 0; port->set && k < port->set->n; k++)
			count_entry(&port->set->placed[k].entry, n_rules, installed);
	}
}

const struct steer_backend steer_flow = {
	.name = "rte_flow",
	.probe = flow_probe,
	.present = flow_present,
	.apply = flow_apply,
	.enable = flow_enable,
	.locals = flow_locals,
	.alive = flow_alive,
	.remove = flow_remove,
	.count = flow_count,
};
