/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The surveys' checks, in every set of instructions this CPU has, against ip4_reason() and ip6_reason() one packet at a time:
 * vectors of every length, of random packets with something broken in some or most. Needs no more of wye and of DPDK than
 * headers, so that tests/aarch64 can run it for another CPU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "nodes/ip4_survey.h"
#include "nodes/ip6_survey.h"

#define FRAME  128
#define ROOM   16	/* before it */
#define ROUNDS (10 * (NODE_VECTOR + 1))	/* every length, ten times */

static uint64_t seed = 1;
static struct rte_mbuf mbuf[NODE_VECTOR], *packet[NODE_VECTOR];
static uint8_t frame[NODE_VECTOR][ROOM + FRAME];
static const char *const isa_name[LANES_ISAS] = { "plain", "avx2", "avx512" };

static uint32_t any(uint32_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((seed >> 33) % below);
}

static void *ip_of(uint32_t i)
{
	return frame[i] + ROOM + sizeof(struct rte_ether_hdr);
}

static uint32_t head_len(uint32_t i)
{
	return mbuf[i].data_len < 14 ? 0 : mbuf[i].data_len - 14u;
}

/* ---- packets ------------------------------------------------------------------------------------------------------ */

/* Of 1 to 256: how many in 256 packets have something of this broken. */
static bool breaks(uint32_t often)
{
	return any(256) < often;
}

static void break_something(uint32_t i, uint32_t header_bytes)
{
	uint8_t *byte = (uint8_t *)ip_of(i) + any(header_bytes);

	switch (any(5)) {
	case 0: *byte ^= (uint8_t)(1u << any(8)); break;
	case 1: *byte = (uint8_t)any(256); break;
	case 2: mbuf[i].pkt_len = mbuf[i].data_len = (uint16_t)any(mbuf[i].data_len + 1u); break;
	case 3: mbuf[i].pkt_len += 100; break;			/* chained */
	default: mbuf[i].pkt_len = mbuf[i].data_len += 6;	/* padded */
	}
}

static void make_mbuf(uint32_t i, uint32_t ip_bytes, bool ports)
{
	memset(&mbuf[i], 0xee, sizeof(mbuf[i]));	/* what is beside the lengths must not matter */
	mbuf[i].buf_addr = frame[i];
	mbuf[i].data_off = ROOM;
	mbuf[i].port = ports ? (uint16_t)any(2) : 0;
	mbuf[i].pkt_len = mbuf[i].data_len = (uint16_t)(ip_bytes + sizeof(struct rte_ether_hdr));
	packet[i] = &mbuf[i];
}

/* Right again, whatever else is wrong: else the checksum would hide it. */
static void checksum4(struct rte_ipv4_hdr *ip)
{
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~ip4_sum(ip);
	if (!ip->hdr_checksum && any(2))
		ip->hdr_checksum = UINT16_MAX;	/* both forms of 0 are right */
}

static uint32_t make_ip4(uint32_t i, uint32_t often)
{
	static const uint8_t first[] = { 0, 127, 224, 239, 240, 255 };	/* of addresses that may be special */
	struct rte_ipv4_hdr *ip = ip_of(i);
	uint32_t bytes = sizeof(*ip) + 8 + any(40);

	for (size_t at = 0; at < sizeof(frame[i]); at++)
		frame[i][at] = (uint8_t)any(256);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16((uint16_t)bytes);
	ip->time_to_live = (uint8_t)(breaks(often) ? any(3) : 2 + any(250));
	ip->src_addr = rte_cpu_to_be_32((breaks(often) ? first[any(6)] : 1 + any(100)) << 24 | any(1 << 24));
	ip->dst_addr = rte_cpu_to_be_32((breaks(often) ? first[any(6)] : 1 + any(100)) << 24 | any(1 << 24));
	if (breaks(often))
		ip->dst_addr = UINT32_MAX;
	checksum4(ip);
	return bytes;
}

