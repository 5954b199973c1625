/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye doctor: what of this machine stands between wye and its packets, with the evidence and the next step. Changes nothing
 * and writes nothing but its output. The checks are in doctor/.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/doctor.h"
#include "wye_cpus.h"

static void machine(struct doctor *doctor)
{
	check_needs(doctor);
	check_kernel(doctor);
	check_hugepages(doctor);
	check_thp(doctor);
	check_malloc(doctor);
	check_cpus(doctor);
	check_iommu(doctor);
	check_sriov(doctor);
	check_platform(doctor);
	check_conflicts(doctor);
	for (size_t i = 0; doctor->config && i < doctor->config->n_ports; i++)
		check_port(doctor, doctor->config->port[i].netdev);
}

/* The port of that netdev, by whatever name of it, as it is configured; NULL = none. */
static const char *port_of(const struct doctor *doctor, const char *netdev)
{
	char ifname[16];

	for (size_t i = 0; doctor->config && i < doctor->config->n_ports; i++)
		if (!strcmp(doctor_netdev(doctor, doctor->config->port[i].netdev, ifname), netdev))
			return doctor->config->port[i].netdev;
	return NULL;
}

/* A port, a netdev, a device: whatever of them the name is. Exit code other than 0: it is none. */
static int subject(struct doctor *doctor, const char *name)
{
	char why[WYE_WHY_BYTES], ifname[16];
	const char *netdev = doctor_netdev(doctor, name, ifname), *port = port_of(doctor, netdev);
	bool there = wye_sys_exists(&doctor->root, "/sys/class/net/%s", netdev) && !strchr(netdev, '/') && netdev[0] != '.';
	struct wye_device device;
	int error = wye_device_find(&doctor->root, netdev, &device, why);

	if (error && !there && !port)
		return failure(doctor->tool, error == -ENOENT ? WYE_EXIT_NOT_FOUND : WYE_EXIT_ERROR, "%s", why);
	report_begin(&doctor->report, &doctor->tool->out);
	if (there || port)
		check_port(doctor, port ? port : netdev);
	if (!error && !port) /* how a port gets at its device is settled */
		check_device(doctor, &device);
	return WYE_EXIT_OK;
}

static int take_arguments(struct doctor *doctor, int argc, char **argv, const char **name)
{
	*name = NULL;
	doctor->root.dir = "";
	for (int i = 0; i < argc; i++) {
		const char **value = !strcmp(argv[i], "--root") ? &doctor->root.dir :
				     !strcmp(argv[i], "--config") ? &doctor->tool->view.config_path : NULL;

		if (!value && (*name || argv[i][0] == '-'))
			return usage_error(doctor->tool, "argument \"%s\"", argv[i]);
		if (!value)
			*name = argv[i];
		else
			*value = argument(doctor->tool, argc, argv, &i);
		if (value && !*value)
			return WYE_EXIT_USAGE;
	}
	doctor->live = !doctor->root.dir[0] || !strcmp(doctor->root.dir, "/");
	if (doctor->live)
		doctor->root.dir = "";
	return WYE_EXIT_OK;
}

static int exit_code(enum severity worst)
{
	return worst == SEVERITY_FAIL ? WYE_EXIT_STANDS_IN_THE_WAY : worst == SEVERITY_WARN ? WYE_EXIT_WARNINGS : WYE_EXIT_OK;
}

/* wye-dpd's cpuset is not known here. */
static void choose_cpu(struct doctor *doctor)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	wye_cpus_default(&doctor->root, &all, doctor->config);
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct doctor doctor = { .tool = tool };
	const char *name;
	int code = take_arguments(&doctor, argc, argv, &name);

	if (code)
		return code;
	if (!wye_config_load(tool->view.config_path, &doctor.config, NULL))
		choose_cpu(&doctor);
	if (name) {
		code = subject(&doctor, name);
	} else {
		report_begin(&doctor.report, &tool->out);
		machine(&doctor);
	}
	if (!code)
		code = exit_code(report_end(&doctor.report));
	wye_config_free(doctor.config);
	return code;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "what stands in the way: IOMMU groups, drivers, huge pages, AF_XDP, daemons",
	.arguments = "[PORT|NETDEV|DEVICE] [--config FILE] [--root DIR]",
	.help = "Each line: result (ok, note, warn, fail), check, subject, what it means; below it the evidence, then the\n"
		"next steps as commands for this machine. Without an argument the machine and all ports are looked at; with a\n"
		"port, all from its netdev to its first packet; with a PCI address or a platform device, whether VFIO can\n"
		"have it. Nothing is changed. --root looks at a copy of /sys, /proc, /etc and /boot below DIR.\n"
		"Exit code: 0 nothing worse than a note, 5 warnings, 6 failures.\n",
	.run = run,
};
