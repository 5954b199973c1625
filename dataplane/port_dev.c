/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The DPDK device below a port.
 *
 * af_xdp (PMD of DPDK 22.11): all the queues the netdev's driver can pair with sockets, our steering program through
 * xdp_prog. Facts that shape this file:
 * - Buffers are registered with the kernel as one area from the pool's first chunk on: the pool is one chunk, packed.
 * - A frame must fit a page with mempool header, mbuf, headroom and XDP's 256 bytes: MTU ≤ WYE_AF_XDP_MTU_MAX.
 * - busy_budget: with it, each empty poll is a system call; without it and with a driver that asks for wake-ups, an empty
 *   poll blocks for a second. Software netdevs work in copy mode and never ask: 0 is right for them, and the worker may
 *   sleep on the sockets. Hardware keeps the PMD's default.
 * - The PMD does not tell its sockets; the one that appears while a queue is set up is the queue's.
 * - Closing leaves sockets open when the last reference to a queue's buffers is dropped (a miscounted reference), which
 *   keeps the queue busy, and never closes the program and maps it loaded: what it has left open is closed here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dpd.h"
#include "log.h"
#include "port_flags.h"
#include "steer_flow.h"
#include "wye_device.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif

#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9	/* Linux 6.17 */
#endif

#define DESCRIPTORS 2048

static const struct wye_sysroot machine = { "" };

static uint32_t at_most(uint32_t value, uint32_t most)
{
	return value < most ? value : most;
}

static uint32_t at_least(uint32_t value, uint32_t least)
{
	return value > least ? value : least;
}

/* ---- af_xdp ---------------------------------------------------------------------------------------------------- */

/* As the PMD sees it: combined channels, 1 where the driver has none. *receive: all queues packets may arrive on. */
static uint32_t netdev_queues(const char *netdev, uint32_t *receive)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq request = { .ifr_data = (char *)&channels };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t n = 1;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", netdev);
	if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0 && channels.max_combined)
		n = at_least(channels.combined_count, 1);
	*receive = at_least(channels.combined_count + channels.rx_count, n);
	if (fd >= 0)
		close(fd);
	return n;
}

static bool is_xsk(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_XDP;
}

/* Which descriptors we have now. */
static void fds_now(struct fd_list *list)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	memset(list, 0, sizeof(*list));
	while (dir && (entry = readdir(dir))) {
		unsigned long fd = strtoul(entry->d_name, NULL, 10);

		if (fd > 2 && fd < FD_LIST_MAX && (int)fd != dirfd(dir))
			list->bits[fd / 64] |= 1ULL << fd % 64;
	}
	if (dir)
		closedir(dir);
}

static bool fds_have(const struct fd_list *list, int fd)
{
	return fd >= 0 && fd < FD_LIST_MAX && list->bits[fd / 64] >> fd % 64 & 1;
}

/* In copy mode a system call sends 32 packets, unless told to send more; older kernels do not let themselves be told. */
static void xsk_send_all(int fd)
{
	int descriptors = DESCRIPTORS;

	(void)setsockopt(fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &descriptors, sizeof(descriptors));
}

static int xsk_new(const struct fd_list *before)
{
	struct fd_list now;

	fds_now(&now);
	for (int fd = 3; fd < FD_LIST_MAX; fd++)
		if (fds_have(&now, fd) && !fds_have(before, fd) && is_xsk(fd))
			return fd;
	return -1;
}

/* What appeared since `before` is the device's. */
static void fds_note(struct port *port, const struct fd_list *before)
{
	fds_now(&port->fds);
	for (size_t i = 0; i < sizeof(before->bits) / sizeof(before->bits[0]); i++)
		port->fds.bits[i] &= ~before->bits[i];
}

/* Called at once after the device was closed: nothing else can have taken the numbers it gave up. */
static void fds_close(struct port *port)
{
	for (int fd = 3; fd < FD_LIST_MAX; fd++)
		if (fds_have(&port->fds, fd) && fcntl(fd, F_GETFD) >= 0)
			close(fd);
	memset(&port->fds, 0, sizeof(port->fds));
}

static int af_xdp_devargs(struct port *port, char *devargs, size_t size, char *why)
{
	const char *netdev = port->steer.netdev;
	uint32_t receive, has = netdev_queues(netdev, &receive);
	uint32_t n = port->config->queues ? port->config->queues : has;
	const char *program = steer_xdp_object();
	bool software = port->link.kind[0] != '\0';

	if (!program) {
		snprintf(why, WYE_WHY_BYTES, "the steering program is not installed; install wye or set WYE_BPF_DIR");
		return -ENOENT;
	}
	if (n > has) {
		snprintf(why, WYE_WHY_BYTES, "queues: %u, but %s has %u combined channels: ethtool -L %s combined %u", n,
			 netdev, has, netdev, n);
		return -EINVAL;
	}
	n = at_most(n, WYE_QUEUES_MAX);
	if (n < receive)
		log_warning("port %s: %u of %u queues have sockets; flows that arrive on the others stay with the kernel",
			    port->config->netdev, n, receive);
	port->n_queues = (uint16_t)n;
	snprintf(port->device, sizeof(port->device), "net_af_xdp_wye%u", port->index);
	snprintf(devargs, size, "%s,iface=%s,start_queue=0,queue_count=%u,xdp_prog=%s%s", port->device,
		 netdev, n, program, software ? ",busy_budget=0" : "");
	return 0;
}

