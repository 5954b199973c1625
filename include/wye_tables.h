/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The records of a tables region: link, address, local prefix, neighbour, nexthop, group, route, policy rule, FIB.
 *
 * ctld is the only writer; every other process maps the file read-only. Beside each record stands how it is
 * published, (a) or (b) of wye_publish.h. An index is a record's position in its section; index 0 of every
 * section is never used, so 0 means "none". Addresses are in network order; 16 bytes hold either family, IPv4 in
 * the first four, the rest 0. Source of each field: the netlink attribute named.
 */
#ifndef WYE_TABLES_H
#define WYE_TABLES_H

#include <stdbool.h>

#include "wye_abi.h"
#include "wye_stats.h"	/* its size is part of the layout hash */

enum wye_section_id {
	WYE_SECTION_LINK,
	WYE_SECTION_ADDR,
	WYE_SECTION_LOCAL,
	WYE_SECTION_NEIGH,
	WYE_SECTION_NEIGH_HASH,	/* u32 words: index into NEIGH, 0 = free, WYE_HASH_DELETED */
	WYE_SECTION_NEXTHOP_SLOT,	/* u32 words: nexthop id → index into NEXTHOP */
	WYE_SECTION_NEXTHOP,
	WYE_SECTION_GROUP,	/* u32 words: buckets of nexthop groups, each a nexthop id */
	WYE_SECTION_ROUTE4,
	WYE_SECTION_ROUTE6,
	WYE_SECTION_VRF,
	WYE_SECTION_FIB4_ROOT,	/* u32 words: WYE_FIB_ROOT_WORDS per VRF */
	WYE_SECTION_FIB6_ROOT,
	WYE_SECTION_FIB_NODE,	/* units of 64 bytes; a node takes one or more; both families, all VRFs */
	WYE_SECTION_PARITY,
	WYE_SECTION_ALTNAME,
	WYE_SECTION_RULE,
	WYE_SECTIONS
};

/* Where a section lies. offset, record_bytes and capacity are constant; used only grows. */
struct wye_section {
	uint64_t offset;	/* bytes from the file's start, a multiple of 4096 */
	uint32_t record_bytes;
	uint32_t capacity;	/* records, index 0 included */
	_Atomic uint32_t used;	/* indices >= used were never handed out; ctld: rw, others: ro */
	uint32_t reserved;
};
static_assert(sizeof(struct wye_section) == 24, "wye_section is ABI");

/* Starts a tables.<generation> file. Sections are sparse: a page costs memory only once it is written. */
struct wye_region {
	struct wye_file file;
	_Atomic uint64_t epoch;		/* of wye_publish.h (a); ctld: rw, others: ro */
	_Atomic uint64_t locals_version; /* raised after any change of section LOCAL */
	_Atomic uint64_t links_version;	 /* raised after any change of section LINK */
	_Atomic uint32_t hash_policy[2]; /* net.ipv{4,6}.fib_multipath_hash_policy: 0 L3, 1 L4 */
	_Atomic uint32_t neigh_hash_mask; /* buckets - 1 of NEIGH_HASH; constant for a region */
	_Atomic uint32_t parity;	/* of the whole namespace, by family as in wye_parity_bits(); 0 = none */
	uint64_t reserved[3];
	struct wye_section section[WYE_SECTIONS];
	uint8_t pad[4096 - 64 - 64 - 24 * WYE_SECTIONS - 1024];
	_Atomic uint32_t fib_palette[256]; /* nexthop ids that narrow FIB nodes name by a byte; [0] is 0 */
};
static_assert(sizeof(struct wye_region) == 4096, "wye_region is one page");

/*
 * Why flows that touch a scope stay with the kernel (promise 3). A word of them has one bit a reason for IPv4 in its
 * lower half and one for IPv6 in its upper half. A set bit on a link means that packets of that family in or out of it
 * are the kernel's, on the region that all of them are.
 */
