/* SPDX-License-Identifier: BSD-3-Clause */
/* One device: can VFIO have it, and if not, what stands in the way and which ways lead out. */
#include <string.h>

#include "bind/bind.h"
#include "doctor.h"

/* ---- its group ---- */

/* The device itself may be where it is: `wye bind` moves it. */
static bool in_the_way(const struct wye_device *device, const struct wye_device *member)
{
	return wye_device_blocks_vfio(member) && strcmp(device->name, member->name);
}

static size_t count_in_the_way(const struct wye_device *device, const struct wye_group *group)
{
	size_t n = 0;

	for (size_t i = 0; i < group->n_members; i++)
		n += in_the_way(device, &group->member[i]);
	return n;
}

static const char *judgement(const struct wye_device *device, const struct wye_device *member)
{
	if (in_the_way(device, member))
		return member->class >> 16 == WYE_PCI_CLASS_STORAGE ?
			"BLOCKS; a storage controller: is anything mounted from it?" : "BLOCKS";
	if (!strcmp(device->name, member->name))
		return "the device asked about";
	if (wye_driver_is_vfio(member->driver))
		return "does not block: on VFIO";
	return member->driver[0] ? "does not block: its driver does no DMA" : "does not block: no driver";
}

static void group_members(struct report *report, const struct wye_device *device, const struct wye_group *group)
{
	for (size_t i = 0; i < group->n_members; i++) {
		const struct wye_device *member = &group->member[i];

		report_evidence(report, member->name, "class %06x %s, driver %s, netdev %s: %s", member->class,
				wye_device_class(member), member->driver[0] ? member->driver : "none",
				member->netdev[0] ? member->netdev : "none", judgement(device, member));
	}
}

/* Ways 1 and 2 take what is in the way from its driver; a VF's own PF cannot go without the VF going too. */
static bool is_behind(const struct wye_device *device, const struct wye_group *group)
{
	for (size_t i = 0; i < group->n_members; i++)
		if (!strcmp(group->member[i].name, device->physfn) && in_the_way(device, &group->member[i]))
			return true;
	return false;
}

static void ways_by_driver(struct report *report, const struct wye_device *device, const struct wye_group *group)
{
	const char *bus = wye_bus_name(device->bus);
	char names[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < group->n_members && len + WYE_DEVICE_NAME_BYTES < sizeof(names); i++)
		if (in_the_way(device, &group->member[i]))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len ? " " : "",
						group->member[i].name);
	report_next(report, "1. bind the whole group; costs: the kernel has none of its devices: wye bind %s vfio-%s --group",
		    device->name, bus);
	report_next(report, "2. take the others' drivers away; costs: nobody can use them: for d in %s; do wye bind $d none; "
		    "done; wye bind %s vfio-%s", names, device->name, bus);
}

static void ways_out(struct report *report, const struct wye_device *device, const struct wye_group *group)
{
	const char *bus = wye_bus_name(device->bus);

	if (is_behind(device, group))
		report_next(report, "1. and 2., to bind or to free the others, are none here: one of them is %s's own PF %s", device->name,
			    device->physfn);
	else
		ways_by_driver(report, device, group);
	report_next(report, "3. ACS override; costs: isolation, since these devices can still reach each other past the IOMMU, "
		    "and a kernel with that patch (Debian's has it not): \"pcie_acs_override=downstream,multifunction\" on its "
		    "command line; a card in another slot costs less");
	report_next(report, "4. no IOMMU; costs: all protection, since the device and who drives it can write any memory: boot "
		    "with \"intel_iommu=off amd_iommu=off\", then: modprobe vfio enable_unsafe_noiommu_mode=1; wye bind %s vfio-%s "
		    "--allow-unsafe", device->name, bus);
}

static void check_group(struct doctor *doctor, const struct wye_device *device)
{
	struct report *report = &doctor->report;
	char why[WYE_WHY_BYTES], subject[32];
	struct wye_group group;
	int error = wye_group_read(&doctor->root, device->group, &group, why);
	size_t blocking;

	snprintf(subject, sizeof(subject), "group %lld", (long long)device->group);
	if (error) {
		report_finding(report, SEVERITY_FAIL, "group", subject, "%s", why);
		report_next(report, "wye doctor %s", device->name);
		return;
	}
	blocking = count_in_the_way(device, &group);
	if (blocking)
		report_finding(report, SEVERITY_FAIL, "group", subject, "the VFIO group is not viable for %s: %zu of its %zu "
			       "devices in the way", device->name, blocking, group.n_members);
	else
		report_finding(report, SEVERITY_OK, "group", subject, "viable: nothing keeps VFIO from %s", device->name);
	group_members(report, device, &group);
	if (blocking)
		ways_out(report, device, &group);
	wye_group_free(&group);
}

