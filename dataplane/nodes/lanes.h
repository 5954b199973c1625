/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loops over arrays that the compiler turns into vector instructions: one piece of plain C, compiled for each set of
 * instructions and chosen from when the process starts. LANES_PLAIN is what the build's flags allow (with DPDK's: SSE4.2,
 * or NEON), and always there.
 */
#ifndef LANES_H
#define LANES_H

#include <stdbool.h>
#include <stdint.h>

#define LANES 16	/* 32-bit words handled at a time: arrays are filled up to a multiple of it */

typedef uint32_t lanes4 __attribute__((vector_size(16), may_alias));

enum lanes_isa { LANES_PLAIN, LANES_AVX2, LANES_AVX512, LANES_ISAS };

extern enum lanes_isa lanes_isa;	/* the best this CPU has; set before main() */
bool lanes_have(enum lanes_isa isa);

/* What a function is compiled for; its body must be always_inline to be so as well. */
#ifdef __x86_64__
#define LANES_FOR_AVX2	 __attribute__((target("avx2")))
#define LANES_FOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define LANES_FOR_AVX2
#define LANES_FOR_AVX512
#endif

static inline lanes4 lanes4_load(const void *from)
{
	lanes4 value;

	__builtin_memcpy(&value, from, sizeof(value));
	return value;
}

/* Four times 16 bytes: word[w] holds word w of each. */
static inline void lanes4_turn(const void *from0, const void *from1, const void *from2, const void *from3, lanes4 word[4])
{
	lanes4 a = lanes4_load(from0), b = lanes4_load(from1), c = lanes4_load(from2), d = lanes4_load(from3);
	lanes4 ab01 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab23 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
	lanes4 cd01 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd23 = __builtin_shufflevector(c, d, 2, 6, 3, 7);

	word[0] = __builtin_shufflevector(ab01, cd01, 0, 1, 4, 5);
	word[1] = __builtin_shufflevector(ab01, cd01, 2, 3, 6, 7);
	word[2] = __builtin_shufflevector(ab23, cd23, 0, 1, 4, 5);
	word[3] = __builtin_shufflevector(ab23, cd23, 2, 3, 6, 7);
}

#endif
