/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes: woken by what they wait for and by nothing else, in order, counted; work made by another thread never waits
 * for a sleeping main.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "runtime/init.h"
#include "runtime/process.h"

#define MS 1000000ull

static char said[512];

static void say(const char *what)
{
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s ", what);
}

static int setup(void **state)
{
	char why[128];

	said[0] = '\0';
	return init_start(NULL, NULL, why, sizeof(why)); /* the loop's own is linked in, and "eal", which it wants to precede */
}

static int teardown(void **state)
{
	init_stop(NULL);
	return 0;
}
INIT(eal, .start = NULL);

static uint64_t calls(const struct process *process)
{
	return atomic_load(&process->counters->calls);
}

/* ---- the clock ---- */

#define TICKS 10

static uint64_t tick(struct process *process, const struct process_event *event)
{
	uint64_t *seen = process->data, n = calls(process);

	if (event->kind == PROCESS_CLOCK) {
		assert_true(event->now_ns >= process->due_ns);
		seen[n] = process->due_ns;
	}
	if (n == 4) /* late for the next, too late for the one after it */
		usleep(25000);
	if (n == TICKS)
		process_end();
	return process_period(process, event, 10 * MS);
}

/* Whole periods from the first, whatever comes between; what was missed is left out. */
static void a_period_does_not_drift(void **state)
{
	uint64_t seen[TICKS + 1] = { 0 };
	struct process process = { .name = "tick", .run = tick, .data = seen };

	assert_int_equal(process_add(&process), 0);
	process_loop();
	for (int i = 2; i <= TICKS; i++) {
		assert_true(seen[i] > seen[i - 1]);
		assert_int_equal((seen[i] - seen[1]) % (10 * MS), 0);
	}
	assert_true(seen[6] - seen[4] >= 30 * MS);
	assert_int_equal(calls(&process), TICKS + 1);
	assert_int_equal(atomic_load(&process.counters->suspends), TICKS + 1);
	assert_int_equal(atomic_load(&process.counters->state), WYE_PROCESS_WAITS_CLOCK);
}

static uint64_t once(struct process *process, const struct process_event *event)
{
	const uint64_t *after_ns = process->data;

	if (event->kind == PROCESS_START)
		return event->now_ns + *after_ns;
	say(process->name);
	if (!strcmp(process->name, "last"))
		process_end();
	return PROCESS_NEVER;
}

static void by_due_time(void **state)
{
	uint64_t after_ns[] = { 30 * MS, 10 * MS, 20 * MS, 10 * MS };
	struct process process[] = {
		{ .name = "last", .run = once, .data = &after_ns[0] }, { .name = "a", .run = once, .data = &after_ns[1] },
		{ .name = "c", .run = once, .data = &after_ns[2] }, { .name = "b", .run = once, .data = &after_ns[3] },
	};

	for (int i = 0; i < 4; i++)
		assert_int_equal(process_add(&process[i]), 0);
	assert_ptr_equal(process_at(1), &process[1]);
	assert_null(process_at(4));
	process_loop();
	assert_string_equal(said, "a b c last ");
	assert_int_equal(atomic_load(&process[1].counters->state), WYE_PROCESS_WAITS_EVENT);
}

static void so_many_and_no_more(void **state)
{
	static struct process process[WYE_PROCESSES_MAX + 1];

	for (uint32_t i = 0; i < WYE_PROCESSES_MAX; i++)
		assert_int_equal(process_add(&process[i]), 0);
	assert_int_equal(process_add(&process[WYE_PROCESSES_MAX]), -ENOSPC);
}

/* ---- descriptors ---- */

static int fd[2];

static uint64_t reads(struct process *process, const struct process_event *event)
{
	uint64_t value;

	if (event->kind == PROCESS_START) {
		assert_int_equal(process_watch(process, fd[0], EPOLLIN), 0);
		assert_int_equal(process_watch(process, fd[1], EPOLLIN), 0);
		return event->now_ns + 20 * MS;
	}
	if (event->kind == PROCESS_CLOCK) {
		say("clock");
		process_end();
		return PROCESS_NEVER;
	}
	assert_int_equal(event->kind, PROCESS_READY);
	assert_int_equal(event->ready, EPOLLIN);
	assert_int_equal(read(event->fd, &value, sizeof(value)), sizeof(value));
	say(event->fd == fd[0] ? "first" : "second");
	return process->due_ns;
}

static uint64_t writes(struct process *process, const struct process_event *event)
{
	assert_int_equal(write(fd[1], &(uint64_t){ 1 }, 8), 8);
	return PROCESS_NEVER;
}

/* The reader adds another when it is called: that starts too. And its clock goes on, whatever else wakes it. */
static void each_descriptor_by_itself(void **state)
{
	struct process reader = { .name = "reads", .run = reads }, writer = { .name = "writes", .run = writes };

	fd[0] = eventfd(1, EFD_NONBLOCK);
	fd[1] = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(process_add(&reader), 0);
	assert_int_equal(process_add(&writer), 0);
	process_loop();
	close(fd[0]);
	close(fd[1]);
	assert_true(strstr(said, "first") && strstr(said, "second"));
	assert_string_equal(said + strlen(said) - strlen("clock "), "clock ");
	assert_int_equal(calls(&reader), 4);
	assert_int_equal(calls(&writer), 1);
}

