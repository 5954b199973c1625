/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a node says of a packet it had, for `wye trace`. Each node is registered with it, by NODE_REGISTER: there is no
 * node without. The worker notes a few bytes while it has the packet, main makes words of them later.
 */
#ifndef TRACE_NODE_H
#define TRACE_NODE_H

#include <rte_common.h>
#include <rte_graph.h>
#include <rte_graph_worker.h>
#include <stdint.h>

#include "wye_trace.h"

struct dpd;
struct worker;
struct rte_mbuf;

#define TRACE_NOTE_BYTES 56	/* of a node's note, at most; aligned to 8 */

struct trace_fields {
	uint32_t n;
	struct wye_trace_field field[WYE_TRACE_FIELDS];
};

struct node_trace {
	/*
	 * Worker. A node with edges: the packet is through it and goes by `edge`. A node without: the packet is about to go
	 * into it, alone, and outcome() (NULL: nothing to add) is called when it is gone. `note` is all zero before.
	 */
	void (*note)(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *note);
	void (*outcome)(struct worker *worker, struct rte_node *node, void *note);
	/* Main: the note in words. */
	void (*tell)(const struct dpd *dpd, const void *note, struct trace_fields *fields);
};

struct node_trace_entry {	/* whose formatter it is; node_trace_register()'s */
	const char *node;
	const struct node_trace *trace;
	struct node_trace_entry *next;
};

void node_trace_register(struct node_trace_entry *entry, const char *node, const struct node_trace *trace);
/* By the name of a node or of a clone ("port_tx-3" is one of "port_tx"); NULL: nobody registered it. */
const struct node_trace *node_trace_of(const char *name);

/* RTE_NODE_REGISTER(node), and how it tells of its packets. */
#define NODE_REGISTER(node, trace)                                                                                 \
	static struct node_trace_entry node##_trace_entry;                                                            \
	RTE_INIT(node##_trace_register)                                                                               \
	{                                                                                                             \
		node_trace_register(&node##_trace_entry, (node).name, &(trace));                                      \
	}                                                                                                             \
	RTE_NODE_REGISTER(node)

/*
 * ---- words: what does not fit is cut, a field too many is left out, control characters become '?' (a value may be a
 * packet's bytes, and is printed on a terminal) ----------------------------------------------------------------------
 */

void trace_text(struct trace_fields *fields, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
void trace_number(struct trace_fields *fields, const char *key, uint64_t value);
void trace_port(struct trace_fields *fields, const struct dpd *dpd, uint32_t port);
void trace_reason(struct trace_fields *fields, uint8_t reason);

#endif
