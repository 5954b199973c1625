/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The main thread's one loop: sleep until a descriptor is ready or a timer is due, then call who is concerned.
 *
 * Workers make work for processes without a system call for every packet: main says when it sleeps, and only then a
 * worker writes the eventfd.
 *
 * Ordering guarantees (Dekker's pattern: each side writes its own word, then reads the other's)
 *   worker: D1 makes the work (a ring's enqueue);   D2 full fence;   D3 reads sleeps, if set: clears it and writes the
 *           eventfd
 *   main:   D4 sets sleeps;   D5 full fence;   D6 asks each has_work(), if none has: epoll_wait
 * D2 and D5 are seq_cst fences and so come in one order. If D2 is first, D6 sees the work of D1 and main does not sleep.
 * If D5 is first, D3 sees D4 and the worker wakes main. Either way no work waits for a sleeper; without the fences both
 * could read old values, and it would wait for the next timer.
 */
#include <errno.h>
#include <rte_cycles.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "init.h"
#include "process.h"

#define EVENTS_MAX 32	/* taken from epoll at a time */
#define WAKE_UP	   UINT64_MAX	/* epoll's data for the eventfd; else index << 32 | descriptor */

static struct {
	int epoll_fd, wake_fd;
	_Atomic uint32_t sleeps;	/* main: rw, workers: rw; D3, D4 */
	bool end;
	uint32_t n, n_started;
	struct process *process[WYE_PROCESSES_MAX];
	struct timer_wheel wheel;
} loop = { .epoll_fd = -1, .wake_fd = -1 };

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static void process_close(struct dpd *dpd)
{
	int error = errno;

	if (loop.epoll_fd >= 0)
		close(loop.epoll_fd);
	if (loop.wake_fd >= 0)
		close(loop.wake_fd);
	loop.epoll_fd = loop.wake_fd = -1;
	loop.n = loop.n_started = 0;
	errno = error;
}

static int process_open(struct dpd *dpd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = WAKE_UP };

	timer_wheel_init(&loop.wheel, clock_ns());
	loop.n = loop.n_started = 0;
	loop.end = false;
	loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop.epoll_fd >= 0 && loop.wake_fd >= 0 &&
	    epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, loop.wake_fd, &event) == 0)
		return 0;
	process_close(dpd);
	return -errno;
}

INIT(process, .start = process_open, .stop = process_close, .before = INIT_NAMES("eal"));

int process_add(struct process *process)
{
	if (loop.n == WYE_PROCESSES_MAX)
		return -ENOSPC;
	process->index = loop.n;
	process->due_ns = PROCESS_NEVER;
	process->timer = (struct timer){ 0 };
	if (!process->counters)
		process->counters = &process->own;
	loop.process[loop.n++] = process;
	return 0;
}

struct process *process_at(uint32_t index)
{
	return index < loop.n ? loop.process[index] : NULL;
}

int process_watch(struct process *process, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = (uint64_t)process->index << 32 | (uint32_t)fd };

	if (epoll_ctl(loop.epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0 ||
	    (errno == ENOENT && epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0))
		return 0;
	return -errno;
}

uint64_t process_period(const struct process *process, const struct process_event *event, uint64_t period_ns)
{
	uint64_t late_ns = event->kind == PROCESS_CLOCK ? event->now_ns - process->due_ns : 0;

	return event->now_ns + period_ns - late_ns % period_ns;
}

/* ---- running ------------------------------------------------------------------------------------------------------ */

static void say_state(struct process *process, enum wye_process_state state)
{
	atomic_store_explicit(&process->counters->state, (uint32_t)state, memory_order_relaxed);
}

static void call(struct process *process, const struct process_event *event)
{
	struct wye_process_counters *counters = process->counters;
	uint64_t before = rte_rdtsc();

	say_state(process, WYE_PROCESS_RUNS);
	process->due_ns = process->run(process, event);
	timer_cancel(&process->timer);
	if (process->due_ns != PROCESS_NEVER)
		timer_set(&loop.wheel, &process->timer, process->due_ns);
	say_state(process, process->due_ns == PROCESS_NEVER ? WYE_PROCESS_WAITS_EVENT : WYE_PROCESS_WAITS_CLOCK);
	if (!process->has_work || !process->has_work(process))
		count(&counters->suspends, 1);
	count(&counters->calls, 1);
	count(&counters->cycles, rte_rdtsc() - before);
}

static void call_started(uint64_t now_ns)
{
	while (loop.n_started < loop.n && !loop.end)
		call(loop.process[loop.n_started++], &(struct process_event){ PROCESS_START, -1, 0, now_ns });
}

static void call_ready(const struct epoll_event *ready, int n, uint64_t now_ns)
{
	for (int i = 0; i < n && !loop.end; i++) {
		struct process_event event = { PROCESS_READY, (int)(uint32_t)ready[i].data.u64, ready[i].events, now_ns };
		struct process *process = process_at((uint32_t)(ready[i].data.u64 >> 32));
		uint64_t drained;

		if (ready[i].data.u64 == WAKE_UP)
			(void)!read(loop.wake_fd, &drained, sizeof(drained));
		else if (process)
			call(process, &event);
	}
}

static void call_due(uint64_t now_ns)
{
	struct timer_list due;
	struct timer *timer;

	timer_list_init(&due);
	timer_wheel_turn(&loop.wheel, now_ns, &due);
	while ((timer = timer_take(&due)) && !loop.end)
		call((struct process *)((char *)timer - offsetof(struct process, timer)),
		     &(struct process_event){ PROCESS_CLOCK, -1, 0, now_ns });
	while (timer) /* the rest, when it is time to end */
		timer = timer_take(&due);
}

static void call_workful(uint64_t now_ns)
{
	for (uint32_t i = 0; i < loop.n_started && !loop.end; i++) {
		struct process *process = loop.process[i];

		if (process->has_work && process->has_work(process))
			call(process, &(struct process_event){ PROCESS_WORK, -1, 0, now_ns });
	}
}

static bool may_sleep(void)
{
	atomic_store_explicit(&loop.sleeps, 1, memory_order_relaxed); /* D4 */
	atomic_thread_fence(memory_order_seq_cst); /* D5 */
	if (loop.n_started < loop.n)
		return false;
	for (uint32_t i = 0; i < loop.n; i++)
		if (loop.process[i]->has_work && loop.process[i]->has_work(loop.process[i])) /* D6 */
			return false;
	return true;
}

/* Not before the next timer is due: rounded up. */
static int sleep_ms(void)
{
	uint64_t next = timer_wheel_next_ns(&loop.wheel), now = clock_ns();

	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : next - now > 1000000000u ? 1000 : (int)((next - now + 999999) / 1000000);
}

void process_wake(void)
{
	uint64_t one = 1;

	atomic_thread_fence(memory_order_seq_cst); /* D2 */
	if (atomic_load_explicit(&loop.sleeps, memory_order_relaxed) && /* D3 */
	    atomic_exchange_explicit(&loop.sleeps, 0, memory_order_relaxed))
		(void)!write(loop.wake_fd, &one, sizeof(one));
}

void process_end(void)
{
	loop.end = true;
}

void process_loop(void)
{
	struct epoll_event ready[EVENTS_MAX];

	while (!loop.end) {
		int n = epoll_wait(loop.epoll_fd, ready, EVENTS_MAX, may_sleep() ? sleep_ms() : 0);
		uint64_t now = clock_ns();

		atomic_store_explicit(&loop.sleeps, 0, memory_order_relaxed);
		call_started(now);
		call_ready(ready, n, now);
		call_due(now);
		call_workful(now);
	}
}
