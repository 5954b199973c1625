/* SPDX-License-Identifier: BSD-3-Clause */
/* One device as sysfs describes it; see wye_device.h. */
#include "wye_device.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "why.h"
#include "wye_map.h"

const char *wye_bus_name(enum wye_bus bus)
{
	return bus == WYE_BUS_PCI ? "pci" : "platform";
}

bool wye_driver_is_vfio(const char *driver)
{
	return !strncmp(driver, "vfio-", 5) || strstr(driver, "_vfio_pci") || strstr(driver, "-vfio-pci");
}

bool wye_driver_is_uio(const char *driver)
{
	return !strcmp(driver, "uio_pci_generic") || !strcmp(driver, "igb_uio");
}

/* ---- netdevs: below the device itself, or below its virtio device ---- */

static void count_netdevs(const struct wye_sysroot *root, struct wye_device *device, const char *below)
{
	struct wye_names names;

	if (wye_sys_list(root, &names, "/sys/bus/%s/devices/%s%s/net", wye_bus_name(device->bus), device->name, below))
		return;
	if (names.n && !device->n_netdevs)
		snprintf(device->netdev, sizeof(device->netdev), "%s", names.name[0]);
	device->n_netdevs += (uint32_t)names.n;
	wye_names_free(&names);
}

static void read_netdevs(const struct wye_sysroot *root, struct wye_device *device)
{
	struct wye_names names;
	char below[WYE_DEVICE_NAME_BYTES];

	count_netdevs(root, device, "");
	if (device->n_netdevs ||
	    wye_sys_list(root, &names, "/sys/bus/%s/devices/%s", wye_bus_name(device->bus), device->name))
		return;
	for (size_t i = 0; i < names.n; i++) {
		if (strncmp(names.name[i], "virtio", 6) || !isdigit((unsigned char)names.name[i][6]))
			continue;
		snprintf(below, sizeof(below), "/%.60s", names.name[i]);
		count_netdevs(root, device, below);
	}
	wye_names_free(&names);
}

/* ---- attributes ---- */

static int64_t number_or(const struct wye_sysroot *root, const struct wye_device *device, const char *attribute,
			 int64_t otherwise)
{
	int64_t value = otherwise;

	(void)wye_sys_number(root, &value, "/sys/bus/%s/devices/%s/%s", wye_bus_name(device->bus), device->name,
			     attribute);
	return value;
}

static void link_or_none(const struct wye_sysroot *root, const struct wye_device *device, const char *attribute,
			 char *name, size_t size)
{
	(void)wye_sys_link(root, name, size, "/sys/bus/%s/devices/%s/%s", wye_bus_name(device->bus), device->name,
			   attribute);
}

static int64_t group_of(const struct wye_sysroot *root, const struct wye_device *device)
{
	char name[32];
	long long number;
	int end = 0;

	link_or_none(root, device, "iommu_group", name, sizeof(name));
	return sscanf(name, "%lld%n", &number, &end) == 1 && !name[end] ? number : -1;
}

static int read_pci(const struct wye_sysroot *root, struct wye_device *device, char *why)
{
	int64_t class;
	int error = wye_sys_number(root, &class, "/sys/bus/pci/devices/%s/class", device->name);

	if (error == -ENOENT)
		return why_fail(why, error, "PCI device %s went away while it was looked at; run the command again",
				device->name);
	if (error)
		return why_fail(why, error, "/sys/bus/pci/devices/%s/class: %s%s", device->name, strerror(-error),
				error == -EACCES ? "; run as root" : "");
	device->class = (uint32_t)class;
	device->vendor = (uint32_t)number_or(root, device, "vendor", 0);
	device->device = (uint32_t)number_or(root, device, "device", 0);
	device->vfs_max = number_or(root, device, "sriov_totalvfs", -1);
	device->vfs = number_or(root, device, "sriov_numvfs", 0);
	device->reset = wye_sys_exists(root, "/sys/bus/pci/devices/%s/reset", device->name);
	link_or_none(root, device, "physfn", device->physfn, sizeof(device->physfn));
	return 0;
}

/* A device that comes back has another folder. 0: it is not there. */
static uint64_t folder_of(const struct wye_sysroot *root, enum wye_bus bus, const char *name)
{
	char path[WYE_SYS_PATH_BYTES];
	struct stat status;

	if (wye_sys_path(root, path, "/sys/bus/%s/devices/%s", wye_bus_name(bus), name) || stat(path, &status))
		return 0;
	return status.st_ino;
}

