/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a port, driven by the mirror's LINK record of its netdev:
 *
 *   WAITING ── netdev there ──▶ open (device, TAP, steering) ──▶ ACTIVE ◀──▶ KERNEL
 *      ▲                          │ not possible: FAILED, tried again          │
 *      └──────────────── netdev gone, or called otherwise ──────────────────────┘
 *
 * KERNEL is a port that is set up but given no flows, because forwarding by the mirror would not be what the kernel does:
 * mirror stale, link down, forwarding off, parity guard, MTU too large.
 */
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "dpd.h"
#include "log.h"
#include "runtime/config.h"
#include "runtime/init.h"
#include "steer_flow.h"

#define RETRY_NS 1000000000u
#define RETRY_MAX_NS 8000000000u

/* For devices of DPDK's own it is settled when the device is there: port_flow_isolate(). */
static const struct steer_backend *first_backend(enum wye_driver driver)
{
	if (driver == WYE_DRIVER_AF_XDP)
		return &steer_xdp;
	return driver == WYE_DRIVER_MLX5 ? &steer_flow : &steer_software;
}

/* Entries of dpd.port from the configuration; nothing is opened. */
static int port_init(struct dpd *dpd)
{
	dpd->n_ports = (uint32_t)dpd->config->n_ports;
	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		struct port *port = &dpd->port[i];

		*port = (struct port){
			.index = i,
			.config = &dpd->config->port[i],
			.state = WYE_PORT_WAITING,
			.backend = first_backend(dpd->config->port[i].driver),
			.steer.config_index = (int)i,
			.companion.fd = -1,
		};
		snprintf(port->detail, sizeof(port->detail), "wye-ctld has not told of this netdev yet");
	}
	return 0;
}

static void port_state(struct port *port, enum wye_port_state state, const char *detail)
{
	static const char *const name[] = { "absent", "waiting", "active", "kernel", "failed" };

	if (port->state == state && !strncmp(port->detail, detail, sizeof(port->detail) - 1))
		return;
	port->state = state;
	snprintf(port->detail, sizeof(port->detail), "%s", detail);
	log_at(state == WYE_PORT_FAILED ? LOG_ERROR : LOG_NOTICE, "port %s: %s%s%s", port->config->netdev, name[state],
	       detail[0] ? ": " : "", detail);
}

/* One netdev has two names, and two ports each one of them: it is the first's. */
static const struct port *same_netdev(const struct dpd *dpd, const struct port *port)
{
	for (uint32_t i = 0; i < port->index; i++)
		if (port->link_index && dpd->port[i].link_index == port->link_index)
			return &dpd->port[i];
	return NULL;
}

static void say_waiting(struct dpd *dpd, struct port *port, const struct port *taken)
{
	char detail[sizeof(port->detail)];

	if (taken)
		snprintf(detail, sizeof(detail), "its netdev %s is port %.48s already", port->link.name, taken->config->netdev);
	else
		strcpy(detail, dpd->tables.region ? "netdev does not exist; waiting for it" : "no tables from wye-ctld yet");
	port_state(port, WYE_PORT_WAITING, detail);
}

void port_look(struct dpd *dpd)
{
	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		struct port *port = &dpd->port[i];
		struct wye_link before = port->link;
		const struct port *taken;

		port->link_index = 0;
		if (dpd->tables.region)
			port->link_index = tables_link(dpd->tables.region, port->config->netdev, &port->link);
		taken = same_netdev(dpd, port);
		port->link_index = taken ? 0 : port->link_index;
		if (before.ifindex != port->link.ifindex || before.mtu_bytes != port->link.mtu_bytes ||
		    before.ifi_flags != port->link.ifi_flags)
			port->retry_ns = port->retry_wait_ns = 0;
		if (!port->link_index && !port->open)
			say_waiting(dpd, port, taken);
	}
}

bool port_must_close(const struct port *port)
{
	return port->open && (!port->link_index || port->link.ifindex != port->steer.ifindex || port->tap_lost ||
			      port_dev_lost(port) || port_vfio_asked(port) || companion_same_mac(port));
}

const char *port_ifname(const struct port *port, char name[IF_NAMESIZE])
{
	return if_indextoname(port->steer.ifindex, name) ? name : "";
}

