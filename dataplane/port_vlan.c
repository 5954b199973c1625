/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLAN tags stay in the frame. A NIC that strips them (rx-vlan-offload) gives them beside the packet, where neither the
 * XDP program nor the dataplane can see them: a frame of VLAN 10 would be forwarded as an untagged one, which the kernel
 * would not do. So stripping is switched off while a port is ours, and on again when it is given back; a NIC that
 * cannot is refused. After a SIGKILL it stays off, which costs the kernel a few cycles a tagged frame and no more.
 *
 * veth passes its sender's tag beside the packet whatever the flag says, and is left alone: between namespaces, send no
 * tagged frames to a port, or switch tx-vlan-offload off where they come from.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dpd.h"

static int ethtool(const char *netdev, void *command)
{
	struct ifreq request = { .ifr_data = command };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", netdev);
	error = ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
	close(fd);
	return error;
}

static bool strips(const char *netdev, uint32_t *flags)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };
	int error = ethtool(netdev, &value);

	*flags = error ? 0 : value.data;
	return *flags & ETH_FLAG_RXVLAN;
}

static int set_flags(const char *netdev, uint32_t flags)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SFLAGS, .data = flags };

	return ethtool(netdev, &value);
}

int port_vlan_keep(struct port *port, char *why)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	const char *netdev = port->steer.netdev;
	uint32_t flags;

	port->vlan_strip_off = false;
	if (port->config->driver != WYE_DRIVER_AF_XDP || !strips(netdev, &flags))
		return 0;
	if (ethtool(netdev, &driver) == 0 && !strcmp(driver.driver, "veth"))
		return 0;
	if (set_flags(netdev, flags & ~ETH_FLAG_RXVLAN) < 0 || strips(netdev, &flags)) {
		snprintf(why, WYE_WHY_BYTES,
			 "%s (%s) strips VLAN tags and cannot be told not to (ethtool -K %s rxvlan off): tagged frames "
			 "would pass for untagged ones; leave it to the kernel", netdev, driver.driver, netdev);
		return -EOPNOTSUPP;
	}
	port->vlan_strip_off = true;
	return 0;
}

void port_vlan_restore(struct port *port)
{
	char name[IF_NAMESIZE];
	const char *netdev = port_ifname(port, name);
	uint32_t flags;

	if (port->vlan_strip_off && netdev[0] && !strips(netdev, &flags))
		(void)set_flags(netdev, flags | ETH_FLAG_RXVLAN);
	port->vlan_strip_off = false;
}
