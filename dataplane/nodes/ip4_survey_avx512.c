/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip4_survey for AVX-512: sixteen packets at a time, with nothing stored between taking and finding. A register holds 32 bytes
 * each of two packets, of their mbufs and of their headers; over-read is what the buffer holds behind a short packet.
 */
#include "ip4_survey.h"

#ifndef __x86_64__
void ip4_survey_avx512(struct ip4_survey *survey, struct rte_mbuf **packets, uint32_t n, const struct plan_locals *locals)
{
	ip4_survey[LANES_PLAIN](survey, packets, n, locals); /* nobody has it */
}
#else
#include <immintrin.h>

/* GCC's generic tuning takes unaligned loads of 32 bytes apart, for processors of 2011. */
#define FOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,tune=skylake-avx512")))
#define INLINE	   static inline __attribute__((always_inline)) FOR_AVX512

struct found {
	__m512i any, all;		/* mbufs' fields, or-ed and and-ed */
	__m512i padded, longest, different;
	__m512i first;			/* destination, sixteen times */
	__mmask16 odd, hit;
};

/* 32 bytes of each: an even packet's in the low half, those of the one behind it in the high half. */
INLINE __m512i pair_of(const void *even, const void *odd)
{
	__m512i low = _mm512_castsi256_si512(_mm256_loadu_si256(even));

	return _mm512_mask_broadcast_i64x4(low, 0xf0, _mm256_loadu_si256(odd));
}

/* Four registers of four 128-bit lanes: lane k of row[i] becomes lane i of row[k]. */
INLINE void turn(__m512i row[4])
{
	__m512i low01 = _mm512_shuffle_i32x4(row[0], row[1], 0x44), high01 = _mm512_shuffle_i32x4(row[0], row[1], 0xee);
	__m512i low23 = _mm512_shuffle_i32x4(row[2], row[3], 0x44), high23 = _mm512_shuffle_i32x4(row[2], row[3], 0xee);

	row[0] = _mm512_shuffle_i32x4(low01, low23, 0x88);
	row[1] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
	row[2] = _mm512_shuffle_i32x4(high01, high23, 0x88);
	row[3] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
}

/* From the headers of sixteen packets: word[w] has word w of each, in their order. */
INLINE void words_of(const __m512i pair[8], __m512i word[5])
{
	const __m512i first4 = _mm512_setr_epi32(0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
	const __m512i fifth = _mm512_setr_epi32(4, 12, 20, 28, 4, 12, 20, 28, 4, 12, 20, 28, 4, 12, 20, 28);
	__m512i last[4];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		word[i] = _mm512_permutex2var_epi32(pair[2 * i], first4, pair[2 * i + 1]);
		last[i] = _mm512_permutex2var_epi32(pair[2 * i], fifth, pair[2 * i + 1]);
	}
	turn(word);
	word[4] = _mm512_mask_blend_epi32(0xff00, _mm512_mask_blend_epi32(0x00f0, last[0], last[1]),
					  _mm512_mask_blend_epi32(0xf000, last[2], last[3]));
}

/* From their mbufs, from rearm_data on: pkt_len and data_len. */
INLINE void lengths_of(const __m512i pair[8], __m512i *pkt_len, __m512i *data_len)
{
	const __m512i both = _mm512_setr_epi32(5, 13, 21, 29, 6, 14, 22, 30, 5, 13, 21, 29, 6, 14, 22, 30);
	__m512i four[4], low, high;

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		four[i] = _mm512_permutex2var_epi32(pair[2 * i], both, pair[2 * i + 1]);
	low = _mm512_mask_blend_epi32(0xff00, four[0], four[1]);
	high = _mm512_mask_blend_epi32(0xff00, four[2], four[3]);
	*pkt_len = _mm512_shuffle_i32x4(low, high, 0x88);
	*data_len = _mm512_and_si512(_mm512_shuffle_i32x4(low, high, 0xdd), _mm512_set1_epi32(0xffff));
}

