/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A forwarding node's world without DPDK's environment: tables made with the writer's library, a plan with ports on
 * them, packets in static buffers. Shared by unit tests and the packet fuzzer.
 *
 *   port 0: ifindex 2 "in0",  10.0.1.1/24, fd00:1::1/64       port 1: ifindex 3 "out0", 10.0.2.1/24, fd00:2::1/64
 *   ifindex 4 "other" is no port; port 2: ifindex 5 "down0" is down; port 3: ifindex 6 "guard0" has a tc filter
 * Neighbours on out0: 10.0.2.2 and fd00:2::2 resolved; others are made by world_neigh().
 */
#ifndef FORWARD_FIXTURE_H
#define FORWARD_FIXTURE_H

#include "fib.h"
#include "nodes/forward.h"
#include "region.h"
#include "resolve.h"

#define WORLD_PACKETS 256

struct world {
	char dir[64];
	struct control_file control;
	struct region region;
	struct resolve *resolve;
	struct fib *fib;
	struct dpd *dpd;
	struct worker *worker;
	struct plan *plan;
	struct plan_locals locals;
	uint32_t vrf;		/* the view that routes are set in */
	struct rte_mbuf *packet[WORLD_PACKETS];
	rte_edge_t edge[WORLD_PACKETS];
};

struct world *world_create(void);	/* aborts on error */
void world_destroy(struct world *world);

/* A route: kind as in struct nexthop_leg, gateway "" = on link. The second one is of kind FORWARD. */
void world_route(struct world *world, const char *prefix, uint8_t kind, uint32_t ifindex, const char *gateway);
void world_mtu_route(struct world *world, const char *prefix, uint32_t ifindex, const char *gateway,
		     uint32_t mtu_bytes);
void world_group(struct world *world, const char *prefix, const char *const *gateways, const uint16_t *weights, size_t n);
void world_links_group(struct world *world, const char *prefix, const uint32_t *ifindex, size_t n);
void world_neigh(struct world *world, uint32_t ifindex, const char *addr, uint8_t last_mac_byte);
void world_local(struct world *world, const char *prefix);
/* The plan's view of the host's addresses; call after world_local(). */
void world_plan_locals(struct world *world);
/* The link looks up a VRF of its own from now on, in which routes are set. */
void world_vrf(struct world *world, uint32_t ifindex);
void world_link_flags(struct world *world, uint32_t ifindex, uint32_t flags, uint32_t parity);

/* Fills packet i with a frame that came in on port 0. */
void world_frame(struct world *world, uint32_t i, const void *frame, uint32_t len_bytes);
void world_udp4(struct world *world, uint32_t i, const char *src, const char *dst, uint16_t sport, uint32_t payload);
void world_udp6(struct world *world, uint32_t i, const char *src, const char *dst, uint16_t sport, uint32_t payload);
void world_checksum4(struct rte_ipv4_hdr *ip);

static inline struct rte_ipv4_hdr *world_ip4(struct world *world, uint32_t i)
{
	return rte_pktmbuf_mtod_offset(world->packet[i], struct rte_ipv4_hdr *, 14);
}

static inline struct rte_ipv6_hdr *world_ip6(struct world *world, uint32_t i)
{
	return rte_pktmbuf_mtod_offset(world->packet[i], struct rte_ipv6_hdr *, 14);
}

/* Runs the node on the first n packets. */
void world_forward4(struct world *world, uint32_t n);
void world_forward6(struct world *world, uint32_t n);

/* What became of packet i: NODE_OK when it goes to a port, else why not (and the edge fits the reason). */
enum wye_reason world_reason(struct world *world, uint32_t i);

#endif
