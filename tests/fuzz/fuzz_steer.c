/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a frame, judged by the rules of tests/steer_cases as classify judges what vfio-pci and devargs ports bring.
 * Beyond not crashing: the verdict is the model's, which takes guards and rules one by one.
 *
 *   byte 0	set of rules (5 bits), port it comes in by (2 bits), bit 7: to the port's MAC
 *   then	the frame
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../steer_cases/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

/* Behind the frame there is nothing that could be read unnoticed. */
static uint32_t judge(const struct table *table, uint32_t set, const struct packet *packet, uint32_t *rule)
{
	uint8_t *frame = malloc(packet->len_bytes ? packet->len_bytes : 1);
	uint32_t verdict;

	memcpy(frame, packet->frame, packet->len_bytes);
	verdict = steer_judge(table->rules[set], table->locals, packet->in_port, packet_mac, frame, packet->len_bytes, rule);
	free(frame);
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct table *table;
	struct model_verdict model;
	struct packet packet = { 0 };
	uint32_t set, verdict, rule = 0;
	bool by_rule;

	if (!table)
		table = table_load();
	if (!size)
		return 0;
	set = (data[0] & 31) % (uint32_t)table->n_sets;
	packet.in_port = data[0] >> 5 & 3;
	packet.len_bytes = (uint32_t)(size - 1 < PACKET_BYTES_MAX ? size - 1 : PACKET_BYTES_MAX);
	memcpy(packet.frame, data + 1, packet.len_bytes);
	if (data[0] & 0x80 && packet.len_bytes >= 6)
		memcpy(packet.frame, packet_mac, 6);
	verdict = judge(table, set, &packet, &rule);
	model = model_judge(table->config[set], table->local, table->n_locals, &packet, packet_mac);
	by_rule = verdict == WYE_STEER_TAKEN || verdict == STEER_BY_RULE;
	must(by_rule == !model.guard, "a guard keeps it, or none does");
	must((verdict == WYE_STEER_TAKEN) == (model.action == WYE_ACTION_DATAPLANE), "it is taken, or is not");
	must(!by_rule || (rule == WYE_STEER_RULES ? -1 : (int)rule) == model.rule, "by the same rule");
	return 0;
}
