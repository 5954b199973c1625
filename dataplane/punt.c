/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets from workers to main to TAPs, with a rate limit for each reason of each port. */
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dpd.h"
#include "nodes/node.h"
#include "runtime/config.h"
#include "runtime/init.h"
#include "runtime/process.h"

#define PUNT_SEGMENTS 8
#define PUNT_BATCH 64
#define PUNT_BUDGET 256	/* packets of a worker in one go */

/* ---- rate limit ------------------------------------------------------------------------------------------------- */

/*
 * Reasons that are no exceptions but mean "this flow is the kernel's": what a port whose driver brings everything
 * must pass on. The punt ring bounds them; a rate made for ICMP errors would throttle the host's own traffic.
 */
static bool unlimited(enum wye_reason reason)
{
	switch (reason) {
	case WYE_REASON_ETHER_NOT_FOR_US:
	case WYE_REASON_ETHER_VLAN:
	case WYE_REASON_ETHER_NOT_IP:
	case WYE_REASON_STEER_KERNEL:
	case WYE_REASON_STEER_GUARD:
	case WYE_REASON_PORT_PARITY:
	case WYE_REASON_PORT_NOT_FORWARDING:
	case WYE_REASON_PORT_DOWN:
	case WYE_REASON_MIRROR_STALE:
		return true;
	default:
		return false;
	}
}

static void bucket_open(const struct punt *punt, struct punt_bucket *bucket)
{
	atomic_store_explicit(&bucket->tokens, punt->depth, memory_order_relaxed);
	atomic_store_explicit(&bucket->filled_tsc, rte_rdtsc(), memory_order_relaxed);
}

/* One worker at a time refills; who loses the race finds the tokens there. */
static void bucket_fill(const struct punt *punt, struct punt_bucket *bucket)
{
	uint64_t filled = atomic_load_explicit(&bucket->filled_tsc, memory_order_relaxed);
	uint64_t tokens = (rte_rdtsc() - filled) / punt->tsc_per_token;
	int64_t left;

	if (!tokens || !atomic_compare_exchange_strong_explicit(&bucket->filled_tsc, &filled,
								filled + tokens * punt->tsc_per_token,
								memory_order_relaxed, memory_order_relaxed))
		return;
	left = atomic_load_explicit(&bucket->tokens, memory_order_relaxed);
	if (left + (int64_t)tokens > punt->depth || tokens > (uint64_t)punt->depth)
		tokens = left < punt->depth ? (uint64_t)(punt->depth - left) : 0;
	atomic_fetch_add_explicit(&bucket->tokens, (int64_t)tokens, memory_order_relaxed);
}

/* How many of n packets of a port (+ 1, 0 = none of ours: refused further on) may go. */
static uint32_t bucket_take(struct punt *punt, uint32_t port, enum wye_reason reason, uint32_t n)
{
	struct punt_bucket *bucket = &punt->bucket[port ? port - 1 : 0][reason];
	int64_t left;

	if (unlimited(reason))
		return n;
	bucket_fill(punt, bucket);
	if (atomic_load_explicit(&bucket->tokens, memory_order_relaxed) <= 0)
		return 0;
	left = atomic_fetch_sub_explicit(&bucket->tokens, n, memory_order_relaxed);
	if (left >= (int64_t)n)
		return n;
	left = left > 0 ? left : 0;
	atomic_fetch_add_explicit(&bucket->tokens, (int64_t)n - left, memory_order_relaxed);
	return (uint32_t)left;
}

/* ---- worker ------------------------------------------------------------------------------------------------------ */

static void lose(struct worker *worker, enum wye_reason reason, struct rte_mbuf **packets, uint32_t n)
{
	if (!n)
		return;
	count_reason(worker, reason, n);
	if (unlikely(worker->plan->captures_leaving))
		capture_left(worker, reason, packets, n);
	rte_pktmbuf_free_bulk(packets, n);
}

void punt_packets(struct worker *worker, enum wye_reason reason, struct rte_mbuf **packets, uint32_t n)
{
	struct punt *punt = &worker->dpd->punt;
	uint32_t allowed = bucket_take(punt, dpd_port_of(worker->dpd, packets[0]), reason, n), queued;

	count_reason(worker, reason, n);
	if (unlikely(worker->plan->captures_leaving))
		capture_left(worker, reason, packets, n);
	queued = rte_ring_enqueue_burst(worker->punts, (void **)packets, allowed, NULL); /* D1 of process.c */
	lose(worker, WYE_REASON_PUNT_QUEUE_FULL, packets + queued, allowed - queued);
	lose(worker, WYE_REASON_PUNT_RATE, packets + allowed, n - allowed);
	if (queued)
		process_wake();
}

