/* SPDX-License-Identifier: BSD-3-Clause */
/* Huge pages: reserved ones by size and NUMA node, transparent ones, and malloc's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "wye_need.h"

/* ---- reserved ---- */

static void node_evidence(struct doctor *doctor, const char *size)
{
	struct wye_names nodes;

	if (wye_sys_list(&doctor->root, &nodes, "/sys/devices/system/node"))
		return;
	for (size_t i = 0; i < nodes.n; i++)
		if (!strncmp(nodes.name[i], "node", 4) && strspn(nodes.name[i] + 4, "0123456789") &&
		    wye_sys_exists(&doctor->root, "/sys/devices/system/node/%s/hugepages/%s", nodes.name[i], size))
			doctor_evidence(doctor, "/sys/devices/system/node/%s/hugepages/%s/free_hugepages", nodes.name[i], size);
	wye_names_free(&nodes);
}

static void check_size(struct doctor *doctor, const char *size)
{
	struct report *report = &doctor->report;
	int64_t total = 0, available = 0;

	(void)wye_sys_number(&doctor->root, &total, "/sys/kernel/mm/hugepages/%s/nr_hugepages", size);
	(void)wye_sys_number(&doctor->root, &available, "/sys/kernel/mm/hugepages/%s/free_hugepages", size);
	report_finding(report, SEVERITY_NOTE, "hugepages", size + strlen("hugepages-"), "%lld of %lld pages free",
		       (long long)available, (long long)total);
	doctor_evidence(doctor, "/sys/kernel/mm/hugepages/%s/nr_hugepages", size);
	doctor_evidence(doctor, "/sys/kernel/mm/hugepages/%s/free_hugepages", size);
	node_evidence(doctor, size);
}

/* What the configuration asks for. */
static void check_enough(struct doctor *doctor)
{
	struct report *report = &doctor->report;
	uint32_t mib = doctor->config->memory.size_mib;
	char why[WYE_WHY_BYTES];
	uint64_t kib;

	if (wye_need_hugepages(&doctor->root, doctor->config, &kib, why))
		report_finding(report, SEVERITY_FAIL, "hugepages", "", "%s", why);
	else if (kib)
		report_finding(report, SEVERITY_OK, "hugepages", "", "enough pages of %llu MiB for memory.size_mib: %u",
			       (unsigned long long)kib >> 10, mib);
	else if (doctor->config->memory.hugepages == WYE_HUGE_AUTO)
		report_finding(report, SEVERITY_NOTE, "hugepages", "", "no reserved pages for memory.size_mib: %u; transparent ones "
			       "are tried, else wye-dpd runs on 4 KiB pages", mib);
	else
		return;
	doctor_evidence(doctor, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
	if (!kib)
		report_next(report, "echo %u > /proc/sys/vm/nr_hugepages; to keep it: echo vm.nr_hugepages=%u > "
			    "/etc/sysctl.d/50-wye.conf", (mib + 1) / 2, (mib + 1) / 2);
}

void check_hugepages(struct doctor *doctor)
{
	struct report *report = &doctor->report;
	struct wye_names sizes;

	if (wye_sys_list(&doctor->root, &sizes, "/sys/kernel/mm/hugepages") || !sizes.n) {
		report_finding(report, SEVERITY_NOTE, "hugepages", "", "this kernel has none to reserve");
		report_evidence(report, "/sys/kernel/mm/hugepages", "not there");
		return;
	}
	for (size_t i = 0; i < sizes.n; i++)
		if (!strncmp(sizes.name[i], "hugepages-", strlen("hugepages-")))
			check_size(doctor, sizes.name[i]);
	wye_names_free(&sizes);
	if (!strstr(doctor_read(doctor, "/proc/mounts"), " hugetlbfs ")) {
		report_finding(report, SEVERITY_NOTE, "hugepages", "", "no hugetlbfs is mounted: wye-ctld's tables lie on tmpfs");
		report_evidence(report, "/proc/mounts", "no hugetlbfs");
		report_next(report, "mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages");
	}
	if (doctor->config)
		check_enough(doctor);
}

/* ---- transparent ---- */

void check_thp(struct doctor *doctor)
{
	const char *mode = doctor_read(doctor, "/sys/kernel/mm/transparent_hugepage/enabled");
	struct report *report = &doctor->report;
	bool never = !mode[0] || strstr(mode, "[never]");

	report_finding(report, never ? SEVERITY_NOTE : SEVERITY_OK, "thp", "", "%s", !mode[0] ?
		       "this kernel has no transparent huge pages" : never ? "transparent huge pages are off" :
		       "transparent huge pages are there for who asks");
	doctor_evidence(doctor, "/sys/kernel/mm/transparent_hugepage/enabled");
	doctor_evidence(doctor, "/sys/kernel/mm/transparent_hugepage/defrag");
	doctor_evidence(doctor, "/sys/kernel/mm/transparent_hugepage/shmem_enabled");
	if (mode[0] && never)
		report_next(report, "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
}

/* ---- malloc ---- */

static const char *library(struct doctor *doctor, const char *name)
{
	static const char *const dirs[] = { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (wye_sys_exists(&doctor->root, "%s/%s", dirs[i], name))
			return dirs[i];
	return NULL;
}

/* Packet buffers never come from malloc; wye-ctld's model of a full table does. */
void check_malloc(struct doctor *doctor)
{
	const char *libhugetlbfs = library(doctor, "libhugetlbfs.so.0"), *jemalloc = library(doctor, "libjemalloc.so.2");
	const char *tunables = getenv("GLIBC_TUNABLES");
	struct report *report = &doctor->report;

	report_finding(report, SEVERITY_NOTE, "malloc", "", "ordinary pages unless asked otherwise; matters to wye-ctld with full "
		       "tables only");
	report_evidence(report, "environment GLIBC_TUNABLES", "%s", doctor->live && tunables ? tunables : "not set");
	report_evidence(report, "libjemalloc.so.2", "%s", jemalloc ? jemalloc : "not installed");
	report_evidence(report, "libhugetlbfs.so.0", "%s", libhugetlbfs ? libhugetlbfs : "not installed");
	report_next(report, "by THP: systemctl edit wye-ctld, [Service] Environment=GLIBC_TUNABLES=glibc.malloc.hugetlb=1 (glibc 2.35; "
		    "=2 takes reserved pages)");
	if (jemalloc)
		report_next(report, "or Environment=LD_PRELOAD=%s/libjemalloc.so.2 MALLOC_CONF=thp:always", jemalloc);
	if (libhugetlbfs)
		report_next(report, "libhugetlbfs's HUGETLB_MORECORE does nothing with glibc 2.34 and newer: use the line above");
}
