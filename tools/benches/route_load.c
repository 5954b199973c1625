/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads a table of routes into the kernel of the current network namespace as fast as rtnetlink takes them: requests in
 * buffers of 64 KiB, one acknowledgement a buffer. A routing daemon works the same way.
 *
 * usage: route_load add|delete TABLE GATEWAY GATEWAYS
 * A line of TABLE is "PREFIX/LEN N": an IPv4 route via GATEWAY + (N modulo GATEWAYS). Prints one JSON object.
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

#define BUFFER_BYTES 65536

struct request {
	struct nlmsghdr header;
	struct rtmsg route;
	struct rtattr dst_attr;
	uint32_t dst;
	struct rtattr gateway_attr;
	uint32_t gateway;
};
_Static_assert(sizeof(struct request) == 16 + 12 + 8 + 8, "no padding in a netlink message");

struct loader {
	int fd;
	bool add;
	uint32_t gateway, gateways;	/* host order */
	uint8_t buffer[BUFFER_BYTES];
	size_t filled;
	uint64_t routes, failed;
	int first_error;
};

static void die(const char *what, const char *arg)
{
	fprintf(stderr, "route_load: %s %s: %s\n", what, arg, strerror(errno));
	exit(1);
}

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
	((struct request *)(l->buffer + l->filled - sizeof(struct request)))->header.nlmsg_flags |= NLM_F_ACK;
	if (send(l->fd, l->buffer, l->filled, 0) < 0)
		die("send", "requests");
	l->filled = 0;
	answers_read(l);
}

static void route_put(struct loader *l, uint32_t dst, uint8_t prefix_len, uint32_t nexthop)
{
	struct request *r = (struct request *)(l->buffer + l->filled);

	*r = (struct request){
		.header = { .nlmsg_len = sizeof(*r), .nlmsg_type = l->add ? RTM_NEWROUTE : RTM_DELROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | (l->add ? NLM_F_CREATE | NLM_F_REPLACE : 0) },
		.route = { .rtm_family = AF_INET, .rtm_dst_len = prefix_len, .rtm_table = RT_TABLE_MAIN,
			   .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST },
		.dst_attr = { .rta_len = RTA_LENGTH(4), .rta_type = RTA_DST },
		.dst = dst,
		.gateway_attr = { .rta_len = RTA_LENGTH(4), .rta_type = RTA_GATEWAY },
		.gateway = htonl(l->gateway + nexthop % l->gateways),
	};
	l->filled += sizeof(*r);
	l->routes++;
	if (l->filled + sizeof(*r) > BUFFER_BYTES)
		buffer_send(l);
}

static void table_load(struct loader *l, const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int len, nexthop;
	char prefix[32];
	uint32_t dst;

	if (!file)
		die("open", path);
	while (fscanf(file, " %31[^/]/%u %u", prefix, &len, &nexthop) == 3)
		if (len <= 32 && inet_pton(AF_INET, prefix, &dst) == 1)
			route_put(l, dst, (uint8_t)len, nexthop);
	fclose(file);
	buffer_send(l);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static struct loader l;
	double start = now_s();
	uint32_t gateway;

	if (argc != 5 || inet_pton(AF_INET, argv[3], &gateway) != 1 || atoi(argv[4]) < 1) {
		fprintf(stderr, "usage: route_load add|delete TABLE GATEWAY GATEWAYS\n");
		return 2;
	}
	l.add = !strcmp(argv[1], "add");
	l.gateway = ntohl(gateway);
	l.gateways = (uint32_t)atoi(argv[4]);
	l.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (l.fd < 0)
		die("netlink", "socket");
	setsockopt(l.fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ 1 << 22 }, sizeof(int));
	setsockopt(l.fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 1 << 22 }, sizeof(int));
	setsockopt(l.fd, SOL_NETLINK, NETLINK_CAP_ACK, &(int){ 1 }, sizeof(int));
	table_load(&l, argv[2]);
	printf("{\"routes\":%llu,\"failed\":%llu,\"first_error\":\"%s\",\"seconds\":%.3f}\n", (unsigned long long)l.routes,
	       (unsigned long long)l.failed, l.first_error ? strerror(l.first_error) : "", now_s() - start);
	return l.failed != 0;
}
