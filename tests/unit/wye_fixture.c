/* SPDX-License-Identifier: BSD-3-Clause */
#include "wye_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/if.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "wye.h"
#include "wye_fib.h"

static struct wye_link *link_put(struct router *router, uint32_t ifindex, const char *name, uint32_t ifi_flags)
{
	uint32_t index = region_alloc(&router->tables->region, WYE_SECTION_LINK, 1);
	struct wye_link *link = (struct wye_link *)region_records(&router->tables->region, WYE_SECTION_LINK) + index;
	bool up = ifi_flags & IFF_UP;

	memset(link, 0, sizeof(*link));
	link->flags = WYE_LINK_PRESENT | WYE_LINK_FORWARD4 | WYE_LINK_FORWARD6 | (up ? WYE_LINK_UP | WYE_LINK_CARRIER : 0);
	link->ifindex = ifindex;
	link->mtu_bytes = ifindex == 1 ? 65536 : 1500;
	link->ifi_flags = ifi_flags;
	link->lower_netnsid = -1;
	link->table = RT_TABLE_MAIN;
	link->vrf = WYE_VRF_MAIN;
	link->arp_type = ifindex == 1 ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
	link->mac_len = 6;
	memcpy(link->mac, (uint8_t[6]){ ifindex == 1 ? 0 : 2, 0, 0, 0, 0, ifindex == 1 ? 0 : (uint8_t)ifindex }, 6);
	link->operstate = ifindex == 1 ? 0 : up ? 6 : 2;
	link->txqlen = 1000;
	snprintf(link->name, sizeof(link->name), "%s", name);
	snprintf(link->qdisc, sizeof(link->qdisc), "noqueue");
	snprintf(link->kind, sizeof(link->kind), "%s", ifindex == 1 ? "" : "veth");
	return link;
}

struct router *router_create(void)
{
	struct router *router = calloc(1, sizeof(*router));
	uint32_t ether = IFF_BROADCAST | IFF_MULTICAST, up = IFF_UP | IFF_RUNNING | 0x10000 /* IFF_LOWER_UP */;

	assert_non_null(router);
	router->tables = tables_create();
	router->fib = fib_create(&router->tables->region);
	assert_non_null(router->fib);
	link_put(router, 1, "lo", IFF_LOOPBACK | up);
	link_put(router, 2, "v0", ether | up);
	link_put(router, 3, "v1", ether | up);
	link_put(router, 4, "v2", ether);
	control_state(&router->tables->control, WYE_MIRROR_IN_SYNC);
	control_heartbeat(&router->tables->control);
	return router;
}

uint32_t router_vrf(struct router *router, uint32_t ifindex, const char *name, uint32_t table)
{
	struct wye_link *link = link_put(router, ifindex, name, IFF_UP | IFF_NOARP);

	snprintf(link->kind, sizeof(link->kind), "vrf");
	link->table = table;
	link->vrf = fib_vrf(router->fib, table, ifindex);
	assert_int_not_equal(link->vrf, 0);
	return link->vrf;
}

static void stats_path(const struct router *router, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", router->tables->dir, WYE_FILE_STATS);
}

void router_destroy(struct router *router)
{
	char path[128];

	stats_path(router, path, sizeof(path));
	if (router->stats) {
		munmap(router->stats, sizeof(*router->stats));
		unlink(path);
	}
	fib_destroy(router->fib);
	tables_destroy(router->tables);
	free(router);
}

struct wye_stats *router_stats(struct router *router)
{
	struct wye_stats *stats;
	char path[128];
	int fd;

