/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A place to run the real XDP program in: own network and mount namespaces with a BPF file system of their own, so
 * that nothing outside is seen or touched and all of it ends with the process.
 */
#ifndef XDP_LAB_H
#define XDP_LAB_H

#include "table.h"

struct bpf_object;

struct xdp_lab {
	struct bpf_object *object;	/* loaded as the af_xdp PMD does it */
	int prog_fd, xsks_fd, socket_fd;
	struct steer_port port;		/* lo: what a test run's packets come in by */
	void *umem;
};

struct xdp_answer {
	uint32_t action;	/* XDP_* */
	uint32_t verdict;	/* WYE_STEER_*; STEER_BY_RULE = passed by a rule */
	uint32_t rule;		/* if by a rule or taken */
	uint8_t mac[6];		/* destination of the frame afterwards */
};

/* Enters the namespaces. Prints "skip: reason" and exits 77 if this machine or user cannot. */
void xdp_lab_enter(void);

/* The program as the driver loads it, after the backend's probe of lo, with an AF_XDP socket on queue 0. */
void xdp_lab_open(struct xdp_lab *lab);
void xdp_lab_close(struct xdp_lab *lab);

/* One packet through the program, and what its counters say of it. n_rules of the current set. */
struct xdp_answer xdp_lab_run(struct xdp_lab *lab, const struct packet *packet, uint32_t n_rules);
uint32_t xdp_lab_action(struct xdp_lab *lab, const struct packet *packet);	/* only the action: cheap */
void xdp_lab_in_port(struct xdp_lab *lab, int in_port);
void xdp_lab_socket(struct xdp_lab *lab, bool there);
void xdp_lab_alive(void);	/* heartbeat now */

#endif
