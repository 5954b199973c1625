/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ingress of a punt TAP: whatever wye-dpd writes into the TAP is received again by the real netdev, so that the
 * kernel sees the exception where it came in (ICMP errors carry the right source, iifname matches, ARP works).
 * bpf_redirect() to an ingress runs eth_type_trans() against the target, which settles the packet's type anew;
 * native XDP on the target does not see the packet again, generic XDP does.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

__u32 wye_punt_ifindex;	/* of the real netdev; set before the program is loaded */

SEC("tc")
int wye_punt(struct __sk_buff *skb)
{
	return bpf_redirect(wye_punt_ifindex, BPF_F_INGRESS);
}

char _license[] SEC("license") = "GPL";
