/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye record: what rtnetlink says in this namespace, byte for byte, into a file (wye_record.h) for `wye-ctld --replay`.
 * Everything is dumped in the order wye-ctld asks in, then notifications are taken down, then everything is dumped again,
 * since some of what the kernel does it does without a message. A dump that was interrupted is repeated; an overrun is
 * noted and followed by new dumps.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wye.h"
#include "wye_record.h"

#define BUFFER_BYTES	 (64u << 20)	/* of the notification socket */
#define DATAGRAM_BYTES	 (256u << 10)
#define ATTEMPTS_MAX	 8u		/* of one dump */

struct recorder {
	struct tool *tool;
	const char *path;
	FILE *file;
	int events, dumps, signals;	/* descriptors */
	uint32_t seq;			/* of the last request */
	uint64_t messages, bytes;
	bool lost;			/* notifications, not made up for yet */
	bool stop;
	bool dump_done, dump_interrupted;
	uint64_t changes6;		/* IPv6 route notifications */
	uint64_t end_ms;		/* 0 = not by the clock */
	char *datagram;
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- writing ---- */

static int put(struct recorder *rec, const struct nlmsghdr *msg)
{
	static const char pad[NLMSG_ALIGNTO];
	size_t padding = NLMSG_ALIGN(msg->nlmsg_len) - msg->nlmsg_len;

	rec->messages++;
	rec->bytes += msg->nlmsg_len + padding;
	if (fwrite(msg, 1, msg->nlmsg_len, rec->file) != msg->nlmsg_len || fwrite(pad, 1, padding, rec->file) != padding)
		return failure(rec->tool, WYE_EXIT_ERROR, "%s: %s", rec->path, strerror(errno));
	return WYE_EXIT_OK;
}

static int put_mark(struct recorder *rec, uint16_t type, const char *text)
{
	struct {
		struct nlmsghdr header;
		char text[32];
	} mark = { .header = { .nlmsg_type = type, .nlmsg_len = NLMSG_HDRLEN } };

	mark.header.nlmsg_len += (uint32_t)snprintf(mark.text, sizeof(mark.text), "%s", text);
	return put(rec, &mark.header);
}

/* ---- sockets ---- */

static int open_socket(struct recorder *rec)
{
	const int one = 1, buffer_bytes = BUFFER_BYTES;
	struct sockaddr_nl local = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof(local))) {
		failure(rec->tool, WYE_EXIT_ERROR, "netlink: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));	/* older kernels: without */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
	return fd;
}

static int open_sockets(struct recorder *rec)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_NETCONF,
				      RTNLGRP_IPV6_NETCONF, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV6_IFINFO,
				      RTNLGRP_NEIGH, RTNLGRP_NEXTHOP, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };
	sigset_t set;

	rec->events = open_socket(rec);
	rec->dumps = rec->events < 0 ? -1 : open_socket(rec);
	if (rec->dumps < 0)
		return WYE_EXIT_ERROR;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) /* one the kernel has not is not missed */
		setsockopt(rec->events, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i]));
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	rec->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (rec->signals < 0)
		return failure(rec->tool, WYE_EXIT_ERROR, "signalfd: %s", strerror(errno));
	return WYE_EXIT_OK;
}

/* ---- reading ---- */

static int take(struct recorder *rec, int fd, const struct nlmsghdr *msg)
{
	bool end = msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR;

	if (fd == rec->dumps && msg->nlmsg_seq != rec->seq)
		return WYE_EXIT_OK; /* of a dump that was given up */
	if (fd == rec->dumps) {
		rec->dump_done |= end;
		rec->dump_interrupted |= (msg->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	} else if ((msg->nlmsg_type & ~1u) == RTM_NEWROUTE && msg->nlmsg_len > NLMSG_HDRLEN) {
		rec->changes6 += *((const uint8_t *)msg + NLMSG_HDRLEN) == AF_INET6;
	}
	return put(rec, msg);
}

/* All that a socket holds. */
static int drain(struct recorder *rec, int fd)
{
	for (;;) {
		struct sockaddr_nl from;
		struct iovec vector = { rec->datagram, DATAGRAM_BYTES };
		struct msghdr header = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &vector,
					 .msg_iovlen = 1 };
		ssize_t n = recvmsg(fd, &header, 0);
		const struct nlmsghdr *msg = (const struct nlmsghdr *)rec->datagram;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return WYE_EXIT_OK;
		if (n < 0 && errno != ENOBUFS)
			return failure(rec->tool, WYE_EXIT_ERROR, "netlink: %s", strerror(errno));
		if (n < 0 || header.msg_flags & MSG_TRUNC) {
			rec->lost = true;
			if (put_mark(rec, NLMSG_OVERRUN, ""))
				return WYE_EXIT_ERROR;
			continue;
		}
		if (from.nl_pid) /* not from the kernel */
			continue;
		for (; NLMSG_OK(msg, n); msg = NLMSG_NEXT(msg, n))
			if (take(rec, fd, msg))
				return WYE_EXIT_ERROR;
	}
}

