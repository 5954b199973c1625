/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routes' channel with its real state machine, touched keys, rib and sweep, against a kernel of two routes: every order
 * of six events out of nine, from three starting points and with one or both routes known. tests/model/resync.pml is the
 * same in the abstract, and goes deeper; this is the code.
 *
 * Held in each: a route that is there from the last drain on is not swept; nothing is swept but after a complete dump; in
 * sync, with nothing under way, the mirror has what the kernel has; and it always gets there.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "log.h"
#include "mirror_fixture.h"

#define ROUTES 2
#define IFINDEX 7
#define CAUSE 255	/* in the queue: some routes went without a word */

static struct world {
	struct mirror_fixture *fixture;
	struct channel *channel;
	const struct sync_ops *real;
	bool kernel[ROUTES], drained[ROUTES];	/* there now; at the last drain */
	struct { uint8_t route; bool there; } queue[64];
	unsigned head, tail;
	bool overrun;
	bool dumping, complete;
	unsigned cursor, filled;	/* the kernel's place in the dump; the part that waits to be read, ROUTES: its end */
	uint64_t now;
} w;

static const struct sync_job everything = { .class = CLASS_ROUTE, .family = AF_INET };
static const struct sync_job by_link = { .class = CLASS_ROUTE, .family = AF_INET, .ifindex = IFINDEX, .fence = true };

static void hand(void (*to)(struct channel *, const struct nlmsghdr *), uint16_t type, uint16_t flags, unsigned route)
{
	static struct stream stream;

	stream.len = 0;
	stream_route(&stream, type, flags, 0, (uint8_t)route, IFINDEX);
	to(w.channel, stream_last(&stream));
}

static bool has(unsigned route)
{
	return mirror_has(w.fixture, (uint8_t)route);
}

/* ---- the socket of notifications ---- */

static void put(unsigned route, bool there)
{
	assert_true(w.tail < sizeof(w.queue) / sizeof(w.queue[0]));
	w.queue[w.tail].route = (uint8_t)route;
	w.queue[w.tail++].there = there;
}

/* The error comes first, as from a socket. False: there was nothing. */
static bool read_one(void)
{
	if (w.overrun) {
		w.overrun = false;
		channel_lost(w.channel, -ENOBUFS);
		return true;
	}
	if (w.head == w.tail)
		return false;
	if (w.queue[w.head].route == CAUSE)
		sync_add(&w.channel->sync, &by_link);
	else
		hand(channel_notified, w.queue[w.head].there ? RTM_NEWROUTE : RTM_DELROUTE, 0, w.queue[w.head].route);
	w.head++;
	return true;
}

/* ---- what the state machine asks for ---- */

/* The next part, as things are now; it is read later. */
static void fill(void)
{
	while (w.cursor < ROUTES && !w.kernel[w.cursor])
		w.cursor++;
	w.filled = w.cursor++;
}

static int request(void *ctx, const struct sync_job *job)
{
	w.dumping = true;
	w.complete = false;
	w.cursor = 0;
	fill();
	return w.real->request(ctx, job);
}

static bool drain(void *ctx)
{
	bool lost = w.overrun;

	while (read_one())
		;
	memcpy(w.drained, w.kernel, sizeof(w.drained));
	return !lost;
}

static enum sync_outcome sweep(void *ctx, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	enum sync_outcome outcome;
	bool had[ROUTES];

	assert_true(w.complete);
	for (unsigned i = 0; i < ROUTES; i++)
		had[i] = has(i);
	outcome = w.real->sweep(ctx, job, gen, attempt);
	for (unsigned i = 0; i < ROUTES; i++)
		if (had[i] && !has(i) && w.kernel[i] && w.drained[i] && !w.overrun)
			fail_msg("route %u is live and was swept", i);
	return outcome;
}

static void interrupted(void *ctx)
{
}

static bool moot(void *ctx, const struct sync_job *job)
{
	return w.channel->moot(&w.fixture->mirror, job);
}

/* What the kernel does without a word is done when its cause is told, here. */
static int fence(void *ctx)
{
	return 0;
}

static void resync(struct mirror *mirror, struct channel *channel)
{
	sync_add(&channel->sync, &everything);
}

/* ---- events ---- */

