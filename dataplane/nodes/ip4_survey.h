/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The headers of a run of IPv4 packets: taken out of the packets once, then checked many at a time. What ip4_reason()
 * would let pass and nothing else is plain.
 */
#ifndef IP4_SURVEY_H
#define IP4_SURVEY_H

#include "ip4.h"
#include "survey.h"

struct ip4_survey {
	struct survey all;
	uint32_t src[NODE_VECTOR], dst[NODE_VECTOR];	/* as they stand in the packets */
	/* found */
	uint32_t odd[NODE_VECTOR];	/* not 0: ip4_reason() must look */
	uint32_t after[NODE_VECTOR];	/* word2 of the forwarded packet: RFC 1624, as ip_decrease_ttl() */
	uint32_t different;		/* the destinations: wye_fib4_different() */
	bool any_hit;			/* a source may be one of the host's own */
};

/* Reads n ≤ NODE_VECTOR headers, whatever they are. Of a buffer 46 bytes are read, whatever of them is the packet's. */
typedef void ip4_survey_fn(struct ip4_survey *survey, struct rte_mbuf **packets, uint32_t n, const struct plan_locals *locals);
extern ip4_survey_fn *const ip4_survey[LANES_ISAS];	/* those the CPU has not must not be called */
ip4_survey_fn ip4_survey_avx512;	/* ip4_survey_avx512.c */

#endif