	stats_path(router, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && !ftruncate(fd, sizeof(*stats)));
	stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	assert_ptr_not_equal(stats, MAP_FAILED);
	stats->file = (struct wye_file){
		.magic = WYE_MAGIC, .abi_version = WYE_ABI_VERSION, .kind = WYE_KIND_STATS, .layout_hash = WYE_LAYOUT_HASH,
		.size_bytes = sizeof(*stats), .writer_pid = (uint32_t)getpid(), .writer_start = wye_process_start(getpid()),
	};
	stats->heartbeat_ns = UINT64_MAX; /* never old */
	stats->state = WYE_DPD_RUNNING;
	stats->n_ports = 2;
	for (uint32_t i = 0; i < 2; i++) {
		struct wye_port_info *port = &stats->port[i];

		snprintf(port->netdev, sizeof(port->netdev), "v%u", i);
		snprintf(port->driver, sizeof(port->driver), "af_xdp");
		port->ifindex = 2 + i;
		port->state = WYE_PORT_ACTIVE;
		port->queues = 1;
	}
	router->stats = stats;
	return stats;
}

/* ---- records ---- */

static void *record(struct router *router, enum wye_section_id id, uint32_t index)
{
	const struct wye_section *section = &router->tables->region.base->section[id];

	return (char *)region_records(&router->tables->region, id) + (size_t)index * section->record_bytes;
}

uint32_t nexthop(struct router *router, struct wye_nexthop value)
{
	uint32_t id = region_alloc(&router->tables->region, WYE_SECTION_NEXTHOP_SLOT, 1);
	uint32_t index = region_alloc(&router->tables->region, WYE_SECTION_NEXTHOP, 1);

	*(struct wye_nexthop *)record(router, WYE_SECTION_NEXTHOP, index) = value;
	wye_publish_word(record(router, WYE_SECTION_NEXTHOP_SLOT, id), index);
	return id;
}

/* Family of a textual address, 0 = NULL. */
static uint8_t address_of(const char *text, uint8_t bytes[16])
{
	uint8_t family = !text ? 0 : strchr(text, ':') ? AF_INET6 : AF_INET;

	memset(bytes, 0, 16);
	if (family)
		assert_int_equal(inet_pton(family, text, bytes), 1);
	return family;
}

static uint8_t prefix_of(const char *text, uint8_t *bytes)
{
	const char *slash = strchr(text, '/');
	char addr[64];

	assert_non_null(slash);
	snprintf(addr, sizeof(addr), "%.*s", (int)(slash - text), text);
	assert_int_equal(inet_pton(strchr(addr, ':') ? AF_INET6 : AF_INET, addr, bytes), 1);
	return (uint8_t)atoi(slash + 1);
}

uint32_t nexthop_via(struct router *router, uint8_t kind, uint32_t ifindex, const char *gateway)
{
	struct wye_nexthop value = { .kind = kind, .ifindex = ifindex, .link = ifindex, .mtu_bytes = 1500, .weight = 1 };

	value.family = address_of(gateway, value.gateway);
	if (kind == WYE_NH_FORWARD) {
		value.rewrite_len = 14;
		memcpy(value.rewrite, (uint8_t[14]){ 2, 0, 0, 0, 9, 9, 2, 0, 0, 0, 0, (uint8_t)ifindex, 8, 0 }, 14);
	}
	return nexthop(router, value);
}

uint32_t nexthop_group(struct router *router, const uint32_t *ids, uint16_t buckets)
{
	uint32_t first = region_alloc(&router->tables->region, WYE_SECTION_GROUP, buckets);
	struct wye_nexthop value = { .kind = WYE_NH_GROUP, .group = first, .buckets = buckets };

	for (uint32_t b = 0; b < buckets; b++)
		wye_publish_word(record(router, WYE_SECTION_GROUP, first + b), ids[b]);
	return nexthop(router, value);
}

