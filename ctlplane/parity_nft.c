/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nf_tables, where iptables-nft lives too. A base chain counts if forwarded packets pass it: family ip, ip6 or inet on
 * prerouting, forward or postrouting holds its families; on ingress or egress of a port (netdev, inet) that port. Not if
 * it has no rule and accepts, nor in a dormant table: that is what a fresh Debian's /etc/nftables.conf makes. A flowtable
 * holds its ports as long as it exists: it may hold flows of a rule that is gone.
 *
 * Families bridge and arp see no packet that a port of ours routes: ports that are in a bridge are the kernel's anyhow.
 */
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "mirror.h"

#define NFT_TYPE(msg) ((NFNL_SUBSYS_NFTABLES << 8) | (msg))

static uint32_t families_of(uint8_t family)
{
	return family == NFPROTO_IPV4 ? WYE_PARITY_IP4 : family == NFPROTO_IPV6 ? WYE_PARITY_IP6 : PARITY_BOTH;
}

static const char *family_name(uint8_t family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : family == NFPROTO_INET ? "inet" : "netdev";
}

static const char *hook_name(const struct nl_chain *chain)
{
	static const char *const inet[] = { "prerouting", "input", "forward", "output", "postrouting", "ingress" };

	if (chain->family == NFPROTO_NETDEV)
		return chain->hook == NF_NETDEV_INGRESS ? "ingress" : "egress";
	return chain->hook < sizeof(inet) / sizeof(inet[0]) ? inet[chain->hook] : "an unknown hook";
}

static bool dormant(const struct mirror *mirror, uint64_t table_id)
{
	for (uint32_t i = 0; i < mirror->parity.n_dormant; i++)
		if (mirror->parity.dormant[i] == table_id)
			return true;
	return false;
}

/* On each port it names. */
static void on_devices(struct mirror *mirror, enum parity_source source, const struct nl_hooked *hooked,
		       const char *where)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		const struct link_entry *link = pool_item(&mirror->links.pool, i);
		struct parity_scope scope = { WYE_PARITY_NFTABLES, link->ifindex, PARITY_BOTH };

		if (link->present && parity_is_port(link) && nl_hooked_on(hooked, link->nl.name))
			parity_found(mirror, source, scope, "%s", where);
	}
}

static void chain_seen(struct mirror *mirror, const struct nl_chain *chain)
{
	struct parity_scope scope = { WYE_PARITY_NFTABLES, 0, families_of(chain->family) };
	char where[sizeof(((struct parity_find *)0)->where)];

	if (!chain->base || chain->accepts_all || dormant(mirror, chain->table_id))
		return;
	if (chain->family != NFPROTO_IPV4 && chain->family != NFPROTO_IPV6 && chain->family != NFPROTO_INET &&
	    chain->family != NFPROTO_NETDEV)
		return;
	snprintf(where, sizeof(where), "table %s %.30s, chain %.30s, hook %s", family_name(chain->family), chain->table,
		 chain->name, hook_name(chain));
	if (chain->family == NFPROTO_NETDEV || (chain->family == NFPROTO_INET && chain->hook == NF_INET_INGRESS))
		on_devices(mirror, PARITY_CHAINS, &chain->hooked, where);
	else if (chain->hook != NF_INET_LOCAL_IN && chain->hook != NF_INET_LOCAL_OUT)
		parity_found(mirror, PARITY_CHAINS, scope, "%s", where);
}

static void flowtable_seen(struct mirror *mirror, const struct nl_flowtable *flowtable)
{
	char where[sizeof(((struct parity_find *)0)->where)];

	snprintf(where, sizeof(where), "table %s %.30s, flowtable %.30s", family_name(flowtable->family),
		 flowtable->table, flowtable->name);
	on_devices(mirror, PARITY_FLOWTABLES, &flowtable->hooked, where);
}

/* ---- dormant tables ---- */

static void table_seen(struct mirror *mirror, const struct nl_nft_table *table)
{
	struct parity *parity = &mirror->parity;

	if (table->dormant && parity->n_dormant_seen < PARITY_DORMANT_MAX)
		parity->dormant_seen[parity->n_dormant_seen++] = table->id;
}

/* Awake at once; asleep only by a complete dump. */
static void table_woken(struct mirror *mirror, const struct nl_nft_table *table)
{
	struct parity *parity = &mirror->parity;

	for (uint32_t i = 0; i < parity->n_dormant; i++)
		if (parity->dormant[i] == table->id)
			parity->dormant[i] = 0;
}

