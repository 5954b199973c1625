/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who has a device open from user space. To unbind such a device does not fail: the write waits, perhaps forever, until the
 * process lets go of it. So it is looked for first.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "libwye/why.h"
#include "wye_map.h"

struct nodes {
	char path[3][64];	/* files below /dev, "" = none */
};

static void first_name(const struct wye_sysroot *root, const struct wye_device *device, const char *folder, const char *dev,
		       char path[64])
{
	struct wye_names names;

	path[0] = '\0';
	if (wye_sys_list(root, &names, "/sys/bus/%s/devices/%s/%s", wye_bus_name(device->bus), device->name, folder))
		return;
	if (names.n)
		snprintf(path, 64, "/dev/%s%.40s", dev, names.name[0]);
	wye_names_free(&names);
}

static void device_nodes(const struct wye_sysroot *root, const struct wye_device *device, struct nodes *nodes)
{
	first_name(root, device, "vfio-dev", "vfio/devices/", nodes->path[0]);	/* iommufd, from Linux 6.6 on */
	first_name(root, device, "uio", "", nodes->path[1]);
	snprintf(nodes->path[2], sizeof(nodes->path[2]), "/dev/vfio/%lld", (long long)device->group);
	if (device->group < 0 || !wye_driver_is_vfio(device->driver))
		nodes->path[2][0] = '\0';
}

static bool is_node(const struct nodes *nodes, const char *target)
{
	for (size_t i = 0; i < 3; i++)
		if (nodes->path[i][0] && !strcmp(nodes->path[i], target))
			return true;
	return false;
}

static bool has_open(const struct wye_sysroot *root, const char *pid, const struct nodes *nodes)
{
	char path[WYE_SYS_PATH_BYTES], target[PATH_MAX];
	struct wye_names fds;
	bool found = false;

	if (wye_sys_list(root, &fds, "/proc/%s/fd", pid))
		return false;
	for (size_t i = 0; i < fds.n && !found; i++) {
		ssize_t n = wye_sys_path(root, path, "/proc/%s/fd/%s", pid, fds.name[i]) ? -1 :
			readlink(path, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		found = is_node(nodes, target);
	}
	wye_names_free(&fds);
	return found;
}

int bind_users(const struct wye_sysroot *root, const struct wye_device *device, char *why)
{
	struct wye_names pids;
	struct nodes nodes;
	char name[32];
	int error = 0;

	device_nodes(root, device, &nodes);
	if ((!nodes.path[0][0] && !nodes.path[1][0] && !nodes.path[2][0]) || wye_sys_list(root, &pids, "/proc"))
		return 0;
	for (size_t i = 0; i < pids.n && !error; i++) {
		if (strspn(pids.name[i], "0123456789") != strlen(pids.name[i]) || !has_open(root, pids.name[i], &nodes))
			continue;
		(void)wye_sys_read(root, name, sizeof(name), "/proc/%s/comm", pids.name[i]);
		error = why_fail(why, -EBUSY, "%s is in use by %s (pid %s): a virtual machine or a dataplane has it open; end that first, "
				 "for it cannot be taken away", device->name, name, pids.name[i]);
	}
	wye_names_free(&pids);
	return error;
}
