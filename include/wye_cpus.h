/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUs: lists of them as the kernel writes them, which are isolated, and which a worker gets when the file names none. Part
 * of libwye.
 */
#ifndef WYE_CPUS_H
#define WYE_CPUS_H

#include <sched.h>

#include "wye_config.h"
#include "wye_sysroot.h"

/* "0-3,8"; what comes behind something else, or from CPU_SETSIZE on, is left out. */
void wye_cpus_parse(const char *list, cpu_set_t *set);

/* Where the scheduler puts nobody by itself: isolcpus=, and isolated partitions of cpusets. */
void wye_cpus_isolated(const struct wye_sysroot *root, cpu_set_t *set);

/* A file without workers.cpus: the first isolated one of those that the process may run on, else CPU 1. */
void wye_cpus_default(const struct wye_sysroot *root, const cpu_set_t *may, struct wye_config *config);

#endif
