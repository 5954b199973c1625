/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing pcapng (draft-ietf-opsawg-pcapng), which libpcap only reads: a section with Ethernet interfaces, packets with
 * direction and comment, and how many were lost. Times are nanoseconds since 1970.
 */
#ifndef PCAPNG_H
#define PCAPNG_H

#include <stdint.h>
#include <stdio.h>

struct pcapng_packet {
	uint32_t interface;	/* in the order they were written, from 0 */
	uint64_t time_ns;
	uint32_t wire_bytes, captured_bytes;
	const void *bytes;
	int sent;		/* 1: outbound, 0: inbound */
	const char *comment;	/* NULL = none */
};

/* Each: 0, or -1 when the stream failed (ferror, errno). */
int pcapng_section(FILE *file, const char *application);
int pcapng_interface(FILE *file, const char *name, uint32_t packet_bytes_max);
int pcapng_write(FILE *file, const struct pcapng_packet *packet);
int pcapng_statistics(FILE *file, uint32_t interface, uint64_t time_ns, uint64_t delivered, uint64_t lost);

#endif
