/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steering: which packets of a port the dataplane takes. What bpf/steer.bpf.c and wye-dpd share: the maps' keys and
 * values, the compiled rules, and how a packet is judged by them. Built for BPF and for user space, so that the XDP
 * program and software steering cannot disagree.
 *
 * Order, the same for every backend: guards (always the kernel's), the host's own addresses (likewise), the first
 * matching rule, the default.
 *
 * Compiled rules are bit vectors: for each field, a packet's value leads to a class, and the class to the vector of
 * rules that accept this value. The AND of the six vectors is the set of rules that match; its lowest bit wins. A
 * summary word on top of each vector says which of its 64-bit words are not zero, so a thousand rules cost little more
 * than ten. A rule set is one immutable value of 4 MB: replaced as a whole, never changed.
 */
#ifndef WYE_STEER_H
#define WYE_STEER_H

#include <linux/types.h>

#define WYE_STEER_RULES	  1024
#define WYE_STEER_PORTS	  64
#define WYE_STEER_WORDS	  (WYE_STEER_RULES / 64)
#define WYE_STEER_BLOCKS  32768	/* of 16 slots, for each address field: 1024 host prefixes that share none */
#define WYE_STEER_CLASSES 8192
#define WYE_STEER_CHILD	  0x8000u

/* Why a packet went where it went. X(NAME, text). Counted by the XDP program per CPU, in this order. */
#define WYE_STEER_COUNTERS(X)                                                                                      \
	X(TAKEN, "given to the dataplane")                                                                            \
	X(DISABLED, "steering is off: no rules yet, or the mirror is not to be trusted")                              \
	X(STALE, "wye-dpd shows no sign of life")                                                                     \
	X(PORT_OFF, "port takes no flows")                                                                            \
	X(NO_SOCKET, "no AF_XDP socket on the queue")                                                                 \
	X(PUNTED, "punted frame on its way into the kernel (generic XDP)")                                            \
	X(NOT_OUR_MAC, "destination MAC is not the port's")                                                           \
	X(VLAN, "VLAN tag")                                                                                           \
	X(NOT_IP, "neither IPv4 nor IPv6")                                                                            \
	X(SHORT, "truncated, or lengths that contradict each other")                                                  \
	X(IP4_OPTIONS, "IPv4 with options or another version")                                                        \
	X(IP4_FRAGMENT, "IPv4 fragment")                                                                              \
	X(IP4_ADDRESS, "IPv4 multicast, broadcast, loopback, link-local or zero address")                             \
	X(IP4_IGMP, "IGMP")                                                                                           \
	X(IP6_VERSION, "IPv6 with another version")                                                                   \
	X(IP6_EXTENSION, "IPv6 extension header")                                                                     \
	X(IP6_ADDRESS, "IPv6 multicast, loopback, link-local, unspecified or mapped address")                         \
	X(IP6_CONTROL, "neighbour discovery or multicast listener message")                                           \
	X(TTL, "TTL or hop limit at its end")                                                                         \
	X(LOCAL_DST, "for the host")                                                                                  \
	X(LOCAL_SRC, "from an address of the host")                                                                   \
	X(SLOW, "the port is slow: with the kernel until it is fast (steering.slow)")

enum wye_steer_counter {
#define X(name, text) WYE_STEER_##name,
	WYE_STEER_COUNTERS(X)
#undef X
	WYE_STEER_COUNTER_COUNT
};
#define WYE_STEER_COUNTER_MAX 32

/* ---- compiled rules ------------------------------------------------------------------------------------------------ */

struct wye_steer_vector {
	__u64 summary;	/* bit w: word[w] is not zero */
	__u64 word[WYE_STEER_WORDS];	/* bit r of the whole: rule r accepts */
};

/*
 * An address field. A root of 65,536 words by the first 16 bits, one for each family, then nodes of eight bits (IPv4)
 * or four (IPv6). A word is a class, or with WYE_STEER_CHILD the block where a node begins: 16 adjacent blocks for
 * IPv4, one for IPv6. Every slot is filled: nothing is inherited.
 */
struct wye_steer_trie {
	__u16 root[2][65536];	/* [0] IPv4, [1] IPv6 */
	__u16 slot[WYE_STEER_BLOCKS * 16];
};

enum wye_steer_field { /* bits of wye_steer_rules.fields: some rule asks for it */
	WYE_STEER_F_IN = 1,
	WYE_STEER_F_SRC = 2,
	WYE_STEER_F_DST = 4,
	WYE_STEER_F_PROTO = 8,
	WYE_STEER_F_SPORT = 16,
	WYE_STEER_F_DPORT = 32,
};

struct wye_steer_rules {
	__u32 n_rules;
	__u32 fields;			/* enum wye_steer_field */
	__u32 half;			/* 0 or 1: entry of wye_hits this set counts in */
	__u32 reserved;
	__u8 action[WYE_STEER_RULES + 8];	/* enum wye_action; [WYE_STEER_RULES] is the default's */
	__u16 in_port[WYE_STEER_PORTS];	/* → class */
	__u16 proto[256];
	__u16 sport[65536];
	__u16 dport[65536];
	struct wye_steer_trie src;
	struct wye_steer_trie dst;
	struct wye_steer_vector vector[WYE_STEER_CLASSES];	/* [0] accepts every rule: a field nobody asks for */
};
/* A value of an array map is one allocation: KMALLOC_MAX_SIZE before Linux 5.19. */
_Static_assert(sizeof(struct wye_steer_rules) <= 4 << 20, "a rule set fits into a map value");

/* ---- maps ---------------------------------------------------------------------------------------------------------- */

/*
 * All but xsks_map are pinned by name below /sys/fs/bpf, shared by the programs of all ports and filled by wye-dpd:
 *
 *   xsks_map       XSKMAP         rx queue → socket; one per port, the af_xdp PMD fills it
 *   wye_state      ARRAY, mmap    [0] struct wye_steer_state
 *   wye_ports      HASH           ingress ifindex → struct wye_steer_port
 *   wye_rules      ARRAY_OF_MAPS  [0] → ARRAY [0] struct wye_steer_rules; replaced as a whole. The kernel waits for
 *                                 running programs before the replacing system call returns.
 *   wye_local4, 6  LPM_TRIE       the host's own prefixes
 *   wye_counters   PERCPU_ARRAY   [0] struct wye_steer_counters
 *   wye_hits       PERCPU_ARRAY   [half] struct wye_steer_hits
 */
#define WYE_STEER_MAGIC	  0x7265657473657977ULL	/* "wyesteer" */
#define WYE_STEER_VERSION 2
#define WYE_STEER_LAYOUT  ((__u64)WYE_STEER_VERSION << 32 | sizeof(struct wye_steer_rules))
#define WYE_STEER_ALIVE_NS 500000000LL
#define WYE_STEER_PACE_NS 10000000LL	/* in which a port's packets are counted while it is slow */
#define WYE_STEER_QUEUES  64
#define WYE_STEER_HINTS	  65536

/*
 * Of a port, by in_port. slow: what the rules give to the dataplane goes to the kernel, until one more than `most` packets
 * have come within WYE_STEER_PACE_NS; then the program clears the word, which is all that a switch is. Both sides store it
 * relaxed; CPUs that count at once may count a few too few.
 */
struct wye_steer_pace {
	__u32 slow;		/* dpd: rw, program: rw */
	__u32 most;		/* dpd: rw, program: ro */
	__u64 since_ns, packets; /* program's */
};

/*
 * The first four fields never change place, so that any version can tell who owns the pins of any other.
 * hint: a Bloom filter of one bit an address over the host's own full-length prefixes (wye_steer_hint4, 6). A
 * clear bit means no such address; `short_prefixes` means the trie has to be asked anyhow.
 */
struct wye_steer_state {
	__u64 magic;
	__u64 layout;
	__u64 owner_start;	/* start time of owner, as field 22 of /proc/PID/stat */
	__u32 owner_pid;	/* wye-dpd; 0 = nobody yet. Taken by compare-and-swap. */
	__u32 enabled;		/* dpd: rw, program: ro */
	__u64 alive_ns;		/* CLOCK_MONOTONIC of the dataplane's last sign of life */
	__u32 short_prefixes[2]; /* number of the host's prefixes that are not full length, IPv4, IPv6 */
	__u64 hint[WYE_STEER_HINTS / 64];
	struct wye_steer_pace pace[WYE_STEER_PORTS];
};

enum wye_steer_port_flag {
	WYE_STEER_PORT_ENABLED = 1,
	WYE_STEER_PORT_GENERIC = 2,	/* generic XDP sees punted frames again: they carry punt_mac */
	WYE_STEER_PORT_NO_IP4 = 4,	/* a family that stays with the kernel */
	WYE_STEER_PORT_NO_IP6 = 8,
};

struct wye_steer_port {
	__u8 mac[6];
	__u16 in_port;		/* index of the port in the configuration, < WYE_STEER_PORTS */
	__u8 punt_mac[6];
	__u16 flags;
};

struct wye_steer_local4 { /* keys of LPM tries; the value is a __u32 that says RTN_* */
	__u32 prefix_len;
	__u8 addr[4];
};

struct wye_steer_local6 {
	__u32 prefix_len;
	__u8 addr[16];
};

struct wye_steer_counters {
	__u64 packets[WYE_STEER_COUNTER_MAX];
};

struct wye_steer_hits {
	__u64 packets[WYE_STEER_RULES + 1];	/* by rule; last: the default */
};

/* What punt.bpf.c goes by. mark: skb->mark of a frame for a netdev that tc filters steer, 0 = none needed. */
#define WYE_PUNT_MARK 0x77796500u	/* "wye" */

struct wye_punt_to {
	__u32 ifindex, mark;
};

/* ---- judging a packet ---------------------------------------------------------------------------------------------- */

#define WYE_STEER_INLINE static inline __attribute__((always_inline))

/*
 * index & mask, the AND done where the value is used: verifiers before Linux 6.6 forget the bounds of a scalar that was
 * spilled, and the compiler leaves out an AND that the value's type makes idle. mask: 2^n - 1.
 */
#ifdef __bpf__
#define WYE_STEER_INDEX(index, mask)                                                                                \
	({                                                                                                            \
		__u64 index_ = (index);                                                                                \
		asm volatile("%0 &= %1" : "+r"(index_) : "i"(mask));                                                    \
		index_;                                                                                                \
	})
#else
#define WYE_STEER_INDEX(index, mask) ((index) & (mask))
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WYE_STEER_BE16(x) __builtin_bswap16(x)
#define WYE_STEER_BE32(x) __builtin_bswap32(x)
#else
#define WYE_STEER_BE16(x) (x)
#define WYE_STEER_BE32(x) (x)
#endif

struct wye_steer_key {	/* all in host order; an address's first bits are the highest of `hi`, IPv4 uses its upper 32 */
	__u64 src_hi, src_lo, dst_hi, dst_lo;
	__u32 family;	/* 0 IPv4, 1 IPv6 */
	__u16 sport, dport;
	__u8 ip_proto;
};

struct wye_steer_ether {
	__u8 dst[6], src[6];
	__be16 ether_type;
} __attribute__((packed));

struct wye_steer_ip4 {
	__u8 version_ihl, tos;
	__be16 total_len, id, fragment;
	__u8 ttl, ip_proto;
	__be16 checksum;
	__be32 src, dst;
} __attribute__((packed));

struct wye_steer_half {	/* of an IPv6 address */
	__be32 high, low;
} __attribute__((packed));

struct wye_steer_ip6 {
	__u8 version, flow[3];
	__be16 payload_len;
	__u8 ip_proto, hop_limit;
	struct wye_steer_half src[2], dst[2];
} __attribute__((packed));

struct wye_steer_ports {
	__be16 sport, dport;
} __attribute__((packed));

WYE_STEER_INLINE int wye_steer_mac_is(const __u8 *a, const __u8 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) | (a[5] ^ b[5]));
}

