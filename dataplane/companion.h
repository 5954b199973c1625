/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Companions: the kernel's netdev of a port on vfio-pci, whose device the kernel has no netdev for. Where the configured
 * name is nobody's, a TAP of that name is made, and `ip` manages it as any netdev: what it sends is put on the wire here,
 * what is not the dataplane's is punted into it as into any netdev. Where the name is an existing netdev (the PF, a
 * representor), that is the companion: nothing of it is changed, and packets are only punted into it.
 *
 * A TAP that has had its device stays when wye-dpd ends, without a carrier, so that addresses and routes outlive a restart;
 * `ip link del` takes it away. Main thread only.
 */
#ifndef COMPANION_H
#define COMPANION_H

#include <rte_ether.h>
#include <stdbool.h>
#include <stdint.h>

struct dpd;
struct port;

#define COMPANION_MULTICAST_MAX 64	/* with more the device is asked for all multicast */

struct companion {
	int fd;				/* TAP; -1 = none, the netdev is another's */
	bool carrier;
	bool mac_told;			/* by the mirror: the TAP has the device's MAC */
	uint32_t n_multicast;
	struct rte_ether_addr multicast[COMPANION_MULTICAST_MAX];	/* what the device has been told to receive */
};

/* The device is started: the TAP gets its MAC and carrier. 0, or -errno with why. */
int companion_up(struct port *port, char *why);
void companion_down(struct port *port);	/* the device goes: no carrier */

/* The MTU has changed: the device's too, or port->mtu_max says what it can. */
void companion_mtu(struct port *port);
/* The TAP has another MAC: the device's too, or the TAP gets the device's back. */
void companion_mac(struct port *port);

#endif
