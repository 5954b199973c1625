/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rte_flow backend against a device that fails when told to: what is on it after each step, and that no moment of a
 * replacement leaves a flow of both sets without its owner.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "steer_flow.h"
#include "table.h"
#include "wye_map.h"

/* ---- the device ----------------------------------------------------------------------------------------------------- */

struct on_device {
	bool used;
	struct flow_place place;
	struct flow_entry entry;
	uint8_t mac[6];
};

static struct on_device device[4096];
static uint32_t n_created, fail_at;	/* the fail_at-th create is refused; 0 = none */
static void (*each_step)(void);

static void *fake_create(const struct flow_place *place, const struct flow_entry *entry, char *why)
{
	if (++n_created == fail_at) {
		snprintf(why, WYE_WHY_BYTES, "no room");
		return NULL;
	}
	for (size_t i = 0; i < 4096; i++) {
		if (device[i].used)
			continue;
		device[i] = (struct on_device){ .used = true, .place = *place, .entry = *entry };
		if (place->mac)
			memcpy(device[i].mac, place->mac, 6);
		if (each_step)
			each_step();
		return &device[i];
	}
	return NULL;
}

static int fake_destroy(uint16_t dpdk_port, void *handle)
{
	struct on_device *entry = handle;

	assert_true(entry->used);
	entry->used = false;
	if (each_step)
		each_step();
	return 0;
}

static uint64_t fake_packets(uint16_t dpdk_port, void *handle)
{
	return 10;
}

static void fake_flush(uint16_t dpdk_port)
{
	for (size_t i = 0; i < 4096; i++)
		assert_false(device[i].used && device[i].place.dpdk_port == dpdk_port);	/* nothing is left to it */
}

static const struct flow_ops fake_ops = { fake_create, fake_destroy, fake_packets, fake_flush };

static size_t on_device(void)
{
	size_t n = 0;

	for (size_t i = 0; i < 4096; i++)
		n += device[i].used;
	return n;
}

/* ---- fixture --------------------------------------------------------------------------------------------------------- */

static const struct flow_can flat = { .port_masks = true, .entries_max = 1000 };
static const struct flow_can grouped = { .grouped = true, .port_masks = true, .icmp6 = true, .entries_max = 1000 };
static struct steer_port port = { .netdev = "p0", .mac = { 2, 0, 0, 0, 0, 1 } };
static char why[WYE_WHY_BYTES];

/* Rules by bit: 10.0.n.0/24 to the dataplane, 10.1.n.0/24 to the kernel. */
static struct steer_rules *rules_of(uint32_t dataplane, uint32_t kernel)
{
	struct wye_config config = { .rule = calloc(64, sizeof(struct wye_rule)) };
	struct steer_rules *rules;

	for (uint32_t i = 0; i < 64; i++) {
		struct wye_rule *rule = &config.rule[config.n_rules];

		if (!((i < 32 ? dataplane : kernel) >> i % 32 & 1))
			continue;
		*rule = (struct wye_rule){ .in_port = -1, .dst = { AF_INET, 24, { 10, i >= 32, i % 32 } }, .action = i < 32 };
		config.n_rules++;
	}
	rules = steer_compile(&config);
	free(config.rule);
	return rules;
}

static void start(const struct flow_can *can)
{
	memset(device, 0, sizeof(device));
	n_created = fail_at = 0;
	each_step = NULL;
	assert_int_equal(steer_flow.probe(&port, why), 0);
	assert_int_equal(steer_flow_attach(&port, &fake_ops, can, why), 0);
}

static void end(void)
{
	each_step = NULL;
	assert_int_equal(steer_flow.enable(&port, false, why), 0);
	assert_int_equal(on_device(), 0);
	steer_flow.remove(&port);
}

/* ---- tests ----------------------------------------------------------------------------------------------------------- */