enum wye_parity {
	WYE_PARITY_NFTABLES = 1u << 0,	/* a chain or flowtable that sees forwarded packets */
	WYE_PARITY_TC = 1u << 1,	/* filters (tcx programs too) or a qdisc somebody chose */
	WYE_PARITY_XFRM = 1u << 2,	/* an IPsec policy, or none where one is demanded */
	WYE_PARITY_RULES = 1u << 3,	/* policy rules beyond l3mdev/local/main/default */
	WYE_PARITY_RP_FILTER = 1u << 4,	/* never found, only ignored: see WYE_LINK_RPF_LOOSE4 */
	WYE_PARITY_BRIDGE_PORT = 1u << 5, /* or any other master or upper device that takes the link's packets */
	WYE_PARITY_CAPACITY = 1u << 6,	/* a table is full: what is in it is not the whole truth */
	WYE_PARITY_IPTABLES = 1u << 7,	/* a legacy table with rules */
	WYE_PARITY_HOOKS = 1u << 8,	/* another user of netfilter's hooks: a BPF program */
	WYE_PARITY_XDP = 1u << 9,	/* somebody else's XDP program */
	WYE_PARITY_PMTU = 1u << 10,	/* path MTUs that hosts report are heeded in forwarding (IPv4) */
	WYE_PARITY_IPVS = 1u << 11,	/* virtual services: answers of their servers are rewritten in forwarding */
};
#define WYE_PARITY_IP4 0x0000ffffu	/* the families' halves of a word */
#define WYE_PARITY_IP6 0xffff0000u

/* families: WYE_PARITY_IP4, WYE_PARITY_IP6 or both. */
static inline uint32_t wye_parity_bits(uint32_t reasons, uint32_t families)
{
	return (reasons | reasons << 16) & families;
}

/* One thing the guard found: what people are told. (b) */
struct wye_parity_find {
	_Atomic uint32_t seq;
	uint32_t reason;	/* one of enum wye_parity; 0 = record not in use */
	uint32_t ifindex;	/* of the link concerned, 0 = the whole namespace */
	uint32_t families;	/* WYE_PARITY_IP4 | WYE_PARITY_IP6 */
	uint64_t since_ns;	/* CLOCK_REALTIME at which this wye-ctld saw it first */
	uint32_t ignored;	/* the configuration says so: it holds nothing back */
	char where[100];	/* "chain forward of table inet filter, hook forward" */
};
static_assert(sizeof(struct wye_parity_find) == 128, "wye_parity_find is ABI");

/* ---- links: (b) with `seq`, except `flags`, `parity` and `mtu_bytes`, which a worker also reads alone --------- */

enum wye_link_flag {	/* what forwarding depends on, distilled from IFLA_*, netconf and the parity guard */
	WYE_LINK_PRESENT = 1u << 0,	/* the record is in use */
	WYE_LINK_UP = 1u << 1,		/* IFF_UP */
	WYE_LINK_CARRIER = 1u << 2,	/* IFF_LOWER_UP (IFLA_CARRIER) */
	WYE_LINK_FORWARD4 = 1u << 3,	/* NETCONFA_FORWARDING, AF_INET */
	WYE_LINK_FORWARD6 = 1u << 4,
	WYE_LINK_IGNORE_LINKDOWN4 = 1u << 5, /* NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN */
	WYE_LINK_IGNORE_LINKDOWN6 = 1u << 6,
	WYE_LINK_POINTOPOINT = 1u << 7,	/* IFF_POINTOPOINT or IFF_NOARP: no neighbour needed */
	WYE_LINK_PROXY_ARP4 = 1u << 8,
	WYE_LINK_PROXY_NDP6 = 1u << 9,
	WYE_LINK_PORT = 1u << 10,	/* a port by wye-ctld's configuration: its guard looks at it. No other's packets are taken */
	/* What rp_filter asks of an IPv4 packet's source, as fib_validate_source() does; a packet that fails is the kernel's.
	 * Not set when the configuration says parity: { rp_filter: ignore }. */
	WYE_LINK_RPF_LOOSE4 = 1u << 11,	/* a unicast route leads to it */
	WYE_LINK_RPF_STRICT4 = 1u << 12, /* and by this link. Loose is strict on a link without an IPv4 address */
};

