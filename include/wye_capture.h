/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between `wye capture` and wye-dpd: a SOCK_SEQPACKET socket at <run>/capture, readable and writable by its owner only.
 * The command sends one wye_capture_request; dpd answers once with a wye_capture_answer, and if its error is 0, then
 * with a wye_capture_record for each packet, its first captured_bytes behind it in the same message. Closing ends the
 * capture; so does the death of either side. A reader that is too slow loses packets, never the dataplane time: what a
 * full queue could not take is counted.
 *
 * Each side takes the other's messages as hostile: a length, number or name out of range ends the connection.
 */
#ifndef WYE_CAPTURE_H
#define WYE_CAPTURE_H

#include "wye_stats.h"

#define WYE_FILE_CAPTURE	  "capture"
#define WYE_CAPTURE_MAGIC	  0x65727574u /* "ture" */
#define WYE_CAPTURE_VERSION	  1u
#define WYE_CAPTURE_INSTRUCTIONS 2048u	/* of a filter; libpcap's filters rarely have 100 */
#define WYE_CAPTURE_BYTES_MAX	  16384u	/* of a packet */

enum wye_capture_where {
	WYE_CAPTURE_PORT = 1,	/* what a port received for the dataplane and what it sent */
	WYE_CAPTURE_PUNT = 2,	/* what goes to the kernel, with the reason */
	WYE_CAPTURE_DROP = 3,	/* what is dropped, with the reason */
};

struct wye_capture_instruction {	/* as struct bpf_insn of libpcap */
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
static_assert(sizeof(struct wye_capture_instruction) == 8, "a BPF instruction");

struct wye_capture_request {
	uint32_t magic, version;
	uint32_t where;			/* enum wye_capture_where */
	uint32_t packet_bytes;		/* take so many of each at most; 1 to WYE_CAPTURE_BYTES_MAX */
	char netdev[WYE_NETDEV_BYTES];	/* WYE_CAPTURE_PORT: name, alternative name, or as configured; else "" */
	uint32_t n_instructions;	/* 0 = every packet */
	uint32_t reserved;
	struct wye_capture_instruction filter[WYE_CAPTURE_INSTRUCTIONS]; /* only n_instructions of them are sent */
};
#define WYE_CAPTURE_REQUEST_BYTES(n) (offsetof(struct wye_capture_request, filter) + (n) * 8u)

struct wye_capture_answer {
	int32_t error;			/* 0: the capture runs from now on; else an errno */
	char why[252];			/* a sentence */
};
static_assert(sizeof(struct wye_capture_answer) == 256, "wye_capture_answer is a message");

struct wye_capture_record {
	uint64_t time_ns;		/* CLOCK_REALTIME */
	uint64_t lost;			/* packets that matched and found no room, since the start of the capture */
	uint32_t packet_bytes;		/* on the wire, without FCS */
	uint32_t captured_bytes;	/* that follow */
	uint16_t port;			/* where it came in or left: index in wye_stats.port */
	uint8_t sent;			/* 1: it left there */
	uint8_t reason;			/* enum wye_reason; WYE_REASON_COUNT = none */
	uint32_t reserved;
};
static_assert(sizeof(struct wye_capture_record) == 32, "wye_capture_record is a message's head");

#endif
