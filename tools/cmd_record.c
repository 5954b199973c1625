/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye record: what netlink says in this namespace, byte for byte, into a file (wye_record.h) for `wye-ctld --replay`.
 * Everything is dumped in the order wye-ctld asks in, then notifications are taken down, then everything is dumped again,
 * since some of what the kernel does it does without a message. A dump that was interrupted is repeated; an overrun is
 * noted and followed by new dumps. What only the parity guard looks at comes from sockets of its own, and is packed.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "libwye/netlink.h"
#include "wye.h"
#include "wye_record.h"

#define BUFFER_BYTES	 (64u << 20)	/* of the notification socket */
#define DATAGRAM_BYTES	 (256u << 10)
#define ATTEMPTS_MAX	 8u		/* of one dump */
#define SIDES_MAX	 8192u
#define NFT_TYPE(msg)	 ((NFNL_SUBSYS_NFTABLES << 8) | (msg))

enum source_id { SOURCE_RTNL, SOURCE_TC, SOURCE_NFT, SOURCE_XFRM, SOURCES };

struct source {
	int events, dumps;		/* descriptors, -1 = the kernel has it not, or we may not ask */
};

static const struct {
	const char *name;
	int protocol;
	int groups[13];
} sources[SOURCES] = {
	[SOURCE_RTNL] = { "links and routes", NETLINK_ROUTE,
			  { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_NETCONF,
			    RTNLGRP_IPV6_NETCONF, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV6_IFINFO, RTNLGRP_NEIGH,
			    RTNLGRP_NEXTHOP, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE } },
	[SOURCE_TC] = { "traffic control", NETLINK_ROUTE, { RTNLGRP_TC } },
	[SOURCE_NFT] = { "nf_tables", NETLINK_NETFILTER, { NFNLGRP_NFTABLES } },
	[SOURCE_XFRM] = { "IPsec policies", NETLINK_XFRM, { XFRMNLGRP_POLICY, XFRMNLGRP_EXPIRE } },
};

struct dump {
	enum source_id source;
	uint16_t type;
	uint8_t family, header_bytes;	/* padded: strict checking wants it so */
	uint16_t flags;
};

struct recorder {
	struct tool *tool;
	const char *path;
	FILE *file;
	struct source source[SOURCES];
	int signals;
	uint32_t seq;			/* of the last request */
	uint64_t messages, bytes;
	bool lost;			/* notifications, not made up for yet */
	bool stop;
	bool silent;			/* nothing goes into the file: may we ask at all? */
	bool dump_done, dump_interrupted;
	int dump_error;
	uint64_t changes6;		/* IPv6 route notifications */
	uint64_t end_ms;		/* 0 = not by the clock */
	struct tcmsg side[SIDES_MAX];	/* of links, that may have filters: as the last dump of qdiscs told */
	uint32_t n_sides;
	char *datagram;
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- writing ---- */

static int put_bytes(struct recorder *rec, const void *bytes, size_t n)
{
	rec->bytes += n;
	if (fwrite(bytes, 1, n, rec->file) != n)
		return failure(rec->tool, WYE_EXIT_ERROR, "%s: %s", rec->path, strerror(errno));
	return WYE_EXIT_OK;
}

static int put(struct recorder *rec, enum source_id source, const struct nlmsghdr *msg, bool dump)
{
	static const char pad[NLMSG_ALIGNTO];
	struct {
		struct nlmsghdr header;
		struct wye_record_packed packed;
	} outer = { .header = { .nlmsg_type = NLMSG_NOOP, .nlmsg_len = (uint32_t)sizeof(outer) + msg->nlmsg_len },
		    .packed = { WYE_RECORD_PACKED, (uint16_t)sources[source].protocol, dump } };

	if (rec->silent)
		return WYE_EXIT_OK;
	rec->messages++;
	if (source != SOURCE_RTNL && put_bytes(rec, &outer, sizeof(outer)))
		return WYE_EXIT_ERROR;
	return put_bytes(rec, msg, msg->nlmsg_len) || put_bytes(rec, pad, NLMSG_ALIGN(msg->nlmsg_len) - msg->nlmsg_len) ?
		       WYE_EXIT_ERROR :
		       WYE_EXIT_OK;
}

static int put_mark(struct recorder *rec, enum source_id source, uint16_t type, const char *text)
{
	struct {
		struct nlmsghdr header;
		char text[32];
	} mark = { .header = { .nlmsg_type = type, .nlmsg_len = NLMSG_HDRLEN } };

	mark.header.nlmsg_len += (uint32_t)snprintf(mark.text, sizeof(mark.text), "%s", text);
	return put(rec, source, &mark.header, false);
}

/* ---- sockets ---- */

/* -1 with errno. */
static int open_socket(int protocol)
{
	const int one = 1, buffer_bytes = BUFFER_BYTES;
	struct sockaddr_nl local = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof(local))) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));	/* older kernels: without */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
	return fd;
}

