/* SPDX-License-Identifier: BSD-3-Clause */
/* probe's modes, and what they share. Each takes what follows its name on the command line and prints a JSON object. */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "wye_stats.h"

int probe_change(char **argv);
int probe_nexthop(char **argv);
int probe_down(char **argv);
int probe_await(char **argv);

/* A port's number; n_ports or above: there is none. What the workers sent out of it. */
uint32_t port_named(const struct wye_stats *stats, const char *netdev);
uint64_t sent_by(const struct wye_stats *stats, uint32_t port);

static inline void die(const char *what, const char *why)
{
	fprintf(stderr, "probe: %s: %s\n", what, why);
	exit(1);
}

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static inline void sleep_ns(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000ull), .tv_nsec = (long)(ns % 1000000000ull) };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

#endif
