/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The audit: does the mirror hold what the kernel holds? Every tables.audit_s seconds, and on SIGUSR1, when nothing else
 * is to be done, every class is dumped and compared (nl_sync.h: its jobs give way to all others; channel.c: at a fifth of
 * a core at most). What differs is suspect: it may have changed unsaid a moment ago, its cause still on the way. A
 * second later, all being quiet again, it is looked at once more. What differs in both looks, with nothing else asked of
 * the kernel from the start of the second to its end, is drift: a defect of the mirror or of what it knows of the
 * kernel, counted, logged, and set right. What only the second look shows is left to another audit, at once. What no
 * dump shows is asked for after it (mirror_route_ask.c).
 */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "mirror.h"

#define SETTLE_NS 1000000000ULL	/* from the first look to the second; and to the next try, when one was not to be finished */

static const struct {
	enum mirror_channel channel;
	struct sync_job job;
} jobs[] = {
	{ CHANNEL_LINK, { .class = CLASS_LINK } },
	{ CHANNEL_LINK, { .class = CLASS_NETCONF, .family = AF_INET } },
	{ CHANNEL_LINK, { .class = CLASS_NETCONF, .family = AF_INET6 } },
	{ CHANNEL_LINK, { .class = CLASS_ADDR } },
	{ CHANNEL_LINK, { .class = CLASS_RULE, .family = AF_INET } },
	{ CHANNEL_LINK, { .class = CLASS_RULE, .family = AF_INET6 } },
	{ CHANNEL_NEIGH, { .class = CLASS_NEIGH, .family = AF_INET } },
	{ CHANNEL_NEIGH, { .class = CLASS_NEIGH, .family = AF_INET6 } },
	{ CHANNEL_ROUTE, { .class = CLASS_NEXTHOP } },
	{ CHANNEL_ROUTE, { .class = CLASS_ROUTE, .family = AF_INET } },
	{ CHANNEL_ROUTE, { .class = CLASS_ROUTE, .family = AF_INET6 } },
	{ CHANNEL_TC, { .class = CLASS_QDISC } },	/* which asks for filters */
	{ CHANNEL_NFT, { .class = CLASS_NFT_TABLE, .optional = true } },
	{ CHANNEL_NFT, { .class = CLASS_CHAIN, .optional = true } },
	{ CHANNEL_NFT, { .class = CLASS_FLOWTABLE, .optional = true } },
	{ CHANNEL_XFRM, { .class = CLASS_POLICY } },
	{ CHANNEL_XFRM, { .class = CLASS_POLICY_DEFAULT, .optional = true } },
};

static const char *const class_names[CLASSES] = {
	[CLASS_LINK] = "link", [CLASS_NETCONF] = "sysctls of a link", [CLASS_ADDR] = "address", [CLASS_RULE] = "rule",
	[CLASS_NEIGH] = "neighbour", [CLASS_NEXTHOP] = "nexthop object", [CLASS_ROUTE] = "route",
	[CLASS_QDISC] = "qdisc", [CLASS_FILTER] = "filter", [CLASS_NFT_TABLE] = "nf_tables table",
	[CLASS_CHAIN] = "nf_tables chain", [CLASS_FLOWTABLE] = "flowtable", [CLASS_POLICY] = "IPsec policy",
	[CLASS_POLICY_DEFAULT] = "IPsec default policy",
};

static void log_drift(uint8_t class, const uint8_t *key, size_t len)
{
	char hex[2 * 64 + 1] = "";

	for (size_t i = 0; i < len && i < 64; i++)
		snprintf(hex + 2 * i, 3, "%02x", key[i]);
	log_limited(LOG_LEVEL_WARNING, "audit: %s differs from the kernel's, without a message; set right (its key: %s)",
		    class_names[class] ? class_names[class] : "object", hex);
}

