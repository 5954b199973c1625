/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may be on a netdev, and whose pins are they: foreign programs are refused and stay, what a killed wye-dpd left
 * is removed, a living one is named. On a veth pair in namespaces of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wye_map.h"
#include "xdp_lab.h"

#define PIN_STATE "/sys/fs/bpf/wye_state"

static struct steer_port port[2];
static char why[WYE_WHY_BYTES];

static void expect(int got, int wanted)
{
	if (got != wanted)
		fail_msg("%d instead of %d: %s", got, wanted, why);
}

static void says(const char *part)
{
	if (!strstr(why, part))
		fail_msg("\"%s\" does not say \"%s\"", why, part);
}

static uint32_t attached_id(int i)
{
	uint32_t id = 0;

	assert_int_equal(bpf_xdp_query_id(port[i].ifindex, 0, &id), 0);
	return id;
}

static void nothing_left(void)
{
	assert_int_equal(attached_id(0), 0);
	assert_int_equal(attached_id(1), 0);
	assert_int_not_equal(access(PIN_STATE, F_OK), 0);
	assert_int_not_equal(access("/sys/fs/bpf/wye_rules", F_OK), 0);
}

/* A program that passes everything, by whatever name. */
static int pass_program(const char *name)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", pass, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void refused_by_netlink(const char *name, uint32_t flag, const char *mode, const char *word)
{
	int fd = pass_program(name);
	uint32_t id;
	char text[64];

	assert_int_equal(bpf_xdp_attach(port[0].ifindex, fd, flag, NULL), 0);
	close(fd);
	id = attached_id(0);
	expect(steer_xdp.probe(&port[0], why), -EBUSY);
	says(port[0].netdev);
	says(name);
	says(mode);
	snprintf(text, sizeof(text), "id %u,", id);
	says(text);
	snprintf(text, sizeof(text), "ip link set dev %s %s off", port[0].netdev, word);
	says(text);
	assert_int_equal(attached_id(0), id);
	assert_int_equal(bpf_xdp_detach(port[0].ifindex, flag, NULL), 0);
	nothing_left();
}

static void foreign_programs_are_refused(void **state)
{
	refused_by_netlink("not_wye", XDP_FLAGS_DRV_MODE, "native", "xdpdrv");
	refused_by_netlink("not_wye", XDP_FLAGS_SKB_MODE, "generic", "xdpgeneric");
	refused_by_netlink("wye_steer", XDP_FLAGS_DRV_MODE, "native", "xdpdrv");	/* the name alone is nothing */
}

static void foreign_links_are_refused(void **state)
{
	int fd = pass_program("not_wye"), link = bpf_link_create(fd, port[0].ifindex, BPF_XDP, NULL);
	uint32_t id = attached_id(0);

	assert_true(link >= 0);
	expect(steer_xdp.probe(&port[0], why), -EBUSY);
	says("not_wye");
	says("bpftool link detach id");
	assert_int_equal(attached_id(0), id);
	close(link);
	close(fd);
	nothing_left();
}

/* What the af_xdp driver does. */
static struct bpf_object *attach_as_driver(int i, uint32_t flags)
{
	struct bpf_object *object = bpf_object__open_file(steer_xdp_object(), NULL);

	assert_non_null(object);
	assert_int_equal(bpf_object__load(object), 0);
	assert_int_equal(bpf_xdp_attach(port[i].ifindex, bpf_program__fd(bpf_object__next_program(object, NULL)),
					flags | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL), 0);
	return object;
}

static void modes_are_seen(void **state)
{
	static const uint8_t none[6];
	struct bpf_object *object[2];

	expect(steer_xdp.probe(&port[0], why), 0);
	expect(steer_xdp.probe(&port[1], why), 0);
	expect(steer_xdp.attached(&port[0], why), -ENOENT);
	says(port[0].netdev);
	object[0] = attach_as_driver(0, 0);
	object[1] = attach_as_driver(1, XDP_FLAGS_SKB_MODE);
	expect(steer_xdp.attached(&port[0], why), 0);
	expect(steer_xdp.attached(&port[1], why), 0);
	assert_false(port[0].generic_xdp);
	assert_true(port[1].generic_xdp);
	assert_memory_equal(port[0].punt_mac, none, 6);
	assert_int_equal(port[1].punt_mac[0], 0x02);
	bpf_object__close(object[0]);
	bpf_object__close(object[1]);
	steer_xdp.remove(&port[0]);
	assert_int_equal(attached_id(0), 0);
	assert_int_not_equal(attached_id(1), 0);
	assert_int_equal(access(PIN_STATE, F_OK), 0);
	steer_xdp.remove(&port[1]);
	nothing_left();
}

