/* SPDX-License-Identifier: BSD-3-Clause */
/* sriov_numvfs, and what is asked of VFs by IFLA_VFINFO_LIST; see vf.h. */
#include "vf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libwye/netlink.h"
#include "libwye/why.h"
#include "wye_map.h"

int vf_check_pf(const struct wye_device *pf, char *why)
{
	if (pf->physfn[0])
		return why_fail(why, -EINVAL, "%s is a VF itself; its PF is %s: wye vf show %s", pf->name, pf->physfn, pf->physfn);
	if (pf->vfs_max < 0)
		return why_fail(why, -ENOTSUP, "%s cannot make VFs: it has no SR-IOV capability (sriov_totalvfs is not there)", pf->name);
	if (!pf->vfs_max)
		return why_fail(why, -ENOTSUP, "%s may make no VFs: sriov_totalvfs is 0; the firmware or the card's settings say so", pf->name);
	if (!pf->netdev[0])
		return why_fail(why, -ENODEV, "%s has no netdev (driver %s), and VFs are set up through it: wye bind %s kernel", pf->name,
			      pf->driver[0] ? pf->driver : "none", pf->name);
	return 0;
}

int vf_list(const struct wye_sysroot *root, const struct wye_device *pf, struct vf *vf, size_t *n, char *why)
{
	char name[WYE_DEVICE_NAME_BYTES];
	struct wye_vf is[WYE_VFS_MAX];
	int error = 0;

	*n = 0;
	while (!error && *n < WYE_VFS_MAX &&
	       !wye_sys_link(root, name, sizeof(name), "/sys/bus/pci/devices/%s/virtfn%zu", pf->name, *n)) {
		error = wye_device_read(root, WYE_BUS_PCI, name, &vf[*n].device, why);
		*n += !error;
	}
	error = error || !*n ? error : wye_vf_ask(pf->netdev, is, *n, why);
	for (size_t i = 0; i < *n && !error; i++)
		vf[i].is = is[i];
	return error;
}

static void put_wishes(struct netlink_request *request, uint32_t index, const struct vf_wishes *wishes)
{
	struct nlattr *list = netlink_nest(request, IFLA_VFINFO_LIST), *info = netlink_nest(request, IFLA_VF_INFO);
	const struct ifla_vf_vlan vlan = { .vf = index, .vlan = wishes->vlan };
	const struct ifla_vf_trust trust = { .vf = index, .setting = wishes->trust };
	const struct ifla_vf_spoofchk spoofchk = { .vf = index, .setting = wishes->spoofchk };
	struct ifla_vf_mac mac = { .vf = index };

	memcpy(mac.mac, wishes->mac, sizeof(wishes->mac));
	if (wishes->set_mac)
		netlink_put(request, IFLA_VF_MAC, &mac, sizeof(mac));
	if (wishes->set_vlan)
		netlink_put(request, IFLA_VF_VLAN, &vlan, sizeof(vlan));
	if (wishes->set_trust)
		netlink_put(request, IFLA_VF_TRUST, &trust, sizeof(trust));
	if (wishes->set_spoofchk)
		netlink_put(request, IFLA_VF_SPOOFCHK, &spoofchk, sizeof(spoofchk));
	netlink_nest_end(request, info);
	netlink_nest_end(request, list);
}

/* A driver may accept what it does not do. */
static const char *differs(const struct wye_vf *vf, const struct vf_wishes *wishes)
{
	if (wishes->set_mac && memcmp(vf->mac, wishes->mac, sizeof(vf->mac)))
		return "mac";
	if (wishes->set_vlan && vf->vlan != wishes->vlan)
		return "vlan";
	if (wishes->set_trust && vf->trust != wishes->trust)
		return "trust";
	return wishes->set_spoofchk && vf->spoofchk != wishes->spoofchk ? "spoofchk" : NULL;
}

int vf_set(const struct wye_device *pf, uint32_t index, const struct vf_wishes *wishes, char *why)
{
	const struct ifinfomsg link = { .ifi_index = (int)if_nametoindex(pf->netdev) };
	struct netlink_request request;
	struct netlink netlink;
	struct wye_vf vf[WYE_VFS_MAX];
	const char *wrong;
	int error;

	if (index >= WYE_VFS_MAX)
		return why_fail(why, -EINVAL, "VF %u: at most %d are looked after", index, WYE_VFS_MAX);
	netlink_request(&request, RTM_SETLINK, NLM_F_ACK, &link, sizeof(link));
	put_wishes(&request, index, wishes);
	error = netlink_open(&netlink, NETLINK_ROUTE);
	error = error ? error : link.ifi_index ? netlink_ask(&netlink, &request) : -ENODEV;
	netlink_close(&netlink);
	if (error)
		return why_fail(why, error, "%s, VF %u: %s%s", pf->netdev, index, strerror(-error), error == -EOPNOTSUPP ?
			      ": its driver cannot do that" : error == -EPERM ? "; run as root" : "");
	error = wye_vf_ask(pf->netdev, vf, index + 1, why);
	if (error)
		return error;
	wrong = differs(&vf[index], wishes);
	return wrong ? why_fail(why, -EIO, "%s, VF %u: the driver accepted %s and did not do it", pf->netdev, index, wrong) : 0;
}

int vf_number(const struct wye_sysroot *root, const struct wye_device *pf, uint32_t n, char *why)
{
	char path[WYE_SYS_PATH_BYTES], text[16];
	int64_t now = -1;
	int fd, error = wye_sys_path(root, path, "/sys/bus/pci/devices/%s/sriov_numvfs", pf->name);

	if (error)
		return error;
	snprintf(text, sizeof(text), "%u", n);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		error = -errno;
	if (fd >= 0)
		close(fd);
	if (error)
		return why_fail(why, error, "%s: %u VFs: %s%s; dmesg | grep %s may say why", pf->netdev, n, strerror(-error),
			      error == -EACCES ? "; run as root" : "", pf->name);
	(void)wye_sys_number(root, &now, "/sys/bus/pci/devices/%s/sriov_numvfs", pf->name);
	return now == n ? 0 : why_fail(why, -EIO, "%s: %u VFs were asked for, there are %lld", pf->netdev, n, (long long)now);
}
