/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mirror: this process's own model of the kernel's network state, and the tables written from it. One file a
 * noun (mirror_link.c, mirror_addr.c …); mirror.c holds them together: channels, the turn of the loop, first sync and
 * flip, larger regions. Single-threaded.
 */
#ifndef MIRROR_H
#define MIRROR_H

#include "channel.h"
#include "nl_decode.h"
#include "parity.h"
#include "rib.h"
#include "route_info.h"
#include "tables.h"

enum mirror_class {
	CLASS_LINK,
	CLASS_NETCONF,
	CLASS_ADDR,
	CLASS_RULE,
	CLASS_NEIGH,
	CLASS_NEXTHOP,
	CLASS_ROUTE,
	CLASS_EXCEPTION,
	CLASS_QDISC,
	CLASS_FILTER,
	CLASS_CHAIN,
	CLASS_NFT_TABLE,
	CLASS_FLOWTABLE,
	CLASS_POLICY,
	CLASS_POLICY_DEFAULT,
	CLASSES
};

enum mirror_channel { CHANNEL_LINK, CHANNEL_NEIGH, CHANNEL_ROUTE, CHANNEL_TC, CHANNEL_NFT, CHANNEL_XFRM, CHANNELS };

/* ---- model ---- */

struct netconf {
	int32_t forwarding, rp_filter, proxy, ignore_linkdown;	/* or NL_NOT_TOLD */
	uint32_t gen;						/* 0 = the kernel has none */
};

static inline bool netconf_on(int32_t value)
{
	return value != NL_NOT_TOLD && value;
}

struct link_entry {
	uint32_t ifindex;
	uint32_t gen;
	bool present;		/* RTM_NEWLINK seen */
	bool written;		/* `record` stands in the tables */
	bool port;		/* the configuration names it as one */
	bool again;		/* its ifindex may have been another's, which went a moment ago */
	bool silent;		/* `record` changed in what moves routes without a word */
	uint32_t parity;	/* as in wye_link.parity, of what the guard found on it */
	uint32_t tc_due;	/* parity_tc.c: filters still to be asked about */
	uint32_t altnames;	/* first in altname_table, 0 = none */
	struct nl_link nl;
	struct netconf conf[2];	/* IPv4, IPv6 */
	struct wye_link record;
};

struct link_table {
	struct pool pool;	/* struct link_entry */
	struct hash hash;
	struct netconf all[2];	/* NETCONFA_IFINDEX_ALL */
	bool all_ignores;	/* links_learn(): the IPv4 ignore_routes_with_linkdown of `all` counts */
	uint32_t highest;	/* ifindex ever seen: the kernel's own choice is above */
	bool dirty;
	bool have_vrf;		/* as the rules were last judged */
};

struct altname_table {
	struct pool pool;
};

struct addr_table {
	struct pool pool;
	struct hash hash;
};

struct neigh_table {
	struct pool pool;
	struct hash hash;
};

struct neigh_life {		/* mirror_neigh_life.c */
	int fd;			/* of its own netlink socket */
	uint32_t ticks, mark;	/* as wye_hits.mark */
	uint32_t at;		/* record to look at next */
	uint32_t seen_marks;	/* traffic is of late if marked within so many seconds */
	uint64_t generation;	/* of the region that `asked` is about */
	uint8_t *asked;		/* by record: mark at which the kernel was asked last, 0 = never; owned */
	uint32_t n_asked, cap_asked;
};

#define RIBS_MAX 512u

