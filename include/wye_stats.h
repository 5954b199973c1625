/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <run>/stats: what wye-dpd did and what it is made of. dpd writes, everybody reads; readers work on a hung or
 * dead dpd just as well. Each worker adds to its own block with relaxed stores; a reader adds the blocks up.
 */
#ifndef WYE_STATS_H
#define WYE_STATS_H

#include "wye_abi.h"

#define WYE_PORTS_MAX	64u
#define WYE_WORKERS_MAX 16u
#define WYE_NODES_MAX	256u
#define WYE_RULES_MAX	1024u
#define WYE_QUEUES_MAX	16u	/* per port */
#define WYE_PROCESSES_MAX 64u
#define WYE_PRE_INPUTS_MAX 8u
#define WYE_INITS_MAX	64u
#define WYE_CONFIG_SECTIONS_MAX 32u
#define WYE_PLUGINS_MAX 16u
#define WYE_PLUGIN_COUNTERS_MAX 256u	/* of all plugins together */

/*
 * Why a packet left the forwarding path. X(NAME, verdict, text): verdict PUNT gives it to the kernel, DROP is what the
 * kernel would do, silently. The name says layer, place and cause, so the counter is the diagnosis.
 */
#define WYE_REASONS(X)                                                                                             \
	X(ETHER_NOT_FOR_US, PUNT, "destination MAC is not the port's")                                                \
	X(ETHER_COPY, DROP, "broadcast or multicast that the PF beside the VF has received itself")                    \
	X(ETHER_VLAN, PUNT, "VLAN-tagged frame")                                                                      \
	X(ETHER_NOT_IP, PUNT, "neither IPv4 nor IPv6")                                                                \
	X(STEER_KERNEL, PUNT, "steering: no rule gives it to the dataplane")                                          \
	X(STEER_GUARD, PUNT, "steering: always the kernel's (ARP, ND, multicast, LACP, fragments ...)")               \
	X(PORT_PARITY, PUNT, "link has a kernel feature the dataplane would bypass")                                  \
	X(PORT_NOT_FORWARDING, PUNT, "forwarding is off on the link")                                                 \
	X(PORT_DOWN, PUNT, "link is administratively down or unknown to the mirror")                                  \
	X(MIRROR_STALE, PUNT, "no live mirror")                                                                       \
	X(IP4_INPUT_TOO_SHORT, DROP, "shorter than an IPv4 header")                                                   \
	X(IP4_INPUT_BAD_VERSION, DROP, "IP version is not 4")                                                         \
	X(IP4_INPUT_BAD_LENGTH, DROP, "total length below header length or above frame")                              \
	X(IP4_INPUT_BAD_CHECKSUM, DROP, "header checksum wrong")                                                      \
	X(IP4_INPUT_OPTIONS, PUNT, "header has options")                                                              \
	X(IP4_INPUT_MARTIAN, PUNT, "source or destination the kernel calls martian")                                  \
	X(IP4_INPUT_MULTICAST, PUNT, "multicast or broadcast destination")                                            \
	X(IP4_FORWARD_TTL, PUNT, "TTL expired: kernel sends time exceeded")                                           \
	X(IP4_FORWARD_RP_FILTER, PUNT, "rp_filter: the way back to the source is another")                            \
	X(IP4_FORWARD_NO_ROUTE, PUNT, "no route")                                                                     \
	X(IP4_FORWARD_LOCAL, PUNT, "for the host")                                                                    \
	X(IP4_FORWARD_UNRESOLVED, PUNT, "neighbour unknown: kernel resolves it")                                      \
	X(IP4_FORWARD_UNREACHABLE, PUNT, "unreachable or prohibit route: kernel answers")                             \
	X(IP4_FORWARD_BLACKHOLE, DROP, "blackhole route")                                                             \
	X(IP4_FORWARD_KERNEL, PUNT, "route has a feature only the kernel has")                                        \
	X(IP4_FORWARD_LINK_DOWN, PUNT, "output link down")                                                            \
	X(IP4_FORWARD_NOT_A_PORT, PUNT, "output link is not a port of ours")                                          \
	X(IP4_FORWARD_SAME_PORT, PUNT, "leaves where it came in: kernel may send a redirect")                         \
	X(IP4_FORWARD_TOO_BIG, PUNT, "larger than the output MTU: kernel fragments or answers")                       \
	X(IP6_INPUT_TOO_SHORT, DROP, "shorter than an IPv6 header")                                                   \
	X(IP6_INPUT_BAD_VERSION, DROP, "IP version is not 6")                                                         \
	X(IP6_INPUT_BAD_LENGTH, DROP, "payload length above frame")                                                   \
	X(IP6_INPUT_EXTENSION, PUNT, "hop-by-hop or other extension header")                                          \
	X(IP6_INPUT_MARTIAN, PUNT, "source or destination not forwardable")                                           \
	X(IP6_INPUT_MULTICAST, PUNT, "multicast or link-local address")                                               \
	X(IP6_FORWARD_HOP_LIMIT, PUNT, "hop limit expired: kernel sends time exceeded")                               \
	X(IP6_FORWARD_NO_ROUTE, PUNT, "no route")                                                                     \
	X(IP6_FORWARD_LOCAL, PUNT, "for the host")                                                                    \
	X(IP6_FORWARD_UNRESOLVED, PUNT, "neighbour unknown: kernel resolves it")                                      \
	X(IP6_FORWARD_UNREACHABLE, PUNT, "unreachable or prohibit route: kernel answers")                             \
	X(IP6_FORWARD_BLACKHOLE, DROP, "blackhole route")                                                             \
	X(IP6_FORWARD_KERNEL, PUNT, "route has a feature only the kernel has")                                        \
	X(IP6_FORWARD_LINK_DOWN, PUNT, "output link down")                                                            \
	X(IP6_FORWARD_NOT_A_PORT, PUNT, "output link is not a port of ours")                                          \
	X(IP6_FORWARD_SAME_PORT, PUNT, "leaves where it came in: kernel may send a redirect")                         \
	X(IP6_FORWARD_TOO_BIG, PUNT, "larger than the output MTU: kernel sends packet too big")                       \
	X(PLUGIN_PUNT, PUNT, "a plugin gives it to the kernel")                                                       \
	X(PLUGIN_DROP, DROP, "a plugin dropped it: its own counters say why")                                         \
	X(PORT_TX_FULL, DROP, "transmit queue full")                                                                  \
	X(PUNT_RATE, DROP, "over the punt rate of its reason")                                                        \
	X(PUNT_QUEUE_FULL, DROP, "punt queue full")                                                                   \
	X(PUNT_TAP, DROP, "the TAP refused it")

