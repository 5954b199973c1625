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
	{ "broken", "nowhere", never },
#else
	{ "broken_" NAME, "ip4_input", never },	/* were it put there, nothing would be forwarded */
#endif
};

#ifdef BROKEN_SYMBOL
extern int there_is_no_such_function(void);
#endif

static int configure(void)
{
#ifdef BROKEN_SYMBOL
	return there_is_no_such_function();
#endif
	return 0;
}

static int start(struct dpd *dpd)
{
	return -EBUSY;
}

static struct init broken_init = {
	.name = "broken",
	.start = start,
#ifdef BROKEN_ORDER
	.after = INIT_NAMES("graf"),
#endif
	.before = INIT_NAMES("graph"),
};

#ifdef BROKEN_EXPORT
extern const struct wye_plugin something_else;
const struct wye_plugin something_else = {
#else
const struct wye_plugin wye_plugin = {
#endif
	.magic = WYE_PLUGIN_MAGIC,
	.dpdk = WYE_PLUGIN_DPDK,
#ifdef BROKEN_ABI
	.abi = WYE_PLUGIN_ABI + 1,
#else
	.abi = WYE_PLUGIN_ABI,
#endif
	.name = NAME,
	.version = "1",
	.summary = "is refused",
	.configure = configure,
	.init = &broken_init,
	.node = nodes,
	.n_nodes = RTE_DIM(nodes),
};
