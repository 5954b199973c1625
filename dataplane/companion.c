/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Companions; see companion.h. What the kernel sends is read by the main thread: it is what the host itself sends, and
 * all traffic while the dataplane has no flows, so it is bounded by what one thread copies.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "companion.h"
#include "dpd.h"
#include "log.h"
#include "runtime/init.h"
#include "runtime/process.h"

#define BURST 32
#define BUDGET 256
#define LINK_NS 500000000u

/* ---- the TAP ---------------------------------------------------------------------------------------------------------- */

static void carrier(struct port *port, bool on)
{
	int value = on;

	if (port->companion.fd >= 0 && port->companion.carrier != on)
		(void)ioctl(port->companion.fd, TUNSETCARRIER, &value);
	port->companion.carrier = on;
}

/* A TAP of the configured name, made or taken up again; -1 and errno EINVAL: the name is another netdev's. */
static int tap_take(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0)
		return fd;
	if (fd >= 0) {
		int error = errno;

		close(fd);
		errno = error;
	}
	return -1;
}

static int companion_take(struct port *port)
{
	const char *name = port->config->netdev;

	if (strlen(name) >= IFNAMSIZ) /* an alternative name: of a netdev that is there */
		return 0;
	port->companion.fd = tap_take(name);
	if (port->companion.fd >= 0) {
		port->companion.carrier = true; /* as TUNSETIFF leaves it */
		carrier(port, false);
		return 0;
	}
	if (errno == EINVAL && if_nametoindex(name))
		return 0;
	log_error("port %s: the companion TAP could not be made: %s%s", name, strerror(errno),
		  errno == EBUSY ? "; another process has it: is another wye-dpd running in this network namespace?" : "");
	return -errno;
}

static int tap_mac(const char *name, const struct rte_ether_addr *mac, char *why)
{
	struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	memcpy(request.ifr_hwaddr.sa_data, mac, 6);
	if (fd < 0 || ioctl(fd, SIOCSIFHWADDR, &request) < 0) {
		error = -errno;
		snprintf(why, WYE_WHY_BYTES, "%s: the device's MAC cannot be given to it: %s", name, strerror(-error));
	}
	if (fd >= 0)
		close(fd);
	return error;
}

/* ---- the port opens and closes ------------------------------------------------------------------------------------------ */

bool companion_same_mac(const struct port *port)
{
	return port_beside(port) && !memcmp(&port->companion.device_mac, port->link.mac, 6);
}

/* What the kernel wants to receive on the TAP besides its MAC and broadcasts. */
static uint32_t wanted_multicast(const struct port *port, struct rte_ether_addr *list)
{
	FILE *file = fopen("/proc/self/net/dev_mcast", "re");
	uint32_t n = 0, ifindex;
	char line[160];

	while (file && n < COMPANION_MULTICAST_MAX && fgets(line, sizeof(line), file)) {
		uint8_t *mac = list[n].addr_bytes;

		if (sscanf(line, "%u %*s %*d %*d %2hhx%2hhx%2hhx%2hhx%2hhx%2hhx", &ifindex, &mac[0], &mac[1], &mac[2],
			   &mac[3], &mac[4], &mac[5]) == 7 && ifindex == port->steer.ifindex)
			n++;
	}
	if (file)
		fclose(file);
	return n;
}

/* All multicast is more than an unprivileged VF may ask for with many NICs: the list first. */
static void follow_multicast(struct port *port)
{
	struct companion *companion = &port->companion;
	struct rte_ether_addr list[COMPANION_MULTICAST_MAX];
	uint32_t n = wanted_multicast(port, list);
	int error;

	if (n == companion->n_multicast && !memcmp(list, companion->multicast, n * sizeof(list[0])))
		return;
	memcpy(companion->multicast, list, n * sizeof(list[0]));
	companion->n_multicast = n;
	error = n < COMPANION_MULTICAST_MAX ? rte_eth_dev_set_mc_addr_list(port->steer.dpdk_port, list, n) : -ENOSPC;
	if (error)
		error = rte_eth_allmulticast_enable(port->steer.dpdk_port);
	if (error)
		log_warning("port %s: %s does not take the multicast addresses that the kernel wants (%s); IPv6 may not find its "
			    "neighbours", port->config->netdev, port->device, strerror(-error));
}

/*
 * When a VF's PF is reset its link goes, and when that comes back the VF is deaf. Drivers hear of it from the PF; that of igb's
 * VFs has no interrupt for what the PF says. The PF's count tells of a link that was gone for too short a time to be seen.
 */
static void follow_link(struct port *port)
{
	struct companion *companion = &port->companion;
	struct rte_eth_link link = { 0 };
	bool on = rte_eth_link_get_nowait(port->steer.dpdk_port, &link) == 0 && link.link_status;

	companion->lost |= companion->carrier && !on;
	if (on && companion->deaf && (companion->lost || port_vfio_pf_changes(port) != companion->pf_changes))
		port_vfio_reset(port);
	carrier(port, on);
}

