/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An af_xdp port's netdev keeps its flags. DPDK, when it starts a port, switches promiscuous mode off, and the driver does that
 * by reading the netdev's flags and setting them all, less that one. What an operator had set so is gone; and an `ip link set
 * up` that came between is undone, which is likely, since setting waits for the RTNL lock that a NIC's start holds for long.
 * Nothing in DPDK's interface asks for less. So this process has an ioctl() of its own, which the driver is linked to, too.
 */
#include <net/if.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "port_flags.h"

static _Thread_local const char *kept; /* the netdev whose flags nobody sets now */

/* The C library's, but for that. Exported: plugin.symbols. */
int ioctl(int fd, unsigned long request, ...)
{
	const struct ifreq *netdev;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	netdev = arg;
	if (kept && request == SIOCSIFFLAGS && !strncmp(netdev->ifr_name, kept, sizeof(netdev->ifr_name)))
		return 0;
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

int port_flags_start(uint16_t dpdk_port, const char *netdev)
{
	int error;

	kept = netdev;
	error = rte_eth_dev_start(dpdk_port);
	kept = NULL;
	return error;
}
