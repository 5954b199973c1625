/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip6_survey.h"

static inline void take_four(struct ip6_survey *survey, struct rte_mbuf *const *packets, uint32_t i,
			     struct survey_seen *seen)
{
	lanes4 word[4];

	survey_take_four(&survey->all, packets, i, seen);
	lanes4_turn(survey_ip(&survey->all, i), survey_ip(&survey->all, i + 1), survey_ip(&survey->all, i + 2),
		    survey_ip(&survey->all, i + 3), word);
	*(lanes4 *)&survey->word0[i] = word[0];
	*(lanes4 *)&survey->word1[i] = word[1];
	*(lanes4 *)&survey->src0[i] = word[2];
	for (uint32_t k = 0; k < 4; k++)
		*(lanes4 *)survey->dst[i + k] =
			lanes4_load(survey_ip(&survey->all, i + k) + offsetof(struct rte_ipv6_hdr, dst_addr));
	lanes4_turn(survey->dst[i], survey->dst[i + 1], survey->dst[i + 2], survey->dst[i + 3], word);
	*(lanes4 *)&survey->dst0[i] = word[0];
}

void ip6_survey_take(struct ip6_survey *survey, struct rte_mbuf **packets, uint32_t n)
{
	struct survey_seen seen = { 0, UINT64_MAX };
	struct rte_mbuf *last[4];

	for (uint32_t i = 0; i < RTE_ALIGN_CEIL(n, LANES); i += 4)
		take_four(survey, survey_four(packets, n, i, last), i, &seen);
	survey_taken(&survey->all, &seen);
}

/* Not 0 if neither is: compilers make vectors of this more readily than of !(a == x || b == y). */
static inline __attribute__((always_inline)) uint32_t neither(uint32_t one_difference, uint32_t other_difference)
{
	return RTE_MIN(one_difference, other_difference);
}

/* Not 0: neither in 2000::/3 nor in fc00::/7. */
static inline __attribute__((always_inline)) uint32_t special(uint32_t addr)
{
	return neither((addr & 0xe0) ^ 0x20, (addr & 0xfe) ^ 0xfc);
}

/* By way of a sum: GCC knows shifts for what they are and reads the two bytes by themselves, which no vector can. */
static inline __attribute__((always_inline)) uint32_t swap16(uint32_t value)
{
	return (value * 0x10001) >> 8 & 0xffff;
}

/* Plain loops of known length: what compilers turn into the vector instructions they are allowed. */
static inline __attribute__((always_inline)) void check(struct ip6_survey *survey, uint32_t n)
{
	uint32_t odd[LANES] = { 0 }, padded[LANES] = { 0 }, longest[LANES] = { 0 };

	for (size_t from = 0; from < n; from += LANES)
		for (size_t lane = 0; lane < LANES; lane++) {
			size_t i = from + lane;
			uint32_t word0 = survey->word0[i], word1 = survey->word1[i];
			uint32_t src0 = survey->src0[i], dst0 = survey->dst0[i];
			uint32_t pkt_len = survey->all.pkt_len[i], data_len = survey->all.data_len[i] & 0xffff;
			uint32_t len = data_len - (uint32_t)sizeof(struct rte_ether_hdr);
			uint32_t total = swap16(word1 & 0xffff) + (uint32_t)sizeof(struct rte_ipv6_hdr);
			uint32_t proto = word1 >> 16 & 0xff;
			uint32_t here = ((word0 >> 4 & 15) ^ 6) | ((int32_t)total > (int32_t)len) |
					(word1 >> 24 <= 1) | neither(proto ^ 6, proto ^ 17) |
					special(src0) | special(dst0);

			survey->odd[i] = here;
			odd[lane] |= here;
			padded[lane] |= (total ^ len) | (pkt_len ^ data_len);
			longest[lane] = RTE_MAX(longest[lane], total);
		}
	survey_found(&survey->all, odd, padded, longest);
}

static void check_plain(struct ip6_survey *survey, uint32_t n)
{
	check(survey, n);
}

static LANES_FOR_AVX2 void check_avx2(struct ip6_survey *survey, uint32_t n)
{
	check(survey, n);
}

static LANES_FOR_AVX512 void check_avx512(struct ip6_survey *survey, uint32_t n)
{
	check(survey, n);
}

void (*const ip6_survey_check[LANES_ISAS])(struct ip6_survey *survey, uint32_t n) = {
	[LANES_PLAIN] = check_plain,
	[LANES_AVX2] = check_avx2,
	[LANES_AVX512] = check_avx512,
};
