/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds plans and swaps them in; "Ordering guarantees" stand in plan.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "dpd.h"
#include "log.h"
#include "runtime/init.h"
#include "steer_flow.h"

static uint64_t plan_mac48(const uint8_t mac[6])
{
	uint64_t value = 0;

	memcpy(&value, mac, 6);
	return value;
}

static void plan_port(struct plan *plan, const struct dpd *dpd, const struct port *port)
{
	struct plan_port *to = &plan->port[port->index];

	*to = (struct plan_port){
		.open = true,
		.classify = port->backend == &steer_flow ||
			    (port->backend == &steer_software && !(port->enabled && dpd->flows.plain)),
		.n_tx = (uint8_t)port->n_tx,
		.dpdk_port = port->steer.dpdk_port,
		.ifindex = port->steer.ifindex,
		.link = port->link_index,
		.mac48 = plan_mac48(port->link.mac),
		.tx_lock = dpd->n_workers + (port->companion.fd >= 0) > port->n_tx ? (rte_spinlock_t *)port->tx_lock : NULL,
	};
	if (port_beside(port)) {
		to->device_mac48 = plan_mac48(port->companion.device_mac.addr_bytes);
		to->copies = !port->companion.switched;
	}
	if (port->link_index < plan->n_links && port->sends)
		plan->port_of_link[port->link_index] = (uint8_t)(port->index + 1);
}

static struct plan *plan_build(const struct dpd *dpd)
{
	const struct tables *tables = &dpd->tables;
	uint32_t n_links = tables->region ? tables->region->section[WYE_SECTION_LINK].capacity : 0;
	struct plan *plan = calloc(1, sizeof(*plan) + n_links);

	if (!plan)
		return NULL;
	plan->region = tables->region;
	plan->generation = tables->generation;
	plan->hits = tables->hits;
	plan->n_hits = tables->n_hits;
	plan->trusted = tables->trust == WYE_TRUST_OK;
	plan->locals = dpd->flows.filter;
	plan->graphs = dpd->graphs;
	plan->n_links = n_links;
	memcpy(plan->slot, tables->slot, dpd->n_workers * sizeof(plan->slot[0]));
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (dpd->port[i].open)
			plan_port(plan, dpd, &dpd->port[i]);
	if (n_links)
		plan->port_of_link[0] = 0;
	capture_plan(dpd, plan);
	trace_plan(dpd, plan);
	return plan;
}

static void plan_publish(struct dpd *dpd, struct plan *plan)
{
	const struct plan *old = atomic_load_explicit(&dpd->plan, memory_order_relaxed);
	uint64_t beat_ns = clock_ns();

	atomic_store_explicit(&dpd->plan, plan, memory_order_release); /* W1 */
	for (uint32_t i = 0; i < dpd->n_workers; i++)
		worker_wake(&dpd->worker[i]);
	for (uint32_t i = 0; i < dpd->n_workers; i++) {
		while (atomic_load_explicit(&dpd->worker[i].adopted, memory_order_acquire) != plan) { /* W4 */
			uint64_t now = clock_ns();

			if (now >= beat_ns) { /* one without a CPU must not keep its flows for that long */
				watchdog_beat(dpd, now);
				beat_ns = now + WATCHDOG_TICK_NS;
			}
			usleep(20);
		}
	}
	free((void *)old);
}

int plan_renew(struct dpd *dpd, bool new_graphs)
{
	struct graph_set *old = dpd->graphs, *fresh = old;
	struct plan *plan;

	if (new_graphs)
		fresh = graph_build(dpd);
	if (!fresh)
		return -errno;
	dpd->graphs = fresh;
	plan = plan_build(dpd);
	if (!plan) {
		log_error("plan: %s", strerror(errno));
		dpd->graphs = old;
		return -ENOMEM;
	}
	plan_publish(dpd, plan);
	if (fresh != old)
		graph_free(old);
	flows_settle(dpd);
	return 0;
}

/* A plan with these graphs, for so many workers. */
static struct plan *plan_for(struct dpd *dpd, struct graph_set *graphs, uint32_t n_workers)
{
	dpd->graphs = graphs;
	dpd->n_workers = n_workers;
	return plan_build(dpd);
}

int plan_deal_out(struct dpd *dpd, uint32_t n_workers)
{
	struct graph_set *old = dpd->graphs, *fresh;
	struct plan *between, *plan = NULL;
	uint32_t had = dpd->n_workers;

	between = plan_for(dpd, NULL, n_workers);
	fresh = between ? graph_build(dpd) : NULL;
	if (fresh)
		plan = plan_for(dpd, fresh, n_workers);
	if (!plan) {
		free(between);
		dpd->graphs = old;
		dpd->n_workers = had;
		return -ENOMEM;
	}
	dpd->n_workers = RTE_MAX(had, n_workers);
	plan_publish(dpd, between);
	plan_publish(dpd, plan);
	graph_free(old);
	flows_settle(dpd);
	return 0;
}

/* What workers went by, when they have stopped. */
static void plan_forget(struct dpd *dpd)
{
	tables_release(&dpd->tables, NULL);
	free((void *)atomic_load_explicit(&dpd->plan, memory_order_relaxed));
}
INIT(plan, .stop = plan_forget, .before = INIT_NAMES("workers"));
