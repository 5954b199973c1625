/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recordings made by hand, and what is wrong with them: messages with lying lengths, attributes out of range, kinds and
 * families we do not know are counted and never become a route; a file that is cut short, damaged or none is refused with
 * the place; what was swept was missing from a complete dump.
 */
#include <errno.h>
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "mirror_fixture.h"
#include "replay.h"
#include "wye_record.h"

#define MULTI NLM_F_MULTI

static struct mirror_fixture *fixture;
static struct stream stream;
static struct replay_result result;

static int setup(void **state)
{
	fixture = mirror_create();
	stream.len = 0;
	stream_link(&stream, 0, 0, 7);
	return 0;
}

static int teardown(void **state)
{
	mirror_destroy(fixture);
	return 0;
}

static int replay(void)
{
	return replay_bytes(&fixture->mirror, "test", stream.bytes, stream.len, &result);
}

static uint64_t malformed(void)
{
	return mirror_stats(&fixture->mirror)->malformed;
}

static uint64_t unknown(void)
{
	return mirror_stats(&fixture->mirror)->unknown;
}

static void mark(const char *text)
{
	stream_message(&stream, NLMSG_NOOP, 0, 0, text, strlen(text));
}

/* ---- what should work ---- */

static void notifications(void **state)
{
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 1, 7);
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 2, 7);
	stream_route(&stream, RTM_DELROUTE, 0, 0, 1, 7);
	assert_int_equal(replay(), 0);
	assert_int_equal(result.messages, 4);
	assert_false(mirror_has(fixture, 1));
	assert_true(mirror_has(fixture, 2));
}

static void a_complete_dump_sweeps(void **state)
{
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 1, 7);
	stream_request(&stream, RTM_GETROUTE, AF_INET, 5);
	stream_route(&stream, RTM_NEWROUTE, MULTI, 5, 2, 7);
	stream_done(&stream, 5);
	assert_int_equal(replay(), 0);
	assert_int_equal(result.dumps, 1);
	assert_false(mirror_has(fixture, 1));
	assert_true(mirror_has(fixture, 2));
}

/* Deleted while the dump ran: its word on the route is older. */
static void a_notification_wins_over_the_dump(void **state)
{
	stream_request(&stream, RTM_GETROUTE, AF_INET, 5);
	stream_route(&stream, RTM_DELROUTE, 0, 0, 1, 7);
	stream_route(&stream, RTM_NEWROUTE, MULTI, 5, 1, 7);
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 2, 7);
	stream_done(&stream, 5);
	assert_int_equal(replay(), 0);
	assert_false(mirror_has(fixture, 1));
	assert_true(mirror_has(fixture, 2));
}

static void a_run_without_requests_is_a_dump(void **state)
{
	const uint32_t magic = 0x45311224; /* ip route save */

	stream_route(&stream, RTM_NEWROUTE, 0, 0, 1, 7);
	memcpy(stream.bytes + stream.len, &magic, sizeof(magic));
	stream.len += sizeof(magic);
	stream_route(&stream, RTM_NEWROUTE, MULTI, 9, 2, 7);
	stream_route(&stream, RTM_NEWROUTE, MULTI, 9, 3, 7);
	assert_int_equal(replay(), 0);
	assert_false(mirror_has(fixture, 1));
	assert_true(mirror_has(fixture, 2) && mirror_has(fixture, 3));
}

/* ---- incomplete dumps ---- */

static void an_interrupted_dump_does_not_sweep(void **state)
{
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 1, 7);
	stream_request(&stream, RTM_GETROUTE, AF_INET, 5);
	stream_route(&stream, RTM_NEWROUTE, MULTI | NLM_F_DUMP_INTR, 5, 2, 7);
	stream_done(&stream, 5);
	assert_int_equal(replay(), -EINVAL);
	assert_non_null(strstr(result.why, "without a complete dump"));
	assert_true(mirror_has(fixture, 1) && mirror_has(fixture, 2));
}

