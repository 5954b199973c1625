/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who switches: to the kernel, main, since that can wait; to the dataplane, the XDP program itself, with the packet that is
 * one too many in ten milliseconds, since a burst cannot. Either stores one word of the port's own, which the program
 * reads once a packet: each packet goes one way or the other, and none is lost.
 *
 * Order: main stores when the workers sleep and nothing waits for them, so that all they were given has left. A packet
 * that reaches the program between that look and the store can be overtaken by the next one, by the kernel: at most
 * one batch of the receiving CPU, once a switch. The other way the kernel has forwarded a packet when its receive
 * function returns, unless it was told to hold it (GRO, RPS); then likewise.
 */
#include "dpd.h"
#include "pace.h"

static uint64_t received(const struct dpd *dpd, uint32_t port)
{
	uint64_t sum = 0;

	for (uint32_t i = 1; i <= WYE_WORKERS_MAX; i++) /* also of those that were */
		sum += atomic_load_explicit(&dpd->stats->worker[i].port[port].rx_packets, memory_order_relaxed);
	return sum;
}

static void start_over(const struct dpd *dpd, struct port *port, uint64_t now_ns)
{
	port->pace_ns = now_ns;
	port->pace_packets = received(dpd, port->index);
}

/* True: for slow_after_ms it has brought too few. */
static bool slow_now(const struct dpd *dpd, struct port *port, uint64_t now_ns)
{
	uint64_t passed = now_ns - port->pace_ns;
	uint64_t packets = received(dpd, port->index) - port->pace_packets;

	if (passed < dpd->config->slow.after_ms * 1000000ull)
		return false;
	if (packets * 1000000000ull < dpd->config->slow.below_pps * passed)
		return true;
	start_over(dpd, port, now_ns);
	return false;
}

static void look_at_port(struct dpd *dpd, struct port *port, uint64_t now_ns)
{
	const uint32_t above_pps = dpd->config->slow.above_pps;

	port->slow = port->backend->handed_back(&port->steer);
	if (port->slow) {
		if (dpd->config->slow.action != WYE_ACTION_KERNEL) /* a reload said so */
			port->backend->hand_back(&port->steer, false, 0);
		start_over(dpd, port, now_ns);
		return;
	}
	if (dpd->config->slow.action != WYE_ACTION_KERNEL || !slow_now(dpd, port, now_ns) || !watchdog_all_asleep(dpd))
		return;
	port->backend->hand_back(&port->steer, true, above_pps);
	port->slow = true;
	count_add(&dpd->stats->worker[0].port[port->index].handed_back, 1);
}

void pace_look(struct dpd *dpd, uint64_t now_ns)
{
	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		struct port *port = &dpd->port[i];

		if (port->open && port->enabled && port->backend->hand_back)
			look_at_port(dpd, port, now_ns);
		else
			port->slow = false;
	}
}