struct route_table {		/* all routes of all tables mirrored */
	struct rib *rib[RIBS_MAX];
	uint32_t n_ribs;
	struct route_infos infos;
	/* A walk over all routes, a bounded part a turn: republishes prefixes of marked infos, removes those of doomed. */
	bool walk_wanted, walking, walk_all;
	uint32_t walk_rib, walk_at;
	/* The sweep after a dump, likewise. */
	uint32_t sweep_rib, sweep_at, sweep_suspects, sweep_doubts, sweep_work;
	bool changed6;		/* IPv6 notifications came since the present dump was asked for */
	bool doubled6;		/* the present dump told of an IPv6 route once more often than we have it */
	bool unsure;		/* which of some IPv4 routes of one class there are, or in what order, is a guess */
	/* A walk over IPv6 routes that the kernel is to be asked about, a few a turn: mirror_route_ask.c. */
	struct nl_endpoint asker;
	bool ask, asking;	/* one is wanted; one is under way */
	bool ask_again, asking_again;	/* also about those that it was asked about before */
	uint32_t ask_rib, ask_at, questions;	/* asked in the present turn */
	bool guessed;		/* as unsure, unless nothing went unsaid: routes_check_guess() */
	bool reveal;		/* IPv6 routes may have become visible to dumps unsaid */
	uint64_t reveal_after_ns, reveal_asked_ns;	/* asked: dumps for `reveal` or `unsure` are under way, 0 = none */
	uint32_t suspect_gen;	/* of the first complete dump that missed something, 0 = none yet */
};

struct nexthop_table {
	struct pool pool;
	struct hash hash;
};

struct local_table {
	struct pool pool;
	struct hash hash;
};

struct exception_table {	/* mirror_exception.c */
	struct pool pool;
	struct hash hash;
	int fd[2];		/* raw sockets, IPv4 and IPv6; -1 = closed */
	uint32_t drops[2];	/* of them, as last asked */
	uint64_t overflow_until_ns[2];	/* 0 = there was room for all */
};

#define RULES_MAX 1024u

struct rule_table {
	struct rule_entry {
		struct nl_rule rule;
		uint32_t gen;
		uint32_t record;	/* index in RULE, 0 = the region is full */
	} rule[2][RULES_MAX];
	uint32_t n[2];
	uint32_t orders;		/* given out */
};

struct audit {
	uint8_t phase;			/* enum sync_audit: the look under way, or just done */
	bool settling;			/* between the looks */
	bool wanted;			/* now, whatever the period says */
	bool void_look;			/* out of memory in it */
	struct key_set suspects;
	uint32_t drift;			/* found by the present second look */
	uint32_t asked;			/* jobs of the present look */
	uint32_t audited, ordinary;	/* what the channels had done when the present look began */
	uint64_t due_ns;
};

struct mirror {
	const char *config_path;
	struct {		/* of the message being looked at, for the log */
		const char *name;	/* a channel's, or a recording's */
		bool dumped;
		uint64_t byte;		/* in the recording */
	} source;
	struct key_set told;	/* verdicts on kinds of messages that were logged: once each */
	struct wye_config *config;
	struct control_file control;
	struct event_loop loop;
	struct tables *tables;
	struct channel channel[CHANNELS];
	struct link_table links;
	struct altname_table altnames;
	struct addr_table addrs;
	struct neigh_table neighs;
	struct neigh_life neigh_life;
	struct route_table routes;
	struct nexthop_table nexthops;
	struct local_table locals;
	struct exception_table exceptions;
	struct rule_table rules;
	struct parity parity;
	struct audit audit;
	uint32_t hash_policy[2];
	bool phase_two;		/* links are known: neighbours and routes have been asked for */
	bool routes_after_links;	/* link messages were lost: routes are to be read again after the links */
	bool live;		/* our region is the active one */
	bool resyncing;		/* as the control file says */
	unsigned doublings;	/* of the configured capacities, in the present region */
	bool capacity_failed;	/* no larger region could be made */
	uint64_t grow_after_ns;
	uint64_t beat_ns, started_ns;
	int timer_fd, signal_fd;
};

/* ---- mirror.c ---- */
int mirror_open(struct mirror *mirror);		/* -errno, message printed */
int mirror_open_offline(struct mirror *mirror);	/* without a kernel: replay.h */
void mirror_close(struct mirror *mirror);
int mirror_turn(void *mirror);			/* one turn of the event loop: milliseconds to sleep */
/* Builds a new region from the model, with capacities of `config` doubled `doublings` times, and flips. */
int mirror_rebuild(struct mirror *mirror, unsigned doublings);
void mirror_grow(struct mirror *mirror);	/* a larger region, if a section is full */
/* Call in long work: keeps the heartbeat. */
void mirror_beat(struct mirror *mirror);
struct wye_mirror_stats *mirror_stats(struct mirror *mirror);