static void retry_later(struct port *port, uint64_t now_ns)
{
	port->retry_wait_ns = port->retry_wait_ns ? port->retry_wait_ns * 2 : RETRY_NS;
	if (port->retry_wait_ns > RETRY_MAX_NS)
		port->retry_wait_ns = RETRY_MAX_NS;
	port->retry_ns = now_ns + port->retry_wait_ns;
}

/* Called when no worker polls it any more. */
void port_close(struct dpd *dpd, struct port *port, const char *detail)
{
	char why[WYE_WHY_BYTES];

	if (port->enabled)
		(void)port->backend->enable(&port->steer, false, why);
	port->enabled = false;
	if (port->tap_lost)
		retry_later(port, clock_ns());
	port->taken_off = port->tap_lost = false;
	port->open = false;
	while (punt_write(dpd, 4096)) /* packets of this port that wait for main */
		;
	dpd->port_of_dpdk[port->steer.dpdk_port] = 0;
	port_watch_hold();
	port_dev_close(port);
	port_watch_go();
	dpd->pool_lost = true;
	port->backend->remove(&port->steer);
	punt_tap_close(&dpd->punt.tap[port->index]);
	port_vlan_restore(port);
	port->n_queues = port->n_tx = 0;
	port_state(port, WYE_PORT_WAITING, detail);
}

/* The device must not be asked for frames it cannot hold: what is larger would vanish in the driver. */
static int check_mtu(const struct port *port, char *why)
{
	if (!port->mtu_max || port->link.mtu_bytes <= port->mtu_max)
		return 0;
	snprintf(why, WYE_WHY_BYTES, "MTU %u is above the %s driver's %u: ip link set dev %s mtu %u", port->link.mtu_bytes,
		 port->config->driver == WYE_DRIVER_AF_XDP ? "af_xdp" : "device", port->mtu_max, port->config->netdev,
		 port->mtu_max);
	return -EMSGSIZE;
}

/* What a device beside the netdev lacks, the netdev has: the kernel's packets leave by that. */
static int check_device(const struct port *port, char *why)
{
	int error = check_mtu(port, why);

	if (error || !port_beside(port) || port->companion.carrier)
		return error;
	snprintf(why, WYE_WHY_BYTES, "%s has no link, whatever %s has", port->device, port->config->netdev);
	return -ENETDOWN;
}

static bool xdp_alone(const struct dpd *dpd, const struct port *but)
{
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (dpd->port[i].open && &dpd->port[i] != but && dpd->port[i].backend == &steer_xdp)
			return false;
	return true;
}

/* After the device is there. Rules are the backend's business once, not once a port. */
static int open_steering(struct dpd *dpd, struct port *port, char *why)
{
	int error = 0;

	if (port->backend->attached)
		error = port->backend->attached(&port->steer, why);
	if (!error && port->steer.tc_steered)
		error = punt_tap_guard(&dpd->punt.tap[port->index], port->config->netdev, port->steer.ifindex, why);
	if (!error && (port->backend == &steer_flow || (port->backend == &steer_xdp && xdp_alone(dpd, port))))
		error = port->backend->apply(dpd->flows.rules, dpd->flows.locals, why);
	return error;
}

static int port_open(struct dpd *dpd, struct port *port, char *why)
{
	struct punt_tap *tap = &dpd->punt.tap[port->index];
	int error;

	port_vfio_given(port); /* that was another device's time */
	port->steer.ifindex = port->link.ifindex;
	memcpy(port->steer.netdev, port->link.name, sizeof(port->steer.netdev));
	memcpy(port->steer.mac, port->link.mac, 6);
	if (port->config->driver == WYE_DRIVER_AF_XDP)
		port->mtu_max = WYE_AF_XDP_MTU_MAX;
	error = check_mtu(port, why);
	if (error)
		return error;
	error = port->backend->probe(&port->steer, why);
	if (error)
		return error;
	error = port_vlan_keep(port, why);
	if (error)
		goto remove;
	error = punt_tap_open(tap, port->config->netdev, port->link.ifindex, why);
	if (error)
		goto vlan;
	error = port_dev_open(port, dpd, why);
	error = error ? error : check_mtu(port, why);
	if (error)
		goto tap;
	error = open_steering(dpd, port, why);
	if (!error) {
		port->open = true;
		dpd->port_of_dpdk[port->steer.dpdk_port] = (uint8_t)(port->index + 1);
		return 0;
	}
	port_dev_close(port);
tap:
	punt_tap_close(tap);
vlan:
	port_vlan_restore(port);
remove:
	port->backend->remove(&port->steer);
	return error;
}

