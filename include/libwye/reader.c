/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader slots, and who is alive. The reader's half of the protocol in wye_abi.h; ctlplane/reclaim holds the other.
 *
 * Ordering guarantees
 *
 * A claim is a compare-and-swap of `pid` from 0 (L1, acquire: pairs with the release by which the last owner, or
 * ctld on behalf of a dead one, freed the slot, L2). The fields are then set to "reads nothing" and `start` is
 * release-stored last (L3): ctld, acquire-loading a `start` that is not 0, sees a slot filled by its owner. Until
 * then `epoch` may be the last owner's, which at worst makes the writer wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdbool.h>

#include "wye_map.h"

static bool slot_take(struct wye_reader_slot *slot, uint32_t pid)
{
	uint32_t nobody = 0;

	return atomic_compare_exchange_strong_explicit(&slot->pid, &nobody, pid, memory_order_acquire, /* L1 */
						       memory_order_relaxed);
}

struct wye_reader_slot *wye_reader_claim(struct wye_readers *readers, uint32_t thread)
{
	uint32_t pid = (uint32_t)getpid();

	for (size_t i = 0; i < WYE_READER_SLOTS; i++) {
		struct wye_reader_slot *slot = &readers->slot[i];

		if (!slot_take(slot, pid))
			continue;
		slot->thread = thread;
		atomic_store_explicit(&slot->generation, 0, memory_order_relaxed);
		atomic_store_explicit(&slot->epoch, WYE_READER_OFFLINE, memory_order_relaxed);
		atomic_store_explicit(&slot->start, wye_process_start((pid_t)pid), memory_order_release); /* L3 */
		return slot;
	}
	errno = ENOSPC;
	return NULL;
}

void wye_reader_release(struct wye_reader_slot *slot)
{
	if (!slot)
		return;
	atomic_store_explicit(&slot->epoch, WYE_READER_OFFLINE, memory_order_release); /* P4: table loads are done */
	atomic_store_explicit(&slot->generation, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->start, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->pid, 0, memory_order_release); /* L2 */
}

/* /proc/PID/stat into line; -errno. */
static int stat_line(pid_t pid, char *line, size_t size_bytes)
{
	char path[32];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, line, size_bytes - 1);
	close(fd);
	if (got <= 0)
		return -ESRCH; /* the process went away in between */
	line[got] = '\0';
	return 0;
}

/*
 * proc(5): "pid (comm) state ppid …", num_threads is field 20, starttime field 22. comm may hold spaces and
 * parentheses: count from the last one. A zombie with no other thread left runs no code any more: dead.
 */
uint64_t wye_process_start(pid_t pid)
{
	unsigned long long start = 0;
	char line[1024], *at, state;
	long threads = 0;

	if (pid <= 0 || stat_line(pid, line, sizeof(line)) < 0)
		return 0;
	at = strrchr(line, ')');
	if (!at || sscanf(at + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %*s %llu",
			  &state, &threads, &start) != 3)
		return 0;
	return (state == 'Z' || state == 'X') && threads <= 1 ? 0 : start;
}

int wye_process_alive(pid_t pid, uint64_t start)
{
	char line[8];
	uint64_t now;

	if (pid <= 0)
		return 0;
	if (kill(pid, 0) < 0 && errno == ESRCH)
		return 0;
	now = wye_process_start(pid);
	if (now)
		return !start || now == start;
	/* Without a start time: dead only if /proc shows the process (a zombie) or shows that it is gone. A /proc
	 * that hides others' processes (hidepid) proves nothing. */
	return stat_line(pid, line, sizeof(line)) < 0 && !(kill(pid, 0) < 0 && errno == ESRCH);
}
