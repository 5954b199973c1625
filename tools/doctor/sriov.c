/* SPDX-License-Identifier: BSD-3-Clause */
/* Which PFs can make VFs, and how many each has. */
#include "doctor.h"

static void check_pf(struct doctor *doctor, const struct wye_device *device)
{
	struct report *report = &doctor->report;

	report_finding(report, SEVERITY_NOTE, "sriov", device->name, "%s: %lld of %lld VFs", device->netdev[0] ? device->netdev :
		       wye_device_class(device), (long long)device->vfs, (long long)device->vfs_max);
	doctor_evidence(doctor, "/sys/bus/pci/devices/%s/sriov_numvfs", device->name);
	doctor_evidence(doctor, "/sys/bus/pci/devices/%s/sriov_totalvfs", device->name);
	report_next(report, device->vfs ? "wye vf show %s" : "wye vf create %s 1",
		    device->netdev[0] ? device->netdev : device->name);
}

void check_sriov(struct doctor *doctor)
{
	struct wye_names names;
	char why[WYE_WHY_BYTES];
	size_t found = 0;

	if (wye_sys_list(&doctor->root, &names, "/sys/bus/pci/devices"))
		return;
	for (size_t i = 0; i < names.n; i++) {
		struct wye_device device;

		if (wye_device_read(&doctor->root, WYE_BUS_PCI, names.name[i], &device, why) || device.vfs_max <= 0)
			continue;
		check_pf(doctor, &device);
		found++;
	}
	wye_names_free(&names);
	if (!found) {
		report_finding(&doctor->report, SEVERITY_NOTE, "sriov", "", "no device here can make VFs");
		report_evidence(&doctor->report, "/sys/bus/pci/devices/*/sriov_totalvfs", "none");
	}
}