/* Waits for either socket, a signal or the end of time, and takes what there is. */
static int wait_and_take(struct recorder *rec)
{
	struct pollfd fds[] = { { .fd = rec->events, .events = POLLIN }, { .fd = rec->dumps, .events = POLLIN },
				{ .fd = rec->signals, .events = POLLIN } };
	uint64_t now = clock_ms();
	int timeout = !rec->end_ms ? -1 : now >= rec->end_ms ? 0 : (int)(rec->end_ms - now);

	if (rec->stop) /* the closing dumps are waited for */
		timeout = -1;
	if (poll(fds, 3, timeout) < 0 && errno != EINTR)
		return failure(rec->tool, WYE_EXIT_ERROR, "poll: %s", strerror(errno));
	if (fds[2].revents & POLLIN) {
		struct signalfd_siginfo info;

		while (read(rec->signals, &info, sizeof(info)) == sizeof(info))
			rec->stop = true;
	}
	rec->stop |= rec->end_ms && clock_ms() >= rec->end_ms;
	return drain(rec, rec->events) || drain(rec, rec->dumps) ? WYE_EXIT_ERROR : WYE_EXIT_OK;
}

/* ---- dumps ---- */

struct request {
	struct nlmsghdr header;
	char body[16];		/* ifinfomsg is the largest fixed header */
};

static const struct dump {
	uint16_t type;
	uint8_t family, header_bytes;	/* padded: strict checking wants it so */
} dumps[] = {
	{ RTM_GETLINK, AF_UNSPEC, 16 }, { RTM_GETNETCONF, AF_INET, 4 }, { RTM_GETNETCONF, AF_INET6, 4 },
	{ RTM_GETADDR, AF_UNSPEC, 8 }, { RTM_GETRULE, AF_INET, 12 }, { RTM_GETRULE, AF_INET6, 12 },
	{ RTM_GETNEIGH, AF_INET, 12 }, { RTM_GETNEIGH, AF_INET6, 12 }, { RTM_GETNEXTHOP, AF_UNSPEC, 8 },
	{ RTM_GETROUTE, AF_INET, 12 }, { RTM_GETROUTE, AF_INET6, 12 },
};

static int dump_once(struct recorder *rec, const struct dump *dump)
{
	struct request request = { .header = { .nlmsg_type = dump->type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
					       .nlmsg_seq = ++rec->seq,
					       .nlmsg_len = NLMSG_LENGTH(dump->header_bytes) } };

	request.body[0] = (char)dump->family; /* the first byte of each of these headers */
	rec->dump_done = rec->dump_interrupted = false;
	if (drain(rec, rec->events) || put(rec, &request.header))
		return WYE_EXIT_ERROR;
	if (send(rec->dumps, &request, request.header.nlmsg_len, 0) < 0)
		return failure(rec->tool, WYE_EXIT_ERROR, "netlink: %s", strerror(errno));
	while (!rec->dump_done && !rec->lost)
		if (wait_and_take(rec))
			return WYE_EXIT_ERROR;
	return WYE_EXIT_OK;
}

