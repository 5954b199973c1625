/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports on vfio-pci: what must be true before DPDK is asked, whose own words for the same are "probe failed". A device as
 * a whole is taken from the kernel, so that is done only when the configuration says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "port.h"
#include "wye_device.h"

static const struct wye_sysroot machine = { "" };

static int not_a_vf(const struct port *port, const struct wye_device *device, char *why)
{
	char text[WYE_WHY_BYTES], vfs[192] = "";

	if (device->vfs_max > 0)
		snprintf(vfs, sizeof(vfs), ", but can have some (echo 1 > /sys/bus/pci/devices/%s/sriov_numvfs)", device->name);
	snprintf(why, WYE_WHY_BYTES,
		 "%.150s is no virtual function%s; the kernel would lose it altogether: if that is meant, say device: whole for "
		 "port %s", wye_device_text(device, text), vfs, port->config->netdev);
	return -EINVAL;
}

int port_vfio_devargs(struct port *port, char *devargs, size_t size, char *why)
{
	const char *options = strchr(port->config->devargs, ',');
	struct wye_device device;
	char address[32];
	int error;

	snprintf(address, sizeof(address), "%.*s", (int)strcspn(port->config->devargs, ","), port->config->devargs);
	error = wye_device_find(&machine, address, &device, why);
	if (!error && !device.physfn[0] && !port->config->whole_device)
		error = not_a_vf(port, &device, why);
	error = error ? error : wye_device_vfio_ready(&machine, &device, why);
	if (error)
		return error;
	snprintf(port->device, sizeof(port->device), "%s", device.name);
	snprintf(devargs, size, "%s%s", device.name, options ? options : "");
	return 0;
}

/* A group is opened by one process at a time. */
void port_vfio_why(const struct port *port, char *why)
{
	struct wye_device device;
	char path[64], unused[WYE_WHY_BYTES];
	int fd;

	if (wye_device_find(&machine, port->device, &device, unused) || device.group < 0)
		return;
	snprintf(path, sizeof(path), "/dev/vfio/%lld", (long long)device.group);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		snprintf(why, WYE_WHY_BYTES, "%s is in use by another process, such as a virtual machine: fuser -v %s",
			 port->device, path);
	if (fd >= 0)
		close(fd);
}