struct wye_link {
	_Atomic uint32_t seq;		/* guards everything below */
	_Atomic uint32_t flags;		/* enum wye_link_flag */
	_Atomic uint32_t parity;	/* of this link, by family as in wye_parity_bits(); 0 = the dataplane may forward */
	_Atomic uint32_t mtu_bytes;	/* IFLA_MTU */
	uint32_t ifindex;
	uint32_t ifi_flags;		/* IFF_* as the kernel says */
	uint32_t master_ifindex;	/* IFLA_MASTER, 0 = none */
	uint32_t lower_ifindex;		/* IFLA_LINK: the device below a VLAN or macvlan, the peer of a veth */
	int32_t lower_netnsid;		/* IFLA_LINK_NETNSID, -1 = this namespace */
	uint32_t table;			/* routing table its packets look up: its own or its master's VRF table, else main */
	uint32_t vrf;			/* index into VRF of that table */
	uint16_t vlan_id;		/* IFLA_VLAN_ID, 0 = not a VLAN device */
	uint16_t arp_type;		/* ifi_type, ARPHRD_* */
	uint8_t mac[8];			/* IFLA_ADDRESS, 6 used */
	uint8_t mac_len;
	uint8_t operstate;		/* IFLA_OPERSTATE, IF_OPER_* */
	uint8_t rp_filter;		/* NETCONFA_RP_FILTER: 0 off, 1 strict, 2 loose (max of all and own) */
	uint8_t pad0;
	uint32_t txqlen;		/* IFLA_TXQLEN */
	uint32_t group;			/* IFLA_GROUP */
	uint32_t num_rx_queues;		/* IFLA_NUM_RX_QUEUES */
	uint32_t num_tx_queues;
	char name[16];			/* IFLA_IFNAME */
	char kind[16];			/* IFLA_INFO_KIND, "" for physical devices */
	char qdisc[16];			/* IFLA_QDISC */
	uint8_t broadcast[8];		/* IFLA_BROADCAST, mac_len used; all 0 = not told */
	uint8_t linkmode;		/* IFLA_LINKMODE: 0 default, 1 dormant */
	uint8_t permanent_mac_len;
	uint8_t permanent_mac[8];	/* IFLA_PERM_ADDRESS */
	uint8_t pad1[2];
	uint32_t mtu6_bytes;		/* net.ipv6.conf.NAME.mtu, which IPv6 forwards by; 0 = not told */
	uint8_t pad[108];
};
static_assert(sizeof(struct wye_link) == 256, "wye_link is ABI");

/* A further name of a link (IFLA_ALT_IFNAME). (b) */
struct wye_altname {
	_Atomic uint32_t seq;
	uint32_t ifindex;	/* 0 = record not in use */
	uint32_t order;		/* among the link's, from 0 */
	char name[128];
	uint32_t pad;
};
static_assert(sizeof(struct wye_altname) == 144, "wye_altname is ABI");

/* ---- addresses: (b) ---------------------------------------------------------------------------------------------- */

struct wye_addr {
	_Atomic uint32_t seq;
	uint32_t ifindex;	/* 0 = record not in use */
	uint8_t family;		/* AF_INET, AF_INET6 */
	uint8_t prefix_len;
	uint8_t scope;		/* RT_SCOPE_* */
	uint8_t pad;
	uint32_t flags;		/* IFA_FLAGS */
	uint8_t local[16];	/* IFA_LOCAL */
	uint8_t address[16];	/* IFA_ADDRESS: the peer on point-to-point links, else equal to local */
	uint8_t broadcast[16];	/* IFA_BROADCAST */
	uint32_t valid_lft_s;	/* IFA_CACHEINFO as of the last message; UINT32_MAX = forever */
	uint32_t preferred_lft_s;
	char label[16];		/* IFA_LABEL */
	uint8_t pad2[40];
};
static_assert(sizeof(struct wye_addr) == 128, "wye_addr is ABI");

/*
 * Prefixes whose packets are for the host: local, broadcast and anycast routes of any table. The steering
 * backends keep these with the kernel whatever the rules say. (b)
 */
struct wye_local {
	_Atomic uint32_t seq;
	uint8_t family;		/* 0 = record not in use */
	uint8_t prefix_len;
	uint8_t type;		/* RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST */
	uint8_t pad;
	uint32_t table;
	uint8_t addr[16];
	uint32_t pad2;
};
static_assert(sizeof(struct wye_local) == 32, "wye_local is ABI");

/* ---- nexthops: (a), word NEXTHOP_SLOT[id] ------------------------------------------------------------------------ */

/*
 * What a route leads to. Routes and group buckets hold a nexthop *id*; NEXTHOP_SLOT[id] holds the index of the
 * record that says what the id means now. A record is never changed once published: a neighbour that moves or a
 * nexthop object that is replaced costs one new record and one word, whatever the number of routes behind.
 */
