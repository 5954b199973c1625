/* SPDX-License-Identifier: BSD-3-Clause */
/* Recordings: see replay.h. */
#include <errno.h>
#include <netinet/in.h> /* before linux/, which then leaves it alone */

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "replay.h"
#include "wye_record.h"

#define MESSAGES_A_TURN 2048u
#define FILE_STEP_BYTES (1u << 20)
#define PACKED_BYTES	(NLMSG_HDRLEN + sizeof(struct wye_record_packed))
#define NFT_TYPE(msg)	((NFNL_SUBSYS_NFTABLES << 8) | (msg))

/* What iproute2 puts before the messages of `ip route save`, `ip addr save` and `ip rule save`. */
static const uint32_t save_magic[] = { 0x45311224, 0x47361222, 0x71706986 };

struct replay {
	struct mirror *mirror;
	struct replay_result *result;
	const char *bytes;
	size_t len;
	struct channel *dumping;	/* whose dump is under way */
	bool implied;			/* nobody recorded its request: the first message that is none of it ends it */
	bool marked, ended;		/* WYE_RECORD_BEGIN, _END seen */
	uint32_t seen, owed;		/* kinds of dumps (kind_bit()): begun; to be had again before the tables are right */
};

/* Which job a message is an answer to or a request for: the types come in fours, NEW, DEL, GET, SET. */
#define GET 2u
static const struct {
	uint16_t type;			/* RTM_NEW… */
	uint8_t channel, class;
	bool by_family;			/* dumped for one family at a time */
} kinds[] = {
	{ RTM_NEWLINK, CHANNEL_LINK, CLASS_LINK, false },
	{ RTM_NEWADDR, CHANNEL_LINK, CLASS_ADDR, false },
	{ RTM_NEWROUTE, CHANNEL_ROUTE, CLASS_ROUTE, true },
	{ RTM_NEWNEIGH, CHANNEL_NEIGH, CLASS_NEIGH, true },
	{ RTM_NEWRULE, CHANNEL_LINK, CLASS_RULE, true },
	{ RTM_NEWNETCONF, CHANNEL_LINK, CLASS_NETCONF, true },
	{ RTM_NEWNEXTHOP, CHANNEL_ROUTE, CLASS_NEXTHOP, false },
};

/* The channel of a message and the job its dump would be. NULL: of no kind that is mirrored. */
static struct channel *channel_of(struct mirror *mirror, const struct nlmsghdr *msg, struct sync_job *job)
{
	uint8_t family = msg->nlmsg_len > NLMSG_HDRLEN ? *((const uint8_t *)msg + NLMSG_HDRLEN) : 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((msg->nlmsg_type & ~3u) != kinds[i].type)
			continue;
		*job = (struct sync_job){ .class = kinds[i].class, .family = kinds[i].by_family ? family : 0 };
		return &mirror->channel[kinds[i].channel];
	}
	return NULL;
}

static_assert(CLASSES <= 16, "a bit for each class and family");
static uint32_t kind_bit(const struct sync_job *job)
{
	return 1u << (job->class * 2 + (job->family == AF_INET6));
}

/* Can such a dump be swept after? Of a family we do not know it shows nothing. */
static bool is_whole(const struct sync_job *job)
{
	bool by_family = job->class != CLASS_LINK && job->class != CLASS_ADDR && job->class != CLASS_NEXTHOP;

	return by_family == (job->family == AF_INET || job->family == AF_INET6);
}

/* ---- dumps ---- */

static bool same_job(const struct sync_job *a, const struct sync_job *b)
{
	return a->class == b->class && a->family == b->family && a->ifindex == b->ifindex && a->table == b->table;
}

/* Walks and writes until nothing is left to do but what only a kernel could answer. */
static void turn(struct mirror *mirror)
{
	parity_commit(mirror);
	links_commit(mirror);
	while (routes_walk(mirror))
		mirror_beat(mirror);
	while (tables_flush(mirror->tables, 65536))
		mirror_beat(mirror);
	mirror_grow(mirror);
}

static void dump_begins(struct replay *replay, struct channel *channel, const struct sync_job *job, uint32_t seq)
{
	struct sync *sync = &channel->sync;

	if (replay->dumping) /* never ended */
		sync_dump_ended(&replay->dumping->sync, -EINTR, false, now_ns());
	turn(replay->mirror);
	/* One that did not convince is asked for again; whatever else was to be asked cannot be. */
	if (sync->state != SYNC_RESYNC || !sync->n_jobs || !same_job(&sync->job[0], job)) {
		sync->n_jobs = 0;
		sync->state = SYNC_IN_SYNC;
		sync_add(sync, job);
	}
	channel->dumps.seq = seq;
	sync_step(sync, sync->retry_ns);
	replay->dumping = channel;
	replay->result->dumps++;
	replay->seen |= kind_bit(job);
	replay->owed |= kind_bit(job);
}