static void close_source(struct source *source)
{
	if (source->events >= 0)
		close(source->events);
	if (source->dumps >= 0)
		close(source->dumps);
	source->events = source->dumps = -1;
}

static int open_sources(struct recorder *rec)
{
	for (int i = 0; i < SOURCES; i++) {
		struct source *source = &rec->source[i];

		source->events = open_socket(sources[i].protocol);
		source->dumps = source->events < 0 ? -1 : open_socket(sources[i].protocol);
		if (source->dumps < 0 && (i == SOURCE_RTNL || errno != EPROTONOSUPPORT))
			return failure(rec->tool, WYE_EXIT_ERROR, "netlink: %s", strerror(errno));
		for (const int *group = sources[i].groups; source->events >= 0 && *group; group++)
			setsockopt(source->events, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group, sizeof(*group));
		/* one the kernel has not is not missed */
	}
	return WYE_EXIT_OK;
}

static int open_signals(struct recorder *rec)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	rec->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return rec->signals < 0 ? failure(rec->tool, WYE_EXIT_ERROR, "signalfd: %s", strerror(errno)) : WYE_EXIT_OK;
}

/* ---- reading ---- */

/* clsact and ingress are asked for their filters. */
static void note_sides(struct recorder *rec, const struct nlmsghdr *msg)
{
	struct netlink_attrs attrs = netlink_attrs(msg, sizeof(struct tcmsg));
	const struct nlattr *kind = netlink_find(attrs, TCA_KIND, sizeof("ingress") - 1);
	struct tcmsg side = { .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS) };
	bool clsact = kind && !strncmp(netlink_data(kind), "clsact", netlink_bytes(kind));

	if (msg->nlmsg_type != RTM_NEWQDISC || msg->nlmsg_len < NLMSG_LENGTH(sizeof(side)) || !kind ||
	    (!clsact && strncmp(netlink_data(kind), "ingress", netlink_bytes(kind))))
		return;
	side.tcm_ifindex = ((const struct tcmsg *)(msg + 1))->tcm_ifindex;
	for (int i = 0; i <= clsact && rec->n_sides < SIDES_MAX; i++) {
		rec->side[rec->n_sides++] = side;
		side.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
	}
}

static int take(struct recorder *rec, enum source_id source, bool dump, const struct nlmsghdr *msg)
{
	bool end = msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR;

	if (dump && msg->nlmsg_seq != rec->seq)
		return WYE_EXIT_OK; /* of a dump that was given up */
	if (dump && end && msg->nlmsg_len >= NLMSG_LENGTH(sizeof(int32_t)))
		memcpy(&rec->dump_error, msg + 1, sizeof(int32_t));
	if (dump) {
		rec->dump_done |= end;
		rec->dump_interrupted |= (msg->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	} else if (source == SOURCE_RTNL && (msg->nlmsg_type & ~1u) == RTM_NEWROUTE && msg->nlmsg_len > NLMSG_HDRLEN) {
		rec->changes6 += *((const uint8_t *)msg + NLMSG_HDRLEN) == AF_INET6;
	}
	if (dump && source == SOURCE_TC)
		note_sides(rec, msg);
	return put(rec, source, msg, dump);
}

/* All that a socket holds. */
static int drain(struct recorder *rec, enum source_id source, bool dump)
{
	int fd = dump ? rec->source[source].dumps : rec->source[source].events;

	while (fd >= 0) {
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
			if (put_mark(rec, source, NLMSG_OVERRUN, ""))
				return WYE_EXIT_ERROR;
			continue;
		}
		if (from.nl_pid) /* not from the kernel */
			continue;
		for (; NLMSG_OK(msg, n); msg = NLMSG_NEXT(msg, n))
			if (take(rec, source, dump, msg))
				return WYE_EXIT_ERROR;
	}
	return WYE_EXIT_OK;
}

static int drain_all(struct recorder *rec)
{
	for (int i = 0; i < SOURCES; i++)
		if (drain(rec, i, false) || drain(rec, i, true))
			return WYE_EXIT_ERROR;
	return WYE_EXIT_OK;
}

