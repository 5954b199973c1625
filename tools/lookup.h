/* SPDX-License-Identifier: BSD-3-Clause */
/* What the dataplane does with a packet, judged by the same tables and in the same order as its nodes. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "route.h"

struct lookup_query {
	uint8_t family;
	uint8_t dst[16], src[16];
	bool has_src, has_proto;
	uint8_t ip_proto;
	uint16_t sport, dport;
	uint32_t vrf;			/* index in VRF */
	const struct wye_link *in;	/* NULL: not given */
};

#define LOOKUP_FORWARD WYE_REASON_COUNT	/* "reason" of a packet that is forwarded */

struct lookup_leg {
	struct leg leg;
	struct leg final;	/* for a destination on the link: the neighbour's own nexthop; else = leg */
	uint32_t reason;	/* enum wye_reason or LOOKUP_FORWARD */
	bool has_neigh;
	struct wye_neigh neigh;
	const struct wye_link *out;	/* NULL: the mirror does not know it */
};

struct lookup {
	uint32_t id;		/* nexthop id the FIB gave, 0 = none */
	uint8_t kind;
	uint32_t kernel_id;
	bool has_route;		/* the kernel's route behind the id was found */
	struct route route;
	uint32_t reason;	/* of all legs, or the chosen one; LOOKUP_MIXED when they differ */
	size_t n_legs;
	size_t chosen;		/* the leg of a group this flow takes; LEGS_MAX: too little is known of it */
	struct lookup_leg leg[LEGS_MAX];
};

#define LOOKUP_MIXED (WYE_REASON_COUNT + 1)

/* The tables are open; the stats too, if there are any (ports are unknown without). */
void lookup(struct view *view, const struct lookup_query *query, struct lookup *result);
/* The FIB's answer alone. */
uint32_t lookup_fib(struct view *view, uint32_t vrf, uint8_t family, const uint8_t *addr);

#endif