static void tables_swept(struct mirror *mirror)
{
	static const struct sync_job chains = { .class = CLASS_CHAIN, .optional = true };
	struct channel *channel = &mirror->channel[CHANNEL_NFT];
	struct parity *parity = &mirror->parity;
	size_t bytes = parity->n_dormant_seen * sizeof(parity->dormant[0]);

	if (parity->n_dormant == parity->n_dormant_seen && !memcmp(parity->dormant, parity->dormant_seen, bytes))
		return;
	if (!audit_differs(mirror, channel, "dormant", 7))
		return;
	memcpy(parity->dormant, parity->dormant_seen, bytes);
	parity->n_dormant = parity->n_dormant_seen;
	if (!channel_audits(channel)) /* it looks at the chains itself */
		sync_add(&channel->sync, &chains);
}

/* ---- the channel ---- */

static void nft_dumped(struct mirror *mirror, const struct nlmsghdr *msg)
{
	struct nl_nft_table table;
	struct nl_flowtable flowtable;
	struct nl_chain chain;

	switch (msg->nlmsg_type) {
	case NFT_TYPE(NFT_MSG_NEWTABLE):
		if (mirror_decoded(mirror, nl_decode_nft_table(msg, &table), msg))
			table_seen(mirror, &table);
		break;
	case NFT_TYPE(NFT_MSG_NEWCHAIN):
		if (mirror_decoded(mirror, nl_decode_chain(msg, &chain), msg))
			chain_seen(mirror, &chain);
		break;
	case NFT_TYPE(NFT_MSG_NEWFLOWTABLE):
		if (mirror_decoded(mirror, nl_decode_flowtable(msg, &flowtable), msg))
			flowtable_seen(mirror, &flowtable);
		break;
	}
}

/* Chains first: while rules come by the thousand, dumps are interrupted, but what they show is raised all the same. */
static void nft_resync(struct mirror *mirror, struct channel *channel)
{
	static const uint8_t classes[] = { CLASS_CHAIN, CLASS_NFT_TABLE, CLASS_FLOWTABLE };

	for (size_t i = 0; i < sizeof(classes); i++)
		sync_add(&channel->sync, &(struct sync_job){ .class = classes[i], .optional = true });
}

static void nft_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	struct nl_nft_table table;

	if (dumped) {
		nft_dumped(mirror, msg);
		return;
	}
	switch (msg->nlmsg_type) {
	case NFT_TYPE(NFT_MSG_NEWTABLE):
		if (mirror_decoded(mirror, nl_decode_nft_table(msg, &table), msg) && !table.dormant)
			table_woken(mirror, &table);
		nft_resync(mirror, channel);
		break;
	case NFT_TYPE(NFT_MSG_NEWCHAIN):
	case NFT_TYPE(NFT_MSG_DELCHAIN):
	case NFT_TYPE(NFT_MSG_DELTABLE):
	case NFT_TYPE(NFT_MSG_NEWRULE):
	case NFT_TYPE(NFT_MSG_DELRULE):
	case NFT_TYPE(NFT_MSG_NEWFLOWTABLE):
	case NFT_TYPE(NFT_MSG_DELFLOWTABLE):
		nft_resync(mirror, channel);
	}
}

static struct nl_msg *nft_request(struct mirror *mirror, const struct sync_job *job)
{
	struct nfgenmsg nfg = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	int type = NFT_TYPE(NFT_MSG_GETTABLE);

	if (job->class == CLASS_CHAIN) {
		parity_look(mirror, PARITY_CHAINS);
		type = NFT_TYPE(NFT_MSG_GETCHAIN);
	} else if (job->class == CLASS_FLOWTABLE) {
		parity_look(mirror, PARITY_FLOWTABLES);
		type = NFT_TYPE(NFT_MSG_GETFLOWTABLE);
	} else {
		mirror->parity.n_dormant_seen = 0;
	}
	return mirror_request(type, &nfg, sizeof(nfg), 0, 0, 0, 0);
}

static enum sync_outcome nft_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	if (job->class == CLASS_NFT_TABLE)
		tables_swept(mirror);
	else
		parity_looked(mirror, job->class == CLASS_CHAIN ? PARITY_CHAINS : PARITY_FLOWTABLES, 0);
	return SYNC_DONE;
}

void parity_nft_channel(struct mirror *mirror, struct channel *channel)
{
	*channel = (struct channel){ .name = "nf_tables", .protocol = NETLINK_NETFILTER, .message = nft_message,
				     .request = nft_request, .sweep = nft_sweep, .resync = nft_resync };
}
