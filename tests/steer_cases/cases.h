/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules, packets and what becomes of them: one table for every steering backend. A set is the steering section of a
 * configuration with the ports p0, p1, p2; packets are in the language of packet.h. What is expected is one of
 *
 *   taken RULE    goes to the dataplane by this rule ("default": by the default)
 *   kernel RULE   a rule or the default gives it to the kernel
 *   guard NAME    kept whatever the rules say; NAME as in WYE_STEER_COUNTERS, lower case
 *
 * The host owns the prefixes in steer_case_local[].
 */
#ifndef CASES_H
#define CASES_H

static const char *const steer_case_local[] = {
	"10.0.1.1/32", "10.0.1.255/32", "10.0.2.1/32", "10.0.2.255/32", "127.0.0.0/8", "198.51.100.0/24",
	"fd00:1::1/128", "fd00:2::1/128", "fe80::1/128", "::1/128", "2001:db8:ffff::/48",
};

struct steer_case_set {
	const char *name;
	const char *steering;	/* YAML below `steering:` */
};

struct steer_case {
	const char *set, *packet, *expected;
};

static const struct steer_case_set steer_case_set[] = {
	{ "none", "  default: kernel\n  rules: []\n" },
	{ "all", "  default: dataplane\n  rules: []\n" },
	{ "prefixes",
	  "  default: kernel\n"
	  "  rules:\n"
	  "    - { name: host, match: { dst: 10.1.2.3/32 }, action: kernel }\n"
	  "    - { name: odd, match: { dst: 10.1.2.0/23 }, action: dataplane }\n"
	  "    - { name: wide, match: { dst: 10.1.0.0/16 }, action: kernel }\n"
	  "    - { name: wider, match: { dst: 10.0.0.0/8 }, action: dataplane }\n"
	  "    - { name: source, match: { src: 172.16.0.0/12 }, action: dataplane }\n"
	  "    - { name: both, match: { src: 192.0.2.128/25, dst: 203.0.113.64/26 }, action: dataplane }\n"
	  "    - { name: host6, match: { dst: \"fd01::1/128\" }, action: kernel }\n"
	  "    - { name: net6, match: { dst: \"fd01::/64\" }, action: dataplane }\n"
	  "    - { name: odd6, match: { dst: \"fd01:0:0:8000::/49\" }, action: dataplane }\n"
	  "    - { name: both6, match: { src: \"fd02::/16\", dst: \"fd03::/31\" }, action: dataplane }\n" },
	{ "ports",
	  "  default: kernel\n"
	  "  rules:\n"
	  "    - { name: dns, match: { proto: udp, dport: 53 }, action: kernel }\n"
	  "    - { name: range, match: { proto: udp, dport: 4000-4999 }, action: dataplane }\n"
	  "    - { name: pair, match: { proto: tcp, sport: 1000-2000, dport: 80 }, action: dataplane }\n"
	  "    - { name: low, match: { proto: tcp, dport: 0-22 }, action: dataplane }\n"
	  "    - { name: high, match: { proto: sctp, dport: 65535 }, action: dataplane }\n"
	  "    - { name: from, match: { proto: udp, sport: 65000-65535 }, action: dataplane }\n" },
	{ "protocols",
	  "  default: dataplane\n"
	  "  rules:\n"
	  "    - { name: ping, match: { proto: icmp }, action: kernel }\n"
	  "    - { name: ping6, match: { proto: icmp6 }, action: kernel }\n"
	  "    - { name: tcp, match: { proto: tcp }, action: kernel }\n"
	  "    - { name: gre, match: { proto: 47 }, action: kernel }\n" },
	{ "inports",
	  "  default: kernel\n"
	  "  rules:\n"
	  "    - { name: zero, match: { in: p0, proto: udp }, action: dataplane }\n"
	  "    - { name: one, match: { in: p1, dst: 10.0.0.0/8 }, action: dataplane }\n"
	  "    - { name: two, match: { in: p2 }, action: dataplane }\n" },
	{ "order",
	  "  default: dataplane\n"
	  "  rules:\n"
	  "    - { name: first, match: { dst: 10.0.0.0/8, proto: udp }, action: kernel }\n"
	  "    - { name: second, match: { dst: 10.9.9.9 }, action: dataplane }\n"
	  "    - { name: third, match: { dst: 10.9.9.9, proto: udp, dport: 9 }, action: dataplane }\n"
	  "    - { name: last, match: { src: 10.0.1.0/24 }, action: kernel }\n" },
};

