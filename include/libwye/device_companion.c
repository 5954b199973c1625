/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which netdevs a VF may stand beside: those that are on the VF's own wire. That is its PF; and where the NIC's switch has
 * netdevs for its ports (switchdev), one that stands for a wire (phys_port_name "p0"). One that stands for a function
 * ("pf0vf1", "c1pf0sf3"; "pf0vfr1" with ice) is the other end of a cable to that function: what the kernel sends by it is
 * received by the VF and not by the network (the kernel's Documentation/networking/representors.rst).
 */
#include <errno.h>
#include <string.h>

#include "why.h"
#include "wye_device.h"
#include "wye_map.h"

struct port_names {
	char port[32];		/* phys_port_name, "" = none */
	char sw[80];		/* phys_switch_id, "" = none */
};

/* A driver without them has the files, which cannot be read (EOPNOTSUPP). */
static void read_names(const struct wye_sysroot *root, const char *netdev, struct port_names *names)
{
	if (wye_sys_read(root, names->port, sizeof(names->port), "/sys/class/net/%s/phys_port_name", netdev) < 0)
		names->port[0] = '\0';
	if (wye_sys_read(root, names->sw, sizeof(names->sw), "/sys/class/net/%s/phys_switch_id", netdev) < 0)
		names->sw[0] = '\0';
}

/* "pf…", with "cN" before it where it is another host's. */
static bool is_function(const struct port_names *names)
{
	const char *at = names->port;

	if (*at == 'c')
		at += 1 + strspn(at + 1, "0123456789");
	return !strncmp(at, "pf", 2);
}

static bool is_wire(const struct port_names *names)
{
	return names->port[0] == 'p' && strspn(names->port + 1, "0123456789");
}

int wye_device_pf_netdev(const struct wye_sysroot *root, const char *pf, char netdev[16])
{
	struct port_names names;
	struct wye_names list;
	int error;

	netdev[0] = '\0';
	error = wye_sys_list(root, &list, "/sys/bus/pci/devices/%s/net", pf);
	if (error)
		return error;
	for (size_t i = 0; i < list.n && !netdev[0]; i++) {
		read_names(root, list.name[i], &names);
		if (!is_function(&names) && strlen(list.name[i]) < 16)
			strcpy(netdev, list.name[i]);
	}
	wye_names_free(&list);
	return netdev[0] ? 0 : -ENOENT;
}

int wye_device_companion(const struct wye_sysroot *root, const struct wye_device *device, const char *netdev, bool *switched,
			 char *why)
{
	char pf_netdev[16], unused[WYE_WHY_BYTES];
	struct port_names names, of_pf;
	struct wye_device owner;

	*switched = false;
	if (!device->physfn[0])
		return why_fail(why, -EINVAL, "%s exists, and %s, which is no VF, is on no netdev's wire: give the port a name that "
				"no netdev has, for a TAP", netdev, device->name);
	read_names(root, netdev, &names);
	(void)wye_device_pf_netdev(root, device->physfn, pf_netdev);
	*switched = names.sw[0];
	if (is_function(&names))
		return why_fail(why, -EINVAL, "%s is a representor (%s), whose packets come to a function and not to the wire: give "
				"the port %s%sa name that no netdev has, for a TAP", netdev, names.port,
				pf_netdev, pf_netdev[0] ? ", or " : "");
	if (!wye_device_find(root, netdev, &owner, unused) && !strcmp(owner.name, device->physfn))
		return 0;
	if (names.sw[0] && is_wire(&names) && pf_netdev[0]) {
		read_names(root, pf_netdev, &of_pf);
		if (!strcmp(names.sw, of_pf.sw))
			return 0;
	}
	return why_fail(why, -EINVAL, "%s is neither %s's PF nor an uplink of its switch: give the port %s%sa name that no netdev "
			"has, for a TAP", netdev, device->name, pf_netdev, pf_netdev[0] ? ", or " : "");
}
