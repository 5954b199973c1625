/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP messages from anybody. Byte 0: which family; the rest is what a raw socket gives. Beyond reading nothing behind the
 * end: the destination taken from a message stands in it.
 */
#include <stdlib.h>
#include <string.h>

#include "icmp_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero[12];
	struct icmp_news news;
	bool ip6;

	if (!size)
		return 0;
	ip6 = data[0] & 1;
	memset(&news, 0xee, sizeof(news));
	if (!(ip6 ? icmp6_decode : icmp4_decode)(data + 1, size - 1, &news))
		return 0;
	if (!memmem(data + 1, size - 1, news.dst, ip6 ? 16 : 4) || (!ip6 && memcmp(news.dst + 4, zero, sizeof(zero))))
		abort();
	return 0;
}