/* Ports of TCP, UDP, SCTP; the type of ICMPv6, for which the kernel alone answers 130-137 and 143. */
WYE_STEER_INLINE enum wye_steer_counter wye_steer_parse_l4(const void *l4, const void *end, __u32 l4_bytes,
							   struct wye_steer_key *key)
{
	const struct wye_steer_ports *ports = l4;

	if (key->ip_proto == 58 && key->family) {
		__u8 type;

		if (l4_bytes < 1 || (const void *)((const __u8 *)l4 + 1) > end)
			return WYE_STEER_SHORT;
		type = *(const __u8 *)l4;
		return (type >= 130 && type <= 137) || type == 143 ? WYE_STEER_IP6_CONTROL : WYE_STEER_TAKEN;
	}
	if (key->ip_proto != 6 && key->ip_proto != 17 && key->ip_proto != 132)
		return WYE_STEER_TAKEN;
	if (l4_bytes < sizeof(*ports) || (const void *)(ports + 1) > end)
		return WYE_STEER_SHORT;
	key->sport = WYE_STEER_BE16(ports->sport);
	key->dport = WYE_STEER_BE16(ports->dport);
	return WYE_STEER_TAKEN;
}

/* Zero net, loopback, link-local (RFC 3927), multicast, reserved, broadcast. */
WYE_STEER_INLINE int wye_steer_ip4_special(__u32 addr)
{
	__u32 first = addr >> 24;

	return first == 0 || first == 127 || first >= 224 || addr >> 16 == 0xa9fe;
}