/* Waits for a socket, a signal or the end of time, and takes what there is. */
static int wait_and_take(struct recorder *rec)
{
	struct pollfd fds[2 * SOURCES + 1] = { { .fd = rec->signals, .events = POLLIN } };
	uint64_t now = clock_ms();
	int timeout = !rec->end_ms ? -1 : now >= rec->end_ms ? 0 : (int)(rec->end_ms - now);

	for (int i = 0; i < SOURCES; i++) {
		fds[2 * i + 1] = (struct pollfd){ .fd = rec->source[i].events, .events = POLLIN };
		fds[2 * i + 2] = (struct pollfd){ .fd = rec->source[i].dumps, .events = POLLIN };
	}
	if (rec->stop) /* the closing dumps are waited for */
		timeout = -1;
	if (poll(fds, 2 * SOURCES + 1, timeout) < 0 && errno != EINTR)
		return failure(rec->tool, WYE_EXIT_ERROR, "poll: %s", strerror(errno));
	if (fds[0].revents & POLLIN) {
		struct signalfd_siginfo info;

		while (read(rec->signals, &info, sizeof(info)) == sizeof(info))
			rec->stop = true;
	}
	rec->stop |= rec->end_ms && clock_ms() >= rec->end_ms;
	return drain_all(rec);
}

/* ---- dumps ---- */

struct request {
	struct nlmsghdr header;
	char body[sizeof(struct xfrm_userpolicy_id)];	/* the largest fixed header */
};

#define DUMP (NLM_F_REQUEST | NLM_F_DUMP)

static const struct dump dumps[] = {
	{ SOURCE_RTNL, RTM_GETLINK, AF_UNSPEC, 16, DUMP },
	{ SOURCE_RTNL, RTM_GETNETCONF, AF_INET, 4, DUMP },
	{ SOURCE_RTNL, RTM_GETNETCONF, AF_INET6, 4, DUMP },
	{ SOURCE_RTNL, RTM_GETADDR, AF_UNSPEC, 8, DUMP },
	{ SOURCE_RTNL, RTM_GETRULE, AF_INET, 12, DUMP },
	{ SOURCE_RTNL, RTM_GETRULE, AF_INET6, 12, DUMP },
	{ SOURCE_RTNL, RTM_GETNEIGH, AF_INET, 12, DUMP },
	{ SOURCE_RTNL, RTM_GETNEIGH, AF_INET6, 12, DUMP },
	{ SOURCE_RTNL, RTM_GETNEXTHOP, AF_UNSPEC, 8, DUMP },
	{ SOURCE_RTNL, RTM_GETROUTE, AF_INET, 12, DUMP },
	{ SOURCE_RTNL, RTM_GETROUTE, AF_INET6, 12, DUMP },
	{ SOURCE_TC, RTM_GETQDISC, AF_UNSPEC, sizeof(struct tcmsg), DUMP },
	{ SOURCE_NFT, NFT_TYPE(NFT_MSG_GETTABLE), AF_UNSPEC, sizeof(struct nfgenmsg), DUMP },
	{ SOURCE_NFT, NFT_TYPE(NFT_MSG_GETCHAIN), AF_UNSPEC, sizeof(struct nfgenmsg), DUMP },
	{ SOURCE_NFT, NFT_TYPE(NFT_MSG_GETFLOWTABLE), AF_UNSPEC, sizeof(struct nfgenmsg), DUMP },
	{ SOURCE_XFRM, XFRM_MSG_GETPOLICY, AF_UNSPEC, sizeof(struct xfrm_userpolicy_id), DUMP },
	{ SOURCE_XFRM, XFRM_MSG_GETDEFAULT, AF_UNSPEC, 4, NLM_F_REQUEST | NLM_F_ACK },	/* one answer */
};

/* side: for RTM_GETTFILTER, else NULL. */
static int dump_once(struct recorder *rec, const struct dump *dump, const struct tcmsg *side)
{
	struct request request = { .header = { .nlmsg_type = dump->type, .nlmsg_flags = dump->flags,
					       .nlmsg_seq = ++rec->seq,
					       .nlmsg_len = NLMSG_LENGTH(dump->header_bytes) } };

	if (side)
		memcpy(request.body, side, sizeof(*side));
	request.body[0] = (char)dump->family; /* the first byte of each of these headers */
	rec->dump_done = rec->dump_interrupted = false;
	rec->dump_error = 0;
	if (drain(rec, dump->source, false) || put(rec, dump->source, &request.header, true))
		return WYE_EXIT_ERROR;
	if (send(rec->source[dump->source].dumps, &request, request.header.nlmsg_len, 0) < 0)
		return failure(rec->tool, WYE_EXIT_ERROR, "netlink: %s", strerror(errno));
	while (!rec->dump_done && !rec->lost)
		if (wait_and_take(rec))
			return WYE_EXIT_ERROR;
	return WYE_EXIT_OK;
}