static uint32_t make_ip6(uint32_t i, uint32_t often)
{
	static const uint8_t first[] = { 0x20, 0x3f, 0xfc, 0xfd, 0x00, 0xfe, 0xff, 0x40 };
	static const uint8_t zero[15];
	struct rte_ipv6_hdr *ip = ip_of(i);
	uint32_t bytes = sizeof(*ip) + 8 + any(40);

	for (size_t at = 0; at < sizeof(frame[i]); at++)
		frame[i][at] = (uint8_t)any(256);
	ip->vtc_flow = rte_cpu_to_be_32(6u << 28 | any(1 << 28));
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(bytes - sizeof(*ip)));
	ip->proto = (uint8_t)(breaks(often) ? any(256) : any(2) ? 6 : 17);
	ip->hop_limits = (uint8_t)(breaks(often) ? any(3) : 2 + any(250));
	*(uint8_t *)&ip->src_addr = first[breaks(often) ? any(8) : any(4)];
	*(uint8_t *)&ip->dst_addr = first[breaks(often) ? any(8) : any(4)];
	if (breaks(often))
		memcpy(any(2) ? &ip->src_addr : &ip->dst_addr, zero, sizeof(zero));
	return bytes;
}

static void make_vector(uint32_t n, uint32_t round, uint32_t (*make)(uint32_t i, uint32_t often), uint32_t header_bytes)
{
	static const uint32_t often[] = { 0, 4, 128 };
	uint32_t how = often[round % 3];
	bool ports = any(4) == 0;

	for (uint32_t i = 0; i < n; i++) {
		make_mbuf(i, make(i, how), ports);
		if (breaks(how))
			break_something(i, header_bytes);
		if (make == make_ip4 && how && any(3) == 0)
			checksum4(ip_of(i));
	}
}

/* Did some come in by another port than the others? */
static bool is_mixed(uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (mbuf[i].port != mbuf[0].port)
			return true;
	return false;
}

static bool any_padded(uint32_t n, uint32_t (*ip_bytes)(uint32_t i))
{
	bool padded = false;

	for (uint32_t i = 0; i < n; i++)
		padded |= ip_bytes(i) != mbuf[i].data_len - 14u || mbuf[i].pkt_len != mbuf[i].data_len;
	return padded;
}

static uint32_t ip4_bytes(uint32_t i)
{
	return rte_be_to_cpu_16(((struct rte_ipv4_hdr *)ip_of(i))->total_length);
}

static uint32_t ip6_bytes(uint32_t i)
{
	return rte_be_to_cpu_16(((struct rte_ipv6_hdr *)ip_of(i))->payload_len) + 40u;
}

static uint32_t longest_of(uint32_t n, uint32_t (*ip_bytes)(uint32_t i))
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < n; i++)
		longest = RTE_MAX(longest, ip_bytes(i));
	return longest;
}

/* ---- IPv4 --------------------------------------------------------------------------------------------------------- */

/* 240.0.0.0/4 may be looked at, although only 255.255.255.255 leaves; so is what is chained, and longer than its first part. */
static bool looked_at_in_vain(uint32_t i)
{
	const uint8_t *ip = ip_of(i);

	return ip[12] >= 240 || ip[16] >= 240 || mbuf[i].pkt_len != mbuf[i].data_len;
}

static void check_ip4(const struct ip4_survey *survey, uint32_t i)
{
	const struct rte_ipv4_hdr *ip = ip_of(i);
	struct rte_ipv4_hdr after = *ip;

	if (ip4_reason(ip, head_len(i), head_len(i)) != WYE_REASON_COUNT)
		assert_int_not_equal(survey->odd[i], 0);
	else if (!looked_at_in_vain(i))
		assert_int_equal(survey->odd[i], 0);
	if (survey->odd[i])
		return;
	ip4_decrement_ttl(&after);
	assert_int_equal(survey->src[i], ip->src_addr);
	assert_int_equal(survey->dst[i], ip->dst_addr);
	assert_ptr_equal(survey->all.frame[i], frame[i] + ROOM);
	assert_memory_equal(&survey->after[i], &after.time_to_live, 4);
	assert_int_equal(ip4_sum(&after), 0xffff);
}

/* None, as many as can be compared with, more than that, and now and then a source of the vector. */
static void make_locals(struct plan_locals *locals, uint32_t n)
{
	static const uint32_t many[] = { 0, 1, PLAN_LOCALS_FEW, PLAN_LOCALS_FEW + 1, 40 };
	uint32_t n_locals = many[any(5)];

	memset(locals, 0, sizeof(*locals));
	for (uint32_t k = 0; k < n_locals; k++)
		plan_locals_add(locals, n && any(64) == 0 ? ((struct rte_ipv4_hdr *)ip_of(any(n)))->src_addr : any(UINT32_MAX));
}

static bool is_local(const struct plan_locals *locals, uint32_t src)
{
	for (uint32_t k = 0; k < locals->n && k < PLAN_LOCALS_FEW; k++)
		if (locals->few[k] == src)
			return true;
	return locals->n > PLAN_LOCALS_FEW && plan_filter_hit(locals, src);
}