enum wye_reason {
#define X(name, verdict, text) WYE_REASON_##name,
	WYE_REASONS(X)
#undef X
	WYE_REASON_COUNT
};
#define WYE_REASONS_MAX 96u
static_assert((unsigned)WYE_REASON_COUNT <= WYE_REASONS_MAX, "room for the reasons");

enum wye_verdict { WYE_VERDICT_PUNT = 0, WYE_VERDICT_DROP = 1 };

extern const char *const wye_reason_name[WYE_REASON_COUNT];	/* "ip4_forward_ttl" */
extern const char *const wye_reason_text[WYE_REASON_COUNT];
extern const uint8_t wye_reason_verdict[WYE_REASON_COUNT];	/* enum wye_verdict */

struct wye_port_counters {	/* packets, bytes without FCS */
	_Atomic uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	_Atomic uint64_t rx_errors, tx_dropped, punted;
	_Atomic uint64_t handed_back;	/* times its flows became slow and the kernel's (main) */
};
static_assert(sizeof(struct wye_port_counters) == 64, "wye_port_counters is ABI");

enum wye_node_kind {	/* internal: called when packets wait; input: in every loop */
	WYE_NODE_INTERNAL = 0,
	WYE_NODE_INPUT = 1,
};

struct wye_node_counters {
	_Atomic uint64_t calls, vectors, packets, cycles;	/* vectors: calls that had packets; TSC cycles */
};
static_assert(sizeof(struct wye_node_counters) == 32, "wye_node_counters is ABI");