/* Sets {0,1,2} → {1,2,3}: each failing create in turn leaves exactly the old set, and the next try succeeds. */
static void rollback(const struct flow_can *can)
{
	struct steer_rules *one = rules_of(7, 1), *two = rules_of(14, 3);
	struct steer_locals *locals = steer_locals_from(NULL, 0);
	struct on_device before[64];
	uint32_t k = 1;
	size_t n;
	int error;

	start(can);
	assert_int_equal(steer_flow.apply(one, locals, why), 0);
	assert_int_equal(on_device(), 0);	/* not enabled */
	assert_int_equal(steer_flow.enable(&port, true, why), 0);
	n = on_device();
	memcpy(before, device, sizeof(before));
	do {
		n_created = 0;
		fail_at = k++;
		error = steer_flow.apply(two, locals, why);
		if (!error)
			break;
		assert_string_equal(why, "no room");
		assert_int_equal(on_device(), n);
		for (size_t i = 0; i < 64; i++)
			assert_true(device[i].used == before[i].used &&
				    (!device[i].used || !memcmp(&device[i].entry, &before[i].entry, sizeof(before[i].entry))));
		assert_true(steer_flow.present(&port));
	} while (k < 100);
	assert_int_equal(error, 0);
	assert_true(k > 2);
	fail_at = 0;
	end();
	steer_rules_free(one);
	steer_rules_free(two);
	steer_locals_free(locals);
}

static void rollback_flat(void **state)
{
	rollback(&flat);
}

static void rollback_grouped(void **state)
{
	rollback(&grouped);
}

/* A port that cannot be enabled has nothing on the device, whichever create fails. */
static void enable_fails(void **state)
{
	struct steer_rules *rules = rules_of(0xff, 0xf);
	struct steer_locals *locals = steer_locals_from(NULL, 0);
	uint32_t k;

	for (k = 1; k < 100; k++) {
		start(&grouped);
		assert_int_equal(steer_flow.apply(rules, locals, why), 0);
		fail_at = k;
		if (steer_flow.enable(&port, true, why) == 0)
			break;
		assert_int_equal(on_device(), 0);
		end();
	}
	assert_in_range(k, 10, 99);
	end();
	steer_rules_free(rules);
	steer_locals_free(locals);
}

/* Two ports, the second refuses: the first keeps its old set. */
static void all_ports_or_none(void **state)
{
	struct steer_rules *one = rules_of(1, 0), *two = rules_of(6, 0);
	struct steer_locals *locals = steer_locals_from(NULL, 0);
	struct steer_port other = { .netdev = "p1", .config_index = 1, .dpdk_port = 1 };

	start(&flat);
	assert_int_equal(steer_flow_attach(&other, &fake_ops, &flat, why), 0);
	assert_int_equal(steer_flow.apply(one, locals, why), 0);
	assert_int_equal(steer_flow.enable(&port, true, why), 0);
	assert_int_equal(steer_flow.enable(&other, true, why), 0);
	assert_int_equal(on_device(), 2);
	fail_at = n_created + 4;
	assert_int_equal(steer_flow.apply(two, locals, why), -EIO);
	assert_int_equal(on_device(), 2);
	for (size_t i = 0; i < 4096; i++)
		assert_true(!device[i].used || device[i].entry.match.dst.addr[2] == 0);
	fail_at = 0;
	assert_int_equal(steer_flow.apply(two, locals, why), 0);
	assert_int_equal(on_device(), 4);
	for (int i = 0; i < 2; i++) {
		uint32_t wanted[WYE_RULES_MAX + 1] = { 0 }, installed[WYE_RULES_MAX + 1] = { 0 };

		steer_flow_entries(wanted, installed);
		assert_int_equal(wanted[0], 2 - i);
		assert_int_equal(installed[0], 2 - i);
		assert_int_equal(steer_flow.enable(i ? &port : &other, false, why), 0);
		steer_flow.remove(i ? &port : &other);
	}
	steer_rules_free(one);
	steer_rules_free(two);
	steer_locals_free(locals);
}

/* A flow in 10.0.1.0/24, which both sets give to the dataplane. */
static void flat_owner(void)
{
	for (size_t i = 0; i < 4096; i++)
		if (device[i].used && device[i].entry.match.dst.addr[2] == 1 && !memcmp(device[i].mac, port.mac, 6))
			return;
	fail_msg("nobody has the flow");
}

/* The jump that counts leads into a group that has the flow, before the group's end. */
static void grouped_owner(void)
{
	const struct on_device *jump = NULL, *decides = NULL;

	for (size_t i = 0; i < 4096; i++)
		if (device[i].used && device[i].place.jump && device[i].entry.match.family == AF_INET &&
		    (!jump || device[i].place.priority < jump->place.priority))
			jump = &device[i];
	assert_non_null(jump);
	for (size_t i = 0; i < 4096; i++) {
		const struct flow_match *match = &device[i].entry.match;

		if (device[i].used && !device[i].place.jump && device[i].place.group == jump->place.jump &&
		    match->family == AF_INET && (!match->dst.len || match->dst.addr[2] == 1) &&
		    (!decides || device[i].place.priority < decides->place.priority))
			decides = &device[i];
	}
	assert_non_null(decides);
	assert_true(decides->entry.dataplane);
}