/* The two halves of all words, added up. */
INLINE __m512i halves(__m512i word)
{
	return _mm512_add_epi32(_mm512_and_si512(word, _mm512_set1_epi32(0xffff)), _mm512_srli_epi32(word, 16));
}

/* In 0/8, 127/8, 224/4 or 240/4: never routed, or (240/4) only sometimes. */
INLINE __mmask16 special(__m512i addr)
{
	__m512i first = _mm512_and_si512(addr, _mm512_set1_epi32(0xff));

	return _mm512_cmpge_epu32_mask(_mm512_sub_epi32(first, _mm512_set1_epi32(1)), _mm512_set1_epi32(223)) |
	       _mm512_cmpeq_epi32_mask(first, _mm512_set1_epi32(127));
}

/* total_length, of words 0. */
INLINE __m512i total_of(__m512i word0)
{
	return _mm512_or_si512(_mm512_srli_epi32(word0, 24),
			       _mm512_and_si512(_mm512_srli_epi32(word0, 8), _mm512_set1_epi32(0xff00)));
}

/* Words 2 of the forwarded packets: RFC 1624, as ip_decrease_ttl(). */
INLINE __m512i after_of(__m512i word2)
{
	const __m512i low = _mm512_set1_epi32(0xffff), one = _mm512_set1_epi32(1);
	__m512i checksum = _mm512_add_epi32(_mm512_srli_epi32(word2, 16), one);

	checksum = _mm512_mask_add_epi32(checksum, _mm512_cmpge_epu32_mask(checksum, low), checksum, one);
	return _mm512_or_si512(_mm512_sub_epi32(_mm512_and_si512(word2, low), one), _mm512_slli_epi32(checksum, 16));
}

INLINE __mmask16 odd_of(const __m512i word[5], __m512i total, __m512i len)
{
	const __m512i byte = _mm512_set1_epi32(0xff);
	__m512i sum = halves(_mm512_add_epi32(
		_mm512_add_epi32(halves(word[0]), halves(word[1])),
		_mm512_add_epi32(_mm512_add_epi32(halves(word[2]), halves(word[3])), halves(word[4]))));

	return _mm512_cmpneq_epi32_mask(sum, _mm512_set1_epi32(0xffff)) |
	       _mm512_cmpneq_epi32_mask(_mm512_and_si512(word[0], byte), _mm512_set1_epi32(0x45)) |
	       _mm512_cmplt_epi32_mask(total, _mm512_set1_epi32(sizeof(struct rte_ipv4_hdr))) |
	       _mm512_cmpgt_epi32_mask(total, len) |
	       _mm512_cmple_epu32_mask(_mm512_and_si512(word[2], byte), _mm512_set1_epi32(1)) |
	       special(word[3]) | special(word[4]);
}

INLINE void find(struct ip4_survey *survey, uint32_t i, const __m512i word[5], __m512i pkt_len, __m512i data_len,
		 const struct plan_locals *locals, struct found *found)
{
	__m512i len = _mm512_sub_epi32(data_len, _mm512_set1_epi32(sizeof(struct rte_ether_hdr)));
	__m512i total = total_of(word[0]);
	__mmask16 odd = odd_of(word, total, len);

	_mm512_store_si512(&survey->src[i], word[3]);
	_mm512_store_si512(&survey->dst[i], word[4]);
	_mm512_store_si512(&survey->odd[i], _mm512_maskz_set1_epi32(odd, 1));
	_mm512_store_si512(&survey->after[i], after_of(word[2]));
	found->odd |= odd;
	found->different = _mm512_or_si512(found->different, _mm512_xor_si512(word[4], found->first));
	found->padded = _mm512_or_si512(found->padded, _mm512_or_si512(_mm512_xor_si512(total, len),
								       _mm512_xor_si512(pkt_len, data_len)));
	found->longest = _mm512_max_epu32(found->longest, total);
	for (uint32_t k = 0; k < locals->n && locals->n <= PLAN_LOCALS_FEW; k++)
		found->hit |= _mm512_cmpeq_epi32_mask(word[3], _mm512_set1_epi32((int)locals->few[k]));
}

