/* SPDX-License-Identifier: BSD-3-Clause */
#include "wye_cpus.h"

#include <stdlib.h>

#define LIST_BYTES 4096

void wye_cpus_parse(const char *list, cpu_set_t *set)
{
	CPU_ZERO(set);
	while (*list >= '0' && *list <= '9') {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (unsigned long cpu = first; cpu <= last && cpu < CPU_SETSIZE; cpu++)
			CPU_SET(cpu, set);
		list = *end == ',' ? end + 1 : "";
	}
}

/* The second file: partitions made at run time, which the first one of older kernels leaves out. */
void wye_cpus_isolated(const struct wye_sysroot *root, cpu_set_t *set)
{
	char list[LIST_BYTES];
	cpu_set_t partitions;

	(void)wye_sys_read(root, list, sizeof(list), "/sys/devices/system/cpu/isolated");
	wye_cpus_parse(list, set);
	(void)wye_sys_read(root, list, sizeof(list), "/sys/fs/cgroup/cpuset.cpus.isolated");
	wye_cpus_parse(list, &partitions);
	CPU_OR(set, set, &partitions);
}

void wye_cpus_default(const struct wye_sysroot *root, const cpu_set_t *may, struct wye_config *config)
{
	cpu_set_t isolated;

	if (config->workers.cpus_given)
		return;
	wye_cpus_isolated(root, &isolated);
	CPU_AND(&isolated, &isolated, may);
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &isolated)) {
			config->workers.cpu[0] = cpu;
			return;
		}
}
