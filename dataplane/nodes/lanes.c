/* SPDX-License-Identifier: BSD-3-Clause */
#include "lanes.h"

enum lanes_isa lanes_isa = LANES_PLAIN;

bool lanes_have(enum lanes_isa isa)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	if (isa == LANES_AVX2)
		return __builtin_cpu_supports("avx2");
	if (isa == LANES_AVX512)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
	return isa == LANES_PLAIN;
}

static __attribute__((constructor)) void choose(void)
{
	for (enum lanes_isa isa = LANES_PLAIN; isa < LANES_ISAS; isa++)
		if (lanes_have(isa))
			lanes_isa = isa;
}
