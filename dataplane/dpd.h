/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of one wye-dpd, main thread's; workers see dpd.plan and what is constant from start to end (config's punt
 * section, stats, punt).
 */
#ifndef DPD_H
#define DPD_H

#include "capture.h"
#include "eal.h"
#include "flows.h"
#include "graph.h"
#include "options.h"
#include "plan.h"
#include "port.h"
#include "punt.h"
#include "stats.h"
#include "tables.h"
#include "trace.h"
#include "watchdog.h"
#include "worker.h"
#include "workers.h"

struct dpd {
	struct options options;
	struct wye_config *config;
	struct eal_memory memory;
	struct wye_stats *stats;
	int stats_fd;			/* holds the lock */
	cpu_set_t cpus;			/* that this process might use at its start */
	uint32_t n_workers, n_ports;
	struct tables tables;
	struct flows flows;
	struct punt punt;
	struct captures captures;
	struct trace trace;
	const struct rte_memzone *pool_zone;	/* where pool lies */
	struct rte_mempool *pool;
	bool pool_lost;			/* a port has been closed since the pool was made */
	struct graph_set *graphs;
	const struct plan *_Atomic plan;	/* main: rw, workers: ro; W1, W2 */
	_Atomic uint64_t plan_until_tsc;	/* nobody goes by it any longer unless main looks again; main: rw, workers: ro */
	uint64_t links_version;		/* of tables.region, as of the last look at the ports */
	bool look_again;		/* a port waits for something other than the mirror */
	bool plan_due;			/* the last plan could not be made: try again */
	struct port port[WYE_PORTS_MAX];
	struct worker worker[WYE_WORKERS_MAX];
	uint8_t port_of_dpdk[256];	/* DPDK port id → port + 1 */
};

/* The port a packet came in by + 1, 0 = none of ours. Any thread that has the packet. */
static inline uint32_t dpd_port_of(const struct dpd *dpd, const struct rte_mbuf *packet)
{
	return packet->port < RTE_DIM(dpd->port_of_dpdk) ? dpd->port_of_dpdk[packet->port] : 0;
}

#endif
