/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parity guard's findings: see parity.h. They are few (chains, policies, ports); each list of them is walked as it
 * is.
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "array.h"
#include "log.h"
#include "mirror.h"

#define HEAR_MS 10
#define POLL_NS 100000000u

static const char *reason_key(enum wye_parity reason)
{
	static const struct { enum wye_parity reason; const char *key; } keys[] = {
		{ WYE_PARITY_NFTABLES, "nftables" }, { WYE_PARITY_IPTABLES, "iptables" }, { WYE_PARITY_HOOKS, "hooks" },
		{ WYE_PARITY_TC, "tc" },	     { WYE_PARITY_XDP, "xdp" },		  { WYE_PARITY_XFRM, "xfrm" },
		{ WYE_PARITY_RULES, "rules" },
		{ WYE_PARITY_BRIDGE_PORT, "bridge_port" }, { WYE_PARITY_CAPACITY, "capacity" }, { WYE_PARITY_PMTU, "pmtu" },
		{ WYE_PARITY_IPVS, "ipvs" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].reason == reason)
			return keys[i].key;
	return "?";
}

static bool ignored(const struct mirror *mirror, const struct parity_find *find)
{
	return mirror->config->parity.ignore & find->scope.reason;
}

static void tell(struct mirror *mirror, const struct parity_find *find, bool there)
{
	const struct link_entry *link = links_find(mirror, find->scope.ifindex);
	const char *families = find->scope.families == PARITY_BOTH ? "" :
			       find->scope.families == WYE_PARITY_IP4 ? "IPv4 " : "IPv6 ";

	if (!there)
		log_notice("parity: %s: %s: is gone", reason_key(find->scope.reason), find->where);
	else if (ignored(mirror, find))
		log_notice("parity: %s: %s: ignored, as the configuration says", reason_key(find->scope.reason),
			   find->where);
	else
		log_notice("parity: %s: %s: the kernel keeps all %spackets%s%s", reason_key(find->scope.reason), find->where,
			   families, link ? " of " : "", link ? link->nl.name : "");
}

/* ---- looks ---- */

void parity_look(struct mirror *mirror, enum parity_source source)
{
	mirror->parity.look[source] = ++mirror->parity.gen;
}

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool same(const struct parity_find *a, const struct parity_find *b)
{
	return a->source == b->source && !memcmp(&a->scope, &b->scope, sizeof(a->scope)) && !strcmp(a->where, b->where);
}

static uint64_t fnv(uint64_t h, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)bytes)[i]) * 1099511628211ULL;
	return h;
}

/* Is it news, or to be taken for news? What has no channel is not audited: it is looked at again and again. */
static bool news(struct mirror *mirror, const struct parity_find *find)
{
	static const uint8_t channels[PARITY_SOURCES] = {
		[PARITY_CHAINS] = CHANNEL_NFT,	    [PARITY_FLOWTABLES] = CHANNEL_NFT,	  [PARITY_QDISCS] = CHANNEL_TC,
		[PARITY_FILTERS_IN] = CHANNEL_TC,   [PARITY_FILTERS_OUT] = CHANNEL_TC,	  [PARITY_POLICIES] = CHANNEL_XFRM,
		[PARITY_POLICY_DEFAULT] = CHANNEL_XFRM,
	};
	const struct channel *channel = &mirror->channel[channels[find->source]];
	uint64_t key = fnv(14695981039346656037ULL, &find->scope, sizeof(find->scope));

	if (!channels[find->source] || !channel_audits(channel))
		return true;
	key = fnv(key, find->where, strlen(find->where)) + find->source;
	return audit_differs(mirror, channel, &key, sizeof(key));
}

static void find_add(struct mirror *mirror, struct parity_find *seen)
{
	struct parity *parity = &mirror->parity;

	parity->dirty = true;
	if (!array_fit((void **)&parity->find, &parity->cap, sizeof(*seen), parity->n + 1)) {
		parity->failed = true;
		return;
	}
	seen->since_ns = wall_ns();
	parity->find[parity->n++] = *seen;
	tell(mirror, seen, true);
}

void parity_found(struct mirror *mirror, enum parity_source source, struct parity_scope scope, const char *where, ...)
{
	struct parity *parity = &mirror->parity;
	struct parity_find seen = { .source = source, .scope = scope, .gen = parity->look[source] };
	va_list args;

	va_start(args, where);
	vsnprintf(seen.where, sizeof(seen.where), where, args);
	va_end(args);
	for (uint32_t i = 0; i < parity->n; i++)
		if (same(&parity->find[i], &seen)) {
			parity->find[i].gen = seen.gen;
			return;
		}
	if (news(mirror, &seen))
		find_add(mirror, &seen);
}

