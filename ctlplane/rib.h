/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routes of one routing table and family as the kernel holds them: per prefix an ordered list, because a prefix
 * has as many routes as there are (TOS, priority) pairs and more. Order as in the kernel's fib_trie: TOS from high to
 * low, then priority from low to high, then as inserted: replaced in place, appended, prepended (fib_table_insert()).
 * IPv6 has no TOS; routes of equal metric that cannot be siblings of one multipath route stand beside each other.
 *
 * What a route says beyond its identity is an index `info` that means nothing here: two routes are the same when it
 * is equal (route_info.h interns). Pure memory, no kernel, no shared tables.
 */
#ifndef RIB_H
#define RIB_H

#include "pool.h"

struct rib_route {
	uint32_t next;		/* of the same prefix, in order; 0 = last */
	uint32_t info;		/* never 0 while in use */
	uint32_t priority;
	uint32_t gen;		/* last dump or notification it was seen in */
	uint32_t record;	/* the caller's: index of the shared record */
	uint8_t addr[16];	/* IPv4 in the first four; host bits zero */
	uint8_t len;
	uint8_t tos;
	uint8_t flags;		/* the caller's */
	bool dumped : 1;	/* IPv6: a dump that told it may have hidden others of its metric, of which we know nothing */
	bool asked : 1;		/* and since then, and since any of its metric changed, the kernel was asked which it takes */
};

struct rib {
	uint8_t family;
	uint32_t table;
	struct pool pool;	/* struct rib_route */
	struct hash hash;	/* prefix → first of its list */
	/* the caller's: */
	uint32_t covers_of_len[128];	/* local tables: how many routes that are no host routes */
	uint64_t cover_lens[2];		/* bit set of the lengths that have some */
	uint32_t vrf;
	bool in_use;
};

int rib_open(struct rib *rib, uint8_t family, uint32_t table, uint32_t expected);
void rib_close(struct rib *rib);

static inline struct rib_route *rib_route(const struct rib *rib, uint32_t index)
{
	return pool_item(&rib->pool, index);
}

/* First route of a prefix, 0 = none. addr: 16 bytes. */
uint32_t rib_first(const struct rib *rib, const uint8_t addr[16], uint8_t len);

/* Fetches into the cache what rib_first() reads. step: 0, 1 …, each when the one before has had time to. */
void rib_prefetch(const struct rib *rib, const uint8_t addr[16], uint8_t len, unsigned step);

struct rib_key {
	const uint8_t *addr;	/* 16 bytes */
	uint8_t len, tos;
	uint32_t priority;
};

/* What an update did. */
struct rib_result {
	uint32_t index;		/* the route that is there now; 0 = out of memory */
	uint32_t old_info;	/* it took the place of this one, 0 = none */
	bool same;		/* it was there already, exactly */
	bool unsure;		/* its place among equals is a guess: only a whole dump knows */
	bool guessed;		/* it replaced the first of several: the kernel's first, unless that went unsaid before */
};

/*
 * IPv4. A notification: nl_flags as the kernel set them (NLM_F_REPLACE, NLM_F_APPEND, neither = before the others).
 * An exactly equal route is left where it is: the kernel never holds one twice, so the message was overtaken, or the
 * route had gone unsaid; then its place is not sure.
 */
struct rib_result rib_notified4(struct rib *rib, const struct rib_key *key, uint32_t info, uint16_t nl_flags,
				uint32_t gen);
/* From a dump. That of a whole table comes in the kernel's order: behind those of its class that the same dump already
 * gave. A filtered one says nothing of the order: what is there stays in its place, what is not goes last. */
struct rib_result rib_dumped4(struct rib *rib, const struct rib_key *key, uint32_t info, uint32_t gen, bool whole);
/* In a dump of a whole table, for comparing only: is exactly this route there, in its place? Then it was seen. */
bool rib_seen4(struct rib *rib, const struct rib_key *key, uint32_t info, uint32_t gen);
/* The route a deletion means: exactly equal, or else the only one of its class. 0 = none. */
uint32_t rib_match4(const struct rib *rib, const struct rib_key *key, uint32_t info);

/* IPv6: puts info over route `over` (0: a new one behind those of lower or equal metric). */
struct rib_result rib_put6(struct rib *rib, const struct rib_key *key, uint32_t over, uint32_t info, uint32_t gen);

/* Takes a route out of its list and its index back. */
void rib_remove(struct rib *rib, uint32_t index);

#endif