enum wye_process_state { WYE_PROCESS_WAITS_EVENT = 0, WYE_PROCESS_WAITS_CLOCK = 1, WYE_PROCESS_RUNS = 2 };

struct wye_process_counters {	/* of a task of the main thread, which writes it */
	_Atomic uint64_t calls, suspends, cycles;	/* suspends: calls that left nothing to do; TSC cycles */
	_Atomic uint32_t state;	/* enum wye_process_state; clock: or an event */
	uint32_t reserved;
};
static_assert(sizeof(struct wye_process_counters) == 32, "wye_process_counters is ABI");

/* One per worker, [0] is the main thread (punt, control). Owner: that thread, rw; others ro. */
struct wye_worker_stats {
	uint32_t cpu;		/* -1 = not running */
	uint32_t tid;
	_Atomic uint64_t loops, empty_loops, sleeps, cycles_busy, cycles_total;
	_Atomic uint64_t generation;	/* tables region this worker forwards by */
	uint64_t reserved;
	struct wye_port_counters port[WYE_PORTS_MAX];
	_Atomic uint64_t reason[WYE_REASONS_MAX];
	struct wye_node_counters node[WYE_NODES_MAX];
	_Atomic uint64_t plugin_counter[WYE_PLUGIN_COUNTERS_MAX];
};
static_assert(sizeof(struct wye_worker_stats) == 64 + 64 * WYE_PORTS_MAX + 8 * WYE_REASONS_MAX + 32 * WYE_NODES_MAX +
		      8 * WYE_PLUGIN_COUNTERS_MAX,
	      "wye_worker_stats is ABI");

#define WYE_NETDEV_BYTES 128u	/* of a netdev's name or alternative name (ALTIFNAMSIZ) */

enum wye_port_state {
	WYE_PORT_ABSENT = 0,	/* record not in use */
	WYE_PORT_WAITING = 1,	/* netdev not there (yet, or any more): `detail` says so */
	WYE_PORT_ACTIVE = 2,	/* takes flows */
	WYE_PORT_KERNEL = 3,	/* set up, but all its flows are with the kernel: `detail` says why */
	WYE_PORT_FAILED = 4,
};

/* Under the header's seq, as all of wye_stats that is text. */
struct wye_port_info {
	char netdev[WYE_NETDEV_BYTES];	/* as configured */
	char ifname[16];	/* the name it has now, "" = there is no such netdev */
	char driver[16];	/* af_xdp, devargs … as configured */
	char backend[16];	/* xdp, rte_flow, software */
	char mode[16];		/* open, xdp: native, generic; else: interrupts, polled; else "" */
	uint32_t ifindex;
	uint32_t state;		/* enum wye_port_state */
	uint32_t queues;
	uint32_t mtu_max_bytes;	/* what the driver can carry */
	char tap[16];		/* punt TAP, "" = none */
	char detail[96];
};
static_assert(sizeof(struct wye_port_info) == 320, "wye_port_info is ABI");

struct wye_rule_info {
	char name[32];
	uint16_t action;	/* enum wye_action of wye_config.h */
	int16_t in_port;	/* index of the port it is about, -1 = all */
	uint32_t line;		/* in the config file */
	char match[88];		/* as text, one line */
};
static_assert(sizeof(struct wye_rule_info) == 128, "wye_rule_info is ABI");

struct wye_init_info {
	char name[32];
	uint64_t took_ns;
};
static_assert(sizeof(struct wye_init_info) == 40, "wye_init_info is ABI");

enum wye_config_change {	/* how what has changed in a section takes effect in wye-dpd */
	WYE_CONFIG_RESTART = 0,	/* when it is restarted */
	WYE_CONFIG_WAITS = 1,	/* likewise, and something has: it waits */
	WYE_CONFIG_RELOAD = 2,	/* at once */
	WYE_CONFIG_CTLD = 3,	/* not at all: it is wye-ctld's */
};

struct wye_config_info {
	char name[40];		/* of the section, or a part of it: "plugins.sflow" */
	uint64_t took_ns;	/* the last reload that changed it; 0 = none */
	uint32_t change;	/* enum wye_config_change */
	uint32_t reserved;
};
static_assert(sizeof(struct wye_config_info) == 56, "wye_config_info is ABI");

