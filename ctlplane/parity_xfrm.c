/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPsec: forwarded packets are judged by policies of direction fwd and out (ip_forward(), ip6_forward()), and where none
 * is for them by the default of these directions, which an operator can set to block. Policies of direction in are for
 * what the host receives.
 */
#include <arpa/inet.h>
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/xfrm.h>
#include <sys/socket.h>

#include <netlink/attr.h>

#include "mirror.h"

static void policy_seen(struct mirror *mirror, const struct nl_policy *policy)
{
	struct parity_scope scope = { WYE_PARITY_XFRM, 0, PARITY_BOTH };
	uint8_t family = policy->family == AF_INET6 ? AF_INET6 : AF_INET;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	if (policy->dir != XFRM_POLICY_FWD && policy->dir != XFRM_POLICY_OUT)
		return;
	if (policy->family)
		scope.families = family == AF_INET ? WYE_PARITY_IP4 : WYE_PARITY_IP6;
	inet_ntop(family, policy->src, src, sizeof(src));
	inet_ntop(family, policy->dst, dst, sizeof(dst));
	parity_found(mirror, PARITY_POLICIES, scope, "policy %s, src %s/%u dst %s/%u",
		     policy->dir == XFRM_POLICY_FWD ? "fwd" : "out", src, policy->src_len, dst, policy->dst_len);
}

static void xfrm_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	struct parity_scope scope = { WYE_PARITY_XFRM, 0, PARITY_BOTH };
	struct nl_policy policy;
	bool blocks;

	if (!dumped) {
		if (msg->nlmsg_type != XFRM_MSG_EXPIRE) /* a state's */
			channel->resync(mirror, channel);
		return;
	}
	if (msg->nlmsg_type == XFRM_MSG_NEWPOLICY && mirror_decoded(mirror, nl_decode_policy(msg, &policy), msg))
		policy_seen(mirror, &policy);
	if (msg->nlmsg_type == XFRM_MSG_GETDEFAULT &&
	    mirror_decoded(mirror, nl_decode_policy_default(msg, &blocks), msg) && blocks)
		parity_found(mirror, PARITY_POLICY_DEFAULT, scope, "policy default blocks");
}

/* One answer, not a dump: the acknowledgement ends it. */
static struct nl_msg *request_default(void)
{
	struct xfrm_userpolicy_default nothing = { 0 };
	struct nl_msg *msg = nlmsg_alloc_simple(XFRM_MSG_GETDEFAULT, NLM_F_REQUEST | NLM_F_ACK);

	if (msg && nlmsg_append(msg, &nothing, sizeof(nothing), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

static struct nl_msg *xfrm_request(struct mirror *mirror, const struct sync_job *job)
{
	struct xfrm_userpolicy_id id = { .dir = 0 };

	if (job->class == CLASS_POLICY_DEFAULT) {
		parity_look(mirror, PARITY_POLICY_DEFAULT);
		return request_default();
	}
	parity_look(mirror, PARITY_POLICIES);
	return mirror_request(XFRM_MSG_GETPOLICY, &id, sizeof(id), 0, 0, 0, 0);
}

static enum sync_outcome xfrm_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	parity_looked(mirror, job->class == CLASS_POLICY_DEFAULT ? PARITY_POLICY_DEFAULT : PARITY_POLICIES, 0);
	return SYNC_DONE;
}

static void xfrm_resync(struct mirror *mirror, struct channel *channel)
{
	sync_add(&channel->sync, &(struct sync_job){ .class = CLASS_POLICY });
	sync_add(&channel->sync, &(struct sync_job){ .class = CLASS_POLICY_DEFAULT, .optional = true }); /* Linux 5.14 */
}

void parity_xfrm_channel(struct mirror *mirror, struct channel *channel)
{
	*channel = (struct channel){ .name = "xfrm", .protocol = NETLINK_XFRM, .message = xfrm_message,
				     .request = xfrm_request, .sweep = xfrm_sweep, .resync = xfrm_resync };
}
