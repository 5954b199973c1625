/* SPDX-License-Identifier: BSD-3-Clause */
/* What the checks share; see doctor.h. */
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "wye_cpus.h"

#define TEXT_BYTES 4096

static int read_file(struct doctor *doctor, char **text, char *path, const char *format, va_list args)
{
	static char buffer[8][TEXT_BYTES];
	static unsigned int turn;

	*text = buffer[turn++ % 8];
	vsnprintf(path, WYE_SYS_PATH_BYTES, format, args);
	return wye_sys_read(&doctor->root, *text, TEXT_BYTES, "%s", path);
}

const char *doctor_read(struct doctor *doctor, const char *format, ...)
{
	char path[WYE_SYS_PATH_BYTES], *text;
	va_list args;

	va_start(args, format);
	if (read_file(doctor, &text, path, format, args) < 0)
		text[0] = '\0';
	va_end(args);
	return text;
}

const char *doctor_evidence(struct doctor *doctor, const char *format, ...)
{
	char path[WYE_SYS_PATH_BYTES], *text;
	va_list args;
	int got;

	va_start(args, format);
	got = read_file(doctor, &text, path, format, args);
	va_end(args);
	if (got == -ENOENT)
		report_evidence(&doctor->report, path, "not there");
	else if (got < 0)
		report_evidence(&doctor->report, path, "cannot be read: %s", strerror(-got));
	else
		report_evidence(&doctor->report, path, "%s", text);
	return got < 0 ? "" : text;
}

bool doctor_process(struct doctor *doctor, const char *name)
{
	struct wye_names names;
	bool found = false;

	if (wye_sys_list(&doctor->root, &names, "/proc"))
		return false;
	for (size_t i = 0; i < names.n && !found; i++)
		if (strspn(names.name[i], "0123456789") == strlen(names.name[i]))
			found = !strcmp(doctor_read(doctor, "/proc/%s/comm", names.name[i]), name);
	wye_names_free(&names);
	return found;
}

bool doctor_in_list(const char *list, unsigned int cpu)
{
	cpu_set_t set;

	wye_cpus_parse(list, &set);
	return cpu < CPU_SETSIZE && CPU_ISSET(cpu, &set);
}

const char *doctor_iommu_arguments(struct doctor *doctor)
{
	const char *cpus = doctor_read(doctor, "/proc/cpuinfo");

	if (strstr(cpus, "AuthenticAMD"))
		return "amd_iommu=on iommu=pt";
	return strstr(cpus, "GenuineIntel") ? "intel_iommu=on iommu=pt" : "iommu.passthrough=1";
}