WYE_STEER_INLINE enum wye_steer_counter wye_steer_parse_ip4(const void *l3, const void *end, __u32 l3_bytes,
							    struct wye_steer_key *key)
{
	const struct wye_steer_ip4 *ip = l3;
	__u32 src, dst, total_bytes;

	if ((const void *)(ip + 1) > end)
		return WYE_STEER_SHORT;
	if (ip->version_ihl != 0x45)
		return WYE_STEER_IP4_OPTIONS;
	total_bytes = WYE_STEER_BE16(ip->total_len);
	if (total_bytes < sizeof(*ip) || total_bytes > l3_bytes)
		return WYE_STEER_SHORT;
	if (WYE_STEER_BE16(ip->fragment) & 0x3fff)	/* more fragments, or an offset */
		return WYE_STEER_IP4_FRAGMENT;
	src = WYE_STEER_BE32(ip->src);
	dst = WYE_STEER_BE32(ip->dst);
	if (wye_steer_ip4_special(src) || wye_steer_ip4_special(dst))
		return WYE_STEER_IP4_ADDRESS;
	if (ip->ip_proto == 2)
		return WYE_STEER_IP4_IGMP;
	if (ip->ttl <= 1)
		return WYE_STEER_TTL;
	key->ip_proto = ip->ip_proto;
	key->src_hi = (__u64)src << 32;
	key->dst_hi = (__u64)dst << 32;
	return wye_steer_parse_l4(ip + 1, end, total_bytes - sizeof(*ip), key);
}

