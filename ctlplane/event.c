/* SPDX-License-Identifier: BSD-3-Clause */
/* The event loop: see event.h. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "event.h"
#include "log.h"

int event_open(struct event_loop *loop)
{
	memset(loop, 0, sizeof(*loop));
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void event_close(struct event_loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

static int watch(struct event_loop *loop, int fd, uint32_t index)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = index };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int event_add(struct event_loop *loop, int fd, void (*ready)(void *ctx), void *ctx)
{
	int error;

	if (loop->n_sources == EVENT_SOURCES)
		return -ENOSPC;
	error = watch(loop, fd, loop->n_sources);
	if (error)
		return error;
	loop->source[loop->n_sources++] = (struct event_source){ .fd = fd, .ready = ready, .ctx = ctx };
	return 0;
}

int event_replace(struct event_loop *loop, int old_fd, int new_fd)
{
	for (unsigned i = 0; i < loop->n_sources; i++) {
		if (loop->source[i].fd != old_fd)
			continue;
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, old_fd, NULL);
		loop->source[i].fd = new_fd;
		return watch(loop, new_fd, i);
	}
	return -ENOENT;
}

int event_pause(struct event_loop *loop, int fd, bool pause)
{
	for (unsigned i = 0; i < loop->n_sources; i++) {
		struct epoll_event event = { .events = pause ? 0 : EPOLLIN, .data.u32 = i };

		if (loop->source[i].fd == fd)
			return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0 ? -errno : 0;
	}
	return -ENOENT;
}

int event_timer(struct event_loop *loop, uint32_t period_ms, void (*ready)(void *ctx), void *ctx)
{
	struct timespec period = { .tv_sec = period_ms / 1000, .tv_nsec = (long)(period_ms % 1000) * 1000000 };
	struct itimerspec spec = { .it_interval = period, .it_value = period };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int error;

	if (fd < 0)
		return -errno;
	error = timerfd_settime(fd, 0, &spec, NULL) < 0 ? -errno : event_add(loop, fd, ready, ctx);
	if (error) {
		close(fd);
		return error;
	}
	return fd;
}

static int collect(struct event_loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENT_SOURCES];
	int n = epoll_wait(loop->epoll_fd, events, EVENT_SOURCES, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++)
		loop->source[events[i].data.u32].is_ready = true;
	return n;
}

int event_run(struct event_loop *loop, int (*turn)(void *ctx), void *ctx)
{
	int timeout_ms = 0;

	while (!loop->stop) {
		int error = collect(loop, timeout_ms);

		if (error < 0)
			return error;
		for (unsigned i = 0; i < loop->n_sources; i++) {
			if (!loop->source[i].is_ready)
				continue;
			loop->source[i].is_ready = false;
			loop->source[i].ready(loop->source[i].ctx);
		}
		timeout_ms = turn(ctx);
	}
	return 0;
}