enum wye_nexthop_kind {
	WYE_NH_NONE = 0,	/* id not in use, or no route: the kernel answers */
	WYE_NH_FORWARD = 1,	/* rewrite is complete */
	WYE_NH_UNRESOLVED = 2,	/* gateway's neighbour unknown: punt, the kernel resolves it */
	WYE_NH_ONLINK = 3,	/* destination is on the link itself: look the neighbour up by (ifindex, destination) */
	WYE_NH_GROUP = 4,	/* pick a bucket by flow hash */
	WYE_NH_LOCAL = 5,	/* local, broadcast, anycast, multicast: for the host */
	WYE_NH_BLACKHOLE = 6,	/* drop silently */
	WYE_NH_UNREACHABLE = 7,	/* punt: the kernel answers with its ICMP error */
	WYE_NH_PROHIBIT = 8,	/* likewise */
	WYE_NH_KERNEL = 9,	/* a route we do not mirror exactly (encap, TOS, throw to a further table …): punt */
	WYE_NH_DOWN = 10,	/* output link down or gone: punt */
	WYE_NH_KINDS
};

struct wye_nexthop {
	uint8_t kind;		/* enum wye_nexthop_kind */
	uint8_t family;		/* of the gateway; 0 = none */
	uint8_t rewrite_len;	/* bytes of `rewrite` in use: 14 for Ethernet */
	uint8_t flags;		/* RTNH_F_ONLINK, RTNH_F_DEAD, RTNH_F_LINKDOWN as the kernel says */
	uint32_t ifindex;	/* output link (RTA_OIF) */
	uint32_t link;		/* its index in LINK */
	uint32_t neigh;		/* index in NEIGH of the gateway's or destination's entry, 0 = none */
	uint32_t mtu_bytes;	/* what the kernel would apply to a forwarded packet: route's (RTAX_MTU, IPv6) or link's */
	uint32_t kernel_id;	/* NHA_ID of the nexthop object, 0 = embedded in the route */
	uint32_t group;		/* kind GROUP: first word in GROUP */
	uint16_t buckets;	/* kind GROUP: number of words, a power of two; weights are shares of it */
	uint16_t weight;	/* of this leg in the last group that used it: RTA_MULTIPATH hops + 1 */
	uint8_t gateway[16];	/* RTA_GATEWAY or RTA_VIA */
	uint8_t rewrite[16];	/* new Ethernet header: destination, source, ether_type of the gateway's family: a
				 * nexthop object may serve both, so who forwards IPv4 to an IPv6 gateway writes its own */
};
static_assert(sizeof(struct wye_nexthop) == 64, "wye_nexthop is one cache line");

/* ---- neighbours: key constant while in use; (a) through NEIGH_HASH ------------------------------------------------- */

#define WYE_HASH_DELETED UINT32_MAX

/*
 * Open addressing with linear probing over NEIGH_HASH; start bucket = wye_neigh_hash(ifindex, addr) & mask.
 * A worker reads `nexthop` and forwards by that id: FORWARD while the kernel holds a valid link-layer address
 * (NUD_VALID, STALE included), else UNRESOLVED.
 */
struct wye_neigh {
	uint32_t ifindex;
	uint8_t family;		/* 0 = record not in use */
	uint8_t lladdr_len;
	_Atomic uint16_t nud_state;	/* NUD_* */
	uint8_t addr[16];	/* NDA_DST */
	uint32_t nexthop;	/* nexthop id; constant while in use */
	_Atomic uint32_t ntf_flags;	/* NTF_* | NTF_EXT_* << 8 */
	uint8_t lladdr[8];	/* NDA_LLADDR; for people, under `seq`: the forwarding copy is in the nexthop */
	_Atomic uint32_t seq;
	uint8_t pad[20];
};
static_assert(sizeof(struct wye_neigh) == 64, "wye_neigh is one cache line");

/* ---- routes: what the kernel holds, for people and audits; (b). Workers never read them. ---------------------------- */

/*
 * One record a kernel route (IPv6 multipath siblings are one route). Identity, IPv4: table, prefix, TOS, priority,
 * and position among equals; IPv6: table, prefix, metric.
 */
struct wye_route4 {
	_Atomic uint32_t seq;
	uint8_t dst[4];
	uint8_t prefix_len;
	uint8_t tos;
	uint8_t type;		/* RTN_*; 0 = record not in use */
	uint8_t protocol;	/* RTPROT_* */
	uint32_t table;
	uint32_t priority;	/* RTA_PRIORITY, never truncated */
	uint32_t nexthop;	/* nexthop id */
	uint8_t prefsrc[4];	/* RTA_PREFSRC, 0 = none */
	uint8_t scope;		/* RT_SCOPE_* */
	uint8_t flags;		/* enum wye_route_flag */
	uint16_t mtu_bytes;	/* RTAX_MTU as the route says it, 0 = none; the kernel keeps it below 65,521 */
};
static_assert(sizeof(struct wye_route4) == 32, "wye_route4 is ABI");

