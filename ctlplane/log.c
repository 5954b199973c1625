/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages to stderr: see log.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "log.h"

#define WINDOW_NS  10000000000ULL
#define PER_WINDOW 5

static const char *program_name = "wye-ctld";
static bool to_journal, be_verbose;

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

void log_open(const char *program, bool verbose)
{
	program_name = program;
	be_verbose = verbose;
	to_journal = getenv("JOURNAL_STREAM") != NULL;
	setvbuf(stderr, NULL, _IOLBF, 0);
}

void log_message(enum log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (level == LOG_LEVEL_DEBUG && !be_verbose)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (to_journal)
		fprintf(stderr, "<%d>%s\n", (int)level, line);
	else
		fprintf(stderr, "%s: %s\n", program_name, line);
}

bool log_allowed(struct log_limit *limit, uint32_t *left_out)
{
	uint64_t now = now_ns();

	if (!limit->window_ns || now - limit->window_ns > WINDOW_NS) {
		limit->window_ns = now;
		limit->in_window = 0;
	}
	if (limit->in_window >= PER_WINDOW) {
		limit->suppressed++;
		return false;
	}
	limit->in_window++;
	*left_out = limit->suppressed;
	limit->suppressed = 0;
	return true;
}
