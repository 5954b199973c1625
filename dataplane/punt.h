/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Punt: what workers will not handle goes back into the kernel, into the ingress of the netdev it came from. Workers
 * put packets on their ring; main writes them to the port's TAP, where punt.bpf.c redirects them.
 */
#ifndef PUNT_H
#define PUNT_H

#include <stdbool.h>

#include "wye_stats.h"

struct dpd;
struct port;
struct worker;
struct rte_mbuf;
struct bpf_object;

struct punt_bucket {	/* tokens of a port's packets of one reason, shared by all workers */
	_Atomic int64_t tokens;
	_Atomic uint64_t filled_tsc;
} __attribute__((aligned(64)));

struct punt_tap {
	int fd;			/* -1 = none */
	int ifindex;
	uint32_t program_id;	/* on its ingress */
	char name[16];
	struct bpf_object *object;
	uint32_t guarded;	/* ifindex of the real netdev with wye_punted on its ingress, 0 = none */
};

struct punt {
	uint64_t tsc_per_token;
	int64_t depth;			/* of each bucket */
	struct punt_bucket bucket[WYE_PORTS_MAX][WYE_REASON_COUNT]; /* who floods one port takes nothing from another's */
	struct punt_tap tap[WYE_PORTS_MAX];
};

/* TAP for a port that is being opened, and its end. 0 or -errno with why. */
int punt_tap_open(struct punt_tap *tap, const char *netdev, uint32_t ifindex, char *why);
/* The real netdev is steered by tc filters: lets punted frames pass them. After the device made its ingress qdisc. */
int punt_tap_guard(struct punt_tap *tap, const char *netdev, uint32_t ifindex, char *why);
/* Is it up, with that program on its ingress? Any thread; waits while the kernel's RTNL lock is held. */
bool punt_tap_whole(int ifindex, uint32_t program_id);
void punt_tap_close(struct punt_tap *tap);

/* Worker: hands n packets of one port and reason over; takes them all (counts and frees what has no room or no token). */
void punt_packets(struct worker *worker, enum wye_reason reason, struct rte_mbuf **packets, uint32_t n);

/* Main: writes what waits, at most `budget` packets or a batch more; returns how many. */
uint32_t punt_write(struct dpd *dpd, uint32_t budget);	/* budget: of each worker */
uint32_t punt_write_of(struct dpd *dpd, uint32_t worker, uint32_t budget);
#endif
