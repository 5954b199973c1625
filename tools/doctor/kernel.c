/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's configuration: what is built in, what is a module, what is missing. */
#include <string.h>
#include <zlib.h>

#include "doctor.h"

static const struct option {
	const char *name, *what;
	enum severity missing;
} options[] = {
	{ "BPF_SYSCALL", "steering and punt programs", SEVERITY_FAIL },
	{ "BPF_JIT", "their speed", SEVERITY_WARN },
	{ "XDP_SOCKETS", "driver af_xdp", SEVERITY_FAIL },
	{ "TUN", "punt TAPs", SEVERITY_FAIL },
	{ "NET_CLS_BPF", "punt programs", SEVERITY_FAIL },
	{ "NET_SCH_INGRESS", "punt programs", SEVERITY_FAIL },
	{ "HUGETLBFS", "reserved huge pages", SEVERITY_NOTE },
	{ "TRANSPARENT_HUGEPAGE", "transparent huge pages", SEVERITY_NOTE },
	{ "PCI_IOV", "VFs", SEVERITY_NOTE },
	{ "IOMMU_SUPPORT", "IOMMU, whatever the firmware says", SEVERITY_NOTE },
	{ "VFIO_PCI", "vfio-pci", SEVERITY_NOTE },
	{ "VFIO_NOIOMMU", "vfio-pci without an IOMMU", SEVERITY_NOTE },
	{ "VFIO_PLATFORM", "vfio-platform", SEVERITY_NOTE },
	{ "UIO_PCI_GENERIC", "uio_pci_generic", SEVERITY_NOTE },
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static gzFile open_config(struct doctor *doctor, char *path)
{
	const char *release = doctor_read(doctor, "/proc/sys/kernel/osrelease");
	gzFile file = NULL;

	if (!wye_sys_path(&doctor->root, path, "/proc/config.gz"))
		file = gzopen(path, "re");
	if (!file && !wye_sys_path(&doctor->root, path, "/boot/config-%s", release))
		file = gzopen(path, "re"); /* plain text is read as it is */
	return file;
}

/* '\0' = not set */
static void take_line(const char *line, char state[OPTIONS])
{
	for (size_t i = 0; i < OPTIONS; i++) {
		size_t n = strlen(options[i].name);

		if (!strncmp(line, "CONFIG_", 7) && !strncmp(line + 7, options[i].name, n) && line[7 + n] == '=')
			state[i] = line[8 + n];
	}
}

static void judge(struct doctor *doctor, const char *path, const char state[OPTIONS])
{
	struct report *report = &doctor->report;
	char have[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < OPTIONS; i++) {
		if (state[i]) {
			len += (size_t)snprintf(have + len, sizeof(have) - len, "%s%s=%c", len ? " " : "", options[i].name, state[i]);
			continue;
		}
		report_finding(report, options[i].missing, "kernel", options[i].name, "not in this kernel: no %s", options[i].what);
		report_evidence(report, path, "CONFIG_%s is not set", options[i].name);
		if (options[i].missing > SEVERITY_NOTE)
			report_next(report, "run a kernel with CONFIG_%s; Debian's has it: apt-get install linux-image-amd64", options[i].name);
	}
	report_finding(report, SEVERITY_OK, "kernel", doctor_read(doctor, "/proc/sys/kernel/osrelease"), "its configuration was read");
	report_evidence(report, path, "%s", have);
}

void check_kernel(struct doctor *doctor)
{
	char path[WYE_SYS_PATH_BYTES], line[512], state[OPTIONS] = { 0 };
	gzFile file = open_config(doctor, path);

	if (!file) {
		report_finding(&doctor->report, SEVERITY_NOTE, "kernel", "", "its configuration is not to be had");
		report_evidence(&doctor->report, "/proc/config.gz", "not there");
		report_evidence(&doctor->report, "/boot/config-*", "none for %s", doctor_read(doctor, "/proc/sys/kernel/osrelease"));
		return;
	}
	while (gzgets(file, line, sizeof(line)))
		take_line(line, state);
	gzclose(file);
	judge(doctor, path + strlen(doctor->root.dir), state);
}