/* A filter may hit what is none of them; of few nobody need. */
static void check_hits(const struct ip4_survey *survey, uint32_t n, const struct plan_locals *locals, enum lanes_isa isa)
{
	bool hit = false, filtered = false;

	for (uint32_t i = 0; i < n; i++) {
		hit |= is_local(locals, survey->src[i]);
		filtered |= plan_filter_hit(locals, survey->src[i]);
	}
	assert_int_equal(survey->any_hit, isa == LANES_AVX512 ? hit : filtered);
	assert_true(filtered || !hit);
}

static void ip4_surveys(void **state)
{
	const enum lanes_isa isa = *(enum lanes_isa *)*state;
	static struct plan_locals locals;
	static struct ip4_survey survey;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t n = round % (NODE_VECTOR + 1), odd = 0, different = 0;

		make_vector(n, round / (NODE_VECTOR + 1), make_ip4, sizeof(struct rte_ipv4_hdr));
		memset(&survey, 0xee, sizeof(survey));
		make_locals(&locals, n);
		ip4_survey[isa](&survey, packet, n, &locals);
		for (uint32_t i = 0; i < n; i++) {
			check_ip4(&survey, i);
			odd |= survey.odd[i];
			different |= ((struct rte_ipv4_hdr *)ip_of(i))->dst_addr ^ ((struct rte_ipv4_hdr *)ip_of(0))->dst_addr;
		}
		assert_int_equal(!!survey.all.any_odd, !!odd);
		assert_int_equal(survey.different, different);
		check_hits(&survey, n, &locals, isa);
		assert_int_equal(survey.all.longest, longest_of(n, ip4_bytes));
		assert_int_equal(!!survey.all.any_padded, any_padded(n, ip4_bytes));
		assert_int_equal(n && survey.all.mixed, is_mixed(n));
	}
}

/* ---- IPv6 --------------------------------------------------------------------------------------------------------- */

static bool is_plain_ip6(const struct rte_ipv6_hdr *ip)
{
	uint8_t src = *(const uint8_t *)&ip->src_addr, dst = *(const uint8_t *)&ip->dst_addr;

	return (ip->proto == 6 || ip->proto == 17) && (src >> 5 == 1 || src >> 1 == 0x7e) &&
	       (dst >> 5 == 1 || dst >> 1 == 0x7e);
}

static void ip6_surveys(void **state)
{
	const enum lanes_isa isa = *(enum lanes_isa *)*state;
	static struct ip6_survey survey;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t n = round % (NODE_VECTOR + 1), odd = 0;

		make_vector(n, round / (NODE_VECTOR + 1), make_ip6, sizeof(struct rte_ipv6_hdr));
		memset(&survey, 0xee, sizeof(survey));
		ip6_survey_take(&survey, packet, n);
		ip6_survey_check[isa](&survey, n);
		for (uint32_t i = 0; i < n; i++) {
			const struct rte_ipv6_hdr *ip = ip_of(i);

			assert_int_equal(!survey.odd[i],
					 ip6_reason(ip, head_len(i), head_len(i)) == WYE_REASON_COUNT && is_plain_ip6(ip));
			odd |= survey.odd[i];
		}
		assert_int_equal(survey.all.any_odd, odd);
		assert_int_equal(survey.all.longest, longest_of(n, ip6_bytes));
		assert_int_equal(!!survey.all.any_padded, any_padded(n, ip6_bytes));
		assert_int_equal(n && survey.all.mixed, is_mixed(n));
	}
}

/* The process uses the best there is, without being asked. */
static void best_is_chosen(void **state)
{
	assert_true(lanes_have(lanes_isa));
	for (enum lanes_isa better = lanes_isa + 1; better < LANES_ISAS; better++)
		assert_false(lanes_have(better));
}

/* ---- run once for each set of instructions ------------------------------------------------------------------------ */

int main(void)
{
	int failed = 0;

	for (enum lanes_isa isa = LANES_PLAIN; isa < LANES_ISAS; isa++) {
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(ip4_surveys, &isa), cmocka_unit_test_prestate(ip6_surveys, &isa),
			cmocka_unit_test(best_is_chosen),
		};

		if (lanes_have(isa))
			failed += cmocka_run_group_tests_name(isa_name[isa], tests, NULL, NULL);
		else
			print_message("%s: this CPU has not got it\n", isa_name[isa]);
	}
	return failed;
}
