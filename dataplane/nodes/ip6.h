/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 headers as a router sees them: RFC 8200, and ipv6_rcv() and ip6_forward() of Linux. Pure functions. */
#ifndef IP6_H
#define IP6_H

#include <rte_ip.h>
#include <stdbool.h>

#include "wye_stats.h"

/* Not 0: ip6_reason() must look. Plain is TCP or UDP between global unicast (2000::/3) or local (fc00::/7) addresses.
 * ip_len as in ip4_odd(). */
static inline uint32_t ip6_odd(const struct rte_ipv6_hdr *ip, int32_t ip_len)
{
	int32_t total = rte_be_to_cpu_16(ip->payload_len) + (int32_t)sizeof(*ip);
	uint8_t src = ip->src_addr[0], dst = ip->dst_addr[0];
	bool global = (src >> 5 == 1 || src >> 1 == 0x7e) && (dst >> 5 == 1 || dst >> 1 == 0x7e);

	return ((uint32_t)*(const uint8_t *)ip >> 4 ^ 6) | (total > ip_len) | (ip->hop_limits <= 1) | !global |
	       !(ip->proto == 6 || ip->proto == 17);
}

/* Why a packet does not get as far as the lookup; WYE_REASON_COUNT = it does. */
enum wye_reason ip6_reason(const struct rte_ipv6_hdr *ip, uint32_t head_len, uint32_t ip_len);

uint32_t ip6_flow_hash(const struct rte_ipv6_hdr *ip, uint32_t head_len, bool l4);

#endif
