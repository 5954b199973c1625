/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip4_forward: RFC 1812 5.2-5.3 for a run of packets, in passes over the whole run so that each one's loads overlap:
 * survey (is every header plain?), lookup (all destinations at once), resolve and rewrite. The survey folds all checks
 * into one word a packet; only odd packets are asked why. A packet that leaves is untouched: the kernel sees it as it
 * came.
 */
#include <sys/socket.h>

#include "forward.h"
#include "ip4.h"
#include "wye_fib_batch.h"

static const struct forward_reasons ip4_reasons = {
	.no_route = WYE_REASON_IP4_FORWARD_NO_ROUTE,
	.local = WYE_REASON_IP4_FORWARD_LOCAL,
	.unresolved = WYE_REASON_IP4_FORWARD_UNRESOLVED,
	.unreachable = WYE_REASON_IP4_FORWARD_UNREACHABLE,
	.blackhole = WYE_REASON_IP4_FORWARD_BLACKHOLE,
	.kernel = WYE_REASON_IP4_FORWARD_KERNEL,
	.link_down = WYE_REASON_IP4_FORWARD_LINK_DOWN,
	.not_a_port = WYE_REASON_IP4_FORWARD_NOT_A_PORT,
	.same_port = WYE_REASON_IP4_FORWARD_SAME_PORT,
	.too_big = WYE_REASON_IP4_FORWARD_TOO_BIG,
	.parity_mask = WYE_PARITY_IP4,
};

struct ip4_run {
	uint32_t dst[NODE_VECTOR], id[NODE_VECTOR], odd[NODE_VECTOR];
};

static inline struct rte_ipv4_hdr *ip4_of(struct rte_mbuf *packet)
{
	return rte_pktmbuf_mtod_offset(packet, struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
}

/* Below 0 for a runt. */
static inline int32_t ip4_head_len(const struct rte_mbuf *packet)
{
	return packet->data_len - (int32_t)sizeof(struct rte_ether_hdr);
}

/* Every packet of the run, whatever it is; returns whether any is odd. */
static uint32_t ip4_survey(struct ip4_run *run, struct rte_mbuf **packets, uint32_t n, const struct plan_locals *locals)
{
	uint32_t any = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct rte_ipv4_hdr *ip = ip4_of(packets[i]);

		run->dst[i] = ip->dst_addr;
		run->odd[i] = ip4_odd(ip, ip4_head_len(packets[i])) | plan_filter_hit(locals, ip->src_addr);
		any |= run->odd[i];
	}
	return any;
}

static uint8_t ip4_source_kind(const struct wye_fib *fib, const struct wye_region *region, const struct rte_ipv4_hdr *ip)
{
	return wye_nexthop_of(region, wye_fib4_lookup(fib, (const uint8_t *)&ip->src_addr))->kind;
}

/* Packets whose source is the host's own look as if we had sent them: martian to fib_validate_source(). Where it leads
 * the kernel alone may know (a throw, a table default …): then it may be the host's own. In a VRF its own addresses are
 * asked about first, then or before that, as the rules' order has it, those of no VRF. */
static enum wye_reason ip4_source_reason(const struct wye_fib *fib, const struct wye_region *region,
					 const struct rte_ipv4_hdr *ip)
{
	struct wye_fib main_view = wye_fib_of(region, WYE_VRF_MAIN);
	uint8_t kind = ip4_source_kind(fib, region, ip);

	if (kind == WYE_NH_LOCAL)
		return WYE_REASON_IP4_INPUT_MARTIAN;
	if (kind == WYE_NH_KERNEL || ip4_source_kind(&main_view, region, ip) == WYE_NH_LOCAL)
		return WYE_REASON_IP4_FORWARD_KERNEL;
	return NODE_OK;
}

/* Settles the odd ones: those that leave get their edge and id 0, those that may pass are odd no more. */
static void ip4_settle(struct ip4_run *run, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge,
		       const struct wye_fib *fib, const struct wye_region *region, bool ask_all)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct rte_ipv4_hdr *ip = ip4_of(packets[i]);
		uint32_t head_len = (uint32_t)RTE_MAX(ip4_head_len(packets[i]), 0);
		enum wye_reason reason;

		if (!run->odd[i] && !ask_all)
			continue;
		reason = ip4_reason(ip, head_len, packets[i]->pkt_len - (uint32_t)sizeof(struct rte_ether_hdr));
		if (reason == NODE_OK || reason == WYE_REASON_IP4_FORWARD_TTL) {
			enum wye_reason source = ip4_source_reason(fib, region, ip);

			reason = source == NODE_OK ? reason : source;
		}
		run->odd[i] = reason != NODE_OK;
		if (reason != NODE_OK)
			edge[i] = node_leave(packets[i], reason);
	}
}

static inline rte_edge_t ip4_packet(struct forward *f, struct rte_mbuf *packet, uint32_t id)
{
	struct rte_ipv4_hdr *ip = ip4_of(packet);
	uint32_t total = rte_be_to_cpu_16(ip->total_length);

	if (id != f->last_id || !id) {
		struct forward_packet what = { AF_INET, ip, (const uint8_t *)&ip->dst_addr,
					       (uint32_t)ip4_head_len(packet) };
		enum wye_reason reason = forward_resolve(f, id, &what);

		if (unlikely(reason != NODE_OK))
			return node_leave(packet, reason);
	}
	if (unlikely(total > f->last_mtu))
		return node_leave(packet, f->reasons->too_big);
	forward_trim(packet, total);
	forward_rewrite(packet, f->last_rewrite);
	ip4_decrement_ttl(ip);
	return f->last_edge;
}

void ip4_forward_edges(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge)
{
	const struct plan *plan = worker->plan;
	struct ip4_run run;
	struct forward f;
	struct wye_fib fib;
	bool ask_all = forward_ask_sources(plan);
	uint32_t odd;

	forward_begin(&f, plan, worker->dpd->port_of_dpdk[packets[0]->port] - 1u, &ip4_reasons);
	fib = forward_fib(plan, f.ingress);
	odd = ip4_survey(&run, packets, n, plan->locals);
	if (odd || ask_all)
		ip4_settle(&run, packets, n, edge, &fib, plan->region, ask_all);
	wye_fib4_lookup_batch(&fib, run.dst, run.id, n);
	if (!odd && !ask_all)
		for (uint32_t i = 0; i < n; i++)
			edge[i] = ip4_packet(&f, packets[i], run.id[i]);
	else
		for (uint32_t i = 0; i < n; i++)
			if (!run.odd[i])
				edge[i] = ip4_packet(&f, packets[i], run.id[i]);
}

static uint16_t ip4_forward_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	rte_edge_t edge[NODE_VECTOR];

	for (uint32_t from = 0, to; from < nb_objs; from = to) {
		to = forward_run(objs, from, nb_objs);
		ip4_forward_edges(node_ctx(node)->worker, (struct rte_mbuf **)objs + from, to - from, edge);
		node_scatter(graph, node, objs + from, edge, to - from, to - from == nb_objs);
	}
	return nb_objs;
}

static void ip4_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *note)
{
	forward_note(worker, packet, edge, AF_INET, note);
}

static struct node_trace ip4_trace = { .note = ip4_note, .tell = forward_tell };

static struct rte_node_register ip4_forward_node = {
	.name = "ip4_forward",
	.process = ip4_forward_process,
	.init = node_init,
	.nb_edges = NODE_EDGE_PORT_TX,
	.next_nodes = {
		[NODE_EDGE_PUNT] = "punt",
		[NODE_EDGE_DROP] = "drop",
	},
};
NODE_REGISTER(ip4_forward_node, ip4_trace);