/* Multicast, link-local, and all that begins with 64 zero bits: unspecified, loopback, IPv4-mapped. */
WYE_STEER_INLINE int wye_steer_ip6_special(__u64 hi)
{
	return hi >> 56 == 0xff || hi >> 54 == 0xfe80 >> 6 || hi == 0;
}

/* Headers behind which the payload hides: hop-by-hop, routing, fragment, AH, none, destination, mobility, HIP,
 * shim6, experiments (IANA, IPv6 Extension Header Types). ESP hides it too, but is classified by its own number. */
WYE_STEER_INLINE int wye_steer_ip6_extension(__u8 next)
{
	return next == 0 || next == 43 || next == 44 || next == 51 || next == 59 || next == 60 || next == 135 ||
	       next == 139 || next == 140 || next >= 253;
}

WYE_STEER_INLINE __u64 wye_steer_be64(const struct wye_steer_half *half)
{
	return (__u64)WYE_STEER_BE32(half->high) << 32 | WYE_STEER_BE32(half->low);
}

WYE_STEER_INLINE enum wye_steer_counter wye_steer_parse_ip6(const void *l3, const void *end, __u32 l3_bytes,
							    struct wye_steer_key *key)
{
	const struct wye_steer_ip6 *ip = l3;
	__u32 payload_bytes;

