/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steering: which packets of a port the dataplane takes. One interface, three backends (xdp, rte_flow, software); all
 * give the same answer for the same packet: guards first (always the kernel's), then the first matching rule, then the
 * default. Main thread only, but for steer_classify().
 */
#ifndef STEER_H
#define STEER_H

#include <stdbool.h>

#include "wye_config.h"
#include "wye_tables.h"

struct steer_locals;	/* the host's own prefixes, below */
struct steer_rules;	/* compiled rules: bit vectors per field, immutable, shared by all backends */

/* Compiles config->rule; NULL, errno (ENOMEM, E2BIG: over WYE_RULES_MAX). Local prefixes are not in it. */
struct steer_rules *steer_compile(const struct wye_config *config);
void steer_rules_free(struct steer_rules *rules);

/* What the software backend and the tests ask. frame: from the Ethernet header; verdict for a packet that came in on
 * config port in_port. *rule = index of the deciding rule, -1 = default, -2 = a guard. */
enum wye_action steer_classify(const struct steer_rules *rules, const struct steer_locals *locals, int in_port,
			       const uint8_t mac[6], const void *frame, uint32_t len_bytes, int *rule);

/* The host's own prefixes (section LOCAL), as steer_classify() wants them. Rebuilt when locals_version moves. */
struct steer_locals *steer_locals_of(const struct wye_region *region);	/* NULL, errno */
void steer_locals_free(struct steer_locals *locals);

struct steer_port {		/* what a backend must know of a port */
	char netdev[16];
	uint32_t ifindex;
	uint8_t mac[6];
	int config_index;	/* in-port of rules */
	uint16_t dpdk_port;
	bool no_family[2];	/* IPv4, IPv6 stay with the kernel though the port is enabled: the gate punts them */
	bool tc_steered;	/* rte_flow: its entries are tc filters of the netdev, which meet punted frames again */
	bool generic_xdp;	/* out, xdp backend */
	uint8_t punt_mac[6];	/* out, xdp backend in generic mode: destination MAC that marks a punted frame */
};

#define STEER_DEAD_NS 0	/* for alive(): as a time of CLOCK_MONOTONIC, long ago */

struct steer_backend {
	const char *name;	/* "xdp", "rte_flow", "software" */
	/* All: 0 or -errno with a sentence in why (WYE_WHY_BYTES). */
	/* Before EAL creates the port: is it possible, is a stale program of ours in the way (removed), a foreign one
	 * (-EBUSY, named)? */
	int (*probe)(struct steer_port *port, char *why);
	/* After EAL created the port: what became of it (xdp: is our program on it, native or generic; fills the port's
	 * out fields). NULL = nothing to ask. The port takes no flows before enable(). */
	int (*attached)(struct steer_port *port, char *why);
	/* Is it on the port still? Anybody with the right to may take a program off a netdev. NULL = nobody can. */
	bool (*present)(const struct steer_port *port);
	/* All ports' rules, atomically: the new set as a whole or the old one stays. */
	int (*apply)(const struct steer_rules *rules, const struct steer_locals *locals, char *why);
	/* Does the port take flows? false: everything to the kernel, at once. */
	int (*enable)(struct steer_port *port, bool enable, char *why);
	int (*locals)(const struct steer_locals *locals, char *why);	/* the host's addresses changed */
	/* Heartbeat: with STEER_DEAD_NS at once, or when it stops for WYE_STEER_ALIVE_NS, the kernel has all packets (xdp). */
	void (*alive)(uint64_t now_ns);
	/* The port's flows to the kernel until it brings packets at a rate above this, reckoned over WYE_STEER_PACE_NS; false:
	 * at once to the dataplane. Are they there still? NULL = cannot. */
	void (*hand_back)(const struct steer_port *port, bool slow, uint32_t above_pps);
	bool (*handed_back)(const struct steer_port *port);
	void (*remove)(struct steer_port *port);	/* leaves the netdev as it was found */
	/* Adds packets per rule into rule_packets[n_rules + 1] and the backend's own counters. */
	void (*count)(uint64_t *rule_packets, uint64_t *counters);
};
extern const struct steer_backend steer_xdp, steer_software;

/* Absolute path of the ELF for the af_xdp PMD's xdp_prog devarg; NULL, errno ENOENT: not installed. */
const char *steer_xdp_object(void);

/*
 * The software backend's question, by a worker, for a packet of port config_index: KERNEL while the port is not enabled,
 * else steer_classify() by the sets last applied, counted for worker. What was given to apply() or locals() must stay
 * until every worker has passed a quiescent point after its replacement: the caller's duty.
 */
enum wye_action steer_software_classify(uint32_t worker, int config_index, const void *frame, uint32_t len_bytes,
					int *rule);

#endif
