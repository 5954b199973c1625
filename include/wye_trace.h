/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet traces: <run>/trace, what wye-dpd tells of the way single packets took through its graph, and what `wye trace`
 * asks it for.
 *
 * The file is made by the first `wye trace add` and removed by `wye trace clear`, by wye-dpd's orderly end and by its
 * start; one that was killed leaves it, and what it has traced can still be read. dpd's main thread is its only writer,
 * readers map it read-only; its owner alone may read it, since it holds addresses.
 *
 * Ordering guarantees
 *   T1 main release-stores n_steps after it has written step[n_steps] and, if that is a packet's first, input[].taken;
 *   T2 a reader acquire-loads it: all steps below are complete and never change.
 *   T3 main release-stores n_inputs after it has written input[n_inputs]; T4 a reader acquire-loads it.
 *
 * Requests go over wye-dpd's socket (wye_capture.h), one message each way: a wye_trace_request, answered with a
 * wye_capture_answer when it is in force: packets that come in after the answer are traced.
 */
#ifndef WYE_TRACE_H
#define WYE_TRACE_H

#include <stddef.h>

#include "wye_capture.h"

#define WYE_FILE_TRACE	      "trace"
#define WYE_TRACE_INPUTS      8u	/* until they are cleared */
#define WYE_TRACE_PACKETS_MAX 1000u	/* of one input */
#define WYE_TRACE_STEPS	      6000u	/* of all packets; what comes later is counted as lost */
#define WYE_TRACE_FIELDS      8u	/* of a step */

struct wye_trace_field {	/* what a node tells of a packet, in its own words */
	char key[15];
	uint8_t number;		/* 1: value is a decimal number */
	char value[48];
};
static_assert(sizeof(struct wye_trace_field) == 64, "wye_trace_field is ABI");

struct wye_trace_step {		/* one packet in one node; the steps of a packet come in order, between those of others */
	uint64_t tsc;		/* when the node began with the packet's vector */
	uint64_t time_ns;	/* CLOCK_REALTIME of a packet's first step, else 0 */
	uint32_t packet;	/* from 1 */
	uint32_t input;		/* index of the wye_trace_input that wanted it */
	uint32_t worker;
	uint32_t n_fields;
	char node[32];
	char next[32];		/* "" = the packet's way ends here */
	struct wye_trace_field field[WYE_TRACE_FIELDS];
};
static_assert(sizeof(struct wye_trace_step) == 96 + 64 * WYE_TRACE_FIELDS, "wye_trace_step is ABI");

struct wye_trace_input {
	char netdev[WYE_NETDEV_BYTES];	/* as it was asked for */
	int32_t queue;		/* -1 = all of the port's */
	uint32_t wanted;	/* packets */
	_Atomic uint32_t taken;	/* packets whose first step is there */
	uint32_t reserved;
	char filter[96];	/* as it was asked for, perhaps cut; "" = every packet */
};
static_assert(sizeof(struct wye_trace_input) == 240, "wye_trace_input is ABI");

struct wye_trace {
	struct wye_file file;
	uint64_t tsc_hz;
	_Atomic uint64_t lost;		/* steps for which there was no room, or no time */
	_Atomic uint32_t n_inputs;	/* T3, T4 */
	_Atomic uint32_t n_steps;	/* T1, T2 */
	uint64_t reserved[5];
	struct wye_trace_input input[WYE_TRACE_INPUTS];
	struct wye_trace_step step[WYE_TRACE_STEPS];
};
static_assert(offsetof(struct wye_trace, input) == 128, "wye_trace is ABI");

/* ---- requests ------------------------------------------------------------------------------------------------------ */

#define WYE_TRACE_MAGIC	  0x63617274u /* "trac" */
#define WYE_TRACE_VERSION 1u

enum wye_trace_command {
	WYE_TRACE_ADD = 1,	/* the next `packets` that match; error ENODEV: no such port or queue */
	WYE_TRACE_CLEAR = 2,	/* end all, forget all */
};

struct wye_trace_request {
	uint32_t magic, version;
	uint32_t command;		/* enum wye_trace_command; CLEAR looks at nothing below */
	uint32_t packets;		/* 1 to WYE_TRACE_PACKETS_MAX */
	char netdev[WYE_NETDEV_BYTES];	/* of a port: name, alternative name, or as configured */
	int32_t queue;			/* -1 = all */
	uint32_t n_instructions;	/* of the filter, 0 = every packet */
	char filter_text[96];		/* for people */
	struct wye_capture_instruction filter[WYE_CAPTURE_INSTRUCTIONS]; /* only n_instructions of them are sent */
};
#define WYE_TRACE_REQUEST_BYTES(n) (offsetof(struct wye_trace_request, filter) + (n) * 8u)

#endif
