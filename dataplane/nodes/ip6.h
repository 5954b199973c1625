/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 headers as a router sees them: RFC 8200, and ipv6_rcv() and ip6_forward() of Linux. Pure functions. */
#ifndef IP6_H
#define IP6_H

#include <rte_ip.h>
#include <stdbool.h>

#include "wye_stats.h"

/* Why a packet does not get as far as the lookup; WYE_REASON_COUNT = it does. */
enum wye_reason ip6_reason(const struct rte_ipv6_hdr *ip, uint32_t head_len, uint32_t ip_len);

uint32_t ip6_flow_hash(const struct rte_ipv6_hdr *ip, uint32_t head_len, bool l4);

#endif
