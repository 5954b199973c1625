/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests and their answers; see netlink.h. */
#include "netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int netlink_open(struct netlink *netlink, int protocol)
{
	const struct timeval patience = { .tv_sec = 5 }; /* the kernel answers in the system call; a lost answer must not hang us */
	struct sockaddr_nl local = { .nl_family = AF_NETLINK }, kernel = local;

	*netlink = (struct netlink){ .answer = malloc(NETLINK_ANSWER_BYTES) };
	netlink->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (!netlink->answer)
		return -ENOMEM;
	/* Connected, it takes answers from the kernel alone (netlink_getsockbyportid()). */
	if (netlink->fd < 0 || bind(netlink->fd, (struct sockaddr *)&local, sizeof(local)) ||
	    connect(netlink->fd, (struct sockaddr *)&kernel, sizeof(kernel)))
		return -errno;
	setsockopt(netlink->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->fd >= 0)
		close(netlink->fd);
	free(netlink->answer);
	*netlink = (struct netlink){ .fd = -1 };
}

/* ---- requests ---- */

void netlink_request(struct netlink_request *request, uint16_t type, uint16_t flags, const void *fixed, size_t bytes)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
	request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(bytes);
	memcpy(request->data, fixed, bytes);
}

struct nlattr *netlink_put(struct netlink_request *request, uint16_t type, const void *data, size_t bytes)
{
	struct nlattr *attr = (struct nlattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	if (NLMSG_ALIGN(request->header.nlmsg_len) + NLA_ALIGN(NLA_HDRLEN + bytes) > sizeof(*request))
		abort();
	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + bytes);
	if (bytes)
		memcpy((char *)attr + NLA_HDRLEN, data, bytes);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + (uint32_t)NLA_ALIGN(attr->nla_len);
	return attr;
}

struct nlattr *netlink_nest(struct netlink_request *request, uint16_t type)
{
	return netlink_put(request, type | NLA_F_NESTED, NULL, 0);
}

void netlink_nest_end(struct netlink_request *request, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)((char *)request + request->header.nlmsg_len - (char *)nest);
}

/* ---- answers ---- */

/* *bytes: what came. */
static int receive(struct netlink *netlink, size_t *bytes)
{
	ssize_t got;

	do {
		got = recv(netlink->fd, netlink->answer, NETLINK_ANSWER_BYTES, MSG_TRUNC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if ((size_t)got > NETLINK_ANSWER_BYTES)
		return -EMSGSIZE;
	if ((size_t)got < NLMSG_HDRLEN || netlink->answer->nlmsg_len < NLMSG_HDRLEN ||
	    netlink->answer->nlmsg_len > (size_t)got)
		return -EBADMSG;
	*bytes = (size_t)got;
	return 0;
}

int netlink_ask(struct netlink *netlink, struct netlink_request *request)
{
	const struct nlmsgerr *refusal;
	size_t bytes;
	int error;

	request->header.nlmsg_seq = ++netlink->seq;
	if (send(netlink->fd, request, request->header.nlmsg_len, 0) < 0)
		return -errno;
	do {
		error = receive(netlink, &bytes);
	} while (!error && netlink->answer->nlmsg_seq != netlink->seq);
	if (error || netlink->answer->nlmsg_type != NLMSG_ERROR)
		return error;
	refusal = (const struct nlmsgerr *)(netlink->answer + 1);
	return netlink->answer->nlmsg_len < NLMSG_LENGTH(sizeof(*refusal)) ? -EBADMSG : refusal->error;
}

int netlink_dump(struct netlink *netlink, struct netlink_request *request, void (*each)(void *ctx, const struct nlmsghdr *message),
		 void *ctx)
{
	size_t bytes = 0;
	int error = 0;

	request->header.nlmsg_seq = ++netlink->seq;
	if (send(netlink->fd, request, request->header.nlmsg_len, 0) < 0)
		return -errno;
	while (!error) {
		const struct nlmsghdr *message = netlink->answer;

		error = receive(netlink, &bytes);
		for (uint32_t left = (uint32_t)bytes; !error && NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_seq != netlink->seq)
				continue;
			if (message->nlmsg_type == NLMSG_DONE)
				return 0;
			if (message->nlmsg_type == NLMSG_ERROR)
				return message->nlmsg_len < NLMSG_LENGTH(sizeof(int)) ? -EBADMSG : *(const int *)NLMSG_DATA(message);
			each(ctx, message);
		}
	}
	return error;
}

struct netlink_attrs netlink_attrs(const struct nlmsghdr *message, size_t fixed_bytes)
{
	const char *begin = (const char *)message + NLMSG_LENGTH(NLMSG_ALIGN(fixed_bytes));
	const char *end = (const char *)message + message->nlmsg_len;

	return (struct netlink_attrs){ begin < end ? begin : end, end };
}

struct netlink_attrs netlink_inside(const struct nlattr *attr)
{
	return (struct netlink_attrs){ netlink_data(attr), (const char *)attr + attr->nla_len };
}

const struct nlattr *netlink_next(struct netlink_attrs *attrs)
{
	const struct nlattr *attr = (const struct nlattr *)attrs->at;
	size_t left = (size_t)(attrs->end - attrs->at);

	if (left < NLA_HDRLEN || attr->nla_len < NLA_HDRLEN || attr->nla_len > left)
		return NULL;
	attrs->at += (size_t)NLA_ALIGN(attr->nla_len) < left ? (size_t)NLA_ALIGN(attr->nla_len) : left;
	return attr;
}

const struct nlattr *netlink_find(struct netlink_attrs attrs, uint16_t type, size_t bytes)
{
	const struct nlattr *attr;

	while ((attr = netlink_next(&attrs)))
		if ((attr->nla_type & NLA_TYPE_MASK) == type && netlink_bytes(attr) >= bytes)
			return attr;
	return NULL;
}

uint32_t netlink_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	if (attr)
		memcpy(&value, netlink_data(attr), sizeof(value));
	return value;
}
