/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions and orders to the kernel over netlink: one request, one answer, or a dump. No notifications. */
#ifndef NETLINK_H
#define NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_ANSWER_BYTES (256u << 10)	/* a PF with hundreds of VFs tells 300 bytes of each */

struct netlink {
	int fd;
	uint32_t seq;
	struct nlmsghdr *answer;	/* owned; NETLINK_ANSWER_BYTES */
};

struct netlink_request {
	struct nlmsghdr header;
	char data[1024];
};

/* protocol: NETLINK_ROUTE, NETLINK_GENERIC. 0 or -errno. netlink_close() also after a failure. */
int netlink_open(struct netlink *netlink, int protocol);
void netlink_close(struct netlink *netlink);

/* The fixed part (struct ifinfomsg …) follows the header. */
void netlink_request(struct netlink_request *request, uint16_t type, uint16_t flags, const void *fixed, size_t bytes);
/* A request that grows out of its buffer is a bug: at most a handful of fixed-size attributes go in. */
struct nlattr *netlink_put(struct netlink_request *request, uint16_t type, const void *data, size_t bytes);
struct nlattr *netlink_nest(struct netlink_request *request, uint16_t type);
void netlink_nest_end(struct netlink_request *request, struct nlattr *nest);

/* Sends it and waits for the answer, or for the acknowledgement when flags had NLM_F_ACK. 0 or the kernel's -errno.
 * netlink->answer is valid until the next question. */
int netlink_ask(struct netlink *netlink, struct netlink_request *request);

/* Each message of the answer to a request with NLM_F_DUMP. 0, or -errno: what came is not all; an interrupted dump is not told. */
int netlink_dump(struct netlink *netlink, struct netlink_request *request, void (*each)(void *ctx, const struct nlmsghdr *message),
		 void *ctx);

/* The attributes behind a message's fixed part; or inside another. */
struct netlink_attrs {
	const char *at, *end;
};
struct netlink_attrs netlink_attrs(const struct nlmsghdr *message, size_t fixed_bytes);
struct netlink_attrs netlink_inside(const struct nlattr *attr);
/* Steps on; NULL at the end or where the lengths do not add up. */
const struct nlattr *netlink_next(struct netlink_attrs *attrs);
/* The first of this type with at least `bytes` of contents, NULL = none. */
const struct nlattr *netlink_find(struct netlink_attrs attrs, uint16_t type, size_t bytes);
static inline const void *netlink_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}
static inline size_t netlink_bytes(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}
uint32_t netlink_u32(const struct nlattr *attr);	/* 0 for NULL */

#endif
