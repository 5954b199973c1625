/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timer wheel: any number of timers, set and cancelled in constant time, and due in order. Times are clock_ns()'s; no
 * clock is read here. A timer is never early, and not more than TIMER_TICK_NS later than it could be. One thread.
 */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define TIMER_TICK_SHIFT 20	/* 1.05 ms */
#define TIMER_TICK_NS	 (1ull << TIMER_TICK_SHIFT)
#define TIMER_LEVELS	 8	/* of 6 bits: the 44 that are left of 64, and the carry */
#define TIMER_SLOTS	 64

/* All zero: not set. Its owner's memory, which must stay while it is set. */
struct timer {
	struct timer *next, *before;	/* a ring, through its list */
	uint64_t due_ns;
};

struct timer_list {
	struct timer ring;		/* the list's own member of the ring: no timer */
};

struct timer_wheel {
	uint64_t tick;			/* what is due before it is in no slot any more */
	uint64_t used[TIMER_LEVELS];	/* bit s: slot s may have timers */
	struct timer_list slot[TIMER_LEVELS][TIMER_SLOTS];
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns);

/* Sets it, anew if it is set already. What lies in the past is due at the next turn. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ns);
void timer_cancel(struct timer *timer);	/* also one that a turn handed out and nobody has taken; not set: nothing */
static inline bool timer_is_set(const struct timer *timer)
{
	return timer->next;
}

void timer_list_init(struct timer_list *list);	/* empty */
struct timer *timer_take(struct timer_list *list);	/* the first, now not set; NULL = none */

/*
 * Appends what is due by now to `due`: by due time, those of one time in the order they were set in. What is set from
 * then on is for the next turn, so that a timer which sets itself again at once keeps nobody waiting. A clock that jumps
 * ahead costs no more than the timers that are due by it; one that goes back is as one that stands.
 */
void timer_wheel_turn(struct timer_wheel *wheel, uint64_t now_ns, struct timer_list *due);

/* When to turn next: nothing is due before. UINT64_MAX = no timer is set. */
uint64_t timer_wheel_next_ns(struct timer_wheel *wheel);

#endif
