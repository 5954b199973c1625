/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long until a change of the kernel's is in the shared tables. Looked up as the worker does for each packet: the
 * same code on the same memory, nothing cached.
 *
 *   probe change RUN-DIR NETDEV PREFIX GATEWAY-A GATEWAY-B COUNT
 *		moves the IPv4 route PREFIX from one gateway to the other and back by rtnetlink and notes for each
 *		change when the kernel had acknowledged it and when a lookup gave the new gateway
 *   probe nexthop RUN-DIR NETDEV ADDRESS ID GATEWAY-A GATEWAY-B COUNT
 *		moves the nexthop object ID instead; a lookup of ADDRESS tells; from when the kernel told of it
 *   probe down RUN-DIR NETDEV ADDRESS CPU
 *		switches NETDEV off and notes when the kernel told so, when no lookup of ADDRESS gave it any more, when
 *		the dataplane last sent something there, and when the kernel was done with it. The kernel works on CPU,
 *		and gives it to nobody meanwhile: the probe is to be started on another, and is real-time
 *   probe await RUN-DIR ADDRESS GENERATION SECONDS
 *		until tables newer than GENERATION are in sync and forward packets for ADDRESS; prints the time
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"
#include "wye_fib.h"
#include "wye_map.h"

#define CHANGE_TIMEOUT_NS 2000000000ull
#define SPIN_NS		  200000ull
#define WATCH_NS	  100000ull
#define SETTLE_NS	  20000000ull	/* until who looks is real-time */

struct change {
	const struct wye_control *control;
	const struct wye_region *region;
	struct wye_readers *readers;
	struct wye_reader_slot *slot;
	uint64_t generation;
	int fd;
	uint32_t ifindex, gateway[2];
	uint8_t dst[16], prefix_len;
	bool ipv6;
	uint32_t object;		/* the nexthop object that is moved, 0 = the route */
	cpu_set_t cpu;			/* where a link is switched off */
};

/* ---- requests -------------------------------------------------------------------------------------------------------- */

struct request {
	union {
		struct nlmsghdr header;
		uint8_t bytes[256];
	};
};

static void request_start(struct request *request, uint16_t type, uint16_t flags, const void *fixed, size_t bytes)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(bytes);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	memcpy(NLMSG_DATA(&request->header), fixed, bytes);
}

static void request_u32(struct request *request, uint16_t type, uint32_t value)
{
	struct rtattr *attr = (struct rtattr *)(request->bytes + request->header.nlmsg_len);

	attr->rta_len = RTA_LENGTH(sizeof(value));
	attr->rta_type = type;
	memcpy(RTA_DATA(attr), &value, sizeof(value));
	request->header.nlmsg_len += (uint32_t)RTA_SPACE(sizeof(value));
}

/* Sends it and waits for the acknowledgement. */
static void request_done(int fd, const struct request *request, const char *what)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t rest[256];
	} answer;

	if (send(fd, request, request->header.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		die("rtnetlink", strerror(errno));
	if (answer.header.nlmsg_type != NLMSG_ERROR || answer.error.error)
		die(what, strerror(-answer.error.error));
}

static void change_route(struct change *c, uint32_t gateway)
{
	struct rtmsg rtm = { .rtm_family = AF_INET, .rtm_dst_len = c->prefix_len, .rtm_table = RT_TABLE_MAIN,
			     .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST };
	struct request request;
	uint32_t dst;

	memcpy(&dst, c->dst, sizeof(dst));
	request_start(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &rtm, sizeof(rtm));
	request_u32(&request, RTA_DST, dst);
	request_u32(&request, RTA_GATEWAY, gateway);
	request_u32(&request, RTA_OIF, c->ifindex);
	request_done(c->fd, &request, "route");
}

static void change_object(struct change *c, uint32_t gateway)
{
	struct nhmsg nhm = { .nh_family = AF_INET, .nh_protocol = RTPROT_STATIC };
	struct request request;

	request_start(&request, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE, &nhm, sizeof(nhm));
	request_u32(&request, NHA_ID, c->object);
	request_u32(&request, NHA_GATEWAY, gateway);
	request_u32(&request, NHA_OIF, c->ifindex);
	request_done(c->fd, &request, "nexthop");
}

/* ---- lookups --------------------------------------------------------------------------------------------------------- */

static int route_socket(uint32_t groups)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("netlink", strerror(errno));
	return fd;
}

static bool still_active(const struct change *c)
{
	return atomic_load_explicit((_Atomic uint64_t *)&c->control->active, memory_order_acquire) == c->generation;
}

