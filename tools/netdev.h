/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel tells of a netdev of this network namespace beyond sysfs: driver, queues, XDP. All of it is asked for;
 * nothing is changed. */
#ifndef NETDEV_H
#define NETDEV_H

#include <stdbool.h>
#include <stdint.h>

struct netdev_program {
	uint32_t id;		/* 0 = none in this mode */
	char name[16];		/* "" = may not be asked */
};

struct netdev {
	char driver[32];
	uint32_t ifindex;
	bool channels;			/* the driver knows the question; else the four below are 0 */
	uint32_t combined, combined_max, rx, tx;
	bool ntuple;			/* flow filters are switched on */
	uint32_t rss_entries;		/* of the indirection table, 0 = none */
	struct netdev_program native, generic, offloaded;
	bool features_known;		/* the kernel tells them (6.3) */
	uint64_t xdp_features;		/* NETDEV_XDP_* */
};

#define NETDEV_XDP_BASIC	1u	/* of the kernel's include/uapi/linux/netdev.h */
#define NETDEV_XDP_REDIRECT	2u
#define NETDEV_XDP_ZEROCOPY	8u

/* The name of the netdev that has that name or alternative name. 0 or -errno. */
int netdev_name(const char *name, char ifname[16]);

/* 0 or -errno; what a kernel or driver does not tell stays zero. */
int netdev_ask(const char *name, struct netdev *netdev);

#endif
