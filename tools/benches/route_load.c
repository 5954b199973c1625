/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads tables of routes into the kernel of the current network namespace as fast as rtnetlink takes them: requests in
 * buffers of 64 KiB, one acknowledgement a buffer. A routing daemon works the same way.
 *
 * usage: route_load add|delete TABLE GATEWAY GATEWAYS [TABLE GATEWAY GATEWAYS]...
 *	  route_load churn TABLE GATEWAY GATEWAYS RATE SECONDS
 * A line of TABLE is "PREFIX/LEN N": a route of either family via GATEWAY + (N modulo GATEWAYS); GATEWAY nhid/ID: by the
 * nexthop object ID + (N modulo GATEWAYS). churn replaces one after the other, each time by the next gateway, RATE of
 * them a second. Tables are read before the clock starts. Prints one JSON object; end_ns is CLOCK_MONOTONIC.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES  65536
#define REQUEST_BYTES 128	/* none is larger */
#define SLICE_NS      1000000ull

struct route {
	uint8_t dst[16];
	uint8_t family, len;
	uint32_t nexthop;
};

struct table {
	struct route *route;
	size_t n, capacity;
	uint8_t gateway[16];
	uint32_t object, gateways;	/* object: nexthop object instead of gateway, 0 = none */
};

struct loader {
	int fd;
	uint16_t type;			/* RTM_NEWROUTE, RTM_DELROUTE */
	uint8_t buffer[BUFFER_BYTES];
	size_t filled;
	struct nlmsghdr *last;
	uint64_t routes, failed;
	int first_error;
};

static void die(const char *what, const char *arg)
{
	fprintf(stderr, "route_load: %s %s: %s\n", what, arg, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* ---- tables ---------------------------------------------------------------------------------------------------------- */

static void table_add(struct table *table, const struct route *route)
{
	if (table->n == table->capacity) {
		table->capacity = table->capacity ? table->capacity * 2 : 1 << 16;
		table->route = realloc(table->route, table->capacity * sizeof(*route));
		if (!table->route)
			die("no memory for", "routes");
	}
	table->route[table->n++] = *route;
}

static struct table table_read(char **argv)
{
	struct table table = { .gateways = (uint32_t)atoi(argv[2]) };
	FILE *file = fopen(argv[0], "r");
	unsigned int len, nexthop;
	char prefix[64];

	if (!file)
		die("open", argv[0]);
	if (!table.gateways || (sscanf(argv[1], "nhid/%u", &table.object) != 1 &&
				inet_pton(strchr(argv[1], ':') ? AF_INET6 : AF_INET, argv[1], table.gateway) != 1)) {
		errno = EINVAL;
		die("gateways", argv[1]);
	}
	while (fscanf(file, " %63[^/]/%u %u", prefix, &len, &nexthop) == 3) {
		struct route route = { .family = strchr(prefix, ':') ? AF_INET6 : AF_INET, .len = (uint8_t)len,
				       .nexthop = nexthop };

		if (inet_pton(route.family, prefix, route.dst) == 1)
			table_add(&table, &route);
	}
	fclose(file);
	return table;
}

/* ---- requests -------------------------------------------------------------------------------------------------------- */

/* Until the acknowledgement of the buffer's last request; errors of single ones come before it. */
static void answers_read(struct loader *l)
{
	union {
		struct nlmsghdr header;
		uint8_t bytes[BUFFER_BYTES];
	} in;
	bool last = false;

	while (!last) {
		ssize_t len = recv(l->fd, &in, sizeof(in), 0);

		if (len < 0)
			die("receive", "answers");
		for (struct nlmsghdr *h = &in.header; NLMSG_OK(h, (size_t)len); h = NLMSG_NEXT(h, len)) {
			const struct nlmsgerr *answer = NLMSG_DATA(h);

			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			last |= answer->msg.nlmsg_flags & NLM_F_ACK;
			if (!answer->error)
				continue;
			l->failed++;
			l->first_error = l->first_error ? l->first_error : -answer->error;
		}
	}
}

static void buffer_send(struct loader *l)
{
	if (!l->filled)
		return;
	l->last->nlmsg_flags |= NLM_F_ACK;
	if (send(l->fd, l->buffer, l->filled, 0) < 0)
		die("send", "requests");
	l->filled = 0;
	answers_read(l);
}

static void attr_put(struct nlmsghdr *h, uint16_t type, const void *data, uint16_t bytes)
{
	struct rtattr *attr = (struct rtattr *)((char *)h + h->nlmsg_len);

	attr->rta_len = (uint16_t)RTA_LENGTH(bytes);
	attr->rta_type = type;
	memcpy(RTA_DATA(attr), data, bytes);
	h->nlmsg_len += (uint32_t)RTA_SPACE(bytes);
}

static void gateway_put(struct nlmsghdr *h, const struct table *table, uint8_t family, uint32_t nexthop)
{
	uint32_t by = nexthop % table->gateways, object = table->object + by, low;
	uint8_t gateway[16];
	uint16_t bytes = family == AF_INET ? 4 : 16;

	if (table->object) {
		attr_put(h, RTA_NH_ID, &object, sizeof(object));
		return;
	}
	memcpy(gateway, table->gateway, sizeof(gateway));
	memcpy(&low, gateway + bytes - 4, 4);
	low = htonl(ntohl(low) + by);
	memcpy(gateway + bytes - 4, &low, 4);
	attr_put(h, RTA_GATEWAY, gateway, bytes);
}

static void route_put(struct loader *l, const struct table *table, const struct route *route, uint32_t nexthop)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(l->buffer + l->filled);
	struct rtmsg *rtm = NLMSG_DATA(h);

	*h = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(sizeof(*rtm)), .nlmsg_type = l->type,
				.nlmsg_flags = NLM_F_REQUEST |
					       (l->type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0) };
	*rtm = (struct rtmsg){ .rtm_family = route->family, .rtm_dst_len = route->len, .rtm_table = RT_TABLE_MAIN,
			       .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST };
	attr_put(h, RTA_DST, route->dst, route->family == AF_INET ? 4 : 16);
	gateway_put(h, table, route->family, nexthop);
	l->filled += h->nlmsg_len;
	l->last = h;
	l->routes++;
	if (l->filled + REQUEST_BYTES > BUFFER_BYTES)
		buffer_send(l);
}

