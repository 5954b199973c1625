/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rte_flow backend: a port's entries (steer_flow_plan.h) kept on a bifurcating device, behind the few operations a
 * device must have. No DPDK in here: steer_flow_rte.c has the operations of real devices, tests have their own.
 *
 * It sits on top of the software backend, which judges what comes (steer_software_classify()) and is given the same rules,
 * addresses and ports.
 *
 * No change leaves a flow without an owner. Flat: entries that are new are created, then those that are gone destroyed;
 * equal ones stay. Grouped: the new set is built in the other group, then the frames that jump are sent there: a second
 * jump entry, above or below the old one, and the old one goes. What cannot be completed is taken back, and the old set
 * was never touched.
 *
 * Unlike an XDP program, entries go on delivering to a process that no longer polls. When a worker stands still, main
 * takes them out (alive()); when main hangs as well, the watchdog of systemd ends the process, and with its device all
 * entries go. Main thread only.
 */
#ifndef STEER_FLOW_H
#define STEER_FLOW_H

#include "steer_flow_plan.h"

struct flow_place {	/* where an entry goes */
	uint16_t dpdk_port;
	uint32_t group, priority;
	const uint8_t *mac;		/* destination to match; NULL: whoever jumped here has been asked */
	uint32_t jump;			/* not 0: to this group, whatever the entry's action */
};

struct flow_ops {
	/* NULL: refused, with the device's words in why. */
	void *(*create)(const struct flow_place *place, const struct flow_entry *entry, char *why);
	int (*destroy)(uint16_t dpdk_port, void *handle);
	uint64_t (*packets)(uint16_t dpdk_port, void *handle);	/* since its creation; 0 where the device does not count */
	void (*flush)(uint16_t dpdk_port);	/* whatever is left */
};

extern const struct steer_backend steer_flow;

/*
 * After the device started, isolated: the port may take entries from now on, until steer_flow.remove(). 0 or -errno
 * (EINVAL: no such port number).
 */
int steer_flow_attach(const struct steer_port *port, const struct flow_ops *ops, const struct flow_can *can,
		      char *why);

/* Adds entries per rule ([n_rules] = the default) that are wanted and that are on the devices, over all ports. */
void steer_flow_entries(uint32_t *wanted, uint32_t *installed);

#endif