struct wye_route6 {
	_Atomic uint32_t seq;
	uint8_t dst[16];
	uint8_t prefix_len;
	uint8_t pref;		/* RTA_PREF, ICMPV6_ROUTER_PREF_* */
	uint8_t type;
	uint8_t protocol;
	uint32_t table;
	uint32_t priority;
	uint32_t nexthop;
	uint8_t prefsrc[16];	/* RTA_PREFSRC, :: = none; need not be an address that is still there */
	uint8_t scope;
	uint8_t flags;
	uint16_t mtu_bytes;
};
static_assert(sizeof(struct wye_route6) == 56, "wye_route6 is ABI");

enum wye_route_flag {
	WYE_ROUTE_BEST = 1u << 0,	/* the one of its prefix that the FIB uses */
	WYE_ROUTE_LINKDOWN = 1u << 1,
	WYE_ROUTE_DEAD = 1u << 2,
	WYE_ROUTE_MTU_LOCKED = 1u << 3,
	WYE_ROUTE_KERNEL_ONLY = 1u << 4,	/* has something we do not forward by; the FIB says WYE_NH_KERNEL */
};

/* ---- policy rules, for people: (b) ------------------------------------------------------------------------------------ */

struct wye_policy_rule {
	_Atomic uint32_t seq;
	uint8_t family;		/* 0 = record not in use */
	uint8_t action;		/* FR_ACT_* */
	uint8_t protocol;	/* FRA_PROTOCOL, RTPROT_* */
	uint8_t tos;
	uint8_t src_len, dst_len;
	uint8_t ip_proto;	/* FRA_IP_PROTO, 0 = any */
	uint8_t flags;		/* enum wye_policy_rule_flag */
	uint32_t order;		/* among rules of equal priority: rising as they were added */
	uint32_t priority;	/* FRA_PRIORITY */
	uint32_t table;		/* FRA_TABLE; 0 = none */
	uint32_t fwmark, fwmask;
	uint32_t goto_priority;	/* FRA_GOTO */
	uint32_t realms;	/* FRA_FLOW */
	int32_t suppress_prefix_len, suppress_group;	/* -1 = none */
	uint32_t uid[2];	/* FRA_UID_RANGE */
	uint16_t sport[2], dport[2];	/* ranges, ends included; 0, 0 = any */
	uint8_t tun_id[8];	/* FRA_TUN_ID, network order */
	uint8_t src[16], dst[16];
	char iif[16], oif[16];	/* names: the link need not exist */
	uint8_t pad[56];
};
static_assert(sizeof(struct wye_policy_rule) == 192, "wye_policy_rule is ABI");

enum wye_policy_rule_flag {
	WYE_RULE_NOT = 1u << 0,		/* FIB_RULE_INVERT */
	WYE_RULE_L3MDEV = 1u << 1,	/* looks up the table of the packet's VRF */
	WYE_RULE_UID = 1u << 2,		/* uid[] counts */
	WYE_RULE_MORE = 1u << 3,	/* selects by something that is not in this record */
};

/* ---- VRFs and the FIB: (a) ----------------------------------------------------------------------------------------- */

/* VRF index 1 is the main view: tables local, main and default merged, as fib_lookup() without custom rules does. */
#define WYE_VRF_MAIN 1u

struct wye_vrf {
	uint32_t table;		/* 254 for WYE_VRF_MAIN; 0 = record not in use */
	uint32_t ifindex;	/* the VRF device, 0 for WYE_VRF_MAIN */
	_Atomic uint32_t root4;	/* first word in FIB4_ROOT, a multiple of WYE_FIB_ROOT_WORDS; 0 = the empty root */
	_Atomic uint32_t root6;	/* likewise in FIB6_ROOT */
};
static_assert(sizeof(struct wye_vrf) == 16, "wye_vrf is ABI");

