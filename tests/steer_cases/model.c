/* SPDX-License-Identifier: BSD-3-Clause */
/* The oracle of the steering tests; see model.h. */
#include <netinet/in.h>
#include <string.h>

#include "model.h"

struct fields {
	int family;
	uint8_t src[16], dst[16];
	int ip_proto, sport, dport;	/* ports -1: has none */
};

static bool covers(const uint8_t *prefix, int len, const uint8_t *addr)
{
	for (int bit = 0; bit < len; bit++)
		if ((prefix[bit / 8] ^ addr[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

/* ---- guards ---- */

static bool special4(const uint8_t *a)
{
	return a[0] == 0 || a[0] == 127 || a[0] >= 224 || (a[0] == 169 && a[1] == 254);
}

static bool special6(const uint8_t *a)
{
	static const uint8_t zero[8];

	return a[0] == 0xff || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || !memcmp(a, zero, 8);
}

static bool l4_kept(const uint8_t *l4, int bytes, struct fields *fields)
{
	bool ports = fields->ip_proto == 6 || fields->ip_proto == 17 || fields->ip_proto == 132;

	fields->sport = fields->dport = -1;
	if (fields->family == AF_INET6 && fields->ip_proto == 58)
		return bytes < 1 || (l4[0] >= 130 && l4[0] <= 137) || l4[0] == 143;
	if (!ports)
		return false;
	if (bytes < 4)
		return true;
	fields->sport = l4[0] * 256 + l4[1];
	fields->dport = l4[2] * 256 + l4[3];
	return false;
}

static bool ip4_kept(const uint8_t *ip, int bytes, struct fields *fields)
{
	int total;

	if (bytes < 20 || ip[0] != 0x45)
		return true;
	total = ip[2] * 256 + ip[3];
	if (total < 20 || total > bytes)
		return true;
	if ((ip[6] & 0x3f) || ip[7])
		return true;
	if (special4(ip + 12) || special4(ip + 16) || ip[9] == 2 || ip[8] < 2)
		return true;
	fields->family = AF_INET;
	fields->ip_proto = ip[9];
	memcpy(fields->src, ip + 12, 4);
	memcpy(fields->dst, ip + 16, 4);
	return l4_kept(ip + 20, total - 20, fields);
}

static bool ip6_kept(const uint8_t *ip, int bytes, struct fields *fields)
{
	static const int extension[] = { 0, 43, 44, 51, 59, 60, 135, 139, 140, 253, 254, 255 };
	int payload;

	if (bytes < 40 || ip[0] >> 4 != 6)
		return true;
	payload = ip[4] * 256 + ip[5];
	if (payload + 40 > bytes || special6(ip + 8) || special6(ip + 24) || ip[7] < 2)
		return true;
	for (size_t i = 0; i < sizeof(extension) / sizeof(extension[0]); i++)
		if (ip[6] == extension[i])
			return true;
	fields->family = AF_INET6;
	fields->ip_proto = ip[6];
	memcpy(fields->src, ip + 8, 16);
	memcpy(fields->dst, ip + 24, 16);
	return l4_kept(ip + 40, payload, fields);
}

static bool kept(const struct packet *packet, const uint8_t mac[6], struct fields *fields)
{
	const uint8_t *frame = packet->frame;
	int bytes = (int)packet->len_bytes - 14;

	memset(fields, 0, sizeof(*fields));
	if (bytes < 0 || memcmp(frame, mac, 6))
		return true;
	if (frame[12] == 0x08 && frame[13] == 0x00)
		return ip4_kept(frame + 14, bytes, fields);
	if (frame[12] == 0x86 && frame[13] == 0xdd)
		return ip6_kept(frame + 14, bytes, fields);
	return true;
}

/* ---- rules ---- */

static bool prefix_matches(const struct wye_prefix *prefix, int family, const uint8_t *addr)
{
	return !prefix->family || (prefix->family == family && covers(prefix->addr, prefix->len, addr));
}

static bool range_matches(const struct wye_port_range *range, int port)
{
	return !range->set || (port >= range->first && port <= range->last);
}

static bool rule_matches(const struct wye_rule *rule, const struct fields *fields, int in_port)
{
	return (rule->in_port < 0 || rule->in_port == in_port) &&
	       prefix_matches(&rule->src, fields->family, fields->src) &&
	       prefix_matches(&rule->dst, fields->family, fields->dst) &&
	       (!rule->proto_set || rule->ip_proto == fields->ip_proto) &&
	       range_matches(&rule->sport, fields->sport) && range_matches(&rule->dport, fields->dport);
}

struct model_verdict model_judge(const struct wye_config *config, const struct model_local *local, size_t n_locals,
				 const struct packet *packet, const uint8_t mac[6])
{
	struct model_verdict verdict = { .guard = true, .action = WYE_ACTION_KERNEL };
	struct fields fields;

	if (kept(packet, mac, &fields))
		return verdict;
	for (size_t i = 0; i < n_locals; i++)
		if (local[i].family == fields.family && (covers(local[i].addr, local[i].prefix_len, fields.src) ||
							 covers(local[i].addr, local[i].prefix_len, fields.dst)))
			return verdict;
	verdict.guard = false;
	for (size_t i = 0; i < config->n_rules; i++)
		if (rule_matches(&config->rule[i], &fields, packet->in_port)) {
			verdict.rule = i;
			verdict.action = config->rule[i].action;
			return verdict;
		}
	verdict.rule = -1;
	verdict.action = config->default_action;
	return verdict;
}

/* ---- at random ---- */

uint32_t model_random(struct model_random *random, uint32_t below)
{
	random->state ^= random->state << 13;	/* xorshift64 */
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (uint32_t)((random->state >> 32) * below >> 32);
}

static bool chance(struct model_random *random, uint32_t percent)
{
	return model_random(random, 100) < percent;
}

/* From a small world, so that rules overlap and packets hit. */
static void random_address(struct model_random *random, int family, uint8_t addr[16])
{
	memset(addr, 0, 16);
	if (family == AF_INET) {
		addr[0] = 10;
		addr[1] = model_random(random, 4);
		addr[2] = model_random(random, 8);
		addr[3] = model_random(random, 256);
		return;
	}
	addr[0] = 0xfd;
	addr[3] = model_random(random, 4);
	for (int i = 4; i < 16; i += chance(random, 50) ? 1 : 5)
		addr[i] = model_random(random, chance(random, 70) ? 3 : 256);
}

static void random_prefix(struct model_random *random, struct wye_prefix *prefix)
{
	uint32_t bits;

	memset(prefix, 0, sizeof(*prefix));
	prefix->family = chance(random, 50) ? AF_INET : AF_INET6;
	random_address(random, prefix->family, prefix->addr);
	bits = prefix->family == AF_INET ? 32 : 128;
	prefix->len = chance(random, 40) ? bits : model_random(random, bits + 1);
	for (uint32_t i = prefix->len; i < bits; i++)
		prefix->addr[i / 8] &= ~(0x80 >> i % 8);
}

static void random_range(struct model_random *random, struct wye_port_range *range)
{
	static const uint16_t special[] = { 0, 1, 1023, 1024, 32768, 65534, 65535 };
	uint32_t a = chance(random, 20) ? special[model_random(random, 7)] : model_random(random, 3000);
	uint32_t b = chance(random, 30) ? a : chance(random, 20) ? special[model_random(random, 7)] :
								   model_random(random, 3000);

	range->set = true;
	range->first = a < b ? a : b;
	range->last = a < b ? b : a;
}

static void random_rule(struct model_random *random, struct wye_rule *rule)
{
	static const uint8_t with_ports[] = { 6, 17, 132 }, without[] = { 1, 58, 50, 47, 0, 255 };

	memset(rule, 0, sizeof(*rule));
	rule->in_port = chance(random, 20) ? (int)model_random(random, WYE_PORTS_MAX) : -1;
	if (chance(random, 60))
		random_prefix(random, &rule->dst);
	if (chance(random, 40))
		random_prefix(random, &rule->src);
	rule->proto_set = chance(random, 70);
	if (rule->proto_set && chance(random, 70)) {
		rule->ip_proto = with_ports[model_random(random, 3)];
		if (chance(random, 70))
			random_range(random, &rule->dport);
		if (chance(random, 30))
			random_range(random, &rule->sport);
	} else if (rule->proto_set) {
		rule->ip_proto = without[model_random(random, sizeof(without))];
	}
	rule->action = model_random(random, 2);
}

/* Few rules that match everything, or nothing behind them would ever be reached. */
static bool too_wide(const struct wye_rule *rule)
{
	return (!rule->src.family || rule->src.len < 12) && (!rule->dst.family || rule->dst.len < 12) &&
	       !rule->dport.set && !rule->sport.set;
}

void model_random_rules(struct model_random *random, struct wye_config *config, size_t n_rules)
{
	config->n_rules = n_rules;
	config->default_action = model_random(random, 2);
	for (size_t i = 0; i < n_rules; i++)
		do
			random_rule(random, &config->rule[i]);
		while (too_wide(&config->rule[i]) && !chance(random, 3));
}

/* An address in the prefix, at its first or last place, or just outside. */
static void address_near(struct model_random *random, const struct wye_prefix *prefix, int family, uint8_t addr[16])
{
	int bits = family == AF_INET ? 32 : 128;

	random_address(random, family, addr);
	if (prefix->family != family || chance(random, 10))
		return;
	for (int i = 0; i < bits; i++) {
		uint8_t bit = 0x80 >> i % 8;

		if (i < prefix->len)
			addr[i / 8] = (addr[i / 8] & ~bit) | (prefix->addr[i / 8] & bit);
	}
	if (prefix->len && chance(random, 20))
		addr[(prefix->len - 1) / 8] ^= 0x80 >> (prefix->len - 1) % 8;
}

static uint32_t port_near(struct model_random *random, const struct wye_port_range *range)
{
	switch (range->set ? model_random(random, 6) : 5) {
	case 0:
		return range->first;
	case 1:
		return range->last;
	case 2:
		return (uint16_t)(range->first - 1);
	case 3:
		return (uint16_t)(range->last + 1);
	case 4:
		return range->first + model_random(random, range->last - range->first + 1);
	default:
		return model_random(random, 3000);
	}
}

static void put_packet(struct model_random *random, struct packet *packet, int family, const uint8_t *src,
		       const uint8_t *dst, int ip_proto, uint32_t sport, uint32_t dport)
{
	uint8_t *ip = packet->frame + 14;
	uint8_t *l4 = ip + (family == AF_INET ? 20 : 40);

	packet->frame[12] = family == AF_INET ? 0x08 : 0x86;
	packet->frame[13] = family == AF_INET ? 0x00 : 0xdd;
	if (family == AF_INET) {
		ip[0] = 0x45;
		ip[3] = 20 + 26;
		ip[8] = chance(random, 97) ? 64 : model_random(random, 3);
		ip[9] = ip_proto;
		memcpy(ip + 12, src, 4);
		memcpy(ip + 16, dst, 4);
	} else {
		ip[0] = 0x60;
		ip[5] = 26;
		ip[6] = ip_proto;
		ip[7] = chance(random, 97) ? 64 : model_random(random, 3);
		memcpy(ip + 8, src, 16);
		memcpy(ip + 24, dst, 16);
	}
	l4[0] = sport >> 8;
	l4[1] = sport;
	l4[2] = dport >> 8;
	l4[3] = dport;
	packet->len_bytes = l4 + 26 - packet->frame;
}

void model_random_packet(struct model_random *random, const struct wye_config *config, struct packet *packet)
{
	static const struct wye_rule any;
	const struct wye_rule *rule = config->n_rules ? &config->rule[model_random(random, config->n_rules)] : &any;
	int family = rule->dst.family ? rule->dst.family : rule->src.family;
	uint8_t src[16], dst[16];
	int ip_proto = rule->proto_set && chance(random, 90) ? rule->ip_proto : (int)model_random(random, 256);

	if (!family || chance(random, 5))
		family = chance(random, 50) ? AF_INET : AF_INET6;
	memset(packet, 0, sizeof(*packet));
	memcpy(packet->frame, packet_mac, 6);
	packet->frame[5] ^= chance(random, 2);
	packet->in_port = rule->in_port >= 0 && chance(random, 90) ? rule->in_port : (int)model_random(random, 64);
	address_near(random, &rule->src, family, src);
	address_near(random, &rule->dst, family, dst);
	if (chance(random, 30))
		ip_proto = chance(random, 50) ? IPPROTO_UDP : IPPROTO_TCP;
	put_packet(random, packet, family, src, dst, ip_proto, port_near(random, &rule->sport),
		   port_near(random, &rule->dport));
	if (chance(random, 5))	/* some byte of the headers is anything at all */
		packet->frame[model_random(random, packet->len_bytes)] = model_random(random, 256);
	if (chance(random, 2))
		packet->len_bytes = 14 + model_random(random, packet->len_bytes - 13);
}
