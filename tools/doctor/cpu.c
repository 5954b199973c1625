/* SPDX-License-Identifier: BSD-3-Clause */
/* The workers' CPUs: do others run there, how fast do they clock, how far are they from the NIC and its interrupts. */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "wye_cpus.h"

static void check_isolated(struct doctor *doctor, unsigned int cpu)
{
	struct report *report = &doctor->report;
	char subject[32];
	bool isolated;
	cpu_set_t set;

	wye_cpus_isolated(&doctor->root, &set);
	isolated = cpu < CPU_SETSIZE && CPU_ISSET(cpu, &set);

	snprintf(subject, sizeof(subject), "CPU %u", cpu);
	report_finding(report, isolated ? SEVERITY_OK : SEVERITY_NOTE, "cpu", subject, "a worker's; %s", isolated ? "isolated" :
		       "other processes run there too; one that keeps it for 120 ms gives the worker's flows back to the kernel");
	doctor_evidence(doctor, "/sys/devices/system/cpu/isolated");
	doctor_evidence(doctor, "/sys/devices/system/cpu/nohz_full");
	if (!isolated)
		report_next(report, "for a CPU of its own add \"isolcpus=%u nohz_full=%u rcu_nocbs=%u\" to the kernel's command line", cpu, cpu,
			    cpu);
}

static void check_governor(struct doctor *doctor, unsigned int cpu)
{
	const char *governor = doctor_read(doctor, "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", cpu);
	struct report *report = &doctor->report;
	bool fast = !governor[0] || !strcmp(governor, "performance");
	char subject[32];

	snprintf(subject, sizeof(subject), "CPU %u", cpu);
	report_finding(report, fast ? SEVERITY_OK : SEVERITY_NOTE, "governor", subject, "%s", governor[0] ? governor :
		       "its clock is not the kernel's to choose");
	doctor_evidence(doctor, "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", cpu);
	if (!fast)
		report_next(report, "echo performance > /sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", cpu);
}

void check_cpus(struct doctor *doctor)
{
	for (uint32_t i = 0; doctor->config && i < doctor->config->workers.n_cpus; i++) {
		check_isolated(doctor, doctor->config->workers.cpu[i]);
		check_governor(doctor, doctor->config->workers.cpu[i]);
	}
}

/* ---- beside the port ---- */

static int64_t node_of_cpu(struct doctor *doctor, unsigned int cpu)
{
	struct wye_names nodes;
	int64_t found = -1;

	if (wye_sys_list(&doctor->root, &nodes, "/sys/devices/system/node"))
		return -1;
	for (size_t i = 0; i < nodes.n && found < 0; i++)
		if (!strncmp(nodes.name[i], "node", 4) &&
		    doctor_in_list(doctor_read(doctor, "/sys/devices/system/node/%s/cpulist", nodes.name[i]), cpu))
			found = strtol(nodes.name[i] + 4, NULL, 10);
	wye_names_free(&nodes);
	return found;
}

/* Distance to node n is the n-th number; 10 is "the same". */
static long distance(struct doctor *doctor, int64_t from, int64_t to)
{
	const char *at = doctor_read(doctor, "/sys/devices/system/node/node%lld/distance", (long long)from);
	char *end = NULL;
	long value = 0;

	for (int64_t i = 0; i <= to; i++, at = end)
		value = strtol(at, &end, 10);
	return value;
}

static void check_numa(struct doctor *doctor, const char *netdev, const struct wye_device *device, unsigned int cpu)
{
	int64_t port = -1, worker = node_of_cpu(doctor, cpu);
	struct report *report = &doctor->report;
	char path[WYE_SYS_PATH_BYTES];

	if (device)
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/numa_node", wye_bus_name(device->bus), device->name);
	else
		snprintf(path, sizeof(path), "/sys/class/net/%s/device/numa_node", netdev);
	(void)wye_sys_number(&doctor->root, &port, "%s", path);
	if (port < 0 || worker < 0)
		return; /* one node, or a software netdev */
	report_finding(report, port == worker ? SEVERITY_OK : SEVERITY_WARN, "numa", netdev, "on node %lld, worker on CPU %u of node "
		       "%lld: distance %ld", (long long)port, cpu, (long long)worker, distance(doctor, port, worker));
	doctor_evidence(doctor, "%s", path);
	doctor_evidence(doctor, "/sys/devices/system/node/node%lld/cpulist", (long long)port);
	if (port != worker)
		report_next(report, "in wye.yaml: workers: { cpus: [ some of %s ] }",
			    doctor_read(doctor, "/sys/devices/system/node/node%lld/cpulist", (long long)port));
}

static bool on_worker(struct doctor *doctor, const char *list)
{
	for (uint32_t i = 0; i < doctor->config->workers.n_cpus; i++)
		if (doctor_in_list(list, doctor->config->workers.cpu[i]))
			return true;
	return false;
}

/* Interrupt and worker on one CPU share a cache; on two, each batch is a call to another CPU. */
static void check_interrupts(struct doctor *doctor, const char *netdev)
{
	struct report *report = &doctor->report;
	struct wye_names irqs;
	size_t beside = 0;

	if (wye_sys_list(&doctor->root, &irqs, "/sys/class/net/%s/device/msi_irqs", netdev))
		return;
	for (size_t i = 0; i < irqs.n; i++)
		beside += on_worker(doctor, doctor_read(doctor, "/proc/irq/%s/smp_affinity_list", irqs.name[i]));
	report_finding(report, beside || !irqs.n ? SEVERITY_OK : SEVERITY_NOTE, "interrupts", netdev, "%zu of %zu may run on a worker's CPU",
		       beside, irqs.n);
	if (irqs.n)
		doctor_evidence(doctor, "/proc/irq/%s/smp_affinity_list", irqs.name[irqs.n - 1]);
	if (irqs.n && !beside)
		report_next(report, "echo %u > /proc/irq/%s/smp_affinity_list (and the other queues' likewise)",
			    doctor->config->workers.cpu[0], irqs.name[irqs.n - 1]);
	wye_names_free(&irqs);
}

void check_placement(struct doctor *doctor, const char *netdev, const struct wye_device *device)
{
	if (!doctor->config)
		return;
	for (uint32_t i = 0; i < doctor->config->workers.n_cpus; i++)
		check_numa(doctor, netdev, device, doctor->config->workers.cpu[i]);
	if (!device)
		check_interrupts(doctor, netdev); /* a device of DPDK's is polled */
}
