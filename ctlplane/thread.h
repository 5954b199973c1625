/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads that wait for the kernel so that the loop need not. They take no signals: those are the loop's. */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>

int thread_start(pthread_t *thread, void *(*run)(void *));	/* 0 or -errno; run gets NULL */

#endif