static bool is_deaf(const struct port *port)
{
	struct rte_eth_dev_info info;

	return rte_eth_dev_info_get(port->steer.dpdk_port, &info) == 0 && !strcmp(info.driver_name, "net_e1000_igb_vf");
}

/* Does the PF know the VF by another MAC? 0: it leaves that to the VF. */
static bool known_otherwise(const struct wye_vf *vf, const struct rte_ether_addr *mac)
{
	return vf->known && !rte_is_zero_ether_addr((const struct rte_ether_addr *)vf->mac) && memcmp(vf->mac, mac, 6);
}

/* One wire, and each packet once: what keeps the VF from standing beside the netdev. */
static int beside_refuse(const struct port *port, char *why)
{
	const struct companion *companion = &port->companion;
	const char *netdev = port->steer.netdev;

	if (companion_same_mac(port))
		snprintf(why, WYE_WHY_BYTES, "%s has the MAC of %s, and both would receive each packet: wye vf set %s N mac MAC",
			 port->device, netdev, netdev);
	else if (companion->vf.known && companion->vf.vlan)
		snprintf(why, WYE_WHY_BYTES, "%s's packets are put in VLAN %u, those of %s are not: wye vf set %s N vlan 0",
			 port->device, companion->vf.vlan, netdev, netdev);
	else if (known_otherwise(&companion->vf, &companion->device_mac))
		snprintf(why, WYE_WHY_BYTES, "%s has the MAC " RTE_ETHER_ADDR_PRT_FMT ", but not by its PF: ip link show dev %s",
			 port->device, RTE_ETHER_ADDR_BYTES(&companion->device_mac), netdev);
	else
		return 0;
	return -EADDRINUSE;
}

/* Beside another's netdev, of which nothing is changed. */
static int beside_up(struct port *port, char *why)
{
	struct rte_ether_addr *mac = &port->companion.device_mac;
	int error = rte_eth_macaddr_get(port->steer.dpdk_port, mac);

	error = error ? error : beside_refuse(port, why);
	if (error)
		return error;
	follow_link(port);
	log_notice("port %s: %s, beside it, has the MAC " RTE_ETHER_ADDR_PRT_FMT ": it gets what is sent to that, and what rules in "
		   "the NIC send it", port->config->netdev, port->device, RTE_ETHER_ADDR_BYTES(mac));
	return 0;
}

int companion_up(struct port *port, char *why)
{
	struct rte_ether_addr mac;
	int error;

	companion_mtu(port);
	port->companion.deaf = is_deaf(port);
	port->companion.lost = false;
	port_vfio_ask(port->device, &port->companion.vf);
	if (port_beside(port))
		return beside_up(port, why);
	error = rte_eth_macaddr_get(port->steer.dpdk_port, &mac);
	error = error ? error : tap_mac(port->steer.netdev, &mac, why);
	if (error)
		return error;
	(void)ioctl(port->companion.fd, TUNSETPERSIST, 1); /* one that never had a device goes with us */
	port->companion.n_multicast = 0; /* the device is new */
	port->companion.mac_told = false;
	follow_multicast(port);
	follow_link(port);
	return 0;
}

void companion_down(struct port *port)
{
	carrier(port, false);
}

void companion_mtu(struct port *port)
{
	uint16_t has = 0;

	if (rte_eth_dev_get_mtu(port->steer.dpdk_port, &has) < 0 || has >= port->link.mtu_bytes)
		return;
	if (port->link.mtu_bytes > port->mtu_max ||
	    rte_eth_dev_set_mtu(port->steer.dpdk_port, (uint16_t)port->link.mtu_bytes) < 0)
		port->mtu_max = has;
}

/* The PF may give its VF another MAC or VLAN, which takes effect in the NIC and not in the driver. */
void companion_vf(struct port *port, const struct wye_vf *before, const struct wye_vf *now)
{
	struct rte_ether_addr mac;

	if (!now->known || memcmp(before, &port->companion.vf, sizeof(*before)) ||
	    rte_eth_macaddr_get(port->steer.dpdk_port, &mac))
		return; /* nothing is told, or more has been asked meanwhile */
	port->companion.vf = *now;
	if (before->vlan != now->vlan || (memcmp(before->mac, now->mac, 6) && known_otherwise(now, &mac)))
		port_vfio_reset(port);
}

/* The driver may not hear its PF refuse it. */
static int set_mac(struct port *port, struct rte_ether_addr *mac, struct rte_ether_addr *before)
{
	int error = rte_eth_dev_default_mac_addr_set(port->steer.dpdk_port, mac);

	port_vfio_ask(port->device, &port->companion.vf);
	if (error || !known_otherwise(&port->companion.vf, mac))
		return error;
	(void)rte_eth_dev_default_mac_addr_set(port->steer.dpdk_port, before);
	return -EPERM;
}

