/* SPDX-License-Identifier: BSD-3-Clause */
#include "forward_fixture.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM 2048
#define MUST(what) do { if (!(what)) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); abort(); } } while (0)

int node_reason_offset = offsetof(struct rte_mbuf, dynfield1);

/* There is no graph here: the nodes are asked for their edges only. */
int node_init(const struct rte_graph *graph, struct rte_node *node)
{
	return 0;
}

void node_scatter(struct rte_graph *graph, struct rte_node *node, void **packets, const rte_edge_t *edge, uint32_t n,
		  bool whole)
{
}

static uint8_t parse(const char *text, uint8_t addr[16], uint8_t *len)
{
	char copy[64], *slash;
	uint8_t family = strchr(text, ':') ? AF_INET6 : AF_INET;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	*len = family == AF_INET ? 32 : 128;
	if (slash) {
		*len = (uint8_t)atoi(slash + 1);
		*slash = '\0';
	}
	memset(addr, 0, 16);
	MUST(inet_pton(family, copy, addr) == 1);
	return family;
}

static void make_link(struct world *world, uint32_t ifindex, const char *name, uint32_t flags, uint32_t parity)
{
	struct wye_link link = {
		.flags = WYE_LINK_PRESENT | WYE_LINK_PORT | WYE_LINK_CARRIER | WYE_LINK_FORWARD4 | WYE_LINK_FORWARD6 | flags,
		.parity = parity,
		.mtu_bytes = 1500,
		.ifindex = ifindex,
		.table = 254,
		.vrf = WYE_VRF_MAIN,
		.mac = { 2, 0, 0, 0, 0, (uint8_t)ifindex },
		.mac_len = 6,
		.arp_type = 1,
	};

	snprintf(link.name, sizeof(link.name), "%s", name);
	MUST(link_set(world->resolve, &link));
	resolve_link_changed(world->resolve, ifindex);
}

static void make_port(struct world *world, uint32_t p, uint32_t ifindex)
{
	uint32_t link = link_index(world->resolve, ifindex);

	world->plan->port[p] = (struct plan_port){ .open = true, .n_tx = 1, .dpdk_port = (uint16_t)p, .ifindex = ifindex,
						   .link = link };
	world->plan->port_of_link[link] = (uint8_t)(p + 1);
	world->dpd->port_of_dpdk[p] = (uint8_t)(p + 1);
}

static void make_packets(struct world *world)
{
	for (uint32_t i = 0; i < WORLD_PACKETS; i++) {
		struct rte_mbuf *packet = aligned_alloc(64, sizeof(*packet) + ROOM);

		MUST(packet);
		memset(packet, 0, sizeof(*packet));
		packet->buf_addr = packet + 1;
		packet->buf_len = ROOM;
		packet->nb_segs = 1;
		rte_mbuf_refcnt_set(packet, 1);
		world->packet[i] = packet;
	}
}

struct world *world_create(void)
{
	static const struct wye_config config = { .tables = { .routes4 = 20000, .routes6 = 20000, .neighbours = 2000 } };
	struct world *world = calloc(1, sizeof(*world));
	uint32_t n_links;

