/* SPDX-License-Identifier: BSD-3-Clause */
/* The timer wheel: never early, a tick late at most, in order; cancelling, setting anew, many timers, a clock that jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "runtime/timer.h"

#define MS 1000000ull
#define START (123456789 * MS + 77)
#define MANY 100000u

static struct timer_wheel wheel;

static int setup(void **state)
{
	timer_wheel_init(&wheel, START);
	return 0;
}

static uint64_t random_below(uint64_t limit)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 20) % limit;
}

/* The first that is due; no other is. */
static struct timer *only_due(uint64_t now_ns)
{
	struct timer_list due;
	struct timer *timer;

	timer_list_init(&due);
	timer_wheel_turn(&wheel, now_ns, &due);
	timer = timer_take(&due);
	assert_null(timer_take(&due));
	return timer;
}

static void never_early_and_a_tick_late_at_most(void **state)
{
	static const uint64_t after_ns[] = { 0, 1, MS, 20 * MS, 67 * MS, 70 * MS, 4300 * MS, 300000 * MS, 1ull << 45, 1ull << 55 };

	for (size_t i = 0; i < sizeof(after_ns) / sizeof(after_ns[0]); i++) {
		struct timer timer = { 0 };

		timer_wheel_init(&wheel, START);
		timer_set(&wheel, &timer, START + after_ns[i]);
		if (after_ns[i])
			assert_null(only_due(START + after_ns[i] - 1));
		assert_true(timer_wheel_next_ns(&wheel) <= START + after_ns[i] + TIMER_TICK_NS);
		assert_ptr_equal(only_due(START + after_ns[i] + TIMER_TICK_NS), &timer);
		assert_false(timer_is_set(&timer));
		assert_int_equal(timer_wheel_next_ns(&wheel), UINT64_MAX);
	}
}

/* As a loop would: sleeping until the wheel says. How often that is stays small, however far the timer. */
static void the_wheel_says_when_to_come(void **state)
{
	struct timer timer = { 0 };
	uint64_t now = START;
	int turns = 0;

	timer_set(&wheel, &timer, START + 3600000 * MS + 5);
	while (timer_is_set(&timer)) {
		assert_true(timer_wheel_next_ns(&wheel) > now);
		now = timer_wheel_next_ns(&wheel);
		(void)only_due(now);
		turns++;
	}
	assert_in_range(now, START + 3600000 * MS + 5, START + 3600000 * MS + 5 + TIMER_TICK_NS);
	assert_in_range(turns, 1, TIMER_LEVELS);
}

static void what_is_past_is_due_at_once(void **state)
{
	struct timer timer = { 0 }, next = { 0 };

	assert_null(only_due(START + 1000 * MS));
	timer_set(&wheel, &timer, START);
	assert_true(timer_wheel_next_ns(&wheel) <= START + 1000 * MS);
	assert_ptr_equal(only_due(START + 1000 * MS), &timer);
	timer_set(&wheel, &next, START + 1010 * MS);
	timer_set(&wheel, &timer, START); /* before one that is near */
	assert_ptr_equal(only_due(START + 1000 * MS), &timer);
	assert_ptr_equal(only_due(START + 1020 * MS), &next);
}

static void cancelled_timers_are_not_due(void **state)
{
	struct timer timer[4] = { 0 };
	struct timer_list due;

	timer_list_init(&due);
	for (int i = 0; i < 4; i++)
		timer_set(&wheel, &timer[i], START + 5 * MS);
	timer_cancel(&timer[1]);
	timer_cancel(&timer[1]); /* twice is as once */
	timer_wheel_turn(&wheel, START + 10 * MS, &due);
	assert_ptr_equal(timer_take(&due), &timer[0]);
	timer_cancel(&timer[2]); /* by what the first does: it was due, and is not called any more */
	assert_ptr_equal(timer_take(&due), &timer[3]);
	assert_null(timer_take(&due));
	timer_set(&wheel, &timer[1], START + 500 * MS);
	timer_cancel(&timer[1]);
	assert_int_equal(timer_wheel_next_ns(&wheel), UINT64_MAX);
}

