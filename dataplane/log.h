/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages for people, on stderr: one line each, with syslog's "<3>" prefixes only where journald reads them. Never
 * called by a worker.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_VERBOSE = 7 };

void log_open(bool verbose);	/* also routes libbpf's, libxdp's and DPDK's messages */
void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_at(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_at(LOG_NOTICE, __VA_ARGS__)
#define log_verbose(...) log_at(LOG_VERBOSE, __VA_ARGS__)

#endif
