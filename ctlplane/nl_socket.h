/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Netlink sockets. libnl makes and binds them and builds requests; receiving goes round it: recvmmsg() into one ring
 * of large buffers shared by all sockets, since each datagram is used up before the next call.
 */
#ifndef NL_SOCKET_H
#define NL_SOCKET_H

#include <linux/netlink.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NL_AHEAD_STEPS 3u
#define NL_AHEAD(step) (16u >> (step))	/* messages: see struct nl_reader */
#define NL_BUFFER_BYTES (128u << 20)	/* receive buffer asked for: several hundred thousand route messages */

struct nl_endpoint {
	struct nl_sock *sock;	/* NULL = closed */
	int fd;
	uint32_t seq;		/* of the last request */
};

/* -errno. -EPROTONOSUPPORT: the kernel lacks the protocol. -EPERM: the receive buffer needs CAP_NET_ADMIN. */
int endpoint_open(struct nl_endpoint *endpoint, int protocol, uint32_t buffer_bytes);
void endpoint_close(struct nl_endpoint *endpoint);
int endpoint_join(struct nl_endpoint *endpoint, int group);	/* RTNLGRP_*; -errno */

/* Sends and frees msg (NULL: -ENOMEM). The kernel handles a request before this returns. */
int endpoint_send(struct nl_endpoint *endpoint, struct nl_msg *msg);

struct nl_reader {
	void (*message)(void *ctx, const struct nlmsghdr *msg);
	/* Of the same batch, each message NL_AHEAD(step) before it is handed on, for step 0, 1 …: to fetch what it will need
	 * into the cache, each step what the one before made known. It may not change anything. May be NULL. */
	void (*ahead)(void *ctx, const struct nlmsghdr *msg, unsigned step);
	void *ctx;
};

/*
 * Hands up to max_datagrams' messages to the reader, the kernel's only. Returns how many datagrams there were; 0 = none
 * left; -ENOBUFS: the kernel dropped some; -EMSGSIZE: one was cut off; -EBADMSG: a header lied. What could be read was
 * handed on.
 */
int endpoint_receive(struct nl_endpoint *endpoint, unsigned max_datagrams, const struct nl_reader *reader);

#endif