enum event { CHANGE_0, CHANGE_1, SILENT_0, LOSS_1, READ, PART, BROKEN, STEP, JOB, EVENTS };

static void change(unsigned route, bool told)
{
	w.kernel[route] = !w.kernel[route];
	if (told)
		put(route, w.kernel[route]);
	else
		w.overrun = true;
}

static void dump_ends(bool broken)
{
	static struct stream stream;

	if (!w.dumping)
		return;
	w.dumping = false;
	w.complete = !broken;
	stream.len = 0;
	stream_done(&stream, 0);
	stream_last(&stream)->nlmsg_flags |= broken ? NLM_F_DUMP_INTR : 0;
	channel_dumped(w.channel, stream_last(&stream));
}

static void dump_part(void)
{
	unsigned part = w.filled;

	if (!w.dumping)
		return;
	if (part == ROUTES) {
		dump_ends(false);
		return;
	}
	fill();
	hand(channel_dumped, RTM_NEWROUTE, NLM_F_MULTI, part);
}

static void happen(enum event event)
{
	switch (event) {
	case CHANGE_0:
	case CHANGE_1:
		change(event == CHANGE_1, true);
		break;
	case SILENT_0: /* the cause is told first, and the fence waits for the rest */
		put(CAUSE, false);
		w.kernel[0] = false;
		break;
	case LOSS_1:
		change(1, false);
		break;
	case READ:
		read_one();
		break;
	case PART:
		dump_part();
		break;
	case BROKEN:
		dump_ends(true);
		break;
	case STEP:
		w.now += 2000000000; /* any back-off; five are silence */
		sync_step(&w.channel->sync, w.now);
		break;
	default:
		sync_add(&w.channel->sync, &everything);
	}
}

static bool quiet(void)
{
	return w.channel->sync.state == SYNC_IN_SYNC && !w.channel->sync.n_jobs && w.head == w.tail && !w.overrun;
}

static void check(void)
{
	for (unsigned i = 0; quiet() && i < ROUTES; i++)
		assert_int_equal(has(i), w.kernel[i]);
}

static void settle(void)
{
	for (int i = 0; i < 200 && !quiet(); i++) {
		happen(READ);
		happen(STEP);
		happen(PART);
		check();
	}
	assert_true(quiet());
	check();
	w.head = w.tail = 0;
	while (tables_flush(w.fixture->mirror.tables, 65536))
		;
}

static int setup(void **state)
{
	static const struct sync_ops ops = { request, drain, sweep, interrupted, NULL, moot, fence };
	struct stream *stream = calloc(1, sizeof(*stream));

	memset(&w, 0, sizeof(w));
	w.fixture = mirror_create();
	w.channel = &w.fixture->mirror.channel[CHANNEL_ROUTE];
	w.real = w.channel->sync.ops;
	w.channel->sync.ops = &ops;
	w.channel->resync = resync;
	w.now = now_ns();
	stream_link(stream, 0, 0, IFINDEX);
	channel_notified(&w.fixture->mirror.channel[CHANNEL_LINK], stream_last(stream));
	links_commit(&w.fixture->mirror);
	sync_add(&w.channel->sync, &everything);
	free(stream);
	return 0;
}

static int teardown(void **state)
{
	mirror_destroy(w.fixture);
	return 0;
}

static void every_order(const enum event start[2], bool both)
{
	for (uint32_t code = 0; code < EVENTS * EVENTS * EVENTS * EVENTS * EVENTS * EVENTS; code++) {
		if (!w.kernel[0])
			happen(CHANGE_0);
		if (w.kernel[1] != both)
			happen(CHANGE_1);
		settle();
		happen(start[0]);
		happen(start[1]);
		for (uint32_t place = 0, rest = code; place < 6; place++, rest /= EVENTS) {
			happen((enum event)(rest % EVENTS));
			check();
		}
		settle();
	}
}

static void in_sync_or_asked_or_dumping(void **state)
{
	static const enum event starts[][2] = { { READ, READ }, { JOB, JOB }, { JOB, STEP } };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		every_order(starts[i], false);
		every_order(starts[i], true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_sync_or_asked_or_dumping, setup, teardown),
	};

	return cmocka_run_group_tests_name("resync", tests, NULL, NULL);
}
