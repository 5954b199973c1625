/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errands: see errand.h.
 *
 * Ordering guarantees: E1 the loop writes the errand and release-stores state ASKED; E2 the thread acquire-loads it, runs it,
 * writes the result and release-stores DONE; E3 the loop acquire-loads that. Whose state it is not touches nothing of the
 * errand, nor of what it is about. The eventfds only wake.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "errand.h"
#include "mirror.h"
#include "thread.h"

enum errand_state { ERRAND_DONE, ERRAND_ASKED, ERRAND_STOP };

static struct {
	int (*run)(void *ctx);
	void *ctx;
	int result;
	_Atomic enum errand_state state;
	int asked_fd, done_fd;	/* eventfds */
	pthread_t thread;
	bool runs;
} errand;

static void *errand_thread(void *unused)
{
	eventfd_t n;

	while (!eventfd_read(errand.asked_fd, &n)) {
		if (atomic_load_explicit(&errand.state, memory_order_acquire) == ERRAND_STOP) /* E2 */
			break;
		errand.result = errand.run(errand.ctx);
		atomic_store_explicit(&errand.state, ERRAND_DONE, memory_order_release);
		eventfd_write(errand.done_fd, 1);
	}
	return NULL;
}

int errand_run(struct mirror *mirror, int (*run)(void *ctx), void *ctx)
{
	eventfd_t n;

	if (!errand.runs)
		return run(ctx);
	errand.run = run;
	errand.ctx = ctx;
	atomic_store_explicit(&errand.state, ERRAND_ASKED, memory_order_release); /* E1 */
	eventfd_write(errand.asked_fd, 1);
	while (atomic_load_explicit(&errand.state, memory_order_acquire) != ERRAND_DONE) /* E3 */
		parity_hear(mirror, errand.done_fd);
	(void)eventfd_read(errand.done_fd, &n);
	return errand.result;
}

int errand_open(void)
{
	int error;

	errand.asked_fd = eventfd(0, EFD_CLOEXEC);
	errand.done_fd = eventfd(0, EFD_CLOEXEC);
	if (errand.asked_fd < 0 || errand.done_fd < 0)
		return -errno;
	error = thread_start(&errand.thread, errand_thread);
	errand.runs = !error;
	return error;
}

void errand_close(void)
{
	if (!errand.runs)
		return;
	atomic_store_explicit(&errand.state, ERRAND_STOP, memory_order_relaxed);
	eventfd_write(errand.asked_fd, 1);
	pthread_join(errand.thread, NULL);
	close(errand.asked_fd);
	close(errand.done_fd);
	errand.runs = false;
}
