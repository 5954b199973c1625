/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of cases.h made ready: configurations, frames and expectations instead of text. */
#ifndef TABLE_H
#define TABLE_H

#include "model.h"
#include "packet.h"
#include "steer_private.h"

struct table_case {
	uint32_t set;
	const char *text;
	struct packet packet;
	uint32_t verdict;	/* WYE_STEER_*; STEER_BY_RULE = the kernel's by a rule */
	uint32_t rule;		/* unless a guard: index, WYE_STEER_RULES = default */
};

struct table {
	size_t n_sets, n_cases, n_locals;
	struct wye_config *config[16];	/* by set */
	struct steer_rules *rules[16];
	struct steer_locals *locals;
	struct model_local *local;	/* the same for the model */
	struct table_case *test;
};

/* Prints what is wrong with the table and exits 1: it is part of the test. */
struct table *table_load(void);
void table_free(struct table *table);

const char *table_verdict_name(uint32_t verdict);	/* "ip4_fragment"; static buffer */

/* For many checks of one kind: prints the text of what failed, counts, goes on. */
#define TABLE_CHECK(failures, ok, ...)                                                                             \
	do {                                                                                                          \
		if (!(ok) && ++(failures) < 20) {                                                                      \
			fprintf(stderr, __VA_ARGS__);                                                                   \
			fputc('\n', stderr);                                                                            \
		}                                                                                                     \
	} while (0)

#endif