static uint64_t gives_up(struct process *process, const struct process_event *event)
{
	if (event->kind == PROCESS_START) {
		assert_int_equal(process_watch(process, fd[0], EPOLLIN), 0);
		return event->now_ns + 20 * MS;
	}
	assert_int_equal(event->kind, PROCESS_READY);
	assert_int_equal(read(fd[0], &(uint64_t){ 0 }, 8), 8);
	return PROCESS_NEVER;
}

/* Who asked for a time and then for none is not called by the clock. */
static void never_is_never(void **state)
{
	uint64_t after_ns = 60 * MS;
	struct process process = { .name = "gives up", .run = gives_up };
	struct process last = { .name = "last", .run = once, .data = &after_ns };

	fd[0] = eventfd(1, EFD_NONBLOCK);
	assert_int_equal(process_add(&process), 0);
	assert_int_equal(process_add(&last), 0);
	process_loop();
	close(fd[0]);
	assert_int_equal(calls(&process), 2);
}

/* ---- work of other threads ---- */

#define ITEMS 20000u

static _Atomic uint64_t made, taken;

static bool has_items(const struct process *process)
{
	return atomic_load_explicit(&made, memory_order_acquire) != atomic_load_explicit(&taken, memory_order_relaxed);
}

static uint64_t take_item(struct process *process, const struct process_event *event)
{
	if (event->kind == PROCESS_CLOCK)
		fail_msg("asleep for ten seconds while there was work");
	if (event->kind == PROCESS_WORK)
		atomic_fetch_add_explicit(&taken, 1, memory_order_release);
	if (atomic_load_explicit(&taken, memory_order_relaxed) == ITEMS)
		process_end();
	return event->now_ns + 10000 * MS;
}

/* One at a time, so that main goes to sleep between them, as the worker makes the next. */
static void *make_items(void *arg)
{
	for (uint64_t i = 0; i < ITEMS; i++) {
		while (atomic_load_explicit(&taken, memory_order_acquire) != i)
			;
		atomic_store_explicit(&made, i + 1, memory_order_release);
		process_wake();
	}
	return NULL;
}

static void no_work_waits_for_a_sleeper(void **state)
{
	struct process process = { .name = "takes", .run = take_item, .has_work = has_items };
	pthread_t thread;

	assert_int_equal(process_add(&process), 0);
	assert_int_equal(pthread_create(&thread, NULL, make_items, NULL), 0);
	process_loop();
	pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&taken), ITEMS);
	assert_in_range(calls(&process), ITEMS + 1, ITEMS + 1);
}

/* ---- the moments in which work could be overlooked, one after the other in one thread ---- */

static bool (*about_to_sleep)(void);	/* NULL, or called before main sleeps; false: it must be woken at once */

/* libc's, but for that. */
int epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
	bool woken = timeout_ms && about_to_sleep && !about_to_sleep();

	if (!woken)
		return epoll_pwait(epoll_fd, events, max, timeout_ms, NULL);
	assert_int_equal(epoll_pwait(epoll_fd, events, max, 0, NULL), 1);
	return 1;
}

static bool has_one(const struct process *process)
{
	return *(const bool *)process->data;
}

static uint64_t take_one(struct process *process, const struct process_event *event)
{
	if (event->kind == PROCESS_WORK) {
		say("taken");
		process_end();
	}
	*(bool *)process->data = false;
	return PROCESS_NEVER;
}

static bool work;

static bool has_made;

static uint64_t make_late(struct process *process, const struct process_event *event)
{
	has_made = event->kind == PROCESS_WORK;
	if (has_made) {
		work = true;
		process_wake();
	}
	return PROCESS_NEVER;
}

static bool makes_once(const struct process *process)
{
	return !has_made;
}

static bool nothing_to_do(void)
{
	assert_false(work);
	return true;
}

/* Made when main does not sleep, for one that has been asked in this turn already: asked again before it sleeps. */
static void work_made_before_the_sleep(void **state)
{
	struct process taker = { .name = "takes", .run = take_one, .has_work = has_one, .data = &work };
	struct process maker = { .name = "makes", .run = make_late, .has_work = makes_once };

	work = has_made = false;
	about_to_sleep = nothing_to_do;
	assert_int_equal(process_add(&taker), 0);
	assert_int_equal(process_add(&maker), 0);
	process_loop();
	about_to_sleep = NULL;
	assert_string_equal(said, "taken ");
}

static bool made_now(void)
{
	work = true;
	process_wake();
	return false;
}

/* Made when main has asked all and is about to sleep: that is one wake-up. */
static void work_made_in_the_sleep(void **state)
{
	struct process taker = { .name = "takes", .run = take_one, .has_work = has_one, .data = &work };

	work = false;
	about_to_sleep = made_now;
	assert_int_equal(process_add(&taker), 0);
	process_loop();
	about_to_sleep = NULL;
	assert_string_equal(said, "taken ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_period_does_not_drift, setup, teardown),
		cmocka_unit_test_setup_teardown(by_due_time, setup, teardown),
		cmocka_unit_test_setup_teardown(so_many_and_no_more, setup, teardown),
		cmocka_unit_test_setup_teardown(each_descriptor_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(never_is_never, setup, teardown),
		cmocka_unit_test_setup_teardown(work_made_before_the_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(work_made_in_the_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(no_work_waits_for_a_sleeper, setup, teardown),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
