/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attribute access for nl_decode*.c. Sizes were checked by libnl's nla_parse() with a policy, or by attrs_index(),
 * which the two kinds of message that come by the million (routes, neighbours) use instead: one pass, no policy, and
 * each reader of an attribute checks its length.
 */
#ifndef NL_ATTR_H
#define NL_ATTR_H

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline const void *attr_data(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

static inline uint32_t attr_len(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}

/* Host order, any alignment. */
static inline uint32_t attr_u32(const struct nlattr *attr)
{
	uint32_t value;

	memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

static inline uint16_t attr_u16(const struct nlattr *attr)
{
	uint16_t value;

	memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

static inline uint8_t attr_u8(const struct nlattr *attr)
{
	return *(const uint8_t *)attr_data(attr);
}

/* The message's payload behind a fixed header of hdr_bytes, or NULL when it is shorter. */
static inline const void *msg_header(const struct nlmsghdr *msg, size_t hdr_bytes)
{
	if (msg->nlmsg_len < NLMSG_HDRLEN + hdr_bytes)
		return NULL;
	return (const char *)msg + NLMSG_HDRLEN;
}

/* Enters the attributes between at and at + len into tb[0..max]; unknown types are left out, the last of a kind wins.
 * False: an attribute's length lies. Trailing bytes too few for a header are padding. */
static inline bool attrs_index(const struct nlattr **tb, uint16_t max, const void *at, size_t len)
{
	memset(tb, 0, sizeof(*tb) * ((size_t)max + 1));
	while (len >= NLA_HDRLEN) {
		const struct nlattr *attr = at;
		uint16_t type = attr->nla_type & NLA_TYPE_MASK;
		size_t step = NLA_ALIGN((size_t)attr->nla_len);

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > len)
			return false;
		if (type <= max)
			tb[type] = attr;
		if (step >= len)
			return true;
		at = (const char *)at + step;
		len -= step;
	}
	return true;
}

/* libnl's parser over a message behind its fixed header. */
static inline bool msg_parse(const struct nlmsghdr *msg, size_t hdr_bytes, struct nlattr **tb, int max,
			     const struct nla_policy *policy)
{
	size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(hdr_bytes);
	int left = msg->nlmsg_len > skip ? (int)(msg->nlmsg_len - skip) : 0;

	return nla_parse(tb, max, (struct nlattr *)((char *)msg + skip), left, policy) >= 0;
}

static inline bool attr_parse(const struct nlattr *nest, struct nlattr **tb, int max, const struct nla_policy *policy)
{
	return nla_parse(tb, max, (struct nlattr *)attr_data(nest), (int)attr_len(nest), policy) >= 0;
}

/* A string attribute, cut to size - 1. */
static inline void attr_string(char *to, size_t size, const struct nlattr *attr)
{
	size_t len = attr_len(attr);

	if (len >= size)
		len = size - 1;
	memset(to, 0, size);
	memcpy(to, attr_data(attr), len);
	to[strnlen(to, len)] = '\0';
}

/* An address of family's size into 16 zeroed bytes. False: wrong size. */
static inline bool attr_addr(uint8_t to[16], uint8_t family, const struct nlattr *attr)
{
	size_t len = family == 2 /* AF_INET */ ? 4 : 16;

	memset(to, 0, 16);
	if (attr_len(attr) != len)
		return false;
	memcpy(to, attr_data(attr), len);
	return true;
}

#endif
