/* SPDX-License-Identifier: BSD-3-Clause */
/* The dataplane's counters, added up over its threads. Each is read by itself: a sum may be a packet apart. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include "view.h"

struct port_sum {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, rx_errors, tx_dropped, punted, handed_back;
};

#define THREADS (WYE_WORKERS_MAX + 1)

uint64_t counter_get(const _Atomic uint64_t *counter);
struct port_sum counters_port(const struct wye_stats *stats, uint32_t port, int thread);	/* thread -1: all */
uint64_t counters_reason(const struct wye_stats *stats, uint32_t reason, int thread);
bool counters_thread_runs(const struct wye_stats *stats, uint32_t thread);

#endif
