/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parity guard asks about: queueing disciplines and filters, nf_tables chains, IPsec policies. */
#include <arpa/inet.h>
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>

#include "nl_attr.h"
#include "nl_decode.h"

enum nl_verdict nl_decode_tc(const struct nlmsghdr *msg, struct nl_tc *tc)
{
	const struct tcmsg *tcm = msg_header(msg, sizeof(*tcm));
	const struct nlattr *tb[TCA_KIND + 1];

	if (!tcm || !attrs_index(tb, TCA_KIND, tcm + 1, msg->nlmsg_len - NLMSG_HDRLEN - sizeof(*tcm)))
		return NL_MALFORMED;
	*tc = (struct nl_tc){ .handle = tcm->tcm_handle, .parent = tcm->tcm_parent };
	if (tb[TCA_KIND])
		attr_string(tc->kind, sizeof(tc->kind), tb[TCA_KIND]);
	if (tcm->tcm_ifindex <= 0)	/* a filter of a shared block: TCM_IFINDEX_MAGIC_BLOCK */
		return NL_OTHER;
	tc->ifindex = (uint32_t)tcm->tcm_ifindex;
	return NL_DECODED;
}

/* ---- nf_tables ---- */

/* Network order, as nf_tables has all its numbers. */
static bool attr_be32(const struct nlattr *attr, uint32_t *value)
{
	if (!attr || attr_len(attr) < sizeof(*value))
		return false;
	*value = ntohl(attr_u32(attr));
	return true;
}

/* FNV-1a: names may be longer than what is kept of them. */
static uint64_t table_id(uint8_t family, const struct nlattr *name)
{
	const uint8_t *bytes = attr_data(name);
	uint64_t h = (14695981039346656037ULL ^ family) * 1099511628211ULL;

	for (uint32_t i = 0; i < attr_len(name) && bytes[i]; i++)
		h = (h ^ bytes[i]) * 1099511628211ULL;
	return h;
}

static const struct nfgenmsg *nft_index(const struct nlmsghdr *msg, const struct nlattr **tb, uint16_t max)
{
	const struct nfgenmsg *nfg = msg_header(msg, sizeof(*nfg));

	if (!nfg || !attrs_index(tb, max, nfg + 1, msg->nlmsg_len - NLMSG_HDRLEN - sizeof(*nfg)))
		return NULL;
	return nfg;
}

enum nl_verdict nl_decode_nft_table(const struct nlmsghdr *msg, struct nl_nft_table *table)
{
	const struct nlattr *tb[NFTA_TABLE_MAX + 1];
	const struct nfgenmsg *nfg = nft_index(msg, tb, NFTA_TABLE_MAX);
	uint32_t flags = 0;

	if (!nfg || !tb[NFTA_TABLE_NAME])
		return NL_MALFORMED;
	attr_be32(tb[NFTA_TABLE_FLAGS], &flags);
	*table = (struct nl_nft_table){ .id = table_id(nfg->nfgen_family, tb[NFTA_TABLE_NAME]),
					.dormant = flags & NFT_TABLE_F_DORMANT };
	return NL_DECODED;
}

enum nl_verdict nl_decode_chain(const struct nlmsghdr *msg, struct nl_chain *chain)
{
	const struct nlattr *tb[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];
	const struct nfgenmsg *nfg = nft_index(msg, tb, NFTA_CHAIN_MAX);
	uint32_t policy = NF_DROP, rules = 1;

	if (!nfg)
		return NL_MALFORMED;
	*chain = (struct nl_chain){ .family = nfg->nfgen_family };
	if (!tb[NFTA_CHAIN_HOOK])
		return NL_DECODED;
	if (!tb[NFTA_CHAIN_TABLE] || !tb[NFTA_CHAIN_NAME] ||
	    !attrs_index(hook, NFTA_HOOK_MAX, attr_data(tb[NFTA_CHAIN_HOOK]), attr_len(tb[NFTA_CHAIN_HOOK])) ||
	    !attr_be32(hook[NFTA_HOOK_HOOKNUM], &chain->hook))
		return NL_MALFORMED;
	chain->base = true;
	chain->hooked = (struct nl_hooked){ hook[NFTA_HOOK_DEV], hook[NFTA_HOOK_DEVS] };
	chain->table_id = table_id(chain->family, tb[NFTA_CHAIN_TABLE]);
	attr_string(chain->table, sizeof(chain->table), tb[NFTA_CHAIN_TABLE]);
	attr_string(chain->name, sizeof(chain->name), tb[NFTA_CHAIN_NAME]);
	attr_be32(tb[NFTA_CHAIN_POLICY], &policy);
	attr_be32(tb[NFTA_CHAIN_USE], &rules); /* nobody can jump to a base chain: its users are its rules */
	chain->accepts_all = policy == NF_ACCEPT && !rules;
	return NL_DECODED;
}