/* Behind a slot of which all was cancelled there is another. */
static void cancelled_timers_hide_nobody(void **state)
{
	struct timer timer[3] = { 0 };

	for (uint64_t i = 0; i < 3; i++)
		timer_set(&wheel, &timer[i], START + (5 + 10 * i) * MS);
	timer_cancel(&timer[0]);
	timer_cancel(&timer[1]);
	assert_in_range(timer_wheel_next_ns(&wheel), START + 5 * MS, START + 25 * MS + TIMER_TICK_NS);
	assert_ptr_equal(only_due(START + 27 * MS), &timer[2]);
}

static void set_anew_counts_once(void **state)
{
	struct timer timer = { 0 };

	timer_set(&wheel, &timer, START + 5 * MS);
	timer_set(&wheel, &timer, START + 500 * MS);
	assert_null(only_due(START + 100 * MS));
	timer_set(&wheel, &timer, START + 200 * MS);
	assert_ptr_equal(only_due(START + 210 * MS), &timer);
	assert_null(only_due(START + 1000 * MS));
}

/* A timer that sets itself again in the past is due once a turn, and does not keep the turn from ending. */
static void set_in_a_callback_is_for_the_next_turn(void **state)
{
	struct timer timer = { 0 };

	timer_set(&wheel, &timer, START);
	for (int turn = 0; turn < 3; turn++) {
		assert_ptr_equal(only_due(START + 10 * MS), &timer);
		timer_set(&wheel, &timer, START);
	}
}

/* Due times in order, those that are the same in the order of setting, across every level. */
static void many_are_due_in_order(void **state)
{
	struct timer *timer = calloc(MANY, sizeof(*timer));
	bool *seen = calloc(MANY, sizeof(*seen));
	uint64_t now = START;
	uint32_t n = 0;

	assert_true(timer && seen);
	for (uint32_t i = 0; i < MANY; i++)
		timer_set(&wheel, &timer[i], START + random_below(i % 3 ? 3600000 : 50) * MS / (1 + i % 2) / 64 * 64);
	for (uint32_t i = 0; i < MANY; i += 5)
		timer_cancel(&timer[i]);
	while (timer_wheel_next_ns(&wheel) != UINT64_MAX) {
		struct timer *before = NULL, *at;
		struct timer_list due;

		timer_list_init(&due);
		now += random_below(30000 * MS);
		timer_wheel_turn(&wheel, now, &due);
		for (; (at = timer_take(&due)); before = at, n++) {
			assert_true(at->due_ns <= now && (at - timer) % 5);
			assert_true(!before || before->due_ns < at->due_ns || (before->due_ns == at->due_ns && before < at));
			assert_false(seen[at - timer]);
			seen[at - timer] = true;
		}
	}
	assert_int_equal(n, MANY / 5 * 4);
	free(timer);
	free(seen);
}

static void a_clock_that_jumps(void **state)
{
	struct timer timer[3] = { 0 };
	struct timer_list due;

	timer_list_init(&due);
	for (int i = 0; i < 3; i++)
		timer_set(&wheel, &timer[i], START + (3 - (uint64_t)i) * 100000 * MS);
	assert_null(only_due(START - 50000 * MS)); /* back: as if it stood */
	assert_null(only_due(0));
	timer_wheel_turn(&wheel, START + 1000ull * 86400 * 1000 * MS, &due); /* a thousand days ahead */
	for (int i = 2; i >= 0; i--)
		assert_ptr_equal(timer_take(&due), &timer[i]);
	timer_set(&wheel, &timer[0], START + 1000ull * 86400 * 1000 * MS + 5 * MS);
	assert_null(only_due(START + 1000ull * 86400 * 1000 * MS + 4 * MS));
	assert_ptr_equal(only_due(START + 1000ull * 86400 * 1000 * MS + 7 * MS), &timer[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(never_early_and_a_tick_late_at_most, setup),
		cmocka_unit_test_setup(the_wheel_says_when_to_come, setup),
		cmocka_unit_test_setup(what_is_past_is_due_at_once, setup),
		cmocka_unit_test_setup(cancelled_timers_are_not_due, setup),
		cmocka_unit_test_setup(cancelled_timers_hide_nobody, setup),
		cmocka_unit_test_setup(set_anew_counts_once, setup),
		cmocka_unit_test_setup(set_in_a_callback_is_for_the_next_turn, setup),
		cmocka_unit_test_setup(many_are_due_in_order, setup),
		cmocka_unit_test_setup(a_clock_that_jumps, setup),
	};

	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
