/* SPDX-License-Identifier: BSD-3-Clause */
/* Is there an IOMMU, is it on, does it translate: what vfio-pci and vfio-platform need. AF_XDP needs none of it. */
#include <string.h>

#include "doctor.h"

static void iommu_names(struct doctor *doctor, char *buf, size_t size)
{
	struct wye_names names;
	size_t len = 0;

	buf[0] = '\0';
	if (wye_sys_list(&doctor->root, &names, "/sys/class/iommu"))
		return;
	for (size_t i = 0; i < names.n && len + 40 < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%.30s", i ? ", " : "", names.name[i]);
	wye_names_free(&names);
}

static void no_groups(struct doctor *doctor, const char *iommus)
{
	struct report *report = &doctor->report;

	report_finding(report, SEVERITY_NOTE, "iommu", "", "%s: vfio-pci takes no device (AF_XDP needs no IOMMU)",
		       iommus[0] ? "an IOMMU is there, but no device is in a group" : "no IOMMU is on");
	report_evidence(report, "/sys/kernel/iommu_groups", "no group");
	report_evidence(report, "/sys/class/iommu", "%s", iommus[0] ? iommus : "no IOMMU");
	doctor_evidence(doctor, "/proc/cmdline");
	report_next(report, "switch VT-d, AMD-Vi or SMMU on in the firmware; in a virtual machine, give it an IOMMU");
	report_next(report, "add \"%s\" to GRUB_CMDLINE_LINUX in /etc/default/grub, then: update-grub && reboot",
		    doctor_iommu_arguments(doctor));
}

/* The type of a group is what its DMA domain does; root alone may read it. */
static void groups(struct doctor *doctor, const struct wye_names *names, const char *iommus)
{
	struct report *report = &doctor->report;
	const char *type = doctor_read(doctor, "/sys/kernel/iommu_groups/%s/type", names->name[0]);
	bool passthrough = !strcmp(type, "identity");

	report_finding(report, SEVERITY_OK, "iommu", "", "on (%s), %zu groups, %s", iommus[0] ? iommus : "its kind is unknown",
		       names->n, passthrough ? "passthrough for the kernel's own drivers" :
		       type[0] ? "translates for the kernel's own drivers too, which costs them speed: iommu=pt spares it" :
		       "whether in passthrough mode is unknown");
	report_evidence(report, "/sys/kernel/iommu_groups", "%zu groups", names->n);
	doctor_evidence(doctor, "/sys/kernel/iommu_groups/%s/type", names->name[0]);
	doctor_evidence(doctor, "/proc/cmdline");
}

static void unsafe_modes(struct doctor *doctor)
{
	struct report *report = &doctor->report;

	if (doctor_read(doctor, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode")[0] == 'Y') {
		report_finding(report, SEVERITY_WARN, "iommu", "", "VFIO's no-IOMMU mode is on: a device can write any memory");
		doctor_evidence(doctor, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
		report_next(report, "echo N > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode, once no device needs it");
	}
	if (doctor_read(doctor, "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts")[0] == 'Y') {
		report_finding(report, SEVERITY_WARN, "iommu", "", "interrupts are not remapped: a device can forge them");
		doctor_evidence(doctor, "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
	}
}

void check_iommu(struct doctor *doctor)
{
	struct wye_names names;
	char iommus[256];
	int error = wye_sys_list(&doctor->root, &names, "/sys/kernel/iommu_groups");

	iommu_names(doctor, iommus, sizeof(iommus));
	if (error || !names.n)
		no_groups(doctor, iommus);
	else
		groups(doctor, &names, iommus);
	wye_names_free(&names);
	unsafe_modes(doctor);
}
