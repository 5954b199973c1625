/* SPDX-License-Identifier: BSD-3-Clause */
/* A netdev's driver, queues and XDP state by ethtool's ioctl, rtnetlink, generic netlink and bpf(2); see netdev.h. */
#include "netdev.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libwye/netlink.h"

/* Of include/uapi/linux/netdev.h, which is younger than our oldest kernel headers. */
#define NETDEV_CMD_DEV_GET	  1
#define NETDEV_A_DEV_IFINDEX	  1
#define NETDEV_A_DEV_XDP_FEATURES 3

/* ---- ethtool ---- */

static int ethtool(int fd, const char *name, void *question)
{
	struct ifreq request = { .ifr_data = question };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
}

static void ask_ethtool(const char *name, struct netdev *netdev)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	struct ethtool_rxfh rss = { .cmd = ETHTOOL_GRSSH };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (!ethtool(fd, name, &driver))
		snprintf(netdev->driver, sizeof(netdev->driver), "%.31s", driver.driver);
	netdev->channels = !ethtool(fd, name, &channels);
	if (netdev->channels) {
		netdev->combined = channels.combined_count;
		netdev->combined_max = channels.max_combined;
		netdev->rx = channels.rx_count;
		netdev->tx = channels.tx_count;
	}
	if (!ethtool(fd, name, &flags))
		netdev->ntuple = flags.data & ETH_FLAG_NTUPLE;
	if (!ethtool(fd, name, &rss))
		netdev->rss_entries = rss.indir_size;
	close(fd);
}

/* ---- XDP programs ---- */

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void program_name(struct netdev_program *program)
{
	union bpf_attr attr = { .prog_id = program->id };
	struct bpf_prog_info info = { 0 };
	int fd = program->id ? (int)bpf(BPF_PROG_GET_FD_BY_ID, &attr) : -1;

	if (fd < 0)
		return;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (!bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		snprintf(program->name, sizeof(program->name), "%.15s", info.name);
	close(fd);
}

static void take_programs(const struct nlmsghdr *message, struct netdev *netdev)
{
	const struct nlattr *xdp = netlink_find(netlink_attrs(message, sizeof(struct ifinfomsg)), IFLA_XDP, 0);
	const struct nlattr *mode;

	if (!xdp)
		return;
	netdev->native.id = netlink_u32(netlink_find(netlink_inside(xdp), IFLA_XDP_DRV_PROG_ID, 4));
	netdev->generic.id = netlink_u32(netlink_find(netlink_inside(xdp), IFLA_XDP_SKB_PROG_ID, 4));
	netdev->offloaded.id = netlink_u32(netlink_find(netlink_inside(xdp), IFLA_XDP_HW_PROG_ID, 4));
	mode = netlink_find(netlink_inside(xdp), IFLA_XDP_ATTACHED, 1);
	if (mode && *(const uint8_t *)netlink_data(mode) == XDP_ATTACHED_DRV && !netdev->native.id)
		netdev->native.id = netlink_u32(netlink_find(netlink_inside(xdp), IFLA_XDP_PROG_ID, 4));
	program_name(&netdev->native);
	program_name(&netdev->generic);
	program_name(&netdev->offloaded);
}

static void ask_programs(struct netdev *netdev)
{
	const struct ifinfomsg link = { .ifi_index = (int)netdev->ifindex };
	struct netlink_request request;
	struct netlink netlink;

	netlink_request(&request, RTM_GETLINK, 0, &link, sizeof(link));
	if (!netlink_open(&netlink, NETLINK_ROUTE) && !netlink_ask(&netlink, &request))
		take_programs(netlink.answer, netdev);
	netlink_close(&netlink);
}

/* ---- XDP features ---- */

static uint16_t family_id(struct netlink *netlink, const char *name)
{
	const struct genlmsghdr get = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 };
	struct netlink_request request;
	const struct nlattr *id;
	uint16_t value = 0;

	netlink_request(&request, GENL_ID_CTRL, 0, &get, sizeof(get));
	netlink_put(&request, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	if (netlink_ask(netlink, &request))
		return 0;
	id = netlink_find(netlink_attrs(netlink->answer, sizeof(get)), CTRL_ATTR_FAMILY_ID, sizeof(value));
	if (id)
		memcpy(&value, netlink_data(id), sizeof(value));
	return value;
}

static void ask_features(struct netdev *netdev)
{
	const struct genlmsghdr get = { .cmd = NETDEV_CMD_DEV_GET, .version = 1 };
	const struct nlattr *features = NULL;
	struct netlink_request request;
	struct netlink netlink;
	uint16_t family = netlink_open(&netlink, NETLINK_GENERIC) ? 0 : family_id(&netlink, "netdev");

	if (family) {
		netlink_request(&request, family, 0, &get, sizeof(get));
		netlink_put(&request, NETDEV_A_DEV_IFINDEX, &netdev->ifindex, sizeof(netdev->ifindex));
		if (!netlink_ask(&netlink, &request))
			features = netlink_find(netlink_attrs(netlink.answer, sizeof(get)), NETDEV_A_DEV_XDP_FEATURES, 8);
	}
	netdev->features_known = features != NULL;
	if (features)
		memcpy(&netdev->xdp_features, netlink_data(features), sizeof(netdev->xdp_features));
	netlink_close(&netlink);
}

int netdev_name(const char *name, char ifname[16])
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct netlink_request request;
	const struct nlattr *told = NULL;
	struct netlink netlink;
	int error = netlink_open(&netlink, NETLINK_ROUTE);

	netlink_request(&request, RTM_GETLINK, 0, &link, sizeof(link));
	netlink_put(&request, IFLA_ALT_IFNAME, name, strlen(name) + 1);
	error = error ? error : strlen(name) < 128 ? netlink_ask(&netlink, &request) : -ENODEV;
	if (!error)
		told = netlink_find(netlink_attrs(netlink.answer, sizeof(link)), IFLA_IFNAME, 1);
	if (told)
		snprintf(ifname, 16, "%.*s", (int)netlink_bytes(told), (const char *)netlink_data(told));
	netlink_close(&netlink);
	return error ? error : told ? 0 : -ENODEV;
}

int netdev_ask(const char *name, struct netdev *netdev)
{
	*netdev = (struct netdev){ .ifindex = if_nametoindex(name) };
	if (!netdev->ifindex)
		return -errno;
	ask_ethtool(name, netdev);
	ask_programs(netdev);
	ask_features(netdev);
	return 0;
}
