/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tick is read as digits of 6 bits. A timer lies in the level of the highest digit in which its tick differs from
 * the wheel's, in the slot which that digit names: level 0 holds the rest of these 64 ticks, a slot for each; level 1
 * the rest of these 4096, and so on. All of a level is due before any of the next, and within a level slot by slot, so
 * the first used slot of the lowest used level comes first. When the time of a slot above level 0 has come, the wheel's
 * tick becomes its first, and its timers go down. Nothing is in a slot whose time is past.
 */
#include <stddef.h>

#include "timer.h"

#define DIGIT_BITS 6

void timer_list_init(struct timer_list *list)
{
	list->ring.next = list->ring.before = &list->ring;
}

static bool is_empty(const struct timer_list *list)
{
	return list->ring.next == &list->ring;
}

static void append(struct timer_list *list, struct timer *timer)
{
	timer->next = &list->ring;
	timer->before = list->ring.before;
	timer->before->next = timer;
	list->ring.before = timer;
}

void timer_cancel(struct timer *timer)
{
	if (!timer_is_set(timer))
		return;
	timer->before->next = timer->next;
	timer->next->before = timer->before;
	timer->next = timer->before = NULL;
}

struct timer *timer_take(struct timer_list *list)
{
	struct timer *timer = list->ring.next;

	if (is_empty(list))
		return NULL;
	timer_cancel(timer);
	return timer;
}

/* Rounded up: a slot is due when all of it is. */
static uint64_t tick_of(uint64_t due_ns)
{
	return (due_ns >> TIMER_TICK_SHIFT) + ((due_ns & (TIMER_TICK_NS - 1)) != 0);
}

static void put(struct timer_wheel *wheel, struct timer *timer)
{
	uint64_t tick = tick_of(timer->due_ns), differs;
	uint32_t level, slot;

	if (tick < wheel->tick)
		tick = wheel->tick;
	differs = tick ^ wheel->tick;
	level = differs ? (63 - (uint32_t)__builtin_clzll(differs)) / DIGIT_BITS : 0;
	slot = tick >> level * DIGIT_BITS & (TIMER_SLOTS - 1);
	append(&wheel->slot[level][slot], timer);
	wheel->used[level] |= 1ull << slot;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ns)
{
	*wheel = (struct timer_wheel){ .tick = now_ns >> TIMER_TICK_SHIFT };
	for (uint32_t level = 0; level < TIMER_LEVELS; level++)
		for (uint32_t slot = 0; slot < TIMER_SLOTS; slot++)
			timer_list_init(&wheel->slot[level][slot]);
}

void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ns)
{
	timer_cancel(timer);
	timer->due_ns = due_ns;
	put(wheel, timer);
}

/* ---- turning ------------------------------------------------------------------------------------------------------ */

/* The first used slot of the lowest used level. False: no timer is set. */
static bool first_slot(struct timer_wheel *wheel, uint32_t *level, uint32_t *slot)
{
	for (*level = 0; *level < TIMER_LEVELS; (*level)++)
		while (wheel->used[*level]) {
			*slot = (uint32_t)__builtin_ctzll(wheel->used[*level]);
			if (!is_empty(&wheel->slot[*level][*slot]))
				return true;
			wheel->used[*level] &= wheel->used[*level] - 1; /* all of it was cancelled */
		}
	return false;
}

static uint64_t first_tick_of(const struct timer_wheel *wheel, uint32_t level, uint32_t slot)
{
	uint32_t shift = level * DIGIT_BITS, above = shift + DIGIT_BITS;

	return wheel->tick >> above << above | (uint64_t)slot << shift;
}

/* Two chains by `next`, NULL behind the last; what is equal stays in order. */
static struct timer *merge(struct timer *a, struct timer *b)
{
	struct timer *merged = NULL, **end = &merged;

	while (a && b) {
		struct timer **first = b->due_ns < a->due_ns ? &b : &a;

		*end = *first;
		end = &(*first)->next;
		*first = (*first)->next;
	}
	*end = a ? a : b;
	return merged;
}

/* Empties a slot whose timers are all due. sorted[i]: NULL, or 2^i timers that came before those of any lower i. */
static void hand_out(struct timer_list *slot, struct timer_list *due)
{
	struct timer *sorted[64] = { NULL }, *all = NULL, *timer, *next;
	uint32_t i;

	while ((timer = timer_take(slot))) {
		for (i = 0; sorted[i]; i++) {
			timer = merge(sorted[i], timer);
			sorted[i] = NULL;
		}
		sorted[i] = timer;
	}
	for (i = 0; i < 64; i++)
		if (sorted[i])
			all = merge(sorted[i], all);
	for (; all; all = next) {
		next = all->next;
		append(due, all);
	}
}

void timer_wheel_turn(struct timer_wheel *wheel, uint64_t now_ns, struct timer_list *due)
{
	uint64_t now = now_ns >> TIMER_TICK_SHIFT, first;
	uint32_t level, slot;

	while (first_slot(wheel, &level, &slot)) {
		struct timer_list *list = &wheel->slot[level][slot];
		struct timer *timer;

		first = first_tick_of(wheel, level, slot);
		if (first > now)
			break;
		wheel->tick = first;
		wheel->used[level] &= ~(1ull << slot);
		if (level == 0) {
			hand_out(list, due);
			continue;
		}
		while ((timer = timer_take(list)))
			put(wheel, timer);
	}
	if (now > wheel->tick)
		wheel->tick = now;
}

uint64_t timer_wheel_next_ns(struct timer_wheel *wheel)
{
	uint32_t level, slot;
	uint64_t tick;

	if (!first_slot(wheel, &level, &slot))
		return UINT64_MAX;
	tick = first_tick_of(wheel, level, slot);
	return tick >> (64 - TIMER_TICK_SHIFT) ? UINT64_MAX : tick << TIMER_TICK_SHIFT;
}
