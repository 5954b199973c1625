/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip4_forward: RFC 1812 5.2-5.3 for a run of packets, in passes over the whole run so that each one's loads overlap:
 * survey (is every header plain?), lookup (all destinations at once), resolve and rewrite. The survey folds all checks
 * into one word a packet; only odd packets are asked why. A plain run with one nexthop, the common one, is resolved once
 * and rewritten without a question a packet. A packet that leaves is untouched: the kernel sees it as it came.
 */
#include <sys/socket.h>

#include "forward.h"
#include "ip4_rp_filter.h"
#include "ip4_survey.h"
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

static inline struct rte_ipv4_hdr *ip4_of(const struct ip4_survey *survey, uint32_t i)
{
	return (struct rte_ipv4_hdr *)survey_ip(&survey->all, i);
}

/* Below 0 for a runt. */
static inline int32_t ip4_head_len(const struct rte_mbuf *packet)
{
	return packet->data_len - (int32_t)sizeof(struct rte_ether_hdr);
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

/* Settles the odd ones: those that leave get their edge, those that may pass are odd no more. */
static void ip4_settle(struct ip4_survey *survey, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge,
		       const struct wye_fib *fib, const struct plan *plan, bool ask_all, const bool *astray)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct rte_ipv4_hdr *ip = ip4_of(survey, i);
		uint32_t head_len = (uint32_t)RTE_MAX(ip4_head_len(packets[i]), 0);
		enum wye_reason reason;

		if (!survey->odd[i] && !ask_all && !astray[i] && !plan_filter_hit(plan->locals, ip->src_addr))
			continue;
		reason = ip4_reason(ip, head_len, packets[i]->pkt_len - (uint32_t)sizeof(struct rte_ether_hdr));
		if (reason == NODE_OK || reason == WYE_REASON_IP4_FORWARD_TTL) {
			enum wye_reason source = ip4_source_reason(fib, plan->region, ip);

			reason = source != NODE_OK ? source : astray[i] ? WYE_REASON_IP4_FORWARD_RP_FILTER : reason;
		}
		survey->odd[i] = reason != NODE_OK;
		if (reason != NODE_OK)
			edge[i] = node_leave(packets[i], reason);
	}
}

static inline void ip4_rewrite(const struct ip4_survey *survey, uint32_t i, const uint8_t *rewrite)
{
	forward_rewrite(survey->all.frame[i], rewrite);
	memcpy(&ip4_of(survey, i)->time_to_live, &survey->after[i], sizeof(survey->after[i]));
}

static inline rte_edge_t ip4_packet(struct forward *f, const struct ip4_survey *survey, uint32_t i,
				    struct rte_mbuf *packet, uint32_t id)
{
	const struct rte_ipv4_hdr *ip = ip4_of(survey, i);
	uint32_t total = rte_be_to_cpu_16(ip->total_length);
	const struct forward_way *way = forward_way(f, id);

	if (unlikely(!forward_remembers(f, id))) {
		struct forward_packet what = { AF_INET, ip, (const uint8_t *)&ip->dst_addr,
					       (uint32_t)ip4_head_len(packet) };
		enum wye_reason reason = forward_resolve(f, id, &what);

		if (unlikely(reason != NODE_OK))
			return node_leave(packet, reason);
	}
	if (unlikely(total > way->mtu))
		return node_leave(packet, f->reasons->too_big);
	forward_trim(packet, total);
	ip4_rewrite(survey, i, way->rewrite);
	return way->edge;
}

