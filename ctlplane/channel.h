/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A channel: a notification socket, a dump socket and the state machine between them (nl_sync.h), for classes of
 * kernel objects whose messages must stay in order among each other.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "event.h"
#include "key_set.h"
#include "nl_socket.h"
#include "nl_sync.h"

struct mirror;

struct channel {
	const char *name;
	struct mirror *mirror;
	struct event_loop *loop;
	int protocol;
	struct nl_endpoint events, dumps;
	struct sync sync;
	struct key_set touched;	/* notified during the present dump: its word on them is old */
	uint64_t window_ns;	/* since when `window` counts the notifications read */
	uint32_t window;
	bool busy, full;	/* many a millisecond; the last read brought enough of them */
	bool behind;		/* it left some: dumps, sweeps and walks wait, or the receive buffer overruns */
	bool absent;		/* the kernel lacks the protocol: nothing to mirror, always in sync */
	bool lost;		/* messages were lost and not yet made up for */
	bool dump_open;		/* the dump socket may still hold parts of a dump */
	bool dump_intr;		/* NLM_F_DUMP_INTR seen in it */
	uint64_t resume_ns;	/* an audit's dump is read on then, 0 = now */
	uint32_t audited;	/* audit jobs done, ever */
	/* What the channel is for. */
	void (*message)(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped);
	struct nl_msg *(*request)(struct mirror *mirror, const struct sync_job *job);
	enum sync_outcome (*sweep)(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt);
	void (*resync)(struct mirror *mirror, struct channel *channel);	/* adds jobs for everything */
	bool (*moot)(struct mirror *mirror, const struct sync_job *job);	/* as in sync_ops; NULL = never */
};

/* Opens the sockets and joins the groups (0-terminated). -errno; an unknown group or protocol is not an error. */
int channel_open(struct channel *channel, const int *groups);
/* Without sockets: messages come by the two functions below, and a dump is asked for by whoever has them. */
void channel_open_offline(struct channel *channel);
void channel_close(struct channel *channel);
/* What a turn of the loop does for it, for who waits in the middle of one. */
void channel_serve(struct channel *channel);
void channel_lost(struct channel *channel, int error);
/* Reads notifications now. True: there are no more. */
bool channel_drain(struct channel *channel);
/* A message of the notification socket; of the dump socket. */
void channel_notified(struct channel *channel, const struct nlmsghdr *msg);
void channel_dumped(struct channel *channel, const struct nlmsghdr *msg);

static inline bool channel_idle(const struct channel *channel)
{
	return channel->absent || (channel->sync.state == SYNC_IN_SYNC && !channel->sync.n_jobs);
}

/* Is the present job an audit's? */
static inline bool channel_audits(const struct channel *channel)
{
	return channel->sync.n_jobs && channel->sync.job[0].audit;
}

int channel_due_ms(const struct channel *channel, uint64_t now_ns);	/* as sync_due_ms */
void channel_resume(struct channel *channel, uint64_t now_ns);	/* reads on, if an audit's pause is over */

/* A notification about `key`; call for each. */
void channel_touch(struct channel *channel, uint8_t class, const void *key, size_t len);
/* Must this dumped object be ignored? */
bool channel_touched(const struct channel *channel, uint8_t class, const void *key, size_t len);

#endif
