/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ends of the veth benches. `source` runs under BPF_PROG_TEST_RUN in live-frames mode: it writes a whole UDP
 * packet into a fresh frame and redirects it out of the generator's veth, about five million a second on one CPU and
 * without a socket buffer, so the router under test is fed as a NIC's driver feeds it. `sink` counts what arrives
 * and drops it; packets without the bench's mark go on to the kernel, so ARP works and the generator's greeting arrives.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "gen.h"

const volatile struct gen_params params;	/* written by user space before the program is loaded */
struct gen_state state;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gen_count);
} counts SEC(".maps");

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	struct gen_payload payload;
} __attribute__((packed));

#define SPIN_MAX 1000000	/* some 30 ms: a gap is shorter */

static long spin(__u32 i, void *due_ns)
{
	return bpf_ktime_get_ns() >= *(__u64 *)due_ns;
}

/* Waits for the batch's turn. One that is late does not hurry the next: a burst would overrun the router's ring. */
static __always_inline void pace(void)
{
	__u64 due_ns = state.next_ns, now = bpf_ktime_get_ns();

	if (now < due_ns)
		bpf_loop(SPIN_MAX, spin, &due_ns, 0);
	else if (now - due_ns > params.gap_ns)
		due_ns = now;
	state.next_ns = due_ns + params.gap_ns;
}

SEC("xdp")
int source(struct xdp_md *ctx)
{
	struct packet *p = (void *)(long)ctx->data;
	__u64 seq;

	if ((void *)(p + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	seq = state.sent++;
	if (params.gap_ns && seq % params.batch == 0)
		pace();
	/* Frames come back as the router left them, so all of the header is written each time. */
	for (int i = 0; i < ETH_ALEN; i++) {
		p->eth.h_dest[i] = params.dst_mac[i];
		p->eth.h_source[i] = params.src_mac[i];
	}
	p->eth.h_proto = bpf_htons(ETH_P_IP);
	p->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .saddr = params.src_ip,
				.daddr = params.dst_ip, .check = params.ip_check,
				.tot_len = bpf_htons(sizeof(*p) - ETH_HLEN) };
	p->udp = (struct udphdr){ .source = bpf_htons(1024 + (seq % params.flows)), .dest = bpf_htons(params.dport),
				  .len = bpf_htons(sizeof(p->udp) + sizeof(p->payload)) };
	p->payload = (struct gen_payload){ .magic = GEN_MAGIC, .seq = seq };
	return bpf_redirect(params.out_ifindex, 0);
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	struct packet *p = (void *)(long)ctx->data;
	struct gen_count *count;
	__u32 key = 0;

	if ((void *)(p + 1) > (void *)(long)ctx->data_end || p->payload.magic != GEN_MAGIC)
		return XDP_PASS;
	count = bpf_map_lookup_elem(&counts, &key);
	if (!count)
		return XDP_ABORTED;
	count->packets++;
	count->bad_ttl += p->ip.ttl != params.ttl_expected;
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
