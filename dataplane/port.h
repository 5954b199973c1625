/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports: each a netdev of the kernel, whose state the mirror tells, with a DPDK port that carries packets for it. A port
 * is the netdev that has its name, or its alternative name, now, and lives as long as it has it; steering gives it flows
 * only while everything that forwarding needs is true. Main thread only.
 */
#ifndef PORT_H
#define PORT_H

#include <net/if.h>
#include <rte_spinlock.h>
#include <stdbool.h>

#include "companion.h"
#include "steer.h"
#include "taken.h"
#include "wye_config.h"
#include "wye_map.h"
#include "wye_need.h"

struct rte_mempool;
struct dpd;

#define XDP_HEADROOM 256

#define FD_LIST_MAX 4096
struct fd_list {
	uint64_t bits[FD_LIST_MAX / 64];
};

struct port_told {		/* what tells that a receive queue has packets */
	int fd;			/* the device's, -1 = nothing */
	bool interrupts;	/* if switched on */
	bool counts;		/* an eventfd, to be emptied */
};

struct port {
	uint32_t index;				/* in config and everywhere */
	const struct wye_config_port *config;
	enum wye_port_state state;
	char detail[96];			/* why state is not ACTIVE */
	const struct steer_backend *backend;
	struct steer_port steer;		/* netdev, ifindex, MAC, DPDK port */
	struct wye_link link;			/* copy of the mirror's record as of the last look */
	uint32_t link_index;			/* 0 = the mirror knows no such netdev, or it is another port */
	bool open;				/* DPDK port started */
	bool enabled;				/* steering gives it flows */
	bool taken_off;				/* somebody took the steering program off the netdev */
	bool tap_lost;				/* somebody took the punt TAP, its program or its being up */
	uint16_t n_queues, n_tx;		/* receive and transmit queues; af_xdp: as many of each */
	uint32_t mtu_max;
	char device[64];			/* DPDK device name */
	struct port_told told[WYE_QUEUES_MAX];	/* af_xdp: by the queues' sockets */
	rte_spinlock_t interrupt_lock;		/* of workers, around switching one on or off */
	struct fd_list fds;			/* af_xdp: all the PMD has opened */
	struct taken taken[WYE_QUEUES_MAX];	/* af_xdp: buffers of the last attempt to open it, which failed; owned */
	rte_spinlock_t tx_lock[WYE_QUEUES_MAX];
	bool slow;				/* its flows are with the kernel: pace.c */
	uint64_t pace_ns, pace_packets;		/* since when its packets are counted, and from which number on */
	struct companion companion;		/* vfio, uio: the netdev's part */
	bool sends;				/* the device can carry what the kernel would send by the netdev */
	bool vlan_strip_off;			/* we switched rx-vlan-offload off */
	uint64_t retry_ns, retry_wait_ns;	/* do not try to open again before; grows, until the link changes */
};

/* Brings every port's link record up to date from the region. */
void port_look(struct dpd *dpd);

/* True when the port must be closed (netdev gone, replaced or called otherwise, or the punt TAP lost): the caller first
 * publishes a plan without it. To be asked after port_look(). */
bool port_must_close(const struct port *port);
void port_close(struct dpd *dpd, struct port *port, const char *detail);

/* Opens what is there and waits to be; true if any was opened. Failures set FAILED with detail, printed once. */
bool port_open_ready(struct dpd *dpd, uint64_t now_ns);

/* Enables or disables steering by trust, link state, parity and MTU; updates state and detail. */
void port_steer(struct dpd *dpd);

/* Has it a device on VFIO or UIO that stands beside another's netdev, as a VF beside its PF? */
static inline bool port_beside(const struct port *port)
{
	return wye_driver_takes_device(port->config->driver) && port->companion.fd < 0;
}

/* port_watch.c: finds out taken_off and tap_lost, at its own pace; never waits for the kernel. */
void port_watch(struct dpd *dpd, uint64_t now_ns);
/* Between them it opens and closes nothing: what descriptors appear meanwhile are the device's (port_dev.c). Waits for a look that
 * is under way. */
void port_watch_hold(void);
void port_watch_go(void);

/* port_pool.c: the packet buffers. */
struct rte_mempool *port_pool(const struct dpd *dpd);	/* buffers for all ports; NULL, errno */
void port_pool_free(struct dpd *dpd);			/* when no port is open */
/* Must there be another pool: an MTU has outgrown the buffers, or closed ports have taken too many with them? The caller
 * closes all ports, frees the pool and opens them again. */
bool port_pool_outgrown(const struct dpd *dpd);

/* The name its netdev has at the moment, open or about to be; "" = it is gone. */
const char *port_ifname(const struct port *port, char name[IF_NAMESIZE]);

/* port_vlan.c: no VLAN tag may be hidden from us. 0, or -errno with a sentence in why. */
int port_vlan_keep(struct port *port, char *why);
void port_vlan_restore(struct port *port);

/* port_flow.c: rte_flow. Between probe and configure: chooses the backend, and isolates the device if that is rte_flow;
 * then after the start: tells steer_flow what the device can do. 0, or -errno with a sentence in why. */
int port_flow_isolate(struct port *port, char *why);
int port_flow_attach(struct port *port, char *why);

/* port_vfio.c: a device on vfio-pci. */
/* Its devargs, port->device, port->companion.switched and pf_changes; or -errno and in why what keeps it from being a port. */
int port_vfio_devargs(struct port *port, char *devargs, size_t size, char *why);
/* DPDK could not have it: says it better, if that is possible. */
void port_vfio_why(const struct port *port, char *why);
/* Does the kernel ask for its device, as when it is unplugged, or was its PF reset? Then the port must close: why, else NULL;
 * given: it has; reset: it seems it was. Resets are heard of between hear and unhear. */
const char *port_vfio_asked(const struct port *port);
void port_vfio_given(const struct port *port);
void port_vfio_reset(const struct port *port);
/* What its PF says of a device now; known is false where it says nothing, as from another network namespace. Waits for the
 * kernel's RTNL lock. */
void port_vfio_ask(const char *device, struct wye_vf *vf);
/* How often the link of its PF has come and gone, by the kernel; -1 = not known, as in another network namespace. */
int64_t port_vfio_pf_changes(const struct port *port);
void port_vfio_hear(const struct port *port);
void port_vfio_unhear(const struct port *port);

/* port_told.c: asks a device that has started with receive interrupts wanted. Forget: it has none. */
void port_told_find(struct port *port);
void port_told_forget(struct port *port);
/* Can its workers sleep until there is a packet? */
bool port_told(const struct port *port);

/* port_dev.c: the DPDK device below a port. */
int port_dev_open(struct port *port, const struct dpd *dpd, char *why);
void port_dev_close(struct port *port);
/* Is the netdev it was opened on gone, whatever has its name and index now? */
bool port_dev_lost(const struct port *port);
/* Is its netdev up, by the kernel's word of now? */
bool port_dev_up(const struct port *port);

#endif
