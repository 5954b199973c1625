/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plan: everything a worker goes by, in one immutable record behind one pointer. Main builds a new one whenever
 * anything of it changes (tables flip, port opened or closed, link or address changed, trust lost) and swaps it in;
 * each worker adopts it between two walks of its graph and says so; then main frees what only the old one used.
 *
 * Ordering guarantees
 *
 * W1 main release-stores dpd.plan; W2 a worker acquire-loads it at the top of its loop: the plan's contents, and all
 *    they point to, were written before W1.
 * W3 a worker release-stores worker.adopted after its last use of the old plan; W4 main acquire-loads it: whatever the
 *    worker read through the old plan is done, so it may be freed, closed or unmapped.
 * Of the tables region itself nothing is copied: that is wye_publish.h's protocol, by plan.slot.
 */
#ifndef PLAN_H
#define PLAN_H

#include <rte_spinlock.h>
#include <stdbool.h>

#include "capture.h"
#include "wye_fib.h"
#include "wye_stats.h"

struct graph_set;
struct trace;
struct dpd;

struct plan_port {
	bool open;		/* polled, and packets may be sent to it */
	bool classify;		/* packets must be asked about one by one (software steering) */
	bool captured;		/* somebody wants to see its packets (capture.h) */
	uint8_t n_tx;		/* transmit queues; worker w uses w % n_tx */
	uint16_t dpdk_port;
	uint32_t ifindex;
	uint32_t link;		/* index in LINK, 0 = the mirror does not know the netdev */
	uint64_t mac48;		/* as the first 6 bytes of a frame read, little-endian */
	uint64_t device_mac48;	/* of a device beside the netdev (nodes/beside.h); 0 = it has the netdev's */
	bool copies;		/* broadcasts and multicasts come to that netdev, too */
	rte_spinlock_t *tx_lock; /* one a queue when workers share queues, else NULL; the port's */
};

/* Is an IPv4 source one of the host's own? A filter with no false negatives, for one load a packet; what hits is looked
 * up. 64 Kbit, fits L1. Few addresses are compared with instead, where many sources can be at a time. */
#define PLAN_FILTER_BITS 16
#define PLAN_LOCALS_FEW	 16
struct plan_locals {
	uint64_t version;	/* of wye_region.locals_version it was made from */
	bool all;		/* ask the FIB about every source: local prefixes shorter than /32 exist */
	uint32_t n;		/* addresses */
	uint32_t few[PLAN_LOCALS_FEW];	/* all, if n ≤ PLAN_LOCALS_FEW; as they stand in packets */
	uint64_t bits[1 << PLAN_FILTER_BITS >> 6];
};

static inline uint32_t plan_filter_bit(uint32_t addr)
{
	return addr * 0x9E3779B1u >> (32 - PLAN_FILTER_BITS);
}

/* Its lowest bit says; the others are anything. */
static inline uint64_t plan_filter_word(const struct plan_locals *locals, uint32_t addr)
{
	uint32_t bit = plan_filter_bit(addr);

	return locals->bits[bit >> 6] >> (bit & 63);
}

static inline void plan_locals_add(struct plan_locals *locals, uint32_t addr)
{
	uint32_t bit = plan_filter_bit(addr);

	locals->bits[bit >> 6] |= 1ULL << (bit & 63);
	if (locals->n < PLAN_LOCALS_FEW)
		locals->few[locals->n] = addr;
	locals->n++;
}

static inline bool plan_filter_hit(const struct plan_locals *locals, uint32_t addr)
{
	return plan_filter_word(locals, addr) & 1;
}

struct plan {
	const struct wye_region *region;	/* NULL = never attached */
	uint64_t generation;
	struct wye_hits *hits;			/* NULL with n_hits 0 */
	uint32_t n_hits;
	bool trusted;				/* the mirror lives */
	const struct plan_locals *locals;	/* NULL with region */
	const struct graph_set *graphs;
	struct wye_reader_slot *slot[WYE_WORKERS_MAX];	/* NULL: one that the plan has no work for */
	struct plan_port port[WYE_PORTS_MAX];
	struct capture *capture[CAPTURES_MAX];
	uint32_t n_captures;
	bool captures_leaving;			/* somebody wants to see packets that are punted or dropped */
	struct trace *trace;			/* NULL: nodes are entered directly (trace.h) */
	uint32_t n_trace_inputs;
	uint32_t n_links;
	uint8_t port_of_link[];			/* LINK index → port + 1, 0 = not a port of ours */
};

/*
 * Makes a plan of dpd's state, swaps it in, and waits until every worker has adopted it; then frees what only the old one
 * used. New graphs: when the set of open ports changed. 0, or -errno: the old plan stays in force. Main thread.
 */
int plan_renew(struct dpd *dpd, bool new_graphs);
/*
 * As plan_renew() with new graphs, for another number of workers; all that are there now and then must run. Between the old
 * plan and the new one is one without graphs: whoever had a queue has let go of it (W3, W4) before another polls it (W1,
 * W2). When it returns dpd->n_workers is the larger number, and whoever is above n_workers has nothing to do any more.
 * 0, or -errno: all is as it was.
 */
int plan_deal_out(struct dpd *dpd, uint32_t n_workers);

#endif