static void dump_ended(struct replay *replay)
{
	struct sync *sync = &replay->dumping->sync;
	uint32_t bit = sync->n_jobs ? kind_bit(&sync->job[0]) : 0;

	replay->dumping = NULL;
	turn(replay->mirror);
	while (sync->state == SYNC_REPLAY || sync->state == SYNC_SWEEP)
		sync_step(sync, now_ns());
	turn(replay->mirror);
	if (sync->state == SYNC_IN_SYNC)
		replay->owed &= ~bit;
}

/* The end of one that nobody announced. */
static void end_implied(struct replay *replay)
{
	struct nlmsghdr done = { .nlmsg_len = sizeof(done), .nlmsg_type = NLMSG_DONE };

	if (!replay->dumping || !replay->implied)
		return;
	done.nlmsg_seq = replay->dumping->dumps.seq;
	channel_dumped(replay->dumping, &done);
	dump_ended(replay);
}

/* ---- messages ---- */

static void dumped(struct replay *replay, const struct nlmsghdr *msg)
{
	struct sync_job job;
	struct channel *channel = channel_of(replay->mirror, msg, &job);

	if (!channel) {
		channel_notified(&replay->mirror->channel[CHANNEL_LINK], msg); /* counted as unknown */
		return;
	}
	if (replay->dumping && replay->implied && (replay->dumping != channel || !same_job(&channel->sync.job[0], &job) ||
						   channel->dumps.seq != msg->nlmsg_seq))
		end_implied(replay);
	if (!replay->dumping && is_whole(&job)) {
		replay->implied = true;
		dump_begins(replay, channel, &job, msg->nlmsg_seq);
	}
	channel_dumped(channel, msg);
}

/* ---- what is packed: see wye_record.h ---- */

static const struct {
	uint16_t protocol, type;	/* of a request */
	uint8_t channel, class;
	bool optional;
} packed_kinds[] = {
	{ NETLINK_ROUTE, RTM_GETQDISC, CHANNEL_TC, CLASS_QDISC, false },
	{ NETLINK_ROUTE, RTM_GETTFILTER, CHANNEL_TC, CLASS_FILTER, false },
	{ NETLINK_NETFILTER, NFT_TYPE(NFT_MSG_GETTABLE), CHANNEL_NFT, CLASS_NFT_TABLE, true },
	{ NETLINK_NETFILTER, NFT_TYPE(NFT_MSG_GETCHAIN), CHANNEL_NFT, CLASS_CHAIN, true },
	{ NETLINK_NETFILTER, NFT_TYPE(NFT_MSG_GETFLOWTABLE), CHANNEL_NFT, CLASS_FLOWTABLE, true },
	{ NETLINK_XFRM, XFRM_MSG_GETPOLICY, CHANNEL_XFRM, CLASS_POLICY, false },
	{ NETLINK_XFRM, XFRM_MSG_GETDEFAULT, CHANNEL_XFRM, CLASS_POLICY_DEFAULT, true },
};

/* The job that a request asks for. False: of no kind that is mirrored. */
static bool packed_job(uint16_t protocol, const struct nlmsghdr *msg, struct sync_job *job)
{
	struct tcmsg tcm;

	for (size_t i = 0; i < sizeof(packed_kinds) / sizeof(packed_kinds[0]); i++) {
		if (packed_kinds[i].protocol != protocol || packed_kinds[i].type != msg->nlmsg_type)
			continue;
		*job = (struct sync_job){ .class = packed_kinds[i].class, .optional = packed_kinds[i].optional };
		if (job->class != CLASS_FILTER)
			return true;
		if (msg->nlmsg_len < NLMSG_LENGTH(sizeof(tcm)))
			return false;
		memcpy(&tcm, (const char *)msg + NLMSG_HDRLEN, sizeof(tcm));
		job->ifindex = (uint32_t)tcm.tcm_ifindex;
		job->table = tcm.tcm_parent;
		return true;
	}
	return false;
}

static void packed_dump(struct replay *replay, struct channel *channel, uint16_t protocol, const struct nlmsghdr *msg)
{
	bool end = msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR;
	struct sync_job job;

	if (msg->nlmsg_flags & NLM_F_REQUEST && !end) {
		replay->implied = false;
		if (packed_job(protocol, msg, &job))
			dump_begins(replay, channel, &job, msg->nlmsg_seq);
		else
			mirror_decoded(replay->mirror, NL_OTHER, msg);
		return;
	}
	channel_dumped(channel, msg);
	if (end && replay->dumping == channel && msg->nlmsg_seq == channel->dumps.seq)
		dump_ended(replay);
}

