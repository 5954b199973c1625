/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/types.h> /* which pcap/bpf.h takes for granted */

#include <pcap/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dpd.h"
#include "request.h"

int request_port(const struct dpd *dpd, const char *netdev)
{
	struct wye_link link;

	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (!strcmp(dpd->config->port[i].netdev, netdev))
			return (int)i;
	if (!dpd->tables.region || !tables_link(dpd->tables.region, netdev, &link))
		return -1;
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (dpd->port[i].link_index && dpd->port[i].link.ifindex == link.ifindex)
			return (int)i;
	return -1;
}

/* All that bpf_filter() knows; at another it calls abort(), and bpf_validate() does not look at every bit. */
static const uint16_t instructions[] = {
	BPF_RET | BPF_K, BPF_RET | BPF_A,
	BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_H | BPF_ABS, BPF_LD | BPF_B | BPF_ABS, BPF_LD | BPF_W | BPF_IND,
	BPF_LD | BPF_H | BPF_IND, BPF_LD | BPF_B | BPF_IND, BPF_LD | BPF_IMM, BPF_LD | BPF_MEM, BPF_LD | BPF_W | BPF_LEN,
	BPF_LDX | BPF_MSH | BPF_B, BPF_LDX | BPF_IMM, BPF_LDX | BPF_MEM, BPF_LDX | BPF_W | BPF_LEN, BPF_ST, BPF_STX,
	BPF_JMP | BPF_JA, BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JEQ | BPF_X, BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGT | BPF_X, BPF_JMP | BPF_JGE | BPF_K, BPF_JMP | BPF_JGE | BPF_X, BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_ADD | BPF_X, BPF_ALU | BPF_SUB | BPF_K, BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K, BPF_ALU | BPF_MUL | BPF_X, BPF_ALU | BPF_DIV | BPF_K, BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_MOD | BPF_K, BPF_ALU | BPF_MOD | BPF_X, BPF_ALU | BPF_AND | BPF_K, BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_K, BPF_ALU | BPF_OR | BPF_X, BPF_ALU | BPF_XOR | BPF_K, BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_K, BPF_ALU | BPF_LSH | BPF_X, BPF_ALU | BPF_RSH | BPF_K, BPF_ALU | BPF_RSH | BPF_X,
	BPF_ALU | BPF_NEG, BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA,
};

static bool is_known(uint16_t code)
{
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++)
		if (instructions[i] == code)
			return true;
	return false;
}

/*
 * Beyond bpf_validate(), which lets an unconditional jump go back, since libpcap's own `protochain` does: here it would be a
 * worker that goes round for ever.
 */
static bool is_program(const struct bpf_insn *filter, uint32_t n_instructions)
{
	for (uint32_t i = 0; i < n_instructions; i++)
		if (!is_known(filter[i].code) ||
		    (filter[i].code == (BPF_JMP | BPF_JA) && filter[i].k >= n_instructions - i))
			return false;
	return bpf_validate(filter, (int)n_instructions);
}

struct bpf_insn *request_filter(const struct wye_capture_instruction *from, uint32_t n_instructions)
{
	struct bpf_insn *filter = calloc(n_instructions, sizeof(*filter));

	for (uint32_t i = 0; filter && i < n_instructions; i++)
		filter[i] = (struct bpf_insn){ from[i].code, from[i].jt, from[i].jf, from[i].k };
	if (filter && !is_program(filter, n_instructions)) {
		free(filter);
		filter = NULL;
	}
	return filter;
}

void request_answer(int fd, int error, const char *why)
{
	struct wye_capture_answer message = { .error = error };

	snprintf(message.why, sizeof(message.why), "%s", why);
	(void)!send(fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
}