	MUST(world);
	snprintf(world->dir, sizeof(world->dir), "%s/wye-test-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	MUST(mkdtemp(world->dir));
	MUST(control_open(&world->control, world->dir) == 0);
	MUST(region_create(&world->region, &world->control, &config) == 0);
	region_flip(&world->region);
	world->resolve = resolve_create(&world->region);
	world->fib = fib_create(&world->region);
	n_links = world->region.base->section[WYE_SECTION_LINK].capacity;
	world->dpd = calloc(1, sizeof(*world->dpd));
	world->plan = calloc(1, sizeof(*world->plan) + n_links);
	MUST(world->resolve && world->fib && world->dpd && world->plan);
	world->worker = &world->dpd->worker[0];
	world->worker->dpd = world->dpd;
	world->worker->plan = world->plan;
	world->plan->region = world->region.base;
	world->plan->trusted = true;
	world->vrf = WYE_VRF_MAIN;
	world->plan->locals = &world->locals;
	world->plan->n_links = n_links;
	make_link(world, 2, "in0", WYE_LINK_UP, 0);
	make_link(world, 3, "out0", WYE_LINK_UP, 0);
	make_link(world, 4, "other", WYE_LINK_UP, 0);
	make_link(world, 5, "down0", WYE_LINK_UP, 0);
	make_link(world, 6, "guard0", WYE_LINK_UP, 0);
	for (uint32_t p = 0; p < 4; p++)
		make_port(world, p, p < 2 ? p + 2 : p + 3);
	make_packets(world);
	world_local(world, "10.0.1.1");
	world_local(world, "10.0.2.1");
	world_local(world, "fd00:1::1");
	world_local(world, "fd00:2::1");
	world_plan_locals(world);
	world_neigh(world, 3, "10.0.2.2", 2);
	world_neigh(world, 3, "fd00:2::2", 2);
	world_route(world, "10.0.2.0/24", WYE_NH_FORWARD, 3, "");
	world_route(world, "fd00:2::/64", WYE_NH_FORWARD, 3, "");
	world_link_flags(world, 5, WYE_LINK_PRESENT, 0);
	world_link_flags(world, 6, WYE_LINK_PRESENT | WYE_LINK_PORT | WYE_LINK_UP | WYE_LINK_CARRIER, WYE_PARITY_TC);
	return world;
}

void world_destroy(struct world *world)
{
	for (uint32_t i = 0; i < WORLD_PACKETS; i++)
		free(world->packet[i]);
	fib_destroy(world->fib);
	resolve_destroy(world->resolve);
	region_destroy(&world->region);
	control_close(&world->control, true);
	rmdir(world->dir);
	free(world->plan);
	free(world->dpd);
	free(world);
}

static void set_route(struct world *world, const char *prefix, const struct nexthop_leg *legs, size_t n)
{
	uint8_t addr[16], len, family = parse(prefix, addr, &len);
	uint32_t id = nexthop_get(world->resolve, legs, n);

	MUST(id);
	MUST(fib_set(world->fib, world->vrf, family, addr, len, id) == 0);
	fib_flush(world->fib, 0);
}

static struct nexthop_leg make_leg(uint8_t kind, uint32_t ifindex, const char *gateway, uint16_t weight)
{
	struct nexthop_leg leg = { .kind = kind, .ifindex = ifindex, .weight = weight };
	uint8_t len;

