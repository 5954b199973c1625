/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "init.h"
#include "order.h"

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

int init_sort(struct init *sorted[static INIT_MAX], char *why, size_t why_bytes)
{
	struct order all[INIT_MAX];
	int n = 0, error;

	for (struct init *init = added; init; init = init->next) {
		if (n == INIT_MAX) {
			snprintf(why, why_bytes, "more than %d init functions: \"%s\" is one too many", INIT_MAX, init->name);
			return -EINVAL;
		}
		all[n++] = (struct order){ init->name, init->after, init->before, init };
	}
	error = order_sort(all, n, "init function", why, why_bytes);
	for (int i = 0; i < n && !error; i++)
		sorted[i] = all[i].of;
	return error ? error : n;
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
