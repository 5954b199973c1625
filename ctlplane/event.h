/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop: epoll over a fixed set of sources. One turn calls the ready sources in the order they were added, then the
 * turn function, which does one bounded piece of background work and says how long the loop may sleep.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stdint.h>

#define EVENT_SOURCES 24

struct event_source {
	int fd;
	void (*ready)(void *ctx);
	void *ctx;
	bool is_ready;
};

struct event_loop {
	int epoll_fd;
	struct event_source source[EVENT_SOURCES];
	unsigned n_sources;
	bool stop;
};

int event_open(struct event_loop *loop);
void event_close(struct event_loop *loop);
/* -ENOSPC, or epoll_ctl's errno. The fd stays the caller's. */
int event_add(struct event_loop *loop, int fd, void (*ready)(void *ctx), void *ctx);
/* The source's socket was replaced by another (its old fd is closed already or about to be). */
int event_replace(struct event_loop *loop, int old_fd, int new_fd);
/* Stops, or starts again, to listen for what is in the fd. */
int event_pause(struct event_loop *loop, int fd, bool pause);
/* Calls `ready` every period_ms. Returns the timerfd, closed by event_close. */
int event_timer(struct event_loop *loop, uint32_t period_ms, void (*ready)(void *ctx), void *ctx);
/* Until stop is set. turn() returns the most milliseconds to sleep, -1 = until something happens. */
int event_run(struct event_loop *loop, int (*turn)(void *ctx), void *ctx);

#endif
