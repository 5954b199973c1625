/* SPDX-License-Identifier: BSD-3-Clause */
/* What binding a device takes, and every reason to refuse it before anything is touched; see bind.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "libwye/why.h"
#include "wye_map.h"

static bool known_driver(const char *driver)
{
	static const char *const known[] = { "vfio-pci", "vfio-platform", "uio_pci_generic", "igb_uio", "kernel", "none" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(driver, known[i]))
			return true;
	return false;
}

static int check_driver(const struct wye_device *device, const char *driver, char *why)
{
	bool platform = device->bus == WYE_BUS_PLATFORM;

	if (!known_driver(driver))
		return why_fail(why, -EINVAL, "driver \"%.40s\": one of vfio, vfio-pci, vfio-platform, uio_pci_generic, igb_uio, kernel, none",
			      driver);
	if ((platform && (!strcmp(driver, "vfio-pci") || wye_driver_is_uio(driver))) ||
	    (!platform && !strcmp(driver, "vfio-platform")))
		return why_fail(why, -EINVAL, "%s is a %s device: wye bind %s vfio-%s", device->name, wye_bus_name(device->bus),
			      device->name, wye_bus_name(device->bus));
	return 0;
}

static int check_kind(const struct wye_device *device, const struct bind_wishes *wishes, char *why)
{
	if (device->class >> 16 == WYE_PCI_CLASS_BRIDGE)
		return why_fail(why, -EINVAL, "%s is a bridge: the devices behind it need it, and VFIO does not mind it", device->name);
	if (device->vfs > 0)
		return why_fail(why, -EBUSY, "%s is a PF with %lld VFs, which would go with it; bind one of the VFs (wye vf show %s), or "
			      "end them first: wye vf delete %s", device->name, (long long)device->vfs, device->name, device->name);
	if (device->class >> 16 == WYE_PCI_CLASS_STORAGE && !wishes->force)
		return why_fail(why, -EBUSY, "%s is a storage controller: what is mounted from it would be lost; if nothing is: --force",
			      device->name);
	return 0;
}

static int check_protection(const struct wye_sysroot *root, const struct wye_device *device, const struct bind_wishes *wishes,
			    char *why)
{
	char noiommu[8];

	if (wye_driver_is_uio(wishes->driver) && !wishes->allow_unsafe)
		return why_fail(why, -EPERM, "%s has no IOMMU between device and memory, no reset between owners and no use without root; "
			      "vfio-pci has all three: wye bind %s vfio-pci; if it must be UIO: --allow-unsafe", wishes->driver,
			      device->name);
	if (!wye_driver_is_vfio(wishes->driver) || device->group >= 0)
		return 0;
	(void)wye_sys_read(root, noiommu, sizeof(noiommu), "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	if (noiommu[0] != 'Y')
		return why_fail(why, -ENOTSUP, "%s is in no IOMMU group, so %s will not take it: wye doctor %s tells how to switch an IOMMU "
			      "on, and what goes without", device->name, wishes->driver, device->name);
	if (!wishes->allow_unsafe)
		return why_fail(why, -EPERM, "%s is in no IOMMU group: without one it can write any memory; if it must be: --allow-unsafe",
			      device->name);
	return 0;
}

static int check_rights(const struct wye_sysroot *root, const struct wye_device *device, char *why)
{
	char path[WYE_SYS_PATH_BYTES];

	if (wye_sys_path(root, path, "/sys/bus/%s/devices/%s/driver_override", wye_bus_name(device->bus), device->name) ||
	    !access(path, W_OK))
		return 0;
	return why_fail(why, -errno, "%s: %s%s", path, strerror(errno), errno == EACCES ? "; run as root" : "");
}

static void add(struct bind_plan *plan, const struct wye_device *device, const char *driver)
{
	struct bind_change *change = &plan->change[plan->n++];

	*change = (struct bind_change){ .bus = device->bus };
	snprintf(change->device, sizeof(change->device), "%s", device->name);
	snprintf(change->from, sizeof(change->from), "%s", device->driver);
	snprintf(change->from_override, sizeof(change->from_override), "%s", device->driver_override);
	snprintf(change->to, sizeof(change->to), "%s", strcmp(driver, "none") ? driver : "");
	snprintf(change->to_override, sizeof(change->to_override), "%s", strcmp(driver, "kernel") ? driver : "");
}

static bool is_there(const struct wye_device *device, const char *driver)
{
	if (!strcmp(driver, "kernel"))
		return device->driver[0] && !wye_driver_is_vfio(device->driver) && !wye_driver_is_uio(device->driver) &&
		       !device->driver_override[0];
	return !strcmp(device->driver, strcmp(driver, "none") ? driver : "");
}

static int plan_device(const struct wye_sysroot *root, const struct wye_device *device, const struct bind_wishes *wishes,
		       struct bind_plan *plan, char *why)
{
	int error;

	if (is_there(device, wishes->driver))
		return 0;
	if (plan->n == BIND_DEVICES_MAX)
		return why_fail(why, -E2BIG, "%s: more than %d devices in one go", device->name, BIND_DEVICES_MAX);
	error = check_kind(device, wishes, why);
	error = error ? error : check_rights(root, device, why);
	error = error ? error : bind_users(root, device, why);
	if (!error && !wishes->force)
		error = bind_guard(root, device, why);
	if (!error)
		add(plan, device, wishes->driver);
	return error;
}

/* With --group, all that block go along; without, one that blocks is a reason to refuse: VFIO would refuse at first use. */
static int plan_group(const struct wye_sysroot *root, const struct wye_device *device, const struct bind_wishes *wishes,
		      struct bind_plan *plan, char *why)
{
	struct wye_group group;
	char text[WYE_WHY_BYTES];
	int error = wye_group_read(root, device->group, &group, why);

	for (size_t i = 0; !error && i < group.n_members; i++) {
		const struct wye_device *member = &group.member[i];

		if (!strcmp(member->name, device->name) || !wye_device_blocks_vfio(member))
			continue;
		if (wishes->group)
			error = plan_device(root, member, wishes, plan, why);
		else
			error = why_fail(why, -EBUSY, "VFIO group %lld would not be viable: %.200s blocks it; --group binds all of it; other "
				       "ways out: wye doctor %s", (long long)group.number, wye_device_text(member, text), device->name);
	}
	wye_group_free(&group);
	return error;
}

/* "vfio" is the one of the device's bus. */
static struct bind_wishes spell_out(const struct wye_device *device, const struct bind_wishes *typed)
{
	struct bind_wishes wishes = *typed;

	if (!strcmp(typed->driver, "vfio"))
		wishes.driver = device->bus == WYE_BUS_PCI ? "vfio-pci" : "vfio-platform";
	return wishes;
}

int bind_plan_make(const struct wye_sysroot *root, const struct wye_device *device, const struct bind_wishes *typed,
		   struct bind_plan *plan, char *why)
{
	const struct bind_wishes spelled = spell_out(device, typed), *wishes = &spelled;
	int error = check_driver(device, wishes->driver, why);

	plan->n = 0;
	error = error ? error : check_protection(root, device, wishes, why);
	error = error ? error : plan_device(root, device, wishes, plan, why);
	if (!error && wye_driver_is_vfio(wishes->driver) && device->group >= 0)
		error = plan_group(root, device, wishes, plan, why);
	return error;
}
