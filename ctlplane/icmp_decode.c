/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "icmp_decode.h"

/* The quoted packet begins behind eight bytes; the kernel asks for its header and eight more (icmp_socket_deliver()). */
bool icmp4_decode(const uint8_t *packet, size_t len, struct icmp_news *news)
{
	size_t head_len = len ? (packet[0] & 15u) * 4u : 0;
	const uint8_t *icmp = packet + head_len;
	struct iphdr quoted;

	if (head_len < sizeof(quoted) || len < head_len + sizeof(struct icmphdr) + sizeof(quoted))
		return false;
	memcpy(&quoted, icmp + sizeof(struct icmphdr), sizeof(quoted));
	news->redirect = icmp[0] == ICMP_REDIRECT;
	if (!news->redirect && (icmp[0] != ICMP_DEST_UNREACH || icmp[1] != ICMP_FRAG_NEEDED))
		return false;
	memset(news->dst, 0, sizeof(news->dst));
	memcpy(news->dst, &quoted.daddr, sizeof(quoted.daddr));
	return true;
}

bool icmp6_decode(const uint8_t *message, size_t len, struct icmp_news *news)
{
	struct nd_redirect redirect;
	struct ip6_hdr quoted;

	if (len >= sizeof(struct icmp6_hdr) + sizeof(quoted) && message[0] == ICMP6_PACKET_TOO_BIG) {
		memcpy(&quoted, message + sizeof(struct icmp6_hdr), sizeof(quoted));
		memcpy(news->dst, &quoted.ip6_dst, sizeof(news->dst));
		news->redirect = false;
		return true;
	}
	if (len >= sizeof(redirect) && message[0] == ND_REDIRECT) {
		memcpy(&redirect, message, sizeof(redirect));
		memcpy(news->dst, &redirect.nd_rd_dst, sizeof(news->dst));
		news->redirect = true;
		return true;
	}
	return false;
}
