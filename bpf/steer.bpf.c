/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program of every steered port: guards, then rules, then redirect. Whatever it does not take it passes, so
 * that the kernel's own path is what happens on any miss or doubt: no rules, no heartbeat, no socket.
 *
 * DPDK's af_xdp PMD loads this file once a port (devarg xdp_prog), takes the first program in it and the map named
 * xsks_map. The other maps are pinned by name and therefore the same for all ports; wye-dpd makes them first, fills
 * them (include/wye_steer.h says with what) and is the only one to write them.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "parse.h"
#include "wye_steer.h"

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, WYE_STEER_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wye_steer_state);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} wye_state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WYE_STEER_PORTS);
	__type(key, __u32);
	__type(value, struct wye_steer_port);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} wye_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(__u32));
		__uint(value_size, sizeof(struct wye_steer_rules));
	});
} wye_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct wye_steer_local4);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} wye_local4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct wye_steer_local6);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} wye_local6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wye_steer_counters);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} wye_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct wye_steer_hits);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} wye_hits SEC(".maps");

static const __u32 first = 0;

static __always_inline int is_local(const struct wye_steer_state *state, __u32 family, __u64 hi, __u64 lo)
{
	__u32 hint = wye_steer_hint(hi, lo);

	if (!state->short_prefixes[family & 1] && !(state->hint[hint >> 6 & 1023] >> (hint & 63) & 1))
		return 0;
	if (family) {
		struct wye_steer_local6 key6 = { .prefix_len = 128 };

		put_be64(&key6.addr[0], hi);
		put_be64(&key6.addr[8], lo);
		return bpf_map_lookup_elem(&wye_local6, &key6) != NULL;
	} else {
		struct wye_steer_local4 key4 = { .prefix_len = 32 };

		put_be32(&key4.addr[0], hi >> 32);
		return bpf_map_lookup_elem(&wye_local4, &key4) != NULL;
	}
}

/* What a rule set says of a packet that passed the guards. */
static __always_inline int taken_by_rules(const struct wye_steer_rules *rules, const struct wye_steer_key *key,
					  __u32 in_port)
{
	__u32 rule = wye_steer_match(rules, key, in_port);
	__u32 half = rules->half & 1;
	struct wye_steer_hits *hits;

	if (rule > WYE_STEER_RULES)
		return 0;
	hits = bpf_map_lookup_elem(&wye_hits, &half);
	if (hits)
		hits->packets[rule]++;
	return rules->action[rule];
}

/* TAKEN: redirect it. KERNEL_RULE: a rule or the default gives it to the kernel. Else the guard that holds it back. */
#define KERNEL_RULE WYE_STEER_COUNTER_COUNT

static __always_inline __u32 verdict(struct xdp_md *ctx, struct wye_steer_port *port)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct wye_steer_state *state = bpf_map_lookup_elem(&wye_state, &first);
	void *inner = bpf_map_lookup_elem(&wye_rules, &first);
	struct wye_steer_key key = {};
	struct wye_steer_rules *rules;
	__u32 guard;

	if (!state || !inner || !state->enabled)
		return WYE_STEER_DISABLED;
	if (!(port->flags & WYE_STEER_PORT_ENABLED))
		return WYE_STEER_PORT_OFF;
	guard = wye_steer_parse(data, data_end, port->mac, &key);
	if (guard != WYE_STEER_TAKEN)
		return guard;
	if (port->flags & (key.family ? WYE_STEER_PORT_NO_IP6 : WYE_STEER_PORT_NO_IP4))
		return WYE_STEER_PORT_OFF;
	if (is_local(state, key.family, key.dst_hi, key.dst_lo))
		return WYE_STEER_LOCAL_DST;
	if (is_local(state, key.family, key.src_hi, key.src_lo))
		return WYE_STEER_LOCAL_SRC;
	if ((__s64)(bpf_ktime_get_coarse_ns() - state->alive_ns) > WYE_STEER_ALIVE_NS)
		return WYE_STEER_STALE;
	rules = bpf_map_lookup_elem(inner, &first);
	if (!rules)
		return WYE_STEER_DISABLED;
	return taken_by_rules(rules, &key, port->in_port) ? WYE_STEER_TAKEN : KERNEL_RULE;
}

/* Is the port slow, this packet included? The one that is too many makes it fast. */
static __always_inline int slow(__u32 in_port)
{
	struct wye_steer_state *state = bpf_map_lookup_elem(&wye_state, &first);
	struct wye_steer_pace *pace;
	__u64 now;

	if (!state)
		return 0;
	pace = &state->pace[WYE_STEER_INDEX(in_port, WYE_STEER_PORTS - 1)];
	if (!pace->slow)
		return 0;
	now = bpf_ktime_get_ns();
	if (now - pace->since_ns > WYE_STEER_PACE_NS) {
		pace->since_ns = now;
		pace->packets = 0;
	}
	__sync_fetch_and_add(&pace->packets, 1);
	if (pace->packets <= pace->most)
		return 1;
	pace->slow = 0;
	return 0;
}

/* Generic XDP sees what the punt TAP redirected into this netdev: it carries the punt MAC. */
static __always_inline int restore_punted(struct xdp_md *ctx, const struct wye_steer_port *port)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct wye_steer_ether *ether = (void *)(long)ctx->data;

	if (!(port->flags & WYE_STEER_PORT_GENERIC) || (void *)(ether + 1) > data_end ||
	    !wye_steer_mac_is(ether->dst, port->punt_mac))
		return 0;
	__builtin_memcpy(ether->dst, port->mac, sizeof(ether->dst));
	return 1;
}

SEC("xdp")
int wye_steer(struct xdp_md *ctx)
{
	struct wye_steer_counters *counters = bpf_map_lookup_elem(&wye_counters, &first);
	__u32 ifindex = ctx->ingress_ifindex, why;
	struct wye_steer_port *port;
	int action = XDP_PASS;

	port = bpf_map_lookup_elem(&wye_ports, &ifindex);
	if (!port)
		why = WYE_STEER_PORT_OFF;
	else if (restore_punted(ctx, port))
		why = WYE_STEER_PUNTED;
	else
		why = verdict(ctx, port);
	if (why == WYE_STEER_TAKEN && slow(port->in_port))
		why = WYE_STEER_SLOW;
	if (why == WYE_STEER_TAKEN) {
		action = bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
		if (action != XDP_REDIRECT)
			why = WYE_STEER_NO_SOCKET;
	}
	if (counters && why < WYE_STEER_COUNTER_COUNT)
		counters->packets[why]++;
	return action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