/* Until it is whole. One of IPv6 routes can miss some under changes and does not say so: twice, undisturbed. */
static int dump_whole(struct recorder *rec, const struct dump *dump)
{
	bool routes6 = dump->type == RTM_GETROUTE && dump->family == AF_INET6;
	unsigned good = 0;

	for (unsigned i = 0; i < ATTEMPTS_MAX && !rec->lost; i++) {
		uint64_t changes6 = rec->changes6;

		if (dump_once(rec, dump))
			return WYE_EXIT_ERROR;
		good += !rec->dump_interrupted && (!routes6 || changes6 == rec->changes6);
		if (good > (unsigned)routes6)
			break;
	}
	return WYE_EXIT_OK;
}

/* All there is; again if notifications were lost meanwhile. */
static int dump_all(struct recorder *rec)
{
	do {
		rec->lost = false;
		for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]) && !rec->lost; i++)
			if (dump_whole(rec, &dumps[i]))
				return WYE_EXIT_ERROR;
	} while (rec->lost);
	return WYE_EXIT_OK;
}

/* ---- the command ---- */

static int record(struct recorder *rec)
{
	if (put_mark(rec, NLMSG_NOOP, WYE_RECORD_BEGIN) || dump_all(rec))
		return WYE_EXIT_ERROR;
	if (fflush(rec->file))
		return failure(rec->tool, WYE_EXIT_ERROR, "%s: %s", rec->path, strerror(errno));
	while (!rec->stop)
		if (wait_and_take(rec) || (rec->lost && dump_all(rec)))
			return WYE_EXIT_ERROR;
	return dump_all(rec) || put_mark(rec, NLMSG_NOOP, WYE_RECORD_END) ? WYE_EXIT_ERROR : WYE_EXIT_OK;
}

static int parse(struct recorder *rec, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *value;
		char *end;
		unsigned long seconds;

		if (strcmp(argv[i], "--seconds")) {
			if (rec->path)
				return usage_error(rec->tool, "argument \"%s\": one file at a time", argv[i]);
			rec->path = argv[i];
			continue;
		}
		value = argument(rec->tool, argc, argv, &i);
		if (!value)
			return WYE_EXIT_USAGE;
		seconds = strtoul(value, &end, 10);
		if (*end || end == value || seconds > 1000000)
			return usage_error(rec->tool, "--seconds \"%s\": expected 0 to 1000000", value);
		rec->end_ms = clock_ms() + seconds * 1000;
	}
	return rec->path ? WYE_EXIT_OK : usage_error(rec->tool, "FILE is missing");
}

static void print_result(struct recorder *rec)
{
	struct out *out = &rec->tool->out;

	out_object(out, NULL);
	out_str(out, "file", rec->path);
	out_uint(out, "messages", rec->messages);
	out_uint(out, "bytes", rec->bytes);
	out_object_end(out);
	out_printf(out, "%s: %llu messages, %llu bytes\n", rec->path, (unsigned long long)rec->messages,
		   (unsigned long long)rec->bytes);
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct recorder rec = { .tool = tool, .events = -1, .dumps = -1, .signals = -1 };
	int code = parse(&rec, argc, argv), fd;

	if (code)
		return code;
	fd = open(rec.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rec.file = fd < 0 ? NULL : fdopen(fd, "w");
	rec.datagram = malloc(DATAGRAM_BYTES);
	if (!rec.file || !rec.datagram)
		code = failure(tool, WYE_EXIT_ERROR, "%s: %s", rec.path, strerror(errno));
	if (!code)
		code = open_sockets(&rec);
	if (!code)
		code = record(&rec);
	if (rec.file && fclose(rec.file) && !code)
		code = failure(tool, WYE_EXIT_ERROR, "%s: %s", rec.path, strerror(errno));
	if (!code)
		print_result(&rec);
	for (int *at = &rec.events; at <= &rec.signals; at++)
		if (*at >= 0)
			close(*at);
	free(rec.datagram);
	return code;
}

const struct command cmd_record = {
	.name = "record",
	.summary = "record what the kernel says of its network state, for wye-ctld --replay",
	.arguments = "FILE [--seconds N]",
	.help = "Takes down all of links, addresses, neighbours, routes and rules of this network namespace, then each\n"
		"change until it is interrupted (or for N seconds; 0: none), then all of it again. `ip monitor file FILE`\n"
		"shows it, `wye-ctld --replay FILE` makes tables of it. It names your addresses: treat it so.\n",
	.run = run,
};