static void nor_does_one_that_never_ended(void **state)
{
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 1, 7);
	stream_request(&stream, RTM_GETROUTE, AF_INET, 5);
	stream_route(&stream, RTM_NEWROUTE, MULTI, 5, 2, 7);
	assert_int_equal(replay(), -EINVAL);
	assert_non_null(strstr(result.why, "inside a dump"));
	assert_true(mirror_has(fixture, 1));
}

static void lost_messages_are_made_up_for(void **state)
{
	stream_request(&stream, RTM_GETROUTE, AF_INET, 5);
	stream_route(&stream, RTM_NEWROUTE, MULTI, 5, 1, 7);
	stream_done(&stream, 5);
	stream_message(&stream, NLMSG_OVERRUN, 0, 0, NULL, 0);
	assert_int_equal(replay(), -EINVAL);
	assert_int_equal(mirror_stats(&fixture->mirror)->overruns, 3);
	stream_request(&stream, RTM_GETROUTE, AF_INET, 6);
	stream_done(&stream, 6);
	assert_int_equal(replay(), 0);
	assert_false(mirror_has(fixture, 1));
}

/* ---- bad messages ---- */

static void a_prefix_longer_than_an_address(void **state)
{
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 1, 7);
	((struct rtmsg *)NLMSG_DATA(stream_last(&stream)))->rtm_dst_len = 33;
	assert_int_equal(replay(), 0);
	assert_int_equal(malformed(), 1);
	assert_false(mirror_has(fixture, 1));
}

static void an_attribute_that_goes_on_beyond_its_message(void **state)
{
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 1, 7);
	((struct rtattr *)((char *)NLMSG_DATA(stream_last(&stream)) + sizeof(struct rtmsg)))->rta_len = 400;
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 2, 7);
	assert_int_equal(replay(), 0);
	assert_int_equal(malformed(), 1);
	assert_false(mirror_has(fixture, 1));
	assert_true(mirror_has(fixture, 2));
}

/* Of multipath, metrics and gateways: lengths that lie, or are of another family. */
static void nested_attributes_out_of_range(void **state)
{
	const struct rtnexthop hop = { .rtnh_len = 200, .rtnh_ifindex = 7 }, tiny = { .rtnh_len = 4, .rtnh_ifindex = 7 };
	const struct rtattr metric = { .rta_len = 100, .rta_type = RTAX_MTU };
	const uint8_t via[3] = { 99, 0, 1 };
	const uint16_t types[] = { RTA_MULTIPATH, RTA_MULTIPATH, RTA_METRICS, RTA_VIA, RTA_GATEWAY, RTA_PRIORITY };
	const void *values[] = { &hop, &tiny, &metric, via, via, via };
	const size_t lens[] = { sizeof(hop), sizeof(tiny), sizeof(metric), sizeof(via), sizeof(via), sizeof(via) };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		stream_route(&stream, RTM_NEWROUTE, 0, 0, (uint8_t)(1 + i), 7);
		stream_attr(&stream, types[i], values[i], lens[i]);
	}
	assert_int_equal(replay(), 0);
	assert_int_equal(malformed(), 6);
	for (uint8_t x = 1; x <= 6; x++)
		assert_false(mirror_has(fixture, x));
}

static void a_message_without_its_header(void **state)
{
	for (uint16_t type = RTM_NEWLINK; type <= RTM_NEWNEXTHOP; type += 4)
		stream_message(&stream, type, 0, 0, "\2", 1);
	assert_int_equal(replay(), 0);
	assert_int_equal(malformed(), 7); /* of the kinds that are mirrored */
	assert_int_equal(fixture->mirror.links.pool.count, 1);
}

