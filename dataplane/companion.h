/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Companions: the kernel's netdev of a port on vfio-pci, whose device the kernel has no netdev for. Where the configured
 * name is nobody's, a TAP of that name is made, and `ip` manages it as any netdev: what it sends is put on the wire here,
 * what is not the dataplane's is punted into it as into any netdev.
 *
 * Where the name is an existing netdev, the device, a VF, stands beside it: it must be the VF's PF or an uplink of its switch
 * (wye_device_companion()), nothing of it is changed, and what the kernel sends by it leaves by it. The VF gets what is sent to
 * its own MAC and what rules in the NIC send it, be it to the netdev's MAC (nodes/beside.h). What is not the dataplane's of
 * that is punted into the netdev; broadcasts and multicasts are not, since it has its own copy, unless rules of a switch sent
 * them to the VF in its stead. While the VF cannot send, the port is none, and the kernel forwards by the netdev.
 *
 * A TAP that has had its device stays when wye-dpd ends, without a carrier, so that addresses and routes outlive a restart;
 * `ip link del` takes it away. Main thread only.
 */
#ifndef COMPANION_H
#define COMPANION_H

#include <rte_ether.h>
#include <stdbool.h>
#include <stdint.h>

#include "wye_vf.h"

struct dpd;
struct port;

#define COMPANION_MULTICAST_MAX 64	/* with more the device is asked for all multicast */

struct companion {
	int fd;				/* TAP; -1 = none, the netdev is another's */
	bool carrier;			/* of the device; the TAP's is the same */
	bool deaf;			/* the device's driver does not hear its PF being reset */
	bool lost;			/* it had carrier since it is open, and lost it */
	int64_t pf_changes;		/* of its PF's carrier, when it was opened */
	struct wye_vf vf;		/* what its PF says of it */
	bool switched;			/* another's: rules in the NIC's switch say what the device gets (wye_device.h) */
	struct rte_ether_addr device_mac; /* another's */
	bool mac_told;			/* by the mirror: the TAP has the device's MAC */
	uint32_t n_multicast;
	struct rte_ether_addr multicast[COMPANION_MULTICAST_MAX];	/* what the device has been told to receive */
};

/* The device is started: the TAP gets its MAC and carrier. 0, or -errno with why. */
int companion_up(struct port *port, char *why);
void companion_down(struct port *port);	/* the device goes: no carrier */

/* The MTU has changed: the device's too, or port->mtu_max says what it can. */
void companion_mtu(struct port *port);
/* Another's netdev has the device's MAC, so that both receive the same packets: the port must close. */
bool companion_same_mac(const struct port *port);
/* What its PF says of the VF now, asked when it was `before`: with another MAC or VLAN than then it must be opened anew. */
void companion_vf(struct port *port, const struct wye_vf *before, const struct wye_vf *now);
/* The TAP has another MAC: the device's too, or the TAP gets the device's back. */
void companion_mac(struct port *port);

#endif
