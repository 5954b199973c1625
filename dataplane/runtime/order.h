/* SPDX-License-Identifier: BSD-3-Clause */
/* Named things that say before or after which others they come, put into an order. */
#ifndef ORDER_H
#define ORDER_H

#include <stddef.h>

struct order {
	const char *name;
	const char *const *after, *const *before;	/* names, NULL behind the last; NULL: none */
	void *of;	/* the caller's */
};

/*
 * Puts n things into an order that all of them agree with: the one with the lowest name first of those that may come
 * next, so that it does not depend on how the program was linked. 0, or -EINVAL with `why` naming both sides of what
 * cannot be: an unknown name, one that two have, a ring. `what` they are, for that: "init function".
 */
int order_sort(struct order *all, int n, const char *what, char *why, size_t why_bytes);

#endif
