/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads: see thread.h. */
#include <signal.h>

#include "thread.h"

int thread_start(pthread_t *thread, void *(*run)(void *))
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = -pthread_create(thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}