/* For what is counted by the million: we are the only writer, so it need not be one indivisible step. */
static inline void mirror_count(_Atomic uint64_t *counter, int64_t by)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + (uint64_t)by,
			      memory_order_relaxed);
}

/* Counts what the decoder said. True: go on. */
bool mirror_decoded(struct mirror *mirror, enum nl_verdict verdict, const struct nlmsghdr *msg);
/* A dump request: a message of type with the fixed header and, if not 0, 32-bit attributes. */
struct nl_msg *mirror_request(int type, const void *header, size_t header_bytes, int attr1, uint32_t value1, int attr2,
			      uint32_t value2);

/* ---- audit.c ---- */
void audit_open(struct mirror *mirror);		/* also after the configuration changed */
void audit_close(struct mirror *mirror);
void audit_add(struct mirror *mirror, struct channel *channel, struct sync_job job);	/* one more, of the look under way */
void audit_turn(struct mirror *mirror);		/* call when there is nothing else to do */
/*
 * A dump, the present job of the channel, shows an object otherwise than the model has it, or shows one the model has not,
 * or not one that the model has. True: change the model; always so if the dump is no audit's.
 */
bool audit_differs(struct mirror *mirror, const struct channel *channel, const void *key, size_t len);

/* ---- mirror_link.c: links and netconf ---- */
int links_open(struct mirror *mirror);
void links_close(struct mirror *mirror);
void links_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped);
void netconf_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped);
void links_sweep(struct mirror *mirror, uint32_t gen);
void netconf_sweep(struct mirror *mirror, uint8_t family, uint32_t gen);
void links_commit(struct mirror *mirror);	/* writes what changed, tells nexthops and routes */
void links_republish(struct mirror *mirror);	/* everything, into fresh tables */
bool links_carry(struct mirror *mirror, uint32_t ifindex, uint8_t family);	/* can a route leave by it? */
void links_learn(struct mirror *mirror, const struct nl_route *route);	/* as a dump told it */
struct link_entry *links_find(struct mirror *mirror, uint32_t ifindex);
struct link_entry *links_named(struct mirror *mirror, const char *name);	/* or by an alternative name */
bool links_have_vrf(struct mirror *mirror);
/* Table and VRF index a routing table belongs to: WYE_VRF_MAIN for main, local, default; 0 = none of ours. */
uint32_t links_vrf_of_table(struct mirror *mirror, uint32_t table);
uint32_t links_vrf_device(struct mirror *mirror, uint32_t table);	/* of which that is the table; 0 = none */

/* ---- mirror_link_record.c: what the record of a link says ---- */
struct wye_link links_record(struct mirror *mirror, const struct link_entry *link);
void links_look(struct mirror *mirror);	/* the parity guard's look at ports' masters and upper devices */

/* ---- mirror_altname.c ---- */
int altnames_open(struct mirror *mirror);
void altnames_close(struct mirror *mirror);
void altnames_set(struct mirror *mirror, struct link_entry *link, const struct nlattr *names);	/* NULL: it has none */
bool altnames_have(const struct mirror *mirror, const struct link_entry *link, const char *name);
void altnames_republish(struct mirror *mirror);

/* ---- mirror_addr.c ---- */
int addrs_open(struct mirror *mirror);
void addrs_close(struct mirror *mirror);
void addrs_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped);
void addrs_sweep(struct mirror *mirror, uint32_t gen);
void addrs_link_gone(struct mirror *mirror, uint32_t ifindex);
void addrs_republish(struct mirror *mirror);
bool addrs_any4(const struct mirror *mirror, uint32_t ifindex);	/* has the link an IPv4 address? */
bool addrs_have(struct mirror *mirror, uint8_t family, const uint8_t addr[16]);

/* ---- mirror_neigh.c ---- */
int neighs_open(struct mirror *mirror);
void neighs_close(struct mirror *mirror);
void neighs_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped);
enum sync_outcome neighs_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt);
void neighs_link_gone(struct mirror *mirror, uint32_t ifindex);
void neighs_resync(struct mirror *mirror, struct channel *channel);
void neighs_republish(struct mirror *mirror);