	if ((const void *)(ip + 1) > end)
		return WYE_STEER_SHORT;
	if (ip->version >> 4 != 6)
		return WYE_STEER_IP6_VERSION;
	payload_bytes = WYE_STEER_BE16(ip->payload_len);
	if (sizeof(*ip) + payload_bytes > l3_bytes)
		return WYE_STEER_SHORT;
	key->src_hi = wye_steer_be64(&ip->src[0]);
	key->src_lo = wye_steer_be64(&ip->src[1]);
	key->dst_hi = wye_steer_be64(&ip->dst[0]);
	key->dst_lo = wye_steer_be64(&ip->dst[1]);
	if (wye_steer_ip6_special(key->src_hi) || wye_steer_ip6_special(key->dst_hi))
		return WYE_STEER_IP6_ADDRESS;
	if (wye_steer_ip6_extension(ip->ip_proto))
		return WYE_STEER_IP6_EXTENSION;
	if (ip->hop_limit <= 1)
		return WYE_STEER_TTL;
	key->ip_proto = ip->ip_proto;
	key->family = 1;
	return wye_steer_parse_l4(ip + 1, end, payload_bytes, key);
}

/* The guards that need only the frame. TAKEN: none applies and *key is what the rules judge by. */
WYE_STEER_INLINE enum wye_steer_counter wye_steer_parse(const void *frame, const void *end, const __u8 *mac,
							struct wye_steer_key *key)
{
	const struct wye_steer_ether *ether = frame;
	__u32 l3_bytes = (__u32)((const __u8 *)end - (const __u8 *)frame) - sizeof(*ether);

	if ((const void *)(ether + 1) > end)
		return WYE_STEER_SHORT;
	if (!wye_steer_mac_is(ether->dst, mac))
		return WYE_STEER_NOT_OUR_MAC;
	switch (WYE_STEER_BE16(ether->ether_type)) {
	case 0x0800:
		return wye_steer_parse_ip4(ether + 1, end, l3_bytes, key);
	case 0x86dd:
		return wye_steer_parse_ip6(ether + 1, end, l3_bytes, key);
	case 0x8100:
	case 0x88a8:
	case 0x9100:
		return WYE_STEER_VLAN;
	default:
		return WYE_STEER_NOT_IP;
	}
}

/* Bit of wye_steer_state.hint for an own address. */
WYE_STEER_INLINE __u32 wye_steer_hint(__u64 hi, __u64 lo)
{
	return (hi * 0x9E3779B97F4A7C15ULL ^ lo * 0xC2B2AE3D27D4EB4FULL) >> 48;
}

/* What stands in slot `at` of the node that word names. */
WYE_STEER_INLINE __u16 wye_steer_trie_slot(const struct wye_steer_trie *trie, __u16 word, __u32 at)
{
	return trie->slot[WYE_STEER_INDEX((__u32)word * 16 + at, WYE_STEER_BLOCKS * 16 - 1)];
}