enum wye_plugin_state { WYE_PLUGIN_REFUSED = 0, WYE_PLUGIN_RUNS = 1 };

struct wye_plugin_info {
	char name[32];
	char version[16];
	char summary[80];
	char detail[220];	/* refused: why */
	uint32_t state;		/* enum wye_plugin_state */
};
static_assert(sizeof(struct wye_plugin_info) == 352, "wye_plugin_info is ABI");

struct wye_plugin_counter_info {
	char name[32];
	char text[92];		/* what it counts */
	uint32_t plugin;	/* index */
};
static_assert(sizeof(struct wye_plugin_counter_info) == 128, "wye_plugin_counter_info is ABI");

enum wye_dpd_state { WYE_DPD_STARTING = 0, WYE_DPD_RUNNING = 1, WYE_DPD_STOPPED = 2 };

/* XDP program counters, summed over CPUs and copied here about once a second by dpd. Names: wye_steer.h. */
#define WYE_STEER_COUNTERS_MAX 32u

struct wye_stats {
	struct wye_file file;
	_Atomic uint32_t state;		/* enum wye_dpd_state */
	_Atomic uint32_t trust;		/* enum wye_mirror_trust: 0 = flows are with the dataplane */
	_Atomic uint64_t heartbeat_ns;	/* CLOCK_MONOTONIC, main thread */
	_Atomic uint32_t seq;		/* guards info: ports, nodes, rules, text */
	uint32_t n_workers, n_ports, n_nodes, n_rules;
	uint32_t default_action, n_processes, n_inits, n_plugins, n_plugin_counters, n_pre_inputs, n_config_sections;
	uint64_t tsc_hz;
	uint64_t started_ns;
	_Atomic uint64_t reloads, reload_errors;
	uint64_t memory_bytes, memory_span[2];	/* of DPDK's heap: how much, and its addresses in wye-dpd, from and to */
	char memory_kind[64];		/* what the kernel gave: "hugetlbfs 2 MiB", "thp, 74 of 75 MiB", "4 KiB pages" */
	char config_path[256];
	char reload_error[256];		/* why the last reload was refused, "" = it was not */
	struct wye_port_info port[WYE_PORTS_MAX];
	char node[WYE_NODES_MAX][32];
	uint32_t node_kind[WYE_NODES_MAX];	/* enum wye_node_kind */
	uint32_t node_next[WYE_NODES_MAX][8];	/* bit set of nodes that node i has an edge to */
	struct wye_rule_info rule[WYE_RULES_MAX];
	char process_name[WYE_PROCESSES_MAX][32];
	char pre_input[WYE_PRE_INPUTS_MAX][32];	/* called in every loop of a worker, before the inputs; no packets pass */
	struct wye_init_info init[WYE_INITS_MAX];	/* init functions, in the order they were called */
	struct wye_config_info config_section[WYE_CONFIG_SECTIONS_MAX];	/* in the order a reload changes them */
	struct wye_plugin_info plugin[WYE_PLUGINS_MAX];
	struct wye_plugin_counter_info plugin_counter[WYE_PLUGIN_COUNTERS_MAX];
	_Atomic uint64_t rule_packets[WYE_RULES_MAX + 1];	/* taken by rule i; last: the default */
	/*
	 * Where rule i is to be in force, and is: rte_flow entries on the ports that have that backend, one for each other port.
	 * Last: the default.
	 */
	_Atomic uint32_t rule_wanted[WYE_RULES_MAX + 1], rule_installed[WYE_RULES_MAX + 1];
	_Atomic uint64_t steer_counter[WYE_STEER_COUNTERS_MAX];
	_Atomic uint32_t buffers, buffers_free;	/* packet buffers there are, and those in nobody's hands */
	struct wye_process_counters process[WYE_PROCESSES_MAX];
	struct wye_worker_stats worker[WYE_WORKERS_MAX + 1] __attribute__((aligned(64)));
};
static_assert(sizeof(struct wye_stats) % 64 == 0, "wye_stats is ABI");

#endif
