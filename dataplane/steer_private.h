/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the steering files share among themselves: compiled rules, the host's own prefixes, the XDP backend's maps and
 * its look at netdevs. Main thread only, but for steer_judge().
 */
#ifndef STEER_PRIVATE_H
#define STEER_PRIVATE_H

#include "steer.h"
#include "wye_steer.h"

static_assert(WYE_STEER_RULES == WYE_RULES_MAX && WYE_STEER_PORTS == WYE_PORTS_MAX, "one limit");
static_assert(WYE_STEER_COUNTER_COUNT <= WYE_STEER_COUNTERS_MAX, "room for the counters");

struct steer_rules {
	struct wye_steer_rules map_value;	/* as the XDP program sees it, but for `half` */
	struct wye_rule rule[WYE_RULES_MAX];	/* as the configuration has them: what rte_flow entries are made of */
};

/* ---- the host's own prefixes ---- */

struct steer_local {
	uint8_t family, prefix_len;
	uint8_t addr[16];	/* host bits zero */
};

struct steer_locals {
	size_t n;
	struct steer_local *entry;	/* sorted, no two equal; owned */
	uint32_t *bucket;		/* open addressing, index + 1 into entry, 0 = free; owned */
	uint32_t mask;
	uint8_t n_lengths[2];		/* distinct prefix lengths, IPv4 and IPv6 */
	uint8_t length[2][129];
};

/* From any list; unsorted, with repeats and host bits. What the guards keep anyhow (127/8, fe80::/10 …) is left out. */
struct steer_locals *steer_locals_from(const struct steer_local *list, size_t n);
int steer_local_compare(const void *a, const void *b);

static inline void steer_addr_words(const uint8_t addr[16], uint64_t *hi, uint64_t *lo)
{
	__builtin_memcpy(hi, addr, 8);
	__builtin_memcpy(lo, addr + 8, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	*hi = __builtin_bswap64(*hi);
	*lo = __builtin_bswap64(*lo);
#endif
}

/* ---- judging ---- */

#define STEER_BY_RULE ((uint32_t)WYE_STEER_COUNTER_COUNT)	/* a rule or the default gives it to the kernel */

/* WYE_STEER_TAKEN; STEER_BY_RULE; or the guard that keeps it. *rule is set for the first two: WYE_STEER_RULES is the
 * default. */
uint32_t steer_judge(const struct steer_rules *rules, const struct steer_locals *locals, int in_port,
		     const uint8_t mac[6], const void *frame, uint32_t len_bytes, uint32_t *rule);

/* ---- building ---- */

/* One field's trie. Prefixes must come in ascending order of length: then each covers slots of one value. */
struct steer_trie_builder {
	struct wye_steer_trie *trie;
	uint32_t used;	/* blocks */
};
void steer_trie_init(struct steer_trie_builder *builder, struct wye_steer_trie *trie, uint16_t class);
uint16_t steer_trie_get(const struct steer_trie_builder *builder, const struct wye_prefix *prefix);
int steer_trie_set(struct steer_trie_builder *builder, const struct wye_prefix *prefix, uint16_t class);

/* ---- XDP backend ---- */

struct steer_maps {
	int state_fd, ports_fd, rules_fd, local4_fd, local6_fd, counters_fd, hits_fd;	/* -1 = not open */
	struct wye_steer_state *state;	/* mapped; NULL = not open */
	int n_cpus;	/* possible ones: values of per-CPU maps */
};

/* Makes the pins and takes them for this process; once that is done, makes those again that are gone. -EBUSY: another live
 * wye-dpd. */
int steer_maps_open(struct steer_maps *maps, char *why);
void steer_maps_close(struct steer_maps *maps);	/* unpins */

enum steer_owner { STEER_FOREIGN, STEER_SELF, STEER_DEAD, STEER_OTHER };

/* Whose is a program: by its name and by the wye_state map it uses. *pid of the owner. */
enum steer_owner steer_program_owner(uint32_t prog_id, char name[16], uint32_t *pid);

/* Nobody's XDP program is on the netdev: 0. A dead wye-dpd's was: detached, 0. Else -EBUSY and why. */
int steer_netdev_clear(const struct steer_port *port, char *why);
/* Mode in which our own program is on the netdev: XDP_ATTACHED_DRV, _SKB or _HW; 0 = it is not. */
int steer_netdev_mode(uint32_t ifindex);
void steer_netdev_detach(uint32_t ifindex);	/* our own program, if it is there */

#endif
