/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small helpers for reading and writing packet bytes in BPF programs. How a packet is judged is in wye_steer.h, which
 * user space shares.
 */
#ifndef PARSE_H
#define PARSE_H

#include <linux/types.h>

#include <bpf/bpf_endian.h>

static inline __attribute__((always_inline)) void put_be32(void *to, __u32 host)
{
	*(__be32 *)to = bpf_htonl(host);
}

/* In two halves: keys are only four bytes aligned. */
static inline __attribute__((always_inline)) void put_be64(void *to, __u64 host)
{
	put_be32(to, host >> 32);
	put_be32((__u8 *)to + 4, host);
}

#endif