bool audit_differs(struct mirror *mirror, const struct channel *channel, const void *key, size_t len)
{
	const struct sync_job *job = &channel->sync.job[0];
	struct audit *audit = &mirror->audit;

	if (job->audit == SYNC_NO_AUDIT)
		return true;
	if (job->audit == SYNC_LOOK) {
		if (!key_set_add(&audit->suspects, job->class, key, len))
			audit->void_look = true;
		return false;
	}
	if (!key_set_has(&audit->suspects, job->class, key, len)) { /* since the first look: to be looked at twice, too */
		audit->wanted = true;
		return false;
	}
	audit->drift++;
	log_drift(job->class, key, len);
	return true;
}

/* What the channels have done for audits, and for others. */
static uint32_t work(const struct mirror *mirror, bool audits)
{
	uint32_t sum = 0;

	for (int i = 0; i < CHANNELS; i++)
		sum += audits ? mirror->channel[i].audited : mirror->channel[i].sync.ordinary;
	return sum;
}

void audit_add(struct mirror *mirror, struct channel *channel, struct sync_job job)
{
	if (channel->absent)
		return;
	job.audit = mirror->audit.phase;
	mirror->audit.asked++;
	sync_add(&channel->sync, &job);
}

static void look(struct mirror *mirror, enum sync_audit kind)
{
	struct audit *audit = &mirror->audit;

	audit->phase = kind;
	audit->wanted = audit->wanted && kind == SYNC_HEAL;	/* asked for meanwhile: one that starts later */
	audit->drift = 0;
	audit->void_look = false;
	audit->asked = 0;
	audit->audited = work(mirror, true);
	audit->ordinary = work(mirror, false);
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		audit_add(mirror, &mirror->channel[jobs[i].channel], jobs[i].job);
}

static void rest(struct audit *audit, uint64_t due_ns)
{
	key_set_clear(&audit->suspects);
	audit->phase = SYNC_NO_AUDIT;
	audit->due_ns = due_ns;
}

static uint64_t next_due(const struct mirror *mirror, uint64_t now)
{
	uint32_t period_s = mirror->config->tables.audit_s;

	return period_s ? now + period_s * 1000000000ULL : UINT64_MAX;
}

static void finished(struct mirror *mirror, uint64_t now)
{
	struct wye_mirror_stats *stats = mirror_stats(mirror);
	struct audit *audit = &mirror->audit;

	atomic_fetch_add_explicit(&stats->audit_drift, audit->drift, memory_order_relaxed);
	atomic_fetch_add_explicit(&stats->audits, 1, memory_order_relaxed);
	mirror->routes.ask_again = true;
	rest(audit, next_due(mirror, now));
}

/* All is quiet: the present look is over, or never came to its end. */
static void look_over(struct mirror *mirror, uint64_t now)
{
	struct audit *audit = &mirror->audit;

	if (audit->void_look || work(mirror, true) - audit->audited != audit->asked) {
		rest(audit, now + SETTLE_NS);
		return;
	}
	if (audit->phase == SYNC_LOOK && audit->suspects.count) {
		audit->due_ns = now + SETTLE_NS;
		audit->settling = true;
		return;
	}
	if (audit->phase == SYNC_HEAL && work(mirror, false) != audit->ordinary) /* their causes may have been on the way */
		audit->drift = 0;
	finished(mirror, now);
}

void audit_turn(struct mirror *mirror)
{
	struct audit *audit = &mirror->audit;
	uint64_t now = now_ns();

	if (audit->phase != SYNC_NO_AUDIT && !audit->settling) {
		look_over(mirror, now);
	} else if (audit->settling) {
		if (now < audit->due_ns)
			return;
		audit->settling = false;
		look(mirror, SYNC_HEAL);
	} else if (audit->wanted || now >= audit->due_ns) {
		look(mirror, SYNC_LOOK);
	}
}

void audit_open(struct mirror *mirror)
{
	mirror->audit.due_ns = next_due(mirror, now_ns());
}

void audit_close(struct mirror *mirror)
{
	key_set_close(&mirror->audit.suspects);
}
