/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must be there before anything is started, said in the operator's terms. Later failures of the same things
 * would come out of a library as "Operation not permitted".
 */
#include <errno.h>
#include <sys/resource.h>

#include "dpd.h"
#include "log.h"
#include "runtime/init.h"
#include "wye_need.h"

/* "0-3,8": the CPUs of this process's cpuset and affinity. */
static void allowed_cpus(char *list, size_t size)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256], value[200];

	snprintf(list, size, "unknown");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Cpus_allowed_list: %199s", value) == 1)
			snprintf(list, size, "%s", value);
	if (file)
		fclose(file);
}

/* A cpuset may keep us off a CPU that is online; only the kernel knows all that has a say in it. */
static int preflight_cpus(const struct wye_config *config, char *why)
{
	cpu_set_t before, one;
	char list[200];
	int error = sched_getaffinity(0, sizeof(before), &before) ? -errno : 0;

	for (uint32_t i = 0; i < config->workers.n_cpus && !error; i++) {
		CPU_ZERO(&one);
		CPU_SET(config->workers.cpu[i], &one);
		if (!sched_setaffinity(0, sizeof(one), &one))
			continue;
		error = -errno;
		allowed_cpus(list, sizeof(list));
		snprintf(why, WYE_WHY_BYTES, "%s: workers.cpus: this process may not run on CPU %u: its cpuset has %s",
			 config->path, config->workers.cpu[i], list);
	}
	(void)sched_setaffinity(0, sizeof(before), &before);
	return error;
}

static int preflight(struct dpd *dpd)
{
	const struct wye_config *config = dpd->config;
	static const struct wye_sysroot machine = { "" };
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	char why[WYE_WHY_BYTES];
	bool xdp = false;
	int error;

	for (size_t i = 0; i < config->n_ports; i++)
		xdp |= config->port[i].driver == WYE_DRIVER_AF_XDP;
	error = wye_need_cpus(&machine, config, why);
	error = error ? error : preflight_cpus(config, why);
	error = error ? error : wye_need_capabilities(xdp, wye_need_physical(config) != NULL, why);
	if (!error && xdp)
		error = wye_need_bpffs(why);
	if (error)
		log_error("%s", why);
	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited); /* AF_XDP buffers and old kernels' BPF maps are counted in it */
	return error;
}
INIT(preflight, .start = preflight, .before = INIT_NAMES("stats"));