/* To the active tables. False: there are none yet. */
static bool tables_follow(struct change *c, const char *run_dir, char *why)
{
	if ((!c->control && wye_map_control(run_dir, &c->control, why)) ||
	    (!c->readers && wye_map_readers(run_dir, &c->readers, why)))
		return false;
	if (c->region && still_active(c))
		return true;
	wye_reader_release(c->slot);
	wye_unmap(c->region);
	c->slot = NULL;
	c->region = NULL;
	if (wye_map_tables(c->control, &c->region, why))
		return false;
	c->slot = wye_reader_claim(c->readers, 0);
	if (!c->slot)
		die("reader slot", strerror(errno));
	c->generation = c->region->file.generation;
	atomic_store_explicit(&c->slot->generation, c->generation, memory_order_release);
	return true;
}

static void tables_open(struct change *c, const char *run_dir)
{
	char why[WYE_WHY_BYTES];

	if (!tables_follow(c, run_dir, why))
		die("tables", why);
}

static void address_set(struct change *c, const char *text)
{
	c->ipv6 = strchr(text, ':');
	if (inet_pton(c->ipv6 ? AF_INET6 : AF_INET, text, c->dst) != 1)
		die(text, "not an address");
}

/* By which link, and to which gateway, packets for the address are forwarded; 0 = not. */
static void look(struct change *c, uint32_t *ifindex, uint32_t *gateway)
{
	struct wye_fib fib = wye_fib_of(c->region, WYE_VRF_MAIN);
	const struct wye_nexthop *nexthop;
	uint32_t id;

	wye_reader_online(c->slot, &c->region->epoch);
	id = c->ipv6 ? wye_fib6_lookup(&fib, c->dst) : wye_fib4_lookup(&fib, c->dst);
	nexthop = wye_nexthop_of(c->region, id);
	*ifindex = id && nexthop->kind == WYE_NH_FORWARD ? nexthop->ifindex : 0;
	memcpy(gateway, nexthop->gateway, 4);
	wye_reader_offline(c->slot);
}

static bool change_seen(struct change *c, uint32_t gateway)
{
	uint32_t ifindex, now;

	look(c, &ifindex, &now);
	return ifindex && now == gateway;
}

/* ---- change, nexthop ------------------------------------------------------------------------------------------------- */

