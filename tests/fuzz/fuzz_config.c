/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as wye.yaml. Beyond not crashing: a refusal says why, every line of it starts with the place, and nothing
 * that passed our own passes surprises libcyaml; a configuration that is let through keeps the promises of
 * wye_config.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wye_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static const char *digits(const char *at)
{
	must(isdigit((unsigned char)*at), "a message starts with file:line:column");
	while (isdigit((unsigned char)*at))
		at++;
	return at;
}

static void check_messages(const char *said)
{
	must(said[0], "a refusal says why");
	while (*said) {
		must(!strncmp(said, "f:", 2), "a message starts with the file");
		said = digits(said + 2);
		must(*said == ':', "a message has line and column");
		said = digits(said + 1);
		must(!strncmp(said, ": ", 2), "a message has a text");
		must(strncmp(said, ": libcyaml", 10), "libcyaml finds nothing that we did not find");
		said = strchr(said, '\n');
		must(said != NULL, "a message is a line");
		said++;
	}
}

static void check_prefix(const struct wye_prefix *prefix)
{
	unsigned int limit = prefix->family == AF_INET ? 32 : prefix->family == AF_INET6 ? 128 : 0;

	must(prefix->len <= limit, "prefix length fits the family");
	for (unsigned int bit = prefix->len; bit < 128; bit++)
		must(!(prefix->addr[bit / 8] & 0x80 >> bit % 8), "no bits behind the prefix");
}

static void check_rule(const struct wye_config *config, const struct wye_rule *rule)
{
	must(rule->name[0] && memchr(rule->name, 0, sizeof(rule->name)), "a rule has a name");
	must(rule->text[0] && memchr(rule->text, 0, sizeof(rule->text)), "a rule has a text");
	must(rule->in_port >= -1 && rule->in_port < (int)config->n_ports, "in is a port");
	must(rule->action == WYE_ACTION_KERNEL || rule->action == WYE_ACTION_DATAPLANE, "an action is one");
	must(rule->sport.first <= rule->sport.last && rule->dport.first <= rule->dport.last, "ranges are ordered");
	must(!(rule->sport.set || rule->dport.set) || rule->proto_set, "ports have a protocol");
	must(!rule->src.family || !rule->dst.family || rule->src.family == rule->dst.family, "one family");
	must(rule->line > 0, "a rule has a line");
	check_prefix(&rule->src);
	check_prefix(&rule->dst);
}

static void check_config(const struct wye_config *config)
{
	must(config->n_ports <= WYE_PORTS_MAX && config->n_rules <= WYE_RULES_MAX, "counts are limited");
	must(config->workers.n_cpus >= 1 && config->workers.n_cpus <= WYE_WORKERS_MAX, "there is a worker");
	must(config->memory.size_mib >= 64 && config->punt.rate_pps >= 1, "limits hold");
	for (size_t i = 0; i < config->n_ports; i++) {
		must(config->port[i].netdev[0] && memchr(config->port[i].netdev, 0, sizeof(config->port[i].netdev)), "a port has a netdev");
		must((config->port[i].driver != WYE_DRIVER_DEVARGS && !wye_driver_takes_device(config->port[i].driver)) |
			     !!config->port[i].devargs, "devargs are there");
		for (size_t j = 0; j < i; j++)
			must(strcmp(config->port[i].netdev, config->port[j].netdev), "one port a netdev");
	}
	for (size_t i = 0; i < config->n_rules; i++)
		check_rule(config, &config->rule[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wye_config *config = NULL;
	size_t said_bytes;
	char *said;
	FILE *messages = open_memstream(&said, &said_bytes);
	int error = wye_config_parse("f", data, size, &config, messages);

	fclose(messages);
	must(error == 0 || error == -EINVAL, "0 or -EINVAL");
	must(!error == !!config, "a configuration or an error");
	if (error)
		check_messages(said);
	else
		check_config(config);
	wye_config_free(config);
	free(said);
	return 0;
}
