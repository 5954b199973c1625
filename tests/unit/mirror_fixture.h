/* SPDX-License-Identifier: BSD-3-Clause */
/* A mirror without a kernel in a run directory of the test's own, and netlink messages made by hand. No root. */
#ifndef MIRROR_FIXTURE_H
#define MIRROR_FIXTURE_H

#include "mirror.h"

struct mirror_fixture {
	char dir[64];
	struct wye_config config;
	struct mirror mirror;
};

/* Small tables. Both abort the test on error. */
struct mirror_fixture *mirror_create(void);
void mirror_destroy(struct mirror_fixture *fixture);

/* Messages, one after the other. */
struct stream {
	size_t len;
	uint32_t last;	/* where the last one begins */
	char bytes[32768] __attribute__((aligned(4)));
};

struct nlmsghdr *stream_last(struct stream *stream);
/* A message with a header behind nlmsghdr; and an attribute to it, or within the last attribute. */
void stream_message(struct stream *stream, uint16_t type, uint16_t flags, uint32_t seq, const void *header, size_t len);
void stream_attr(struct stream *stream, uint16_t type, const void *value, size_t len);

/* Whole ones. A link is up, with carrier. A route is to prefix 10.x.0.0/16 by the link; a dumped one has NLM_F_MULTI. */
void stream_link(struct stream *stream, uint16_t flags, uint32_t seq, uint32_t ifindex);
void stream_route(struct stream *stream, uint16_t type, uint16_t flags, uint32_t seq, uint8_t x, uint32_t ifindex);
void stream_request(struct stream *stream, uint16_t type, uint8_t family, uint32_t seq);
void stream_done(struct stream *stream, uint32_t seq);

/* Is there a route to 10.x.0.0/16 in table main? */
bool mirror_has(const struct mirror_fixture *fixture, uint8_t x);

#endif