enum nl_verdict nl_decode_flowtable(const struct nlmsghdr *msg, struct nl_flowtable *flowtable)
{
	const struct nlattr *tb[NFTA_FLOWTABLE_MAX + 1], *hook[NFTA_FLOWTABLE_HOOK_MAX + 1];
	const struct nfgenmsg *nfg = nft_index(msg, tb, NFTA_FLOWTABLE_MAX);
	const struct nlattr *nest;

	if (!nfg || !tb[NFTA_FLOWTABLE_TABLE] || !tb[NFTA_FLOWTABLE_NAME])
		return NL_MALFORMED;
	nest = tb[NFTA_FLOWTABLE_HOOK];
	*flowtable = (struct nl_flowtable){ .family = nfg->nfgen_family };
	if (nest) {
		if (!attrs_index(hook, NFTA_FLOWTABLE_HOOK_MAX, attr_data(nest), attr_len(nest)))
			return NL_MALFORMED;
		flowtable->hooked.devices = hook[NFTA_FLOWTABLE_HOOK_DEVS];
	}
	attr_string(flowtable->table, sizeof(flowtable->table), tb[NFTA_FLOWTABLE_TABLE]);
	attr_string(flowtable->name, sizeof(flowtable->name), tb[NFTA_FLOWTABLE_NAME]);
	return NL_DECODED;
}

/* NFTA_DEVICE_PREFIX (Linux 6.17), or a name without its end (6.16): all devices whose names begin so. */
#define DEVICE_PREFIX 2

static bool device_is(const struct nlattr *attr, const char *name)
{
	size_t len = strnlen(attr_data(attr), attr_len(attr));
	bool prefix = (attr->nla_type & NLA_TYPE_MASK) == DEVICE_PREFIX || len == attr_len(attr);

	return !strncmp(attr_data(attr), name, len) && (prefix || !name[len]);
}

bool nl_hooked_on(const struct nl_hooked *hooked, const char *name)
{
	const char *at, *end;

	if (hooked->device && device_is(hooked->device, name))
		return true;
	if (!hooked->devices)
		return false;
	at = attr_data(hooked->devices);
	end = at + attr_len(hooked->devices);
	while (end - at >= NLA_HDRLEN) {
		const struct nlattr *attr = (const void *)at;

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > end - at)
			return false;
		if (device_is(attr, name))
			return true;
		at += NLA_ALIGN((size_t)attr->nla_len);
	}
	return false;
}

/* ---- IPsec ---- */

enum nl_verdict nl_decode_policy(const struct nlmsghdr *msg, struct nl_policy *policy)
{
	struct xfrm_userpolicy_info info;
	const void *given = msg_header(msg, sizeof(info));

	if (!given)
		return NL_MALFORMED;
	memcpy(&info, given, sizeof(info)); /* it has members of 8 bytes, a message is aligned to 4 */
	*policy = (struct nl_policy){ .family = (uint8_t)info.sel.family, .dir = info.dir,
				      .src_len = info.sel.prefixlen_s, .dst_len = info.sel.prefixlen_d };
	memcpy(policy->src, &info.sel.saddr, 16);
	memcpy(policy->dst, &info.sel.daddr, 16);
	return NL_DECODED;
}

enum nl_verdict nl_decode_policy_default(const struct nlmsghdr *msg, bool *blocks)
{
	const struct xfrm_userpolicy_default *given = msg_header(msg, sizeof(*given));

	if (!given)
		return NL_MALFORMED;
	*blocks = given->fwd == XFRM_USERPOLICY_BLOCK || given->out == XFRM_USERPOLICY_BLOCK;
	return NL_DECODED;
}
