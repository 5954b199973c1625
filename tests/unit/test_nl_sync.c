/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The resync state machine against a kernel made of a few numbers: which dump was asked for, what the notification socket
 * holds, whether a sweep may happen. Every sequence of a few events is run through, and two promises are kept in each:
 * nothing is swept but after a complete dump that a full drain preceded and followed, and it always ends in sync.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nl_sync.h"

static struct world {
	struct sync sync;
	uint64_t now;
	int requests, sweeps, interrupted;
	int pending;		/* batches the notification socket still holds */
	int request_error;
	enum sync_outcome outcome;	/* of the next sweep */
	bool dump_running, dump_complete;	/* as the world knows it */
	bool drained_before, drained_after;
	struct sync_job asked;
} w;

static int request(void *ctx, const struct sync_job *job)
{
	assert_true(w.drained_before);
	w.requests++;
	w.asked = *job;
	w.dump_running = !w.request_error;
	w.dump_complete = w.drained_after = false;
	return w.request_error;
}

static bool drain(void *ctx)
{
	if (w.pending)
		w.pending--;
	w.drained_before = w.drained_after = !w.pending;
	return !w.pending;
}

static enum sync_outcome sweep(void *ctx, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	enum sync_outcome outcome = w.outcome;

	assert_true(w.dump_complete);
	assert_true(w.drained_after);
	assert_int_equal(gen, w.sync.gen);
	assert_int_equal(job->class, w.asked.class);
	w.outcome = SYNC_DONE;
	w.sweeps += outcome == SYNC_DONE;
	return outcome;
}

static void interrupted(void *ctx)
{
	w.interrupted++;
}

static const struct sync_ops ops = { request, drain, sweep, interrupted };

static int setup(void **state)
{
	memset(&w, 0, sizeof(w));
	sync_init(&w.sync, &ops, NULL);
	return 0;
}

static void step(int times)
{
	for (int i = 0; i < times; i++)
		sync_step(&w.sync, w.now);
}

static void dump_ends(int error, bool intr)
{
	w.dump_running = false;
	w.dump_complete = !error && !intr;
	sync_dump_ended(&w.sync, error, intr, w.now);
}

static const struct sync_job everything = { .class = 1 };

static void first_dump(void **state)
{
	assert_int_equal(w.sync.state, SYNC_SUBSCRIBE);
	sync_add(&w.sync, &everything);
	step(1);
	assert_int_equal(w.sync.state, SYNC_DUMP);
	dump_ends(0, false);
	assert_int_equal(w.sync.state, SYNC_REPLAY);
	w.pending = 3;
	step(2);
	assert_int_equal(w.sync.state, SYNC_REPLAY);
	step(1);
	assert_int_equal(w.sync.state, SYNC_SWEEP);
	step(1);
	assert_int_equal(w.sync.state, SYNC_IN_SYNC);
	assert_int_equal(w.sweeps, 1);
	assert_int_equal(sync_due_ms(&w.sync, w.now), -1);
}

static void drains_before_it_asks(void **state)
{
	w.pending = 2;
	sync_add(&w.sync, &everything);
	step(1);
	assert_int_equal(w.requests, 0);
	step(1);
	assert_int_equal(w.requests, 1);
}

static void interrupted_dump_never_sweeps(void **state)
{
	sync_add(&w.sync, &everything);
	step(1);
	dump_ends(0, true);
	assert_int_equal(w.sync.state, SYNC_RESYNC);
	assert_int_equal(w.interrupted, 1);
	step(5);
	assert_int_equal(w.requests, 1); /* not before the back-off is over */
	w.now += 10000000;
	step(1);
	assert_int_equal(w.requests, 2);
	dump_ends(0, false);
	step(3);
	assert_int_equal(w.sync.state, SYNC_IN_SYNC);
	assert_int_equal(w.sweeps, 1);
}

static void back_off_grows_to_a_second(void **state)
{
	uint64_t waits[10];

	sync_add(&w.sync, &everything);
	step(1);
	for (int i = 0; i < 10; i++) {
		dump_ends(-5, false);
		waits[i] = w.sync.retry_ns - w.now;
		assert_true(sync_due_ms(&w.sync, w.now) > 0);
		w.now = w.sync.retry_ns;
		step(1);
	}
	assert_int_equal(waits[0], 10000000);
	assert_int_equal(waits[1], 20000000);
	assert_int_equal(waits[9], 1000000000);
	assert_int_equal(w.requests, 11);
	assert_int_equal(w.sweeps, 0);
}

static void loss_voids_what_is_under_way(void **state)
{
	static const struct sync_job part = { .class = 1, .ifindex = 7 };

	sync_add(&w.sync, &part);
	step(1);
	sync_lost(&w.sync, w.now);
	sync_add(&w.sync, &everything);
	dump_ends(0, false); /* the abandoned one */
	assert_int_equal(w.sync.state, SYNC_RESYNC);
	w.now += 1000000000;
	step(1);
	assert_int_equal(w.asked.ifindex, 0);
	dump_ends(0, false);
	step(3);
	assert_int_equal(w.sync.state, SYNC_IN_SYNC);
	assert_int_equal(w.sweeps, 1);
}

static void a_refused_request_is_repeated(void **state)
{
	w.request_error = -12;
	sync_add(&w.sync, &everything);
	step(1);
	assert_int_equal(w.sync.state, SYNC_RESYNC);
	w.request_error = 0;
	w.now += 10000000;
	step(1);
	assert_int_equal(w.sync.state, SYNC_DUMP);
}