INLINE void sixteen(struct ip4_survey *survey, struct rte_mbuf *const *packets, uint32_t i, const struct plan_locals *locals,
		    struct found *found)
{
	__m512i mbuf[8], head[8], word[5], pkt_len, data_len;

#pragma GCC unroll 8
	for (uint32_t k = 0; k < 8; k++) {
		const struct rte_mbuf *even = packets[2 * k], *odd = packets[2 * k + 1];
		uint8_t *even_frame = (uint8_t *)even->buf_addr + even->data_off;
		uint8_t *odd_frame = (uint8_t *)odd->buf_addr + odd->data_off;

		__asm__("" : "+r"(even_frame), "+r"(odd_frame)); /* or they are added up anew for each use */
		mbuf[k] = pair_of(&even->rearm_data, &odd->rearm_data);
		head[k] = pair_of(even_frame + sizeof(struct rte_ether_hdr), odd_frame + sizeof(struct rte_ether_hdr));
		survey->all.frame[i + 2 * k] = even_frame;
		survey->all.frame[i + 2 * k + 1] = odd_frame;
	}
#pragma GCC unroll 4
	for (uint32_t k = 0; k < 8; k += 2) {
		found->any = _mm512_ternarylogic_epi32(found->any, mbuf[k], mbuf[k + 1], 0xfe);
		found->all = _mm512_ternarylogic_epi32(found->all, mbuf[k], mbuf[k + 1], 0x80);
	}
	lengths_of(mbuf, &pkt_len, &data_len);
	words_of(head, word);
	find(survey, i, word, pkt_len, data_len, locals, found);
}

/* Did any come in by another port than the others? */
INLINE bool mixed_of(const struct found *found)
{
	__m256i any = _mm256_or_si256(_mm512_castsi512_si256(found->any), _mm512_extracti64x4_epi64(found->any, 1));
	__m256i all = _mm256_and_si256(_mm512_castsi512_si256(found->all), _mm512_extracti64x4_epi64(found->all, 1));

	return _mm256_extract_epi16(_mm256_xor_si256(any, all), 3);
}

/* Where the host has more addresses than can be compared with. */
static bool filter_hits(const uint32_t *src, uint32_t n, const struct plan_locals *locals)
{
	uint64_t hit = 0;

	for (uint32_t i = 0; i < n; i++)
		hit |= plan_filter_word(locals, src[i]);
	return hit & 1;
}

FOR_AVX512 void ip4_survey_avx512(struct ip4_survey *survey, struct rte_mbuf **packets, uint32_t n,
				  const struct plan_locals *locals)
{
	const __m512i zero = _mm512_setzero_si512();
	struct found found = { zero, _mm512_set1_epi32(-1), zero, zero, zero, zero, 0, 0 };
	struct rte_mbuf *last[LANES];
	uint32_t first = 0, i;

	if (n)
		memcpy(&first, rte_pktmbuf_mtod_offset(packets[0], void *, sizeof(struct rte_ether_hdr) +
						       offsetof(struct rte_ipv4_hdr, dst_addr)), sizeof(first));
	found.first = _mm512_set1_epi32((int)first);
	for (i = 0; i + LANES <= n; i += LANES)
		sixteen(survey, packets + i, i, locals, &found);
	if (i < n) {
		for (uint32_t k = 0; k < LANES; k++)
			last[k] = packets[RTE_MIN(i + k, n - 1)];
		sixteen(survey, last, i, locals, &found);
	}
	survey->all.mixed = mixed_of(&found);
	survey->all.any_odd = found.odd;
	survey->all.any_padded = (uint32_t)_mm512_reduce_or_epi32(found.padded);
	survey->all.longest = _mm512_reduce_max_epu32(found.longest);
	survey->different = (uint32_t)_mm512_reduce_or_epi32(found.different);
	survey->any_hit = locals->n <= PLAN_LOCALS_FEW ? found.hit : filter_hits(survey->src, n, locals);
}
#endif
