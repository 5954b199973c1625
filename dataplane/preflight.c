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

/* DPDK's own, tables, sockets; of a port: AF_XDP sockets, XDP and tc programs with their maps while they are loaded, TAP.
 * Seen with one queue a port: 45 and 14. */
#define FILES_BASE   64u
#define FILES_A_PORT 32u

static int preflight(struct dpd *dpd)
{
	const struct wye_config *config = dpd->config;
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	char why[WYE_WHY_BYTES];
	bool xdp = false;
	uint32_t files = FILES_BASE + FILES_A_PORT * (uint32_t)config->n_ports;
	int error;

	for (size_t i = 0; i < config->n_ports; i++)
		xdp |= config->port[i].driver == WYE_DRIVER_AF_XDP;
	(void)sched_getaffinity(0, sizeof(dpd->cpus), &dpd->cpus);
	error = workers_check(dpd, config, why);
	error = error ? error : wye_need_capabilities(xdp, wye_need_physical(config) != NULL, why);
	error = error ? error : wye_need_files(files, why);
	if (!error && xdp)
		error = wye_need_bpffs(why);
	if (error)
		log_error("%s", why);
	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited); /* AF_XDP buffers and old kernels' BPF maps are counted in it */
	return error;
}
INIT(preflight, .start = preflight, .before = INIT_NAMES("stats"));