/* The whole run is plain and has one nexthop. False: it needs to be asked about packet by packet after all. */
static bool ip4_all_one_way(struct forward *f, const struct ip4_survey *survey, struct rte_mbuf **packets, uint32_t n,
			    uint32_t id, rte_edge_t *edge)
{
	struct forward_packet first = { AF_INET, ip4_of(survey, 0), (const uint8_t *)&survey->dst[0],
					(uint32_t)ip4_head_len(packets[0]) };
	uint8_t rewrite[FORWARD_REWRITE];

	if (!forward_one_way(f, id, &first, survey->all.longest, rewrite, edge))
		return false;
	if (survey->all.any_padded)
		for (uint32_t i = 0; i < n; i++)
			forward_trim(packets[i], rte_be_to_cpu_16(ip4_of(survey, i)->total_length));
NODE_UNROLL
	for (uint32_t i = 0; i < n; i++)
		ip4_rewrite(survey, i, rewrite);
	return true;
}

/* The whole run is plain, and its nexthops lead to one port: as above. */
static bool ip4_all_one_port(struct forward *f, const struct ip4_survey *survey, uint32_t n, const uint32_t *id,
			     rte_edge_t *edge)
{
	if (survey->all.any_padded || !forward_one_port(f, id, n, survey->all.longest, edge))
		return false;
	for (uint32_t i = 0; i < n; i++)
		ip4_rewrite(survey, i, forward_way(f, id[i])->rewrite);
	return true;
}

/* Packets that came in on one port, surveyed. */
static bool ip4_run(struct worker *worker, struct ip4_survey *survey, struct rte_mbuf **packets, uint32_t n,
		    rte_edge_t *edge)
{
	const struct plan *plan = worker->plan;
	bool ask_all = forward_ask_sources(plan), astray[NODE_VECTOR], any_astray = false, plain, alike;
	uint32_t id[NODE_VECTOR], rp_filter;
	struct forward f;
	struct wye_fib fib;

	forward_begin(&f, worker, worker->dpd->port_of_dpdk[packets[0]->port] - 1u, &ip4_reasons);
	fib = forward_fib(plan, f.ingress);
	rp_filter = ip4_rp_filter(&f);
	if (unlikely(rp_filter))
		any_astray = ip4_rp_filter_astray(&f, &fib, rp_filter, survey->src, n, astray);
	plain = !(survey->all.any_odd | survey->any_hit | ask_all | any_astray);
	alike = wye_fib4_lookup_alike(&fib, survey->dst, survey->different, &id[0]);
	if (plain && alike && ip4_all_one_way(&f, survey, packets, n, id[0], edge))
		return true;
	if (alike)
		wye_fib_fill(id, id[0], n);
	else
		wye_fib4_lookup_apart(&fib, survey->dst, id, n);
	if (plain && !alike && (forward_one_id(id, n) ? ip4_all_one_way(&f, survey, packets, n, id[0], edge) :
							ip4_all_one_port(&f, survey, n, id, edge)))
		return true;
	if (!plain && !rp_filter)
		memset(astray, 0, sizeof(astray));
	if (!plain)
		ip4_settle(survey, packets, n, edge, &fib, plan, ask_all, astray);
	for (uint32_t i = 0; i < n; i++)
		if (!survey->odd[i])
			edge[i] = ip4_packet(&f, survey, i, packets[i], id[i]);
	return false;
}

bool ip4_forward_edges(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge)
{
	struct ip4_survey survey;

	ip4_survey[lanes_isa](&survey, packets, n, worker->plan->locals);
	if (likely(!survey.all.mixed))
		return ip4_run(worker, &survey, packets, n, edge);
	for (uint32_t from = 0, to; from < n; from = to) {
		to = forward_run(packets, from, n);
		ip4_survey[lanes_isa](&survey, packets + from, to - from, worker->plan->locals);
		if (ip4_run(worker, &survey, packets + from, to - from, edge + from))
			forward_spread(edge + from, to - from);
	}
	return false;
}

static uint16_t ip4_forward_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	return forward_process(graph, node, objs, nb_objs, ip4_forward_edges);
}

static void ip4_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *note)
{
	forward_note(worker, packet, edge, AF_INET, note);
}

static const struct node_trace ip4_trace = { .note = ip4_note, .tell = forward_tell };

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
