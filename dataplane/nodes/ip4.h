/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv4 headers, as a router sees them: RFC 1812 5.2.2 and what ip_rcv(), ip_route_input_slow() and ip_forward() of Linux
 * add to it. Pure functions on one header.
 */
#ifndef IP4_H
#define IP4_H

#include <rte_ip.h>
#include <stdbool.h>
#include <string.h>

#include "wye_stats.h"

/* The one's complement sum of a 20-byte header, folded; 0xffff when the checksum in it is right. */
static inline uint32_t ip4_sum(const struct rte_ipv4_hdr *ip)
{
	uint64_t first, second, sum;
	uint32_t last;

	memcpy(&first, ip, 8);
	memcpy(&second, (const char *)ip + 8, 8);
	memcpy(&last, (const char *)ip + 16, 4);
	sum = first + second;
	sum += sum < second;
	sum += last;
	sum += sum < last;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

/*
 * Why a packet does not get as far as the lookup; WYE_REASON_COUNT = it does. TTL last: a packet the kernel would drop
 * gets no time exceeded. head_len: contiguous bytes from the header on; ip_len: all bytes.
 */
enum wye_reason ip4_reason(const struct rte_ipv4_hdr *ip, uint32_t head_len, uint32_t ip_len);

/* RFC 1624 for one decrement, as ip_decrease_ttl(). */
static inline void ip4_decrement_ttl(struct rte_ipv4_hdr *ip)
{
	uint32_t sum = (uint32_t)ip->hdr_checksum + RTE_BE16(0x0100);

	ip->hdr_checksum = (uint16_t)(sum + (sum >= 0xffff));
	ip->time_to_live--;
}

/* Flow hash (wye_flow.h): addresses, and with l4 protocol and ports where the packet has them. */
uint32_t ip4_flow_hash(const struct rte_ipv4_hdr *ip, uint32_t head_len, bool l4);

#endif
