/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye-dpd. What is started and in which order say the INIT()s beside the code (runtime/init.h; `wye show init` prints it);
 * what the main thread then does are the processes they add (runtime/process.h); plugins add to all of it (wye_plugin.h).
 * Packets: nodes/port_rx.c is where they come in. State: follow.c is where the mirror comes in.
 */
#include <stdio.h>

#include "dpd.h"
#include "log.h"
#include "notify.h"
#include "plugin.h"
#include "runtime/init.h"
#include "runtime/process.h"

static int run(struct dpd *dpd)
{
	char why[512];
	int error = init_start(dpd, stats_inits, why, sizeof(why));

	if (error) {
		log_error("start: %s", why);
		return error;
	}
	atomic_store_explicit(&dpd->stats->state, WYE_DPD_RUNNING, memory_order_release);
	notify("READY=1");
	process_loop();
	notify("STOPPING=1");
	init_stop(dpd);
	return 0;
}

int main(int argc, char **argv)
{
	static struct dpd dpd;
	int status = options_parse(&dpd.options, argc, argv), error;

	if (status)
		return status - 1;
	log_open(dpd.options.verbose);
	if (wye_config_load(dpd.options.config_path, &dpd.config, stderr) < 0)
		return 2;
	workers_choose(dpd.config);
	dpd.n_workers = dpd.config->workers.n_cpus;
	error = plugin_load(&dpd);
	error = error ? error : run(&dpd);
	wye_config_free(dpd.config);
	return error ? 1 : 0;
}