/* ---- any device -------------------------------------------------------------------------------------------------- */

/* The netdev's own device, found by it; `devargs` may add options behind the address. */
static int mlx5_devargs(struct port *port, char *devargs, size_t size, char *why)
{
	const char *options = port->config->devargs;
	struct wye_device device;
	int error = wye_device_of_port(&machine, port->config, port->steer.netdev, &device, why);

	if (error)
		return error;
	snprintf(port->device, sizeof(port->device), "%s", device.name);
	snprintf(devargs, size, "%s", options ? options : port->device);
	return 0;
}

static int devargs_of(struct port *port, char *devargs, size_t size, char *why)
{
	if (port->config->driver == WYE_DRIVER_AF_XDP)
		return af_xdp_devargs(port, devargs, size, why);
	if (port->config->driver == WYE_DRIVER_MLX5)
		return mlx5_devargs(port, devargs, size, why);
	if (wye_driver_takes_device(port->config->driver))
		return port_vfio_devargs(port, devargs, size, why);
	snprintf(devargs, size, "%s", port->config->devargs);
	snprintf(port->device, sizeof(port->device), "%.*s", (int)strcspn(devargs, ","), devargs);
	return 0;
}

static int probe(struct port *port, const char *devargs, char *why)
{
	int error = rte_dev_probe(devargs);

	if (!error && rte_eth_dev_get_port_by_name(port->device, &port->steer.dpdk_port) == 0)
		return 0;
	snprintf(why, WYE_WHY_BYTES, "DPDK has no driver for \"%.300s\", or the driver refuses it%s%s; run with -v for its words",
		 devargs, error ? ": " : "", error ? strerror(-error) : "");
	if (wye_driver_takes_device(port->config->driver))
		port_vfio_why(port, why);
	return error ? error : -ENODEV;
}

static void queue_numbers(struct port *port, const struct rte_eth_dev_info *info, uint32_t n_workers)
{
	uint32_t n = port->config->queues ? port->config->queues : n_workers;
	uint32_t senders = n_workers + (port->companion.fd >= 0); /* main sends what the companion TAP does */

	if (port->config->driver != WYE_DRIVER_AF_XDP)
		port->n_queues = (uint16_t)at_most(at_most(n, info->max_rx_queues), WYE_QUEUES_MAX);
	port->n_tx = (uint16_t)at_most(at_most(at_least(port->n_queues, senders), info->max_tx_queues), WYE_QUEUES_MAX);
	if (port->config->driver == WYE_DRIVER_AF_XDP)
		port->n_tx = port->n_queues; /* in pairs only */
}

/* What a frame may carry: the device's limit and the buffers'. */
static uint32_t mtu_limit(const struct port *port, const struct rte_eth_dev_info *info, struct rte_mempool *pool)
{
	uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM - 14 - 4;
	uint32_t most = info->max_mtu && info->max_mtu != UINT16_MAX ? info->max_mtu : UINT16_MAX;

	if (port->config->driver == WYE_DRIVER_AF_XDP)
		room -= XDP_HEADROOM;
	return at_most(most, room);
}

/*
 * The kernel may write to the buffers of a queue for a moment after its socket was closed, when the NIC has them. The next socket
 * can be bound only when it does not any more: then those of the attempt before go back. A queue that failed was never bound.
 */
static int setup_receive(struct port *port, struct rte_mempool *pool, uint16_t q, uint16_t descriptors)
{
	struct fd_list before;
	struct taken taken;
	int error;

	fds_now(&before);
	taken_begin(pool, &taken);
	error = rte_eth_rx_queue_setup(port->steer.dpdk_port, q, descriptors, SOCKET_ID_ANY, NULL, pool);
	if (!taken_end(pool, &taken) || port->config->driver != WYE_DRIVER_AF_XDP)
		taken_forget(&taken); /* other drivers give back what they took */
	port->told[q].fd = xsk_new(&before);
	if (port->told[q].fd >= 0)
		xsk_send_all(port->told[q].fd);
	taken_return(pool, error ? &taken : &port->taken[q]);
	if (!error)
		port->taken[q] = taken;
	return error;
}

static int setup_queues(struct port *port, struct rte_mempool *pool, char *why)
{
	uint16_t id = port->steer.dpdk_port, rx = DESCRIPTORS, tx = DESCRIPTORS;
	int error;

	(void)rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx, &tx);
	for (uint16_t q = 0; q < port->n_queues; q++) {
		error = setup_receive(port, pool, q, rx);
		if (error) {
			snprintf(why, WYE_WHY_BYTES, "receive queue %u of %u: %s; run with -v for the driver's words", q,
				 port->n_queues, strerror(-error));
			return error;
		}
	}
	for (uint16_t q = 0; q < port->n_tx; q++) {
		error = rte_eth_tx_queue_setup(id, q, tx, SOCKET_ID_ANY, NULL);
		if (error) {
			snprintf(why, WYE_WHY_BYTES, "transmit queue %u of %u: %s", q, port->n_tx, strerror(-error));
			return error;
		}
	}
	return 0;
}

