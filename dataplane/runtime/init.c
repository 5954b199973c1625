/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "init.h"

static struct init *added;	/* in no order */
static struct init *order[INIT_MAX];
static int n_order;

void init_add(struct init *init)
{
	init->done = init->withdrawn = false;
	init->next = added;
	added = init;
}

void init_remove(struct init *init)
{
	for (struct init **at = &added; *at; at = &(*at)->next)
		if (*at == init) {
			*at = init->next;
			return;
		}
}

/* ---- sorting ------------------------------------------------------------------------------------------------------ */

static int find(struct init *const *all, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(all[i]->name, name))
			return i;
	return -1;
}

static bool names(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

/* Must a come before b? */
static bool precedes(const struct init *a, const struct init *b)
{
	return names(b->after, a->name) || names(a->before, b->name);
}

static int check_names(struct init *const *all, int n, char *why, size_t why_bytes)
{
	for (int i = 0; i < n; i++) {
		const char *const *list[] = { all[i]->after, all[i]->before };

		if (find(all, n, all[i]->name) != i) {
			snprintf(why, why_bytes, "two init functions are called \"%s\"", all[i]->name);
			return -EINVAL;
		}
		for (int side = 0; side < 2; side++)
			for (const char *const *name = list[side]; name && *name; name++)
				if (find(all, n, *name) < 0) {
					snprintf(why, why_bytes, "init function \"%s\" is to come %s \"%s\", which there is not",
						 all[i]->name, side ? "before" : "after", *name);
					return -EINVAL;
				}
	}
	return 0;
}

/* One of those left that must come before; NULL = none. */
static const struct init *waits_for(struct init *const *left, int n, const struct init *init)
{
	for (int i = 0; i < n; i++)
		if (precedes(left[i], init))
			return left[i];
	return NULL;
}

/* Of those left that wait for none the first by name; -1 = all wait. */
static int next_of(struct init *const *left, int n)
{
	int best = -1;

	for (int i = 0; i < n; i++)
		if (!waits_for(left, n, left[i]) && (best < 0 || strcmp(left[i]->name, left[best]->name) < 0))
			best = i;
	return best;
}

/* All of them wait: going from one to what it waits for, n times, comes into a ring; the next round tells it. */
static void tell_ring(struct init *const *left, int n, char *why, size_t why_bytes)
{
	const struct init *start = left[0], *at;
	size_t used;

	for (int i = 0; i < n; i++)
		start = waits_for(left, n, start);
	used = (size_t)snprintf(why, why_bytes, "init functions wait for each other: \"%s\"", start->name);
	at = start;
	do {
		at = waits_for(left, n, at);
		if (used < why_bytes)
			used += (size_t)snprintf(why + used, why_bytes - used, " after \"%s\"", at->name);
	} while (at != start);
}

int init_sort(struct init *sorted[static INIT_MAX], char *why, size_t why_bytes)
{
	struct init *left[INIT_MAX];
	int n = 0, n_sorted = 0, error;

	for (struct init *init = added; init; init = init->next) {
		if (n == INIT_MAX) {
			snprintf(why, why_bytes, "more than %d init functions: \"%s\" is one too many", INIT_MAX, init->name);
			return -EINVAL;
		}
		left[n++] = init;
	}
	error = check_names(left, n, why, why_bytes);
	if (error)
		return error;
	while (n) {
		int i = next_of(left, n);

		if (i < 0) {
			tell_ring(left, n, why, why_bytes);
			return -EINVAL;
		}
		sorted[n_sorted++] = left[i];
		left[i] = left[--n];
	}
	return n_sorted;
}

/* ---- running ------------------------------------------------------------------------------------------------------ */

int init_start(struct dpd *dpd, void (*note)(struct dpd *dpd, struct init *const *started, uint32_t n), char *why,
	       size_t why_bytes)
{
	int error = 0;

	n_order = init_sort(order, why, why_bytes);
	if (n_order < 0)
		return n_order;
	for (int i = 0; i < n_order && !error; i++) {
		uint64_t before = clock_ns();

		if (order[i]->withdrawn)
			continue;
		error = order[i]->start ? order[i]->start(dpd) : 0;
		order[i]->took_ns = clock_ns() - before;
		order[i]->done = !error;
		if (error && order[i]->failed)
			error = order[i]->failed(order[i], error);
		if (error)
			snprintf(why, why_bytes, "%s: %s", order[i]->name, strerror(-error));
		else if (note)
			note(dpd, order, (uint32_t)i + 1);
	}
	if (error)
		init_stop(dpd);
	return error;
}

static void undo(struct dpd *dpd, struct init *init)
{
	if (init->done && init->stop)
		init->stop(dpd);
	init->done = false;
}

void init_stop(struct dpd *dpd)
{
	while (n_order > 0)
		undo(dpd, order[--n_order]);
}

void init_withdraw(struct dpd *dpd, struct init *const *inits, uint32_t n)
{
	for (int at = n_order; at-- > 0;)
		for (uint32_t i = 0; i < n; i++)
			if (order[at] == inits[i]) {
				undo(dpd, order[at]);
				order[at]->withdrawn = true;
			}
}
