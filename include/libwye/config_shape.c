/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The document against the schema: unknown, doubled and missing keys, wrong kinds of value, numbers, choices and
 * counts. libcyaml would find these too, but only the first of them and without saying what would be right.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

#define NAMES_MAX 16

/* Where we are, as people write it: "steering.rules[3].match". */
struct place {
	const struct place *above;
	const char *key;
	size_t index;
};

static void shape_value(struct config_parse *parse, const cyaml_schema_value_t *schema, yaml_node_t *node,
			const struct place *place);

static const char *place_text(const struct place *place, char *text, size_t size_bytes)
{
	size_t used;

	if (!place) {
		text[0] = '\0';
		return "top level";
	}
	place_text(place->above, text, size_bytes);
	used = strlen(text);
	if (place->key)
		snprintf(text + used, size_bytes - used, "%s%s", used ? "." : "", place->key);
	else
		snprintf(text + used, size_bytes - used, "[%zu]", place->index);
	return text;
}

#define PLACE_BYTES 128
#define TEXT(place) place_text(place, (char[PLACE_BYTES]){ 0 }, PLACE_BYTES)

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static const char *quoted(const yaml_node_t *node)
{
	return config_quote(scalar(node), node->data.scalar.length);
}

/* " (known: a, b); did you mean "a"?" */
static const char *choices(const char *given, const char *const *names, char *text, size_t size_bytes)
{
	const char *nearest = config_nearest(given, names);
	size_t used = 0;

	for (size_t i = 0; names[i] && used < size_bytes; i++)
		used += (size_t)snprintf(text + used, size_bytes - used, "%s%s", i ? ", " : "", names[i]);
	if (nearest && used < size_bytes)
		snprintf(text + used, size_bytes - used, "; did you mean \"%s\"?", nearest);
	return text;
}

static bool is_kind(struct config_parse *parse, const yaml_node_t *node, yaml_node_type_t type,
		    const struct place *place)
{
	static const char *const kinds[] = {
		[YAML_NO_NODE] = "nothing",
		[YAML_SCALAR_NODE] = "a single value",
		[YAML_SEQUENCE_NODE] = "a list ([a, b] or lines of - a)",
		[YAML_MAPPING_NODE] = "a mapping ({ key: value } or lines of key: value)",
	};

	if (node->type == type)
		return true;
	config_problem(parse, node->start_mark, "%s: expected %s, found %s", TEXT(place), kinds[type],
		       node->type == YAML_SCALAR_NODE && !node->data.scalar.length ? "nothing" : kinds[node->type]);
	return false;
}

static void shape_uint(struct config_parse *parse, const cyaml_schema_value_t *schema, const yaml_node_t *node,
		       const struct place *place)
{
	unsigned long long limit = schema->data_size >= 8 ? UINT64_MAX : (1ULL << schema->data_size * 8) - 1;
	const char *text = scalar(node);
	unsigned long long value;

	/* libcyaml would read 010 as octal and 0x10 as hexadecimal: nobody means that here. */
	if (!*text || text[strspn(text, "0123456789")] || (text[0] == '0' && text[1])) {
		config_problem(parse, node->start_mark, "%s: \"%s\": expected a whole decimal number", TEXT(place),
			       quoted(node));
		return;
	}
	errno = 0;
	value = strtoull(text, NULL, 10);
	if (errno || value > limit)
		config_problem(parse, node->start_mark, "%s: \"%s\": limit is %llu", TEXT(place), quoted(node), limit);
}

static void shape_enum(struct config_parse *parse, const cyaml_schema_value_t *schema, const yaml_node_t *node,
		       const struct place *place)
{
	const char *names[NAMES_MAX + 1] = { NULL };
	char text[256];

	for (uint32_t i = 0; i < schema->enumeration.count && i < NAMES_MAX; i++) {
		names[i] = schema->enumeration.strings[i].str;
		if (!strcmp(names[i], scalar(node)))
			return;
	}
	config_problem(parse, node->start_mark, "%s: \"%s\": expected one of %s", TEXT(place), quoted(node),
		       choices(scalar(node), names, text, sizeof(text)));
}

static void shape_string(struct config_parse *parse, const cyaml_schema_value_t *schema, const yaml_node_t *node,
			 const struct place *place)
{
	size_t len_bytes = node->data.scalar.length;

	if (len_bytes < schema->string.min)
		config_problem(parse, node->start_mark, "%s: is empty; give a value or remove the key", TEXT(place));
	else if (len_bytes > schema->string.max)
		config_problem(parse, node->start_mark, "%s: \"%s\": %zu characters, limit is %u", TEXT(place),
			       quoted(node), len_bytes, schema->string.max);
}