/* ---- the device itself ---- */

static void check_identity(struct doctor *doctor, const struct wye_device *device)
{
	struct report *report = &doctor->report;

	report_finding(report, SEVERITY_OK, "device", device->name, "%s", wye_device_class(device));
	report_evidence(report, "netdev", "%s", device->netdev[0] ? device->netdev : "none");
	if (device->bus == WYE_BUS_PCI) {
		report_evidence(report, "vendor:device", "%04x:%04x", device->vendor, device->device);
		report_evidence(report, "reset", "%s", device->reset ? "the kernel can reset it alone" :
				"none of its own: what one owner leaves behind the next one meets");
	}
	report_evidence(report, "numa_node", "%lld", (long long)device->numa_node);
	if (device->driver_override[0])
		report_evidence(report, "driver_override", "%s", device->driver_override);
	if (device->physfn[0])
		report_evidence(report, "physfn", "%s (this is one of its VFs)", device->physfn);
	if (device->vfs_max > 0)
		report_evidence(report, "sriov", "%lld of %lld VFs", (long long)device->vfs, (long long)device->vfs_max);
}

static void check_uio(struct doctor *doctor, const struct wye_device *device)
{
	struct report *report = &doctor->report;
	char why[WYE_WHY_BYTES];

	report_finding(report, SEVERITY_WARN, "driver", device->name, "on %s: no IOMMU stands between it and memory, it is not "
		       "reset between owners, and only root can use it", device->driver);
	report_next(report, "wye bind %s vfio-%s", device->name, wye_bus_name(device->bus));
	if (wye_device_uio_ready(&doctor->root, device, why))
		report_finding(report, SEVERITY_FAIL, "driver", device->name, "%s", why);
}

static void no_group(struct doctor *doctor, const struct wye_device *device)
{
	struct report *report = &doctor->report;

	report_finding(report, wye_driver_is_uio(device->driver) ? SEVERITY_NOTE : SEVERITY_WARN, "group", device->name,
		       "in no IOMMU group: vfio-%s refuses it, unless in no-IOMMU mode", wye_bus_name(device->bus));
	doctor_evidence(doctor, "/sys/bus/%s/devices/%s/iommu_group", wye_bus_name(device->bus), device->name);
	report_next(report, "switch the IOMMU on: firmware, and \"%s\" on the kernel's command line",
		    doctor_iommu_arguments(doctor));
	report_next(report, "or, without any protection: modprobe vfio enable_unsafe_noiommu_mode=1 && wye bind %s vfio-%s "
		    "--allow-unsafe", device->name, wye_bus_name(device->bus));
}

static void check_vfio(struct doctor *doctor, const struct wye_device *device)
{
	struct report *report = &doctor->report;

	if (wye_driver_is_vfio(device->driver)) {
		report_finding(report, SEVERITY_OK, "driver", device->name, "on %s", device->driver);
		return;
	}
	if (wye_driver_is_uio(device->driver)) {
		check_uio(doctor, device);
		return;
	}
	report_finding(report, SEVERITY_NOTE, "driver", device->name, "with the kernel: %s; VFIO does not have it",
		       device->driver[0] ? device->driver : "no driver");
	if (device->vfs_max > 0 && device->netdev[0])
		report_next(report, "a PF: keep it with the kernel and give wye a VF: wye vf create %s 1", device->netdev);
	else if (device->group >= 0)
		report_next(report, "wye bind %s vfio-%s", device->name, wye_bus_name(device->bus));
}

static void check_users(struct doctor *doctor, const struct wye_device *device)
{
	char why[WYE_WHY_BYTES];

	if (bind_users(&doctor->root, device, why))
		report_finding(&doctor->report, SEVERITY_NOTE, "users", device->name, "%s", why);
}

void check_device(struct doctor *doctor, const struct wye_device *device)
{
	check_identity(doctor, device);
	check_vfio(doctor, device);
	check_users(doctor, device);
	if (device->bus == WYE_BUS_PLATFORM)
		check_platform_device(doctor, device);
	if (device->group < 0)
		no_group(doctor, device);
	else
		check_group(doctor, device);
}
