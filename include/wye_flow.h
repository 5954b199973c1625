/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which leg of a multipath group a flow takes: workers choose by it, and the operator's command tells by it. Addresses
 * always count; protocol and ports only with l4, as net.ipv{4,6}.fib_multipath_hash_policy has it (wye_region.hash_policy).
 */
#ifndef WYE_FLOW_H
#define WYE_FLOW_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Even over its top bits. */
static inline uint32_t wye_flow_mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ 0x9E3779B97F4A7C15ULL) * 0xFF51AFD7ED558CCDULL;

	h = (h ^ (h >> 32) ^ b) * 0xC4CEB9FE1A85EC53ULL;
	h = (h ^ (h >> 29)) * 0x9FB21C651E98DF25ULL;
	return (uint32_t)(h >> 32);
}

/* Do the first four bytes behind the IP header say which flow it is? */
static inline bool wye_flow_has_ports(uint8_t ip_proto)
{
	return ip_proto == IPPROTO_TCP || ip_proto == IPPROTO_UDP || ip_proto == IPPROTO_SCTP;
}

/* ports: source and destination as they lie in the packet; 0 where there are none, or not in every piece of it. */
static inline uint64_t wye_flow_l4(uint8_t ip_proto, uint32_t ports, bool l4)
{
	return l4 ? (uint64_t)ports << 32 | ip_proto : 0;
}

static inline uint32_t wye_flow_hash4(const uint8_t src[4], const uint8_t dst[4], uint8_t ip_proto, uint32_t ports, bool l4)
{
	uint32_t from, to;

	memcpy(&from, src, 4);
	memcpy(&to, dst, 4);
	return wye_flow_mix((uint64_t)from << 32 | to, wye_flow_l4(ip_proto, ports, l4));
}

static inline uint32_t wye_flow_hash6(const uint8_t src[16], const uint8_t dst[16], uint8_t ip_proto, uint32_t ports,
				      bool l4)
{
	uint64_t from[2], to[2];

	memcpy(from, src, 16);
	memcpy(to, dst, 16);
	return wye_flow_mix(wye_flow_mix(from[0], from[1]) | (uint64_t)wye_flow_mix(to[0], to[1]) << 32,
			    wye_flow_l4(ip_proto, ports, l4));
}

/* Which of a group's buckets; 0 with none. */
static inline uint32_t wye_flow_bucket(uint32_t hash, uint32_t buckets)
{
	return (uint32_t)((uint64_t)hash * buckets >> 32);
}

#endif
