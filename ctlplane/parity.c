/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parity guard's eyes: what the kernel would do to forwarded packets and the dataplane would not. What is found sets
 * a bit, on a link or on the whole region, and the packets concerned stay with the kernel. Three channels of their
 * own, all of one kind: any notification asks for a dump, and only a complete dump changes the answer.
 *
 * - nf_tables: a base chain of family ip, ip6, inet or netdev on prerouting, forward, postrouting, ingress or egress,
 *   whatever its rules. Legacy iptables: /proc/net/ip{,6}_tables_names lists a table once it has hooks; no notification,
 *   read once a second.
 * - IPsec: any policy in, out or forwarded.
 * - Traffic control: a root qdisc somebody chose (its handle is not 0), or a filter on clsact or ingress.
 */
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "mirror.h"

/* ---- nf_tables ---- */

#define NFT_TYPE(msg) ((NFNL_SUBSYS_NFTABLES << 8) | (msg))

static void judge_netfilter(struct mirror *mirror)
{
	mirror_parity(mirror, WYE_PARITY_NETFILTER, mirror->parity.chains || mirror->parity.iptables);
}

static bool chain_counts(const struct nl_chain *chain)
{
	if (!chain->base)
		return false;
	switch (chain->family) {
	case NFPROTO_INET:
	case NFPROTO_IPV4:
	case NFPROTO_IPV6:
		return chain->hook != NF_INET_LOCAL_IN && chain->hook != NF_INET_LOCAL_OUT;
	case NFPROTO_NETDEV:
		return true;
	default: /* bridge, arp */
		return false;
	}
}

static void nft_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	static const struct sync_job job = { .class = CLASS_CHAIN };
	struct nl_chain chain;

	if (!dumped) {
		switch (msg->nlmsg_type) {
		case NFT_TYPE(NFT_MSG_NEWCHAIN):
		case NFT_TYPE(NFT_MSG_DELCHAIN):
		case NFT_TYPE(NFT_MSG_NEWTABLE): /* its flag "dormant" switches its chains */
		case NFT_TYPE(NFT_MSG_DELTABLE):
			sync_add(&channel->sync, &job);
		}
		return;
	}
	if (msg->nlmsg_type == NFT_TYPE(NFT_MSG_NEWCHAIN) && mirror_decoded(mirror, nl_decode_chain(msg, &chain), msg))
		mirror->parity.chains_seen += chain_counts(&chain);
}

static struct nl_msg *nft_request(struct mirror *mirror, const struct sync_job *job)
{
	struct nfgenmsg nfg = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };

	mirror->parity.chains_seen = 0;
	return mirror_request(NFT_TYPE(NFT_MSG_GETCHAIN), &nfg, sizeof(nfg), 0, 0, 0, 0);
}

static enum sync_outcome nft_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	mirror->parity.chains = mirror->parity.chains_seen;
	judge_netfilter(mirror);
	return SYNC_DONE;
}

static void nft_resync(struct mirror *mirror, struct channel *channel)
{
	sync_add(&channel->sync, &(struct sync_job){ .class = CLASS_CHAIN });
}

static bool has_text(const char *path)
{
	FILE *file = fopen(path, "re");
	bool text = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	return text;
}

void parity_poll(struct mirror *mirror)
{
	mirror->parity.iptables = has_text("/proc/net/ip_tables_names") || has_text("/proc/net/ip6_tables_names");
	judge_netfilter(mirror);
}

/* ---- IPsec ---- */

static void xfrm_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	bool counts = false;

	if (!dumped) {
		channel->resync(mirror, channel);
		return;
	}
	if (msg->nlmsg_type == XFRM_MSG_NEWPOLICY && mirror_decoded(mirror, nl_decode_policy(msg, &counts), msg))
		mirror->parity.policies_seen += counts;
}

static struct nl_msg *xfrm_request(struct mirror *mirror, const struct sync_job *job)
{
	struct xfrm_userpolicy_id id = { .dir = 0 };

	mirror->parity.policies_seen = 0;
	return mirror_request(XFRM_MSG_GETPOLICY, &id, sizeof(id), 0, 0, 0, 0);
}

static enum sync_outcome xfrm_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	mirror->parity.policies = mirror->parity.policies_seen;
	mirror_parity(mirror, WYE_PARITY_XFRM, mirror->parity.policies != 0);
	return SYNC_DONE;
}

static void xfrm_resync(struct mirror *mirror, struct channel *channel)
{
	sync_add(&channel->sync, &(struct sync_job){ .class = CLASS_POLICY });
}

/* ---- traffic control ---- */

/* What a dump found on a link, in link_entry.tc_seen and .tc. */
enum tc_found {
	TC_CHOSEN_QDISC = 1u << 0,
	TC_FILTER_BLOCKS = 1u << 1,
	TC_FILTERS_IN = 1u << 2,
	TC_FILTERS_OUT = 1u << 3,
	TC_FILTERS = TC_FILTERS_IN | TC_FILTERS_OUT,
};

static void judge_tc(struct mirror *mirror, struct link_entry *link)
{
	uint32_t bit = link->tc & (TC_CHOSEN_QDISC | TC_FILTERS) ? WYE_PARITY_TC : 0;

	if (bit == link->parity_tc)
		return;
	link->parity_tc = bit;
	mirror->links.dirty = true;
}

