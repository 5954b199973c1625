/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ingress of a punt TAP: whatever wye-dpd writes into the TAP is received again by the real netdev, so that the
 * kernel sees the exception where it came in (ICMP errors carry the right source, iifname matches, ARP works).
 * bpf_redirect() to an ingress runs eth_type_trans() against the target, which settles the packet's type anew;
 * native XDP on the target does not see the packet again, generic XDP does.
 *
 * tc filters on the target see it, too. Where those are what steers (rte_flow on a tap with a remote), the frame would go
 * round for ever; there it carries a mark, which wye_punted, before those filters, takes off and lets it pass.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "wye_steer.h"

struct wye_punt_to wye_punt_to;	/* set before the program is loaded */

SEC("tc")
int wye_punt(struct __sk_buff *skb)
{
	skb->mark = wye_punt_to.mark;
	return bpf_redirect(wye_punt_to.ifindex, BPF_F_INGRESS);
}

SEC("tc")
int wye_punted(struct __sk_buff *skb)
{
	if (skb->mark != WYE_PUNT_MARK)
		return TC_ACT_UNSPEC;
	skb->mark = 0;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
