/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "order.h"

static int find(const struct order *all, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(all[i].name, name))
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
static bool precedes(const struct order *a, const struct order *b)
{
	return names(b->after, a->name) || names(a->before, b->name);
}

static int check_names(const struct order *all, int n, const char *what, char *why, size_t why_bytes)
{
	for (int i = 0; i < n; i++) {
		const char *const *list[] = { all[i].after, all[i].before };

		if (find(all, n, all[i].name) != i) {
			snprintf(why, why_bytes, "two %ss are called \"%s\"", what, all[i].name);
			return -EINVAL;
		}
		for (int side = 0; side < 2; side++)
			for (const char *const *name = list[side]; name && *name; name++)
				if (find(all, n, *name) < 0) {
					snprintf(why, why_bytes, "%s \"%s\" is to come %s \"%s\", which there is not", what,
						 all[i].name, side ? "before" : "after", *name);
					return -EINVAL;
				}
	}
	return 0;
}

/* One of those left that must come before; NULL = none. */
static const struct order *waits_for(const struct order *left, int n, const struct order *one)
{
	for (int i = 0; i < n; i++)
		if (precedes(&left[i], one))
			return &left[i];
	return NULL;
}

/* Of those left that wait for none the first by name; NULL = all wait. */
static struct order *next_of(struct order *left, int n)
{
	struct order *best = NULL;

	for (int i = 0; i < n; i++)
		if (!waits_for(left, n, &left[i]) && (!best || strcmp(left[i].name, best->name) < 0))
			best = &left[i];
	return best;
}

/* All of them wait: going from one to what it waits for, n times, comes into a ring; the next round tells it. */
static void tell_ring(const struct order *left, int n, const char *what, char *why, size_t why_bytes)
{
	const struct order *start = left, *at;
	size_t used;

	for (int i = 0; i < n; i++)
		start = waits_for(left, n, start);
	used = (size_t)snprintf(why, why_bytes, "%ss wait for each other: \"%s\"", what, start->name);
	at = start;
	do {
		at = waits_for(left, n, at);
		if (used < why_bytes)
			used += (size_t)snprintf(why + used, why_bytes - used, " after \"%s\"", at->name);
	} while (at != start);
}

int order_sort(struct order *all, int n, const char *what, char *why, size_t why_bytes)
{
	int error = check_names(all, n, what, why, why_bytes);

	for (; n && !error; all++, n--) {
		struct order *next = next_of(all, n), first = *all;

		if (!next) {
			tell_ring(all, n, what, why, why_bytes);
			error = -EINVAL;
			break;
		}
		*all = *next;
		*next = first;
	}
	return error;
}