WYE_STEER_INLINE __u16 wye_steer_trie_class(const struct wye_steer_trie *trie, __u32 family, __u64 hi, __u64 lo)
{
	__u16 word = trie->root[family & 1][WYE_STEER_INDEX(hi >> 48, 65535)];

	if (!family) {
		if (word & WYE_STEER_CHILD)
			word = wye_steer_trie_slot(trie, word, hi >> 40 & 255);
		if (word & WYE_STEER_CHILD)
			word = wye_steer_trie_slot(trie, word, hi >> 32 & 255);
		return word;
	}
	for (int shift = 44; shift >= 0 && word & WYE_STEER_CHILD; shift -= 4)
		word = wye_steer_trie_slot(trie, word, hi >> shift & 15);
	for (int shift = 60; shift >= 0 && word & WYE_STEER_CHILD; shift -= 4)
		word = wye_steer_trie_slot(trie, word, lo >> shift & 15);
	return word;
}

WYE_STEER_INLINE const struct wye_steer_vector *wye_steer_vector(const struct wye_steer_rules *rules, __u16 class)
{
	return &rules->vector[WYE_STEER_INDEX(class, WYE_STEER_CLASSES - 1)];
}

/* Position of the lowest set bit, x != 0, by a de Bruijn sequence: clang 14 crashes on the builtin for BPF. */
WYE_STEER_INLINE __u32 wye_steer_lowest(__u64 x)
{
	static const __u8 position[64] = {
		0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4,
		62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
		63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
		46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9, 13, 8, 7, 6,
	};

	return position[(x & -x) * 0x03f79d71b4cb0a89ULL >> 58];
}

/* The first rule that matches, WYE_STEER_RULES if none: an index into action[] either way. */
WYE_STEER_INLINE __u32 wye_steer_match(const struct wye_steer_rules *rules, const struct wye_steer_key *key,
				       __u32 in_port)
{
	const struct wye_steer_vector *in, *src, *dst, *proto, *sport, *dport;
	__u32 fields = rules->fields;
	__u64 words;

	if (!rules->n_rules)
		return WYE_STEER_RULES;
	in = proto = src = dst = sport = dport = &rules->vector[0];
	if (fields & WYE_STEER_F_IN)
		in = wye_steer_vector(rules, rules->in_port[WYE_STEER_INDEX(in_port, WYE_STEER_PORTS - 1)]);
	if (fields & WYE_STEER_F_PROTO)
		proto = wye_steer_vector(rules, rules->proto[WYE_STEER_INDEX(key->ip_proto, 255)]);
	if (fields & WYE_STEER_F_SPORT)
		sport = wye_steer_vector(rules, rules->sport[WYE_STEER_INDEX(key->sport, 65535)]);
	if (fields & WYE_STEER_F_DPORT)
		dport = wye_steer_vector(rules, rules->dport[WYE_STEER_INDEX(key->dport, 65535)]);
	if (fields & WYE_STEER_F_SRC)
		src = wye_steer_vector(rules, wye_steer_trie_class(&rules->src, key->family, key->src_hi, key->src_lo));
	if (fields & WYE_STEER_F_DST)
		dst = wye_steer_vector(rules, wye_steer_trie_class(&rules->dst, key->family, key->dst_hi, key->dst_lo));
	words = in->summary & proto->summary & sport->summary & dport->summary & src->summary & dst->summary;
	for (int i = 0; i < WYE_STEER_WORDS && words; i++, words &= words - 1) {
		__u32 w = WYE_STEER_INDEX(wye_steer_lowest(words), WYE_STEER_WORDS - 1);
		__u64 bits = in->word[w] & proto->word[w] & sport->word[w] & dport->word[w] & src->word[w] & dst->word[w];

		if (bits)
			return (w * 64 + wye_steer_lowest(bits)) & (WYE_STEER_RULES - 1);
	}
	return WYE_STEER_RULES;
}

#endif
