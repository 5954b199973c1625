/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checks of `wye doctor`. Each reads and judges one thing and adds its findings to the report; none opens a file for
 * writing. With another root than "/" only files are looked at: questions to the kernel would be about the wrong machine.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "report.h"
#include "wye.h"
#include "wye_config.h"
#include "wye_device.h"

struct doctor {
	struct tool *tool;
	struct report report;
	struct wye_sysroot root;
	bool live;			/* root is the machine's own */
	struct wye_config *config;	/* NULL = none, or a bad one; owned */
};

/* A file as evidence: what it says, or why it says nothing. Returns the text, "" when there is none; doctor_read() only
 * reads. The text is static and valid until the eighth next call. */
const char *doctor_read(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *doctor_evidence(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Is there a process of this name? */
bool doctor_process(struct doctor *doctor, const char *name);
/* cpu is in a list like "0-3,8" */
bool doctor_in_list(const char *list, unsigned int cpu);
/* The processor is AMD's, Intel's, or of another kind: for what must be on the kernel's command line. */
const char *doctor_iommu_arguments(struct doctor *doctor);

/* Of the machine */
void check_needs(struct doctor *doctor);	/* capabilities, bpffs, memlock, CPUs */
void check_iommu(struct doctor *doctor);
void check_sriov(struct doctor *doctor);
void check_platform(struct doctor *doctor);
void check_hugepages(struct doctor *doctor);
void check_thp(struct doctor *doctor);
void check_malloc(struct doctor *doctor);
void check_kernel(struct doctor *doctor);	/* its configuration */
void check_cpus(struct doctor *doctor);		/* of the workers */
void check_conflicts(struct doctor *doctor);

/* Of one device */
void check_device(struct doctor *doctor, const struct wye_device *device);
void check_platform_device(struct doctor *doctor, const struct wye_device *device);

/* Of one netdev */
void check_xdp(struct doctor *doctor, const char *netdev);
/* NUMA, interrupts; device: the one that carries its packets, NULL = the netdev's own */
void check_placement(struct doctor *doctor, const char *netdev, const struct wye_device *device);
void check_managers(struct doctor *doctor, const char *netdev);

/* One port from its netdev to its first packet. */
void check_port(struct doctor *doctor, const char *name);	/* as configured, or any of its netdev */
/* The name of the netdev of that name or alternative name; name itself, if the machine has none. */
const char *doctor_netdev(const struct doctor *doctor, const char *name, char ifname[16]);

#endif
