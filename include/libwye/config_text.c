/* SPDX-License-Identifier: BSD-3-Clause */
/* What every pass over the configuration file needs: printing a problem, quoting, guessing, finding a node. */
#include <stdarg.h>
#include <string.h>

#include "config_private.h"

/* A message is one line, whatever of the file it quotes. */
static void blot_control(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = '?';
}

void config_problem(struct config_parse *parse, yaml_mark_t at, const char *format, ...)
{
	char text[1024];
	va_list args;

	parse->problems++;
	if (!parse->messages || parse->problems > CONFIG_PROBLEMS_MAX + 1)
		return;
	fprintf(parse->messages, "%s:%zu:%zu: ", parse->name, at.line + 1, at.column + 1);
	if (config_gave_up(parse)) {
		fprintf(parse->messages, "more than %d problems, giving up; mend these first\n", CONFIG_PROBLEMS_MAX);
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	blot_control(text);
	fprintf(parse->messages, "%s\n", text);
}

const char *config_quote(const char *text, size_t len_bytes)
{
	static _Thread_local char ring[8][64];
	static _Thread_local unsigned int next;
	char *out = ring[next++ % 8];
	size_t n = len_bytes < 60 ? len_bytes : 57;

	for (size_t i = 0; i < n; i++)
		out[i] = text[i] ? text[i] : '?';
	strcpy(out + n, n < len_bytes ? "..." : "");
	return out;
}

/* Levenshtein's distance, for words of up to 31 bytes; longer ones are never near. */
static unsigned int distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	unsigned int row[32];

	if (a_len > 31 || b_len > 31)
		return 32;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned int replaced = diagonal + (a[i - 1] != b[j - 1]);
			unsigned int moved = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = replaced < moved ? replaced : moved;
		}
	}
	return row[b_len];
}

const char *config_nearest(const char *text, const char *const *names)
{
	unsigned int best = (strlen(text) < 4 ? 1 : 1 + (unsigned int)strlen(text) / 4) + 1;
	const char *nearest = NULL;

	for (; *names; names++) {
		unsigned int d = distance(text, *names);

		/* Of two equally far, the one that starts alike: dst_port is rather dport than sport. */
		if (d < best || (d == best && nearest && nearest[0] != text[0] && (*names)[0] == text[0])) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}

yaml_node_t *config_key(struct config_parse *parse, yaml_node_t *mapping, const char *key)
{
	if (!mapping || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(&parse->doc, p->key);

		if (k->type == YAML_SCALAR_NODE && !strcmp((const char *)k->data.scalar.value, key))
			return yaml_document_get_node(&parse->doc, p->value);
	}
	return NULL;
}

yaml_node_t *config_item(struct config_parse *parse, yaml_node_t *sequence, size_t index)
{
	yaml_node_item_t *item;

	if (!sequence || sequence->type != YAML_SEQUENCE_NODE)
		return NULL;
	item = sequence->data.sequence.items.start + index;
	return item < sequence->data.sequence.items.top ? yaml_document_get_node(&parse->doc, *item) : NULL;
}