static void unpack(struct replay *replay, const struct nlmsghdr *outer)
{
	const struct nlmsghdr *msg = (const struct nlmsghdr *)((const char *)outer + PACKED_BYTES);
	static const uint8_t channels[] = { [NETLINK_ROUTE] = CHANNEL_TC, [NETLINK_XFRM] = CHANNEL_XFRM,
					    [NETLINK_NETFILTER] = CHANNEL_NFT };
	struct wye_record_packed packed;
	struct channel *channel;

	memcpy(&packed, (const char *)outer + NLMSG_HDRLEN, sizeof(packed));
	end_implied(replay);
	if (outer->nlmsg_len < PACKED_BYTES + NLMSG_HDRLEN || msg->nlmsg_len != outer->nlmsg_len - PACKED_BYTES) {
		mirror_decoded(replay->mirror, NL_MALFORMED, outer);
		return;
	}
	if (packed.protocol >= sizeof(channels) || !channels[packed.protocol]) {
		mirror_decoded(replay->mirror, NL_OTHER, outer);
		return;
	}
	channel = &replay->mirror->channel[channels[packed.protocol]];
	if (packed.dump)
		packed_dump(replay, channel, packed.protocol, msg);
	else
		channel_notified(channel, msg);
	if (msg->nlmsg_type == NLMSG_OVERRUN)
		replay->owed = replay->seen;
}

/* ---- one after the other ---- */

static bool is_mark(const struct nlmsghdr *msg, const char *text)
{
	size_t len = strlen(text);

	return msg->nlmsg_type == NLMSG_NOOP && msg->nlmsg_len >= NLMSG_HDRLEN + len &&
	       !memcmp((const char *)msg + NLMSG_HDRLEN, text, len);
}

static void control(struct replay *replay, const struct nlmsghdr *msg)
{
	struct mirror *mirror = replay->mirror;

	replay->marked |= is_mark(msg, WYE_RECORD_BEGIN);
	replay->ended |= is_mark(msg, WYE_RECORD_END);
	if (msg->nlmsg_type == NLMSG_OVERRUN) {
		for (int i = CHANNEL_LINK; i <= CHANNEL_ROUTE; i++)
			channel_lost(&mirror->channel[i], -ENOBUFS);
		replay->owed = replay->seen;
	}
	if ((msg->nlmsg_type != NLMSG_DONE && msg->nlmsg_type != NLMSG_ERROR) || !replay->dumping ||
	    msg->nlmsg_seq != replay->dumping->dumps.seq)
		return;
	channel_dumped(replay->dumping, msg);
	dump_ended(replay);
}

