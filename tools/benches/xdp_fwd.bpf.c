/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The contestant of veth/ipv4-vs-xdp: forwarding in XDP with the kernel's own FIB and neighbours, the shortest way
 * there is: bpf_fib_lookup(), TTL, rewrite, bpf_redirect(). Anything else passes to the kernel.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define AF_INET 2

static __always_inline int forward(struct xdp_md *ctx, struct ethhdr *eth, struct iphdr *ip)
{
	struct bpf_fib_lookup fib = { .family = AF_INET, .l4_protocol = ip->protocol, .tot_len = bpf_ntohs(ip->tot_len),
				      .ifindex = ctx->ingress_ifindex, .tos = ip->tos, .ipv4_src = ip->saddr,
				      .ipv4_dst = ip->daddr };
	__u32 sum;

	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return XDP_PASS;
	sum = (__u32)ip->check + bpf_htons(0x0100);
	ip->check = (__u16)(sum + (sum >= 0xffff));
	ip->ttl--;
	__builtin_memcpy(eth->h_dest, fib.dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, fib.smac, ETH_ALEN);
	return bpf_redirect(fib.ifindex, 0);
}

SEC("xdp")
int xdp_fwd(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5 || ip->ttl <= 1)
		return XDP_PASS;
	return forward(ctx, eth, ip);
}

char _license[] SEC("license") = "Dual BSD/GPL";
