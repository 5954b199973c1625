/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip6_forward: RFC 8200 for a run of packets, built as ip4_forward is. There is no header checksum, no fragmenting on
 * the way and no martian check of the source against our own addresses, as in the kernel.
 */
#include <sys/socket.h>

#include "forward.h"
#include "ip6_survey.h"
#include "wye_fib_batch.h"

static const struct forward_reasons ip6_reasons = {
	.no_route = WYE_REASON_IP6_FORWARD_NO_ROUTE,
	.local = WYE_REASON_IP6_FORWARD_LOCAL,
	.unresolved = WYE_REASON_IP6_FORWARD_UNRESOLVED,
	.unreachable = WYE_REASON_IP6_FORWARD_UNREACHABLE,
	.blackhole = WYE_REASON_IP6_FORWARD_BLACKHOLE,
	.kernel = WYE_REASON_IP6_FORWARD_KERNEL,
	.link_down = WYE_REASON_IP6_FORWARD_LINK_DOWN,
	.not_a_port = WYE_REASON_IP6_FORWARD_NOT_A_PORT,
	.same_port = WYE_REASON_IP6_FORWARD_SAME_PORT,
	.too_big = WYE_REASON_IP6_FORWARD_TOO_BIG,
	.parity_mask = WYE_PARITY_IP6,
};

static inline struct rte_ipv6_hdr *ip6_of(const struct ip6_survey *survey, uint32_t i)
{
	return (struct rte_ipv6_hdr *)survey_ip(&survey->all, i);
}

/* Below 0 for a runt. */
static inline int32_t ip6_head_len(const struct rte_mbuf *packet)
{
	return packet->data_len - (int32_t)sizeof(struct rte_ether_hdr);
}

static inline uint32_t ip6_total(const struct rte_ipv6_hdr *ip)
{
	return rte_be_to_cpu_16(ip->payload_len) + (uint32_t)sizeof(*ip);
}

/* Settles the odd ones: those that leave get their edge, those that may pass are odd no more. */
static void ip6_settle(struct ip6_survey *survey, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge)
{
	for (uint32_t i = 0; i < n; i++) {
		enum wye_reason reason;

		if (!survey->odd[i])
			continue;
		reason = ip6_reason(ip6_of(survey, i), (uint32_t)RTE_MAX(ip6_head_len(packets[i]), 0),
				    packets[i]->pkt_len - (uint32_t)sizeof(struct rte_ether_hdr));
		survey->odd[i] = reason != NODE_OK;
		if (reason != NODE_OK)
			edge[i] = node_leave(packets[i], reason);
	}
}

static inline void ip6_rewrite(const struct ip6_survey *survey, uint32_t i, const uint8_t *rewrite)
{
	forward_rewrite(survey->all.frame[i], rewrite);
	ip6_of(survey, i)->hop_limits--;
}

static inline rte_edge_t ip6_packet(struct forward *f, const struct ip6_survey *survey, uint32_t i,
				    struct rte_mbuf *packet, uint32_t id)
{
	const struct rte_ipv6_hdr *ip = ip6_of(survey, i);
	const struct forward_way *way = forward_way(f, id);
	uint32_t total = ip6_total(ip);

	if (unlikely(!forward_remembers(f, id))) {
		struct forward_packet what = { AF_INET6, ip, (const uint8_t *)&ip->dst_addr,
					       (uint32_t)ip6_head_len(packet) };
		enum wye_reason reason = forward_resolve(f, id, &what);

		if (unlikely(reason != NODE_OK))
			return node_leave(packet, reason);
	}
	if (unlikely(total > way->mtu))
		return node_leave(packet, f->reasons->too_big);
	forward_trim(packet, total);
	ip6_rewrite(survey, i, way->rewrite);
	return way->edge;
}

/* The whole run is plain and has one nexthop. False: it needs to be asked about packet by packet after all. */
static bool ip6_all_one_way(struct forward *f, const struct ip6_survey *survey, struct rte_mbuf **packets, uint32_t n,
			    uint32_t id, rte_edge_t *edge)
{
	struct forward_packet first = { AF_INET6, ip6_of(survey, 0), survey->dst[0], (uint32_t)ip6_head_len(packets[0]) };
	uint8_t rewrite[FORWARD_REWRITE];

	if (!forward_one_way(f, id, &first, survey->all.longest, rewrite, edge))
		return false;
	if (survey->all.any_padded)
		for (uint32_t i = 0; i < n; i++)
			forward_trim(packets[i], ip6_total(ip6_of(survey, i)));
	for (uint32_t i = 0; i < n; i++)
		ip6_rewrite(survey, i, rewrite);
	return true;
}

/* The whole run is plain, and its nexthops lead to one port: as above. */
static bool ip6_all_one_port(struct forward *f, const struct ip6_survey *survey, uint32_t n, const uint32_t *id,
			     rte_edge_t *edge)
{
	if (survey->all.any_padded || !forward_one_port(f, id, n, survey->all.longest, edge))
		return false;
	for (uint32_t i = 0; i < n; i++)
		ip6_rewrite(survey, i, forward_way(f, id[i])->rewrite);
	return true;
}

/* Packets that came in on one port, their headers taken. */
static bool ip6_run(struct worker *worker, struct ip6_survey *survey, struct rte_mbuf **packets, uint32_t n,
		    rte_edge_t *edge)
{
	const uint8_t (*dst)[16] = (const uint8_t (*)[16])survey->dst;
	uint32_t id[NODE_VECTOR];
	struct forward f;
	struct wye_fib fib;
	bool plain;

	forward_begin(&f, worker, worker->dpd->port_of_dpdk[packets[0]->port] - 1u, &ip6_reasons);
	fib = forward_fib(worker->plan, f.ingress);
	ip6_survey_check[lanes_isa](survey, n);
	plain = !survey->all.any_odd;
	wye_fib6_lookup_batch(&fib, dst, id, n);
	if (plain && (forward_one_id(id, n) ? ip6_all_one_way(&f, survey, packets, n, id[0], edge) :
					      ip6_all_one_port(&f, survey, n, id, edge)))
		return true;
	if (!plain)
		ip6_settle(survey, packets, n, edge);
	for (uint32_t i = 0; i < n; i++)
		if (!survey->odd[i])
			edge[i] = ip6_packet(&f, survey, i, packets[i], id[i]);
	return false;
}

bool ip6_forward_edges(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge)
{
	struct ip6_survey survey;

	ip6_survey_take(&survey, packets, n);
	if (likely(!survey.all.mixed))
		return ip6_run(worker, &survey, packets, n, edge);
	for (uint32_t from = 0, to; from < n; from = to) {
		to = forward_run(packets, from, n);
		ip6_survey_take(&survey, packets + from, to - from);
		if (ip6_run(worker, &survey, packets + from, to - from, edge + from))
			forward_spread(edge + from, to - from);
	}
	return false;
}

static uint16_t ip6_forward_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	return forward_process(graph, node, objs, nb_objs, ip6_forward_edges);
}

static void ip6_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *note)
{
	forward_note(worker, packet, edge, AF_INET6, note);
}

static const struct node_trace ip6_trace = { .note = ip6_note, .tell = forward_tell };

static struct rte_node_register ip6_forward_node = {
	.name = "ip6_forward",
	.process = ip6_forward_process,
	.init = node_init,
	.nb_edges = NODE_EDGE_PORT_TX,
	.next_nodes = {
		[NODE_EDGE_PUNT] = "punt",
		[NODE_EDGE_DROP] = "drop",
	},
};
NODE_REGISTER(ip6_forward_node, ip6_trace);