/* ---- main --------------------------------------------------------------------------------------------------------- */

/* One frame as the wire brought it; in generic XDP mode marked, so that the steering program lets it through. */
static bool write_packet(struct dpd *dpd, struct port *port, struct rte_mbuf *packet)
{
	const struct punt_tap *tap = &dpd->punt.tap[port->index];
	struct iovec part[PUNT_SEGMENTS];
	int n = 0;

	if (tap->fd < 0 || packet->data_len < sizeof(struct rte_ether_hdr))
		return false;
	if (port->steer.generic_xdp)
		memcpy(rte_pktmbuf_mtod(packet, void *), port->steer.punt_mac, 6);
	for (struct rte_mbuf *m = packet; m && n < PUNT_SEGMENTS; m = m->next)
		part[n++] = (struct iovec){ rte_pktmbuf_mtod(m, void *), m->data_len };
	return writev(tap->fd, part, n) == (ssize_t)packet->pkt_len;
}

static void write_one(struct dpd *dpd, struct rte_mbuf *packet)
{
	struct wye_worker_stats *stats = &dpd->stats->worker[0];
	uint32_t p = dpd_port_of(dpd, packet);

	if (p-- && write_packet(dpd, &dpd->port[p], packet))
		count_add(&stats->port[p].punted, 1);
	else
		count_add(&stats->reason[WYE_REASON_PUNT_TAP], 1);
}

uint32_t punt_write_of(struct dpd *dpd, uint32_t worker, uint32_t budget)
{
	struct rte_ring *punts = dpd->worker[worker].punts;
	struct rte_mbuf *packets[PUNT_BATCH];
	uint32_t n, done = 0;

	if (!punts)
		return 0;
	do {
		n = rte_ring_dequeue_burst(punts, (void **)packets, PUNT_BATCH, NULL);
		for (uint32_t k = 0; k < n; k++)
			write_one(dpd, packets[k]);
		rte_pktmbuf_free_bulk(packets, n);
		done += n;
	} while (n == PUNT_BATCH && done < budget);
	return done;
}

uint32_t punt_write(struct dpd *dpd, uint32_t budget)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < dpd->n_workers; i++)
		done += punt_write_of(dpd, i, budget);
	return done;
}

static bool punt_waits(const struct process *process)
{
	const struct dpd *dpd = process->data;

	for (uint32_t i = 0; i < dpd->n_workers; i++)
		if (dpd->worker[i].punts && !rte_ring_empty(dpd->worker[i].punts))
			return true;
	return false;
}

static uint64_t punt_run(struct process *process, const struct process_event *event)
{
	punt_write(process->data, PUNT_BUDGET);
	return PROCESS_NEVER;
}

static struct process punt_process = { .name = "punt_write", .run = punt_run, .has_work = punt_waits };

static int punt_open(struct dpd *dpd)
{
	struct punt *punt = &dpd->punt;
	uint32_t rate = dpd->config->punt.rate_pps ? dpd->config->punt.rate_pps : 1;

	for (uint32_t i = 0; i < WYE_PORTS_MAX; i++)
		punt->tap[i].fd = -1;
	punt->tsc_per_token = RTE_MAX(rte_get_tsc_hz() / rate, (uint64_t)1);
	punt->depth = RTE_MAX(rate / 10, 1u); /* a tenth of a second's worth at once */
	for (uint32_t port = 0; port < WYE_PORTS_MAX; port++)
		for (uint32_t reason = 0; reason < WYE_REASON_COUNT; reason++)
			bucket_open(punt, &punt->bucket[port][reason]);
	punt_process.data = dpd;
	return process_add(&punt_process);
}

static void punt_close(struct dpd *dpd)
{
	for (uint32_t i = 0; i < WYE_PORTS_MAX; i++)
		punt_tap_close(&dpd->punt.tap[i]);
}

static bool punt_same(const struct config_section *section, const struct wye_config *now,
		      const struct wye_config *wanted)
{
	return now->punt.rate_pps == wanted->punt.rate_pps;
}
CONFIG(punt, .same = punt_same);
INIT(punt, .start = punt_open, .stop = punt_close, .after = INIT_NAMES("eal", "process"));
