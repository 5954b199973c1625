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
	/* as they stand in the packets: version, TOS and length; id and fragment; TTL, protocol and checksum */
	uint32_t word0[NODE_VECTOR], word1[NODE_VECTOR], word2[NODE_VECTOR], src[NODE_VECTOR], dst[NODE_VECTOR];
	/* found */
	uint32_t odd[NODE_VECTOR];	/* not 0: ip4_reason() must look */
	uint32_t after[NODE_VECTOR];	/* word2 of the forwarded packet: RFC 1624, as ip_decrease_ttl() */
	bool any_hit;			/* a source may be one of the host's own */
};

/* Reads n ≤ NODE_VECTOR headers, whatever they are. */
void ip4_survey_take(struct ip4_survey *survey, struct rte_mbuf **packets, uint32_t n, const struct plan_locals *locals);

/* From what was taken to what is found. One a set of instructions; those the CPU has not must not be called. */
extern void (*const ip4_survey_check[LANES_ISAS])(struct ip4_survey *survey, uint32_t n);

#endif
