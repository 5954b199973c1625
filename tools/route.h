/* SPDX-License-Identifier: BSD-3-Clause */
/* A mirrored route of either family as one plain struct, with what it leads to: for `show route` and `lookup`. */
#ifndef ROUTE_H
#define ROUTE_H

#include "wye.h"

struct route {
	uint8_t family, prefix_len, tos, type, protocol, scope, flags, pref;
	bool has_prefsrc;
	uint8_t dst[16], prefsrc[16];
	uint32_t table, priority, nexthop, mtu_bytes;
};

struct leg {
	uint32_t id;		/* nexthop id */
	uint8_t kind, family, flags;
	uint16_t weight;
	uint32_t buckets;	/* of its group's; 0 outside a group */
	uint32_t ifindex, mtu_bytes, neigh;
	uint8_t gateway[16], rewrite[16];
	uint8_t rewrite_len;
};

#define LEGS_MAX 256

/* Record `index` of ROUTE4 or ROUTE6. False: not in use, or not readable (counted). */
bool route_read(struct view *view, uint8_t family, uint32_t index, struct route *route);
bool route_covers(const struct route *route, const uint8_t *addr);

/* What a nexthop id means now: its legs (one unless it is a group) and the group's own record. The caller is between
 * view_enter() and view_leave(). 0 = the id is not in use. */
size_t route_legs(const struct view *view, uint32_t id, struct leg *legs, size_t max, uint8_t *kind,
		  uint32_t *kernel_id);

/* "default", "10.0.0.0/8", "10.0.0.1"; buf: WYE_NAME_BYTES. */
const char *route_prefix_text(const struct route *route, char *buf);

/* "10.0.0.0/8", "default", "::/0", "10.1.2.3": false if it is none. family 0 is set by what is found. */
bool prefix_parse(const char *text, int family, struct route *prefix);
bool prefix_contains(const uint8_t *net, uint8_t len, const uint8_t *addr);

/* One element of `ip -j route`, or one line of `ip route`. key: of the object, NULL in an array. */
struct route_style {
	bool table;	/* name it unless it is main */
	bool no_device;	/* the caller asked for one: ip leaves it out then */
};
void route_print(struct tool *tool, const char *key, const struct route *route, struct route_style style);

#endif
