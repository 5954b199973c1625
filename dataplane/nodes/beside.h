/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports whose device stands beside the netdev on one wire, a VF beside its PF (companion.h). The tables and the kernel know
 * one MAC, the netdev's, and the device has its own: so a frame for the device becomes one for the netdev as soon as it is
 * received, and what is sent gets the device's source, the only one that a NIC which checks VFs for spoofing lets pass.
 */
#ifndef BESIDE_H
#define BESIDE_H

#include "node.h"

/* Of n frames just received. True: some were for the device, and have another destination now. */
static inline bool beside_received(const struct plan_port *port, struct rte_mbuf **packets, uint32_t n)
{
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		void *frame = rte_pktmbuf_mtod(packets[i], void *);

		if (memcmp(frame, &port->device_mac48, 6))
			continue;
		memcpy(frame, &port->mac48, 6);
		any = true;
	}
	return any;
}

static inline void beside_sent(const struct plan_port *port, struct rte_mbuf **packets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		memcpy(rte_pktmbuf_mtod(packets[i], struct rte_ether_hdr *)->src_addr.addr_bytes, &port->device_mac48, 6);
}

/* Has the netdev received this frame by itself? Then it is not passed on to it once more. */
static inline bool beside_copy(const struct plan_port *port, const struct rte_ether_hdr *ether)
{
	return port->copies && rte_is_multicast_ether_addr(&ether->dst_addr);
}

#endif
