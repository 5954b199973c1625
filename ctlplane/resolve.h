/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * route → nexthop → neighbour → rewrite. Gives out nexthop ids for what routes, nexthop objects and neighbours
 * say, and keeps the records behind those ids true when a neighbour or a link changes: one new record, one word
 * (wye_tables.h, NEXTHOP_SLOT), whatever the number of routes.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "region.h"

struct resolve;

struct nexthop_leg {		/* one path as the kernel describes it */
	uint8_t kind;		/* FORWARD asks for resolution; or LOCAL, BLACKHOLE, UNREACHABLE, PROHIBIT, KERNEL */
	uint8_t family;		/* of gateway, 0 = none: destination is on the link */
	uint8_t route_family;	/* whose ignore_routes_with_linkdown counts; 0 = the gateway's */
	uint8_t flags;		/* RTNH_F_* */
	uint32_t ifindex;
	uint32_t mtu_bytes;	/* RTAX_MTU, 0 = the link's */
	uint32_t kernel_id;	/* NHA_ID or 0 */
	uint16_t weight;	/* 1.. */
	uint8_t gateway[16];
	/* Of IPv6 routes, whose paths each have their own; nothing to a nexthop. */
	uint8_t type;		/* RTN_* */
	bool unsure;		/* not told: mtu_bytes is the least there is, type a guess */
};

struct resolve *resolve_create(struct region *region);
void resolve_destroy(struct resolve *resolve);

/*
 * A nexthop id for these legs (n_legs > 1: a group; legs flagged RTNH_F_DEAD, or LINKDOWN where the link ignores such,
 * get no bucket; none left: kind DOWN). Equal legs share an id; counted, one nexthop_put() each. 0 = section full.
 */
uint32_t nexthop_get(struct resolve *resolve, const struct nexthop_leg *legs, size_t n_legs);
void nexthop_put(struct resolve *resolve, uint32_t id);

/* An id whose meaning the caller changes later with nexthop_assign(): one per kernel nexthop object. */
uint32_t nexthop_named(struct resolve *resolve, uint32_t kernel_id);
int nexthop_assign(struct resolve *resolve, uint32_t id, const struct nexthop_leg *legs, size_t n_legs);

/* The kernel's NUD_VALID (net/neighbour.h). */
#define NUD_VALID_STATES (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)
/* Neighbours. lladdr NULL or nud_state not in NUD_VALID_STATES: unresolved. Updates every nexthop that depends on it. */
int neigh_set(struct resolve *resolve, uint32_t ifindex, uint8_t family, const uint8_t *addr, uint16_t nud_state,
	      uint32_t ntf_flags, const uint8_t *lladdr, uint8_t lladdr_len);
void neigh_del(struct resolve *resolve, uint32_t ifindex, uint8_t family, const uint8_t *addr);
/* Calls fn for each mirrored neighbour of ifindex (0 = all); fn may delete the one it is given. */
void neigh_each(struct resolve *resolve, uint32_t ifindex,
		void (*fn)(void *ctx, uint32_t index, const struct wye_neigh *neigh), void *ctx);

/*
 * An IPv4 prefix of the host's own, or of a route of scope host, comes or goes on a link. A route through a gateway of it
 * has none: the kernel asks for the destination on the link (fib_check_nh_v4_gw(), nhc_scope). It looks when the route is
 * made, and never again nor tells what it saw; so legs with such a gateway are the kernel's, from now on and as long as
 * anything holds their id. 0 or -ENOMEM.
 */
int resolve_own(struct resolve *resolve, uint32_t ifindex, const uint8_t addr[4], uint8_t len, bool own);

/* After the LINK record of ifindex changed (MAC, MTU, up, carrier, gone): re-makes the nexthops that leave by it. */
void resolve_link_changed(struct resolve *resolve, uint32_t ifindex);

/* Links: index in LINK for ifindex, 0 = unknown. */
uint32_t link_index(const struct resolve *resolve, uint32_t ifindex);
/* Writes the record (scheme (b)) and enters it; link_del() leaves it absent. Neither calls resolve_link_changed(). */
uint32_t link_set(struct resolve *resolve, const struct wye_link *link);
void link_del(struct resolve *resolve, uint32_t ifindex);

#endif
