/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ip4_survey and ip6_survey do alike: a run's packets are taken apart into arrays, four at a time, so that checks
 * become loops over arrays. Arrays are filled up to a multiple of LANES, with copies of the last packet.
 */
#ifndef SURVEY_H
#define SURVEY_H

#include "lanes.h"
#include "node.h"

struct survey {
	uint8_t *frame[NODE_VECTOR];
	uint32_t pkt_len[NODE_VECTOR];
	uint32_t data_len[NODE_VECTOR];	/* in the low half; the other is something else */
	bool mixed;		/* some came in by another port than the first */
	/* found, of the whole run */
	uint32_t any_odd;	/* not 0: there are packets that the family's reason function must look at */
	uint32_t any_padded;	/* not 0: some are longer than IP says, or chained */
	uint32_t longest;	/* bytes, as IP says */
} __attribute__((aligned(64)));

static_assert(offsetof(struct rte_mbuf, pkt_len) == offsetof(struct rte_mbuf, packet_type) + 4 &&
	      offsetof(struct rte_mbuf, data_len) == offsetof(struct rte_mbuf, packet_type) + 8, "one 16-byte load");
static_assert(offsetof(struct rte_mbuf, data_off) == offsetof(struct rte_mbuf, rearm_data) &&
	      offsetof(struct rte_mbuf, port) == offsetof(struct rte_mbuf, rearm_data) + 6, "one 8-byte load");
static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "words are taken apart from their low end");

struct survey_seen {		/* while packets are taken: rearm_data or-ed, and-ed */
	uint64_t any, all;
};

/* Packets i to i + 3 of n as they lie in packets, or copies of the last one in their stead in `last`. */
static inline struct rte_mbuf *const *survey_four(struct rte_mbuf **packets, uint32_t n, uint32_t i,
						  struct rte_mbuf *last[4])
{
	if (likely(i + 4 <= n))
		return packets + i;
	for (uint32_t k = 0; k < 4; k++)
		last[k] = packets[RTE_MIN(i + k, n - 1)];
	return last;
}

static inline void survey_take_four(struct survey *survey, struct rte_mbuf *const *packets, uint32_t i,
				    struct survey_seen *seen)
{
	lanes4 word[4];

	for (uint32_t k = 0; k < 4; k++) {
		uint64_t rearm;

		memcpy(&rearm, &packets[k]->rearm_data, sizeof(rearm));
		survey->frame[i + k] = (uint8_t *)packets[k]->buf_addr + (uint16_t)rearm;
		seen->any |= rearm;
		seen->all &= rearm;
	}
	lanes4_turn(&packets[0]->packet_type, &packets[1]->packet_type, &packets[2]->packet_type,
		    &packets[3]->packet_type, word);
	*(lanes4 *)&survey->pkt_len[i] = word[1];
	*(lanes4 *)&survey->data_len[i] = word[2];
}

static inline void survey_taken(struct survey *survey, const struct survey_seen *seen)
{
	survey->mixed = (seen->any ^ seen->all) >> 48;	/* the port */
}

static inline __attribute__((always_inline)) void survey_found(struct survey *survey, const uint32_t odd[LANES],
							       const uint32_t padded[LANES],
							       const uint32_t longest[LANES])
{
	survey->any_odd = survey->any_padded = survey->longest = 0;
	for (uint32_t lane = 0; lane < LANES; lane++) {
		survey->any_odd |= odd[lane];
		survey->any_padded |= padded[lane];
		survey->longest = RTE_MAX(survey->longest, longest[lane]);
	}
}

static inline uint8_t *survey_ip(const struct survey *survey, uint32_t i)
{
	return survey->frame[i] + sizeof(struct rte_ether_hdr);
}

#endif
