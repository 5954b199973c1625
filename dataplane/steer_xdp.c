/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steering by XDP: fills the maps of bpf/steer.bpf.c. The af_xdp PMD loads and attaches the program; here are the
 * rules, the host's own addresses, the ports and the heartbeat.
 *
 * Ordering guarantees: a rule set is filled while no program can reach it and becomes current by replacing the one
 * element of wye_rules; the kernel makes that system call wait until no program uses the old set. So the half of
 * wye_hits that a new set counts in was left behind by its last user before it is zeroed. An own address enters the
 * tries before its hint bit, and the count of short prefixes, say so; it leaves in the other order. Words of wye_state
 * are relaxed stores: each stands alone.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steer_private.h"
#include "wye_map.h"

static struct steer_maps maps = { -1, -1, -1, -1, -1, -1, -1, NULL, 0 };
static uint32_t n_ports;	/* probed and not removed */
static uint32_t half;		/* of wye_hits that the current rules count in */
static uint32_t n_rules;	/* current */
static struct steer_local *known;	/* what the tries hold, sorted */
static size_t n_known;

static const uint32_t first = 0;

static int failed(int err, char *why, const char *what)
{
	snprintf(why, WYE_WHY_BYTES, "XDP steering: %s: %s", what, strerror(-err));
	return err;
}

/* ---- ports ---- */

static int xdp_probe(struct steer_port *port, char *why)
{
	bool first_port = !maps.state;
	int err;

	if (port->config_index < 0 || port->config_index >= WYE_STEER_PORTS) {
		snprintf(why, WYE_WHY_BYTES, "%s: port number %d: at most %d ports can be steered", port->netdev,
			 port->config_index, WYE_STEER_PORTS);
		return -EINVAL;
	}
	err = steer_maps_open(&maps, why);
	if (!err)
		err = steer_netdev_clear(port, why);
	if (err && first_port)
		steer_maps_close(&maps);
	n_ports += !err;
	return err;
}

static int port_write(const struct steer_port *port, bool enable, char *why)
{
	struct wye_steer_port value = { .in_port = port->config_index };
	uint32_t key = port->ifindex;
	int err;

	value.flags = (enable ? WYE_STEER_PORT_ENABLED : 0) | (port->generic_xdp ? WYE_STEER_PORT_GENERIC : 0) |
		      (port->no_family[0] ? WYE_STEER_PORT_NO_IP4 : 0) | (port->no_family[1] ? WYE_STEER_PORT_NO_IP6 : 0);
	memcpy(value.mac, port->mac, sizeof(value.mac));
	memcpy(value.punt_mac, port->punt_mac, sizeof(value.punt_mac));
	err = bpf_map_update_elem(maps.ports_fd, &key, &value, BPF_ANY);
	return err ? failed(err, why, "wye_ports") : 0;
}

/* Locally administered, "wye" and three random bytes: nobody's, so nothing but a punted frame carries it. */
static void make_punt_mac(uint8_t mac[6])
{
	static const uint8_t start[3] = { 0x02, 'w', 'y' };

	memcpy(mac, start, sizeof(start));
	if (getrandom(mac + 3, 3, GRND_NONBLOCK) != 3)
		memset(mac + 3, 'e', 3);
}

static int xdp_attached(struct steer_port *port, char *why)
{
	int mode = steer_netdev_mode(port->ifindex);

	if (!mode) {
		snprintf(why, WYE_WHY_BYTES, "%s: the af_xdp driver started, but the steering program is not on the netdev; "
			 "was another one attached meanwhile? bpftool net show dev %s", port->netdev, port->netdev);
		return -ENOENT;
	}
	port->generic_xdp = mode == XDP_ATTACHED_SKB;
	if (port->generic_xdp)
		make_punt_mac(port->punt_mac);
	return port_write(port, false, why);
}

static bool xdp_present(const struct steer_port *port)
{
	return steer_netdev_mode(port->ifindex) != 0;
}

static int xdp_enable(struct steer_port *port, bool enable, char *why)
{
	if (!maps.state)
		return failed(-ENODEV, why, port->netdev);
	return port_write(port, enable, why);
}