/* ---- mirror_neigh_life.c: neighbours with traffic stay alive ---- */
int neighs_life_open(struct mirror *mirror);
void neighs_life_close(struct mirror *mirror);
void neighs_live(struct mirror *mirror);	/* ten times a second */

/* ---- mirror_route_tables.c: which tables there are ---- */
int routes_open(struct mirror *mirror);
void routes_close(struct mirror *mirror);
/* NULL: a table that is not mirrored. Mirrored are local, main, default and those of VRFs. */
struct rib *routes_rib(const struct mirror *mirror, uint8_t family, uint32_t table);
int routes_table_add(struct mirror *mirror, uint32_t table);
void routes_table_remove(struct mirror *mirror, uint32_t table);

/* ---- mirror_route.c: messages to model ---- */
void routes_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped);
/* Fetches into the cache what routes_message() will look at: struct nl_reader's ahead(). */
void routes_ahead(const struct mirror *mirror, const struct nlmsghdr *msg, unsigned step);
void routes_remove(struct mirror *mirror, struct rib *rib, uint32_t index);
/* IPv6: of the same paths, otherwise what is said. */
void routes_say(struct mirror *mirror, struct rib *rib, uint32_t index, const struct nl_route *said);
/* IPv6: is exactly this one known? Puts it in the model's terms. */
bool routes_have(struct mirror *mirror, const struct rib *rib, struct nl_route *found);
/* IPv6: one more, that no dump shows; in the model's terms. */
void routes_found(struct mirror *mirror, struct rib *rib, const struct nl_route *found);
/* IPv6: without its paths by that link; without any, removed. */
void routes_leave_link(struct mirror *mirror, struct rib *rib, uint32_t index, uint32_t ifindex);
/* Did notifications since the present dump was asked for speak of this prefix, TOS and priority? */
bool routes_touched(const struct mirror *mirror, const struct rib *rib, const struct rib_key *key);
/* A complete dump has not shown a route of this key. True: remove it (audit_differs()). */
bool routes_gone(struct mirror *mirror, const struct rib *rib, const struct rib_key *key);

/* ---- mirror_route_view.c: model to FIB and route records ---- */
void routes_prefix_changed(struct mirror *mirror, struct rib *rib, const uint8_t addr[16], uint8_t len);
bool routes_info_refresh(struct mirror *mirror, struct route_info *info);	/* what links and objects say; true: news */
void routes_info_drop(struct mirror *mirror, uint32_t info);
void routes_record_free(struct mirror *mirror, struct rib *rib, uint32_t index);
/* A local prefix shorter than an address hides more specific main routes where the kernel keeps the tables apart. */
void routes_cover_changed(struct mirror *mirror, const struct rib *rib, const uint8_t addr[16], uint8_t len);
void routes_republish(struct mirror *mirror);
void routes_address_changed(struct mirror *mirror, uint8_t family, const uint8_t addr[16]);	/* exceptions_have() */

/* ---- mirror_route_silent.c: what happens to routes without a message; walks and sweeps ---- */
void routes_dump_begins(struct mirror *mirror);
enum sync_outcome routes_sweep(struct mirror *mirror, const struct sync_job *job, uint32_t gen, unsigned attempt);
void routes_link_changed(struct mirror *mirror, uint32_t ifindex);	/* up, down, carrier, sysctl */
/* Any change of a link makes the kernel notice what it had not: a path to an IPv6 gateway without a carrier. */
void routes_link_told(struct mirror *mirror, uint32_t ifindex);
void routes_link_gone(struct mirror *mirror, uint32_t ifindex);
/* There is a link of this index again. What was told of its routes before that of its predecessor's end went with that's. */
void routes_link_again(struct mirror *mirror, uint32_t ifindex);
bool routes_use(struct mirror *mirror, uint8_t family, uint32_t ifindex);	/* any that is not certain to go */
void routes_verify(struct mirror *mirror, uint32_t ifindex);	/* a filtered dump per family; 0 = everything */
void routes_resync(struct mirror *mirror, struct channel *channel);
void routes_address_added(struct mirror *mirror, uint32_t ifindex);
void routes_prefsrc_gone(struct mirror *mirror, uint8_t family, const uint8_t addr[16]);
void routes_nexthop_changed(struct mirror *mirror, uint32_t kernel_id, bool gone);
void routes_walk_all(struct mirror *mirror);
void routes_guessed(struct mirror *mirror);	/* which of several IPv4 routes of one class was replaced */
void routes_check_guess(struct mirror *mirror);	/* first in each turn */
void routes_reveal(struct mirror *mirror);	/* asks for what `reveal` and `unsure` say, a tenth of the time at most */
bool routes_walk(struct mirror *mirror);	/* a bounded part of a walk; true: there is more */

