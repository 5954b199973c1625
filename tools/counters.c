/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over the blocks of the dataplane's threads; counters.h. */
#include "counters.h"

uint64_t counter_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit((_Atomic uint64_t *)counter, memory_order_relaxed);
}

bool counters_thread_runs(const struct wye_stats *stats, uint32_t thread)
{
	const struct wye_worker_stats *worker = &stats->worker[thread];

	return worker->cpu != UINT32_MAX && (worker->tid || counter_get(&worker->loops));
}

struct port_sum counters_port(const struct wye_stats *stats, uint32_t port, int thread)
{
	struct port_sum sum = { 0 };

	for (int t = 0; t < (int)THREADS; t++) {
		const struct wye_port_counters *c = &stats->worker[t].port[port];

		if (thread >= 0 && t != thread)
			continue;
		sum.rx_packets += counter_get(&c->rx_packets);
		sum.rx_bytes += counter_get(&c->rx_bytes);
		sum.tx_packets += counter_get(&c->tx_packets);
		sum.tx_bytes += counter_get(&c->tx_bytes);
		sum.rx_errors += counter_get(&c->rx_errors);
		sum.tx_dropped += counter_get(&c->tx_dropped);
		sum.punted += counter_get(&c->punted);
		sum.handed_back += counter_get(&c->handed_back);
	}
	return sum;
}

uint64_t counters_reason(const struct wye_stats *stats, uint32_t reason, int thread)
{
	uint64_t sum = 0;

	for (int t = 0; t < (int)THREADS; t++)
		if (thread < 0 || t == thread)
			sum += counter_get(&stats->worker[t].reason[reason]);
	return sum;
}
