/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames from one line of text, so that a table of cases reads as a table:
 *
 *   4 10.0.1.2>10.0.2.2 udp 5000>4000 ttl=1
 *   6 fd00:1::2>fd00:2::2 tcp 5000>179
 *   eth type=0x0806
 *
 * First word: 4, 6 or eth. Then SRC>DST; then `udp|tcp|sctp SPORT>DPORT`, `icmp TYPE`, `icmp6 TYPE` or `proto N`.
 * Then any of: ttl= (64), frag= (IPv4's fragment word), ihl= (5), ver=, total= (length field), len= (payload bytes, 18),
 * pad= (bytes behind the packet), cut= (frame ends there), dmac=, vlan= (a tag's EtherType), type= (EtherType), in=
 * (number of the port it comes in by).
 */
#ifndef PACKET_H
#define PACKET_H

#include <stddef.h>
#include <stdint.h>

#define PACKET_BYTES_MAX 256

struct packet {
	uint8_t frame[PACKET_BYTES_MAX];
	uint32_t len_bytes;
	int in_port;
};

extern const uint8_t packet_mac[6];	/* the port's */

/* 0, or -1: the text is not as above. */
int packet_build(struct packet *packet, const char *text);

#endif