static const struct steer_case steer_case[] = {
	/* ---- nothing configured, or everything taken ---- */
	{ "none", "4 10.0.1.2>10.0.2.2 udp 1>2", "kernel default" },
	{ "none", "6 fd00:1::2>fd00:2::2 udp 1>2", "kernel default" },
	{ "none", "eth type=0x0806", "guard not_ip" },
	{ "none", "4 10.0.1.2>10.0.2.1 udp 1>2", "guard local_dst" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 tcp 1>22", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 icmp 8", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 128", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 129", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 1", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 proto 47", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 proto 50", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 proto 51", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 proto 255", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 50", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 47", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 4", "taken default" },
	/* ---- Ethernet ---- */
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 dmac=02:00:00:00:01:09", "guard not_our_mac" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 dmac=03:00:00:00:01:01", "guard not_our_mac" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 dmac=02:00:00:00:00:01", "guard not_our_mac" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 dmac=ff:ff:ff:ff:ff:ff", "guard not_our_mac" },
	{ "all", "4 10.0.1.2>224.0.0.5 proto 89 dmac=01:00:5e:00:00:05", "guard not_our_mac" },
	{ "all", "6 fd00:1::2>ff02::5 proto 89 dmac=33:33:00:00:00:05", "guard not_our_mac" },
	{ "all", "eth type=0x8809 dmac=01:80:c2:00:00:02", "guard not_our_mac" },
	{ "all", "eth type=0x88cc dmac=01:80:c2:00:00:0e", "guard not_our_mac" },
	{ "all", "eth type=0x0026 dmac=01:80:c2:00:00:00", "guard not_our_mac" },
	{ "all", "eth type=0x0806 dmac=ff:ff:ff:ff:ff:ff", "guard not_our_mac" },
	{ "all", "eth type=0x0806", "guard not_ip" },
	{ "all", "eth type=0x8847", "guard not_ip" },
	{ "all", "eth type=0x8863", "guard not_ip" },
	{ "all", "eth type=0x88e5", "guard not_ip" },
	{ "all", "eth type=0x002e", "guard not_ip" },
	{ "all", "eth type=0x0801", "guard not_ip" },
	{ "all", "eth type=0x86dc", "guard not_ip" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 vlan=0x8100", "guard vlan" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 vlan=0x88a8", "guard vlan" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 vlan=0x9100", "guard vlan" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 vlan=0x8100", "guard vlan" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 type=0x86dd pad=20", "guard ip6_version" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 type=0x0800", "guard ip4_options" },
	/* ---- IPv4 header ---- */
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 cut=14", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 cut=33", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 cut=34", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 cut=51", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 cut=52", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 pad=20", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 total=19", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 total=0", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 total=20", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 total=23", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 total=24", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 total=38", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 total=39", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 total=65535", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 total=39 pad=1", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 tcp 1>2 len=3", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 sctp 1>2 len=3 pad=20", "guard short" },
	{ "all", "4 10.0.1.2>10.0.2.2 proto 47 len=0", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 icmp 8 len=0", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ihl=6", "guard ip4_options" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ihl=15", "guard ip4_options" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ihl=4", "guard ip4_options" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ihl=0", "guard ip4_options" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ver=5", "guard ip4_options" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ver=6", "guard ip4_options" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 frag=0x4000", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 frag=0x8000", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 frag=0x2000", "guard ip4_fragment" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 frag=0x2001", "guard ip4_fragment" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 frag=0x0001", "guard ip4_fragment" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 frag=0x1fff", "guard ip4_fragment" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 frag=0x0100", "guard ip4_fragment" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ttl=255", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ttl=2", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ttl=1", "guard ttl" },
	{ "all", "4 10.0.1.2>10.0.2.2 udp 1>2 ttl=0", "guard ttl" },
	{ "all", "4 10.0.1.2>10.0.2.2 proto 2", "guard ip4_igmp" },
	{ "all", "4 10.0.1.2>10.0.2.1 proto 2", "guard ip4_igmp" },
	/* ---- IPv4 addresses ---- */
	{ "all", "4 10.0.1.2>224.0.0.1 udp 1>2", "guard ip4_address" },
	{ "all", "4 10.0.1.2>239.255.255.255 udp 1>2", "guard ip4_address" },
	{ "all", "4 10.0.1.2>240.0.0.1 udp 1>2", "guard ip4_address" },
	{ "all", "4 10.0.1.2>255.255.255.255 udp 68>67", "guard ip4_address" },
	{ "all", "4 0.0.0.0>255.255.255.255 udp 68>67", "guard ip4_address" },
	{ "all", "4 0.0.0.0>10.0.2.2 udp 1>2", "guard ip4_address" },
	{ "all", "4 0.1.2.3>10.0.2.2 udp 1>2", "guard ip4_address" },
	{ "all", "4 10.0.1.2>0.0.0.0 udp 1>2", "guard ip4_address" },
	{ "all", "4 127.0.0.1>10.0.2.2 udp 1>2", "guard ip4_address" },
	{ "all", "4 10.0.1.2>127.255.255.254 udp 1>2", "guard ip4_address" },
	{ "all", "4 10.0.1.2>169.254.1.1 udp 1>2", "guard ip4_address" },
	{ "all", "4 169.254.255.255>10.0.2.2 udp 1>2", "guard ip4_address" },
	{ "all", "4 224.0.0.1>10.0.2.2 udp 1>2", "guard ip4_address" },
	{ "all", "4 255.255.255.255>10.0.2.2 udp 1>2", "guard ip4_address" },
	{ "all", "4 10.0.1.2>223.255.255.255 udp 1>2", "taken default" },
	{ "all", "4 10.0.1.2>126.255.255.255 udp 1>2", "taken default" },
	{ "all", "4 10.0.1.2>128.0.0.0 udp 1>2", "taken default" },
	{ "all", "4 10.0.1.2>169.253.255.255 udp 1>2", "taken default" },
	{ "all", "4 10.0.1.2>169.255.0.0 udp 1>2", "taken default" },
	{ "all", "4 1.0.0.0>10.0.2.2 udp 1>2", "taken default" },
	/* ---- the host's own ---- */
	{ "all", "4 10.0.1.2>10.0.1.1 tcp 1>22", "guard local_dst" },
	{ "all", "4 10.0.1.2>10.0.2.1 tcp 1>179", "guard local_dst" },
	{ "all", "4 10.0.1.2>10.0.2.1 icmp 8", "guard local_dst" },
	{ "all", "4 10.0.1.2>10.0.1.255 udp 1>2", "guard local_dst" },
	{ "all", "4 10.0.1.2>10.0.2.255 udp 1>2", "guard local_dst" },
	{ "all", "4 10.0.1.2>10.0.2.254 udp 1>2", "taken default" },
	{ "all", "4 10.0.1.2>10.0.2.0 udp 1>2", "taken default" },
	{ "all", "4 10.0.1.1>10.0.2.2 udp 1>2", "guard local_src" },
	{ "all", "4 10.0.2.255>10.0.2.2 udp 1>2", "guard local_src" },
	{ "all", "4 10.0.1.1>10.0.2.1 udp 1>2", "guard local_dst" },
	{ "all", "4 10.0.1.2>198.51.100.0 udp 1>2", "guard local_dst" },
	{ "all", "4 10.0.1.2>198.51.100.77 udp 1>2", "guard local_dst" },
	{ "all", "4 10.0.1.2>198.51.100.255 udp 1>2", "guard local_dst" },
	{ "all", "4 10.0.1.2>198.51.101.0 udp 1>2", "taken default" },
	{ "all", "4 10.0.1.2>198.51.99.255 udp 1>2", "taken default" },
	{ "all", "4 198.51.100.9>10.0.2.2 udp 1>2", "guard local_src" },
	{ "all", "4 10.0.1.2>10.0.2.1 udp 1>2 ttl=1", "guard ttl" },
	{ "all", "6 fd00:1::2>fd00:1::1 tcp 1>22", "guard local_dst" },
	{ "all", "6 fd00:1::2>fd00:2::1 tcp 1>179", "guard local_dst" },
	{ "all", "6 fd00:1::1>fd00:2::2 udp 1>2", "guard local_src" },
	{ "all", "6 fd00:1::2>fd00:2::101 udp 1>2", "taken default" },
	{ "all", "6 fd00:1::2>2001:db8:ffff::5 udp 1>2", "guard local_dst" },
	{ "all", "6 fd00:1::2>2001:db8:ffff:ffff:ffff:ffff:ffff:ffff udp 1>2", "guard local_dst" },
	{ "all", "6 fd00:1::2>2001:db8:fffe:ffff:ffff:ffff:ffff:ffff udp 1>2", "taken default" },
	{ "all", "6 2001:db8:ffff:1::>fd00:2::2 udp 1>2", "guard local_src" },
	/* ---- IPv6 header ---- */
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 cut=53", "guard short" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 cut=54", "guard short" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 cut=71", "guard short" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 cut=72", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 pad=6", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 total=3", "guard short" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 total=4", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 total=19", "guard short" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 total=65535", "guard short" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 total=0", "guard short" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 47 len=0", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 128 total=0", "guard short" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 128 total=1", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 ver=4", "guard ip6_version" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 ver=7", "guard ip6_version" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 ttl=1", "guard ttl" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 ttl=0", "guard ttl" },
	{ "all", "6 fd00:1::2>fd00:2::2 udp 1>2 ttl=2", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 0", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 43", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 44", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 51", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 59", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 60", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 135", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 139", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 140", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 253", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 254", "guard ip6_extension" },
	{ "all", "6 fd00:1::2>fd00:2::2 proto 252", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 133", "guard ip6_control" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 134", "guard ip6_control" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 135", "guard ip6_control" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 136 ttl=255", "guard ip6_control" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 137", "guard ip6_control" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 130", "guard ip6_control" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 132", "guard ip6_control" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 143", "guard ip6_control" },
	{ "all", "6 fd00:1::2>fd00:2::2 icmp6 138", "taken default" },
	{ "all", "6 fd00:1::2>fd00:2::1 icmp6 135 ttl=255", "guard ip6_control" },
	{ "all", "4 10.0.1.2>10.0.2.2 icmp6 135", "taken default" },
	/* ---- IPv6 addresses ---- */
	{ "all", "6 fd00:1::2>ff02::1 udp 1>2", "guard ip6_address" },
	{ "all", "6 fd00:1::2>ff0e::1 udp 1>2", "guard ip6_address" },
	{ "all", "6 ff02::1>fd00:2::2 udp 1>2", "guard ip6_address" },
	{ "all", "6 fe80::2>fd00:2::2 udp 1>2", "guard ip6_address" },
	{ "all", "6 fd00:1::2>fe80::1 tcp 1>179", "guard ip6_address" },
	{ "all", "6 fd00:1::2>febf::1 udp 1>2", "guard ip6_address" },
	{ "all", "6 fd00:1::2>fec0::1 udp 1>2", "taken default" },
	{ "all", "6 fd00:1::2>fe7f::1 udp 1>2", "taken default" },
	{ "all", "6 ::>fd00:2::2 udp 1>2", "guard ip6_address" },
	{ "all", "6 ::1>fd00:2::2 udp 1>2", "guard ip6_address" },
	{ "all", "6 fd00:1::2>:: udp 1>2", "guard ip6_address" },
	{ "all", "6 fd00:1::2>::1 udp 1>2", "guard ip6_address" },
	{ "all", "6 fd00:1::2>::ffff:10.0.0.1 udp 1>2", "guard ip6_address" },
	{ "all", "6 ::10.0.0.1>fd00:2::2 udp 1>2", "guard ip6_address" },
	{ "all", "6 fd00:1::2>64:ff9b::10.0.0.1 udp 1>2", "taken default" },
	{ "all", "6 fd00:1::2>2001:db8::1 udp 1>2", "taken default" },
	/* ---- prefixes ---- */
	{ "prefixes", "4 192.0.2.1>10.1.2.3 udp 1>2", "kernel host" },
	{ "prefixes", "4 192.0.2.1>10.1.2.2 udp 1>2", "taken odd" },
	{ "prefixes", "4 192.0.2.1>10.1.2.4 udp 1>2", "taken odd" },
	{ "prefixes", "4 192.0.2.1>10.1.3.255 udp 1>2", "taken odd" },
	{ "prefixes", "4 192.0.2.1>10.1.4.0 udp 1>2", "kernel wide" },
	{ "prefixes", "4 192.0.2.1>10.1.1.255 udp 1>2", "kernel wide" },
	{ "prefixes", "4 192.0.2.1>10.1.0.0 udp 1>2", "kernel wide" },
	{ "prefixes", "4 192.0.2.1>10.1.255.255 udp 1>2", "kernel wide" },
	{ "prefixes", "4 192.0.2.1>10.0.255.255 udp 1>2", "taken wider" },
	{ "prefixes", "4 192.0.2.1>10.2.0.0 udp 1>2", "taken wider" },
	{ "prefixes", "4 192.0.2.1>10.255.255.255 udp 1>2", "taken wider" },
	{ "prefixes", "4 192.0.2.1>11.0.0.0 udp 1>2", "kernel default" },
	{ "prefixes", "4 192.0.2.1>9.255.255.255 udp 1>2", "kernel default" },
	{ "prefixes", "4 172.16.0.0>11.0.0.1 udp 1>2", "taken source" },
	{ "prefixes", "4 172.31.255.255>11.0.0.1 tcp 1>2", "taken source" },
	{ "prefixes", "4 172.32.0.0>11.0.0.1 udp 1>2", "kernel default" },
	{ "prefixes", "4 172.15.255.255>11.0.0.1 udp 1>2", "kernel default" },
	{ "prefixes", "4 172.16.0.1>10.1.2.3 udp 1>2", "kernel host" },
	{ "prefixes", "4 11.0.0.1>172.16.0.1 udp 1>2", "kernel default" },
	{ "prefixes", "4 192.0.2.128>203.0.113.64 udp 1>2", "taken both" },
	{ "prefixes", "4 192.0.2.255>203.0.113.127 icmp 8", "taken both" },
	{ "prefixes", "4 192.0.2.127>203.0.113.64 udp 1>2", "kernel default" },
	{ "prefixes", "4 192.0.2.128>203.0.113.63 udp 1>2", "kernel default" },
	{ "prefixes", "4 192.0.2.128>203.0.113.128 udp 1>2", "kernel default" },
	{ "prefixes", "6 fd09::1>fd01::1 udp 1>2", "kernel host6" },
	{ "prefixes", "6 fd09::1>fd01::2 udp 1>2", "taken net6" },
	{ "prefixes", "6 fd09::1>fd01::ffff:ffff:ffff:ffff udp 1>2", "taken net6" },
	{ "prefixes", "6 fd09::1>fd01:0:0:1:: udp 1>2", "kernel default" },
	{ "prefixes", "6 fd09::1>fd01:0:0:8000:: udp 1>2", "taken odd6" },
	{ "prefixes", "6 fd09::1>fd01:0:0:ffff::1 udp 1>2", "taken odd6" },
	{ "prefixes", "6 fd09::1>fd01:0:0:7fff::1 udp 1>2", "kernel default" },
	{ "prefixes", "6 fd02::1>fd03:1::1 udp 1>2", "taken both6" },
	{ "prefixes", "6 fd02:ffff::1>fd03:0::1 udp 1>2", "taken both6" },
	{ "prefixes", "6 fd02::1>fd03:2::1 udp 1>2", "kernel default" },
	{ "prefixes", "6 fd12::1>fd03:1::1 udp 1>2", "kernel default" },
	{ "prefixes", "6 a01:203::>a01:203:: udp 1>2", "kernel default" },
	/* ---- ports ---- */
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 4999>53", "kernel dns" },
	{ "ports", "6 fd00:1::2>fd00:2::2 udp 65000>53", "kernel dns" },
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 1>4000", "taken range" },
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 1>4999", "taken range" },
	{ "ports", "6 fd00:1::2>fd00:2::2 udp 1>4500", "taken range" },
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 1>3999", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 1>5000", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 4000>1", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 tcp 1>4500", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 tcp 1000>80", "taken pair" },
	{ "ports", "4 10.0.1.2>10.0.2.2 tcp 2000>80", "taken pair" },
	{ "ports", "4 10.0.1.2>10.0.2.2 tcp 999>80", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 tcp 2001>80", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 tcp 1500>81", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 tcp 1>0", "taken low" },
	{ "ports", "4 10.0.1.2>10.0.2.2 tcp 1>22", "taken low" },
	{ "ports", "4 10.0.1.2>10.0.2.2 tcp 1>23", "kernel default" },
	{ "ports", "6 fd00:1::2>fd00:2::2 sctp 1>65535", "taken high" },
	{ "ports", "6 fd00:1::2>fd00:2::2 sctp 1>65534", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 65000>65535", "taken from" },
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 65535>1", "taken from" },
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 64999>1", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 udp 65535>4000", "taken range" },
	{ "ports", "4 10.0.1.2>10.0.2.2 icmp 8", "kernel default" },
	{ "ports", "4 10.0.1.2>10.0.2.2 proto 47", "kernel default" },
	{ "ports", "6 fd00:1::2>fd00:2::2 proto 136", "kernel default" },
	/* ---- protocols ---- */
	{ "protocols", "4 10.0.1.2>10.0.2.2 icmp 8", "kernel ping" },
	{ "protocols", "6 fd00:1::2>fd00:2::2 icmp6 128", "kernel ping6" },
	{ "protocols", "4 10.0.1.2>10.0.2.2 tcp 1>2", "kernel tcp" },
	{ "protocols", "6 fd00:1::2>fd00:2::2 tcp 1>2", "kernel tcp" },
	{ "protocols", "4 10.0.1.2>10.0.2.2 proto 47", "kernel gre" },
	{ "protocols", "6 fd00:1::2>fd00:2::2 proto 47", "kernel gre" },
	{ "protocols", "4 10.0.1.2>10.0.2.2 udp 1>2", "taken default" },
	{ "protocols", "4 10.0.1.2>10.0.2.2 proto 46", "taken default" },
	{ "protocols", "4 10.0.1.2>10.0.2.2 proto 0", "taken default" },
	{ "protocols", "4 10.0.1.2>10.0.2.2 proto 58", "kernel ping6" },
	{ "protocols", "6 fd00:1::2>fd00:2::2 proto 1", "kernel ping" },
	/* ---- in-ports ---- */
	{ "inports", "4 10.0.1.2>10.0.2.2 udp 1>2 in=0", "taken zero" },
	{ "inports", "6 fd00:1::2>fd00:2::2 udp 1>2 in=0", "taken zero" },
	{ "inports", "4 10.0.1.2>10.0.2.2 tcp 1>2 in=0", "kernel default" },
	{ "inports", "4 10.0.1.2>10.0.2.2 tcp 1>2 in=1", "taken one" },
	{ "inports", "4 10.0.1.2>11.0.2.2 udp 1>2 in=1", "kernel default" },
	{ "inports", "6 fd00:1::2>fd00:2::2 udp 1>2 in=1", "kernel default" },
	{ "inports", "4 10.0.1.2>11.0.2.2 icmp 8 in=2", "taken two" },
	{ "inports", "6 fd00:1::2>fd00:2::2 tcp 1>2 in=2", "taken two" },
	{ "inports", "4 10.0.1.2>10.0.2.1 udp 1>2 in=2", "guard local_dst" },
	{ "inports", "4 10.0.1.2>10.0.2.2 udp 1>2 in=3", "kernel default" },
	/* ---- order ---- */
	{ "order", "4 10.0.3.2>10.9.9.9 udp 1>9", "kernel first" },
	{ "order", "4 10.0.1.2>10.9.9.9 udp 1>9", "kernel first" },
	{ "order", "4 10.0.3.2>10.9.9.9 tcp 1>9", "taken second" },
	{ "order", "4 10.0.1.2>10.9.9.9 tcp 1>9", "taken second" },
	{ "order", "4 10.0.1.2>10.9.9.8 tcp 1>9", "kernel last" },
	{ "order", "4 10.0.1.2>11.9.9.9 udp 1>9", "kernel last" },
	{ "order", "4 10.0.3.2>11.9.9.9 udp 1>9", "taken default" },
	{ "order", "6 fd00:1::2>fd00:2::2 udp 1>9", "taken default" },
	{ "order", "4 10.0.3.2>10.9.9.9 udp 1>9 frag=0x2000", "guard ip4_fragment" },
	{ "order", "4 10.0.3.2>10.9.9.9 udp 1>9 ttl=1", "guard ttl" },
};

#endif
