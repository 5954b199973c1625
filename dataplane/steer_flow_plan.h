/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which rte_flow entries a port needs: rules and own addresses translated into what a NIC can match. Pure, without DPDK.
 *
 * A NIC cannot express every guard (TTL, options, fragments, lengths). So entries select a superset of what the dataplane
 * takes, and the classify node judges each packet that comes exactly; the verdict is that of the other backends whatever
 * the NIC can do, and entries only decide what never leaves the kernel's path. It follows that
 *
 * - an entry for the dataplane may match more than its rule (a port range too ragged, a protocol the NIC does not know);
 * - an entry for the kernel must match no more than its rule: if it would, it is left out;
 * - what no entry matches is the kernel's.
 *
 * Two kinds of device:
 *
 *   grouped  has groups and an action that ends in the kernel. Frames for the port's MAC jump into a group with all rules in
 *            order, the host's own addresses and neighbour discovery before them, and an end that gives all else to the
 *            kernel: after a jump a miss does not reach it.
 *   flat     one group, whose misses are the kernel's: entries for the dataplane only, in no order. What a rule for the
 *            kernel would have kept back is punted by classify.
 *
 * Entries speak of IPv4 or IPv6 to the port's MAC, never of Ethernet alone: ARP, LACP, LLDP, multicast and broadcast match
 * none.
 */
#ifndef STEER_FLOW_PLAN_H
#define STEER_FLOW_PLAN_H

#include "steer_private.h"

#define FLOW_ENTRIES_MAX 4000u	/* of a port */
#define FLOW_BLOCKS_MAX	 32u	/* combinations of port blocks, for a family and protocol of a rule */
#define FLOW_LOCALS_MAX	 512u	/* the host's addresses beyond are left to classify */

enum flow_cause { FLOW_BY_DEFAULT = -1, FLOW_BY_GUARD = -2 };	/* of an entry, besides a rule's index */

struct flow_can {	/* what a device can do */
	bool grouped;
	bool port_masks;	/* ports by value and mask, else one port or any */
	bool sctp;		/* SCTP's ports */
	bool icmp6;		/* ICMPv6's type */
	uint32_t entries_max;	/* at most FLOW_ENTRIES_MAX */
};

struct flow_match {		/* no padding: compared byte by byte. Host order; bits outside a mask are zero */
	struct wye_prefix src, dst;
	uint16_t sport, sport_mask, dport, dport_mask;
	uint8_t family;		/* AF_INET, AF_INET6 */
	uint8_t proto_set, ip_proto;
	uint8_t icmp_type, icmp_type_mask;
	uint8_t reserved;
};
static_assert(sizeof(struct flow_match) == 2 * sizeof(struct wye_prefix) + 14, "no padding");

struct flow_entry {
	struct flow_match match;
	bool dataplane;
	int cause;		/* index of the rule, or enum flow_cause */
	uint32_t priority;	/* the lowest that matches decides; all 0 if flat */
};

struct flow_plan {
	size_t n;
	struct flow_entry *entry;	/* owned; ascending by priority */
	size_t room;
};

/*
 * NULL and a sentence in why (WYE_WHY_BYTES): errno E2BIG, more entries than the device has; ENOMEM. Of port: netdev,
 * config_index, no_family. Freed by flow_plan_free().
 */
struct flow_plan *flow_plan_make(const struct steer_rules *rules, const struct steer_locals *locals,
				 const struct steer_port *port, const struct flow_can *can, char *why);
void flow_plan_free(struct flow_plan *plan);	/* NULL is fine */

#endif
