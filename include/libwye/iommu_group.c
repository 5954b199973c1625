/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOMMU groups: devices the IOMMU cannot keep apart, which VFIO therefore gives to one owner or to nobody. The rule is the
 * kernel's (iommu_group_claim_dma_owner(); before 5.19 vfio_group_viable()): no member may be bound to a driver that does
 * DMA for the kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "why.h"
#include "wye_device.h"
#include "wye_map.h"

bool wye_device_blocks_vfio(const struct wye_device *device)
{
	return device->driver[0] && !wye_driver_is_vfio(device->driver) && strcmp(device->driver, "pci-stub") &&
	       strcmp(device->driver, "pcieport");
}

static int read_member(const struct wye_sysroot *root, int64_t number, const char *name, struct wye_device *member,
		       char *why)
{
	char bus[16];
	int error = wye_sys_link(root, bus, sizeof(bus), "/sys/kernel/iommu_groups/%lld/devices/%s/subsystem",
				 (long long)number, name);

	if (error && error != -ENOENT)
		return why_fail(why, error, "IOMMU group %lld: %s: %s", (long long)number, name, strerror(-error));
	error = error ? error : wye_device_read(root, strcmp(bus, "pci") ? WYE_BUS_PLATFORM : WYE_BUS_PCI, name, member, why);
	return error != -ENOENT ? error :
		why_fail(why, error, "IOMMU group %lld: %s went away while the group was looked at; run the command again",
			 (long long)number, name);
}

int wye_group_read(const struct wye_sysroot *root, int64_t number, struct wye_group *group, char *why)
{
	struct wye_names names;
	int error;

	*group = (struct wye_group){ .number = number };
	error = wye_sys_list(root, &names, "/sys/kernel/iommu_groups/%lld/devices", (long long)number);
	if (error)
		return why_fail(why, error, "/sys/kernel/iommu_groups/%lld/devices: %s", (long long)number, strerror(-error));
	(void)wye_sys_read(root, group->type, sizeof(group->type), "/sys/kernel/iommu_groups/%lld/type", (long long)number);
	group->member = calloc(names.n + 1, sizeof(*group->member));
	if (!group->member)
		error = why_fail(why, -ENOMEM, "out of memory");
	for (size_t i = 0; i < names.n && !error; i++) {
		error = read_member(root, number, names.name[i], &group->member[i], why);
		group->n_members += !error;
		group->n_blocking += !error && wye_device_blocks_vfio(&group->member[i]);
	}
	wye_names_free(&names);
	if (error)
		wye_group_free(group);
	return error;
}

void wye_group_free(struct wye_group *group)
{
	free(group->member);
	*group = (struct wye_group){ .number = -1 };
}

static int not_viable(const struct wye_device *device, const struct wye_group *group, char *why)
{
	char text[WYE_WHY_BYTES];
	size_t i = 0;

	while (!wye_device_blocks_vfio(&group->member[i]))
		i++;
	return why_fail(why, -EBUSY, "%s: VFIO group %lld is not viable: %.200s blocks it%s; the ways out: wye doctor %s",
			device->name, (long long)group->number, wye_device_text(&group->member[i], text),
			group->n_blocking > 1 ? ", and others" : "", device->name);
}

int wye_device_vfio_ready(const struct wye_sysroot *root, const struct wye_device *device, char *why)
{
	struct wye_group group;
	int error;

	if (!wye_driver_is_vfio(device->driver))
		return why_fail(why, -ENODEV, "%s is %s%s, not on VFIO: wye bind %s vfio-%s", device->name,
				device->driver[0] ? "bound to driver " : "bound to no driver", device->driver, device->name,
				wye_bus_name(device->bus));
	if (device->group < 0) /* only in no-IOMMU mode does VFIO make a group then */
		return wye_sys_exists(root, "/dev/vfio") ? 0 :
			why_fail(why, -ENOTSUP, "%s is in no IOMMU group: the IOMMU is off or absent: wye doctor %s", device->name,
				 device->name);
	error = wye_group_read(root, device->group, &group, why);
	if (error)
		return error;
	if (group.n_blocking)
		error = not_viable(device, &group, why);
	else if (!wye_sys_exists(root, "/dev/vfio/%lld", (long long)group.number))
		error = why_fail(why, -ENOENT, "%s: /dev/vfio/%lld is not there, though the driver is: is this a container?",
				 device->name, (long long)group.number);
	wye_group_free(&group);
	return error;
}

/* Types of a group's default domain: only "identity" lets physical addresses through. Older kernels do not tell: "". */
int wye_device_uio_ready(const struct wye_sysroot *root, const struct wye_device *device, char *why)
{
	char type[sizeof(((struct wye_group *)NULL)->type)];

	if (!wye_driver_is_uio(device->driver))
		return why_fail(why, -ENODEV, "%s is %s%s, not on UIO: wye bind %s uio_pci_generic --allow-unsafe", device->name,
				device->driver[0] ? "bound to driver " : "bound to no driver", device->driver, device->name);
	if (device->group < 0)
		return 0;
	(void)wye_sys_read(root, type, sizeof(type), "/sys/kernel/iommu_groups/%lld/type", (long long)device->group);
	if (!type[0] || !strcmp(type, "identity"))
		return 0;
	return why_fail(why, -ENOTSUP, "%s is on UIO behind an IOMMU that does not know its addresses (group %lld has type %s): wye bind "
			"%s vfio-pci, driver: vfio; or: wye bind %s none && echo identity > /sys/kernel/iommu_groups/%lld/type && wye bind "
			"%s uio_pci_generic --allow-unsafe", device->name, (long long)device->group, type, device->name,
			device->name, (long long)device->group, device->name);
}