static void families_we_do_not_know(void **state)
{
	const uint8_t families[] = { 28, 128, 200, 7 };

	for (size_t i = 0; i < sizeof(families); i++) {
		stream_route(&stream, RTM_NEWROUTE, 0, 0, (uint8_t)(1 + i), 7);
		((struct rtmsg *)NLMSG_DATA(stream_last(&stream)))->rtm_family = families[i];
	}
	stream_request(&stream, RTM_GETROUTE, 28, 5);
	stream_done(&stream, 5);
	assert_int_equal(replay(), 0);
	assert_int_equal(unknown(), 4);
	for (uint8_t x = 1; x <= 4; x++)
		assert_false(mirror_has(fixture, x));
	assert_int_equal(fixture->mirror.told.count, 4); /* said once each */
}

static void kinds_we_do_not_know(void **state)
{
	stream_message(&stream, 96, 0, 0, "\2\0\0\0", 4);
	stream_message(&stream, 250, MULTI, 0, "\2\0\0\0", 4);
	stream_message(&stream, RTM_SETLINK, 0, 0, "\2\0\0\0", 4);
	assert_int_equal(replay(), 0);
	assert_int_equal(unknown(), 3);
	assert_int_equal(fixture->mirror.told.count, 3);
}

/* ---- bad files ---- */

static void a_lying_length(void **state)
{
	uint32_t at;

	stream_route(&stream, RTM_NEWROUTE, 0, 0, 1, 7);
	at = stream.last;
	stream_last(&stream)->nlmsg_len = 1u << 30;
	assert_int_equal(replay(), -EINVAL);
	assert_int_equal(result.at_byte, at);
	assert_non_null(strstr(result.why, "cut short"));
	stream_last(&stream)->nlmsg_len = 3;
	assert_int_equal(replay(), -EINVAL);
	assert_int_equal(result.at_byte, at);
	assert_non_null(strstr(result.why, "damaged"));
	assert_false(mirror_has(fixture, 1));
}

/* ---- what is packed ---- */

static struct nlmsghdr *pack(uint16_t protocol, bool dump, struct nlmsghdr msg, const void *body, size_t len)
{
	struct {
		struct wye_record_packed packed;
		struct nlmsghdr msg;
		char body[256];
	} whole = { { WYE_RECORD_PACKED, protocol, dump }, msg, "" };

	memcpy(whole.body, body, len);
	whole.msg.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len);
	stream_message(&stream, NLMSG_NOOP, 0, 0, &whole, offsetof(typeof(whole), body) + len);
	return (struct nlmsghdr *)((char *)stream_last(&stream) + NLMSG_HDRLEN + sizeof(struct wye_record_packed));
}

static void policy_dump(uint32_t seq, bool with_one)
{
	const struct xfrm_userpolicy_id all = { .dir = 0 };
	const struct xfrm_userpolicy_info policy = { .sel.family = AF_INET, .dir = XFRM_POLICY_FWD };
	const int32_t code = 0;

	pack(NETLINK_XFRM, true, (struct nlmsghdr){ .nlmsg_type = XFRM_MSG_GETPOLICY, .nlmsg_seq = seq,
	     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP }, &all, sizeof(all));
	if (with_one)
		pack(NETLINK_XFRM, true, (struct nlmsghdr){ .nlmsg_type = XFRM_MSG_NEWPOLICY, .nlmsg_seq = seq,
		     .nlmsg_flags = MULTI }, &policy, sizeof(policy));
	pack(NETLINK_XFRM, true, (struct nlmsghdr){ .nlmsg_type = NLMSG_DONE, .nlmsg_seq = seq, .nlmsg_flags = MULTI },
	     &code, sizeof(code));
}

static void what_the_guard_sees(void **state)
{
	policy_dump(5, true);
	assert_int_equal(replay(), 0);
	assert_int_equal(result.dumps, 1);
	assert_int_equal(fixture->mirror.parity.n, 1);
	assert_int_equal(fixture->mirror.tables->region.base->parity, wye_parity_bits(WYE_PARITY_XFRM, WYE_PARITY_IP4));
	policy_dump(6, false);
	assert_int_equal(replay(), 0);
	assert_int_equal(fixture->mirror.parity.n, 0);
	assert_int_equal(fixture->mirror.tables->region.base->parity, 0);
}

