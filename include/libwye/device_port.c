/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device of a port that is not AF_XDP's. On VFIO or UIO one as a whole is taken from the kernel, so only when the
 * configuration says so; mlx5 shares the netdev's own with the kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "why.h"
#include "wye_config.h"
#include "wye_device.h"
#include "wye_map.h"

static int not_a_vf(const struct wye_config_port *port, const struct wye_device *device, char *why)
{
	char text[WYE_WHY_BYTES], vfs[192] = "";

	if (device->vfs_max > 0)
		snprintf(vfs, sizeof(vfs), ", but can have some (echo 1 > /sys/bus/pci/devices/%s/sriov_numvfs)", device->name);
	return why_fail(why, -EINVAL,
			"%.150s is no virtual function%s; the kernel would lose it altogether: if that is meant, say device: whole "
			"for port %s", wye_device_text(device, text), vfs, port->netdev);
}

static int taken_device(const struct wye_sysroot *root, const struct wye_config_port *port, struct wye_device *device, char *why)
{
	char address[WYE_DEVICE_NAME_BYTES];
	int error;

	snprintf(address, sizeof(address), "%.*s", (int)strcspn(port->devargs, ","), port->devargs);
	error = wye_device_find(root, address, device, why);
	if (!error && !device->physfn[0] && !port->whole_device)
		error = not_a_vf(port, device, why);
	return error;
}

static int mlx5_device(const struct wye_sysroot *root, const struct wye_config_port *port, const char *netdev,
		       struct wye_device *device, char *why)
{
	const char *devargs = port->devargs;
	int error = wye_device_find(root, netdev, device, why);

	if (error)
		return error;
	if (device->bus != WYE_BUS_PCI || strcmp(device->driver, "mlx5_core"))
		return why_fail(why, -ENOTSUP, "%s is driven by %s, not by mlx5_core; use driver: af_xdp", netdev,
				device->driver[0] ? device->driver : "no driver");
	if (devargs && strncmp(devargs, device->name, strcspn(devargs, ",")))
		return why_fail(why, -EINVAL, "devargs \"%.200s\": %s is the device %s; write that, or leave devargs out", devargs,
				port->netdev, device->name);
	return 0;
}

int wye_device_of_port(const struct wye_sysroot *root, const struct wye_config_port *port, const char *netdev,
		       struct wye_device *device, char *why)
{
	return port->driver == WYE_DRIVER_MLX5 ? mlx5_device(root, port, netdev, device, why) : taken_device(root, port, device, why);
}

int wye_device_ready(const struct wye_sysroot *root, const struct wye_config_port *port, const struct wye_device *device, char *why)
{
	if (port->driver == WYE_DRIVER_MLX5)
		return 0;
	return port->driver == WYE_DRIVER_UIO ? wye_device_uio_ready(root, device, why) : wye_device_vfio_ready(root, device, why);
}
