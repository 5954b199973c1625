/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from one line of text; see packet.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

const uint8_t packet_mac[6] = { 0x02, 0x00, 0x00, 0x00, 0x01, 0x01 };

struct plan {
	int version;	/* 4, 6, 0 = plain Ethernet */
	uint8_t src[16], dst[16], dmac[6];
	int ip_proto, sport, dport, icmp_type;
	long ttl, frag, ihl, ver, total, len, pad, cut, vlan, type, in;
};

static const struct number {
	const char *name;
	size_t at;
} number[] = {
#define N(x) { #x "=", offsetof(struct plan, x) }
	N(ttl), N(frag), N(ihl), N(ver), N(total), N(len), N(pad), N(cut), N(vlan), N(type), N(in),
#undef N
};

static int read_option(struct plan *plan, const char *word)
{
	unsigned int m[6];

	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
		size_t n = strlen(number[i].name);

		if (!strncmp(word, number[i].name, n)) {
			*(long *)((char *)plan + number[i].at) = strtol(word + n, NULL, 0);
			return 0;
		}
	}
	if (sscanf(word, "dmac=%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
		return -1;
	for (int i = 0; i < 6; i++)
		plan->dmac[i] = m[i];
	return 0;
}

static int read_addresses(struct plan *plan, char *word)
{
	char *dst = strchr(word, '>');
	int family = plan->version == 4 ? AF_INET : AF_INET6;

	if (!dst)
		return -1;
	*dst++ = 0;
	return inet_pton(family, word, plan->src) == 1 && inet_pton(family, dst, plan->dst) == 1 ? 0 : -1;
}

static int read_protocol(struct plan *plan, const char *name, const char *rest)
{
	static const struct {
		const char *name;
		int ip_proto;
	} with_ports[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP } };

	if (!rest)
		return -1;
	for (int i = 0; i < 3; i++)
		if (!strcmp(name, with_ports[i].name)) {
			plan->ip_proto = with_ports[i].ip_proto;
			return sscanf(rest, "%d>%d", &plan->sport, &plan->dport) == 2 ? 0 : -1;
		}
	plan->icmp_type = atoi(rest);
	plan->ip_proto = !strcmp(name, "icmp") ? IPPROTO_ICMP : !strcmp(name, "icmp6") ? IPPROTO_ICMPV6 : atoi(rest);
	return strcmp(name, "icmp") && strcmp(name, "icmp6") && strcmp(name, "proto") ? -1 : 0;
}

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = value >> 8;
	to[1] = value;
}

static uint16_t checksum(const uint8_t *header, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += header[i] << 8 | header[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

static size_t put_l4(const struct plan *plan, uint8_t *to)
{
	if (plan->ip_proto == IPPROTO_ICMP || plan->ip_proto == IPPROTO_ICMPV6) {
		to[0] = plan->icmp_type;
	} else {
		put16(to, plan->sport);
		put16(to + 2, plan->dport);
	}
	if (plan->ip_proto == IPPROTO_TCP)
		to[12] = 0x50;
	if (plan->ip_proto == IPPROTO_UDP)
		put16(to + 4, plan->len);
	return plan->len;
}

static size_t put_ip4(const struct plan *plan, uint8_t *to)
{
	size_t header = plan->ihl > 5 ? plan->ihl * 4 : 20, len;

	to[0] = plan->ver << 4 | plan->ihl;
	put16(to + 6, plan->frag);
	to[8] = plan->ttl;
	to[9] = plan->ip_proto;
	memcpy(to + 12, plan->src, 4);
	memcpy(to + 16, plan->dst, 4);
	memset(to + 20, 1, header - 20);	/* option: no operation */
	len = header + put_l4(plan, to + header);
	put16(to + 2, plan->total >= 0 ? (uint32_t)plan->total : len);
	put16(to + 10, checksum(to, header));
	return len;
}

static size_t put_ip6(const struct plan *plan, uint8_t *to)
{
	size_t len = put_l4(plan, to + 40);

	to[0] = plan->ver << 4;
	put16(to + 4, plan->total >= 0 ? (uint32_t)plan->total : len);
	to[6] = plan->ip_proto;
	to[7] = plan->ttl;
	memcpy(to + 8, plan->src, 16);
	memcpy(to + 24, plan->dst, 16);
	return len + 40;
}

static void put_frame(const struct plan *plan, struct packet *packet)
{
	static const uint8_t smac[6] = { 0x02, 0, 0, 0, 1, 2 };
	uint8_t *at = packet->frame + 12;

	memset(packet, 0, sizeof(*packet));
	memcpy(packet->frame, plan->dmac, 6);
	memcpy(packet->frame + 6, smac, 6);
	if (plan->vlan >= 0) {
		put16(at, plan->vlan);
		put16(at + 2, 100);
		at += 4;
	}
	put16(at, plan->type >= 0 ? plan->type : plan->version == 6 ? 0x86dd : 0x0800);
	at += 2;
	at += plan->version == 4 ? put_ip4(plan, at) : plan->version == 6 ? put_ip6(plan, at) : 46;
	packet->len_bytes = at - packet->frame + plan->pad;
	if (plan->cut >= 0)
		packet->len_bytes = plan->cut;
	packet->in_port = plan->in;
}

int packet_build(struct packet *packet, const char *text)
{
	struct plan plan = { .ttl = 64, .ihl = 5, .total = -1, .len = 18, .cut = -1, .vlan = -1, .type = -1,
			     .ip_proto = 253 };
	char copy[200], *save, *word;

	snprintf(copy, sizeof(copy), "%s", text);
	memcpy(plan.dmac, packet_mac, 6);
	word = strtok_r(copy, " ", &save);
	if (!word)
		return -1;
	plan.version = strcmp(word, "eth") ? atoi(word) : 0;
	plan.ver = plan.version;
	if (plan.version) {
		word = strtok_r(NULL, " ", &save);
		if (!word || read_addresses(&plan, word))
			return -1;
		word = strtok_r(NULL, " ", &save);
		if (!word || read_protocol(&plan, word, strtok_r(NULL, " ", &save)))
			return -1;
	}
	while ((word = strtok_r(NULL, " ", &save)))
		if (read_option(&plan, word))
			return -1;
	put_frame(&plan, packet);
	return 0;
}