/* Of another family's numbers: an XFRM_MSG_NEWSA is no RTM_NEWLINK. */
static void protocols_are_kept_apart(void **state)
{
	const struct ifinfomsg ifi = { .ifi_index = 9 };

	pack(NETLINK_XFRM, false, (struct nlmsghdr){ .nlmsg_type = RTM_NEWLINK }, &ifi, sizeof(ifi));
	assert_int_equal(replay(), 0);
	assert_null(links_find(&fixture->mirror, 9));
}

static void what_is_packed_badly(void **state)
{
	static const uint32_t lengths[] = { 0, 15, 16, 35, 37, 4096, UINT32_MAX };
	const struct nlmsghdr noop = { .nlmsg_type = NLMSG_NOOP };
	const struct nlmsghdr request = { .nlmsg_type = RTM_GETTFILTER, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP };
	size_t before = stream.len;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		stream.len = before;
		pack(NETLINK_ROUTE, true, noop, stream.bytes, 20)->nlmsg_len = lengths[i];
		assert_int_equal(replay(), 0);
		assert_int_equal(malformed(), i + 1);
	}
	stream.len = before;
	pack(NETLINK_GENERIC, false, noop, "", 0);
	pack(UINT16_MAX, true, noop, "", 0);
	pack(NETLINK_ROUTE, true, request, "", 0); /* without saying of which link */
	assert_int_equal(replay(), 0);
	assert_int_equal(unknown(), 3);
	assert_int_equal(result.dumps, 0);
}

static void cut_anywhere(void **state)
{
	stream.len = 0;
	mark(WYE_RECORD_BEGIN);
	stream_link(&stream, 0, 0, 7);
	stream_request(&stream, RTM_GETROUTE, AF_INET, 5);
	stream_route(&stream, RTM_NEWROUTE, MULTI, 5, 2, 7);
	stream_done(&stream, 5);
	stream_route(&stream, RTM_NEWROUTE, 0, 0, 3, 7);
	policy_dump(6, true);
	mark(WYE_RECORD_END);
	for (size_t len = 0; len < stream.len; len++) {
		size_t whole = stream.len;
		int error;

		stream.len = len;
		error = replay();
		stream.len = whole;
		assert_int_equal(error, -EINVAL);
		assert_true(result.why[0]);
	}
	assert_int_equal(replay(), 0);
}

static void other_formats(void **state)
{
	const char *const files[] = { "#!/bin/sh\necho hello, world\n", "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0",
				      "{\"ifname\": \"eth0\", \"mtu\": 1500}" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(replay_bytes(&fixture->mirror, "test", files[i], 20, &result), -EINVAL);
		assert_int_equal(result.at_byte, 0);
		assert_non_null(strstr(result.why, "not a recording"));
		assert_int_equal(result.messages, 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(notifications), TEST(a_complete_dump_sweeps), TEST(a_notification_wins_over_the_dump),
		TEST(a_run_without_requests_is_a_dump), TEST(an_interrupted_dump_does_not_sweep),
		TEST(nor_does_one_that_never_ended), TEST(lost_messages_are_made_up_for),
		TEST(a_prefix_longer_than_an_address), TEST(an_attribute_that_goes_on_beyond_its_message),
		TEST(nested_attributes_out_of_range), TEST(a_message_without_its_header), TEST(families_we_do_not_know),
		TEST(kinds_we_do_not_know), TEST(a_lying_length), TEST(cut_anywhere), TEST(other_formats),
		TEST(what_the_guard_sees), TEST(protocols_are_kept_apart), TEST(what_is_packed_badly),
	};

	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