static void say_open(const struct port *port, uint64_t since_ns)
{
	const char *steering = "software steering";

	if (port->backend == &steer_xdp)
		steering = port->steer.generic_xdp ? "generic XDP" : "native XDP";
	else if (port->backend == &steer_flow)
		steering = "rte_flow";
	log_notice("port %s: ifindex %u, %s, %s, %u queue%s, MTU up to %u; opened in %llu ms", port->config->netdev,
		   port->steer.ifindex, port->device, steering, port->n_queues, port->n_queues == 1 ? "" : "s", port->mtu_max,
		   (unsigned long long)(clock_ns() - since_ns) / 1000000);
}

/* Workers nap then, all of the time that they would sleep. */
static void say_polled(const struct dpd *dpd, const struct port *port)
{
	if (dpd->config->workers.idle == WYE_IDLE_ADAPTIVE && !port_told(port))
		log_notice("port %s: nothing tells of packets in %s (%s): an idle worker looks for them in naps of 100 us, which "
			   "takes some 9%% of a core", port->config->netdev, port->device,
			   port->config->driver == WYE_DRIVER_UIO ? "UIO has one interrupt, for all a device has to say" :
			   "its driver has no receive interrupts that can be waited for");
}

bool port_open_ready(struct dpd *dpd, uint64_t now_ns)
{
	char why[WYE_WHY_BYTES];
	bool any = false;

	dpd->look_again = false;
	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		struct port *port = &dpd->port[i];
		uint64_t since_ns = clock_ns();
		int error;

		if (port->open || !port->link_index || !dpd->flows.locals)
			continue;
		if (port_beside(port) && !(port->link.flags & WYE_LINK_UP)) { /* a VF gets its MAC from a PF that is up */
			port_state(port, WYE_PORT_WAITING, "link is down; its VF is opened when it is up");
			continue;
		}
		dpd->look_again = true;
		if (now_ns < port->retry_ns)
			continue;
		why[0] = '\0';
		port_watch_hold();
		error = port_open(dpd, port, why);
		port_watch_go();
		if (error) {
			retry_later(port, now_ns);
			port_state(port, WYE_PORT_FAILED, why);
			continue;
		}
		say_open(port, since_ns);
		say_polled(dpd, port);
		any = true;
	}
	return any;
}

/* Why no packet may come to us; "" = some may. */
static void why_not(const struct dpd *dpd, const struct port *port, char *why)
{
	static const char *const trust[] = {
		[WYE_TRUST_NEVER_SYNCED] = "the mirror has not been in sync yet",
		[WYE_TRUST_STOPPED] = "wye-ctld has stopped",
		[WYE_TRUST_STALE] = "no sign of life from wye-ctld",
	};

	why[0] = '\0';
	if (dpd->tables.trust != WYE_TRUST_OK)
		strcpy(why, trust[dpd->tables.trust]);
	else if (port->taken_off)
		strcpy(why, port->backend == &steer_flow ? "its flow entries could not be put back" :
			    "its XDP program was taken off; restart wye-dpd to attach it again");
	else if (!(port->link.flags & WYE_LINK_PORT))
		strcpy(why, "no port in wye-ctld's configuration, so nothing guards it: reload wye-ctld");
	else if (!(port->link.flags & WYE_LINK_UP))
		strcpy(why, "link is down");
	else
		(void)check_device(port, why);
}

/* Why none of a family may; parity: the family's half. */
static void why_not_family(const struct port *port, uint32_t forward, uint32_t parity, char *why)
{
	static const struct { uint32_t bit; const char *what; } guard[] = {
		{ WYE_PARITY_NFTABLES, " nftables" }, { WYE_PARITY_IPTABLES, " iptables" }, { WYE_PARITY_HOOKS, " hooks" },
		{ WYE_PARITY_TC, " tc" }, { WYE_PARITY_XDP, " xdp" }, { WYE_PARITY_XFRM, " xfrm" },
		{ WYE_PARITY_RULES, " rules" },
		{ WYE_PARITY_BRIDGE_PORT, " bridge_port" }, { WYE_PARITY_CAPACITY, " capacity" },
		{ WYE_PARITY_PMTU, " pmtu" }, { WYE_PARITY_IPVS, " ipvs" },
	};
	size_t at;

	why[0] = '\0';
	if (!(port->link.flags & forward)) {
		strcpy(why, "forwarding is off");
	} else if (parity) {
		at = (size_t)sprintf(why, "parity guard:");
		for (size_t i = 0; i < sizeof(guard) / sizeof(guard[0]); i++)
			if (parity & guard[i].bit)
				at += (size_t)sprintf(why + at, "%s", guard[i].what);
	}
}