/* Spins at first, then leaves the CPU to wye-ctld between two looks, 10 us apart. */
static uint64_t change_await(struct change *c, uint32_t gateway, uint64_t since)
{
	uint64_t now;

	while (!change_seen(c, gateway)) {
		now = now_ns();
		if (!still_active(c))
			die("tables", "another generation became active in mid-measurement");
		if (now - since > CHANGE_TIMEOUT_NS)
			die("change", "not in the tables after 2 s: gateways must have resolved neighbours");
		if (now - since > SPIN_NS)
			sleep_ns(10000);
	}
	return now_ns();
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double ms_at(const uint64_t *sorted, size_t n, double quantile)
{
	size_t at = (size_t)(quantile * (double)n);

	return (double)sorted[at < n ? at : n - 1] / 1e6;
}

/* A change that keeps the kernel busy for long is made beside the looking. */
struct beside {
	pthread_t thread;
	struct change *c;
	void (*move)(struct change *c, uint32_t gateway);
	uint32_t gateway;
	_Atomic uint64_t start_ns, done_ns;	/* 0 = not yet */
};

static void *beside_run(void *arg)
{
	struct beside *beside = arg;

	atomic_store(&beside->start_ns, now_ns());
	beside->move(beside->c, beside->gateway);
	atomic_store(&beside->done_ns, now_ns());
	return NULL;
}

static uint64_t beside_start(struct beside *beside)
{
	if (pthread_create(&beside->thread, NULL, beside_run, beside))
		die("thread", strerror(errno));
	while (!atomic_load(&beside->start_ns))
		sleep_ns(1000);
	return atomic_load(&beside->start_ns);
}

/* Until wye-ctld has no more messages to read. */
static void quiet_await(const struct change *c)
{
	uint64_t before, now = 0;

	do {
		before = now;
		sleep_ns(100000000);
		now = atomic_load_explicit((_Atomic uint64_t *)&c->control->stats.messages, memory_order_relaxed);
	} while (now != before);
}

struct samples {
	uint64_t *seen, *acknowledged;
	size_t count;
};

static struct samples samples_make(const char *count)
{
	struct samples s = { .count = (size_t)atol(count) };

	s.seen = calloc(s.count, sizeof(*s.seen));
	s.acknowledged = calloc(s.count, sizeof(*s.acknowledged));
	if (!s.seen || !s.acknowledged || !s.count)
		die("change", "a COUNT above 0, please");
	prctl(PR_SET_TIMERSLACK, 1);
	return s;
}

static void samples_print(struct samples *s)
{
	qsort(s->seen, s->count, sizeof(*s->seen), compare);
	qsort(s->acknowledged, s->count, sizeof(*s->acknowledged), compare);
	printf("{\"count\":%zu,\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f,\"ack_p50_ms\":%.4f,\"ack_p99_ms\":%.4f}\n",
	       s->count, ms_at(s->seen, s->count, 0.5), ms_at(s->seen, s->count, 0.99), ms_at(s->seen, s->count, 1),
	       ms_at(s->acknowledged, s->count, 0.5), ms_at(s->acknowledged, s->count, 0.99));
}

static void change_open(struct change *c, const char *run_dir, const char *netdev, char **gateways)
{
	for (int i = 0; i < 2; i++)
		if (inet_pton(AF_INET, gateways[i], &c->gateway[i]) != 1)
			die(gateways[i], "not an IPv4 address");
	c->ifindex = if_nametoindex(netdev);
	if (!c->ifindex)
		die(netdev, strerror(errno));
	tables_open(c, run_dir);
	c->fd = route_socket(0);
}

int probe_change(char **argv)
{
	struct samples s = samples_make(argv[5]);
	struct change c = { 0 };
	char *slash = strchr(argv[2], '/');

	if (!slash)
		die(argv[2], "PREFIX/LEN, please");
	*slash = '\0';
	c.prefix_len = (uint8_t)atoi(slash + 1);
	address_set(&c, argv[2]);
	change_open(&c, argv[0], argv[1], argv + 3);
	change_route(&c, c.gateway[1]);
	change_await(&c, c.gateway[1], now_ns());
	for (size_t i = 0; i < s.count; i++) {
		uint64_t start;

		sleep_ns(1000000 + (i % 7) * 300000);	/* not in step with anybody's timer */
		start = now_ns();
		change_route(&c, c.gateway[i & 1]);
		s.acknowledged[i] = now_ns() - start;
		s.seen[i] = change_await(&c, c.gateway[i & 1], start) - start;
	}
	wye_reader_release(c.slot);
	samples_print(&s);
	return 0;
}

/* Waits until the kernel tells of a message of that type, or for timeout_ms. False: it did not. */
static bool told(int events, uint16_t type, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = events, .events = POLLIN };
	union {
		struct nlmsghdr header;
		uint8_t bytes[32768];
	} in;

	while (poll(&poll_fd, 1, timeout_ms) > 0) {
		ssize_t len = recv(events, &in, sizeof(in), MSG_DONTWAIT);

		for (struct nlmsghdr *h = &in.header; len > 0 && NLMSG_OK(h, (size_t)len); h = NLMSG_NEXT(h, len))
			if (h->nlmsg_type == type)
				return true;
	}
	return false;
}

/* The kernel has it changed some time before it says so, and may then be busy for seconds (nexthop_compat_mode). */
int probe_nexthop(char **argv)
{
	struct change c = { .object = (uint32_t)atol(argv[3]) };
	struct samples s = samples_make(argv[6]);
	int events = route_socket(1u << (RTNLGRP_NEXTHOP - 1));

	address_set(&c, argv[2]);
	change_open(&c, argv[0], argv[1], argv + 4);
	change_object(&c, c.gateway[1]);
	change_await(&c, c.gateway[1], now_ns());
	for (size_t i = 0; i < s.count; i++) {
		struct beside beside = { .c = &c, .move = change_object, .gateway = c.gateway[i & 1] };
		uint64_t start, since;

		quiet_await(&c);
		while (told(events, RTM_NEWNEXTHOP, 0))
			;
		start = beside_start(&beside);
		if (!told(events, RTM_NEWNEXTHOP, 10000))
			die("nexthop", "the kernel did not tell of it");
		since = now_ns();
		s.acknowledged[i] = since - start;
		s.seen[i] = change_await(&c, c.gateway[i & 1], since) - since;
		pthread_join(beside.thread, NULL);
	}
	wye_reader_release(c.slot);
	samples_print(&s);
	return 0;
}

/* ---- down ------------------------------------------------------------------------------------------------------------ */

static void switch_off(struct change *c, uint32_t gateway)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = (int)c->ifindex, .ifi_change = IFF_UP };
	struct request request;

	(void)gateway;
	if (sched_setaffinity(0, sizeof(c->cpu), &c->cpu))
		die("the link's CPU", strerror(errno));
	sleep_ns(SETTLE_NS);
	request_start(&request, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	request_done(c->fd, &request, "link");
}

