/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traces: the way of single packets through the graph, for `wye trace` (wye_trace.h).
 *
 * Nothing of it is in the way of packets that nobody traces: while the plan has a trace, each node of the workers' graphs
 * is entered through trace_walk.c, which looks for traced packets and then runs the node; when the plan has none, or all
 * asked for have been traced, the nodes stand there themselves again. Workers note what happens in buffers that go round
 * (exchange.h); main makes words of them and writes them into the file.
 *
 * A trace is in the plan while an input wants packets, and is freed or changed only when every worker has adopted a plan
 * without it (plan.h, W4); inputs are only ever added meanwhile, behind the plan's n_inputs.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "exchange.h"
#include "trace_node.h"

struct dpd;
struct plan;
struct worker;
struct bpf_insn;
struct graph_worker;

struct trace_note {		/* what a worker tells main of a packet in a node */
	uint64_t tsc, time_ns;	/* as in wye_trace_step */
	uint32_t packet;
	uint8_t input, worker;
	uint16_t node, next;	/* index in wye_stats.node; WYE_NODES_MAX = none */
	const struct node_trace *trace;	/* who tells of it; NULL: nobody */
	uint8_t note[TRACE_NOTE_BYTES] __attribute__((aligned(8)));
};

struct trace_input {		/* constant while in a plan, but for `taken` */
	uint32_t port;
	int32_t queue;		/* -1 = all */
	uint32_t wanted;
	struct bpf_insn *filter; /* NULL = all */
	_Atomic uint32_t taken;	/* workers: rw, main: ro; may run above `wanted` */
};

struct trace {
	struct exchange exchange;	/* of trace_note */
	struct trace_input input[WYE_TRACE_INPUTS];
	_Atomic uint32_t n_packets;	/* workers: rw */
	_Atomic uint64_t lost;		/* workers: rw; notes without a buffer */
	/* main's: */
	uint32_t n_inputs;
	bool clearing;
	bool asked;			/* a request waits for the next plan, and its command for an answer */
	int asked_fd;
	struct wye_trace *file;		/* NULL = there is none */
};

/* ---- main ---- */

/* A request waits for the next plan: another must not be read yet. */
bool trace_busy(const struct dpd *dpd);
/* A request of that many bytes, hostile; fd is the trace's from now on. */
void trace_asked(struct dpd *dpd, int fd, struct wye_trace_request *request, ssize_t bytes);
/* Puts the trace into a plan being built, if it wants packets. */
void trace_plan(const struct dpd *dpd, struct plan *plan);

/* ---- workers ---- */

int trace_mark_open(void);	/* main, once: registers the mark in a packet; 0 or -errno */
/* Between two walks: the graph's nodes are entered as the worker's plan wants it. */
void trace_adopt(struct worker *worker, struct graph_worker *graph);

#endif