/* What the families say, as one answer for the port. True: it takes packets of at least one. */
static bool judge_families(const struct dpd *dpd, struct port *port, char *why)
{
	uint32_t parity = port->link.parity | atomic_load_explicit((_Atomic uint32_t *)&dpd->tables.region->parity,
								   memory_order_relaxed);
	char not4[WYE_WHY_BYTES / 4], not6[WYE_WHY_BYTES / 4];

	why_not_family(port, WYE_LINK_FORWARD4, parity & 0xffff, not4);
	why_not_family(port, WYE_LINK_FORWARD6, parity >> 16, not6);
	port->steer.no_family[0] = not4[0];
	port->steer.no_family[1] = not6[0];
	if (not4[0] && not6[0]) {
		if (strcmp(not4, not6))
			snprintf(why, WYE_WHY_BYTES, "%s (IPv4), %s (IPv6)", not4, not6);
		else
			strcpy(why, not4);
		return false;
	}
	if (not4[0] || not6[0])
		snprintf(why, WYE_WHY_BYTES, "%s is the kernel's: %s", not4[0] ? "IPv4" : "IPv6", not4[0] ? not4 : not6);
	return true;
}

static void steer_one(struct dpd *dpd, struct port *port)
{
	char why[WYE_WHY_BYTES], error[WYE_WHY_BYTES] = "";
	struct steer_port before = port->steer;
	bool enable;

	port->sends = check_device(port, why) == 0;
	why_not(dpd, port, why);
	enable = !why[0] && judge_families(dpd, port, why);
	memcpy(port->steer.mac, port->link.mac, 6);
	if ((enable != port->enabled || memcmp(before.mac, port->steer.mac, 6) ||
	     memcmp(before.no_family, port->steer.no_family, sizeof(before.no_family))) &&
	    port->backend->enable(&port->steer, enable, error) < 0) {
		port_state(port, WYE_PORT_FAILED, error);
		return;
	}
	port->enabled = enable;
	port_state(port, enable ? WYE_PORT_ACTIVE : WYE_PORT_KERNEL, why);
}

void port_steer(struct dpd *dpd)
{
	port_watch(dpd, clock_ns());
	for (uint32_t i = 0; i < dpd->n_ports; i++) {
		struct port *port = &dpd->port[i];

		if (!port->open || !port->link_index)
			continue;
		if (wye_driver_takes_device(port->config->driver)) {
			companion_mtu(port);
			companion_mac(port);
		}
		steer_one(dpd, port);
	}
}

/* Rules speak of ports by number: those must be the same. */
static int ports_check(const struct wye_config *now, const struct wye_config *wanted, char *why)
{
	bool same = now->n_ports == wanted->n_ports;

	for (size_t i = 0; i < now->n_ports && same; i++)
		same = !strcmp(now->port[i].netdev, wanted->port[i].netdev) &&
		       now->port[i].driver == wanted->port[i].driver;
	if (same)
		return 0;
	snprintf(why, WYE_WHY_BYTES, "%s: ports differ from those running; restart wye-dpd for that", wanted->path);
	return -EINVAL;
}

static bool same_device(const struct wye_config_port *a, const struct wye_config_port *b)
{
	bool same_args = a->devargs && b->devargs ? !strcmp(a->devargs, b->devargs) : a->devargs == b->devargs;

	return same_args && a->queues == b->queues && a->whole_device == b->whole_device;
}

static bool ports_same(const struct config_section *section, const struct wye_config *now,
		       const struct wye_config *wanted)
{
	for (size_t i = 0; i < now->n_ports; i++)
		if (!same_device(&now->port[i], &wanted->port[i]))
			return false;
	return true;
}
CONFIG(ports, .same = ports_same, .check = ports_check);

/* Orderly end of all, when the workers have stopped: steering off, ports closed, interfaces as they were found. */
static void port_stop_all(struct dpd *dpd)
{
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (dpd->port[i].open)
			port_close(dpd, &dpd->port[i], "closed");
}
INIT(ports, .start = port_init, .stop = port_stop_all, .after = INIT_NAMES("eal", "pool", "flows", "punt"));
