/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an idle worker waits in: an epoll of its receive queues' descriptors and of the one main wakes it by. Sockets and TUN
 * devices are readable while packets wait in them. The queues of a NIC interrupt: switched on when the worker is about to
 * sleep, off when it is awake, since a busy queue would interrupt without end.
 *
 * Ordering guarantees
 *
 * I1 wait_arm() switches a queue's interrupt on, then a full barrier; I2 the caller looks into the queue after it. A packet
 *    that the NIC stored before it saw I1 is found at I2, for one stored after that it interrupts: none waits unseen. The
 *    partner is the device: it stores a packet first and asks whether to interrupt after that. The barrier is for CPUs that
 *    would read the descriptor before the register is written.
 * I3 An interrupt's eventfd is emptied before I1, never between I1 and the sleep: what is in it was for packets that I2 finds,
 *    and what comes later ends the sleep.
 * A packet itself is visible to whom its interrupt woke: the NIC stores it before, and the kernel's locks are in between.
 *
 * Made and freed by main, when no worker uses it (W3, W4 in plan.h); between them it is its worker's, but for `epoll_fd`, which
 * main polls, and `mute`.
 */
#ifndef WAIT_H
#define WAIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct graph_node;
struct port;
struct wait_queue;

struct wait {
	int epoll_fd;			/* wakes when a queue has packets or main wants something; -1 = cannot wait so */
	bool armed;			/* interrupts are on */
	bool timed_out;			/* the last sleep ended of itself */
	uint32_t n_queues;		/* those that interrupt */
	struct wait_queue *queue;	/* owned */
	_Atomic uint32_t mute;		/* port + 1 whose interrupts do not come: no sleep any more; worker: rw, main: ro */
};

/* One that main's wake_fd ends. 0 or -errno: it cannot be waited in. */
int wait_open(struct wait *wait, int wake_fd);
/* Adds a queue of an open port. -ENOTSUP: nothing tells of its packets. */
int wait_add(struct wait *wait, struct port *port, uint16_t queue);
/* The node that receives from the queue. Lives as long. */
void wait_note(struct wait *wait, const struct graph_node *node);
void wait_close(struct wait *wait);

static inline bool wait_possible(const struct wait *wait)
{
	return wait->epoll_fd >= 0 && !atomic_load_explicit(&wait->mute, memory_order_relaxed);
}

/* Switches interrupts on. True: they were off, so the caller looks into its queues once more, and asks again if they are empty. */
bool wait_arm(struct wait *wait);
/* Until a packet comes, main wants something, or the time is over; switches interrupts off. Only if it is possible. */
void wait_sleep(struct wait *wait, int timeout_ms);
/* Packets were found at the first look after a sleep that had timed out: nothing had told of them. */
void wait_untold(struct wait *wait);

void wait_off(struct wait *wait);

static inline void wait_disarm(struct wait *wait)
{
	if (wait->armed)
		wait_off(wait);
}

#endif
