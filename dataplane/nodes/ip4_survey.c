/* SPDX-License-Identifier: BSD-3-Clause */
/* The plain one, and AVX2's; what AVX-512 does otherwise is in ip4_survey_avx512.c. */
#include "ip4_survey.h"

struct words {	/* of headers, as they stand there: version, TOS and length; id and fragment; TTL, protocol and checksum */
	uint32_t word0[NODE_VECTOR], word1[NODE_VECTOR], word2[NODE_VECTOR];
} __attribute__((aligned(64)));

static inline uint64_t take_four(struct ip4_survey *survey, struct words *words, struct rte_mbuf *const *packets, uint32_t i,
				 struct survey_seen *seen, const struct plan_locals *locals)
{
	uint64_t hit = 0;
	lanes4 word[4];

	survey_take_four(&survey->all, packets, i, seen);
	lanes4_turn(survey_ip(&survey->all, i), survey_ip(&survey->all, i + 1), survey_ip(&survey->all, i + 2),
		    survey_ip(&survey->all, i + 3), word);
	*(lanes4 *)&words->word0[i] = word[0];
	*(lanes4 *)&words->word1[i] = word[1];
	*(lanes4 *)&words->word2[i] = word[2];
	*(lanes4 *)&survey->src[i] = word[3];
	for (uint32_t k = 0; k < 4; k++) {
		const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)survey_ip(&survey->all, i + k);

		survey->dst[i + k] = ip->dst_addr;
		hit |= plan_filter_word(locals, ip->src_addr);
	}
	return hit;
}

static void take(struct ip4_survey *survey, struct words *words, struct rte_mbuf **packets, uint32_t n,
		 const struct plan_locals *locals)
{
	struct rte_mbuf *last[4];
	struct survey_seen seen = { 0, UINT64_MAX };
	uint64_t hit = 0;

	for (uint32_t i = 0; i < RTE_ALIGN_CEIL(n, LANES); i += 4)
		hit |= take_four(survey, words, survey_four(packets, n, i, last), i, &seen, locals);
	survey_taken(&survey->all, &seen);
	survey->any_hit = hit & 1;
}

/* The sum of a header's ten words, folded once: at most 0xffff + 9, and 0xffff exactly when the checksum in it is right. */
static inline __attribute__((always_inline)) uint32_t sum_of(uint32_t word0, uint32_t word1, uint32_t word2, uint32_t src,
							     uint32_t dst)
{
	uint32_t sum = (word0 & 0xffff) + (word0 >> 16) + (word1 & 0xffff) + (word1 >> 16) + (word2 & 0xffff) +
		       (word2 >> 16) + (src & 0xffff) + (src >> 16) + (dst & 0xffff) + (dst >> 16);

	return (sum & 0xffff) + (sum >> 16);
}

/* Not 0: an address that begins so is never routed, or (255) only sometimes. */
static inline __attribute__((always_inline)) uint32_t special(uint32_t addr)
{
	uint32_t first = addr & 0xff;

	return (first == 0) | (first == 127) | ((first & 0xf0) == 0xe0) | (first == 255);
}

/* Plain loops of known length: what compilers turn into the vector instructions they are allowed. */
static inline __attribute__((always_inline)) void check(struct ip4_survey *survey, const struct words *words, uint32_t n)
{
	uint32_t odd[LANES] = { 0 }, padded[LANES] = { 0 }, longest[LANES] = { 0 }, different[LANES] = { 0 };

	for (size_t from = 0; from < n; from += LANES)
		for (size_t lane = 0; lane < LANES; lane++) {
			size_t i = from + lane;
			uint32_t word0 = words->word0[i], word1 = words->word1[i], word2 = words->word2[i];
			uint32_t src = survey->src[i], dst = survey->dst[i], data_len = survey->all.data_len[i] & 0xffff;
			uint32_t len = data_len - (uint32_t)sizeof(struct rte_ether_hdr);
			uint32_t total = word0 >> 24 | (word0 >> 8 & 0xff00), checksum = (word2 >> 16) + 1;
			uint32_t here = (sum_of(word0, word1, word2, src, dst) ^ 0xffff) | ((word0 & 0xff) ^ 0x45) |
					(total < sizeof(struct rte_ipv4_hdr)) | ((int32_t)total > (int32_t)len) |
					((word2 & 0xff) <= 1) | special(src) | special(dst);

			survey->odd[i] = here;
			survey->after[i] = ((word2 & 0xffff) - 1) | (checksum + (checksum >= 0xffff)) << 16;
			odd[lane] |= here;
			padded[lane] |= (total ^ len) | (survey->all.pkt_len[i] ^ data_len);
			longest[lane] = RTE_MAX(longest[lane], total);
			different[lane] |= dst ^ survey->dst[0];
		}
	survey_found(&survey->all, odd, padded, longest);
	survey->different = 0;
	for (uint32_t lane = 0; lane < LANES; lane++)
		survey->different |= different[lane];
}

static void survey_plain(struct ip4_survey *survey, struct rte_mbuf **packets, uint32_t n, const struct plan_locals *locals)
{
	struct words words;

	take(survey, &words, packets, n, locals);
	check(survey, &words, n);
}

static LANES_FOR_AVX2 void survey_avx2(struct ip4_survey *survey, struct rte_mbuf **packets, uint32_t n,
				       const struct plan_locals *locals)
{
	struct words words;

	take(survey, &words, packets, n, locals);
	check(survey, &words, n);
}

ip4_survey_fn *const ip4_survey[LANES_ISAS] = {
	[LANES_PLAIN] = survey_plain,
	[LANES_AVX2] = survey_avx2,
	[LANES_AVX512] = ip4_survey_avx512,
};