static void no_gap(const struct flow_can *can, void (*owner)(void))
{
	struct steer_rules *one = rules_of(7, 0), *two = rules_of(14, 0);
	struct steer_locals *locals = steer_locals_from(NULL, 0);

	start(can);
	assert_int_equal(steer_flow.apply(one, locals, why), 0);
	assert_int_equal(steer_flow.enable(&port, true, why), 0);
	each_step = owner;
	for (int i = 0; i < 5; i++)
		assert_int_equal(steer_flow.apply(i % 2 ? one : two, locals, why), 0);
	assert_int_equal(steer_flow.locals(locals, why), 0);
	if (can->grouped) {	/* flat_owner() asks for the MAC */
		port.mac[5] ^= 1;
		assert_int_equal(steer_flow.enable(&port, true, why), 0);
	}
	end();
	steer_rules_free(one);
	steer_rules_free(two);
	steer_locals_free(locals);
}

static void no_gap_flat(void **state)
{
	no_gap(&flat, flat_owner);
}

static void no_gap_grouped(void **state)
{
	no_gap(&grouped, grouped_owner);
}

/* Equal entries stay. */
static void flat_keeps_what_stays(void **state)
{
	struct steer_rules *one = rules_of(7, 0), *two = rules_of(14, 0);
	struct steer_locals *locals = steer_locals_from(NULL, 0);
	uint32_t before;

	start(&flat);
	assert_int_equal(steer_flow.apply(one, locals, why), 0);
	assert_int_equal(steer_flow.enable(&port, true, why), 0);
	before = n_created;
	assert_int_equal(steer_flow.apply(two, locals, why), 0);
	assert_int_equal(n_created - before, 1);
	assert_int_equal(on_device(), 3);
	end();
	steer_rules_free(one);
	steer_rules_free(two);
	steer_locals_free(locals);
}

/* Workers that stand still: nothing on the device until they move again; what cannot be put back is not there. */
static void workers_stand_still(void **state)
{
	struct steer_rules *rules = rules_of(3, 0);
	struct steer_locals *locals = steer_locals_from(NULL, 0);

	start(&flat);
	assert_int_equal(steer_flow.apply(rules, locals, why), 0);
	assert_int_equal(steer_flow.enable(&port, true, why), 0);
	assert_int_equal(on_device(), 2);
	steer_flow.alive(STEER_DEAD_NS);
	assert_int_equal(on_device(), 0);
	assert_true(steer_flow.present(&port));
	steer_flow.alive(1000);
	assert_int_equal(on_device(), 2);
	steer_flow.alive(STEER_DEAD_NS);
	fail_at = n_created + 1;
	steer_flow.alive(2000);
	assert_int_equal(on_device(), 0);
	assert_false(steer_flow.present(&port));
	end();
	steer_rules_free(rules);
	steer_locals_free(locals);
}

/* What the device keeps with the kernel is counted by it, and not lost with the entry that counted. */
static void kernel_hits(void **state)
{
	struct steer_rules *rules = rules_of(1, 1);
	struct steer_locals *locals = steer_locals_from(NULL, 0);
	uint64_t packets[WYE_RULES_MAX + 1] = { 0 }, counters[WYE_STEER_COUNTERS_MAX] = { 0 };

	start(&grouped);
	assert_int_equal(steer_flow.apply(rules, locals, why), 0);
	assert_int_equal(steer_flow.enable(&port, true, why), 0);
	assert_int_equal(steer_flow.locals(locals, why), 0);	/* the set is made anew */
	steer_flow.count(packets, counters);
	assert_int_equal(packets[0], 0);	/* the dataplane's: counted in software */
	assert_int_equal(packets[1], 20);
	assert_int_equal(packets[2], 40);	/* the default: IPv4 and IPv6 */
	end();
	steer_rules_free(rules);
	steer_locals_free(locals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rollback_flat),     cmocka_unit_test(rollback_grouped),
		cmocka_unit_test(enable_fails),	     cmocka_unit_test(all_ports_or_none),
		cmocka_unit_test(no_gap_flat),	     cmocka_unit_test(no_gap_grouped),
		cmocka_unit_test(flat_keeps_what_stays), cmocka_unit_test(workers_stand_still),
		cmocka_unit_test(kernel_hits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
