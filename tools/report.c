/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings in text and JSON; see report.h. */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const severity_name[SEVERITIES] = { "ok", "note", "warn", "fail" };
static const enum out_colour severity_colour[SEVERITIES] = { OUT_GOOD, OUT_PLAIN, OUT_POOR, OUT_BAD };

static void *sure(void *memory)
{
	if (memory)
		return memory;
	fprintf(stderr, "wye: out of memory\n");
	exit(1);
}

static char *text_of(const char *format, va_list args)
{
	char *text = NULL;

	return vasprintf(&text, format, args) < 0 ? sure(NULL) : text;
}

static void print_text(struct report *report)
{
	struct out *out = report->out;

	out_coloured(out, severity_colour[report->severity], severity_name[report->severity]);
	out_printf(out, "%*s%-10s %s%s%s\n", 6 - (int)strlen(severity_name[report->severity]), "", report->check,
		   report->subject, report->subject[0] ? ": " : "", report->what);
	for (size_t i = 0; i < report->n_lines; i++)
		if (report->line[i].source)
			out_printf(out, "        %s: %s\n", report->line[i].source, report->line[i].text);
	for (size_t i = 0; i < report->n_lines; i++)
		if (!report->line[i].source)
			out_printf(out, "        > %s\n", report->line[i].text);
}

static void print_json(struct report *report)
{
	struct out *out = report->out;

	out_object(out, NULL);
	out_str(out, "result", severity_name[report->severity]);
	out_str(out, "check", report->check);
	if (report->subject[0])
		out_str(out, "subject", report->subject);
	out_str(out, "what", report->what);
	out_array(out, "evidence");
	for (size_t i = 0; i < report->n_lines; i++) {
		if (!report->line[i].source)
			continue;
		out_object(out, NULL);
		out_str(out, "source", report->line[i].source);
		out_str(out, "value", report->line[i].text);
		out_object_end(out);
	}
	out_array_end(out);
	out_array(out, "next");
	for (size_t i = 0; i < report->n_lines; i++)
		if (!report->line[i].source)
			out_str(out, NULL, report->line[i].text);
	out_array_end(out);
	out_object_end(out);
}

static void finish(struct report *report)
{
	if (!report->open)
		return;
	report->count[report->severity]++;
	if (report->out->json)
		print_json(report);
	else
		print_text(report);
	for (size_t i = 0; i < report->n_lines; i++) {
		free(report->line[i].source);
		free(report->line[i].text);
	}
	free(report->line);
	free(report->subject);
	free(report->what);
	report->line = NULL;
	report->n_lines = 0;
	report->open = false;
}

void report_begin(struct report *report, struct out *out)
{
	*report = (struct report){ .out = out };
	out_object(out, NULL);
	out_array(out, "findings");
}

void report_finding(struct report *report, enum severity severity, const char *check, const char *subject,
		    const char *format, ...)
{
	va_list args;

	finish(report);
	report->open = true;
	report->severity = severity;
	report->check = check;
	report->subject = sure(strdup(subject));
	va_start(args, format);
	report->what = text_of(format, args);
	va_end(args);
}

static void add_line(struct report *report, const char *source, const char *format, va_list args)
{
	report->line = sure(reallocarray(report->line, report->n_lines + 1, sizeof(*report->line)));
	report->line[report->n_lines++] = (struct report_line){
		.source = source ? sure(strdup(source)) : NULL,
		.text = text_of(format, args),
	};
}

void report_evidence(struct report *report, const char *source, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(report, source, format, args);
	va_end(args);
}

void report_next(struct report *report, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(report, NULL, format, args);
	va_end(args);
}

enum severity report_end(struct report *report)
{
	enum severity worst = SEVERITY_OK;

	finish(report);
	for (int i = 0; i < SEVERITIES; i++)
		if (report->count[i])
			worst = (enum severity)i;
	out_array_end(report->out);
	out_str(report->out, "result", severity_name[worst]);
	for (int i = 0; i < SEVERITIES; i++)
		out_uint(report->out, severity_name[i], report->count[i]);
	out_object_end(report->out);
	out_printf(report->out, "%u ok, %u notes, %u warnings, %u failures\n", report->count[SEVERITY_OK],
		   report->count[SEVERITY_NOTE], report->count[SEVERITY_WARN], report->count[SEVERITY_FAIL]);
	return worst;
}
