/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The workers together: how many there are, and on which CPUs. A reload changes that while packets pass, and loses none.
 * Main thread.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <sched.h>

#include "wye_config.h"

struct dpd;

/* When the configuration names no CPU, chooses one: wye_cpus_default(). */
void workers_choose(struct wye_config *config);

/* Are the CPUs that the configuration names there, and may this process run on them, at that priority? 0, or -errno with why. */
int workers_check(const struct dpd *dpd, const struct wye_config *config, char *why);

/* Those of `all` that no worker of the configuration runs on and that are not isolated, as far as there are any. */
void workers_other_cpus(const cpu_set_t *all, const struct wye_config *config, cpu_set_t *others);

/* As many workers as may ever run: EAL makes their threads at the start. */
uint32_t workers_most(const struct wye_config *config);

#endif
