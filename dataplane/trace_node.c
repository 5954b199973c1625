/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dpd.h"
#include "trace_node.h"

static struct node_trace_entry *entries;

void node_trace_register(struct node_trace_entry *entry, const char *node, const struct node_trace *trace)
{
	*entry = (struct node_trace_entry){ node, trace, entries };
	entries = entry;
}

const struct node_trace *node_trace_of(const char *name)
{
	size_t length = strcspn(name, "-");

	for (const struct node_trace_entry *entry = entries; entry; entry = entry->next)
		if (strlen(entry->node) == length && !strncmp(entry->node, name, length))
			return entry->trace;
	return NULL;
}

static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static struct wye_trace_field *add(struct trace_fields *fields, const char *key)
{
	struct wye_trace_field *field;

	if (fields->n == WYE_TRACE_FIELDS)
		return NULL;
	field = &fields->field[fields->n++];
	snprintf(field->key, sizeof(field->key), "%s", key);
	make_printable(field->key);
	return field;
}

void trace_text(struct trace_fields *fields, const char *key, const char *format, ...)
{
	struct wye_trace_field *field = add(fields, key);
	va_list args;

	if (!field)
		return;
	va_start(args, format);
	vsnprintf(field->value, sizeof(field->value), format, args);
	va_end(args);
	make_printable(field->value);
}

void trace_number(struct trace_fields *fields, const char *key, uint64_t value)
{
	struct wye_trace_field *field = add(fields, key);

	if (!field)
		return;
	field->number = 1;
	snprintf(field->value, sizeof(field->value), "%llu", (unsigned long long)value);
}

void trace_port(struct trace_fields *fields, const struct dpd *dpd, uint32_t port)
{
	if (port < dpd->n_ports)
		trace_text(fields, "port", "%s", dpd->config->port[port].netdev);
}

void trace_reason(struct trace_fields *fields, uint8_t reason)
{
	if (reason < WYE_REASON_COUNT)
		trace_text(fields, "reason", "%s", wye_reason_name[reason]);
}
