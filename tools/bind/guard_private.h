/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files guard*.c tell each other. */
#ifndef GUARD_PRIVATE_H
#define GUARD_PRIVATE_H

#include <net/if.h>

#include "bind.h"

#define GUARD_NETDEVS_MAX 64

struct guard_netdevs {	/* of a device, and what is stacked on them */
	char name[GUARD_NETDEVS_MAX][IFNAMSIZ];
	size_t n;
};

struct guard_address {
	int family;		/* 0 = none */
	uint8_t bytes[16];
};

bool guard_parse_address(const char *text, struct guard_address *address);
/* Is one of these the way to it, by the main table? */
bool guard_reached_by(const struct wye_sysroot *root, const struct guard_address *address, const struct guard_netdevs *netdevs);
FILE *guard_open(const struct wye_sysroot *root, const char *path);

/* guard_storage.c: is a disk behind the network reached by them? Then `what` has which. */
bool guard_carries_disk(const struct wye_sysroot *root, const struct guard_netdevs *netdevs, char *what, size_t size);
/* guard_tables.c: has any routing table, so one that policy rules lead to, a default route by them? Asks the kernel; if that
 * does not answer, perhaps. */
bool guard_carries_default(const struct guard_netdevs *netdevs, char *what, size_t size);

#endif
