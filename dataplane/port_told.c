/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tells that a receive queue of a device other than af_xdp's has packets, so that its worker can sleep: asked of the
 * device when it has started with receive interrupts wanted, as no driver says beforehand whether it has them.
 *
 * An eventfd that vfio-pci or a virtual device signals must be emptied, so it must not block; a driver that has one but
 * nothing to switch its interrupts on by has none (igb's for VFs). Other descriptors are the kernel's word on packets that
 * wait: of a TUN device, or of a completion channel (mlx5), which the driver empties when it switches off. Of no use are
 * - UIO's: one for all a device has to say, and read by DPDK's interrupt thread;
 * - an epoll of descriptors that nobody empties (vhost);
 * - one that two queues share (ixgbe's for VFs): who empties it would take the other worker's word.
 */
#include <errno.h>
#include <fcntl.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "port.h"

/* A device without interrupts is no error, but the library logs one. */
static int descriptor(uint16_t dpdk_port, uint16_t queue)
{
	int library = rte_log_register("lib.ethdev"), level = library < 0 ? -1 : rte_log_get_level((uint32_t)library), fd;

	if (level >= 0)
		rte_log_set_level((uint32_t)library, RTE_LOG_CRIT);
	fd = rte_eth_dev_rx_intr_ctl_q_get_fd(dpdk_port, queue);
	if (level >= 0)
		rte_log_set_level((uint32_t)library, (uint32_t)level);
	return fd;
}

/* Can it be waited for? 0 or -ENOTSUP. */
static int look_at(int fd, bool *counts)
{
	char path[64], is[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || readlink(path, is, sizeof(is) - 1) < 0 || !strncmp(is, "/dev/uio", 8) || strstr(is, "[eventpoll]"))
		return -ENOTSUP;
	*counts = strstr(is, "[eventfd]");
	return *counts && !(fcntl(fd, F_GETFL) & O_NONBLOCK) ? -ENOTSUP : 0;
}

/* Has the driver something to switch? */
static bool interrupts(uint16_t dpdk_port, uint16_t queue)
{
	if (rte_eth_dev_rx_intr_enable(dpdk_port, queue))
		return false;
	(void)rte_eth_dev_rx_intr_disable(dpdk_port, queue);
	return true;
}

static bool is_shared(const struct port *port, uint16_t queue)
{
	for (uint16_t q = 0; q < queue; q++)
		if (port->told[q].fd == port->told[queue].fd)
			return true;
	return false;
}

void port_told_find(struct port *port)
{
	uint16_t id = port->steer.dpdk_port;

	for (uint16_t q = 0; q < port->n_queues; q++) {
		struct port_told *told = &port->told[q];

		told->fd = descriptor(id, q);
		if (look_at(told->fd, &told->counts) || is_shared(port, q)) {
			port_told_forget(port);
			return;
		}
		told->interrupts = interrupts(id, q);
		if (told->counts && !told->interrupts) {
			port_told_forget(port);
			return;
		}
	}
}

void port_told_forget(struct port *port)
{
	for (uint32_t q = 0; q < WYE_QUEUES_MAX; q++)
		port->told[q] = (struct port_told){ .fd = -1 };
}

bool port_told(const struct port *port)
{
	for (uint16_t q = 0; q < port->n_queues; q++)
		if (port->told[q].fd < 0)
			return false;
	return true;
}
