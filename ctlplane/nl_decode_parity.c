/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parity guard asks about: queueing disciplines and filters, nf_tables chains, IPsec policies. */
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
	if (tcm->tcm_ifindex <= 0)	/* a filter of a shared block: TCM_IFINDEX_MAGIC_BLOCK */
		return NL_OTHER;
	*tc = (struct nl_tc){ .ifindex = (uint32_t)tcm->tcm_ifindex, .handle = tcm->tcm_handle,
			      .parent = tcm->tcm_parent };
	if (tb[TCA_KIND])
		attr_string(tc->kind, sizeof(tc->kind), tb[TCA_KIND]);
	return NL_DECODED;
}

enum nl_verdict nl_decode_chain(const struct nlmsghdr *msg, struct nl_chain *chain)
{
	const struct nfgenmsg *nfg = msg_header(msg, sizeof(*nfg));
	const struct nlattr *tb[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];

	if (!nfg || !attrs_index(tb, NFTA_CHAIN_MAX, nfg + 1, msg->nlmsg_len - NLMSG_HDRLEN - sizeof(*nfg)))
		return NL_MALFORMED;
	*chain = (struct nl_chain){ .family = nfg->nfgen_family };
	if (!tb[NFTA_CHAIN_HOOK])
		return NL_DECODED;
	if (!attrs_index(hook, NFTA_HOOK_MAX, attr_data(tb[NFTA_CHAIN_HOOK]), attr_len(tb[NFTA_CHAIN_HOOK])))
		return NL_MALFORMED;
	if (!hook[NFTA_HOOK_HOOKNUM] || attr_len(hook[NFTA_HOOK_HOOKNUM]) < 4)
		return NL_MALFORMED;
	chain->base = true;
	chain->hook = __builtin_bswap32(attr_u32(hook[NFTA_HOOK_HOOKNUM]));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	chain->hook = attr_u32(hook[NFTA_HOOK_HOOKNUM]);
#endif
	return NL_DECODED;
}

enum nl_verdict nl_decode_policy(const struct nlmsghdr *msg, bool *counts)
{
	const struct xfrm_userpolicy_info *policy = msg_header(msg, sizeof(*policy));

	if (!policy)
		return NL_MALFORMED;
	*counts = policy->dir == XFRM_POLICY_IN || policy->dir == XFRM_POLICY_OUT || policy->dir == XFRM_POLICY_FWD;
	return NL_DECODED;
}
