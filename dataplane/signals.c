/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGTERM and SIGINT end the daemon in order, SIGHUP has the configuration read again. */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "dpd.h"
#include "log.h"
#include "reload.h"
#include "runtime/init.h"
#include "runtime/process.h"

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

/* Before any thread is made. */
static int block(struct dpd *dpd)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* LimitFSIZE=: who writes is told */
	signal_set(&set);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}
INIT(block_signals, .start = block, .before = INIT_NAMES("eal"));

static uint64_t signals_run(struct process *process, const struct process_event *event)
{
	struct signalfd_siginfo info;

	if (event->kind != PROCESS_READY || read(event->fd, &info, sizeof(info)) != sizeof(info))
		return PROCESS_NEVER;
	if (info.ssi_signo == SIGHUP) {
		reload(process->data);
	} else {
		log_notice("signal %u: handing all flows back and leaving", info.ssi_signo);
		process_end();
	}
	return PROCESS_NEVER;
}

static int signal_fd = -1;

static int signals_start(struct dpd *dpd)
{
	static struct process process = { .name = "signals", .run = signals_run };
	sigset_t set;
	int error;

	process.data = dpd;
	signal_set(&set);
	signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signal_fd < 0)
		return -errno;
	error = process_add(&process);
	return error ? error : process_watch(&process, signal_fd, EPOLLIN);
}

static void signals_stop(struct dpd *dpd)
{
	close(signal_fd);
}
INIT(signals, .start = signals_start, .stop = signals_stop, .after = INIT_NAMES("block_signals", "process"));
