/* SPDX-License-Identifier: BSD-3-Clause */
/* IFLA_VFINFO_LIST as the kernel tells it; see wye_vf.h. */
#include "wye_vf.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "netlink.h"
#include "why.h"
#include "wye_device.h"
#include "wye_map.h"

static void take_vf(const struct nlattr *info, struct wye_vf *vf, size_t n)
{
	struct netlink_attrs attrs = netlink_inside(info);
	const struct nlattr *mac = netlink_find(attrs, IFLA_VF_MAC, sizeof(struct ifla_vf_mac));
	const struct nlattr *vlan = netlink_find(attrs, IFLA_VF_VLAN, sizeof(struct ifla_vf_vlan));
	const struct nlattr *trust = netlink_find(attrs, IFLA_VF_TRUST, sizeof(struct ifla_vf_trust));
	const struct nlattr *spoofchk = netlink_find(attrs, IFLA_VF_SPOOFCHK, sizeof(struct ifla_vf_spoofchk));
	const struct ifla_vf_mac *is = mac ? netlink_data(mac) : NULL;

	if (!is || is->vf >= n)
		return;
	vf += is->vf;
	vf->known = true;
	memcpy(vf->mac, is->mac, sizeof(vf->mac));
	vf->vlan = vlan ? ((const struct ifla_vf_vlan *)netlink_data(vlan))->vlan : 0;
	vf->trust = trust && ((const struct ifla_vf_trust *)netlink_data(trust))->setting == 1;
	vf->spoofchk = spoofchk && ((const struct ifla_vf_spoofchk *)netlink_data(spoofchk))->setting == 1;
}

static int ask_vfs(struct netlink *netlink, uint32_t ifindex, struct wye_vf *vf, size_t n)
{
	const struct ifinfomsg link = { .ifi_index = (int)ifindex };
	const uint32_t mask = RTEXT_FILTER_VF;
	struct netlink_request request;
	const struct nlattr *list, *info;
	struct netlink_attrs attrs;
	int error;

	netlink_request(&request, RTM_GETLINK, 0, &link, sizeof(link));
	netlink_put(&request, IFLA_EXT_MASK, &mask, sizeof(mask));
	error = netlink_ask(netlink, &request);
	list = error ? NULL : netlink_find(netlink_attrs(netlink->answer, sizeof(link)), IFLA_VFINFO_LIST, 0);
	if (!list)
		return error;
	attrs = netlink_inside(list);
	while ((info = netlink_next(&attrs)))
		take_vf(info, vf, n);
	return 0;
}

int wye_vf_ask(const char *netdev, struct wye_vf *vf, size_t n, char *why)
{
	uint32_t ifindex = if_nametoindex(netdev);
	struct netlink netlink;
	int error = netlink_open(&netlink, NETLINK_ROUTE);

	memset(vf, 0, n * sizeof(*vf));
	error = error ? error : ifindex ? ask_vfs(&netlink, ifindex, vf, n) : -ENODEV;
	netlink_close(&netlink);
	return error ? why_fail(why, error, "%s: asking for its VFs: %s", netdev, strerror(-error)) : 0;
}

static int index_of(const struct wye_sysroot *root, const char *pf, const char *device)
{
	char name[WYE_DEVICE_NAME_BYTES];

	for (int i = 0; i < WYE_VFS_MAX; i++) {
		if (wye_sys_link(root, name, sizeof(name), "/sys/bus/pci/devices/%s/virtfn%d", pf, i))
			break;
		if (!strcmp(name, device))
			return i;
	}
	return -ENOENT;
}

int wye_vf_of(const struct wye_sysroot *root, const char *device, struct wye_vf *vf)
{
	char pf[WYE_DEVICE_NAME_BYTES], netdev[16], why[WYE_WHY_BYTES];
	int index, error = wye_sys_link(root, pf, sizeof(pf), "/sys/bus/pci/devices/%s/physfn", device);
	struct wye_vf all[WYE_VFS_MAX];

	if (error)
		return error;
	index = index_of(root, pf, device);
	error = index < 0 ? index : wye_device_pf_netdev(root, pf, netdev);
	error = error ? error : wye_vf_ask(netdev, all, (size_t)index + 1, why);
	if (!error)
		*vf = all[index];
	return error;
}
