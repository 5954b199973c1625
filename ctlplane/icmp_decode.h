/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP messages by which hosts change a router's ways: fragmentation needed, packet too big, redirects. Pure functions
 * over bytes of anybody's making.
 */
#ifndef ICMP_DECODE_H
#define ICMP_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct icmp_news {
	bool redirect;
	uint8_t dst[16];	/* whom the packets in question are for; IPv4 in the first four, the rest zero */
};

/* IPv4: from the IP header on, as raw sockets give it. False: it is none of these, or cut off. */
bool icmp4_decode(const uint8_t *packet, size_t len, struct icmp_news *news);
/* IPv6: from the ICMPv6 header on, likewise. */
bool icmp6_decode(const uint8_t *message, size_t len, struct icmp_news *news);

#endif
