/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First pass over the bytes: is it YAML, and only as much of YAML as a configuration needs? Anchors, aliases, tags
 * and further documents are refused here, before anything is built in memory, so that a small file cannot grow
 * into a large tree; so is nesting deeper than any sane file has.
 */
#include <string.h>

#include "config_private.h"

/* Line and column of a byte, for what libyaml's scanner never saw. Columns count characters, as libyaml's do. */
static yaml_mark_t mark_of_byte(const char *text, size_t at_byte)
{
	yaml_mark_t mark = { .index = at_byte };

	for (size_t i = 0; i < at_byte; i++) {
		mark.column += (text[i] & 0xC0) != 0x80;
		if (text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

/* The scanner's words, with the line of the construct it was in ("while parsing a block mapping"). */
static void parser_problem(struct config_parse *parse, const yaml_parser_t *parser, const char *text, size_t len_bytes)
{
	size_t offset = parser->problem_offset < len_bytes ? parser->problem_offset : len_bytes;

	if (parser->error == YAML_MEMORY_ERROR)
		config_problem(parse, parser->mark, "out of memory");
	else if (parser->error == YAML_READER_ERROR)
		config_problem(parse, mark_of_byte(text, offset), "not UTF-8 text: %s", parser->problem);
	else if (parser->context)
		config_problem(parse, parser->problem_mark, "YAML syntax: %s, %s on line %zu", parser->problem,
			       parser->context, parser->context_mark.line + 1);
	else
		config_problem(parse, parser->problem_mark, "YAML syntax: %s", parser->problem);
}

static const yaml_char_t *event_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

static const yaml_char_t *event_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.tag;
	default:
		return NULL;
	}
}

static void event_check(struct config_parse *parse, const yaml_event_t *event, unsigned int documents, int depth)
{
	const char *tag = (const char *)event_tag(event);

	if (event->type == YAML_ALIAS_EVENT)
		config_problem(parse, event->start_mark, "alias \"*%s\": aliases are not supported; write the value out",
			       config_quote((const char *)event->data.alias.anchor,
					    strlen((const char *)event->data.alias.anchor)));
	if (event_anchor(event))
		config_problem(parse, event->start_mark, "anchor \"&%s\": anchors are not supported; remove it",
			       config_quote((const char *)event_anchor(event),
					    strlen((const char *)event_anchor(event))));
	if (tag)
		config_problem(parse, event->start_mark, "tag \"%s\": tags are not supported; remove it",
			       config_quote(tag, strlen(tag)));
	if (documents > 1)
		config_problem(parse, event->start_mark, "a second YAML document: one file holds one; remove the \"---\"");
	if (depth > CONFIG_DEPTH_MAX)
		config_problem(parse, event->start_mark, "nested %d deep: limit is %d", depth, CONFIG_DEPTH_MAX);
}

static void events(struct config_parse *parse, yaml_parser_t *parser, const char *text, size_t len_bytes)
{
	unsigned int documents = 0;
	bool content = false, end = false;
	int depth = 0;

	while (!end && !parse->problems) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event)) {
			parser_problem(parse, parser, text, len_bytes);
			return;
		}
		documents += event.type == YAML_DOCUMENT_START_EVENT;
		depth += event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
		depth -= event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
		content |= depth > 0 || (event.type == YAML_SCALAR_EVENT && event.data.scalar.length);
		end = event.type == YAML_STREAM_END_EVENT;
		event_check(parse, &event, documents, depth);
		yaml_event_delete(&event);
	}
	if (!parse->problems && !content)
		config_problem(parse, (yaml_mark_t){ 0 },
			       "empty file: name at least one port; wye.yaml(5) has an example");
}

void config_syntax(struct config_parse *parse, const void *text, size_t len_bytes)
{
	const char *nul = len_bytes ? memchr(text, '\0', len_bytes) : NULL;
	yaml_parser_t parser;

	if (nul) {
		config_problem(parse, mark_of_byte(text, (size_t)(nul - (const char *)text)),
			       "NUL byte: this is not a text file");
		return;
	}
	if (!yaml_parser_initialize(&parser)) {
		config_problem(parse, (yaml_mark_t){ 0 }, "out of memory");
		return;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text, len_bytes);
	events(parse, &parser, text, len_bytes);
	yaml_parser_delete(&parser);
}
