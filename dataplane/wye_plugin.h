/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a plugin of wye-dpd is, and all it may use of wye-dpd. docs/plugins.md tells how to write one.
 *
 * A plugin is a shared object that exports one struct wye_plugin called `wye_plugin`. It has no constructors: what it adds
 * stands in that struct, and is taken from it after the struct's first fields have been found to fit.
 */
#ifndef WYE_PLUGIN_H
#define WYE_PLUGIN_H

#include <rte_graph_worker.h>
#include <rte_mbuf.h>
#include <rte_version.h>

#include "runtime/init.h"
#include "runtime/process.h"
#include "trace_node.h"

#define WYE_PLUGIN_MAGIC 0x6e6967756c706579ull	/* "yeplugin" */
#define WYE_PLUGIN_ABI	 3u	/* of this file, trace_node.h, and runtime/init.h, process.h and timer.h */
#define WYE_PLUGIN_DPDK	 RTE_VERSION_NUM(RTE_VER_YEAR, RTE_VER_MONTH, 0, 0)	/* within a release DPDK keeps its ABI */
#define WYE_PLUGIN_HEAD	 .magic = WYE_PLUGIN_MAGIC, .abi = WYE_PLUGIN_ABI, .dpdk = WYE_PLUGIN_DPDK

/* Edges of a plugin's node. */
enum wye_plugin_edge {
	WYE_PLUGIN_PUNT,	/* to the kernel; the packet must be as it came. At `output` it no longer is: dropped */
	WYE_PLUGIN_DROP,
	WYE_PLUGIN_NEXT,	/* on, as if the plugin were not there */
};

/*
 * A node, and the point of the graph where it stands. At one point they stand in the order of the configuration.
 *
 *	ip4_input	IPv4 packets with the port's MAC that the dataplane took, before anything of IP is checked
 *	ip6_input	IPv6 alike
 *	output		packets with their new Ethernet header and TTL, before they are sent; a copy of the node for each port
 *
 * process() is rte_graph's: it must give each of the n packets to one edge. Packets are in its own hands alone; several
 * workers run it at the same time.
 */
struct wye_plugin_node {
	const char *name;	/* of no other node; at most 24 lower-case letters, digits and '_' */
	const char *point;
	rte_node_process_t process;
	/* What it says of a packet in `wye trace` (trace_node.h): note() on the worker that has it, after process(), in
	 * TRACE_NOTE_BYTES; tell() on main, by trace_text() and trace_number(). Nobody's packets cost more for it. NULL: only
	 * that the packet came by */
	const struct node_trace *trace;
};

/* What each worker calls in every loop, before it takes packets from its inputs, and not while it sleeps; several at a time. */
struct wye_plugin_pre_input {
	const char *name;	/* for `wye show runtime`; at most 31 characters */
	void (*run)(struct worker *worker);
};

struct wye_plugin {
	uint64_t magic;		/* WYE_PLUGIN_HEAD */
	uint32_t abi, dpdk;
	const char *name;	/* as the file without .so, at most 31 characters */
	const char *version;	/* at most 15 characters */
	const char *summary;	/* at most 79 characters */
	/* Reads the settings and adds counters. 0 or -errno, after wye_plugin_problem(). DPDK is not up yet. NULL: no settings */
	int (*configure)(void);
	/*
	 * A reload has other settings: reads them anew, all of them, and goes by them. Main thread, while workers run
	 * the nodes. 0 or -errno, after wye_plugin_problem(): the reload is refused. Then, and when anything else of that
	 * reload is refused, it is called once more, with the settings as before. NULL: other settings wait for a restart
	 */
	int (*change)(void);
	struct init *const *init;	/* each with .before = INIT_NAMES("graph"); one that fails takes the others back */
	uint32_t n_inits;
	const struct wye_plugin_node *node;
	uint32_t n_nodes;
	const struct wye_plugin_pre_input *pre_input;
	uint32_t n_pre_inputs;
	struct process *const *process;
	uint32_t n_processes;
};

extern const struct wye_plugin wye_plugin;	/* the plugin's */

/* ---- configure(), change() ---------------------------------------------------------------------------------------------- */

/* The value of a setting, NULL = not given. Keys are as in "rules[0].dst". Valid until the next change() has returned. A
 * setting that nobody has asked for when the function returns is refused. */
const char *wye_plugin_setting(const char *key);
/* A whole number within limits, or `otherwise` when it is not given. 0, or -EINVAL, said. */
int wye_plugin_number(const char *key, uint64_t least, uint64_t most, uint64_t otherwise, uint64_t *value);
/* Says FILE:LINE:COLUMN: plugin "…": KEY: what is wrong with it. Returns -EINVAL. */
int wye_plugin_problem(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A counter that `wye show plugin` shows, with at most 31 and 91 characters. Its number; -ENOSPC is said, and may be counted
 * in vain. From configure() alone. */
int wye_plugin_counter(const char *name, const char *text);

/* ---- nodes ---------------------------------------------------------------------------------------------------------- */

struct wye_plugin_ctx {		/* of a plugin's node: what rte_node.ctx holds */
	const uint32_t *worker;		/* which worker runs it: 0, 1 … */
	_Atomic uint64_t *counter;	/* this worker's */
};

static inline struct wye_plugin_ctx *wye_plugin_ctx(struct rte_node *node)
{
	return (struct wye_plugin_ctx *)node->ctx;
}

static inline uint32_t wye_plugin_worker(struct rte_node *node)	/* below WYE_WORKERS_MAX */
{
	return *wye_plugin_ctx(node)->worker;
}

/* Only this worker writes them: no atomic addition is needed. */
static inline void wye_plugin_count(struct rte_node *node, int counter, uint64_t n)
{
	_Atomic uint64_t *at = &wye_plugin_ctx(node)->counter[counter < 0 ? (int)WYE_PLUGIN_COUNTERS_MAX - 1 : counter];

	atomic_store_explicit(at, atomic_load_explicit(at, memory_order_relaxed) + n, memory_order_relaxed);
}

/* The ifindex of the netdev that a packet came in on; 0: its port is gone. */
uint32_t wye_plugin_ifindex(struct rte_node *node, const struct rte_mbuf *packet);

/* The edge for a packet that leaves here; it is counted under plugin_drop or plugin_punt. */
rte_edge_t wye_plugin_drop(struct rte_mbuf *packet);
rte_edge_t wye_plugin_punt(struct rte_mbuf *packet);

/* ---- pre-input nodes ------------------------------------------------------------------------------------------------ */

uint32_t wye_plugin_worker_of(const struct worker *worker);	/* as wye_plugin_worker() */
void wye_plugin_count_worker(struct worker *worker, int counter, uint64_t n);

/* ---- processes ------------------------------------------------------------------------------------------------------ */

void wye_plugin_count_main(int counter, uint64_t n);
/* One line of the log. Not from nodes. */
void wye_plugin_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
