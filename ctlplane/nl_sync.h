/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a class of kernel objects gets and stays in sync: one state machine per channel (a notification socket and a
 * dump socket). Pure: what it wants done it asks of struct sync_ops, so a test drives it without a kernel.
 *
 *   SUBSCRIBE ──jobs──▶ DUMP ──complete──▶ REPLAY ──drained──▶ SWEEP ──▶ next job, or IN_SYNC
 *                        ▲ │ interrupted, lost, refused, silent │ verify again
 *                        │ ▼                                    │
 *                       RESYNC (back-off 10 ms … 1 s) ◀─────────┘
 *
 * A job is one dump and the sweep that follows it: all of a class, or what a silent change may have touched (routes by
 * one output link). Before a dump is requested the notification socket is drained to the last message, so that what the
 * dump shows is never older than what was applied; after it, once more (REPLAY), so that nothing it missed is swept.
 * While it runs, notifications are applied at once and win: an object they touch is marked with the job's generation, and
 * the dump's word on it is not heard any more. Only a complete dump sweeps, and only what has an older generation.
 *
 * A job that verifies what a silent change may have taken is over at once when, behind the fence and drained, the owner
 * knows nothing that it is about: the kernel walks all it has for each such dump, however little comes of it.
 *
 * tests/model/resync.pml is the model of this, with the same states; tests/unit/test_nl_sync.c holds the two together.
 */
#ifndef NL_SYNC_H
#define NL_SYNC_H

#include <stdbool.h>
#include <stdint.h>

enum sync_state { SYNC_SUBSCRIBE, SYNC_DUMP, SYNC_REPLAY, SYNC_SWEEP, SYNC_IN_SYNC, SYNC_RESYNC };

/*
 * An audit's job dumps to compare: the first look only notes what differs, the second sets right what still does. It gives
 * way: any ordinary job takes its place, unless it sweeps already, and it is for its owner to ask again.
 */
enum sync_audit { SYNC_NO_AUDIT, SYNC_LOOK, SYNC_HEAL };

struct sync_job {
	uint8_t class;		/* the owner's */
	uint8_t family;
	uint8_t audit;		/* enum sync_audit */
	bool fence;		/* a message about a change still being made: wait for the kernel to finish it */
	bool always;		/* never moot: more may be there than is known */
	bool optional;		/* a kernel without the feature says EINVAL: nothing is there */
	uint32_t ifindex;	/* only objects of this link, 0 = all */
	uint32_t table;		/* only this table, 0 = all */
};

enum sync_outcome { SYNC_DONE, SYNC_MORE, SYNC_AGAIN };

struct sync_ops {
	/* Throws away what the dump socket still holds, then asks for the dump. 0 or -errno. */
	int (*request)(void *ctx, const struct sync_job *job);
	/* Applies some of what the notification socket holds. True: it was empty. */
	bool (*drain)(void *ctx);
	/* A bounded part of the sweep. DONE, MORE, or AGAIN: the dump does not convince (IPv6), dump once more. */
	enum sync_outcome (*sweep)(void *ctx, const struct sync_job *job, uint32_t gen, unsigned attempt);
	void (*interrupted)(void *ctx);	/* for counting */
	void (*silent)(void *ctx);	/* the dump is given up: for the log. May be NULL */
	/* Is the job about nothing that is known? Only those with `fence` and without `always` are asked about. NULL: never. */
	bool (*moot)(void *ctx, const struct sync_job *job);
	int (*fence)(void *ctx);	/* returns when the kernel is done with what it told of. 0 or -errno */
};

#define SYNC_JOBS 48u

struct sync {
	const struct sync_ops *ops;
	void *ctx;
	enum sync_state state;
	struct sync_job job[SYNC_JOBS];	/* FIFO; [0] is the present one */
	unsigned n_jobs;
	unsigned attempt;	/* of the present job */
	unsigned failures;	/* in a row; sets the back-off */
	uint32_t gen;		/* of the present or last job */
	uint32_t ordinary;	/* jobs added that are no audit's, ever */
	uint64_t retry_ns;
	uint64_t heard_ns;	/* of the present dump: when it was asked for, or a part of it came last */
};

#define SYNC_SILENCE_NS 10000000000ULL	/* a dump of which nothing comes for so long has lost its end */

void sync_init(struct sync *sync, const struct sync_ops *ops, void *ctx);
/* Adds a job; one that a queued, not yet started one covers is dropped. False: too many, the caller asks for everything. */
bool sync_add(struct sync *sync, const struct sync_job *job);
/* Messages were lost: whatever was under way or waiting is void. The caller adds jobs for everything. */
void sync_lost(struct sync *sync, uint64_t now_ns);
/* The present dump ended: error < 0 = the kernel broke it off, or part of it was lost. */
void sync_dump_ended(struct sync *sync, int error, bool interrupted, uint64_t now_ns);
/* A part of the present dump has come. */
void sync_heard(struct sync *sync, uint64_t now_ns);
/* One bounded step. True: call again soon. */
bool sync_step(struct sync *sync, uint64_t now_ns);
/* Milliseconds until a step is due, -1 = not before something happens. */
int sync_due_ms(const struct sync *sync, uint64_t now_ns);

static inline bool sync_dumping(const struct sync *sync)
{
	return sync->state == SYNC_DUMP;
}

const char *sync_state_name(enum sync_state state);

#endif