static int configure(struct port *port, struct rte_mempool *pool, uint32_t n_workers, bool interrupts, char *why)
{
	struct rte_eth_conf conf = { .intr_conf.rxq = interrupts };
	struct rte_eth_dev_info info;
	int error = rte_eth_dev_info_get(port->steer.dpdk_port, &info);

	if (!error) {
		queue_numbers(port, &info, n_workers);
		port->mtu_max = mtu_limit(port, &info, pool);
		conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads &
						   (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP);
		if (port->n_queues > 1 && conf.rx_adv_conf.rss_conf.rss_hf)
			conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		error = rte_eth_dev_configure(port->steer.dpdk_port, port->n_queues, port->n_tx, &conf);
	}
	if (error)
		snprintf(why, WYE_WHY_BYTES, "%s: %u receive and %u transmit queues: %s", port->device, port->n_queues,
			 port->n_tx, strerror(-error));
	return error;
}

static int bring_up(struct port *port, const struct dpd *dpd, bool interrupts, char *why)
{
	int error = configure(port, dpd->pool, dpd->n_workers, interrupts, why);

	error = error ? error : setup_queues(port, dpd->pool, why);
	if (error)
		return error;
	error = port_flags_start(port->steer.dpdk_port, port->config->driver == WYE_DRIVER_AF_XDP ? port->steer.netdev : NULL);
	if (error)
		snprintf(why, WYE_WHY_BYTES, "%s does not start: %s", port->device, strerror(-error));
	else if (interrupts)
		port_told_find(port);
	return error;
}

/*
 * A worker that never sleeps has no use for them, and a device that is set up for them may hold back what it has received until
 * it would interrupt. UIO has one interrupt, for all a device has to say.
 */
static bool wants_interrupts(const struct port *port, const struct dpd *dpd)
{
	return port->config->driver != WYE_DRIVER_AF_XDP && port->config->driver != WYE_DRIVER_UIO &&
	       dpd->config->workers.idle == WYE_IDLE_ADAPTIVE;
}

int port_dev_open(struct port *port, const struct dpd *dpd, char *why)
{
	char devargs[1024];
	struct fd_list before;
	int error;

	fds_now(&before);
	memset(&port->fds, 0, sizeof(port->fds));
	port_told_forget(port);
	rte_spinlock_init(&port->interrupt_lock);
	for (uint32_t q = 0; q < WYE_QUEUES_MAX; q++)
		rte_spinlock_init(&port->tx_lock[q]);
	error = devargs_of(port, devargs, sizeof(devargs), why);
	error = error ? error : probe(port, devargs, why);
	if (error)
		return error;
	if (port->config->driver != WYE_DRIVER_AF_XDP)
		error = port_flow_isolate(port, why);
	if (!error) {
		error = wants_interrupts(port, dpd) ? bring_up(port, dpd, true, why) : -ENOTSUP;
		error = error ? bring_up(port, dpd, false, why) : 0;
	}
	if (port->config->driver == WYE_DRIVER_AF_XDP)
		fds_note(port, &before);
	if (!error && port->backend == &steer_flow)
		error = port_flow_attach(port, why);
	if (!error && wye_driver_takes_device(port->config->driver)) {
		port_vfio_hear(port);
		error = companion_up(port, why);
	}
	if (error)
		port_dev_close(port);
	for (uint32_t q = 0; q < WYE_QUEUES_MAX && !error; q++)
		taken_forget(&port->taken[q]); /* they are in use now */
	return error;
}

/* The kernel unbinds the sockets of a netdev that goes and leaves an error on them (xsk_notifier()). */
bool port_dev_lost(const struct port *port)
{
	for (uint32_t q = 0; q < port->n_queues; q++) {
		socklen_t len = sizeof(int);
		int error = 0;

		if (port->told[q].fd >= 0 && getsockopt(port->told[q].fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
		    error == ENETDOWN)
			return true;
	}
	return false;
}

bool port_dev_up(const struct port *port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };
	bool up = fd >= 0 && if_indextoname(port->steer.ifindex, request.ifr_name) &&
		  ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP;

	if (fd >= 0)
		close(fd);
	return up;
}

void port_dev_close(struct port *port)
{
	uint16_t id = port->steer.dpdk_port;
	struct rte_eth_dev_info info;

	companion_down(port);
	if (wye_driver_takes_device(port->config->driver))
		port_vfio_unhear(port);
	if (rte_eth_dev_info_get(id, &info) == 0) {
		(void)rte_eth_dev_stop(id);
		(void)rte_dev_remove(info.device); /* closes the port, too */
	}
	fds_close(port);
	port_told_forget(port);
}