static void apply(struct replay *replay, const struct nlmsghdr *msg)
{
	struct sync_job job;
	struct channel *channel;

	if (is_mark(msg, WYE_RECORD_PACKED) && msg->nlmsg_len >= PACKED_BYTES) {
		unpack(replay, msg);
		return;
	}
	if (msg->nlmsg_type < NLMSG_MIN_TYPE) {
		control(replay, msg);
		return;
	}
	if (msg->nlmsg_flags & NLM_F_MULTI) {
		dumped(replay, msg);
		return;
	}
	end_implied(replay);
	channel = channel_of(replay->mirror, msg, &job);
	if (!channel || (msg->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP || (msg->nlmsg_type & 3) != GET) {
		channel_notified(channel ? channel : &replay->mirror->channel[CHANNEL_LINK], msg); /* unknown: counted */
	} else if (is_whole(&job)) {
		replay->implied = false;
		dump_begins(replay, channel, &job, msg->nlmsg_seq);
	}
}

/* ---- the whole of it ---- */

static int wrong(struct replay *replay, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(struct replay *replay, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(replay->result->why, sizeof(replay->result->why), format, args);
	va_end(args);
	return -EINVAL;
}

static bool is_magic(const char *at, size_t left)
{
	uint32_t word;

	if (left < sizeof(word))
		return false;
	memcpy(&word, at, sizeof(word));
	for (size_t i = 0; i < sizeof(save_magic) / sizeof(save_magic[0]); i++)
		if (word == save_magic[i])
			return true;
	return false;
}

/* Is what stands there a message that can be in a recording? */
static bool plausible(const char *at, size_t left)
{
	struct nlmsghdr header;

	if (left < sizeof(header))
		return false;
	memcpy(&header, at, sizeof(header));
	return header.nlmsg_len >= NLMSG_HDRLEN && header.nlmsg_type < RTM_NEWLINK + 256;
}

static int bad_message(struct replay *replay)
{
	const char *at = replay->bytes + replay->result->at_byte;
	size_t left = replay->len - replay->result->at_byte;

	if (!replay->result->messages && !plausible(at, left))
		return wrong(replay, "not a recording: netlink messages are expected, as `wye record`, `ip route save` or "
			     "rtmon write them");
	if (!replay->result->messages)
		return wrong(replay, "not a recording, or cut short inside its first message");
	if (!plausible(at, left) && left >= NLMSG_HDRLEN)
		return wrong(replay, "no netlink message: the file is damaged");
	return wrong(replay, "a message goes on beyond the end, at byte %zu: the file was cut short", replay->len);
}

/* Fetches what a message further on will need, as nl_socket.c does. */
struct ahead {
	const void *at;
	size_t left;
};

static void look_ahead(const struct replay *replay, struct ahead *ahead, unsigned step)
{
	bool bad = false;
	const struct nlmsghdr *msg = nl_next(&ahead->at, &ahead->left, &bad);

	if (msg)
		routes_ahead(replay->mirror, msg, step);
}

static int read_all(struct replay *replay)
{
	const void *at = replay->bytes;
	const struct nlmsghdr *msg;
	size_t left = replay->len;
	struct ahead ahead[NL_AHEAD_STEPS];
	bool bad = false;

	for (unsigned step = 0; step < NL_AHEAD_STEPS; step++) {
		ahead[step] = (struct ahead){ at, left };
		for (unsigned i = 0; i < NL_AHEAD(step); i++)
			look_ahead(replay, &ahead[step], step);
	}
	for (;;) {
		replay->result->at_byte = (uint64_t)((const char *)at - replay->bytes);
		replay->mirror->source.byte = replay->result->at_byte;
		if (is_magic(at, left)) {
			end_implied(replay);
			at = (const char *)at + sizeof(uint32_t);
			left -= sizeof(uint32_t);
			continue;
		}
		if (left >= NLMSG_HDRLEN && !plausible(at, left))
			return bad_message(replay);
		msg = nl_next(&at, &left, &bad);
		if (!msg)
			return bad ? bad_message(replay) : 0;
		for (unsigned step = 0; step < NL_AHEAD_STEPS; step++)
			look_ahead(replay, &ahead[step], step);
		apply(replay, msg);
		if (++replay->result->messages % MESSAGES_A_TURN == 0)
			turn(replay->mirror);
	}
}

/* Nothing was damaged; is it all there? */
static int complete(struct replay *replay)
{
	if (replay->dumping && !replay->implied)
		return wrong(replay, "ends inside a dump: the recording was cut short");
	if (replay->marked && !replay->ended)
		return wrong(replay, "has no end: the recording was cut short, or `wye record` was killed");
	if (!replay->result->messages)
		return wrong(replay, "empty: netlink messages are expected, as `wye record` writes them");
	if (replay->owed)
		return wrong(replay, "ends without a complete dump after one was broken off, or messages were lost");
	return 0;
}

int replay_bytes(struct mirror *mirror, const char *name, const void *bytes, size_t len, struct replay_result *result)
{
	struct replay replay = { .mirror = mirror, .result = result, .bytes = bytes, .len = len };
	int error;

	*result = (struct replay_result){ 0 };
	mirror->source.name = name;
	error = read_all(&replay);
	end_implied(&replay);
	turn(mirror);
	return error ? error : complete(&replay);
}

/* ---- the file ---- */

/* All of it, also of a pipe. NULL with errno. */
static char *load(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	char *bytes = NULL, *more;
	size_t size = 0, n;

	*len = 0;
	while (file) {
		if (*len == size) {
			size += size / 2 + FILE_STEP_BYTES;
			more = realloc(bytes, size);
			if (!more)
				break;
			bytes = more;
		}
		n = fread(bytes + *len, 1, size - *len, file);
		if (!n && !ferror(file)) {
			fclose(file);
			return bytes;
		}
		if (!n)
			break;
		*len += n;
	}
	free(bytes);
	if (file)
		fclose(file);
	return NULL;
}

int replay_file(struct mirror *mirror, const char *path)
{
	struct replay_result result;
	uint64_t start;
	size_t len;
	char *bytes = load(path, &len);
	int error;

	if (!bytes) {
		error = -errno;
		log_error("%s: %s", path, strerror(-error));
		return error;
	}
	start = now_ns();
	error = mirror_open_offline(mirror);
	if (!error)
		error = replay_bytes(mirror, path, bytes, len, &result);
	free(bytes);
	if (error == -EINVAL)
		log_error("%s: byte %llu: %s", path, (unsigned long long)result.at_byte, result.why);
	if (error)
		return error;
	region_flip(&mirror->tables->region);
	log_info("%s: %llu messages, %llu dumps, replayed in %.3f s", path, (unsigned long long)result.messages,
		 (unsigned long long)result.dumps, (double)(now_ns() - start) / 1e9);
	return 0;
}