static void forget(void)
{
	free(known);
	known = NULL;
	n_known = 0;
	n_rules = 0;
	half = 0;
}

static void xdp_remove(struct steer_port *port)
{
	uint32_t key = port->ifindex;

	if (!maps.state)
		return;
	steer_netdev_detach(port->ifindex);
	(void)bpf_map_delete_elem(maps.ports_fd, &key);
	n_ports -= n_ports > 0;
	if (n_ports)
		return;
	steer_maps_close(&maps);
	forget();
}

/* ---- the host's own prefixes ---- */

static int local_write(const struct steer_local *local, bool add)
{
	struct wye_steer_local4 key4 = { .prefix_len = local->prefix_len };
	struct wye_steer_local6 key6 = { .prefix_len = local->prefix_len };
	int fd = local->family == AF_INET ? maps.local4_fd : maps.local6_fd;
	const void *key = local->family == AF_INET ? (const void *)&key4 : (const void *)&key6;
	uint32_t value = local->family;

	memcpy(key4.addr, local->addr, sizeof(key4.addr));
	memcpy(key6.addr, local->addr, sizeof(key6.addr));
	return add ? bpf_map_update_elem(fd, key, &value, BPF_ANY) : bpf_map_delete_elem(fd, key);
}

/* Walks two sorted lists: what is only in `a`. */
static int each_only_in(const struct steer_local *a, size_t n_a, const struct steer_local *b, size_t n_b, bool add)
{
	size_t j = 0;

	for (size_t i = 0; i < n_a; i++) {
		int err;

		while (j < n_b && steer_local_compare(&b[j], &a[i]) < 0)
			j++;
		if (j < n_b && !steer_local_compare(&b[j], &a[i]))
			continue;
		err = local_write(&a[i], add);
		if (err && !(err == -ENOENT && !add))
			return err;
	}
	return 0;
}

static void hints_write(const struct steer_locals *locals)
{
	static uint64_t hint[WYE_STEER_HINTS / 64];
	uint32_t n_short[2] = { 0, 0 };

	memset(hint, 0, sizeof(hint));
	for (size_t i = 0; i < locals->n; i++) {
		const struct steer_local *local = &locals->entry[i];
		bool ip6 = local->family == AF_INET6;
		uint64_t hi, lo;
		uint32_t bit;

		steer_addr_words(local->addr, &hi, &lo);
		bit = wye_steer_hint(hi, lo);
		if (local->prefix_len == (ip6 ? 128 : 32))
			hint[bit / 64] |= 1ULL << bit % 64;
		else
			n_short[ip6]++;
	}
	for (size_t i = 0; i < WYE_STEER_HINTS / 64; i++)
		atomic_store_explicit((_Atomic uint64_t *)&maps.state->hint[i], hint[i], memory_order_relaxed);
	for (int i = 0; i < 2; i++)
		atomic_store_explicit((_Atomic uint32_t *)&maps.state->short_prefixes[i], n_short[i], memory_order_release);
}

static int xdp_locals(const struct steer_locals *locals, char *why)
{
	struct steer_local *copy;
	int err;

	if (!maps.state)
		return failed(-ENODEV, why, "no port");
	copy = malloc((locals->n ? locals->n : 1) * sizeof(*copy));
	if (!copy)
		return failed(-ENOMEM, why, "local addresses");
	memcpy(copy, locals->entry, locals->n * sizeof(*copy));
	err = each_only_in(locals->entry, locals->n, known, n_known, true);
	if (err) {	/* some may be in: they stay, which keeps more with the kernel */
		free(copy);
		return failed(err, why, "local addresses");
	}
	hints_write(locals);
	(void)each_only_in(known, n_known, locals->entry, locals->n, false);
	free(known);
	known = copy;
	n_known = locals->n;
	return 0;
}

/* ---- rules ---- */

static int zero_hits(uint32_t of_half)
{
	struct wye_steer_hits *zero = calloc(maps.n_cpus, (sizeof(*zero) + 7) / 8 * 8);
	int err = zero ? bpf_map_update_elem(maps.hits_fd, &of_half, zero, BPF_ANY) : -ENOMEM;

	free(zero);
	return err;
}

