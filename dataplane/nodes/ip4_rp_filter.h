/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reverse-path filtering (RFC 3704), for ports that have net.ipv4.conf.*.rp_filter on: does the way back to a packet's source
 * look as fib_validate_source() wants it? What does not is astray: not dropped but the kernel's, which drops, counts and
 * logs it. The kernel looks at all paths of a multipath route, dead ones too; so a packet may go astray here that passes
 * there, and none the other way.
 */
#ifndef IP4_RP_FILTER_H
#define IP4_RP_FILTER_H

#include "forward.h"

/* WYE_LINK_RPF_* of the run's port; 0: nothing is asked. */
static inline uint32_t ip4_rp_filter(const struct forward *f)
{
	struct wye_link *link = (struct wye_link *)node_link(f->plan, f->plan->port[f->ingress].link);

	return atomic_load_explicit(&link->flags, memory_order_relaxed) & (WYE_LINK_RPF_LOOSE4 | WYE_LINK_RPF_STRICT4);
}

/* Fills in astray[i] for source src[i], n ≤ NODE_VECTOR. True: some are. */
bool ip4_rp_filter_astray(const struct forward *f, const struct wye_fib *fib, uint32_t rp_filter, const uint32_t *src, uint32_t n,
			  bool *astray);

#endif
