/* SPDX-License-Identifier: BSD-3-Clause */
/* Plugins that wye-dpd must refuse: NAME says how this one is broken, one of the others is defined as 1. */
#include <errno.h>

#include "wye_plugin.h"

static uint16_t never(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	rte_node_next_stream_move(graph, node, WYE_PLUGIN_DROP);
	return n;
}

static const struct wye_plugin_node nodes[] = {
#ifdef BROKEN_POINT
	{ "broken", "nowhere", never, NULL },
#elif defined BROKEN_NAME
	{ "broken-name", "ip4_input", never, NULL },
#elif defined BROKEN_TAKEN
	{ "ip4_forward", "ip4_input", never, NULL },
#elif defined BROKEN_OTHER
	{ "pass4_1", "ip4_input", never, NULL },
#else
	{ NAME "_node", "ip4_input", never, NULL },	/* were it put there, nothing would be forwarded */
#endif
#ifdef BROKEN_TWIN
	{ NAME "_node", "ip6_input", never, NULL },
#endif
};

static void nothing(struct worker *worker)
{
}

static const struct wye_plugin_pre_input pre_inputs[WYE_PRE_INPUTS_MAX] = { { "broken_loop", nothing } };

#ifdef BROKEN_SYMBOL
extern int there_is_no_such_function(void);
#endif

static int configure(void)
{
#ifdef BROKEN_CONFIGURE
	return -EPERM;
#endif
#ifdef BROKEN_SYMBOL
	return there_is_no_such_function();
#endif
	return 0;
}

#ifdef BROKEN_INIT
#define SECOND "eal"
#else
#define SECOND NAME
#endif

/* Three init functions: the second of them fails. */
static int start_first(struct dpd *dpd)
{
	wye_plugin_log("%s: the first is started", NAME);
	return 0;
}

static void stop_first(struct dpd *dpd)
{
	wye_plugin_log("%s: the first is undone", NAME);
}

static int start(struct dpd *dpd)
{
	return -EBUSY;
}

static int start_third(struct dpd *dpd)
{
	wye_plugin_log("%s: the third is started", NAME);
	return 0;
}

static struct init first_init = {
	.name = NAME "_1",
	.start = start_first,
	.stop = stop_first,
	.before = INIT_NAMES("graph"),
};
static struct init broken_init = {
	.name = SECOND,
	.start = start,
#ifdef BROKEN_ORDER
	.after = INIT_NAMES("graf"),
#elif defined BROKEN_RING
	.after = INIT_NAMES("workers"),
#else
	.after = INIT_NAMES(NAME "_1"),
#endif
#ifndef BROKEN_LATE
	.before = INIT_NAMES("graph"),
#endif
};
static struct init third_init = {
	.name = NAME "_3",
	.start = start_third,
	.after = INIT_NAMES(SECOND),
	.before = INIT_NAMES("graph"),
};
static struct init *const inits[] = { &third_init, &broken_init, &first_init };

#ifdef BROKEN_EXPORT
extern const struct wye_plugin something_else;
const struct wye_plugin something_else = {
#else
const struct wye_plugin wye_plugin = {
#endif
	.magic = WYE_PLUGIN_MAGIC,
#ifdef BROKEN_DPDK
	.dpdk = WYE_PLUGIN_DPDK + (1 << 24),
#else
	.dpdk = WYE_PLUGIN_DPDK,
#endif
#ifdef BROKEN_ABI
	.abi = WYE_PLUGIN_ABI + 1,
#else
	.abi = WYE_PLUGIN_ABI,
#endif
#ifdef BROKEN_SELF
	.name = "another",
#else
	.name = NAME,
#endif
	.version = "1",
	.summary = "is refused",
	.configure = configure,
	.init = inits,
	.n_inits = RTE_DIM(inits),
	.pre_input = pre_inputs,
#ifdef BROKEN_ROOM
	.n_pre_inputs = RTE_DIM(pre_inputs),
#endif
	.node = nodes,
	.n_nodes = RTE_DIM(nodes),
};