static void tc_qdisc_seen(struct mirror *mirror, const struct nl_tc *tc)
{
	struct link_entry *link = links_find(mirror, tc->ifindex);

	if (!link)
		return;
	if (!strcmp(tc->kind, "clsact") || !strcmp(tc->kind, "ingress"))
		link->tc_seen |= TC_FILTER_BLOCKS;
	else if (tc->handle)
		link->tc_seen |= TC_CHOSEN_QDISC;
}

static void tc_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	const struct sync_job *job = &channel->sync.job[0];
	struct link_entry *link;
	struct nl_tc tc;

	if (!dumped) {
		channel->resync(mirror, channel);
		return;
	}
	if (job->class == CLASS_FILTER && msg->nlmsg_type == RTM_NEWTFILTER) { /* may name a shared block, not the link */
		link = links_find(mirror, job->ifindex);
		if (link)
			link->tc_seen |= TC_FILTERS;
	} else if (msg->nlmsg_type == RTM_NEWQDISC && mirror_decoded(mirror, nl_decode_tc(msg, &tc), msg)) {
		tc_qdisc_seen(mirror, &tc);
	}
}

static struct nl_msg *tc_request(struct mirror *mirror, const struct sync_job *job)
{
	struct tcmsg tcm = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)job->ifindex };

	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);

		if (job->class == CLASS_QDISC || link->ifindex == job->ifindex)
			link->tc_seen &= job->class == CLASS_QDISC ? 0u : ~(uint32_t)TC_FILTERS;
	}
	if (job->class == CLASS_QDISC)
		return mirror_request(RTM_GETQDISC, &tcm, sizeof(tcm), 0, 0, 0, 0);
	tcm.tcm_parent = job->table; /* TC_H_CLSACT's ingress or egress */
	return mirror_request(RTM_GETTFILTER, &tcm, sizeof(tcm), 0, 0, 0, 0);
}

static enum sync_outcome tc_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	static const uint32_t parents[] = { TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
					    TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) };
	struct sync *sync = &mirror->channel[CHANNEL_TC].sync;

	if (job->class == CLASS_FILTER) {
		struct link_entry *link = links_find(mirror, job->ifindex);
		uint32_t bit = job->table == parents[0] ? TC_FILTERS_IN : TC_FILTERS_OUT;

		if (!link)
			return SYNC_DONE;
		link->tc = link->tc_seen & TC_FILTERS ? link->tc | bit : link->tc & ~bit;
		judge_tc(mirror, link);
		return SYNC_DONE;
	}
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);
		struct sync_job filter = { .class = CLASS_FILTER, .ifindex = link->ifindex };
		uint32_t filters = link->tc_seen & TC_FILTER_BLOCKS ? link->tc & TC_FILTERS : 0;

		if (!link->present)
			continue;
		link->tc = (link->tc_seen & TC_CHOSEN_QDISC) | filters;
		for (int p = 0; p < 2 && link->tc_seen & TC_FILTER_BLOCKS; p++) {
			filter.table = parents[p];
			if (!sync_add(sync, &filter))
				link->tc |= TC_FILTERS; /* more links with clsact than we ask about: assume so */
		}
		judge_tc(mirror, link);
	}
	return SYNC_DONE;
}

static void tc_resync(struct mirror *mirror, struct channel *channel)
{
	sync_add(&channel->sync, &(struct sync_job){ .class = CLASS_QDISC });
}

/* ---- opening ---- */

int parity_open(struct mirror *mirror)
{
	static const int nft_groups[] = { NFNLGRP_NFTABLES, 0 }, xfrm_groups[] = { XFRMNLGRP_POLICY, 0 };
	static const int tc_groups[] = { RTNLGRP_TC, 0 };
	struct channel *tc = &mirror->channel[CHANNEL_TC];
	struct channel *nft = &mirror->channel[CHANNEL_NFT];
	struct channel *xfrm = &mirror->channel[CHANNEL_XFRM];
	int error;

	*tc = (struct channel){ .name = "tc", .mirror = mirror, .loop = &mirror->loop, .protocol = NETLINK_ROUTE,
				.message = tc_message, .request = tc_request, .sweep = tc_sweep, .resync = tc_resync };
	*nft = (struct channel){ .name = "nf_tables", .mirror = mirror, .loop = &mirror->loop,
				 .protocol = NETLINK_NETFILTER, .message = nft_message, .request = nft_request,
				 .sweep = nft_sweep, .resync = nft_resync };
	*xfrm = (struct channel){ .name = "xfrm", .mirror = mirror, .loop = &mirror->loop, .protocol = NETLINK_XFRM,
				  .message = xfrm_message, .request = xfrm_request, .sweep = xfrm_sweep,
				  .resync = xfrm_resync };
	parity_poll(mirror);
	error = channel_open(tc, tc_groups);
	if (!error)
		error = channel_open(nft, nft_groups);
	if (!error)
		error = channel_open(xfrm, xfrm_groups);
	if (error)
		return error;
	if (!nft->absent)
		nft_resync(mirror, nft);
	if (!xfrm->absent)
		xfrm_resync(mirror, xfrm);
	return 0; /* traffic control once the links are known */
}
