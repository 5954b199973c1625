/* SPDX-License-Identifier: BSD-3-Clause */
/* The headers of a run of IPv6 packets, as ip4_survey.h has it. What ip6_reason() would let pass is plain if it is TCP or
 * UDP between global unicast (2000::/3) or local (fc00::/7) addresses. */
#ifndef IP6_SURVEY_H
#define IP6_SURVEY_H

#include "ip6.h"
#include "survey.h"

struct ip6_survey {
	struct survey all;
	/* as they stand in the packets: version; length, next header and hop limit; addresses' first words */
	uint32_t word0[NODE_VECTOR], word1[NODE_VECTOR], src0[NODE_VECTOR], dst0[NODE_VECTOR];
	/* found */
	uint32_t odd[NODE_VECTOR];	/* not 0: ip6_reason() must look */
	/* taken as well. Last, where no loop writes: compilers take a struct's last array for one without an end. */
	uint8_t dst[NODE_VECTOR][16];
};

/* Reads n ≤ NODE_VECTOR headers, whatever they are. */
void ip6_survey_take(struct ip6_survey *survey, struct rte_mbuf **packets, uint32_t n);

/* From what was taken to what is found. One a set of instructions; those the CPU has not must not be called. */
extern void (*const ip6_survey_check[LANES_ISAS])(struct ip6_survey *survey, uint32_t n);

#endif