/* What `ip link set` gave the TAP is the device's too, or taken back. The mirror tells late what companion_up() gave it. */
void companion_mac(struct port *port)
{
	struct rte_ether_addr has, wanted;
	char why[WYE_WHY_BYTES];
	int error;

	memcpy(&wanted, port->link.mac, sizeof(wanted));
	if (port->companion.fd < 0 || rte_eth_macaddr_get(port->steer.dpdk_port, &has) < 0)
		return;
	port->companion.mac_told |= rte_is_same_ether_addr(&has, &wanted);
	if (!port->companion.mac_told || rte_is_same_ether_addr(&has, &wanted))
		return;
	error = set_mac(port, &wanted, &has);
	if (!error)
		return;
	log_warning("port %s: %s does not take the MAC " RTE_ETHER_ADDR_PRT_FMT " (%s): %s keeps the device's; of a VF it is set at its "
		    "PF: wye vf set PF N mac MAC", port->config->netdev, port->device, RTE_ETHER_ADDR_BYTES(&wanted), strerror(-error),
		    port->steer.netdev);
	port->companion.mac_told = false;
	if (tap_mac(port->steer.netdev, &has, why))
		log_error("port %s: %s", port->config->netdev, why);
}

/* ---- what the kernel sends ------------------------------------------------------------------------------------------------ */

static struct rte_mbuf *read_one(const struct port *port, struct rte_mempool *pool)
{
	struct rte_mbuf *packet = rte_pktmbuf_alloc(pool);
	ssize_t n;

	if (!packet)
		return NULL;
	n = read(port->companion.fd, rte_pktmbuf_mtod(packet, void *), rte_pktmbuf_tailroom(packet));
	if (n >= (ssize_t)sizeof(struct rte_ether_hdr)) {
		packet->data_len = (uint16_t)n;
		packet->pkt_len = (uint32_t)n;
		return packet;
	}
	rte_pktmbuf_free(packet);
	return NULL;
}

/* Main's queue is the one behind the workers', or the last, shared with one of them: then both take its lock. */
static void send_burst(struct dpd *dpd, struct port *port, struct rte_mbuf **packets, uint16_t n)
{
	uint16_t queue = (uint16_t)(dpd->n_workers % port->n_tx), sent;

	rte_spinlock_lock(&port->tx_lock[queue]);
	sent = rte_eth_tx_burst(port->steer.dpdk_port, queue, packets, n);
	rte_spinlock_unlock(&port->tx_lock[queue]);
	if (sent == n)
		return;
	count_add(&dpd->stats->worker[0].port[port->index].tx_dropped, (uint64_t)(n - sent));
	rte_pktmbuf_free_bulk(packets + sent, n - sent);
}

static void read_tap(struct dpd *dpd, struct port *port)
{
	struct rte_mbuf *packets[BURST];

	for (uint32_t done = 0; done < BUDGET; done += BURST) {
		uint16_t n = 0;

		while (n < BURST && (packets[n] = read_one(port, dpd->pool)))
			n++;
		if (n)
			send_burst(dpd, port, packets, n);
		if (n < BURST)
			return;
	}
}

/* Nobody is there to send it: as on a link without carrier. */
static void drain(const struct port *port)
{
	char frame[2048];

	for (int i = 0; i < BUDGET && read(port->companion.fd, frame, sizeof(frame)) > 0; i++)
		;
}

static uint64_t companion_run(struct process *process, const struct process_event *event)
{
	struct dpd *dpd = process->data;

	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		struct port *port = &dpd->port[i];

		if (!wye_driver_takes_device(port->config->driver))
			continue;
		if (event->kind == PROCESS_READY && event->fd == port->companion.fd && port->open)
			read_tap(dpd, port);
		else if (event->kind == PROCESS_READY && event->fd == port->companion.fd)
			drain(port);
		else if (event->kind == PROCESS_CLOCK && port->open) {
			if (!port_beside(port))
				follow_multicast(port);
			follow_link(port);
		}
	}
	return process_period(process, event, LINK_NS);
}

static int companion_open(struct dpd *dpd)
{
	static struct process process = { .name = "companion", .run = companion_run };
	bool any = false;
	int error = 0;

	process.data = dpd;
	for (uint32_t i = 0; i < dpd->n_ports && !error; i++) {
		if (!wye_driver_takes_device(dpd->port[i].config->driver))
			continue;
		error = companion_take(&dpd->port[i]);
		any = true;
	}
	if (error || !any)
		return error;
	error = process_add(&process);
	for (uint32_t i = 0; i < dpd->n_ports && !error; i++)
		if (dpd->port[i].companion.fd >= 0)
			error = process_watch(&process, dpd->port[i].companion.fd, EPOLLIN);
	if (error)
		log_error("companions: %s", strerror(-error));
	return error;
}

static void companion_close(struct dpd *dpd)
{
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (dpd->port[i].companion.fd >= 0) {
			carrier(&dpd->port[i], false);
			close(dpd->port[i].companion.fd);
			dpd->port[i].companion.fd = -1;
		}
}
INIT(companion, .start = companion_open, .stop = companion_close, .after = INIT_NAMES("ports", "process"),
     .before = INIT_NAMES("follow"));
