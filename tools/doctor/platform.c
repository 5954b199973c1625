/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Platform devices, which have no configuration space: who they are stands in the device tree or in ACPI, and what resets
 * them is a module of their own or ACPI's _RST. vfio-platform refuses one that nothing resets.
 */
#include <string.h>

#include "doctor.h"

/* The kernel's drivers/vfio/platform/reset/, as of 6.18. */
static const struct { const char *compatible, *module; } resets[] = {
	{ "calxeda,hb-xgmac", "vfio-platform-calxedaxgmac" },
	{ "amd,xgbe-seattle-v1a", "vfio-platform-amdxgbe" },
	{ "brcm,iproc-flexrm-mbox", "vfio-platform-bcmflexrm" },
};

static const char *reset_module(const char *compatible)
{
	for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++)
		if (!strcmp(compatible, resets[i].compatible))
			return resets[i].module;
	return NULL;
}

static void check_reset(struct doctor *doctor, const struct wye_device *device, const char *compatible, const char *hid)
{
	const char *module = reset_module(compatible);
	struct report *report = &doctor->report;

	if (module)
		report_finding(report, SEVERITY_OK, "reset", device->name, "module %s resets it", module);
	else if (hid[0])
		report_finding(report, SEVERITY_NOTE, "reset", device->name, "an ACPI device: vfio-platform wants method _RST of it");
	else
		report_finding(report, SEVERITY_WARN, "reset", device->name, "vfio-platform knows no reset for it and will refuse it");
	doctor_evidence(doctor, "/sys/module/vfio_platform/parameters/reset_required");
	if (module)
		report_next(report, "modprobe %s", module);
	else
		report_next(report, "if it is refused, and what one owner leaves behind may reach the next: modprobe -r vfio-platform; "
			    "modprobe vfio-platform reset_required=0");
}

void check_platform_device(struct doctor *doctor, const struct wye_device *device)
{
	const char *compatible = doctor_read(doctor, "/sys/bus/platform/devices/%s/of_node/compatible", device->name);
	const char *hid = doctor_read(doctor, "/sys/bus/platform/devices/%s/firmware_node/hid", device->name);
	struct report *report = &doctor->report;

	report_finding(report, compatible[0] || hid[0] ? SEVERITY_OK : SEVERITY_FAIL, "identity", device->name, compatible[0] ?
		       "described by the device tree as %s" : hid[0] ? "described by ACPI as %s" :
		       "neither the device tree nor ACPI describes it%s: vfio-platform cannot take it", compatible[0] ? compatible : hid);
	doctor_evidence(doctor, "/sys/bus/platform/devices/%s/of_node/compatible", device->name);
	doctor_evidence(doctor, "/sys/bus/platform/devices/%s/firmware_node/hid", device->name);
	doctor_evidence(doctor, "/sys/bus/platform/devices/%s/modalias", device->name);
	if (compatible[0] || hid[0])
		check_reset(doctor, device, compatible, hid);
	if (!wye_sys_exists(&doctor->root, "/sys/bus/platform/drivers/vfio-platform")) {
		report_finding(report, SEVERITY_NOTE, "driver", device->name, "vfio-platform is not loaded");
		report_evidence(report, "/sys/bus/platform/drivers/vfio-platform", "not there");
		report_next(report, "modprobe vfio-platform");
	}
}

/* Of the many platform devices those that are network devices or already VFIO's. */
void check_platform(struct doctor *doctor)
{
	struct wye_names names;
	char why[WYE_WHY_BYTES];

	if (wye_sys_list(&doctor->root, &names, "/sys/bus/platform/devices"))
		return;
	for (size_t i = 0; i < names.n; i++) {
		struct wye_device device;

		if (wye_device_read(&doctor->root, WYE_BUS_PLATFORM, names.name[i], &device, why) ||
		    (!device.netdev[0] && !wye_driver_is_vfio(device.driver)))
			continue;
		check_platform_device(doctor, &device);
	}
	wye_names_free(&names);
}
