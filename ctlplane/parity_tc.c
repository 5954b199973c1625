/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traffic control on ports: a root qdisc somebody chose (its handle is not 0), or a filter on clsact or ingress. Any
 * notification asks for the qdiscs anew; what of them may carry filters is then asked about, one dump at a time.
 */
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "mirror.h"

#define DUE_IN	1u
#define DUE_OUT 2u

static void tc_qdisc_seen(struct mirror *mirror, const struct nl_tc *tc)
{
	struct link_entry *link = links_find(mirror, tc->ifindex);
	struct parity_scope scope = { WYE_PARITY_TC, tc->ifindex, PARITY_BOTH };

	if (!link || !parity_is_port(link))
		return;
	if (!strcmp(tc->kind, "clsact"))
		link->tc_due = DUE_IN | DUE_OUT;
	else if (!strcmp(tc->kind, "ingress"))
		link->tc_due = DUE_IN;
	else if (tc->handle)
		parity_found(mirror, PARITY_QDISCS, scope, "qdisc %s %x:", tc->kind, tc->handle >> 16);
}

static enum parity_source filters(const struct sync_job *job)
{
	return job->table == TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) ? PARITY_FILTERS_OUT : PARITY_FILTERS_IN;
}

/* The first tells of all. It may name a shared block, not the link: the job knows. */
static void tc_filter_seen(struct mirror *mirror, const struct sync_job *job, const struct nlmsghdr *msg)
{
	struct parity_scope scope = { WYE_PARITY_TC, job->ifindex, PARITY_BOTH };
	const struct link_entry *link = links_find(mirror, job->ifindex);
	enum parity_source source = filters(job);
	struct nl_tc tc;

	if (mirror->parity.filter_told || !link || !parity_is_port(link))
		return;
	mirror->parity.filter_told = true;
	if (nl_decode_tc(msg, &tc) == NL_MALFORMED || !tc.kind[0])
		strcpy(tc.kind, "?");
	parity_found(mirror, source, scope, "%s filter, kind %s", source == PARITY_FILTERS_OUT ? "egress" : "ingress",
		     tc.kind);
}

static void tc_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	const struct sync_job *job = &channel->sync.job[0];
	struct nl_tc tc;

	if (!dumped) {
		channel->resync(mirror, channel);
		if ((msg->nlmsg_type & ~1u) == RTM_NEWQDISC) /* a link tells its root's kind, but not when it changes */
			sync_add(&mirror->channel[CHANNEL_LINK].sync, &(struct sync_job){ .class = CLASS_LINK });
		return;
	}
	if (job->class == CLASS_FILTER && msg->nlmsg_type == RTM_NEWTFILTER)
		tc_filter_seen(mirror, job, msg);
	else if (msg->nlmsg_type == RTM_NEWQDISC && mirror_decoded(mirror, nl_decode_tc(msg, &tc), msg))
		tc_qdisc_seen(mirror, &tc);
}

static struct nl_msg *tc_request(struct mirror *mirror, const struct sync_job *job)
{
	struct tcmsg tcm = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)job->ifindex, .tcm_parent = job->table };

	if (job->class == CLASS_FILTER) {
		parity_look(mirror, filters(job));
		mirror->parity.filter_told = false;
		return mirror_request(RTM_GETTFILTER, &tcm, sizeof(tcm), 0, 0, 0, 0);
	}
	parity_look(mirror, PARITY_QDISCS);
	for (uint32_t i = 1; i < mirror->links.pool.used; i++)
		((struct link_entry *)pool_item(&mirror->links.pool, i))->tc_due = 0;
	return mirror_request(RTM_GETQDISC, &tcm, sizeof(tcm), 0, 0, 0, 0);
}

/* Links that can carry no filter (any more) have none. */
static void forget_filters(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		const struct link_entry *link = pool_item(&mirror->links.pool, i);

		for (int out = 0; link->present && out < 2; out++) {
			enum parity_source source = out ? PARITY_FILTERS_OUT : PARITY_FILTERS_IN;

			if (link->tc_due & (out ? DUE_OUT : DUE_IN))
				continue;
			parity_look(mirror, source);
			parity_looked(mirror, source, link->ifindex);
		}
	}
}

static void ask_next(struct mirror *mirror)
{
	struct channel *channel = &mirror->channel[CHANNEL_TC];

	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);
		struct sync_job job = { .class = CLASS_FILTER, .ifindex = link->ifindex };
		uint32_t due = link->tc_due & DUE_IN ? DUE_IN : DUE_OUT;

		if (!link->present || !link->tc_due)
			continue;
		link->tc_due &= ~due;
		job.table = TC_H_MAKE(TC_H_CLSACT, due == DUE_IN ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
		if (!channel_audits(channel))
			sync_add(&channel->sync, &job);
		else if (channel->sync.n_jobs == 1) /* else a look that is no audit's follows */
			audit_add(mirror, channel, job);
		return;
	}
}

static enum sync_outcome tc_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	if (job->class == CLASS_FILTER) {
		parity_looked(mirror, filters(job), job->ifindex);
	} else {
		parity_looked(mirror, PARITY_QDISCS, 0);
		forget_filters(mirror);
	}
	ask_next(mirror);
	return SYNC_DONE;
}

static void tc_resync(struct mirror *mirror, struct channel *channel)
{
	sync_add(&channel->sync, &(struct sync_job){ .class = CLASS_QDISC });
}

void parity_tc_channel(struct mirror *mirror, struct channel *channel)
{
	*channel = (struct channel){ .name = "tc", .protocol = NETLINK_ROUTE, .message = tc_message, .request = tc_request,
				     .sweep = tc_sweep, .resync = tc_resync };
}