/* Has the kernel told that the link is down? */
static bool down_told(int events, uint32_t ifindex)
{
	union {
		struct nlmsghdr header;
		uint8_t bytes[32768];
	} in;
	ssize_t len;

	while ((len = recv(events, &in, sizeof(in), MSG_DONTWAIT)) > 0) {
		for (struct nlmsghdr *h = &in.header; NLMSG_OK(h, (size_t)len); h = NLMSG_NEXT(h, len)) {
			const struct ifinfomsg *ifi = NLMSG_DATA(h);

			if (h->nlmsg_type == RTM_NEWLINK && ifi->ifi_index == (int)ifindex && !(ifi->ifi_flags & IFF_UP))
				return true;
		}
	}
	return false;
}

/* When the dataplane last sent something out of a port. */
struct sending {
	const struct wye_stats *stats;	/* NULL = no dataplane */
	uint32_t port;
	uint64_t packets, last_ns;
};

static void sending_watch(struct sending *sending)
{
	uint64_t now = sending->stats ? sent_by(sending->stats, sending->port) : 0;

	if (now != sending->packets)
		sending->last_ns = now_ns();
	sending->packets = now;
}

static void sending_open(struct sending *sending, const char *run_dir, const char *netdev)
{
	char why[WYE_WHY_BYTES];

	if (wye_map_stats(run_dir, &sending->stats, why))
		sending->stats = NULL;
	sending->port = sending->stats ? port_named(sending->stats, netdev) : 0;
	if (sending->stats && sending->port >= sending->stats->n_ports)
		die(netdev, "not a port of wye-dpd");
	sending_watch(sending);
}

static double ms_since(uint64_t start, uint64_t then)
{
	return then > start ? (double)(then - start) / 1e6 : 0;
}

int probe_down(char **argv)
{
	struct change c = { .ifindex = if_nametoindex(argv[1]) };
	struct beside beside = { .c = &c, .move = switch_off };
	struct sending sending = { 0 };
	uint64_t start, told = 0, seen = 0, done;
	uint32_t ifindex, gateway;
	int events = route_socket(RTMGRP_LINK);

	if (!c.ifindex)
		die(argv[1], strerror(errno));
	address_set(&c, argv[2]);
	tables_open(&c, argv[0]);
	sending_open(&sending, argv[0], argv[1]);
	c.fd = route_socket(0);
	look(&c, &ifindex, &gateway);
	if (ifindex != c.ifindex)
		die(argv[2], "is not forwarded to that link");
	prctl(PR_SET_TIMERSLACK, 1);
	CPU_SET(atoi(argv[3]), &c.cpu);
	start = beside_start(&beside);
	if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 }))
		die("real-time", strerror(errno));
	do {
		if (!told && down_told(events, c.ifindex))
			told = now_ns();
		look(&c, &ifindex, &gateway);
		if (!seen && ifindex != c.ifindex)
			seen = now_ns();
		sending_watch(&sending);
		if (now_ns() - start > 30000000000ull)
			die(argv[1], "still in the tables after 30 s");
		sleep_ns(WATCH_NS);
		done = atomic_load(&beside.done_ns);
	} while (!told || !seen || !done || now_ns() - done < 100000000);
	pthread_join(beside.thread, NULL);
	wye_reader_release(c.slot);
	printf("{\"told_ms\":%.3f,\"seen_ms\":%.3f,\"sent_ms\":%.3f,\"done_ms\":%.3f}\n", ms_since(start, told),
	       ms_since(start, seen), ms_since(start, sending.last_ns), ms_since(start, done));
	return 0;
}

/* ---- await ----------------------------------------------------------------------------------------------------------- */

int probe_await(char **argv)
{
	uint64_t after = strtoull(argv[2], NULL, 10), deadline = now_ns() + (uint64_t)(atof(argv[3]) * 1e9);
	uint32_t ifindex = 0, gateway;
	struct change c = { 0 };
	char why[WYE_WHY_BYTES];

	address_set(&c, argv[1]);
	prctl(PR_SET_TIMERSLACK, 1);
	while (!ifindex) {
		if (tables_follow(&c, argv[0], why) && c.generation > after &&
		    atomic_load_explicit((_Atomic uint32_t *)&c.control->state, memory_order_acquire) ==
		    WYE_MIRROR_IN_SYNC)
			look(&c, &ifindex, &gateway);
		if (now_ns() > deadline)
			die(argv[1], "not forwarded by tables in sync in time");
		sleep_ns(500000);
	}
	printf("{\"ns\":%llu,\"generation\":%llu}\n", (unsigned long long)now_ns(), (unsigned long long)c.generation);
	wye_reader_release(c.slot);
	return 0;
}