static void find_drop(struct mirror *mirror, uint32_t index)
{
	struct parity *parity = &mirror->parity;

	tell(mirror, &parity->find[index], false);
	parity->n--;
	memmove(&parity->find[index], &parity->find[index + 1], (parity->n - index) * sizeof(parity->find[0]));
	parity->dirty = true;
}

void parity_looked(struct mirror *mirror, enum parity_source source, uint32_t ifindex)
{
	struct parity *parity = &mirror->parity;

	for (uint32_t i = parity->n; i-- > 0;)
		if (parity->find[i].source == source && parity->find[i].gen != parity->look[source] &&
		    (!ifindex || parity->find[i].scope.ifindex == ifindex) && news(mirror, &parity->find[i]))
			find_drop(mirror, i);
}

void parity_set(struct mirror *mirror, enum parity_source source, struct parity_scope scope, bool found,
		const char *where)
{
	parity_look(mirror, source);
	if (found)
		parity_found(mirror, source, scope, "%s", where);
	parity_looked(mirror, source, 0);
}

/* Traffic control once the links are known; without a kernel (a recording), nothing. */
static void look_again(struct mirror *mirror, enum mirror_channel which)
{
	struct channel *channel = &mirror->channel[which];

	if (channel->events.fd >= 0 && !channel->absent && (which != CHANNEL_TC || mirror->phase_two))
		channel->resync(mirror, channel);
}

void parity_look_at_ports(struct mirror *mirror)
{
	if (mirror->channel[CHANNEL_LINK].events.fd >= 0) /* else a recording */
		parity_bpf_look(mirror);
	look_again(mirror, CHANNEL_NFT);
	look_again(mirror, CHANNEL_TC);
}

void parity_link_gone(struct mirror *mirror, uint32_t ifindex)
{
	for (uint32_t i = mirror->parity.n; i-- > 0;)
		if (mirror->parity.find[i].scope.ifindex == ifindex)
			find_drop(mirror, i);
}

bool parity_names(const struct mirror *mirror, const struct link_entry *link)
{
	for (size_t i = 0; i < mirror->config->n_ports; i++) {
		const char *netdev = mirror->config->port[i].netdev;

		if (!strcmp(link->nl.name, netdev) || altnames_have(mirror, link, netdev))
			return true;
	}
	return false;
}

bool parity_is_port(const struct link_entry *link)
{
	return link->port || (link->written && link->record.flags & WYE_LINK_PORT);
}

/* ---- words and records ---- */

static uint32_t bits_of(const struct mirror *mirror, uint32_t ifindex)
{
	const struct parity *parity = &mirror->parity;
	uint32_t bits = !ifindex && parity->failed ? wye_parity_bits(WYE_PARITY_CAPACITY, PARITY_BOTH) : 0;

	for (uint32_t i = 0; i < parity->n; i++)
		if (parity->find[i].scope.ifindex == ifindex && !ignored(mirror, &parity->find[i]))
			bits |= wye_parity_bits(parity->find[i].scope.reason, parity->find[i].scope.families);
	return bits;
}

static void commit_links(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->links.pool.used; i++) {
		struct link_entry *link = pool_item(&mirror->links.pool, i);
		uint32_t bits;

		if (!link->present)
			continue;
		bits = bits_of(mirror, link->ifindex);
		if (bits == link->parity)
			continue;
		link->parity = bits;
		mirror->links.dirty = true;
	}
}

static void write_record(struct mirror *mirror, uint32_t index)
{
	const struct parity_find *find = index < mirror->parity.n ? &mirror->parity.find[index] : NULL;
	struct wye_parity_find record = { 0 };

	if (find) {
		record.reason = find->scope.reason;
		record.ifindex = find->scope.ifindex;
		record.families = find->scope.families;
		record.since_ns = find->since_ns;
		record.ignored = ignored(mirror, find);
		memcpy(record.where, find->where, sizeof(record.where));
	}
	tables_write(mirror->tables, WYE_SECTION_PARITY, index + 1, &record, sizeof(record));
}

