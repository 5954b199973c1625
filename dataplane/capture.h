/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capture: copies of packets for `wye capture` (wye_capture.h). The plan lists the captures that run, so a worker's nodes
 * look at one word a vector, and nothing at all of a packet while there is none. A worker copies what matches into a
 * buffer of the capture's own; main sends the buffers.
 *
 * A capture is in the plan from start to end, and is freed when every worker has adopted one without it (plan.h, W4).
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange.h"
#include "wye_capture.h"

#define CAPTURES_MAX  4u	/* at a time */
#define CAPTURE_SLOTS (CAPTURES_MAX + 1)	/* one is refused with a word */

struct dpd;
struct plan;
struct worker;
struct rte_mbuf;
struct bpf_insn;

enum capture_state {
	CAPTURE_FREE = 0,
	CAPTURE_ASKED,		/* connected, no request yet */
	CAPTURE_STARTING,	/* to be in the next plan */
	CAPTURE_RUNNING,	/* in the plan */
	CAPTURE_ENDING,		/* in the plan, not to be in the next */
};

struct capture {
	enum capture_state state;	/* main: rw */
	int fd;
	uint32_t where;			/* enum wye_capture_where; from here on constant while in a plan */
	uint32_t port;			/* WYE_CAPTURE_PORT: index */
	uint32_t packet_bytes;
	struct bpf_insn *filter;	/* NULL = all */
	struct exchange exchange;	/* of wye_capture_record */
	struct wye_capture_record *held; /* main: taken out of `full`, and the socket had no room */
	_Atomic uint64_t lost;		/* workers: rw */
};

struct captures {
	int listen_fd;			/* -1 = none */
	struct capture one[CAPTURE_SLOTS];
};

/* ---- main ---- */

/* Puts the captures that are to run into a plan being built. */
void capture_plan(const struct dpd *dpd, struct plan *plan);

/* ---- workers, when the plan says there is somebody who wants to see them ---- */

void capture_received(struct worker *worker, uint32_t port, struct rte_mbuf **packets, uint32_t n);
void capture_sent(struct worker *worker, uint32_t port, struct rte_mbuf **packets, uint32_t n);
/* Packets that leave the forwarding path for `reason`. */
void capture_left(struct worker *worker, enum wye_reason reason, struct rte_mbuf **packets, uint32_t n);

#endif
