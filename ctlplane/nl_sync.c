/* SPDX-License-Identifier: BSD-3-Clause */
/* The resync state machine: see nl_sync.h. */
#include <string.h>

#include "nl_sync.h"

#define BACKOFF_NS     10000000ULL
#define BACKOFF_MAX_NS 1000000000ULL

const char *sync_state_name(enum sync_state state)
{
	static const char *const names[] = { "subscribe", "dump", "replay", "sweep", "in sync", "resync" };

	return names[state];
}

void sync_init(struct sync *sync, const struct sync_ops *ops, void *ctx)
{
	*sync = (struct sync){ .ops = ops, .ctx = ctx, .state = SYNC_SUBSCRIBE, .gen = 1 };
}

static bool covers(const struct sync_job *a, const struct sync_job *b)
{
	return a->class == b->class && a->family == b->family && a->audit == b->audit &&
	       (!a->ifindex || a->ifindex == b->ifindex) && (!a->table || a->table == b->table);
}

static bool started(const struct sync *sync)
{
	return sync->state == SYNC_DUMP || sync->state == SYNC_REPLAY || sync->state == SYNC_SWEEP;
}

static void drop_audit(struct sync *sync)
{
	unsigned kept = sync->state == SYNC_SWEEP ? 1 : 0;

	if (!sync->n_jobs || !sync->job[sync->n_jobs - 1].audit) /* audits are asked for when there is nothing else */
		return;
	sync->n_jobs = kept;
	if (!kept) {
		sync->attempt = 0;
		sync->state = SYNC_IN_SYNC;
	}
}

bool sync_add(struct sync *sync, const struct sync_job *job)
{
	if (!job->audit) {
		sync->ordinary++;
		drop_audit(sync);
	}
	/* Nor does one that is tried again cover it: what its first dump still showed, it will not sweep. */
	for (unsigned i = started(sync) || sync->attempt ? 1 : 0; i < sync->n_jobs; i++) {
		if (covers(&sync->job[i], job)) {
			sync->job[i].fence |= job->fence;
			sync->job[i].always |= job->always;
			return true;
		}
	}
	if (sync->n_jobs == SYNC_JOBS)
		return false;
	sync->job[sync->n_jobs++] = *job;
	return true;
}

static void back_off(struct sync *sync, uint64_t now)
{
	uint64_t wait = BACKOFF_NS << (sync->failures < 7 ? sync->failures : 7);

	sync->failures++;
	sync->state = SYNC_RESYNC;
	sync->retry_ns = now + (wait < BACKOFF_MAX_NS ? wait : BACKOFF_MAX_NS);
}

void sync_lost(struct sync *sync, uint64_t now)
{
	sync->n_jobs = 0;
	sync->attempt = 0;
	back_off(sync, now);
}

void sync_dump_ended(struct sync *sync, int error, bool interrupted, uint64_t now)
{
	if (sync->state != SYNC_DUMP)
		return;
	if (interrupted && sync->ops->interrupted)
		sync->ops->interrupted(sync->ctx);
	if (error || interrupted)
		back_off(sync, now);
	else
		sync->state = SYNC_REPLAY;
}

void sync_heard(struct sync *sync, uint64_t now)
{
	sync->heard_ns = now;
}

/* The kernel fills a part when it is asked and when the one before is taken: there is nothing to wait for. */
static bool give_up(struct sync *sync, uint64_t now)
{
	if (now < sync->heard_ns + SYNC_SILENCE_NS)
		return false;
	if (sync->ops->silent)
		sync->ops->silent(sync->ctx);
	back_off(sync, now);
	return true;
}

static void next_job(struct sync *sync)
{
	sync->n_jobs--;
	memmove(&sync->job[0], &sync->job[1], sync->n_jobs * sizeof(sync->job[0]));
	sync->attempt = 0;
	sync->failures = 0;
	sync->state = SYNC_IN_SYNC;
}

static bool moot(const struct sync *sync)
{
	return sync->ops->moot && sync->job[0].fence && !sync->job[0].always && sync->ops->moot(sync->ctx, &sync->job[0]);
}

/* Draining may have found that messages were lost. */
static bool due(const struct sync *sync, uint64_t now)
{
	return sync->n_jobs && (sync->state != SYNC_RESYNC || now >= sync->retry_ns);
}

/* Drains, then asks at once: nothing may come between but what the kernel does meanwhile. */
static bool start(struct sync *sync, uint64_t now)
{
	struct sync_job job;

	if (!sync->ops->drain(sync->ctx))
		return true;
	if (due(sync, now) && moot(sync) && !sync->ops->fence(sync->ctx)) {
		if (!sync->ops->drain(sync->ctx))
			return true;
		if (due(sync, now) && moot(sync)) {
			next_job(sync);
			return true;
		}
	}
	if (!due(sync, now))
		return false;
	job = sync->job[0];
	sync->gen++;
	sync->attempt++;
	sync->heard_ns = now;
	sync->state = SYNC_DUMP;
	if (sync->ops->request(sync->ctx, &job) < 0)
		back_off(sync, now);
	return true;
}

static bool sweep(struct sync *sync, uint64_t now)
{
	switch (sync->ops->sweep(sync->ctx, &sync->job[0], sync->gen, sync->attempt)) {
	case SYNC_MORE:
		return true;
	case SYNC_AGAIN:
		if (sync->job[0].audit && sync->n_jobs > 1)
			break;
		back_off(sync, now);
		return true;
	case SYNC_DONE:
		break;
	}
	next_job(sync);
	return true;
}

bool sync_step(struct sync *sync, uint64_t now)
{
	switch (sync->state) {
	case SYNC_SUBSCRIBE:
	case SYNC_IN_SYNC:
		return sync->n_jobs ? start(sync, now) : false;
	case SYNC_RESYNC:
		if (!sync->n_jobs) {
			sync->state = SYNC_IN_SYNC;
			return false;
		}
		return now >= sync->retry_ns ? start(sync, now) : false;
	case SYNC_DUMP:
		return give_up(sync, now);
	case SYNC_REPLAY:
		if (sync->ops->drain(sync->ctx) && sync->state == SYNC_REPLAY)
			sync->state = SYNC_SWEEP;
		return true;
	case SYNC_SWEEP:
		return sweep(sync, now);
	}
	return false;
}

static int ms_until(uint64_t then, uint64_t now)
{
	return now >= then ? 0 : (int)((then - now) / 1000000 + 1);
}

int sync_due_ms(const struct sync *sync, uint64_t now)
{
	switch (sync->state) {
	case SYNC_SUBSCRIBE:
	case SYNC_IN_SYNC:
		return sync->n_jobs ? 0 : -1;
	case SYNC_RESYNC:
		return ms_until(sync->retry_ns, now);
	case SYNC_REPLAY:
	case SYNC_SWEEP:
		return 0;
	case SYNC_DUMP:
		return ms_until(sync->heard_ns + SYNC_SILENCE_NS, now);
	}
	return -1;
}