/* The first ones are told; all of them hold. */
static void commit_records(struct mirror *mirror)
{
	struct parity *parity = &mirror->parity;
	struct region *region = &mirror->tables->region;

	while (parity->records < parity->n && parity->records < REGION_PARITY_FINDS) {
		uint32_t record = region_alloc(region, WYE_SECTION_PARITY, 1);

		if (!record)
			break;
		memset((struct wye_parity_find *)region_records(region, WYE_SECTION_PARITY) + record, 0,
		       sizeof(struct wye_parity_find));
		parity->records++;
	}
	for (uint32_t i = 0; i < parity->records; i++)
		write_record(mirror, i);
}

void parity_commit(struct mirror *mirror)
{
	struct parity *parity = &mirror->parity;

	if (!parity->dirty)
		return;
	parity->dirty = false;
	parity->bits = bits_of(mirror, 0);
	atomic_store_explicit(&mirror->tables->region.base->parity, parity->bits, memory_order_release);
	commit_links(mirror);
	commit_records(mirror);
}

/* ---- while the loop waits ---- */

/* Of all packets, since the links' records are not to be touched in the middle of a turn. */
static void hold(struct mirror *mirror)
{
	struct parity *parity = &mirror->parity;

	if (!parity->dirty)
		return;
	for (uint32_t i = 0; i < parity->n; i++)
		if (!ignored(mirror, &parity->find[i]))
			parity->bits |= wye_parity_bits(parity->find[i].scope.reason, parity->find[i].scope.families);
	atomic_store_explicit(&mirror->tables->region.base->parity, parity->bits, memory_order_release);
	commit_records(mirror);
}

void parity_hear(struct mirror *mirror, int until_fd)
{
	struct channel *nft = &mirror->channel[CHANNEL_NFT], *xfrm = &mirror->channel[CHANNEL_XFRM];
	struct pollfd fds[] = { /* of an absent channel -1, which poll() passes over */
		{ until_fd, POLLIN, 0 },	 { nft->events.fd, POLLIN, 0 },	  { nft->dumps.fd, POLLIN, 0 },
		{ xfrm->events.fd, POLLIN, 0 }, { xfrm->dumps.fd, POLLIN, 0 },
	};
	uint64_t now;

	poll(fds, sizeof(fds) / sizeof(fds[0]), HEAR_MS);
	now = now_ns();
	if (now - mirror->parity.polled_ns >= POLL_NS) {
		mirror->parity.polled_ns = now;
		parity_legacy_poll(mirror);
		mirror_beat(mirror);
	}
	channel_serve(nft);
	channel_serve(xfrm);
	hold(mirror);
}

void parity_republish(struct mirror *mirror)
{
	mirror->parity.records = 0;
	mirror->parity.dirty = true;
	parity_commit(mirror);
}

/* ---- opening ---- */

static void look_at_all(struct mirror *mirror)
{
	for (int i = CHANNEL_TC; i < CHANNELS; i++)
		look_again(mirror, i);
	parity_legacy_poll(mirror);
	parity_bpf_look(mirror);
	parity_pmtu_poll(mirror);
}

void parity_reload(struct mirror *mirror)
{
	mirror->parity.dirty = true;
	mirror->links.dirty = true;	/* which are ports */
	look_at_all(mirror);
}

void parity_channels(struct mirror *mirror)
{
	parity_tc_channel(mirror, &mirror->channel[CHANNEL_TC]);
	parity_nft_channel(mirror, &mirror->channel[CHANNEL_NFT]);
	parity_xfrm_channel(mirror, &mirror->channel[CHANNEL_XFRM]);
	for (int i = CHANNEL_TC; i < CHANNELS; i++) {
		mirror->channel[i].mirror = mirror;
		mirror->channel[i].loop = &mirror->loop;
	}
}

int parity_open(struct mirror *mirror)
{
	static const int groups[][3] = {
		[CHANNEL_TC] = { RTNLGRP_TC, 0 },
		[CHANNEL_NFT] = { NFNLGRP_NFTABLES, 0 },
		[CHANNEL_XFRM] = { XFRMNLGRP_POLICY, XFRMNLGRP_EXPIRE, 0 },
	};
	int error = 0;

	parity_channels(mirror);
	for (int i = CHANNEL_TC; !error && i < CHANNELS; i++)
		error = channel_open(&mirror->channel[i], groups[i]);
	error = error ? error : parity_bpf_open(mirror);
	if (!error)
		look_at_all(mirror);
	return error;
}

void parity_close(struct mirror *mirror)
{
	free(mirror->parity.find);
	mirror->parity.find = NULL;
	parity_bpf_close();
	parity_legacy_close(mirror);
}
