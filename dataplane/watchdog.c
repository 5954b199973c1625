/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker is alive when its loop moves, or when it sleeps and nothing is there to wake it. So it need not wake up to
 * show that it lives: main asks the epoll it sleeps in, which costs a system call where a wake-up costs twenty.
 *
 * Ordering: main polls first and looks at `asleep` after that. A worker clears it before it takes a packet from a queue,
 * so an empty epoll with `asleep` set was no starved worker at the moment of the poll.
 */
#include <poll.h>
#include <sys/epoll.h>

#include "dpd.h"
#include "log.h"
#include "runtime/process.h"
#include "steer_flow.h"
#include "watchdog.h"

#define STANDSTILL_NS 120000000u	/* at 10,000 packets/s a queue of 2,048 holds what comes meanwhile, and a tick's more */

static int sleeps_in(const struct dpd *dpd, uint32_t worker)
{
	return dpd->graphs && worker < dpd->graphs->n_workers ? dpd->graphs->worker[worker].wait.epoll_fd : -1;
}

static bool sleeps_rightly(const struct dpd *dpd, uint32_t index)
{
	struct pollfd wait = { .fd = sleeps_in(dpd, index), .events = POLLIN };

	return wait.fd >= 0 && poll(&wait, 1, 0) == 0 &&
	       atomic_load_explicit(&dpd->worker[index].asleep, memory_order_relaxed);
}

static bool worker_moves(struct dpd *dpd, uint32_t index, uint64_t now_ns)
{
	struct worker *worker = &dpd->worker[index];
	uint64_t loops = atomic_load_explicit(&worker->stats->loops, memory_order_relaxed);
	bool moved = loops != worker->seen_loops, rested = worker->seen_resting;

	worker->seen_loops = loops;
	worker->seen_resting = !moved && sleeps_rightly(dpd, index);
	if (moved || worker->seen_resting || rested) /* at the last look, maybe long ago, all was well */
		worker->seen_ns = now_ns;
	return now_ns - worker->seen_ns <= STANDSTILL_NS;
}

static bool look(struct dpd *dpd, uint64_t now_ns)
{
	bool moving = true;

	for (uint32_t i = 0; i < dpd->n_workers; i++)
		moving &= worker_moves(dpd, i, now_ns);
	return moving;
}

static void hear(struct dpd *dpd, uint32_t worker)
{
	uint32_t mute = atomic_load_explicit(&dpd->graphs->worker[worker].wait.mute, memory_order_relaxed);
	struct port *port = mute ? &dpd->port[mute - 1] : NULL;

	if (!port || !port_told(port))
		return;
	port_told_forget(port);
	log_warning("port %s: the receive interrupts of %s do not come; from now on an idle worker looks for packets in naps "
		    "of 100 us, which takes some 9%% of a core", port->config->netdev, port->device);
	stats_ports(dpd);
}

void watchdog_beat(struct dpd *dpd, uint64_t now_ns)
{
	bool moving = look(dpd, now_ns);
	static bool said;

	steer_xdp.alive(moving ? now_ns : STEER_DEAD_NS);
	steer_flow.alive(moving ? now_ns : STEER_DEAD_NS);
	steer_software.alive(moving ? now_ns : STEER_DEAD_NS);
	if (!moving && !said)
		log_warning("a worker stands still (is its CPU taken by others?); the kernel forwards its flows meanwhile");
	said = !moving;
	for (uint32_t i = 0; dpd->graphs && i < dpd->graphs->n_workers; i++)
		hear(dpd, i);
	stats_heartbeat(dpd, now_ns);
}

bool watchdog_all_asleep(const struct dpd *dpd)
{
	for (uint32_t i = 0; i < dpd->n_workers; i++)
		if (!sleeps_rightly(dpd, i))
			return false;
	return true;
}

bool watchdog_rest(const struct dpd *dpd, struct process *main)
{
	for (uint32_t i = 0; i < dpd->n_workers; i++)
		/* anew each time: a new graph's epoll may have an old one's number, and the kernel took the old one out */
		if (!dpd->worker[i].seen_resting ||
		    process_watch(main, sleeps_in(dpd, i), EPOLLIN | EPOLLONESHOT) < 0)
			return false;
	return true;
}