/* ---- mirror_route_ask.c: what is told of IPv6 routes only when asked for ---- */
int routes_ask_open(struct mirror *mirror);
void routes_ask_close(struct mirror *mirror);
bool routes_ask(struct mirror *mirror);		/* when nothing else is to be done; true: there is more */
/* IPv6: could a dump have missed it? */
bool routes_hidden6(struct mirror *mirror, const struct rib *rib, uint32_t index);
/* IPv6: a multipath route (dumped: as in struct rib_route) lost paths. */
void routes_reveal6(struct mirror *mirror, const struct rib *rib, const struct rib_key *key, bool dumped);
/* IPv6 routes of one prefix and metric changed: which the kernel takes is to be asked anew, if a dump told some of them. True:
 * it did, and there may be more. */
bool routes_suspect(struct mirror *mirror, const struct rib *rib, const uint8_t addr[16], uint8_t len, uint32_t priority);

/* ---- mirror_local.c: prefixes of packets for the host ---- */
int locals_open(struct mirror *mirror);
void locals_close(struct mirror *mirror);
void locals_add(struct mirror *mirror, const struct rib *rib, const struct rib_route *route, const struct route_info *info);
void locals_remove(struct mirror *mirror, const struct rib *rib, const struct rib_route *route,
		   const struct route_info *info);
void locals_republish(struct mirror *mirror);

/* ---- mirror_exception.c: destinations with a path MTU or gateway of their own ---- */
int exceptions_open(struct mirror *mirror);
int exceptions_listen(struct mirror *mirror);	/* -errno, message printed */
void exceptions_close(struct mirror *mirror);
void exceptions_dumped(struct mirror *mirror, const struct nl_route *route);	/* RTM_F_CLONED, in a dump */
bool exceptions_have(const struct mirror *mirror, uint8_t family, const uint8_t addr[16], uint8_t len);
void exceptions_poll(struct mirror *mirror);	/* once a second: those that are over */
void exceptions_republish(struct mirror *mirror);

/* ---- mirror_nexthop.c: nexthop objects ---- */
int nexthops_open(struct mirror *mirror);
void nexthops_close(struct mirror *mirror);
void nexthops_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped);
void nexthops_sweep(struct mirror *mirror, uint32_t gen);
/* The nexthop id that stands for a kernel object, known yet or not; one reference each. */
uint32_t nexthops_hold(struct mirror *mirror, uint32_t kernel_id);
void nexthops_drop(struct mirror *mirror, uint32_t kernel_id);
bool nexthops_alive(struct mirror *mirror, uint32_t kernel_id, uint8_t family);
bool nexthops_blackhole(struct mirror *mirror, uint32_t kernel_id);
bool nexthops_known(struct mirror *mirror, uint32_t kernel_id);	/* told, with all its members? */
bool nexthops_use(struct mirror *mirror, uint32_t kernel_id, uint32_t ifindex);
void nexthops_link_changed(struct mirror *mirror, uint32_t ifindex);
void nexthops_republish(struct mirror *mirror);

/* ---- mirror_rule.c ---- */
void rules_message(struct mirror *mirror, struct channel *channel, const struct nlmsghdr *msg, bool dumped);
void rules_sweep(struct mirror *mirror, uint8_t family, uint32_t gen);
void rules_judge(struct mirror *mirror);	/* after a VRF came or went: do the rules mean what the FIBs stand for? */
void rules_republish(struct mirror *mirror);

/* ---- mirror_poll.c ---- */
void mirror_poll(struct mirror *mirror);	/* once a second: what has no notification */
bool mirror_sysctl(const char *path, int32_t *value);	/* a number in a file; false: not there, as without IPv6 */

#endif