uint32_t neighbour(struct router *router, uint32_t ifindex, const char *addr, uint16_t nud_state, uint32_t ntf_flags)
{
	struct wye_region *base = router->tables->region.base;
	uint32_t index = region_alloc(&router->tables->region, WYE_SECTION_NEIGH, 1), mask = base->neigh_hash_mask, at;
	struct wye_neigh *neigh = record(router, WYE_SECTION_NEIGH, index);
	struct wye_nexthop way = { .kind = nud_state & NUD_FAILED ? WYE_NH_UNRESOLVED : WYE_NH_FORWARD, .ifindex = ifindex,
				   .link = ifindex, .mtu_bytes = 1500, .rewrite_len = 14, .neigh = index };

	memset(neigh, 0, sizeof(*neigh));
	memcpy(way.rewrite, (uint8_t[14]){ 2, 0, 0, 0, 9, 9, 2, 0, 0, 0, 0, (uint8_t)ifindex, 8, 0 }, 14);
	neigh->ifindex = ifindex;
	neigh->family = address_of(addr, neigh->addr);
	neigh->nud_state = nud_state;
	neigh->ntf_flags = ntf_flags;
	neigh->lladdr_len = nud_state & NUD_FAILED ? 0 : 6;
	memcpy(neigh->lladdr, way.rewrite, 6);
	neigh->nexthop = nexthop(router, way);
	for (at = wye_neigh_hash(ifindex, neigh->addr) & mask;; at = (at + 1) & mask)
		if (!wye_read_word((_Atomic uint32_t *)record(router, WYE_SECTION_NEIGH_HASH, at)))
			break;
	wye_publish_word(record(router, WYE_SECTION_NEIGH_HASH, at), index);
	return index;
}

uint32_t route4(struct router *router, const char *prefix, struct wye_route4 value)
{
	uint32_t index = region_alloc(&router->tables->region, WYE_SECTION_ROUTE4, 1);

	value.prefix_len = prefix_of(prefix, value.dst);
	*(struct wye_route4 *)record(router, WYE_SECTION_ROUTE4, index) = value;
	if (value.flags & WYE_ROUTE_BEST)
		assert_int_equal(fib_set(router->fib, WYE_VRF_MAIN, AF_INET, value.dst, value.prefix_len, value.nexthop), 0);
	fib_flush(router->fib, 0);
	return index;
}

uint32_t route6(struct router *router, const char *prefix, struct wye_route6 value)
{
	uint32_t index = region_alloc(&router->tables->region, WYE_SECTION_ROUTE6, 1);

	value.prefix_len = prefix_of(prefix, value.dst);
	*(struct wye_route6 *)record(router, WYE_SECTION_ROUTE6, index) = value;
	if (value.flags & WYE_ROUTE_BEST)
		assert_int_equal(fib_set(router->fib, WYE_VRF_MAIN, AF_INET6, value.dst, value.prefix_len, value.nexthop), 0);
	fib_flush(router->fib, 0);
	return index;
}

void address(struct router *router, const char *prefix, struct wye_addr value)
{
	uint32_t index = region_alloc(&router->tables->region, WYE_SECTION_ADDR, 1);

	value.prefix_len = prefix_of(prefix, value.local);
	value.family = strchr(prefix, ':') ? AF_INET6 : AF_INET;
	if (!memcmp(value.address, (uint8_t[16]){ 0 }, 16))
		memcpy(value.address, value.local, 16);
	*(struct wye_addr *)record(router, WYE_SECTION_ADDR, index) = value;
}

/* ---- the command ---- */

struct answer wye(const struct router *router, ...)
{
	char *argv[32] = { "wye", "-r", (char *)router->tables->dir };
	struct answer answer = { 0 };
	size_t len;
	FILE *file = open_memstream(&answer.text, &len);
	int argc = 3;
	va_list args;

	assert_non_null(file);
	va_start(args, router);
	for (char *arg; argc < 31 && (arg = va_arg(args, char *));)
		argv[argc++] = arg;
	va_end(args);
	answer.code = wye_run(argc, argv, file);
	fclose(file);
	answer.json = json_loadb(answer.text, len, 0, NULL);
	return answer;
}

void answer_free(struct answer *answer)
{
	json_decref(answer->json);
	free(answer->text);
}

void assert_answer_(struct answer answer, const char *expected, const char *file, int line)
{
	json_error_t error;
	json_t *want = json_loads(expected, 0, &error);
	bool same = want && answer.code == 0 && answer.json && json_equal(want, answer.json);

	if (!want)
		print_error("%s:%d: expected: %s at column %d\n", file, line, error.text, error.column);
	if (!same)
		print_error("exit code %d\n got:      %s\n expected: %s\n", answer.code, answer.text, expected);
	json_decref(want);
	answer_free(&answer);
	_assert_true(same, "wye's answer", file, line);
}
