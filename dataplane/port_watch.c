/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What nobody tells about open ports: is the steering program still on the netdev, is the punt TAP what it was made as, and what
 * does a PF say of its VF?
 * The kernel answers under its RTNL lock, which it holds for seconds when a million routes move: no time for main to wait,
 * whose heartbeat keeps the flows. So a thread of its own asks, once a second.
 *
 * Ordering guarantees: P1 main fills watch.port and release-stores watch.state ASKED; P2 the thread acquire-loads it, looks,
 * and release-stores LOOKED; P3 main acquire-loads that: the answers are written. Whose state it is not touches nothing of
 * watch.port. The eventfd only wakes.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dpd.h"
#include "runtime/init.h"

#define WATCH_NS 1000000000u

enum watch_state { IDLE, ASKED, LOOKED, STOP };

static struct watch {
	struct watched {		/* nothing of it points into a port, which may close meanwhile */
		uint32_t index;
		struct steer_port steer;
		bool ask_steering;	/* the others' backends know it without the kernel */
		int tap_ifindex;
		uint32_t tap_program;
		bool ask_vf;
		char device[64];
		struct wye_vf vf_before;
		bool steered, tap_whole;	/* the answers */
		struct wye_vf vf;
	} port[WYE_PORTS_MAX];
	uint32_t n;
	_Atomic enum watch_state state;
	int asked_fd;
	pthread_t thread;
	pthread_mutex_t look;	/* held during a look: its descriptors must not be taken for a device's, nor closed with it */
	uint64_t next_ns;
} watch = { .look = PTHREAD_MUTEX_INITIALIZER };

void port_watch_hold(void)
{
	pthread_mutex_lock(&watch.look);
}

void port_watch_go(void)
{
	pthread_mutex_unlock(&watch.look);
}

/* ---- the thread ---- */

static void *watch_run(void *unused)
{
	eventfd_t n;

	while (!eventfd_read(watch.asked_fd, &n)) {
		enum watch_state asked = ASKED;

		if (atomic_load_explicit(&watch.state, memory_order_acquire) == STOP) /* P2 */
			break;
		port_watch_hold();
		for (uint32_t i = 0; i < watch.n; i++) {
			struct watched *port = &watch.port[i];

			port->steered = !port->ask_steering || steer_xdp.present(&port->steer);
			port->tap_whole = punt_tap_whole(port->tap_ifindex, port->tap_program);
			if (port->ask_vf)
				port_vfio_ask(port->device, &port->vf);
		}
		port_watch_go();
		if (!atomic_compare_exchange_strong_explicit(&watch.state, &asked, LOOKED, memory_order_release,
							     memory_order_relaxed))
			break; /* it is to stop */
	}
	return NULL;
}

/* ---- main ---- */

static void ask(const struct dpd *dpd)
{
	watch.n = 0;
	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		const struct port *port = &dpd->port[i];
		struct watched *to = &watch.port[watch.n];

		if (!port->open)
			continue;
		*to = (struct watched){
			.index = i,
			.steer = port->steer,
			.ask_steering = port->backend == &steer_xdp,
			.tap_ifindex = dpd->punt.tap[i].ifindex,
			.tap_program = dpd->punt.tap[i].program_id,
			.ask_vf = port->companion.vf.known,
			.vf_before = port->companion.vf,
		};
		memcpy(to->device, port->device, sizeof(to->device));
		watch.n++;
	}
	atomic_store_explicit(&watch.state, ASKED, memory_order_release); /* P1 */
	eventfd_write(watch.asked_fd, 1);
}

/* The program is not put back: that would be a fight with the operator. The TAP is nobody's but ours. */
static void take(struct dpd *dpd, const struct watched *seen)
{
	struct port *port = &dpd->port[seen->index];
	const struct steer_backend *backend = port->backend;

	if (!port->open || dpd->punt.tap[seen->index].ifindex != seen->tap_ifindex)
		return; /* closed meanwhile, and maybe opened again */
	port->taken_off = !seen->steered || (!seen->ask_steering && backend->present && !backend->present(&port->steer));
	port->tap_lost = !seen->tap_whole;
	if (seen->ask_vf)
		companion_vf(port, &seen->vf_before, &seen->vf);
}

void port_watch(struct dpd *dpd, uint64_t now_ns)
{
	if (atomic_load_explicit(&watch.state, memory_order_acquire) == LOOKED) { /* P3 */
		for (uint32_t i = 0; i < watch.n; i++)
			take(dpd, &watch.port[i]);
		atomic_store_explicit(&watch.state, IDLE, memory_order_relaxed);
	}
	if (now_ns < watch.next_ns || atomic_load_explicit(&watch.state, memory_order_relaxed) != IDLE)
		return; /* it still waits for the kernel */
	watch.next_ns = now_ns + WATCH_NS;
	ask(dpd);
}

static int watch_open(struct dpd *dpd)
{
	sigset_t all, before;
	int error;

	watch.asked_fd = eventfd(0, EFD_CLOEXEC);
	if (watch.asked_fd < 0)
		return -errno;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = -pthread_create(&watch.thread, NULL, watch_run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		close(watch.asked_fd);
	return error;
}

/* Waits for a look that is under way. */
static void watch_close(struct dpd *dpd)
{
	atomic_store_explicit(&watch.state, STOP, memory_order_release);
	eventfd_write(watch.asked_fd, 1);
	pthread_join(watch.thread, NULL);
	close(watch.asked_fd);
}
INIT(port_watch, .start = watch_open, .stop = watch_close, .after = INIT_NAMES("ports"));
