/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels: see channel.h. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <time.h>

#include "channel.h"
#include "errand.h"
#include "log.h"
#include "mirror.h"

#define EVENTS_A_TURN	 2048u	/* datagrams; a notification is one message */
#define DUMPS_A_TURN	 8u	/* datagrams of 32 KiB */
#define BUSY_A_MS	 16u	/* notifications */
#define GATHER_NS	 1000000
#define GATHERED	 128u	/* so many at once are enough */
#define STEPS_SERVED	 8u	/* of a dump, more than there are between two waits */
#define DUMP_BUFFER_BYTES (1u << 20)
#define AUDIT_PAUSE	 4u	/* times as long as a datagram of an audit took: a fifth of a core at most */
#define AUDIT_PAUSE_MIN_NS 1000000ULL

/* ---- touched keys ---- */

void channel_touch(struct channel *channel, uint8_t class, const void *key, size_t len)
{
	if (sync_dumping(&channel->sync) && !key_set_add(&channel->touched, class, key, len))
		channel->dump_intr = true; /* out of memory: do not trust this dump */
}

bool channel_touched(const struct channel *channel, uint8_t class, const void *key, size_t len)
{
	return key_set_has(&channel->touched, class, key, len);
}

/* ---- notifications ---- */

void channel_lost(struct channel *channel, int error)
{
	log_limited(LOG_LEVEL_WARNING, "netlink %s: messages lost (%s): keeping the tables as they are and reading the "
		    "kernel's state again", channel->name, error == -ENOBUFS ? "receive buffer overrun" :
		    error == -EMSGSIZE ? "message larger than the buffer" : strerror(-error));
	atomic_fetch_add_explicit(&mirror_stats(channel->mirror)->overruns, 1, memory_order_relaxed);
	channel->lost = true;
	sync_lost(&channel->sync, now_ns());
	channel->resync(channel->mirror, channel);
}

static void message(struct channel *channel, const struct nlmsghdr *msg, bool dumped)
{
	channel->mirror->source.dumped = dumped;
	if (channel->events.fd >= 0) /* else a recording's */
		channel->mirror->source.name = channel->name;
	channel->message(channel->mirror, channel, msg, dumped);
}

void channel_notified(struct channel *channel, const struct nlmsghdr *msg)
{
	if (msg->nlmsg_type == NLMSG_OVERRUN)
		channel_lost(channel, -ENOBUFS);
	else if (msg->nlmsg_type >= NLMSG_MIN_TYPE)
		message(channel, msg, false);
}

static void on_event(void *ctx, const struct nlmsghdr *msg)
{
	channel_notified(ctx, msg);
}

static void on_ahead(void *ctx, const struct nlmsghdr *msg, unsigned step)
{
	const struct channel *channel = ctx;

	routes_ahead(channel->mirror, msg, step);
}

/* Returns true when the socket was found empty. */
static bool read_events(void *ctx)
{
	struct channel *channel = ctx;
	const struct nl_reader reader = { on_event, on_ahead, channel };
	int n;

	if (channel->absent)
		return true;
	n = endpoint_receive(&channel->events, EVENTS_A_TURN, &reader);
	if (n < 0)
		channel_lost(channel, n);
	channel->full = n < 0 || n >= (int)GATHERED;
	channel->behind = n >= (int)EVENTS_A_TURN;
	channel->window += n > 0 ? (uint32_t)n : 0;
	return n >= 0 && !channel->behind;
}

bool channel_drain(struct channel *channel)
{
	return read_events(channel);
}

/*
 * Notifications are cheaper together: alone, the wake-up and the turn of the loop cost more than what they bring. From a
 * channel on which many come they are left to gather for a moment, unless the last read brought many already; a lone
 * change is never held up.
 */
static void gather(struct channel *channel)
{
	uint64_t now = now_ns(), passed = now - channel->window_ns;

	if (passed >= 1000000) {
		channel->busy = channel->window * 1000000ULL > passed * BUSY_A_MS;
		channel->window = 0;
		channel->window_ns = now;
	}
	if (channel->busy && !channel->full)
		nanosleep(&(struct timespec){ .tv_nsec = GATHER_NS }, NULL);
}

static void events_ready(void *ctx)
{
	gather(ctx);
	read_events(ctx);
}

/* ---- dumps ---- */