int wye_device_read(const struct wye_sysroot *root, enum wye_bus bus, const char *name, struct wye_device *device,
		    char *why)
{
	uint64_t folder;
	int error = 0;

	*device = (struct wye_device){ .bus = bus, .vfs_max = -1 };
	if (!name[0] || name[0] == '.' || strchr(name, '/') || strlen(name) >= sizeof(device->name))
		return why_fail(why, -EINVAL, "\"%.80s\" is no device's name", name);
	snprintf(device->name, sizeof(device->name), "%s", name);
	folder = folder_of(root, bus, name);
	if (!folder)
		return why_fail(why, -ENOENT, "%s device %s: not in /sys/bus/%s/devices", wye_bus_name(bus), name,
				wye_bus_name(bus));
	if (bus == WYE_BUS_PCI)
		error = read_pci(root, device, why);
	if (error)
		return error;
	link_or_none(root, device, "driver", device->driver, sizeof(device->driver));
	if (wye_sys_read(root, device->driver_override, sizeof(device->driver_override),
			 "/sys/bus/%s/devices/%s/driver_override", wye_bus_name(bus), name) < 0 ||
	    !strcmp(device->driver_override, "(null)"))
		device->driver_override[0] = '\0';
	device->group = group_of(root, device);
	device->numa_node = number_or(root, device, "numa_node", -1);
	read_netdevs(root, device);
	if (folder != folder_of(root, bus, name)) /* what could not be read then is no property of it */
		return why_fail(why, -ENOENT, "%s device %s went away while it was looked at; run the command again",
				wye_bus_name(bus), name);
	return 0;
}

/* ---- what an operator types ---- */

/* "1:0.0", "01:00.0", "0000:01:00.0" → "0000:01:00.0"; false: no PCI address. */
static bool pci_address(const char *text, char *name, size_t size)
{
	unsigned int domain = 0, bus, slot, function;
	int end = 0;

	if (sscanf(text, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function, &end) != 4 || text[end]) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%x:%x.%x%n", &bus, &slot, &function, &end) != 3 || text[end])
			return false;
	}
	if (bus > 0xff || slot > 0x1f || function > 7)
		return false;
	snprintf(name, size, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return true;
}

/* A virtio netdev hangs below a virtio device, which hangs below the one on the bus. */
static int find_netdev(const struct wye_sysroot *root, const char *netdev, struct wye_device *device, char *why)
{
	static const char *const ups[] = { "device", "device/.." };

	for (size_t i = 0; i < 2; i++) {
		char path[WYE_SYS_PATH_BYTES], real[4096], bus[16];

		if (wye_sys_link(root, bus, sizeof(bus), "/sys/class/net/%s/%s/subsystem", netdev, ups[i]) ||
		    wye_sys_path(root, path, "/sys/class/net/%s/%s", netdev, ups[i]) || !realpath(path, real))
			continue;
		if (!strcmp(bus, "pci") || !strcmp(bus, "platform"))
			return wye_device_read(root, bus[1] == 'c' ? WYE_BUS_PCI : WYE_BUS_PLATFORM,
					       strrchr(real, '/') + 1, device, why);
	}
	return why_fail(why, -ENODEV, "%s is a software netdev: it has no device on the PCI or platform bus", netdev);
}

int wye_device_find(const struct wye_sysroot *root, const char *text, struct wye_device *device, char *why)
{
	char name[WYE_DEVICE_NAME_BYTES];

	if (!text[0] || text[0] == '.' || strchr(text, '/') || strlen(text) >= sizeof(name))
		return why_fail(why, -EINVAL, "\"%.80s\" is no device's name", text);
	if (wye_sys_exists(root, "/sys/class/net/%s", text))
		return find_netdev(root, text, device, why);
	if (pci_address(text, name, sizeof(name))) {
		int error = wye_device_read(root, WYE_BUS_PCI, name, device, why);

		return error != -ENOENT || wye_sys_exists(root, "/sys/bus/pci/devices/%s", name) ? error :
			why_fail(why, error, "PCI device %s: there is none on this machine; lspci -D lists them", name);
	}
	if (wye_sys_exists(root, "/sys/bus/platform/devices/%s", text))
		return wye_device_read(root, WYE_BUS_PLATFORM, text, device, why);
	return why_fail(why, -ENOENT, "\"%s\": neither a PCI address, nor a platform device, nor a netdev of this machine",
			text);
}

/* ---- in words ---- */

const char *wye_device_class(const struct wye_device *device)
{
	static const struct { uint32_t class; const char *text; } exact[] = {
		{ 0x010802, "NVMe storage" }, { 0x020000, "Ethernet controller" }, { 0x060400, "PCI bridge" },
		{ 0x0c0330, "USB controller" },
	};
	static const char *const base[] = {
		"unclassified", "storage controller", "network controller", "display controller", "multimedia device",
		"memory controller", "bridge", "communication controller", "system device", "input device", "docking station",
		"processor", "serial bus controller", "wireless controller", "I/O controller", "satellite device",
		"encryption controller", "signal processing controller", "accelerator",
	};

	if (device->bus == WYE_BUS_PLATFORM)
		return "platform device";
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (device->class == exact[i].class)
			return exact[i].text;
	return device->class >> 16 < sizeof(base) / sizeof(base[0]) ? base[device->class >> 16] : "unknown class";
}

const char *wye_device_text(const struct wye_device *device, char *buf)
{
	snprintf(buf, WYE_WHY_BYTES, "%s (%s, %s%s%s%s)", device->name, wye_device_class(device),
		 device->driver[0] ? "driver " : "no driver", device->driver, device->netdev[0] ? ", " : "",
		 device->netdev);
	return buf;
}
