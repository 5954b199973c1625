/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for packets; "Ordering guarantees" stand in wait.h.
 *
 * Some drivers take the order to interrupt and never do (e1000e's of DPDK 22.11 on MSI-X). Nobody can ask beforehand, but it
 * shows: a sleep without any event ends after its second, and packets are there. That happens by chance as well, when one
 * comes at that moment; three times running it does not. Then the worker does without.
 */
#include <errno.h>
#include <rte_atomic.h>
#include <rte_ethdev.h>
#include <rte_spinlock.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "graph.h"
#include "port.h"
#include "wait.h"

#define EVENTS_MAX 8
#define UNTOLD_MAX 3

struct wait_queue {
	const struct graph_node *node;
	rte_spinlock_t *lock;		/* the port's: drivers change one register, or a copy of it, for all queues */
	uint16_t port, dpdk_port, queue;
	int fd;
	bool counts;			/* an eventfd */
	uint8_t untold;			/* times running */
};

int wait_open(struct wait *wait, int wake_fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	wait->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (wait->epoll_fd < 0)
		return -errno;
	return epoll_ctl(wait->epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) ? -errno : 0;
}

void wait_close(struct wait *wait)
{
	if (wait->epoll_fd >= 0)
		close(wait->epoll_fd);
	free(wait->queue);
	wait->queue = NULL;
	wait->n_queues = 0;
	wait->epoll_fd = -1;
}

static int add_interrupt(struct wait *wait, struct port *port, uint16_t queue)
{
	struct wait_queue *grown = realloc(wait->queue, (wait->n_queues + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	wait->queue = grown;
	grown[wait->n_queues++] = (struct wait_queue){
		.lock = &port->interrupt_lock,
		.port = (uint16_t)port->index,
		.dpdk_port = port->steer.dpdk_port,
		.queue = queue,
		.fd = port->told[queue].fd,
		.counts = port->told[queue].counts,
	};
	return 0;
}

int wait_add(struct wait *wait, struct port *port, uint16_t queue)
{
	const struct port_told *told = &port->told[queue];
	struct epoll_event event = { .events = EPOLLIN };
	int error = 0;

	if (told->fd < 0)
		return -ENOTSUP;
	if (told->interrupts)
		error = add_interrupt(wait, port, queue);
	event.data.u32 = told->interrupts ? wait->n_queues : 0;
	return !error && epoll_ctl(wait->epoll_fd, EPOLL_CTL_ADD, told->fd, &event) ? -errno : error;
}

void wait_note(struct wait *wait, const struct graph_node *node)
{
	for (uint32_t i = 0; i < wait->n_queues; i++)
		if (wait->queue[i].port == node->port && wait->queue[i].queue == node->queue)
			wait->queue[i].node = node;
}

static int turn(const struct wait_queue *queue, bool on)
{
	int error;

	rte_spinlock_lock(queue->lock);
	error = on ? rte_eth_dev_rx_intr_enable(queue->dpdk_port, queue->queue) :
		     rte_eth_dev_rx_intr_disable(queue->dpdk_port, queue->queue);
	rte_spinlock_unlock(queue->lock);
	return error;
}

static void empty(const struct wait_queue *queue)
{
	uint64_t count;

	if (queue->counts)
		(void)!read(queue->fd, &count, sizeof(count));
}

bool wait_arm(struct wait *wait)
{
	wait->timed_out = false;
	if (wait->armed || !wait->n_queues || !wait_possible(wait))
		return false;
	wait->armed = true;
	for (uint32_t i = 0; i < wait->n_queues; i++) {
		empty(&wait->queue[i]);				/* I3 */
		if (turn(&wait->queue[i], true)) {		/* I1 */
			atomic_store_explicit(&wait->mute, wait->queue[i].port + 1u, memory_order_relaxed);
			break;
		}
	}
	rte_mb();
	return true;						/* to I2 */
}

/* What a driver says to it is of no use: mlx5's fails when there was no interrupt. */
void wait_off(struct wait *wait)
{
	for (uint32_t i = 0; i < wait->n_queues; i++)
		(void)turn(&wait->queue[i], false);
	wait->armed = false;
}

void wait_sleep(struct wait *wait, int timeout_ms)
{
	struct epoll_event event[EVENTS_MAX];
	int n = epoll_wait(wait->epoll_fd, event, EVENTS_MAX, timeout_ms);

	for (int i = 0; i < n; i++)
		if (event[i].data.u32)
			wait->queue[event[i].data.u32 - 1].untold = 0;
	wait->timed_out = n == 0;
	wait_disarm(wait);
}

void wait_untold(struct wait *wait)
{
	wait->timed_out = false;
	for (uint32_t i = 0; i < wait->n_queues; i++) {
		struct wait_queue *queue = &wait->queue[i];

		if (queue->node && *queue->node->vectors != queue->node->had && ++queue->untold == UNTOLD_MAX)
			atomic_store_explicit(&wait->mute, queue->port + 1u, memory_order_relaxed);
	}
}