	if (gateway[0])
		leg.family = parse(gateway, leg.gateway, &len);
	return leg;
}

void world_route(struct world *world, const char *prefix, uint8_t kind, uint32_t ifindex, const char *gateway)
{
	struct nexthop_leg leg = make_leg(kind, ifindex, gateway, 1);

	set_route(world, prefix, &leg, 1);
}

void world_mtu_route(struct world *world, const char *prefix, uint32_t ifindex, const char *gateway,
		     uint32_t mtu_bytes)
{
	struct nexthop_leg leg = make_leg(WYE_NH_FORWARD, ifindex, gateway, 1);

	leg.mtu_bytes = mtu_bytes;
	set_route(world, prefix, &leg, 1);
}

void world_group(struct world *world, const char *prefix, const char *const *gateways, const uint16_t *weights, size_t n)
{
	struct nexthop_leg legs[16];

	MUST(n <= 16);
	for (size_t i = 0; i < n; i++)
		legs[i] = make_leg(WYE_NH_FORWARD, 3, gateways[i], weights[i]);
	set_route(world, prefix, legs, n);
}

void world_links_group(struct world *world, const char *prefix, const uint32_t *ifindex, size_t n)
{
	struct nexthop_leg legs[16];

	MUST(n <= 16);
	for (size_t i = 0; i < n; i++)
		legs[i] = make_leg(WYE_NH_FORWARD, ifindex[i], "", 1);
	set_route(world, prefix, legs, n);
}

void world_neigh(struct world *world, uint32_t ifindex, const char *addr, uint8_t last_mac_byte)
{
	uint8_t bytes[16], len, family = parse(addr, bytes, &len), mac[6] = { 2, 1, 1, 1, 1, last_mac_byte };

	MUST(neigh_set(world->resolve, ifindex, family, bytes, NUD_REACHABLE, 0, mac, 6) == 0);
}

void world_local(struct world *world, const char *prefix)
{
	world_route(world, prefix, WYE_NH_LOCAL, 2, "");
	world->region.base->locals_version++;
	if (strchr(prefix, ':'))
		return;
	uint8_t addr[16], len;
	uint32_t word;

	parse(prefix, addr, &len);
	memcpy(&word, addr, 4);
	plan_locals_add(&world->locals, word);
	world->locals.all |= len < 32;
}

void world_plan_locals(struct world *world)
{
	world->locals.version = world->region.base->locals_version;
}

static struct wye_link *link_of(struct world *world, uint32_t ifindex)
{
	return (struct wye_link *)region_records(&world->region, WYE_SECTION_LINK) +
	       link_index(world->resolve, ifindex);
}

void world_vrf(struct world *world, uint32_t ifindex)
{
	world->vrf = fib_vrf(world->fib, 100, 9);
	MUST(world->vrf > WYE_VRF_MAIN);
	link_of(world, ifindex)->vrf = world->vrf;
}

void world_link_flags(struct world *world, uint32_t ifindex, uint32_t flags, uint32_t parity)
{
	struct wye_link *link = link_of(world, ifindex);

	link->flags = flags;
	link->parity = parity;
}

void world_frame(struct world *world, uint32_t i, const void *frame, uint32_t len_bytes)
{
	struct rte_mbuf *packet = world->packet[i];

	MUST(len_bytes <= ROOM - RTE_PKTMBUF_HEADROOM);
	packet->data_off = RTE_PKTMBUF_HEADROOM;
	packet->data_len = (uint16_t)len_bytes;
	packet->pkt_len = len_bytes;
	packet->port = 0;
	memset(packet->buf_addr, 0xa5, ROOM);
	memcpy(rte_pktmbuf_mtod(packet, void *), frame, len_bytes);
	*node_reason(packet) = 0xff;
}

/* In full, by the definition; nothing of the node's own arithmetic. */
void world_checksum4(struct rte_ipv4_hdr *ip)
{
	const uint8_t *byte = (const uint8_t *)ip;
	uint32_t sum = 0;

	ip->hdr_checksum = 0;
	for (int i = 0; i < (ip->version_ihl & 15) * 4; i += 2)
		sum += (uint32_t)byte[i] << 8 | byte[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ip->hdr_checksum = htons((uint16_t)~sum);
}

void world_udp4(struct world *world, uint32_t i, const char *src, const char *dst, uint16_t sport, uint32_t payload)
{
	uint8_t frame[ROOM] = { 2, 0, 0, 0, 0, 2, 2, 9, 9, 9, 9, 9, 0x08, 0x00 };
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
	uint16_t *udp = (uint16_t *)(ip + 1);

	ip->version_ihl = 0x45;
	ip->total_length = htons((uint16_t)(28 + payload));
	ip->packet_id = htons((uint16_t)(i * 7 + 1));
	ip->time_to_live = 64;
	ip->next_proto_id = 17;
	MUST(inet_pton(AF_INET, src, &ip->src_addr) == 1 && inet_pton(AF_INET, dst, &ip->dst_addr) == 1);
	world_checksum4(ip);
	udp[0] = htons(sport);
	udp[1] = htons(4000);
	udp[2] = htons((uint16_t)(8 + payload));
	world_frame(world, i, frame, 42 + payload);
}

void world_udp6(struct world *world, uint32_t i, const char *src, const char *dst, uint16_t sport, uint32_t payload)
{
	uint8_t frame[ROOM] = { 2, 0, 0, 0, 0, 2, 2, 9, 9, 9, 9, 9, 0x86, 0xdd };
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame + 14);
	uint16_t *udp = (uint16_t *)(ip + 1);

	ip->vtc_flow = htonl(0x60000000);
	ip->payload_len = htons((uint16_t)(8 + payload));
	ip->proto = 17;
	ip->hop_limits = 64;
	MUST(inet_pton(AF_INET6, src, &ip->src_addr) == 1 && inet_pton(AF_INET6, dst, &ip->dst_addr) == 1);
	udp[0] = htons(sport);
	udp[1] = htons(4000);
	udp[2] = htons((uint16_t)(8 + payload));
	world_frame(world, i, frame, 62 + payload);
}

static void spread(struct world *world, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		world->edge[i] = world->edge[0];
}

void world_forward4(struct world *world, uint32_t n)
{
	if (ip4_forward_edges(world->worker, world->packet, n, world->edge))
		spread(world, n);
}

void world_forward6(struct world *world, uint32_t n)
{
	if (ip6_forward_edges(world->worker, world->packet, n, world->edge))
		spread(world, n);
}

enum wye_reason world_reason(struct world *world, uint32_t i)
{
	uint8_t reason = *node_reason(world->packet[i]);

	if (world->edge[i] >= NODE_EDGE_PORT_TX)
		return NODE_OK;
	MUST(reason < WYE_REASON_COUNT);
	MUST((world->edge[i] == NODE_EDGE_PUNT) == (wye_reason_verdict[reason] == WYE_VERDICT_PUNT));
	return reason;
}
