/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP by which hosts change a router's ways: what is taken for such, and that no byte behind the end is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "icmp_decode.h"

static const uint8_t dst4[16] = { 10, 50, 1, 1 }, dst6[16] = { 0xfd, 0x50, [15] = 1 };

/* A copy that ends where its memory ends, for ASan to watch. */
static bool decode(bool (*with)(const uint8_t *, size_t, struct icmp_news *), const uint8_t *bytes, size_t len,
		   struct icmp_news *news)
{
	uint8_t *copy = malloc(len ? len : 1);
	bool is;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	is = with(copy, len, news);
	free(copy);
	return is;
}

/* An ICMP message of that type in a header of ihl words, quoting a packet to dst4; its length. */
static size_t make4(uint8_t *packet, uint8_t ihl, uint8_t type, uint8_t code)
{
	size_t head_len = (size_t)ihl * 4;

	memset(packet, 0xee, 128);
	packet[0] = (uint8_t)(0x40 | ihl);
	packet[head_len] = type;
	packet[head_len + 1] = code;
	memcpy(packet + head_len + 8 + 16, dst4, 4);
	return head_len + 8 + 20;
}

static void types4(void **state)
{
	struct icmp_news news;
	uint8_t packet[128];

	for (unsigned int type = 0; type < 256; type++)
		for (unsigned int code = 0; code < 256; code++) {
			size_t len = make4(packet, 5, (uint8_t)type, (uint8_t)code);
			bool wanted = type == 5 || (type == 3 && code == 4);

			assert_int_equal(decode(icmp4_decode, packet, len, &news), wanted);
			if (!wanted)
				continue;
			assert_int_equal(news.redirect, type == 5);
			assert_memory_equal(news.dst, dst4, 16);
		}
}

static void lengths4(void **state)
{
	struct icmp_news news;
	uint8_t packet[128];

	for (uint8_t ihl = 0; ihl < 16; ihl++) {
		size_t whole = make4(packet, ihl, 3, 4);

		for (size_t len = 0; len <= sizeof(packet); len++)
			assert_int_equal(decode(icmp4_decode, packet, len, &news), ihl >= 5 && len >= whole);
	}
}

static void types6(void **state)
{
	struct icmp_news news;
	uint8_t message[128];

	for (unsigned int type = 0; type < 256; type++) {
		memset(message, 0xee, sizeof(message));
		message[0] = (uint8_t)type;
		memcpy(message + 24, dst6, 16);	/* a redirect's destination */
		if (type == 2)
			memcpy(message + 8 + 24, dst6, 16);
		for (size_t len = 0; len <= sizeof(message); len++) {
			bool wanted = (type == 2 && len >= 48) || (type == 137 && len >= 40);

			assert_int_equal(decode(icmp6_decode, message, len, &news), wanted);
			if (!wanted)
				continue;
			assert_int_equal(news.redirect, type == 137);
			assert_memory_equal(news.dst, dst6, 16);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types4),
		cmocka_unit_test(lengths4),
		cmocka_unit_test(types6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
