/* SPDX-License-Identifier: BSD-3-Clause */
#include "mirror_fixture.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

struct mirror_fixture *mirror_create(void)
{
	struct mirror_fixture *fixture = calloc(1, sizeof(*fixture));
	const char *tmp = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";

	assert_non_null(fixture);
	snprintf(fixture->dir, sizeof(fixture->dir), "%s/wye-test-XXXXXX", tmp);
	assert_non_null(mkdtemp(fixture->dir));
	fixture->config.memory.hugepages = WYE_HUGE_NONE;
	fixture->config.tables.routes4 = fixture->config.tables.routes6 = 4096;
	fixture->config.tables.neighbours = 256;
	fixture->mirror.config = &fixture->config;
	assert_int_equal(control_open(&fixture->mirror.control, fixture->dir), 0);
	assert_int_equal(mirror_open_offline(&fixture->mirror), 0);
	return fixture;
}

void mirror_destroy(struct mirror_fixture *fixture)
{
	mirror_close(&fixture->mirror);
	control_close(&fixture->mirror.control, true);
	assert_int_equal(rmdir(fixture->dir), 0);	/* nothing was left in it */
	free(fixture);
}

struct nlmsghdr *stream_last(struct stream *stream)
{
	return (struct nlmsghdr *)(stream->bytes + stream->last);
}

static void *append(struct stream *stream, size_t len)
{
	char *at = stream->bytes + stream->len;

	assert_true(stream->len + NLMSG_ALIGN(len) <= sizeof(stream->bytes));
	memset(at, 0, NLMSG_ALIGN(len));
	stream->len += NLMSG_ALIGN(len);
	return at;
}

void stream_message(struct stream *stream, uint16_t type, uint16_t flags, uint32_t seq, const void *header, size_t len)
{
	struct nlmsghdr *msg;

	stream->last = (uint32_t)stream->len;
	msg = append(stream, NLMSG_HDRLEN + len);
	*msg = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(len)), .nlmsg_type = type,
				  .nlmsg_flags = flags, .nlmsg_seq = seq };
	if (len)
		memcpy((char *)msg + NLMSG_HDRLEN, header, len);
}

void stream_attr(struct stream *stream, uint16_t type, const void *value, size_t len)
{
	struct rtattr *attr = append(stream, sizeof(*attr) + len);

	attr->rta_type = type;
	attr->rta_len = (uint16_t)(sizeof(*attr) + len);
	memcpy((char *)attr + sizeof(*attr), value, len);
	stream_last(stream)->nlmsg_len = (uint32_t)(stream->len - stream->last);
}

void stream_link(struct stream *stream, uint16_t flags, uint32_t seq, uint32_t ifindex)
{
	struct ifinfomsg ifi = { .ifi_index = (int)ifindex, .ifi_type = 1,
				 .ifi_flags = IFF_UP | IFF_RUNNING | IFF_LOWER_UP };
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t)ifindex };
	const uint32_t mtu = 1500;
	char name[16];

	snprintf(name, sizeof(name), "m%u", ifindex);
	stream_message(stream, RTM_NEWLINK, flags, seq, &ifi, sizeof(ifi));
	stream_attr(stream, IFLA_IFNAME, name, strlen(name) + 1);
	stream_attr(stream, IFLA_MTU, &mtu, sizeof(mtu));
	stream_attr(stream, IFLA_ADDRESS, mac, sizeof(mac));
}

void stream_route(struct stream *stream, uint16_t type, uint16_t flags, uint32_t seq, uint8_t x, uint32_t ifindex)
{
	struct rtmsg rtm = { .rtm_family = AF_INET, .rtm_dst_len = 16, .rtm_table = RT_TABLE_MAIN,
			     .rtm_protocol = RTPROT_BOOT, .rtm_scope = RT_SCOPE_LINK, .rtm_type = RTN_UNICAST };
	const uint8_t dst[4] = { 10, x, 0, 0 };

	stream_message(stream, type, flags, seq, &rtm, sizeof(rtm));
	stream_attr(stream, RTA_DST, dst, sizeof(dst));
	stream_attr(stream, RTA_OIF, &ifindex, sizeof(ifindex));
}

void stream_request(struct stream *stream, uint16_t type, uint8_t family, uint32_t seq)
{
	struct rtmsg rtm = { .rtm_family = family };

	stream_message(stream, type, NLM_F_REQUEST | NLM_F_DUMP, seq, &rtm, sizeof(rtm));
}

void stream_done(struct stream *stream, uint32_t seq)
{
	const int32_t code = 0;

	stream_message(stream, NLMSG_DONE, NLM_F_MULTI, seq, &code, sizeof(code));
}

bool mirror_has(const struct mirror_fixture *fixture, uint8_t x)
{
	const uint8_t addr[16] = { 10, x };

	return rib_first(routes_rib(&fixture->mirror, AF_INET, RT_TABLE_MAIN), addr, 16) != 0;
}
