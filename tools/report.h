/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Findings of `wye doctor`: result, check, subject, what it means, evidence (a file and what it says), next steps (commands
 * for this machine). Each finding is printed when the next begins or the report ends.
 */
#ifndef REPORT_H
#define REPORT_H

#include "output.h"

enum severity {
	SEVERITY_OK,
	SEVERITY_NOTE,	/* good to know; nothing stands in the way */
	SEVERITY_WARN,	/* works, but slower or less safe than it could */
	SEVERITY_FAIL,	/* this stands in the way */
	SEVERITIES
};

struct report {
	struct out *out;
	uint32_t count[SEVERITIES];
	bool open;		/* a finding is being gathered */
	enum severity severity;
	const char *check;	/* static */
	char *subject, *what;	/* owned */
	struct report_line {
		char *source, *text;	/* of a next step source is NULL; owned */
	} *line;		/* owned */
	size_t n_lines;
};

void report_begin(struct report *report, struct out *out);
/* subject "" = the machine */
void report_finding(struct report *report, enum severity severity, const char *check, const char *subject,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Of the finding just begun. Evidence: where it stands, what stands there. */
void report_evidence(struct report *report, const char *source, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_next(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints the last finding and the sum; the worst severity. */
enum severity report_end(struct report *report);

#endif
