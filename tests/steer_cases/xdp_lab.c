/* SPDX-License-Identifier: BSD-3-Clause */
/* A place to run the real XDP program in; see xdp_lab.h. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_xdp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wye_map.h"
#include "xdp_lab.h"

#define LO_IFINDEX 1	/* in every fresh network namespace */

static void __attribute__((noreturn)) broken(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void __attribute__((noreturn)) skip(const char *why)
{
	printf("skip: %s\n", why);
	exit(77);
}

void xdp_lab_enter(void)
{
	if (geteuid())
		skip("needs root");
	if (unshare(CLONE_NEWNS | CLONE_NEWNET))
		skip("no namespaces of its own");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		broken("private mounts");
	if (mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		skip("the kernel has no BPF file system");
}

/* Not bound to anything, but with all a socket needs to stand in an XSKMAP. */
static void make_socket(struct xdp_lab *lab)
{
	struct xdp_umem_reg umem = { .len = 64 * 4096, .chunk_size = 4096 };
	int ring = 64;

	lab->umem = mmap(NULL, umem.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	umem.addr = (uintptr_t)lab->umem;
	lab->socket_fd = socket(AF_XDP, SOCK_RAW, 0);
	if (lab->socket_fd < 0)
		skip("the kernel has no AF_XDP");
	if (setsockopt(lab->socket_fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)) ||
	    setsockopt(lab->socket_fd, SOL_XDP, XDP_UMEM_FILL_RING, &ring, sizeof(ring)) ||
	    setsockopt(lab->socket_fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &ring, sizeof(ring)) ||
	    setsockopt(lab->socket_fd, SOL_XDP, XDP_RX_RING, &ring, sizeof(ring)))
		broken("AF_XDP socket");
}

void xdp_lab_socket(struct xdp_lab *lab, bool there)
{
	uint32_t queue = 0, fd = lab->socket_fd;

	if (there ? bpf_map_update_elem(lab->xsks_fd, &queue, &fd, BPF_ANY) : bpf_map_delete_elem(lab->xsks_fd, &queue))
		broken("xsks_map");
}

void xdp_lab_alive(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	steer_xdp.alive(now.tv_sec * 1000000000ULL + now.tv_nsec);
}

void xdp_lab_open(struct xdp_lab *lab)
{
	char why[WYE_WHY_BYTES] = "";

	memset(lab, 0, sizeof(*lab));
	lab->port = (struct steer_port){ .netdev = "lo", .ifindex = LO_IFINDEX };
	memcpy(lab->port.mac, packet_mac, 6);
	if (steer_xdp.probe(&lab->port, why)) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	lab->object = bpf_object__open_file(steer_xdp_object(), NULL);
	if (!lab->object || bpf_object__load(lab->object))
		broken("loading the program a second time, as the driver does");
	lab->prog_fd = bpf_program__fd(bpf_object__next_program(lab->object, NULL));
	lab->xsks_fd = bpf_object__find_map_fd_by_name(lab->object, "xsks_map");
	make_socket(lab);
	xdp_lab_socket(lab, true);
}

void xdp_lab_close(struct xdp_lab *lab)
{
	close(lab->socket_fd);
	munmap(lab->umem, 64 * 4096);
	bpf_object__close(lab->object);
	steer_xdp.remove(&lab->port);
}

void xdp_lab_in_port(struct xdp_lab *lab, int in_port)
{
	char why[WYE_WHY_BYTES];

	lab->port.config_index = in_port;
	if (steer_xdp.enable(&lab->port, true, why))
		broken(why);
}

static uint32_t run(struct xdp_lab *lab, const struct packet *packet, uint8_t *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet->frame, .data_size_in = packet->len_bytes, .data_out = out,
		    .data_size_out = PACKET_BYTES_MAX, .repeat = 1);

	if (bpf_prog_test_run_opts(lab->prog_fd, &opts))
		broken("test run");
	return opts.retval;
}

uint32_t xdp_lab_action(struct xdp_lab *lab, const struct packet *packet)
{
	uint8_t out[PACKET_BYTES_MAX];

	return run(lab, packet, out);
}

struct counts {
	uint64_t rule[WYE_RULES_MAX + 1], counter[WYE_STEER_COUNTERS_MAX];
};

/* The one that moved, `none` if none did; exits if several did. */
static uint32_t moved(const uint64_t *before, const uint64_t *after, uint32_t n, uint32_t none)
{
	uint32_t which = none;

	for (uint32_t i = 0; i < n; i++) {
		if (before[i] == after[i])
			continue;
		if (which != none || after[i] != before[i] + 1) {
			fprintf(stderr, "one packet was counted twice: %u and %u\n", which, i);
			exit(1);
		}
		which = i;
	}
	return which;
}

struct xdp_answer xdp_lab_run(struct xdp_lab *lab, const struct packet *packet, uint32_t n_rules)
{
	struct counts before = { 0 }, after = { 0 };
	uint8_t out[PACKET_BYTES_MAX] = { 0 };
	struct xdp_answer answer = { 0 };

	xdp_lab_alive();
	steer_xdp.count(before.rule, before.counter);
	answer.action = run(lab, packet, out);
	steer_xdp.count(after.rule, after.counter);
	memcpy(answer.mac, out, 6);
	answer.verdict = moved(before.counter, after.counter, WYE_STEER_COUNTER_COUNT, STEER_BY_RULE);
	answer.rule = moved(before.rule, after.rule, n_rules + 1, UINT32_MAX);
	if (answer.rule == n_rules)
		answer.rule = WYE_STEER_RULES;
	return answer;
}
