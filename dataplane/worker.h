/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: one pinned thread that walks its graph for ever. It never allocates, logs or waits for anybody; when idle
 * and told to be adaptive it sleeps until a packet comes.
 */
#ifndef WORKER_H
#define WORKER_H

#include "plan.h"

struct rte_ring;
struct dpd;

struct worker {
	uint32_t index;
	unsigned int lcore;
	struct dpd *dpd;
	struct wye_worker_stats *stats;	/* own block in the stats file */
	const struct plan *plan;	/* worker: rw */
	bool outdated;			/* main has not looked at the mirror for stale_after_s; worker: rw */
	struct rte_ring *punts;		/* worker: producer, main: consumer; of mbufs */
	int wake_fd;			/* eventfd; main writes it to end a sleep */
	uint64_t received;		/* packets since start; worker: rw */
	const struct plan *_Atomic adopted; /* worker: rw, main: ro; W3, W4 */
	_Atomic uint64_t ports_down;	/* bit p: the kernel has refused to send out of port p since the plan was adopted,
					 * as its netdev is down; worker: rw, main: ro */
	uint32_t priority;		/* it starts with; main: rw before that, worker: ro */
	_Atomic bool stop;		/* main: rw, worker: ro */
	_Atomic bool adaptive;		/* may sleep; main: rw, worker: ro */
	_Atomic bool asleep;		/* in epoll; worker: rw, main: ro; see watchdog.c */
	uint64_t seen_loops, seen_ns;	/* main: the watchdog's memory */
	bool seen_resting;
} __attribute__((aligned(128)));

int worker_main(void *worker);		/* until it is to stop; the thread is its own */
void worker_wake(struct worker *worker);
/* Makes its thread real-time (SCHED_FIFO), or with 0 an ordinary one again; its niceness stays. 0 or -errno. */
int worker_schedule(struct worker *worker, uint32_t priority);

/* Has every worker call it in each loop, after the plan and before the inputs. Before workers are started. 0, or -ENOSPC. */
#define WORKER_PRE_INPUTS_MAX (WYE_PRE_INPUTS_MAX - 1)	/* "plan" is there */
int worker_pre_input(const char *name, void (*run)(struct worker *worker));
void worker_show_pre_inputs(struct dpd *dpd);	/* into the stats file */

/* Relaxed add to a counter only this thread writes. */
static inline void count_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void count_reason(struct worker *worker, enum wye_reason reason, uint64_t n)
{
	count_add(&worker->stats->reason[reason], n);
}

/* A counter of this thread's own. */
static inline uint64_t count_of(const struct worker *worker, enum wye_reason reason)
{
	return atomic_load_explicit(&worker->stats->reason[reason], memory_order_relaxed);
}

#endif
