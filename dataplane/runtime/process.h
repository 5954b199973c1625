/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes: what the main thread does, as tasks that take turns. A process is a function, called with the event that
 * woke it; it does what is to be done, keeps what it must remember in its own data, and returns when the clock is to
 * wake it next. That is all its state: there are no stacks, so a process that hangs is in every debugger's backtrace,
 * and `wye show runtime` names it. It must not block: while it runs, none of the others does, the heartbeat included.
 *
 * Main thread only, but for process_wake().
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "timer.h"
#include "wye_stats.h"

#define PROCESS_NEVER UINT64_MAX	/* not by the clock */

enum process_event_kind {
	PROCESS_START,	/* the first call */
	PROCESS_CLOCK,	/* the time it asked for has come */
	PROCESS_READY,	/* a descriptor it watches is ready; one event for each */
	PROCESS_WORK,	/* its has_work() said so */
};

struct process_event {
	enum process_event_kind kind;
	int fd;			/* READY: which. May be late: be ready to find nothing there, or it not being yours any more */
	uint32_t ready;		/* READY: EPOLLIN … */
	uint64_t now_ns;	/* clock_ns(), the same for all that was due together */
};

struct process {		/* static, or else it must stay until init function "process" is undone */
	const char *name;	/* as a node's */
	/* Returns when to be called next (clock_ns() time); process->due_ns: as it is, PROCESS_NEVER: not by the clock. */
	uint64_t (*run)(struct process *process, const struct process_event *event);
	/* Is there work that no descriptor tells of, such as what workers put into a ring? Asked in every turn and before
	 * main sleeps; must not change anything. NULL: never. */
	bool (*has_work)(const struct process *process);
	void *data;		/* its own */
	/* the scheduler's */
	uint64_t due_ns;
	struct timer timer;
	struct wye_process_counters own, *counters;	/* counters: own, or in the stats file */
	uint32_t index;
};

/* After init function "process", which makes the loop. Before process_loop() or from a process; it starts at the next turn.
 * 0, or -ENOSPC: WYE_PROCESSES_MAX are there. */
int process_add(struct process *process);
struct process *process_at(uint32_t index);	/* NULL = no more */

/* Wakes it when the descriptor is ready for `events` (EPOLLIN …), until it is closed; once more: for other events. 0 or
 * -errno. */
int process_watch(struct process *process, int fd, uint32_t events);

/* Runs them until one calls process_end(). */
void process_loop(void);
void process_end(void);

/* After CLOCK, the time that is whole periods from due_ns and has not come: a period that does not drift, and does not
 * hurry after what it missed. After another event, one period from now. */
uint64_t process_period(const struct process *process, const struct process_event *event, uint64_t period_ns);

/* Any thread, after it has made work that a has_work() will see: ends main's sleep, if it sleeps. */
void process_wake(void);

#endif
