/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks in this machine's byte order, as the section's magic tells the reader. See pcapng.h. */
#include "pcapng.h"

#include <string.h>

#define BLOCK_SECTION	 0x0a0d0d0au
#define BLOCK_INTERFACE	 1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET	 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1u

enum { OPTION_END = 0, OPTION_COMMENT = 1, SECTION_APPLICATION = 4, INTERFACE_NAME = 2, INTERFACE_RESOLUTION = 9,
       PACKET_FLAGS = 2, STATISTICS_DROPPED = 7, STATISTICS_DELIVERED = 8 };

struct option {
	uint16_t code, bytes;
	const void *value;	/* an option of 0 bytes ends the list */
};

static uint32_t padded(uint32_t bytes)
{
	return (bytes + 3) & ~3u;
}

static void put(FILE *file, const void *bytes, uint32_t n)
{
	static const char zeros[4];

	fwrite(bytes, 1, n, file);
	fwrite(zeros, 1, padded(n) - n, file);
}

/* A block: type, length, its fixed part, what it carries, options, length again. */
static int put_block(FILE *file, uint32_t type, const void *head, uint32_t head_bytes, const void *body,
		     uint32_t body_bytes, const struct option *options)
{
	const struct option end = { OPTION_END, 0, NULL };
	uint32_t bytes = 12 + padded(head_bytes) + padded(body_bytes) + 4;

	for (const struct option *option = options; option->bytes; option++)
		bytes += 4 + padded(option->bytes);
	put(file, &type, 4);
	put(file, &bytes, 4);
	put(file, head, head_bytes);
	put(file, body, body_bytes);
	for (const struct option *option = options; option->bytes; option++) {
		put(file, option, 4);
		put(file, option->value, option->bytes);
	}
	put(file, &end, 4);
	put(file, &bytes, 4);
	return ferror(file) ? -1 : 0;
}

int pcapng_section(FILE *file, const char *application)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t length[2];	/* -1: not known beforehand */
	} head = { BYTE_ORDER_MAGIC, 1, 0, { UINT32_MAX, UINT32_MAX } };
	const struct option options[] = { { SECTION_APPLICATION, (uint16_t)strlen(application), application }, { 0 } };

	return put_block(file, BLOCK_SECTION, &head, sizeof(head), NULL, 0, options);
}

int pcapng_interface(FILE *file, const char *name, uint32_t packet_bytes_max)
{
	const struct {
		uint16_t link_type, reserved;
		uint32_t packet_bytes_max;
	} head = { LINKTYPE_ETHERNET, 0, packet_bytes_max };
	const uint8_t nanoseconds = 9;
	const struct option options[] = { { INTERFACE_NAME, (uint16_t)strlen(name), name },
					  { INTERFACE_RESOLUTION, 1, &nanoseconds }, { 0 } };

	return put_block(file, BLOCK_INTERFACE, &head, sizeof(head), NULL, 0, options);
}

int pcapng_write(FILE *file, const struct pcapng_packet *packet)
{
	const struct {
		uint32_t interface, time_high, time_low, captured_bytes, wire_bytes;
	} head = { packet->interface, (uint32_t)(packet->time_ns >> 32), (uint32_t)packet->time_ns,
		   packet->captured_bytes, packet->wire_bytes };
	const uint32_t flags = packet->sent ? 2 : 1;
	const struct option options[] = {
		{ PACKET_FLAGS, 4, &flags },
		{ OPTION_COMMENT, packet->comment ? (uint16_t)strlen(packet->comment) : 0, packet->comment },
		{ 0 },
	};

	return put_block(file, BLOCK_PACKET, &head, sizeof(head), packet->bytes, packet->captured_bytes, options);
}

int pcapng_statistics(FILE *file, uint32_t interface, uint64_t time_ns, uint64_t delivered, uint64_t lost)
{
	const struct {
		uint32_t interface, time_high, time_low;
	} head = { interface, (uint32_t)(time_ns >> 32), (uint32_t)time_ns };
	const struct option options[] = { { STATISTICS_DROPPED, 8, &lost }, { STATISTICS_DELIVERED, 8, &delivered }, { 0 } };

	return put_block(file, BLOCK_STATISTICS, &head, sizeof(head), NULL, 0, options);
}
