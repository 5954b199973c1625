/* SPDX-License-Identifier: BSD-3-Clause */
/* Netlink sockets: see nl_socket.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <netlink/errno.h>
#include <netlink/netlink.h>

#include "nl_decode.h"
#include "nl_socket.h"

#define SLOTS	   64u
#define SLOT_BYTES (32768u + 192u)	/* a dump fills 32 KiB; the odd rest spreads the slots over the cache's sets */

static char *ring;
static struct mmsghdr headers[SLOTS];
static struct iovec vectors[SLOTS];
static struct sockaddr_nl senders[SLOTS];

static int ring_open(void)
{
	if (ring)
		return 0;
	ring = mmap(NULL, SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring == MAP_FAILED) {
		ring = NULL;
		return -ENOMEM;
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		vectors[i] = (struct iovec){ ring + (size_t)i * SLOT_BYTES, SLOT_BYTES };
		headers[i].msg_hdr = (struct msghdr){ .msg_name = &senders[i], .msg_iov = &vectors[i], .msg_iovlen = 1 };
	}
	return 0;
}

/* libnl's codes lose what recv and bind said; errno still has it. */
static int system_error(int fallback)
{
	return errno ? -errno : fallback;
}

int endpoint_open(struct nl_endpoint *endpoint, int protocol, uint32_t buffer_bytes)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int one = 1, error = ring_open();

	*endpoint = (struct nl_endpoint){ .fd = -1 };
	if (error)
		return error;
	endpoint->sock = nl_socket_alloc();
	if (!endpoint->sock)
		return -ENOMEM;
	nl_socket_disable_seq_check(endpoint->sock);
	nl_socket_disable_auto_ack(endpoint->sock);
	errno = 0;
	if (nl_connect(endpoint->sock, protocol) < 0) {
		error = system_error(-EPROTONOSUPPORT);
		endpoint_close(endpoint);
		return error;
	}
	endpoint->fd = nl_socket_get_fd(endpoint->sock);
	/* What others send to this socket alone is refused there (netlink_getsockbyportid()), and fills no buffer of ours. */
	(void)connect(endpoint->fd, (struct sockaddr *)&kernel, sizeof(kernel));
	nl_socket_set_nonblocking(endpoint->sock);
	/* Filters in dump requests are only looked at with this (5.0); older kernels give more than was asked for. */
	setsockopt(endpoint->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (setsockopt(endpoint->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes)) < 0) {
		error = -errno;
		endpoint_close(endpoint);
	}
	return error;
}

void endpoint_close(struct nl_endpoint *endpoint)
{
	if (endpoint->sock)
		nl_socket_free(endpoint->sock);
	*endpoint = (struct nl_endpoint){ .fd = -1 };
}

int endpoint_join(struct nl_endpoint *endpoint, int group)
{
	errno = 0;
	return nl_socket_add_membership(endpoint->sock, group) < 0 ? system_error(-EINVAL) : 0;
}

int endpoint_send(struct nl_endpoint *endpoint, struct nl_msg *msg)
{
	int sent;

	if (!msg)
		return -ENOMEM;
	nl_complete_msg(endpoint->sock, msg);
	endpoint->seq = nlmsg_hdr(msg)->nlmsg_seq;
	errno = 0;
	sent = nl_send(endpoint->sock, msg);
	nlmsg_free(msg);
	return sent < 0 ? system_error(-EIO) : 0;
}

/* ---- receiving ---- */

/* Walks the messages of a batch of datagrams. */
struct cursor {
	unsigned next, n;	/* datagrams */
	const void *at;
	size_t left;
	int error;		/* the first that was found */
};

static void cursor_fail(struct cursor *cursor, int error)
{
	cursor->error = cursor->error ? cursor->error : error;
}

/* On to the next datagram that is the kernel's and whole. */
static bool cursor_datagram(struct cursor *cursor)
{
	while (cursor->next < cursor->n) {
		unsigned slot = cursor->next++;

		if (senders[slot].nl_pid != 0) /* another process's, to a group; only the kernel is believed */
			continue;
		if (headers[slot].msg_hdr.msg_flags & MSG_TRUNC) {
			cursor_fail(cursor, -EMSGSIZE);
			continue;
		}
		cursor->at = vectors[slot].iov_base;
		cursor->left = headers[slot].msg_len;
		return true;
	}
	return false;
}

/* NULL = that was the last. */
static const struct nlmsghdr *cursor_next(struct cursor *cursor)
{
	do {
		bool bad = false;
		const struct nlmsghdr *msg = nl_next(&cursor->at, &cursor->left, &bad);

		if (msg)
			return msg;
		if (bad)
			cursor_fail(cursor, -EBADMSG);
	} while (cursor_datagram(cursor));
	return NULL;
}

static void cursor_show(struct cursor *cursor, const struct nl_reader *reader, unsigned step)
{
	const struct nlmsghdr *msg = reader->ahead ? cursor_next(cursor) : NULL;

	if (msg)
		reader->ahead(reader->ctx, msg, step);
}

static int hand_on(unsigned n, const struct nl_reader *reader)
{
	struct cursor here = { .n = n }, ahead[NL_AHEAD_STEPS];
	const struct nlmsghdr *msg;

	for (unsigned step = 0; step < NL_AHEAD_STEPS; step++) {
		ahead[step] = here;
		for (unsigned i = 0; i < NL_AHEAD(step); i++)
			cursor_show(&ahead[step], reader, step);
	}
	while ((msg = cursor_next(&here))) {
		for (unsigned step = 0; step < NL_AHEAD_STEPS; step++)
			cursor_show(&ahead[step], reader, step);
		reader->message(reader->ctx, msg);
	}
	return here.error;
}

int endpoint_receive(struct nl_endpoint *endpoint, unsigned max_datagrams, const struct nl_reader *reader)
{
	unsigned total = 0;
	int fd = endpoint->fd;

	while (total < max_datagrams) {
		unsigned want = max_datagrams - total < SLOTS ? max_datagrams - total : SLOTS;
		int n, error;

		for (unsigned i = 0; i < want; i++)
			headers[i].msg_hdr.msg_namelen = sizeof(senders[i]);
		n = recvmmsg(fd, headers, want, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? (int)total : -errno;
		error = hand_on((unsigned)n, reader);
		if (error)
			return error;
		total += (unsigned)n;
		/* The reader may have closed the socket; a short batch means there is no more. */
		if (endpoint->fd != fd || (unsigned)n < want)
			break;
	}
	return (int)total;
}
