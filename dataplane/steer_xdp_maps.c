/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program's pinned maps: made before the af_xdp PMD loads the program for its first port, so that every load
 * finds and shares them, and owned by one process at a time.
 *
 * Ownership stands in wye_state: pid and start time, taken by compare-and-swap. Pins of a dead owner are replaced, not
 * reused: its programs, should they still be attached, keep the old maps, whose heartbeat has stopped, and are
 * recognised by them (steer_program_owner()).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "steer_private.h"
#include "wye_map.h"

#define BPF_DIR	 "/sys/fs/bpf"
#define OBJECT	 "steer.bpf.o"
#define PIN_STATE BPF_DIR "/wye_state"

static const struct map_place {
	const char *name;
	size_t fd_at;
} map_place[] = {
	{ "wye_state", offsetof(struct steer_maps, state_fd) },
	{ "wye_ports", offsetof(struct steer_maps, ports_fd) },
	{ "wye_rules", offsetof(struct steer_maps, rules_fd) },
	{ "wye_local4", offsetof(struct steer_maps, local4_fd) },
	{ "wye_local6", offsetof(struct steer_maps, local6_fd) },
	{ "wye_counters", offsetof(struct steer_maps, counters_fd) },
	{ "wye_hits", offsetof(struct steer_maps, hits_fd) },
};
#define MAP_PLACES (sizeof(map_place) / sizeof(map_place[0]))

static int *map_fd(struct steer_maps *maps, const struct map_place *place)
{
	return (int *)((char *)maps + place->fd_at);
}

const char *steer_xdp_object(void)
{
	const char *dirs[] = { getenv("WYE_BPF_DIR"), WYE_BPF_INSTALL_DIR, WYE_BPF_BUILD_DIR };
	static char path[PATH_MAX];
	char named[PATH_MAX];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (!dirs[i])
			continue;
		snprintf(named, sizeof(named), "%s/%s", dirs[i], OBJECT);
		if (realpath(named, path))
			return path;
	}
	errno = ENOENT;
	return NULL;
}

/* ---- whose are the pins? ---- */

/* The owner of a map that calls itself wye_state; false: it is something else. Any version's first fields. */
static bool state_owner(int fd, uint32_t *pid, uint64_t *start, uint64_t *layout)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info), key = 0;
	struct wye_steer_state *state;
	bool ok = false;

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.value_size < offsetof(struct wye_steer_state, enabled) || strcmp(info.name, "wye_state"))
		return false;
	state = calloc(1, info.value_size > sizeof(*state) ? info.value_size : sizeof(*state));
	if (state && bpf_map_lookup_elem(fd, &key, state) == 0) {
		*pid = state->owner_pid;
		*start = state->owner_start;
		*layout = state->layout;
		ok = !state->magic || state->magic == WYE_STEER_MAGIC;	/* 0: died before it owned anything */
	}
	free(state);
	return ok;
}

static enum steer_owner owner_kind(uint32_t pid, uint64_t start)
{
	if (pid == (uint32_t)getpid() && start == wye_process_start(getpid()))
		return STEER_SELF;
	if (pid && !start)	/* taken this moment, see own() */
		return wye_process_start(pid) ? STEER_OTHER : STEER_DEAD;
	return pid && wye_process_alive(pid, start) ? STEER_OTHER : STEER_DEAD;
}

static enum steer_owner map_owner(uint32_t map_id, uint32_t *pid)
{
	enum steer_owner owner = STEER_FOREIGN;
	uint64_t start, layout;
	int fd = bpf_map_get_fd_by_id(map_id);

	if (fd < 0)
		return STEER_FOREIGN;
	if (state_owner(fd, pid, &start, &layout))
		owner = owner_kind(*pid, start);
	close(fd);
	return owner;
}

enum steer_owner steer_program_owner(uint32_t prog_id, char name[16], uint32_t *pid)
{
	uint32_t map_ids[64] = { 0 }, len = sizeof(struct bpf_prog_info);
	enum steer_owner owner = STEER_FOREIGN;
	struct bpf_prog_info info = { .nr_map_ids = 64, .map_ids = (uintptr_t)map_ids };
	int fd = bpf_prog_get_fd_by_id(prog_id);

	snprintf(name, 16, "?");
	if (fd < 0)
		return STEER_FOREIGN;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0) {
		snprintf(name, 16, "%s", info.name);
		for (uint32_t i = 0; i < info.nr_map_ids && i < 64 && owner == STEER_FOREIGN; i++)
			owner = strcmp(info.name, "wye_steer") ? STEER_FOREIGN : map_owner(map_ids[i], pid);
	}
	close(fd);
	return owner;
}

/* ---- pins ---- */

static int check_bpffs(char *why)
{
	struct statfs fs;

	if (statfs(BPF_DIR, &fs) == 0 && (unsigned long)fs.f_type == BPF_FS_MAGIC)
		return 0;
	snprintf(why, WYE_WHY_BYTES,
		 "%s is not a BPF file system, where the steering maps are pinned; mount it: mount -t bpf bpf %s", BPF_DIR,
		 BPF_DIR);
	return -ENODEV;
}

static int unpin_all(char *why)
{
	char path[64];

	for (size_t i = 0; i < MAP_PLACES; i++) {
		snprintf(path, sizeof(path), BPF_DIR "/%s", map_place[i].name);
		if (unlink(path) && errno != ENOENT) {
			int err = -errno;

			snprintf(why, WYE_WHY_BYTES, "%s: cannot remove what a dead wye-dpd left: %s", path,
				 strerror(-err));
			return err;
		}
	}
	return 0;
}

