/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parity guard: what the kernel would do to forwarded packets and the dataplane would not. Each source (nf_tables'
 * chains, policy rules …) looks at the kernel again and again; what it finds is raised with the next turn, what it no
 * longer finds falls only once a look has been complete. parity.c holds the findings and makes of them the words that
 * workers obey (wye_region.parity, wye_link.parity) and the records that people read. Links are looked at only if they
 * are ports: nothing else is the dataplane's.
 */
#ifndef PARITY_H
#define PARITY_H

#include <stdbool.h>
#include <stdint.h>

#include "wye_tables.h"

struct mirror;

enum parity_source {
	PARITY_CHAINS,
	PARITY_FLOWTABLES,
	PARITY_LEGACY,
	PARITY_HOOKS,
	PARITY_QDISCS,
	PARITY_FILTERS_IN,
	PARITY_FILTERS_OUT,
	PARITY_TCX,
	PARITY_XDP,
	PARITY_POLICIES,
	PARITY_POLICY_DEFAULT,
	PARITY_RULES4,
	PARITY_RULES6,
	PARITY_LINKS,
	PARITY_PMTU,
	PARITY_EXCEPTIONS,
	PARITY_IPVS,
	PARITY_CAPACITY,
	PARITY_SOURCES
};

struct parity_scope {
	enum wye_parity reason;
	uint32_t ifindex;	/* 0 = the whole namespace */
	uint32_t families;	/* WYE_PARITY_IP4 | WYE_PARITY_IP6 */
};

#define PARITY_BOTH (WYE_PARITY_IP4 | WYE_PARITY_IP6)

struct parity_find {		/* source, scope and where are what it is known by */
	enum parity_source source;
	struct parity_scope scope;
	uint32_t gen;		/* of the look that saw it last */
	uint64_t since_ns;
	char where[sizeof(((struct wye_parity_find *)0)->where)];
};

#define PARITY_DORMANT_MAX 64u

struct parity {
	struct parity_find *find;	/* owned */
	uint32_t n, cap;
	uint32_t gen;
	uint32_t look[PARITY_SOURCES];	/* gen of the present or last look */
	bool dirty;			/* commit is due */
	bool failed;			/* out of memory: not all findings are held */
	uint32_t bits;			/* as in wye_region.parity */
	uint32_t records;		/* allocated in the present region */
	uint64_t dormant[PARITY_DORMANT_MAX];	/* nf_tables' tables that hook nothing: nl_nft_table.id */
	uint64_t dormant_seen[PARITY_DORMANT_MAX];
	uint32_t n_dormant, n_dormant_seen;
	bool filter_told;		/* of the filters of the present dump, one has been recorded */
	uint64_t polled_ns;		/* parity_hear(): when it polled last */
	int names_fd[3];		/* parity_legacy.c's, IPv4, IPv6 and IPVS; 0 or less = not open */
};

/* A look of a source begins; then parity_found() for each thing seen; then, if the look was complete, parity_looked():
 * what it did not see again (of the link, if ifindex is not 0) is gone. In an audit's dump, what the audit says. */
void parity_look(struct mirror *mirror, enum parity_source source);
void parity_found(struct mirror *mirror, enum parity_source source, struct parity_scope scope, const char *where, ...)
	__attribute__((format(printf, 4, 5)));
void parity_looked(struct mirror *mirror, enum parity_source source, uint32_t ifindex);
/* A look of one answer. */
void parity_set(struct mirror *mirror, enum parity_source source, struct parity_scope scope, bool found,
		const char *where);

struct link_entry;
void parity_look_at_ports(struct mirror *mirror);	/* one is new, or has another name */
void parity_link_gone(struct mirror *mirror, uint32_t ifindex);	/* or is no port any more */
bool parity_names(const struct mirror *mirror, const struct link_entry *link);	/* does the configuration, as a port? */
/* Is it looked at? As long as its record says that it is a port, too. */
bool parity_is_port(const struct link_entry *link);
void parity_commit(struct mirror *mirror);	/* findings → words and records */
/* For who waits for the kernel in the middle of a turn: hears of nf_tables, IPsec policies and what is polled, for a moment or
 * until the descriptor is ready. What is found holds all packets at once; the next parity_commit() says which it concerns. Not
 * while a channel hands messages on. */
void parity_hear(struct mirror *mirror, int until_fd);
void parity_republish(struct mirror *mirror);	/* into fresh tables */
void parity_reload(struct mirror *mirror);	/* the configuration has changed */
void parity_channels(struct mirror *mirror);	/* what they are for, sockets or not */
int parity_open(struct mirror *mirror);
void parity_close(struct mirror *mirror);

/* What has no notification. */
void parity_legacy_poll(struct mirror *mirror);	/* parity_legacy.c: iptables, IPVS; ten times a second */
void parity_legacy_close(struct mirror *mirror);
/* parity_bpf.c: XDP, tcx, netfilter programs. */
int parity_bpf_open(struct mirror *mirror);	/* 0 or -errno */
void parity_bpf_close(void);
void parity_bpf_look(struct mirror *mirror);	/* now, and waits for the kernel */
void parity_bpf_poll(struct mirror *mirror);	/* has a look taken meanwhile; once a second */

void parity_pmtu_poll(struct mirror *mirror);	/* mirror_poll.c: net.ipv4.ip_forward_use_pmtu; once a second */

/* The channels' operations; opened by parity_open(). */
struct channel;
void parity_nft_channel(struct mirror *mirror, struct channel *channel);	/* parity_nft.c */
void parity_tc_channel(struct mirror *mirror, struct channel *channel);		/* parity_tc.c */
void parity_xfrm_channel(struct mirror *mirror, struct channel *channel);	/* parity_xfrm.c */

#endif
