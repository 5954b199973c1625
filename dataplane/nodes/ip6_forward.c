/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip6_forward: RFC 8200 for a run of packets, built as ip4_forward is. There is no header checksum, no fragmenting on
 * the way and no martian check of the source against our own addresses, as in the kernel.
 */
#include <sys/socket.h>

#include "forward.h"
#include "ip6.h"
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

struct ip6_run {
	uint8_t dst[NODE_VECTOR][16];
	uint32_t id[NODE_VECTOR], odd[NODE_VECTOR];
};

static inline struct rte_ipv6_hdr *ip6_of(struct rte_mbuf *packet)
{
	return rte_pktmbuf_mtod_offset(packet, struct rte_ipv6_hdr *, sizeof(struct rte_ether_hdr));
}

/* Below 0 for a runt. */
static inline int32_t ip6_head_len(const struct rte_mbuf *packet)
{
	return packet->data_len - (int32_t)sizeof(struct rte_ether_hdr);
}

static uint32_t ip6_survey(struct ip6_run *run, struct rte_mbuf **packets, uint32_t n)
{
	uint32_t any = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct rte_ipv6_hdr *ip = ip6_of(packets[i]);

		memcpy(run->dst[i], ip->dst_addr, 16);
		run->odd[i] = ip6_odd(ip, ip6_head_len(packets[i]));
		any |= run->odd[i];
	}
	return any;
}

/* Those that leave get their edge, those that may pass are odd no more. */
static void ip6_settle(struct ip6_run *run, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge)
{
	for (uint32_t i = 0; i < n; i++) {
		enum wye_reason reason;

		if (!run->odd[i])
			continue;
		reason = ip6_reason(ip6_of(packets[i]), (uint32_t)RTE_MAX(ip6_head_len(packets[i]), 0),
				    packets[i]->pkt_len - (uint32_t)sizeof(struct rte_ether_hdr));
		run->odd[i] = reason != NODE_OK;
		if (reason != NODE_OK)
			edge[i] = node_leave(packets[i], reason);
	}
}

static inline rte_edge_t ip6_packet(struct forward *f, struct rte_mbuf *packet, uint32_t id)
{
	struct rte_ipv6_hdr *ip = ip6_of(packet);
	uint32_t total = rte_be_to_cpu_16(ip->payload_len) + (uint32_t)sizeof(*ip);

	if (id != f->last_id || !id) {
		struct forward_packet what = { AF_INET6, ip, ip->dst_addr, (uint32_t)ip6_head_len(packet) };
		enum wye_reason reason = forward_resolve(f, id, &what);

		if (unlikely(reason != NODE_OK))
			return node_leave(packet, reason);
	}
	if (unlikely(total > f->last_mtu))
		return node_leave(packet, f->reasons->too_big);
	forward_trim(packet, total);
	forward_rewrite(packet, f->last_rewrite);
	ip->hop_limits--;
	return f->last_edge;
}

void ip6_forward_edges(struct worker *worker, struct rte_mbuf **packets, uint32_t n, rte_edge_t *edge)
{
	struct ip6_run run;
	struct forward f;
	struct wye_fib fib;

	forward_begin(&f, worker->plan, worker->dpd->port_of_dpdk[packets[0]->port] - 1u, &ip6_reasons);
	fib = forward_fib(worker->plan, f.ingress);
	if (ip6_survey(&run, packets, n))
		ip6_settle(&run, packets, n, edge);
	wye_fib6_lookup_batch(&fib, (const uint8_t (*)[16])run.dst, run.id, n);
	for (uint32_t i = 0; i < n; i++)
		if (!run.odd[i])
			edge[i] = ip6_packet(&f, packets[i], run.id[i]);
}

static uint16_t ip6_forward_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t nb_objs)
{
	rte_edge_t edge[NODE_VECTOR];

	for (uint32_t from = 0, to; from < nb_objs; from = to) {
		to = forward_run(objs, from, nb_objs);
		ip6_forward_edges(node_ctx(node)->worker, (struct rte_mbuf **)objs + from, to - from, edge);
		node_scatter(graph, node, objs + from, edge, to - from, to - from == nb_objs);
	}
	return nb_objs;
}

static void ip6_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *note)
{
	forward_note(worker, packet, edge, AF_INET6, note);
}

static struct node_trace ip6_trace = { .note = ip6_note, .tell = forward_tell };

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
