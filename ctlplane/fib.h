/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer of the FIB trie described in wye_tables.h: sets of (prefix → nexthop id), one a VRF and family.
 * fib_set() notes, fib_flush() publishes: a batch of netlink messages rebuilds each touched node once.
 */
#ifndef FIB_H
#define FIB_H

#include "region.h"

struct fib;	/* all VRFs and both families of one region */

struct fib *fib_create(struct region *region);	/* NULL, errno */
void fib_destroy(struct fib *fib);

/* Index of a VRF's record for routing table `table`, made if there is none. 0 = full. The main view's is
 * WYE_VRF_MAIN and always there. */
uint32_t fib_vrf(struct fib *fib, uint32_t table, uint32_t ifindex);
void fib_vrf_remove(struct fib *fib, uint32_t vrf);

/* prefix → nexthop id; id 0 removes. addr: 4 or 16 bytes, host bits ignored. Not visible before fib_flush().
 * 0; -ENOSPC: the region's or the process's memory is exhausted, nothing changed. */
int fib_set(struct fib *fib, uint32_t vrf, uint8_t family, const uint8_t *addr, uint8_t prefix_len,
	    uint32_t nexthop_id);
/* Fetches into the cache what fib_set() will look at. step: 0, 1, 2, each when the one before has had time to. */
void fib_prefetch(const struct fib *fib, uint32_t vrf, uint8_t family, const uint8_t *addr, uint8_t prefix_len,
		  unsigned step);
/* The id last set for exactly this prefix, 0 = none. */
uint32_t fib_get(const struct fib *fib, uint32_t vrf, uint8_t family, const uint8_t *addr, uint8_t prefix_len);

/* Publishes what was set; each changed word is one release-store (P1). At most about budget_nodes nodes, 0 = all.
 * Returns how many are still to do. */
uint32_t fib_flush(struct fib *fib, uint32_t budget_nodes);

#endif