/* A map of its own for the new set. */
static int make_set(const struct steer_rules *rules, uint32_t new_half)
{
	struct wye_steer_rules *value = malloc(sizeof(*value));
	int fd = -ENOMEM, err;

	if (!value)
		return fd;
	memcpy(value, &rules->map_value, sizeof(*value));
	value->half = new_half;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "wye_ruleset", sizeof(uint32_t), sizeof(*value), 1, NULL);
	err = fd < 0 ? fd : bpf_map_update_elem(fd, &first, value, BPF_ANY);
	free(value);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

static int xdp_apply(const struct steer_rules *rules, const struct steer_locals *locals, char *why)
{
	int err, fd;

	if (!maps.state)
		return failed(-ENODEV, why, "no port");
	err = xdp_locals(locals, why);
	if (err)
		return err;
	fd = make_set(rules, !half);
	if (fd < 0)
		return failed(fd, why, "a map for the new rules");
	err = zero_hits(!half);
	if (!err)
		err = bpf_map_update_elem(maps.rules_fd, &first, &fd, BPF_ANY);
	close(fd);
	if (err)
		return failed(err, why, "the new rules; the old ones stay");
	half = !half;
	n_rules = rules->map_value.n_rules;
	atomic_store_explicit((_Atomic uint32_t *)&maps.state->enabled, 1, memory_order_relaxed);
	return 0;
}

static void xdp_alive(uint64_t now_ns)
{
	if (maps.state)
		atomic_store_explicit((_Atomic uint64_t *)&maps.state->alive_ns, now_ns, memory_order_relaxed);
}

static void xdp_hand_back(const struct steer_port *port, bool slow, uint32_t above_pps)
{
	uint32_t most = (uint32_t)((uint64_t)above_pps * WYE_STEER_PACE_NS / 1000000000);
	struct wye_steer_pace *pace = &maps.state->pace[port->config_index];

	atomic_store_explicit((_Atomic uint32_t *)&pace->most, most, memory_order_relaxed);
	atomic_store_explicit((_Atomic uint32_t *)&pace->slow, slow, memory_order_release);
}

static bool xdp_handed_back(const struct steer_port *port)
{
	return atomic_load_explicit((_Atomic uint32_t *)&maps.state->pace[port->config_index].slow, memory_order_relaxed);
}

/* ---- counters ---- */

static void add_per_cpu(int fd, uint32_t key, size_t value_bytes, void (*add)(const void *value, uint64_t *to),
			uint64_t *to)
{
	size_t stride = (value_bytes + 7) / 8 * 8;
	char *values = calloc(maps.n_cpus, stride);

	if (values && bpf_map_lookup_elem(fd, &key, values) == 0)
		for (int cpu = 0; cpu < maps.n_cpus; cpu++)
			add(values + cpu * stride, to);
	free(values);
}

static void add_hits(const void *value, uint64_t *to)
{
	const struct wye_steer_hits *hits = value;

	for (uint32_t i = 0; i < n_rules; i++)
		to[i] += hits->packets[i];
	to[n_rules] += hits->packets[WYE_STEER_RULES];
}

static void add_counters(const void *value, uint64_t *to)
{
	const struct wye_steer_counters *counters = value;

	for (uint32_t i = 0; i < WYE_STEER_COUNTER_COUNT; i++)
		to[i] += counters->packets[i];
}

static void xdp_count(uint64_t *rule_packets, uint64_t *counters)
{
	if (!maps.state)
		return;
	add_per_cpu(maps.hits_fd, half, sizeof(struct wye_steer_hits), add_hits, rule_packets);
	add_per_cpu(maps.counters_fd, 0, sizeof(struct wye_steer_counters), add_counters, counters);
}

const struct steer_backend steer_xdp = {
	.name = "xdp",
	.probe = xdp_probe,
	.attached = xdp_attached,
	.present = xdp_present,
	.apply = xdp_apply,
	.enable = xdp_enable,
	.locals = xdp_locals,
	.alive = xdp_alive,
	.hand_back = xdp_hand_back,
	.handed_back = xdp_handed_back,
	.remove = xdp_remove,
	.count = xdp_count,
};
