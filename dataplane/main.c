/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye-dpd: init in order, unwind in reverse. Packets: nodes/port_rx.c is where they come in. State: follow.c is where
 * the mirror comes in.
 */
#include <errno.h>
#include <rte_mempool.h>
#include <stdio.h>

#include "dpd.h"
#include "follow.h"
#include "log.h"

static struct dpd dpd;

/* Orderly end: steering first, so that the kernel has the flows while the rings drain; then workers, then the rest. */
static void stop(void)
{
	char why[WYE_WHY_BYTES];

	for (uint32_t i = 0; i < dpd.n_ports; i++)
		if (dpd.port[i].open && dpd.port[i].enabled)
			(void)dpd.port[i].backend->enable(&dpd.port[i].steer, false, why);
	worker_drain(&dpd);
	worker_stop(&dpd);
}

static int run(void)
{
	int error;

	port_init(&dpd);
	error = graph_open(&dpd);
	error = error ? error : flows_open(&dpd);
	if (error)
		return error;
	error = punt_open(&dpd);
	if (error)
		goto flows;
	stats_rules(&dpd);
	error = worker_start(&dpd);
	if (!error)
		error = follow_start(&dpd);
	if (!error)
		error = follow_run(&dpd);
	stop();
	follow_stop(&dpd);
	punt_close(&dpd);
flows:
	flows_close(&dpd);
	return error;
}

int main(int argc, char **argv)
{
	int status = options_parse(&dpd.options, argc, argv), error;

	if (status)
		return status - 1;
	log_open(dpd.options.verbose);
	if (wye_config_load(dpd.options.config_path, &dpd.config, stderr) < 0)
		return 2;
	dpd.n_workers = dpd.config->workers.n_cpus;
	error = eal_preflight(dpd.config);
	error = error ? error : follow_block_signals();
	error = error ? error : stats_open(&dpd);
	if (error)
		goto config;
	error = eal_open(&dpd.options, dpd.config, &dpd.memory);
	if (error)
		goto stats;
	stats_memory(&dpd);
	error = port_pool_reserve(&dpd);
	error = error ? error : run();
	rte_mempool_free(dpd.pool);
	eal_close();
stats:
	stats_close(&dpd);
config:
	wye_config_free(dpd.config);
	return error ? 1 : 0;
}