/* A process that owns both ports; returns when it does. */
static pid_t other_dataplane(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (steer_xdp.probe(&port[0], why) || steer_xdp.probe(&port[1], why))
			_exit(1);
		attach_as_driver(0, 0);
		attach_as_driver(1, XDP_FLAGS_SKB_MODE);
		if (steer_xdp.attached(&port[0], why) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void the_living_are_named_and_the_dead_cleared(void **state)
{
	pid_t pid = other_dataplane();
	uint32_t id = attached_id(0);
	char text[32];

	assert_int_not_equal(id, 0);
	expect(steer_xdp.probe(&port[0], why), -EBUSY);
	snprintf(text, sizeof(text), "pid %d", pid);
	says(text);
	assert_int_equal(attached_id(0), id);
	/* without the pins: the program itself tells */
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL), 0);
	expect(steer_xdp.probe(&port[0], why), -EBUSY);
	says(text);
	assert_int_equal(umount("/sys/fs/bpf"), 0);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(attached_id(0), id);	/* the kernel keeps it */
	assert_int_equal(access(PIN_STATE, F_OK), 0);
	expect(steer_xdp.probe(&port[0], why), 0);
	assert_int_equal(attached_id(0), 0);
	assert_int_not_equal(attached_id(1), 0);
	expect(steer_xdp.probe(&port[1], why), 0);	/* its maps are no longer the pinned ones */
	assert_int_equal(attached_id(1), 0);
	steer_xdp.remove(&port[0]);
	steer_xdp.remove(&port[1]);
	nothing_left();
}

static int pinned_array(const char *name, uint32_t value_bytes)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, value_bytes, 1, NULL);

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_pin(fd, PIN_STATE), 0);
	return fd;
}

static void strange_pins(void **state)
{
	struct wye_steer_state old = { .magic = WYE_STEER_MAGIC, .layout = 1, .owner_pid = 0x3fffffff, .owner_start = 9 };
	uint32_t key = 0;
	int fd;

	close(pinned_array("other", 64));
	expect(steer_xdp.probe(&port[0], why), -EBUSY);
	says("rm " PIN_STATE);
	assert_int_equal(access(PIN_STATE, F_OK), 0);
	assert_int_equal(unlink(PIN_STATE), 0);

	fd = pinned_array("wye_state", 64);	/* of another version, whose owner is dead */
	assert_int_equal(bpf_map_update_elem(fd, &key, &old, BPF_ANY), 0);
	expect(steer_xdp.probe(&port[0], why), 0);
	steer_xdp.remove(&port[0]);
	old.owner_pid = getppid();	/* and one that lives */
	old.owner_start = wye_process_start(getppid());
	assert_int_equal(bpf_map_update_elem(fd, &key, &old, BPF_ANY), 0);
	assert_int_equal(bpf_obj_pin(fd, PIN_STATE), 0);
	expect(steer_xdp.probe(&port[0], why), -EBUSY);
	says("is running");
	close(fd);
	assert_int_equal(unlink(PIN_STATE), 0);
	nothing_left();
}

static void no_bpffs(void **state)
{
	assert_int_equal(mount("none", "/sys/fs/bpf", "tmpfs", 0, NULL), 0);
	expect(steer_xdp.probe(&port[0], why), -ENODEV);
	says("mount -t bpf bpf /sys/fs/bpf");
	assert_int_equal(umount("/sys/fs/bpf"), 0);
}

static void no_object(void **state)
{
	char *dir = strdup(getenv("WYE_BPF_DIR") ? getenv("WYE_BPF_DIR") : "");

	setenv("WYE_BPF_DIR", "/nonexistent", 1);
	assert_true(!steer_xdp_object() || !strstr(steer_xdp_object(), "nonexistent"));
	if (dir[0])
		setenv("WYE_BPF_DIR", dir, 1);
	else
		unsetenv("WYE_BPF_DIR");
	assert_non_null(steer_xdp_object());
	free(dir);
}

static void make_ports(void)
{
	if (system("ip link add wyed0 type veth peer name wyed1 && ip link set wyed0 up && ip link set wyed1 up")) {
		printf("skip: no veth\n");
		exit(77);
	}
	for (int i = 0; i < 2; i++) {
		snprintf(port[i].netdev, sizeof(port[i].netdev), "wyed%d", i);
		port[i].ifindex = if_nametoindex(port[i].netdev);
		port[i].config_index = i;
		memcpy(port[i].mac, packet_mac, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_programs_are_refused),
		cmocka_unit_test(foreign_links_are_refused),
		cmocka_unit_test(modes_are_seen),
		cmocka_unit_test(the_living_are_named_and_the_dead_cleared),
		cmocka_unit_test(strange_pins),
		cmocka_unit_test(no_bpffs),
		cmocka_unit_test(no_object),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	xdp_lab_enter();
	make_ports();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