static void dump_ended(struct channel *channel, int error)
{
	/* What the filter names is not there (any more): a complete dump of nothing. */
	if (error == -ENODEV || error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT)
		error = 0;
	if (error == -EINVAL && channel->sync.job[0].optional)
		error = 0;
	channel->dump_open = false;
	if (error)
		log_limited(LOG_LEVEL_WARNING, "netlink %s: the kernel broke a dump off: %s; trying again",
			    channel->name, strerror(-error));
	sync_dump_ended(&channel->sync, error, channel->dump_intr, now_ns());
}

void channel_dumped(struct channel *channel, const struct nlmsghdr *msg)
{
	int32_t code = 0;

	if (!channel->dump_open || msg->nlmsg_seq != channel->dumps.seq)
		return;
	if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
		channel->dump_intr = true;
	if (msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR) {
		if (msg->nlmsg_len >= NLMSG_HDRLEN + sizeof(code))
			memcpy(&code, (const char *)msg + NLMSG_HDRLEN, sizeof(code));
		dump_ended(channel, code);
	} else if (msg->nlmsg_type >= NLMSG_MIN_TYPE && sync_dumping(&channel->sync)) {
		message(channel, msg, true);
	}
}

static void on_dumped(void *ctx, const struct nlmsghdr *msg)
{
	channel_dumped(ctx, msg);
}

static void read_dumps(struct channel *channel, unsigned max_datagrams)
{
	const struct nl_reader reader = { on_dumped, on_ahead, channel };
	int n = endpoint_receive(&channel->dumps, max_datagrams, &reader);

	if (n >= 0)
		return;
	atomic_fetch_add_explicit(&mirror_stats(channel->mirror)->overruns, 1, memory_order_relaxed);
	sync_dump_ended(&channel->sync, n, false, now_ns());
}

/*
 * An audit compares, so what the dump shows must not be newer than what was applied: the notifications first. The kernel
 * filled this datagram when it was asked, or gave the one before.
 */
static void read_audit(struct channel *channel)
{
	uint64_t start = now_ns(), pause;

	if (sync_dumping(&channel->sync) && !read_events(channel))
		return;
	read_dumps(channel, 1);
	if (!channel->dump_open || event_pause(channel->loop, channel->dumps.fd, true) < 0)
		return;
	pause = AUDIT_PAUSE * (now_ns() - start);
	channel->resume_ns = start + (pause > AUDIT_PAUSE_MIN_NS ? pause : AUDIT_PAUSE_MIN_NS);
}

void channel_resume(struct channel *channel, uint64_t now)
{
	if (!channel->resume_ns || now < channel->resume_ns)
		return;
	channel->resume_ns = 0;
	event_pause(channel->loop, channel->dumps.fd, false);
}

int channel_due_ms(const struct channel *channel, uint64_t now)
{
	if (channel->absent)
		return -1;
	if (!channel->resume_ns)
		return sync_due_ms(&channel->sync, now);
	return now >= channel->resume_ns ? 0 : (int)((channel->resume_ns - now) / 1000000 + 1);
}

static void dumps_ready(void *ctx)
{
	struct channel *channel = ctx;

	sync_heard(&channel->sync, now_ns());
	if (channel_audits(channel))
		read_audit(channel);
	else if (!channel->behind)
		read_dumps(channel, DUMPS_A_TURN);
}

void channel_serve(struct channel *channel)
{
	if (channel->absent)
		return;
	read_events(channel);
	dumps_ready(channel);
	for (unsigned i = 0; i < STEPS_SERVED && !channel->behind && sync_step(&channel->sync, now_ns()); i++)
		;
}

/* A socket of its own making holds nothing of an abandoned dump. */
static int renew_dumps(struct channel *channel)
{
	struct nl_endpoint fresh;
	int error = endpoint_open(&fresh, channel->protocol, DUMP_BUFFER_BYTES);

	if (error)
		return error;
	error = event_replace(channel->loop, channel->dumps.fd, fresh.fd);
	endpoint_close(&channel->dumps);
	channel->dumps = fresh;
	channel->dump_open = false;
	return error;
}

struct question {
	struct nl_endpoint *endpoint;
	struct nl_msg *msg;
};

static int send_question(void *ctx)
{
	const struct question *question = ctx;

	return endpoint_send(question->endpoint, question->msg);
}

