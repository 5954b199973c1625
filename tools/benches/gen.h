/* SPDX-License-Identifier: BSD-3-Clause */
/* What gen.c and gen.bpf.c share: parameters, counters and the payload by which a test packet is known. */
#ifndef GEN_H
#define GEN_H

#define GEN_MAGIC 0x77796562u	/* "wyeb" */

struct gen_params {
	__u8 dst_mac[6];
	__u8 src_mac[6];
	__u32 out_ifindex;
	__u32 src_ip;		/* network order, as is all below but flows, dport and ttl_expected */
	__u32 dst_ip;
	__u16 ip_check;		/* of the constant IP header */
	__u16 dport;
	__u32 flows;
	__u32 ttl_expected;
	__u32 batch;		/* packets between two looks at the clock */
	__u64 gap_ns;		/* from one batch to the next, 0 = as fast as it goes */
};

struct gen_state {
	__u64 sent;		/* next sequence number */
	__u64 next_ns;		/* when the next batch is due */
};

struct gen_count {
	__u64 packets;
	__u64 bad_ttl;		/* arrived with another TTL than a router leaves */
};

struct gen_payload {
	__u32 magic;
	__u32 pad;
	__u64 seq;
	__u8 fill[6];
} __attribute__((packed));

#endif
