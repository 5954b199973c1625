/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line a message, written with one call so that lines of several processes do not mix. The libraries below us
 * speak too: libbpf and libxdp print notes that are no errors ("No bpffs found"), DPDK writes to a stream; theirs
 * appear with -v only, but for DPDK's errors, which name what a port failed at.
 */
#include <bpf/libbpf.h>
#include <rte_log.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "log.h"

static bool log_verbose_on, log_journal;

static void log_line(enum log_level level, const char *format, va_list args)
{
	char line[1024];
	int at = 0, n;

	if (level == LOG_VERBOSE && !log_verbose_on)
		return;
	if (log_journal)
		at = snprintf(line, sizeof(line), "<%d>", level);
	else
		at = snprintf(line, sizeof(line), "wye-dpd: %s",
			      level == LOG_ERROR ? "error: " : level == LOG_WARNING ? "warning: " : "");
	n = vsnprintf(line + at, sizeof(line) - at - 1, format, args);
	if (n < 0)
		return;
	at = at + n < (int)sizeof(line) - 1 ? at + n : (int)sizeof(line) - 2;
	while (at && line[at - 1] == '\n')
		at--;
	line[at++] = '\n';
	fwrite(line, 1, at, stderr);
}

void log_at(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(level, format, args);
	va_end(args);
}

static int log_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	log_line(LOG_VERBOSE, format, args);
	return 0;
}

static int log_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	log_line(LOG_VERBOSE, format, args);
	return 0;
}

void log_open(bool verbose)
{
	log_verbose_on = verbose;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
	setvbuf(stderr, NULL, _IOLBF, 0);
	libbpf_set_print(log_libbpf);
	libxdp_set_print(log_libxdp);
	rte_openlog_stream(stderr);
}