static int other_owner(uint32_t pid, char *why)
{
	snprintf(why, WYE_WHY_BYTES,
		 "%s belongs to wye-dpd with pid %u, which is running; stop it first, or give this one a mount namespace "
		 "with a BPF file system of its own",
		 PIN_STATE, pid);
	return -EBUSY;
}

/* Nobody alive owns the pins: removes what there is. */
static int clear_pins(char *why)
{
	uint64_t start = 0, layout = 0;
	uint32_t pid = 0;
	int fd = bpf_obj_get(PIN_STATE);

	if (fd < 0 && errno == EPERM) {
		snprintf(why, WYE_WHY_BYTES,
			 "may not use BPF: wye-dpd needs CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN; run it as root");
		return -EPERM;
	}
	if (fd >= 0) {
		bool ours = state_owner(fd, &pid, &start, &layout);

		close(fd);
		if (!ours) {
			snprintf(why, WYE_WHY_BYTES,
				 "%s is pinned by something that is not wye; remove it: rm %s", PIN_STATE, PIN_STATE);
			return -EBUSY;
		}
		if (owner_kind(pid, start) == STEER_OTHER)
			return other_owner(pid, why);
	}
	return unpin_all(why);
}

/* ---- loading ---- */

static char last_warning[256];

static int __attribute__((format(printf, 2, 0))) keep_warning(enum libbpf_print_level level, const char *format,
							      va_list list)
{
	if (level == LIBBPF_WARN)
		vsnprintf(last_warning, sizeof(last_warning), format, list);
	return 0;
}

/* Loading the object makes and pins the maps, and shows early whether this kernel takes the program. */
static int load_object(struct steer_maps *maps, const char *path, char *why)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	int err = object ? bpf_object__load(object) : -errno;

	for (size_t i = 0; i < MAP_PLACES && !err; i++) {
		int fd = bpf_object__find_map_fd_by_name(object, map_place[i].name);

		*map_fd(maps, &map_place[i]) = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (*map_fd(maps, &map_place[i]) < 0)
			err = fd < 0 ? fd : -errno;
	}
	if (err) {
		last_warning[strcspn(last_warning, "\n")] = 0;
		snprintf(why, WYE_WHY_BYTES, "%s: the kernel does not load the steering program: %s (%s)", path,
			 strerror(-err), last_warning[0] ? last_warning : "nothing more is known");
	}
	bpf_object__close(object);
	return err;
}

static int load(struct steer_maps *maps, char *why)
{
	const char *path = steer_xdp_object();
	libbpf_print_fn_t old;
	int err;

	if (!path) {
		snprintf(why, WYE_WHY_BYTES, "%s is neither in %s nor where WYE_BPF_DIR says; reinstall wye", OBJECT,
			 WYE_BPF_INSTALL_DIR);
		return -ENOENT;
	}
	last_warning[0] = 0;
	old = libbpf_set_print(keep_warning);
	err = load_object(maps, path, why);
	libbpf_set_print(old);
	return err;
}

/* Of two that start at once, one gets the pid in. */
static int own(struct steer_maps *maps, char *why)
{
	_Atomic uint32_t *owner;
	uint32_t nobody = 0;
	void *at = mmap(NULL, sizeof(*maps->state), PROT_READ | PROT_WRITE, MAP_SHARED, maps->state_fd, 0);

	if (at == MAP_FAILED) {
		int err = -errno;

		snprintf(why, WYE_WHY_BYTES, "%s: cannot map it: %s", PIN_STATE, strerror(-err));
		return err;
	}
	maps->state = at;
	owner = (_Atomic uint32_t *)&maps->state->owner_pid;
	if (!atomic_compare_exchange_strong(owner, &nobody, (uint32_t)getpid()))
		return other_owner(nobody, why);
	maps->state->owner_start = wye_process_start(getpid());
	maps->state->layout = WYE_STEER_LAYOUT;
	maps->state->magic = WYE_STEER_MAGIC;
	return 0;
}

static void drop(struct steer_maps *maps)
{
	if (maps->state)
		munmap(maps->state, sizeof(*maps->state));
	maps->state = NULL;
	for (size_t i = 0; i < MAP_PLACES; i++) {
		if (*map_fd(maps, &map_place[i]) >= 0)
			close(*map_fd(maps, &map_place[i]));
		*map_fd(maps, &map_place[i]) = -1;
	}
}

/* Where a pin is gone the driver would load a program with a map of its own, which nobody writes. */
static int pin_again(struct steer_maps *maps, char *why)
{
	char path[64];

	for (size_t i = 0; i < MAP_PLACES; i++) {
		int err;

		snprintf(path, sizeof(path), BPF_DIR "/%s", map_place[i].name);
		if (!access(path, F_OK))
			continue;
		err = bpf_obj_pin(*map_fd(maps, &map_place[i]), path);
		if (!err)
			continue;
		snprintf(why, WYE_WHY_BYTES, "%s, which somebody has removed, cannot be pinned again: %s", path, strerror(-err));
		return err;
	}
	return 0;
}

int steer_maps_open(struct steer_maps *maps, char *why)
{
	int err = check_bpffs(why);

	if (maps->state)
		return err ? err : pin_again(maps, why);
	if (!err)
		err = clear_pins(why);
	if (!err)
		err = load(maps, why);
	if (!err)
		err = own(maps, why);
	maps->n_cpus = libbpf_num_possible_cpus();
	if (err)
		drop(maps);
	return err;
}

void steer_maps_close(struct steer_maps *maps)
{
	char why[WYE_WHY_BYTES];

	if (!maps->state)
		return;
	atomic_store_explicit((_Atomic uint32_t *)&maps->state->enabled, 0, memory_order_relaxed);
	(void)unpin_all(why);
	drop(maps);
}
