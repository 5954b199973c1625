/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What routes say beyond prefix, TOS and priority (the kernel's fib_info), once for all routes that say the same: a
 * full table has a million routes and a few hundred of these. Interned, counted, found by index. Legs are kept in the
 * kernel's order, of their flags RTNH_F_ONLINK and RTNH_F_DEAD.
 */
#ifndef ROUTE_INFO_H
#define ROUTE_INFO_H

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "nl_decode.h"
#include "pool.h"

struct route_info {
	uint32_t refs;
	uint32_t hash;
	uint32_t nexthop;	/* nexthop id in the present region, 0 = not asked for yet */
	bool alive;		/* some leg can carry packets; see mirror_route_view.c */
	bool maimed;		/* an IPv6 multipath route that has a dead path */
	bool blackhole;		/* its nexthop object is one, now */
	bool marked, walked;	/* the prefixes of its routes are to be looked at again: by the next walk, by this one */
	bool doomed;		/* its routes are gone and about to be removed; not found by what a route says any more */
	/* from here on the key */
	uint8_t family, type, protocol, scope, pref, src_len;
	bool mtu_locked, has_prefsrc;
	uint32_t kernel_id, rest_hash, mtu_bytes, n_legs;
	uint8_t prefsrc[16];
	struct nexthop_leg *legs;	/* n_legs of them, owned */
};

struct route_infos {
	struct pool pool;
	struct hash hash;
};

int route_infos_open(struct route_infos *infos);
void route_infos_close(struct route_infos *infos);

static inline struct route_info *route_info(const struct route_infos *infos, uint32_t index)
{
	return pool_item(&infos->pool, index);
}

/* The index of what `route` says, made if there is none; one reference. 0 = out of memory. */
uint32_t route_info_get(struct route_infos *infos, const struct nl_route *route);
/* Same without making one and without a reference. 0 = no route says this. */
uint32_t route_info_find(const struct route_infos *infos, const struct nl_route *route);
/* Drops a reference. True: that was the last; the caller puts the nexthop and calls route_info_free(). */
bool route_info_put(struct route_infos *infos, uint32_t index);
/* No route will get it again; the ones that have it are on their way out. */
void route_info_doom(struct route_infos *infos, uint32_t index);
/* The other way round: what info says, as a route; the caller sets the key. */
void route_info_say(const struct route_info *info, struct nl_route *route);
void route_info_free(struct route_infos *infos, uint32_t index);

/* IPv4 unicast of scope host: the kernel treats it as it does a local one (fib_create_info()). */
static inline bool route_of_host_scope(const struct route_info *info)
{
	return info->family == AF_INET && info->type == RTN_UNICAST && info->scope == RT_SCOPE_HOST;
}

/* May be one path of several: rt6_qualify_for_ecmp(). */
static inline bool can_have_siblings(const struct nexthop_leg *legs, uint32_t n)
{
	return n && legs[0].family;
}

bool leg_same_path(const struct nexthop_leg *a, const struct nexthop_leg *b);	/* output link and gateway */
bool route_info_uses(const struct route_info *info, uint32_t ifindex);
bool route_info_unsure(const struct route_info *info);	/* is any of its paths? */

#endif
