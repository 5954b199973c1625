/* SPDX-License-Identifier: BSD-3-Clause */
/* What ip4_forward and ip6_forward tell a trace: where to, and what came of it. */
#include <arpa/inet.h>

#include "forward.h"
#include "wye_fib.h"

#define MAC_FORMAT "%02x:%02x:%02x:%02x:%02x:%02x"
#define MAC_BYTES(mac) (mac)[0], (mac)[1], (mac)[2], (mac)[3], (mac)[4], (mac)[5]

struct forward_note {
	uint8_t family;		/* 0: shorter than its header */
	uint8_t reason;		/* NODE_OK: forwarded */
	uint8_t hops;		/* TTL or hop limit as it came in */
	uint8_t port;		/* forwarded: egress */
	uint32_t nexthop, leg;	/* ids; 0 = it came to no lookup, or there is no route */
	uint8_t rewrite[12];
	uint8_t src[16], dst[16];
};
static_assert(sizeof(struct forward_note) <= TRACE_NOTE_BYTES, "it fits");

/* Has the packet been looked up? Those that leave before have a reason of their own. */
static bool looked_up(uint8_t reason)
{
	return reason == NODE_OK || reason == WYE_REASON_PORT_PARITY ||
	       (reason > WYE_REASON_IP4_FORWARD_TTL && reason <= WYE_REASON_IP4_FORWARD_TOO_BIG) ||
	       (reason > WYE_REASON_IP6_FORWARD_HOP_LIMIT && reason <= WYE_REASON_IP6_FORWARD_TOO_BIG);
}

static void note_addresses(struct forward_note *note, const struct forward_packet *packet)
{
	const struct rte_ipv4_hdr *ip4 = packet->ip;
	const struct rte_ipv6_hdr *ip6 = packet->ip;
	bool forwarded = note->reason == NODE_OK;

	if (packet->family == AF_INET) {
		memcpy(note->src, &ip4->src_addr, 4);
		memcpy(note->dst, &ip4->dst_addr, 4);
		note->hops = (uint8_t)(ip4->time_to_live + forwarded);
		return;
	}
	memcpy(note->src, &ip6->src_addr, 16);
	memcpy(note->dst, &ip6->dst_addr, 16);
	note->hops = (uint8_t)(ip6->hop_limits + forwarded);
}

/* Looked up once more: what the tables say right after. */
static void note_nexthop(struct forward_note *note, const struct worker *worker, uint32_t ingress,
			 const struct forward_packet *packet)
{
	struct wye_fib fib = forward_fib(worker->plan, ingress);
	struct forward f;

	note->nexthop = packet->family == AF_INET ? wye_fib4_lookup(&fib, packet->dst) : wye_fib6_lookup(&fib, packet->dst);
	if (!note->nexthop)
		return;
	forward_begin(&f, worker, ingress, NULL);
	note->leg = forward_leg(&f, note->nexthop, packet);
}

void forward_note(struct worker *worker, struct rte_mbuf *packet, rte_edge_t edge, uint8_t family, void *to)
{
	uint32_t header = family == AF_INET ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	uint32_t ether = sizeof(struct rte_ether_hdr), dst_at = family == AF_INET ? 16 : 24;
	const uint8_t *frame = rte_pktmbuf_mtod(packet, const uint8_t *);
	struct forward_packet what = { family, frame + ether, frame + ether + dst_at, packet->data_len - ether };
	struct forward_note *note = to;

	note->reason = edge < NODE_EDGE_PORT_TX ? *node_reason(packet) : (uint8_t)NODE_OK;
	if (packet->data_len < ether + header)
		return;
	note->family = family;
	if (note->reason == NODE_OK) {
		note->port = (uint8_t)(edge - NODE_EDGE_PORT_TX);
		memcpy(note->rewrite, frame, sizeof(note->rewrite));
	}
	note_addresses(note, &what);
	if (looked_up(note->reason))
		note_nexthop(note, worker, worker->dpd->port_of_dpdk[packet->port] - 1u, &what);
}

void forward_tell(const struct dpd *dpd, const void *from, struct trace_fields *fields)
{
	const struct forward_note *note = from;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	if (note->family) {
		trace_text(fields, "src", "%s", inet_ntop(note->family, note->src, src, sizeof(src)));
		trace_text(fields, "dst", "%s", inet_ntop(note->family, note->dst, dst, sizeof(dst)));
		trace_number(fields, note->family == AF_INET ? "ttl" : "hop_limit", note->hops);
	}
	if (note->nexthop)
		trace_number(fields, "nexthop", note->nexthop);
	if (note->leg != note->nexthop)
		trace_number(fields, "leg", note->leg);
	if (note->reason != NODE_OK) {
		trace_reason(fields, note->reason);
		return;
	}
	trace_text(fields, "mac_dst", MAC_FORMAT, MAC_BYTES(note->rewrite));
	trace_text(fields, "mac_src", MAC_FORMAT, MAC_BYTES(note->rewrite + 6));
	trace_port(fields, dpd, note->port);
}