static void shape_scalar(struct config_parse *parse, const cyaml_schema_value_t *schema, const yaml_node_t *node,
			 const struct place *place)
{
	if (!is_kind(parse, node, YAML_SCALAR_NODE, place))
		return;
	if (memchr(scalar(node), '\0', node->data.scalar.length))
		config_problem(parse, node->start_mark, "%s: \"%s\": holds a NUL character", TEXT(place),
			       quoted(node));
	else if (schema->type == CYAML_UINT)
		shape_uint(parse, schema, node, place);
	else if (schema->type == CYAML_ENUM)
		shape_enum(parse, schema, node, place);
	else
		shape_string(parse, schema, node, place);
}

static void shape_sequence(struct config_parse *parse, const cyaml_schema_value_t *schema, yaml_node_t *node,
			   const struct place *place)
{
	size_t count;

	if (!is_kind(parse, node, YAML_SEQUENCE_NODE, place))
		return;
	count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (count < schema->sequence.min)
		config_problem(parse, node->start_mark, "%s: %zu entries, at least %u expected", TEXT(place), count,
			       schema->sequence.min);
	if (count > schema->sequence.max) {
		yaml_node_t *first_over = config_item(parse, node, schema->sequence.max);

		config_problem(parse, first_over->start_mark, "%s: %zu entries, limit is %u", TEXT(place), count,
			       schema->sequence.max);
		count = schema->sequence.max;
	}
	for (size_t i = 0; i < count && !config_gave_up(parse); i++)
		shape_value(parse, schema->sequence.entry, config_item(parse, node, i),
			    &(struct place){ place, NULL, i });
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_field_t *fields, const yaml_node_t *key)
{
	for (; fields->key; fields++)
		if (strlen(fields->key) == key->data.scalar.length && !strcmp(fields->key, scalar(key)))
			return fields;
	return NULL;
}

static void unknown_key(struct config_parse *parse, const cyaml_schema_field_t *fields, const yaml_node_t *key,
			const struct place *place)
{
	const char *names[NAMES_MAX + 1] = { NULL };
	char text[256];

	for (size_t i = 0; fields[i].key && i < NAMES_MAX; i++)
		names[i] = fields[i].key;
	config_problem(parse, key->start_mark, "%s: unknown key \"%s\", expected one of %s", TEXT(place), quoted(key),
		       choices(scalar(key), names, text, sizeof(text)));
}

/* An earlier pair of the same mapping with the same key. */
static const yaml_node_t *given_before(struct config_parse *parse, const yaml_node_t *node,
				       const yaml_node_pair_t *pair, const yaml_node_t *key)
{
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < pair; p++) {
		const yaml_node_t *other = yaml_document_get_node(&parse->doc, p->key);

		if (other->type == YAML_SCALAR_NODE && other->data.scalar.length == key->data.scalar.length &&
		    !memcmp(scalar(other), scalar(key), key->data.scalar.length))
			return other;
	}
	return NULL;
}

static void shape_pair(struct config_parse *parse, const cyaml_schema_field_t *fields, const yaml_node_t *node,
		       const yaml_node_pair_t *pair, const struct place *place)
{
	const yaml_node_t *key = yaml_document_get_node(&parse->doc, pair->key), *before;
	const cyaml_schema_field_t *field;

	if (key->type != YAML_SCALAR_NODE) {
		config_problem(parse, key->start_mark, "%s: a key must be a word", TEXT(place));
		return;
	}
	before = given_before(parse, node, pair, key);
	field = field_of(fields, key);
	if (before)
		config_problem(parse, key->start_mark, "%s: key \"%s\" is given twice, first on line %zu; remove one",
			       TEXT(place), quoted(key), before->start_mark.line + 1);
	else if (!field)
		unknown_key(parse, fields, key, place);
	else
		shape_value(parse, &field->value, yaml_document_get_node(&parse->doc, pair->value),
			    &(struct place){ place, field->key, 0 });
}

static void shape_mapping(struct config_parse *parse, const cyaml_schema_value_t *schema, yaml_node_t *node,
			  const struct place *place)
{
	const cyaml_schema_field_t *fields = schema->mapping.fields;

	if (!is_kind(parse, node, YAML_MAPPING_NODE, place))
		return;
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top && !config_gave_up(parse); pair++)
		shape_pair(parse, fields, node, pair, place);
	for (; fields->key && !config_gave_up(parse); fields++)
		if (!(fields->value.flags & CYAML_FLAG_OPTIONAL) && !config_key(parse, node, fields->key))
			config_problem(parse, node->start_mark, "%s: key \"%s\" is missing", TEXT(place), fields->key);
}

static void shape_value(struct config_parse *parse, const cyaml_schema_value_t *schema, yaml_node_t *node,
			const struct place *place)
{
	if (schema->type == CYAML_IGNORE)
		return;
	if (schema->type == CYAML_MAPPING)
		shape_mapping(parse, schema, node, place);
	else if (schema->type == CYAML_SEQUENCE)
		shape_sequence(parse, schema, node, place);
	else
		shape_scalar(parse, schema, node, place);
}

void config_shape(struct config_parse *parse)
{
	shape_value(parse, &config_schema, yaml_document_get_root_node(&parse->doc), NULL);
}
