/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line a message on stderr. Under systemd (JOURNAL_STREAM is set) each starts with its level, "<3>" to "<7>", which
 * the journal takes off again; elsewhere with the program's name. What can repeat without end (bad messages from the
 * network, overruns) goes through log_limited(): a burst, then a count of what was left out.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

void log_open(const char *program, bool verbose);
void log_message(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_message(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

struct log_limit {		/* zero-initialised, one per place */
	uint64_t window_ns;
	uint32_t in_window, suppressed;
};
/* May this message be printed? Five in ten seconds; `left_out` = how many were not since the last yes. */
bool log_allowed(struct log_limit *limit, uint32_t *left_out);

#define log_limited(level, format, ...)                                                                            \
	do {                                                                                                        \
		static struct log_limit limit_;                                                                     \
		uint32_t left_out_;                                                                                 \
		if (log_allowed(&limit_, &left_out_))                                                               \
			log_message(level, format "%s", __VA_ARGS__, left_out_ ? " (others like it left out)" : ""); \
	} while (0)

uint64_t now_ns(void);	/* CLOCK_MONOTONIC */

#endif
