/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye-ctld: mirrors the kernel's network state into the shared tables. Read on in this order: event.c (the loop),
 * channel.c and nl_sync.c (how a class of objects gets and stays in sync), nl_decode.c (bytes to structs), mirror_*.c
 * (structs to model), resolve.c and fib.c (model to tables), region.c (tables to readers).
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "log.h"
#include "mirror.h"
#include "notify.h"
#include "options.h"
#include "replay.h"
#include "wye_map.h"
#include "wye_need.h"

#define EXIT_USAGE 2
#define TICK_MS	   100u
#define FILES	   64u	/* open at once: netlink sockets, regions old and new, what is polled */

static struct mirror mirror;
static bool replayed;	/* there is no kernel behind the mirror */

static void on_tick(void *ctx)
{
	static unsigned ticks;
	uint64_t expirations;

	if (read(mirror.timer_fd, &expirations, sizeof(expirations)) < 0)
		return;
	mirror_beat(&mirror);
	if (replayed)
		return;
	parity_legacy_poll(&mirror);
	neighs_live(&mirror);
	if (++ticks % (1000 / TICK_MS))
		return;
	mirror_poll(&mirror);
	region_collapse(&mirror.tables->region);
}

static void reload(void)
{
	struct wye_config *fresh, *old = mirror.config;
	bool same;

	if (wye_config_load(mirror.config_path, &fresh, stderr) < 0) {
		log_error("%s: not taken; the running configuration stays", mirror.config_path);
		return;
	}
	same = fresh->tables.routes4 == old->tables.routes4 && fresh->tables.routes6 == old->tables.routes6 &&
	       fresh->tables.neighbours == old->tables.neighbours &&
	       fresh->memory.hugepages == old->memory.hugepages;
	mirror.config = fresh;
	parity_reload(&mirror);
	mirror.doublings = same ? mirror.doublings : 0;
	if (!same && mirror.live && mirror_rebuild(&mirror, 0) < 0)
		log_error("%s: tables: no region of that size can be made", mirror.config_path);
	audit_open(&mirror);
	wye_config_free(old);
	log_info("%s: read again", mirror.config_path);
}

static void on_signal(void *ctx)
{
	struct signalfd_siginfo info;

	while (read(mirror.signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP && !replayed)
			reload();
		else if (info.ssi_signo == SIGUSR1)
			mirror.audit.wanted = true;
		else if (info.ssi_signo == SIGHUP)
			log_notice("SIGHUP: a replay has nothing to read again");
		else
			mirror.loop.stop = true;
	}
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	mirror.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return mirror.signal_fd < 0 ? -errno : event_add(&mirror.loop, mirror.signal_fd, on_signal, NULL);
}

static int loop_open(void)
{
	int error = event_open(&mirror.loop);

	if (!error)
		error = signals_open();
	if (error)
		return error;
	mirror.timer_fd = event_timer(&mirror.loop, TICK_MS, on_tick, NULL);
	return mirror.timer_fd < 0 ? mirror.timer_fd : 0;
}

static int run(void)
{
	int error = loop_open();

	if (error) {
		log_error("event loop: %s", strerror(-error));
		return error;
	}
	error = mirror_open(&mirror);
	if (error)
		return error;
	mirror_poll(&mirror);
	error = event_run(&mirror.loop, mirror_turn, &mirror);
	if (error)
		log_error("epoll_wait: %s", strerror(-error));
	notify_systemd("STOPPING=1");
	return error;
}

static int idle_turn(void *ctx)
{
	return -1;
}

static int replay(const struct options *options)
{
	int error;

	replayed = true;
	control_state(&mirror.control, WYE_MIRROR_STOPPED);
	error = replay_file(&mirror, options->replay_path);
	if (error || !options->stay)
		return error;
	error = loop_open();
	return error ? error : event_run(&mirror.loop, idle_turn, NULL);
}

static int load_config(const struct options *options)
{
	int error;

	mirror.config_path = options->config_path;
	if (options->config_path)
		error = wye_config_load(options->config_path, &mirror.config, stderr);
	else
		error = wye_config_parse("defaults", "{}", 2, &mirror.config, stderr);
	if (!error && mirror.config->memory.hugepages == WYE_HUGE_NONE)
		(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* our own memory follows it as the tables do */
	return error;
}

int main(int argc, char **argv)
{
	bool remove_files;
	struct options options;
	char why[WYE_WHY_BYTES];
	int status = options_parse(&options, argc, argv);

	if (status)
		return status - 1;
	log_open("wye-ctld", options.verbose);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* LimitFSIZE=: who writes is told */
	if (wye_need_files(FILES, why) < 0) {
		log_error("%s", why);
		return EXIT_FAILURE;
	}
	if (load_config(&options) < 0)
		return EXIT_USAGE;
	if (control_open(&mirror.control, options.run_dir) < 0) {
		wye_config_free(mirror.config);
		return EXIT_FAILURE;
	}
	status = options.replay_path ? replay(&options) : run();
	/* What was replayed stays to be looked at, unless somebody stayed to look at it. */
	remove_files = status == 0 && (!replayed || options.stay);
	/* After a failed start what a predecessor left stays: its readers forward on until it is stale. */
	if (status == 0)
		control_state(&mirror.control, WYE_MIRROR_STOPPED);
	mirror_close(&mirror);
	control_close(&mirror.control, remove_files);
	event_close(&mirror.loop);
	wye_config_free(mirror.config);
	return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
