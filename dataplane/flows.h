/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which flows are ours: the compiled rules and the host's own prefixes, given to both steering backends, and swapped
 * at reload. What workers may still read is freed one plan later. Main thread only.
 */
#ifndef FLOWS_H
#define FLOWS_H

#include "steer.h"

struct dpd;
struct plan_locals;

struct flows {
	struct steer_rules *rules, *old_rules;		/* old_*: freed by flows_settle() */
	struct steer_locals *locals, *old_locals;
	struct plan_locals *filter, *old_filter;
	uint64_t locals_version, locals_generation;
	bool plain;	/* default dataplane and no rules: nothing to ask per packet beyond what the nodes check */
};

/* The host's prefixes of the region, if they changed: true, and a plan must be published, then flows_settle(). */
bool flows_follow_locals(struct dpd *dpd);
void flows_settle(struct dpd *dpd);	/* every worker has adopted a plan since the last change */

#endif
