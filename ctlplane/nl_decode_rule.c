/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy rules: see nl_decode.h. */
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "nl_attr.h"
#include "nl_decode.h"

#ifndef FRA_SPORT_MASK /* Linux 6.15 */
#define FRA_SPORT_MASK 28
#define FRA_DPORT_MASK 29
#endif

#define RULE_ATTR_MAX 63u	/* beyond FRA_MAX: what a newer kernel selects by must not go unseen */

/* The kernel sets and clears these without a word, as devices and rules come and go. */
#define SILENT_FLAGS (FIB_RULE_IIF_DETACHED | FIB_RULE_OIF_DETACHED | FIB_RULE_UNRESOLVED)

static const struct {
	uint16_t type, offset, bytes;
} numbers[] = {
#define NUMBER(type, field) { type, offsetof(struct wye_policy_rule, field), sizeof(((struct wye_policy_rule *)0)->field) }
	NUMBER(FRA_PRIORITY, priority), NUMBER(FRA_TABLE, table), NUMBER(FRA_FWMARK, fwmark), NUMBER(FRA_FWMASK, fwmask),
	NUMBER(FRA_GOTO, goto_priority), NUMBER(FRA_FLOW, realms), NUMBER(FRA_SUPPRESS_PREFIXLEN, suppress_prefix_len),
	NUMBER(FRA_SUPPRESS_IFGROUP, suppress_group), NUMBER(FRA_UID_RANGE, uid), NUMBER(FRA_TUN_ID, tun_id),
	NUMBER(FRA_SPORT_RANGE, sport), NUMBER(FRA_DPORT_RANGE, dport), NUMBER(FRA_PROTOCOL, protocol),
	NUMBER(FRA_IP_PROTO, ip_proto),
#undef NUMBER
};

static bool rule_numbers(struct wye_policy_rule *rule, const struct nlattr **tb)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct nlattr *attr = tb[numbers[i].type];

		if (attr && attr_len(attr) < numbers[i].bytes)
			return false;
		if (attr)
			memcpy((char *)rule + numbers[i].offset, attr_data(attr), numbers[i].bytes);
	}
	return true;
}

/* What a rule may carry and still mean "all traffic, look up this table". The rest selects or alters. */
static bool is_plain(const struct wye_policy_rule *rule, uint16_t type)
{
	switch (type) {
	case FRA_PRIORITY:
	case FRA_TABLE:
	case FRA_L3MDEV:
	case FRA_PROTOCOL:
	case FRA_PAD:
		return true;
	case FRA_SUPPRESS_PREFIXLEN:
		return rule->suppress_prefix_len == -1;
	case FRA_SUPPRESS_IFGROUP:
		return rule->suppress_group == -1;
	default:
		return false;
	}
}

/* Does struct wye_policy_rule have a place for what it says? */
static bool is_known(const struct nlattr *attr, uint16_t type)
{
	if (type == FRA_SPORT_MASK || type == FRA_DPORT_MASK)
		return attr_len(attr) == 2 && attr_u16(attr) == UINT16_MAX;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].type == type)
			return true;
	return type == FRA_SRC || type == FRA_DST || type == FRA_IFNAME || type == FRA_OIFNAME || type == FRA_L3MDEV ||
	       type == FRA_PAD;
}

static uint32_t payload_hash(const struct nlmsghdr *msg, uint32_t flags)
{
	const uint8_t *at = (const uint8_t *)msg;
	uint32_t hash = 2166136261u ^ (flags & ~(uint32_t)SILENT_FLAGS);
	uint32_t skip = NLMSG_HDRLEN + (uint32_t)offsetof(struct fib_rule_hdr, flags);

	for (uint32_t i = NLMSG_HDRLEN; i < msg->nlmsg_len; i++)
		if (i < skip || i >= skip + 4)
			hash = (hash ^ at[i]) * 16777619u;
	return hash;
}

enum nl_verdict nl_decode_rule(const struct nlmsghdr *msg, struct nl_rule *rule)
{
	const struct fib_rule_hdr *frh = msg_header(msg, sizeof(*frh));
	const struct nlattr *tb[RULE_ATTR_MAX + 1];
	struct wye_policy_rule *says = &rule->says;
	uint8_t bits;

	if (!frh || !attrs_index(tb, RULE_ATTR_MAX, frh + 1, msg->nlmsg_len - NLMSG_HDRLEN - sizeof(*frh)))
		return NL_MALFORMED;
	if (frh->family != AF_INET && frh->family != AF_INET6)
		return NL_OTHER;
	memset(rule, 0, sizeof(*rule));
	says->family = frh->family;
	says->action = frh->action;
	says->table = frh->table;
	says->tos = frh->tos;
	says->src_len = frh->src_len;
	says->dst_len = frh->dst_len;
	says->suppress_prefix_len = says->suppress_group = -1;
	bits = frh->family == AF_INET ? 32 : 128;
	if (says->src_len > bits || says->dst_len > bits || !rule_numbers(says, tb) ||
	    (tb[FRA_SRC] && !attr_addr(says->src, says->family, tb[FRA_SRC])) ||
	    (tb[FRA_DST] && !attr_addr(says->dst, says->family, tb[FRA_DST])) ||
	    (tb[FRA_L3MDEV] && attr_len(tb[FRA_L3MDEV]) < 1))
		return NL_MALFORMED;
	if (tb[FRA_IFNAME])
		attr_string(says->iif, sizeof(says->iif), tb[FRA_IFNAME]);
	if (tb[FRA_OIFNAME])
		attr_string(says->oif, sizeof(says->oif), tb[FRA_OIFNAME]);
	if (tb[FRA_FWMARK] && !tb[FRA_FWMASK])
		says->fwmask = UINT32_MAX;
	says->flags |= frh->flags & FIB_RULE_INVERT ? WYE_RULE_NOT : 0;
	says->flags |= tb[FRA_L3MDEV] && attr_u8(tb[FRA_L3MDEV]) ? WYE_RULE_L3MDEV : 0;
	says->flags |= tb[FRA_UID_RANGE] ? WYE_RULE_UID : 0;
	rule->special = says->dst_len || says->src_len || says->tos || frh->flags & FIB_RULE_INVERT;
	for (uint16_t type = 1; type <= RULE_ATTR_MAX; type++) {
		rule->special |= tb[type] && !is_plain(says, type);
		says->flags |= tb[type] && !is_known(tb[type], type) ? WYE_RULE_MORE : 0;
	}
	rule->hash = payload_hash(msg, frh->flags);
	return NL_DECODED;
}