/* Of rtnetlink: may have to wait for its lock. */
static int ask(struct channel *channel, struct nl_msg *msg)
{
	struct question question = { &channel->dumps, msg };

	return channel->protocol == NETLINK_ROUTE ? errand_run(channel->mirror, send_question, &question) :
						    send_question(&question);
}

/*
 * Link and address messages are sent before the kernel has taken the routes away (dev_close_many(), inet_del_ifa()), all
 * under the RTNL lock. A request that takes that lock returns after it is done.
 */
static int fence(void *ctx)
{
	struct channel *channel = ctx;
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = 1 };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_REQUEST);

	if (msg && nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return ask(channel, msg);
}

static void dump_begins(struct channel *channel)
{
	key_set_clear(&channel->touched);
	channel->dump_intr = false;
	channel->dump_open = true;
}

static int request(void *ctx, const struct sync_job *job)
{
	struct channel *channel = ctx;
	int error = channel->dump_open ? renew_dumps(channel) : 0;

	channel_resume(channel, UINT64_MAX);
	if (!error && job->fence)
		error = fence(channel);
	if (error)
		return error;
	dump_begins(channel);
	log_debug("netlink %s: dump of class %u, family %u, link %u, table %u", channel->name, job->class, job->family,
		  job->ifindex, job->table);
	return ask(channel, channel->request(channel->mirror, job));
}

static enum sync_outcome sweep(void *ctx, const struct sync_job *job, uint32_t gen, unsigned attempt)
{
	struct channel *channel = ctx;

	enum sync_outcome outcome = channel->sweep(channel->mirror, job, gen, attempt);

	channel->audited += outcome == SYNC_DONE && job->audit;
	return outcome;
}

static void interrupted(void *ctx)
{
	struct channel *channel = ctx;

	atomic_fetch_add_explicit(&mirror_stats(channel->mirror)->dump_interrupted, 1, memory_order_relaxed);
}

static bool moot(void *ctx, const struct sync_job *job)
{
	struct channel *channel = ctx;

	return channel->moot && channel->moot(channel->mirror, job);
}

static void silent(void *ctx)
{
	struct channel *channel = ctx;

	log_limited(LOG_LEVEL_WARNING, "netlink %s: the end of a dump has not come for %llu s; trying again", channel->name,
		    SYNC_SILENCE_NS / 1000000000ULL);
}

/*
 * What the links' socket holds is the cause of much that the others do, and a fence may have taken long: it is read first.
 * Else the end of a link is read behind the routes of one that has its index since.
 */
static bool drain(void *ctx)
{
	struct channel *channel = ctx, *links = &channel->mirror->channel[CHANNEL_LINK];

	return (channel == links || read_events(links)) && read_events(channel);
}

/* ---- opening ---- */

int channel_open(struct channel *channel, const int *groups)
{
	static const struct sync_ops ops = { request, drain, sweep, interrupted, silent, moot, fence };
	int error;

	sync_init(&channel->sync, &ops, channel);
	error = endpoint_open(&channel->events, channel->protocol, NL_BUFFER_BYTES);
	if (error == -EPROTONOSUPPORT) {
		channel->absent = true;
		return 0;
	}
	for (; !error && *groups; groups++)
		endpoint_join(&channel->events, *groups);
	if (!error)
		error = endpoint_open(&channel->dumps, channel->protocol, DUMP_BUFFER_BYTES);
	if (!error)
		error = event_add(channel->loop, channel->events.fd, events_ready, channel);
	if (!error)
		error = event_add(channel->loop, channel->dumps.fd, dumps_ready, channel);
	return error;
}

static int request_offline(void *ctx, const struct sync_job *job)
{
	struct channel *channel = ctx;

	dump_begins(channel);
	nlmsg_free(channel->request(channel->mirror, job)); /* what the owner does when it asks has to be done */
	return 0;
}

static bool drain_offline(void *ctx)
{
	return true;
}

void channel_open_offline(struct channel *channel)
{
	static const struct sync_ops ops = { .request = request_offline, .drain = drain_offline, .sweep = sweep,
					     .interrupted = interrupted };

	sync_init(&channel->sync, &ops, channel);
	channel->events = channel->dumps = (struct nl_endpoint){ .fd = -1 };
}

void channel_close(struct channel *channel)
{
	endpoint_close(&channel->events);
	endpoint_close(&channel->dumps);
	key_set_close(&channel->touched);
}