static void table_load(struct loader *l, const struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		route_put(l, table, &table->route[i], table->route[i].nexthop);
	buffer_send(l);
}

/* Each millisecond begins with the changes that are due in it, and those of milliseconds that were overslept. The time it
 * all takes tells whether the rate was held. */
static void table_churn(struct loader *l, const struct table *table, double rate, double seconds)
{
	const uint64_t start = now_ns(), slices = (uint64_t)(seconds * 1e9) / SLICE_NS;
	const uint64_t total = (uint64_t)(rate * seconds);

	for (uint64_t slice = 0; l->routes < total; slice = (now_ns() - start) / SLICE_NS) {
		uint64_t due = slice + 1 < slices ? total * (slice + 1) / slices : total, next = start + (slice + 1) * SLICE_NS;
		struct timespec until = { (time_t)(next / 1000000000ull), (long)(next % 1000000000ull) };

		for (uint64_t i = l->routes; i < due; i++) {
			const struct route *route = &table->route[i % table->n];

			route_put(l, table, route, route->nexthop + 1 + (uint32_t)(i / table->n));
		}
		buffer_send(l);
		if (l->routes < total)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: route_load add|delete TABLE GATEWAY GATEWAYS [TABLE GATEWAY GATEWAYS]...\n"
			"       route_load churn TABLE GATEWAY GATEWAYS RATE SECONDS\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct loader l;
	struct table table[8];
	bool churn = argc == 7 && !strcmp(argv[1], "churn");
	int n = churn ? 1 : (argc - 2) / 3;
	uint64_t start, end;

	if (!churn && (argc < 5 || (argc - 2) % 3 || n > 8 || (strcmp(argv[1], "add") && strcmp(argv[1], "delete"))))
		return usage();
	l.type = strcmp(argv[1], "delete") ? RTM_NEWROUTE : RTM_DELROUTE;
	l.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (l.fd < 0)
		die("netlink", "socket");
	setsockopt(l.fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ 1 << 22 }, sizeof(int));
	setsockopt(l.fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 1 << 22 }, sizeof(int));
	setsockopt(l.fd, SOL_NETLINK, NETLINK_CAP_ACK, &(int){ 1 }, sizeof(int));
	for (int i = 0; i < n; i++)
		table[i] = table_read(argv + 2 + 3 * i);
	start = now_ns();
	for (int i = 0; i < n; i++) {
		if (churn)
			table_churn(&l, &table[i], atof(argv[5]), atof(argv[6]));
		else
			table_load(&l, &table[i]);
	}
	end = now_ns();
	printf("{\"routes\":%llu,\"failed\":%llu,\"first_error\":\"%s\",\"seconds\":%.3f,\"end_ns\":%llu}\n",
	       (unsigned long long)l.routes, (unsigned long long)l.failed, l.first_error ? strerror(l.first_error) : "",
	       (double)(end - start) / 1e9, (unsigned long long)end);
	return l.failed != 0;
}