/*
 * The FIB is a multi-bit trie: a root of 65,536 words indexed by the address's first 16 bits (the one at word 0 is
 * empty, and all VRFs' that have no routes of the family), then nodes of 8 bits
 * each (IPv4: 24, 32; IPv6: 24, 32 … 128). A word is either a nexthop id (0 = nothing here, use what the nodes above
 * said) or, with WYE_FIB_CHILD, names a node: the index of its first unit. In a node it may also name a stub
 * (WYE_FIB_STUB): the place, in words from the section's start, of a record that stands for a node with one prefix.
 *
 * A node spans 256 slots but stores an entry only where it differs from the slot before: `bits` marks those slots,
 * and slot s finds its entry at number (ones in bits up to and including s) - 1. Bit 0 is always set. `rank[i]` is the
 * number of ones before 64-bit word i. Entries follow directly, so that a lookup touches one cache line, or two that
 * are neighbours. They are words, or, in a narrow node (WYE_FIB_NARROW in the word that names it), bytes: indices into
 * the region's fib_palette. A narrow node names neither children nor stubs. After the entries come the stubs, in the order
 * of the entries that name them. `inherited` is the nexthop id that holds where an entry says 0 (itself 0 = ask the node
 * above).
 *
 * IPv6, whose lookups are several nodes long, does without what costs a lookup time: no node is narrow, and the nodes
 * right below the root have all 256 entries, so that slot s is entry s.
 *
 * All of it is constant once reachable, save two: `inherited`, and words that name a child (replaced in place when
 * the child is rebuilt). A palette entry is constant while a narrow node that a reader may hold uses it.
 */
#define WYE_FIB_ROOT_WORDS 65536u
#define WYE_FIB_CHILD	   0x80000000u
#define WYE_FIB_NARROW	   0x40000000u	/* with WYE_FIB_CHILD */
#define WYE_FIB_STUB	   0x40000000u	/* without */
#define WYE_FIB_INDEX	   0x3fffffffu

struct wye_fib_node {
	uint64_t bits[4];
	uint8_t rank[4];
	_Atomic uint32_t inherited;
	uint8_t entries[24];	/* … and on into the next units */
};
static_assert(sizeof(struct wye_fib_node) == 64, "wye_fib_node starts with one cache line");

struct wye_fib_stub {		/* instead of a child with one prefix of up to eight bits more and no children */
	uint32_t id;		/* nexthop id, where it matches */
	uint32_t other;		/* else; 0 = the node's `inherited` */
	uint8_t at;		/* byte of the address to look at */
	uint8_t value, mask;
	uint8_t pad;
};
static_assert(sizeof(struct wye_fib_stub) == 12, "wye_fib_stub is three words");

#define WYE_FIB_HEAD_WORDS 10u	/* before the entries */
#define WYE_FIB_UNIT_WORDS 16u
#define WYE_FIB_STUB_WORDS 3u
#define WYE_FIB_UNITS_MAX  (1u << 26)	/* in a section: every word has a number that WYE_FIB_INDEX can hold */

/* Units of 64 bytes that a node takes. */
static inline uint32_t wye_fib_units(uint32_t entries, uint32_t stubs, bool narrow)
{
	uint32_t words = WYE_FIB_HEAD_WORDS + (narrow ? (entries + 3) / 4 : entries + stubs * WYE_FIB_STUB_WORDS);

	return (words + WYE_FIB_UNIT_WORDS - 1) / WYE_FIB_UNIT_WORDS;
}

/* ---- layout hash --------------------------------------------------------------------------------------------------- */

#define WYE_HASH_(h, x) ((((uint64_t)(h)) ^ (uint64_t)(x)) * 1099511628211ULL)
#define WYE_LAYOUT_HASH                                                                                            \
	WYE_HASH_(WYE_HASH_(WYE_HASH_(WYE_HASH_(WYE_HASH_(WYE_HASH_(WYE_HASH_(WYE_HASH_(WYE_HASH_(WYE_HASH_(WYE_HASH_( \
	WYE_HASH_(WYE_HASH_(WYE_HASH_(14695981039346656037ULL, WYE_ABI_VERSION), WYE_SECTIONS), sizeof(struct wye_control)),   \
	sizeof(struct wye_readers)), sizeof(struct wye_link)), sizeof(struct wye_addr)), sizeof(struct wye_local)),  \
	sizeof(struct wye_neigh)), sizeof(struct wye_nexthop)),                                                       \
	sizeof(struct wye_fib_node) | sizeof(struct wye_fib_stub) << 8 | WYE_FIB_HEAD_WORDS << 16),                  \
	sizeof(struct wye_route4)), sizeof(struct wye_route6) | sizeof(struct wye_vrf) << 16 | WYE_NH_KINDS << 24 |  \
	(uint64_t)sizeof(struct wye_parity_find) << 32 | (uint64_t)sizeof(struct wye_hits) << 48),                    \
	sizeof(struct wye_stats) | (uint64_t)WYE_REASON_COUNT << 32),                                                \
	sizeof(struct wye_altname) | sizeof(struct wye_policy_rule) << 16)

#endif
