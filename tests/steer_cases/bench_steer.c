/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What steering costs a packet: the real XDP program, filled by the real backend, run by BPF_PROG_TEST_RUN. The
 * packet always matches the last rule, in the last word of the bit vectors. rules-N ask for destination, protocol and
 * port, all-N for all six fields there are; "floor" is a program that does nothing: the price of being called. Ratios
 * are against one rule of the same kind. One JSON object a line; needs root.
 */
#include <bpf/bpf.h>
#include <getopt.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "wye_map.h"
#include "xdp_lab.h"

#define TURNS_MAX 101

#define FLOOR UINT32_MAX
#define REPEAT 1000000

struct contest {
	const char *name, *versus, *packet;	/* packet NULL: the one for the last rule */
	uint32_t n_rules;
	bool all_fields;
	uint32_t action;
	uint32_t ns[TURNS_MAX];
};

#define TRANSIT "4 10.0.1.2>10.0.2.2 udp 1>2"

static struct contest contest[] = {
	{ "floor", "rules-0", TRANSIT, FLOOR, false, XDP_PASS, { 0 } },
	{ "guard", "rules-0", "eth type=0x0806", 1, false, XDP_PASS, { 0 } },
	{ "local", "rules-0", "4 10.0.1.2>10.0.2.1 udp 1>2", 1, false, XDP_PASS, { 0 } },
	{ "rules-0", "floor", TRANSIT, 0, false, XDP_REDIRECT, { 0 } },
	{ "rules-1", "rules-1", NULL, 1, false, XDP_REDIRECT, { 0 } },
	{ "rules-10", "rules-1", NULL, 10, false, XDP_REDIRECT, { 0 } },
	{ "rules-100", "rules-1", NULL, 100, false, XDP_REDIRECT, { 0 } },
	{ "rules-1000", "rules-1", NULL, 1000, false, XDP_REDIRECT, { 0 } },
	{ "rules-1000-miss", "rules-1", "4 10.0.1.2>198.18.0.1 udp 1>2", 1000, false, XDP_PASS, { 0 } },
	{ "all-1", "all-1", NULL, 1, true, XDP_REDIRECT, { 0 } },
	{ "all-1000", "all-1", NULL, 1000, true, XDP_REDIRECT, { 0 } },
	{ "ipv6-rules-1", "ipv6-rules-1", "6 fd00:1::2>fd00:0::9 udp 500>4000", 1, false, XDP_REDIRECT, { 0 } },
	{ "ipv6-rules-1000", "ipv6-rules-1", "6 fd00:1::2>fd00:3e7::9 udp 500>4000", 1000, false, XDP_REDIRECT, { 0 } },
};
#define CONTESTS (sizeof(contest) / sizeof(contest[0]))

/* Overlapping on purpose: all rules accept the packet by all fields but the destination, which tells them apart. */
static struct steer_rules *make_rules(uint32_t n, bool ip6, bool all_fields)
{
	struct wye_config config = { .n_rules = n, .default_action = n ? WYE_ACTION_KERNEL : WYE_ACTION_DATAPLANE };
	struct steer_rules *rules;

	config.rule = calloc(n ? n : 1, sizeof(*config.rule));
	for (uint32_t i = 0; i < n; i++) {
		struct wye_rule *rule = &config.rule[i];

		rule->in_port = all_fields ? 0 : -1;
		rule->proto_set = true;
		rule->ip_proto = 17;
		rule->sport = (struct wye_port_range){ all_fields, 0, 1000 + i };
		rule->dport = (struct wye_port_range){ true, 4000 - i, 4999 };
		rule->action = WYE_ACTION_DATAPLANE;
		if (ip6) {
			rule->dst = (struct wye_prefix){ .family = AF_INET6, .len = 64, .addr = { 0xfd, 0, i >> 8, i } };
		} else {
			rule->dst = (struct wye_prefix){ .family = AF_INET, .len = 32, .addr = { 11, 0, i >> 8, i } };
		}
		if (all_fields)
			rule->src = (struct wye_prefix){ .family = AF_INET, .len = 24, .addr = { 10, 0, 1 } };
	}
	rules = steer_compile(&config);
	free(config.rule);
	return rules;
}

