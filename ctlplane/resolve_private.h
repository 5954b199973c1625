/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the resolver keeps privately, and what its four files tell each other. A nexthop hangs on up to two anchors:
 * the link it leaves by and the neighbour it goes to. An anchor exists while there is a record of the link or
 * neighbour or a nexthop that waits for one, so that "comes later" and "changes" are the same event.
 */
#ifndef RESOLVE_PRIVATE_H
#define RESOLVE_PRIVATE_H

#include "resolve.h"

struct link_anchor {
	uint32_t ifindex;	/* 0 = free place in the hash */
	uint32_t record;	/* in LINK, 0 = the kernel has no such link */
	uint32_t nexthops;	/* first id of the list, 0 = none */
};

struct neigh_anchor {
	uint32_t ifindex;	/* 0 = not in use */
	uint8_t family;
	uint8_t addr[16];
	uint32_t record;	/* in NEIGH, 0 = the kernel has no such neighbour */
	uint32_t nexthops;	/* first id of the list; of a free anchor: the next free one */
};

struct own_prefix {		/* IPv4, of the host's own on a link */
	uint32_t ifindex;
	uint8_t addr[4], len;
};

enum nexthop_role { NEXTHOP_FREE, NEXTHOP_LEG, NEXTHOP_GROUP, NEXTHOP_EMPTY };

struct nexthop {		/* one an id */
	struct nexthop_leg leg;	/* role LEG */
	uint32_t refs;
	uint32_t record;	/* in NEXTHOP, 0 = none: NONE, the kernel answers */
	uint32_t kernel_id;	/* nexthop_named() */
	uint32_t hash_next;	/* chain of ids by contents */
	uint32_t link_next, link_prev;	/* among the link's nexthops */
	uint32_t neigh;		/* anchor, 0 = none */
	uint32_t neigh_next, neigh_prev;	/* among the neighbour's nexthops */
	uint32_t users;		/* role LEG: first member that is this leg */
	uint32_t members;	/* role GROUP: first member */
	uint8_t role;		/* enum nexthop_role */
	bool named, on_link, stale;
	bool own_gateway;	/* role LEG: see resolve_own() */
};

struct member {			/* a leg of a group */
	uint32_t leg, group;	/* ids */
	uint32_t next;		/* in the group, in order; of a free member: the next free one */
	uint32_t user_next, user_prev;	/* among those that are the same leg */
	uint32_t weight;
};

struct resolve {
	struct region *region;
	struct link_anchor *link;	/* open addressing by ifindex */
	uint32_t link_mask, n_links;
	struct neigh_anchor *neigh;	/* index 0 unused */
	uint32_t n_neighs, cap_neighs, free_neigh;
	uint32_t *neigh_hash;		/* open addressing: anchor, 0 = free */
	uint32_t neigh_mask, n_neigh_hashed;
	uint32_t n_deleted;		/* WYE_HASH_DELETED words in the region's hash */
	struct nexthop *nexthop;	/* by id */
	uint32_t cap_nexthops;
	uint32_t *by_content;		/* heads of chains of ids */
	uint32_t content_mask, n_contents;
	struct own_prefix *own;		/* in no order: as many as there are addresses */
	uint32_t n_own, cap_own;
	struct member *member;		/* index 0 unused */
	uint32_t n_members, cap_members, free_member;
};

static inline void count_publish(struct resolve *resolve)
{
	atomic_fetch_add_explicit(&resolve->region->control->page->stats.publishes, 1, memory_order_relaxed);
}

/* ---- link_table.c ---- */
int link_table_create(struct resolve *resolve);
struct link_anchor *link_anchor_find(const struct resolve *resolve, uint32_t ifindex);	/* NULL: none */
struct link_anchor *link_anchor_make(struct resolve *resolve, uint32_t ifindex);	/* NULL: no memory */
void link_anchor_unused(struct resolve *resolve, struct link_anchor *anchor);	/* frees it if it is; moves others */
const struct wye_link *link_record(const struct resolve *resolve, uint32_t ifindex);	/* NULL: no such link */

/* ---- neigh_table.c ---- */
int neigh_table_create(struct resolve *resolve);
uint32_t neigh_anchor_make(struct resolve *resolve, uint32_t ifindex, uint8_t family, const uint8_t addr[16]);
void neigh_anchor_unused(struct resolve *resolve, uint32_t anchor);	/* frees it if it is */
const struct wye_neigh *neigh_record(const struct resolve *resolve, uint32_t anchor);	/* NULL: none */

/* ---- resolve.c ---- */
bool resolve_owns_gateway(const struct resolve *resolve, const struct nexthop_leg *leg);

/* ---- nexthop_table.c ---- */
int nexthop_table_create(struct resolve *resolve);
void nexthop_remake(struct resolve *resolve, uint32_t id);	/* its anchors, or a group's legs, changed */
/* Publishes *nexthop as what `id` means; failing that, NONE. 0 or -ENOSPC. */
int nexthop_publish(struct resolve *resolve, uint32_t id, const struct wye_nexthop *nexthop);
void nexthop_content_remove(struct resolve *resolve, uint32_t id);

/* ---- nexthop_group.c ---- */
int nexthop_group_join(struct resolve *resolve, uint32_t group, const struct nexthop_leg *legs, size_t n_legs);
void nexthop_group_leave(struct resolve *resolve, uint32_t group);
void nexthop_group_make(struct resolve *resolve, uint32_t group);
void nexthop_group_retire(struct resolve *resolve, const struct wye_nexthop *record);	/* its buckets, if any */
/* Whole weights → n buckets, n a power of two; returns n. share[i] sums to n. */
uint32_t nexthop_buckets(const uint32_t *weight, uint32_t *share, uint32_t n_legs);

#endif