/* Until it is whole. One of IPv6 routes can miss some under changes and does not say so: twice, undisturbed. */
static int dump_whole(struct recorder *rec, const struct dump *dump, const struct tcmsg *side)
{
	bool routes6 = dump->type == RTM_GETROUTE && dump->family == AF_INET6;
	unsigned good = 0;

	for (unsigned i = 0; i < ATTEMPTS_MAX && !rec->lost && rec->source[dump->source].dumps >= 0; i++) {
		uint64_t changes6 = rec->changes6;

		if (dump_once(rec, dump, side))
			return WYE_EXIT_ERROR;
		good += !rec->dump_interrupted && (!routes6 || changes6 == rec->changes6);
		if (good > (unsigned)routes6)
			break;
	}
	return WYE_EXIT_OK;
}

static int dump_filters(struct recorder *rec)
{
	const struct dump dump = { SOURCE_TC, RTM_GETTFILTER, AF_UNSPEC, sizeof(struct tcmsg), DUMP };

	for (uint32_t i = 0; i < rec->n_sides && !rec->lost; i++)
		if (dump_whole(rec, &dump, &rec->side[i]))
			return WYE_EXIT_ERROR;
	return WYE_EXIT_OK;
}

/* All there is; again if notifications were lost meanwhile. */
static int dump_all(struct recorder *rec)
{
	do {
		rec->lost = false;
		rec->n_sides = 0;
		for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]) && !rec->lost; i++)
			if (dump_whole(rec, &dumps[i], NULL) || (dumps[i].type == RTM_GETQDISC && dump_filters(rec)))
				return WYE_EXIT_ERROR;
	} while (rec->lost);
	return WYE_EXIT_OK;
}

/* Routes may be seen by all, packet filters and policies not. */
static int ask_leave(struct recorder *rec)
{
	rec->silent = true;
	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		enum source_id source = dumps[i].source;

		if (source < SOURCE_NFT || rec->source[source].dumps < 0)
			continue;
		if (dump_once(rec, &dumps[i], NULL))
			return WYE_EXIT_ERROR;
		if (rec->dump_error != -EPERM)
			continue;
		fprintf(stderr, "%s: %s are not recorded: that needs CAP_NET_ADMIN\n", rec->tool->self, sources[source].name);
		close_source(&rec->source[source]);
	}
	rec->silent = rec->lost = false;
	return WYE_EXIT_OK;
}

/* ---- the command ---- */

static int record(struct recorder *rec)
{
	if (ask_leave(rec) || put_mark(rec, SOURCE_RTNL, NLMSG_NOOP, WYE_RECORD_BEGIN) || dump_all(rec))
		return WYE_EXIT_ERROR;
	if (fflush(rec->file))
		return failure(rec->tool, WYE_EXIT_ERROR, "%s: %s", rec->path, strerror(errno));
	while (!rec->stop)
		if (wait_and_take(rec) || (rec->lost && dump_all(rec)))
			return WYE_EXIT_ERROR;
	return dump_all(rec) || put_mark(rec, SOURCE_RTNL, NLMSG_NOOP, WYE_RECORD_END) ? WYE_EXIT_ERROR : WYE_EXIT_OK;
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
	static struct recorder rec;
	int code, fd;

	rec = (struct recorder){ .tool = tool, .signals = -1 };
	for (int i = 0; i < SOURCES; i++)
		rec.source[i].events = rec.source[i].dumps = -1;
	code = parse(&rec, argc, argv);
	if (code)
		return code;
	fd = open(rec.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rec.file = fd < 0 ? NULL : fdopen(fd, "w");
	rec.datagram = malloc(DATAGRAM_BYTES);
	if (!rec.file || !rec.datagram)
		code = failure(tool, WYE_EXIT_ERROR, "%s: %s", rec.path, strerror(errno));
	if (!code)
		code = open_sources(&rec);
	if (!code)
		code = open_signals(&rec);
	if (!code)
		code = record(&rec);
	if (rec.file && fclose(rec.file) && !code)
		code = failure(tool, WYE_EXIT_ERROR, "%s: %s", rec.path, strerror(errno));
	if (!code)
		print_result(&rec);
	for (int i = 0; i < SOURCES; i++)
		close_source(&rec.source[i]);
	if (rec.signals >= 0)
		close(rec.signals);
	free(rec.datagram);
	return code;
}

const struct command cmd_record = {
	.name = "record",
	.summary = "record what the kernel says of its network state, for wye-ctld --replay",
	.arguments = "FILE [--seconds N]",
	.help = "Takes down all of links, addresses, neighbours, routes and rules of this network namespace, and what the\n"
		"parity guard looks at (tc, nf_tables, IPsec policies), then each change until it is interrupted (or for N\n"
		"seconds; 0: none), then all of it again. `ip monitor file FILE` shows the first part, `wye-ctld -c CONFIG\n"
		"--replay FILE` makes tables of it. It names your addresses and holds your packet filter's tables, chains\n"
		"and rules as they are changed: treat it so.\n",
	.run = run,
};
