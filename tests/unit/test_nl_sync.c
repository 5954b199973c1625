/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The resync state machine against a kernel made of a few numbers: which dump was asked for, what the notification socket
 * holds, whether a sweep may happen. Every sequence of a few events is run through, and two promises are kept in each:
 * nothing is swept but after a complete dump that a full drain preceded and followed, and it always ends in sync. The
 * transitions seen on the way are those of tests/model/resync.pml, no more and no less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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
	bool nothing;		/* what is known is not what a verifying job is about */
	int behind_fence;	/* batches that come while the fence waits */
	int fences;
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

static bool moot(void *ctx, const struct sync_job *job)
{
	return job->ifindex && w.nothing;
}

static int fence(void *ctx)
{
	assert_true(w.drained_before);
	w.drained_before = false;
	w.pending += w.behind_fence;
	w.fences++;
	return 0;
}

static const struct sync_ops ops = { request, drain, sweep, interrupted, NULL, moot, fence };

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

static void a_dump_whose_end_is_lost_is_repeated(void **state)
{
	sync_add(&w.sync, &everything);
	step(1);
	w.now += SYNC_SILENCE_NS - 1;
	step(1);
	sync_heard(&w.sync, w.now);
	w.now += SYNC_SILENCE_NS - 1;
	step(1);
	assert_int_equal(w.sync.state, SYNC_DUMP);
	assert_int_equal(sync_due_ms(&w.sync, w.now), 1);
	w.now++;
	step(1);
	assert_int_equal(w.sync.state, SYNC_RESYNC);
	dump_ends(0, false); /* of the one given up */
	assert_int_equal(w.sync.state, SYNC_RESYNC);
	w.now += 10000000;
	step(1);
	assert_int_equal(w.requests, 2);
	dump_ends(0, false);
	step(3);
	assert_int_equal(w.sync.state, SYNC_IN_SYNC);
	assert_int_equal(w.sweeps, 1);
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

static const struct sync_job verify = { .class = 1, .ifindex = 7, .fence = true };

static void a_job_about_nothing_asks_for_nothing(void **state)
{
	w.nothing = true;
	sync_add(&w.sync, &verify);
	step(1);
	assert_int_equal(w.sync.state, SYNC_IN_SYNC);
	assert_int_equal(w.sync.n_jobs, 0);
	assert_int_equal(w.requests, 0);
	assert_int_equal(w.fences, 1);
	sync_add(&w.sync, &(struct sync_job){ .class = 1, .fence = true });
	step(1);
	assert_int_equal(w.requests, 1);
}

/* It verifies nothing: what is not known is what it is for. */
static void a_job_without_a_fence_is_not_judged(void **state)
{
	struct sync_job plain = verify;

	plain.fence = false;
	w.nothing = true;
	sync_add(&w.sync, &plain);
	step(1);
	assert_int_equal(w.fences, 0);
	assert_int_equal(w.requests, 1);
}

static void a_job_of_more_than_is_known_is_not_judged(void **state)
{
	struct sync_job always = verify;

	always.always = true;
	w.nothing = true;
	sync_add(&w.sync, &verify);
	sync_add(&w.sync, &always);
	assert_int_equal(w.sync.n_jobs, 1);
	step(1);
	assert_int_equal(w.fences, 0);
	assert_int_equal(w.requests, 1);
}

/* What comes while the fence waits may be what the job is about. */
static void a_job_about_nothing_is_judged_behind_the_fence(void **state)
{
	w.nothing = true;
	w.behind_fence = 2;
	sync_add(&w.sync, &verify);
	step(1);
	assert_int_equal(w.sync.n_jobs, 1);
	w.nothing = false;
	step(1);
	assert_int_equal(w.fences, 1);
	assert_int_equal(w.requests, 1);
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

/* In the order of enum sync_state, as the model calls them. */
static const char *const states[] = { "SYNC_SUBSCRIBE", "SYNC_DUMP", "SYNC_REPLAY", "SYNC_SWEEP", "SYNC_IN_SYNC",
				      "SYNC_RESYNC" };
#define STATES (sizeof(states) / sizeof(states[0]))
static const char *const events[] = { "ask", "refused", "complete", "broken", "drained", "swept", "again", "idle",
				      "lost", "give_way", "moot", "silence" };
#define TRANSITIONS (sizeof(events) / sizeof(events[0]))
static bool made[STATES][TRANSITIONS][STATES], modelled[STATES][TRANSITIONS][STATES];

static void transition(enum sync_state from, const char *event)
{
	size_t i = 0;

	while (strcmp(events[i], event))
		i++;
	if (from != w.sync.state)
		made[from][i][w.sync.state] = true;
}

/* What a step that began in `from`, with so many jobs, was. */
static const char *step_event(enum sync_state from, unsigned jobs)
{
	switch (from) {
	case SYNC_DUMP:
		return "silence";
	case SYNC_REPLAY:
		return "drained";
	case SYNC_SWEEP:
		return w.sync.state == SYNC_RESYNC ? "again" : "swept";
	default:
		return w.sync.state == SYNC_DUMP ? "ask" : w.sync.state == SYNC_RESYNC ? "refused" :
		       jobs ? "moot" : "idle";
	}
}

enum event { STEP, TIME, SILENCE, MESSAGES, LOSS, LOSS_EARLY, DUMP_OK, DUMP_INTR, DUMP_ERROR, JOB, VERIFY, AUDIT, REFUSAL, EVENTS };

static void happen(enum event event)
{
	static const struct sync_job look = { .class = 1, .audit = SYNC_LOOK };
	enum sync_state from = w.sync.state;
	unsigned jobs = w.sync.n_jobs;

	switch (event) {
	case STEP:
		step(1);
		transition(from, step_event(from, jobs));
		break;
	case TIME:
		w.now += 50000000;
		break;
	case SILENCE:
		w.now += SYNC_SILENCE_NS;
		break;
	case MESSAGES:
		w.pending += 2;
		w.drained_before = false;
		break;
	case LOSS:
	case LOSS_EARLY: /* before the class is asked for at all: nothing to make up for */
		sync_lost(&w.sync, w.now);
		transition(from, "lost");
		if (event == LOSS)
			sync_add(&w.sync, &everything);
		w.dump_complete = false;
		break;
	case DUMP_OK:
	case DUMP_INTR:
	case DUMP_ERROR:
		if (!w.dump_running || w.sync.state != SYNC_DUMP)
			break;
		dump_ends(event == DUMP_ERROR ? -16 : 0, event == DUMP_INTR);
		transition(from, event == DUMP_OK ? "complete" : "broken");
		break;
	case REFUSAL:
		w.request_error = -12;
		w.outcome = SYNC_AGAIN;
		break;
	case VERIFY: /* of what is known, and of nothing, in turn */
		w.nothing = !w.nothing;
		sync_add(&w.sync, &verify);
		transition(from, "give_way");
		break;
	case AUDIT: /* as audit.c: when there is nothing else */
		if (!w.sync.n_jobs)
			sync_add(&w.sync, &look);
		break;
	default:
		sync_add(&w.sync, &everything);
		transition(from, "give_way");
	}
}

static void settle(void)
{
	sync_add(&w.sync, &everything);
	w.request_error = 0;
	for (int i = 0; i < 60 && (w.sync.state != SYNC_IN_SYNC || w.sync.n_jobs); i++) {
		w.now += 1000000000;
		happen(STEP);
		happen(DUMP_OK);
	}
	assert_int_equal(w.sync.state, SYNC_IN_SYNC);
	assert_true(w.sweeps >= 1);
}

/* From the start, and from a channel in sync. */
static void every_sequence_ends_in_sync(void **state)
{
	for (uint32_t code = 0; code < 2 * EVENTS * EVENTS * EVENTS * EVENTS * EVENTS * EVENTS; code++) {
		setup(NULL);
		if (code & 1)
			settle();
		else
			sync_add(&w.sync, &everything);
		w.sweeps = 0;
		w.nothing = true;
		for (uint32_t place = 0, rest = code / 2; place < 6; place++, rest /= EVENTS)
			happen((enum event)(rest % EVENTS));
		settle();
	}
}

static size_t index_of(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(names[i], name))
		i++;
	if (i == n)
		fail_msg("resync.pml: \"%s\" is unknown here", name);
	return i;
}

/* Each T(from, event, to) of the model. */
static void read_model(void)
{
	FILE *model = fopen(SOURCE_DIR "/tests/model/resync.pml", "re");
	char line[256], from[24], event[24], to[24];

	assert_non_null(model);
	while (fgets(line, sizeof(line), model)) {
		for (const char *at = line; (at = strstr(at, "T(SYNC_")); at++)
			if (sscanf(at, "T(%23[A-Z_], %23[a-z_], %23[A-Z_])", from, event, to) == 3)
				modelled[index_of(states, STATES, from)][index_of(events, TRANSITIONS, event)]
					[index_of(states, STATES, to)] = true;
	}
	fclose(model);
}

static void the_model_is_of_this(void **state)
{
	int differ = 0;

	read_model();
	for (size_t from = 0; from < STATES; from++)
		for (size_t event = 0; event < TRANSITIONS; event++)
			for (size_t to = 0; to < STATES; to++) {
				if (made[from][event][to] == modelled[from][event][to])
					continue;
				print_error("T(%s, %s, %s): %s\n", states[from], events[event], states[to],
					    made[from][event][to] ? "made by nl_sync.c, not in resync.pml" :
								    "in resync.pml, never made by nl_sync.c");
				differ++;
			}
	assert_int_equal(differ, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(first_dump), TEST(drains_before_it_asks), TEST(interrupted_dump_never_sweeps),
		TEST(back_off_grows_to_a_second), TEST(loss_voids_what_is_under_way),
		TEST(a_refused_request_is_repeated), TEST(an_unconvincing_dump_is_repeated),
		TEST(an_audit_gives_way), TEST(an_audit_that_sweeps_ends_first), TEST(queue_holds_no_job_twice),
		TEST(a_dump_whose_end_is_lost_is_repeated), TEST(a_job_about_nothing_asks_for_nothing),
		TEST(a_job_without_a_fence_is_not_judged), TEST(a_job_of_more_than_is_known_is_not_judged),
		TEST(a_job_about_nothing_is_judged_behind_the_fence),
		TEST(every_sequence_ends_in_sync),
		TEST(the_model_is_of_this), /* after it */
	};

	return cmocka_run_group_tests_name("nl_sync", tests, NULL, NULL);
}