static int floor_program(void)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "floor", "GPL", pass, 2, NULL);
}

static void prepare(struct xdp_lab *lab, const struct contest *of, const struct steer_locals *locals,
		    struct packet *packet)
{
	bool ip6 = of->packet && of->packet[0] == '6';
	uint32_t n = of->n_rules == FLOOR ? 0 : of->n_rules;
	struct steer_rules *rules = make_rules(n, ip6, of->all_fields);
	char text[80], why[WYE_WHY_BYTES];

	snprintf(text, sizeof(text), "4 10.0.1.2>11.0.%u.%u udp 500>4000", (n - 1) >> 8, (n - 1) & 255);
	if (!rules || packet_build(packet, of->packet ? of->packet : text) || steer_xdp.apply(rules, locals, why)) {
		fprintf(stderr, "%s: cannot prepare\n", of->name);
		exit(1);
	}
	steer_rules_free(rules);
	xdp_lab_in_port(lab, 0);
}

static void measure(struct xdp_lab *lab, struct contest *of, int floor_fd, const struct steer_locals *locals, int turn)
{
	struct packet packet;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet.frame, .repeat = REPEAT);

	prepare(lab, of, locals, &packet);
	opts.data_size_in = packet.len_bytes;
	steer_xdp.alive(INT64_MAX);	/* however long the busy machine takes */
	if (bpf_prog_test_run_opts(of->n_rules == FLOOR ? floor_fd : lab->prog_fd, &opts) ||
	    opts.retval != of->action) {
		fprintf(stderr, "%s: action %u instead of %u\n", of->name, opts.retval, of->action);
		exit(1);
	}
	of->ns[turn] = opts.duration;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static const struct contest *find(const char *name)
{
	const struct contest *of = contest;

	while (strcmp(of->name, name))
		of++;
	return of;
}

static void print(const struct contest *of, int turns)
{
	const struct contest *versus = find(of->versus);
	uint32_t vs = versus->ns[turns / 2], ns = of->ns[turns / 2];

	printf("{\"bench\":\"steer\",\"case\":\"%s\",\"value\":%u,\"unit\":\"ns\",\"vs\":\"%s\",\"vs_value\":%u,"
	       "\"ratio\":%.2f,\"n\":%d,\"min\":%u,\"max\":%u}\n",
	       of->name, ns, versus->name, vs, vs ? (double)ns / vs : 0, turns, of->ns[0], of->ns[turns - 1]);
}

int main(int argc, char **argv)
{
	static const struct steer_local own[] = {
		{ AF_INET, 32, { 10, 0, 1, 1 } }, { AF_INET, 32, { 10, 0, 2, 1 } }, { AF_INET, 32, { 10, 0, 2, 255 } },
		{ AF_INET6, 128, { 0xfd, 0, 0, 1, [15] = 1 } },
	};
	static const struct option option[] = { { "json", no_argument, NULL, 'j' }, { "runs", required_argument, NULL, 'n' },
						{ 0 } };
	struct steer_locals *locals = steer_locals_from(own, sizeof(own) / sizeof(own[0]));
	int turns = 5, floor_fd, c;
	struct xdp_lab lab;

	while ((c = getopt_long(argc, argv, "", option, NULL)) != -1)
		turns = c == 'n' ? atoi(optarg) : c == 'j' ? turns : 0;
	if (turns < 1 || turns > TURNS_MAX) {
		fprintf(stderr, "usage: bench_steer [--json] [--runs 1-%d]\n", TURNS_MAX);
		return 2;
	}
	xdp_lab_enter();
	xdp_lab_open(&lab);
	floor_fd = floor_program();
	for (int turn = 0; turn < turns; turn++)	/* in turns, so that a noisy minute hits all alike */
		for (size_t i = 0; i < CONTESTS; i++)
			measure(&lab, &contest[i], floor_fd, locals, turn);
	for (size_t i = 0; i < CONTESTS; i++)
		qsort(contest[i].ns, turns, sizeof(contest[i].ns[0]), by_value);
	for (size_t i = 0; i < CONTESTS; i++)
		print(&contest[i], turns);
	xdp_lab_close(&lab);
	steer_locals_free(locals);
	return 0;
}
