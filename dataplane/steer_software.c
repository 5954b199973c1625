/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steering for ports that own all their packets (vfio-pci, in-memory drivers): a graph node asks here for each packet
 * and punts what is the kernel's.
 *
 * Ordering guarantees: rules, locals and each port's word are published one by one (release, W1), workers
 * acquire them (W2). Nothing is freed here: see steer_software_classify(). A port's MAC and whether it is enabled are
 * one word, so a worker never sees half a change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "steer_private.h"
#include "wye_map.h"

#define PORT_ENABLED (1ULL << 48)	/* above the MAC */

struct software_counts {	/* one per worker, its own; others read */
	_Atomic uint64_t rule[WYE_STEER_RULES + 1];
	_Atomic uint64_t counter[WYE_STEER_COUNTERS_MAX];
} __attribute__((aligned(128)));

static const struct steer_rules *_Atomic current_rules;
static const struct steer_locals *_Atomic current_locals;
static _Atomic uint64_t port_word[WYE_PORTS_MAX];
static struct software_counts counts[WYE_WORKERS_MAX + 1];

static uint64_t mac_word(const uint8_t mac[6])
{
	uint64_t word = 0;

	memcpy(&word, mac, 6);
	return word;
}

static int software_probe(struct steer_port *port, char *why)
{
	if (port->config_index >= 0 && port->config_index < (int)WYE_PORTS_MAX)
		return 0;
	snprintf(why, WYE_WHY_BYTES, "%s: port number %d: at most %u ports can be steered", port->netdev,
		 port->config_index, WYE_PORTS_MAX);
	return -EINVAL;
}

static int software_enable(struct steer_port *port, bool enable, char *why)
{
	int err = software_probe(port, why);

	if (!err)	/* W1 */
		atomic_store_explicit(&port_word[port->config_index], mac_word(port->mac) | (enable ? PORT_ENABLED : 0),
				      memory_order_release);
	return err;
}

static int software_locals(const struct steer_locals *locals, char *why)
{
	atomic_store_explicit(&current_locals, locals, memory_order_release);	/* W1 */
	return 0;
}

/* Counts are by rule number: they start anew with new rules. A packet judged meanwhile may count for the old one. */
static int software_apply(const struct steer_rules *rules, const struct steer_locals *locals, char *why)
{
	for (uint32_t worker = 0; worker <= WYE_WORKERS_MAX; worker++)
		for (uint32_t i = 0; i <= WYE_STEER_RULES; i++)
			atomic_store_explicit(&counts[worker].rule[i], 0, memory_order_relaxed);
	software_locals(locals, why);
	atomic_store_explicit(&current_rules, rules, memory_order_release);	/* W1 */
	return 0;
}

static void software_alive(uint64_t now_ns)
{
	/* The packets are the workers' own: when they stop, so does the port. */
}

static void software_remove(struct steer_port *port)
{
	if (port->config_index >= 0 && port->config_index < (int)WYE_PORTS_MAX)
		atomic_store_explicit(&port_word[port->config_index], 0, memory_order_release);
}

static void software_count(uint64_t *rule_packets, uint64_t *counters)
{
	const struct steer_rules *rules = atomic_load_explicit(&current_rules, memory_order_acquire);
	uint32_t n = rules ? rules->map_value.n_rules : 0;

	for (uint32_t worker = 0; worker <= WYE_WORKERS_MAX; worker++) {
		struct software_counts *from = &counts[worker];

		for (uint32_t i = 0; i < n; i++)
			rule_packets[i] += atomic_load_explicit(&from->rule[i], memory_order_relaxed);
		rule_packets[n] += atomic_load_explicit(&from->rule[WYE_STEER_RULES], memory_order_relaxed);
		for (uint32_t i = 0; i < WYE_STEER_COUNTER_COUNT; i++)
			counters[i] += atomic_load_explicit(&from->counter[i], memory_order_relaxed);
	}
}

/* Single writer: no atomic read-modify-write needed. */
static void add_one(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

enum wye_action steer_software_classify(uint32_t worker, int config_index, const void *frame, uint32_t len_bytes,
					int *rule)
{
	uint64_t port = atomic_load_explicit(&port_word[config_index], memory_order_acquire);	/* W2 */
	const struct steer_rules *rules = atomic_load_explicit(&current_rules, memory_order_acquire);
	const struct steer_locals *locals = atomic_load_explicit(&current_locals, memory_order_acquire);
	struct software_counts *to = &counts[worker];
	uint32_t verdict = WYE_STEER_PORT_OFF, decided = 0;
	uint8_t mac[6];

	memcpy(mac, &port, 6);
	*rule = -2;
	if (port & PORT_ENABLED)
		verdict = steer_judge(rules, locals, config_index, mac, frame, len_bytes, &decided);
	if (verdict == WYE_STEER_TAKEN || verdict == STEER_BY_RULE) {
		*rule = decided == WYE_STEER_RULES ? -1 : (int)decided;
		add_one(&to->rule[decided]);
	}
	if (verdict != STEER_BY_RULE)
		add_one(&to->counter[verdict]);
	return verdict == WYE_STEER_TAKEN ? WYE_ACTION_DATAPLANE : WYE_ACTION_KERNEL;
}

const struct steer_backend steer_software = {
	.name = "software",
	.probe = software_probe,
	.apply = software_apply,
	.enable = software_enable,
	.locals = software_locals,
	.alive = software_alive,
	.remove = software_remove,
	.count = software_count,
};
