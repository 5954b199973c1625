/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Init functions: each part of the daemon says beside its own code how it starts and stops, and before or after which
 * others. They are called in that order, and undone in reverse, at the end and when one of them fails.
 *
 *	INIT(punt, .start = punt_open, .stop = punt_close, .after = INIT_NAMES("process"));
 */
#ifndef INIT_H
#define INIT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INIT_MAX 64	/* functions */

struct dpd;

struct init {
	const char *name;
	int (*start)(struct dpd *dpd);	/* 0 or -errno, printed; NULL: only to be undone */
	void (*stop)(struct dpd *dpd);	/* NULL: nothing to undo. Called only after a start that went well */
	const char *const *after, *const *before;	/* names, NULL behind the last; NULL: none. A name nobody has is fatal */
	/* May the start go on without it? 0: yes, as if it had not been; -errno: no. NULL: no */
	int (*failed)(const struct init *init, int error);
	/* init.c's */
	uint64_t took_ns;
	bool done, withdrawn;
	struct init *next;
};

#define INIT_NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define INIT(name_, ...)                                                                          \
	static struct init init_##name_ = { .name = #name_, __VA_ARGS__ };                        \
	static void __attribute__((constructor)) init_add_##name_(void) { init_add(&init_##name_); } \
	static_assert(sizeof(#name_) <= 32, "init: 31 characters")

void init_add(struct init *init);
void init_remove(struct init *init);

/*
 * Puts the functions that were added into an order that all of them agree with (order_sort()). Their number, or -EINVAL
 * with `why` naming both sides of what cannot be: an unknown name, one that two have, a ring.
 */
int init_sort(struct init *order[static INIT_MAX], char *why, size_t why_bytes);

/*
 * Starts all in order; when one fails, what was started is undone. 0, or -errno with `why`. After each, `note` (NULL: nobody)
 * is told which have been started.
 */
int init_start(struct dpd *dpd, void (*note)(struct dpd *dpd, struct init *const *started, uint32_t n), char *why,
	       size_t why_bytes);
void init_stop(struct dpd *dpd);	/* in reverse */

/* From a `failed`: goes on without these. Those that have been started are undone now, in reverse; the others are not started. */
void init_withdraw(struct dpd *dpd, struct init *const *inits, uint32_t n);

#endif