static void an_unconvincing_dump_is_repeated(void **state)
{
	sync_add(&w.sync, &everything);
	step(1);
	dump_ends(0, false);
	w.outcome = SYNC_AGAIN;
	step(2);
	assert_int_equal(w.sync.state, SYNC_RESYNC);
	w.now += 10000000;
	step(1);
	assert_int_equal(w.sync.attempt, 2);
	dump_ends(0, false);
	step(3);
	assert_int_equal(w.sync.state, SYNC_IN_SYNC);
}

static void queue_holds_no_job_twice(void **state)
{
	static const struct sync_job link7 = { .class = 1, .ifindex = 7 }, link8 = { .class = 1, .ifindex = 8 };
	static const struct sync_job fenced = { .class = 1, .ifindex = 7, .fence = true };

	assert_true(sync_add(&w.sync, &link7));
	assert_true(sync_add(&w.sync, &link8));
	assert_true(sync_add(&w.sync, &fenced));
	assert_int_equal(w.sync.n_jobs, 2);
	assert_true(w.sync.job[0].fence);
	step(1);
	assert_true(sync_add(&w.sync, &link7)); /* the one that runs has begun too early */
	assert_int_equal(w.sync.n_jobs, 3);
	assert_true(sync_add(&w.sync, &everything));
	assert_true(sync_add(&w.sync, &link8));
	assert_int_equal(w.sync.n_jobs, 4);
	for (uint32_t i = 0; w.sync.n_jobs < SYNC_JOBS; i++)
		assert_true(sync_add(&w.sync, &(struct sync_job){ .class = 2, .ifindex = 100 + i }));
	assert_false(sync_add(&w.sync, &(struct sync_job){ .class = 3 }));
}

static void an_audit_gives_way(void **state)
{
	static const struct sync_job audit = { .class = 1, .audit = SYNC_LOOK }, more = { .class = 2, .audit = SYNC_LOOK };

	sync_add(&w.sync, &audit);
	sync_add(&w.sync, &more);
	step(1);
	assert_int_equal(w.sync.n_jobs, 2);
	assert_true(sync_add(&w.sync, &everything));
	assert_int_equal(w.sync.n_jobs, 1);
	step(1);
	assert_int_equal(w.asked.audit, SYNC_NO_AUDIT);
	dump_ends(0, false);
	step(3);
	assert_int_equal(w.sweeps, 1);
	assert_int_equal(w.sync.ordinary, 1);
}

static void an_audit_that_sweeps_ends_first(void **state)
{
	static const struct sync_job audit = { .class = 1, .audit = SYNC_HEAL };

	sync_add(&w.sync, &audit);
	step(1);
	dump_ends(0, false);
	step(1);
	assert_int_equal(w.sync.state, SYNC_SWEEP);
	assert_true(sync_add(&w.sync, &everything));
	assert_int_equal(w.sync.n_jobs, 2);
	w.outcome = SYNC_AGAIN; /* not while others wait */
	step(1);
	assert_int_equal(w.sync.n_jobs, 1);
	step(1);
	assert_int_equal(w.asked.audit, SYNC_NO_AUDIT);
}

/* ---- every sequence of six events ---- */

enum event { STEP, TIME, MESSAGES, LOSS, DUMP_OK, DUMP_INTR, DUMP_ERROR, JOB, EVENTS };

static void happen(enum event event)
{
	switch (event) {
	case STEP:
		step(1);
		break;
	case TIME:
		w.now += 50000000;
		break;
	case MESSAGES:
		w.pending += 2;
		w.drained_before = false;
		break;
	case LOSS:
		sync_lost(&w.sync, w.now);
		sync_add(&w.sync, &everything);
		w.dump_complete = false;
		break;
	case DUMP_OK:
	case DUMP_INTR:
	case DUMP_ERROR:
		if (w.dump_running && w.sync.state == SYNC_DUMP)
			dump_ends(event == DUMP_ERROR ? -16 : 0, event == DUMP_INTR);
		break;
	default:
		sync_add(&w.sync, &everything);
	}
}

static void every_sequence_ends_in_sync(void **state)
{
	for (uint32_t code = 0; code < 1u << 18; code++) { /* eight events, six places */
		setup(NULL);
		sync_add(&w.sync, &everything);
		for (int place = 0; place < 6; place++)
			happen((enum event)(code >> (3 * place) & 7));
		for (int i = 0; i < 60 && w.sync.state != SYNC_IN_SYNC; i++) {
			w.now += 1000000000;
			step(1);
			if (w.sync.state == SYNC_DUMP)
				dump_ends(0, false);
		}
		assert_int_equal(w.sync.state, SYNC_IN_SYNC);
		assert_true(w.sweeps >= 1);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(first_dump), TEST(drains_before_it_asks), TEST(interrupted_dump_never_sweeps),
		TEST(back_off_grows_to_a_second), TEST(loss_voids_what_is_under_way),
		TEST(a_refused_request_is_repeated), TEST(an_unconvincing_dump_is_repeated),
		TEST(an_audit_gives_way), TEST(an_audit_that_sweeps_ends_first), TEST(queue_holds_no_job_twice), TEST(every_sequence_ends_in_sync),
	};

	return cmocka_run_group_tests_name("nl_sync", tests, NULL, NULL);
}
