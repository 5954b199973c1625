/* SPDX-License-Identifier: BSD-3-Clause */
/* What wye-dpd asks for before it starts, in its own words. */
#include <string.h>

#include "doctor.h"
#include "wye_need.h"

static void need(struct doctor *doctor, int error, const char *subject, const char *fine, const char *why)
{
	report_finding(&doctor->report, error ? SEVERITY_FAIL : SEVERITY_OK, "need", subject, "%s", error ? why : fine);
}

/* Kernels before 5.11 count BPF maps in it, all count AF_XDP's buffers. wye-dpd lifts the limit when it may. */
static void check_memlock(struct doctor *doctor)
{
	const char *limits = doctor_read(doctor, "/proc/self/limits");
	const char *line = limits;
	char soft[32] = "", hard[32] = "";

	while (line && sscanf(line, "Max locked memory %31s %31s", soft, hard) != 2) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	report_finding(&doctor->report, SEVERITY_NOTE, "need", "memlock", "%s bytes may be locked by this shell's processes; the units "
		       "set infinity, wye-dpd lifts it as root", soft[0] ? soft : "unknown");
	report_evidence(&doctor->report, "/proc/self/limits", "soft %s, hard %s", soft, hard);
}

void check_needs(struct doctor *doctor)
{
	bool physical = doctor->config && wye_need_physical(doctor->config);
	char why[WYE_WHY_BYTES];

	if (doctor->live) {
		need(doctor, wye_need_capabilities(true, physical, why), "capabilities", "this user has those that wye-dpd needs", why);
		need(doctor, wye_need_bpffs(why), "bpffs", "/sys/fs/bpf is one", why);
		check_memlock(doctor);
	}
	if (doctor->config)
		need(doctor, wye_need_cpus(&doctor->root, doctor->config, why), "CPUs", "all of workers.cpus are online", why);
}
