/* SPDX-License-Identifier: BSD-3-Clause */
/* Reader slots, who is alive, and when the mirror is to be trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wye_map.h"
#include "wye_publish.h"

static void slots_run_out_and_come_back(void **state)
{
	struct wye_readers *readers = calloc(1, sizeof(*readers));
	struct wye_reader_slot *slot[WYE_READER_SLOTS];

	for (uint32_t i = 0; i < WYE_READER_SLOTS; i++) {
		slot[i] = wye_reader_claim(readers, i);
		assert_non_null(slot[i]);
		assert_int_equal(slot[i]->pid, getpid());
		assert_int_equal(slot[i]->thread, i);
		assert_int_equal(slot[i]->start, wye_process_start(getpid()));
		assert_int_equal(slot[i]->generation, 0);
		assert_true(slot[i]->epoch == WYE_READER_OFFLINE);
	}
	errno = 0;
	assert_null(wye_reader_claim(readers, 99));
	assert_int_equal(errno, ENOSPC);
	wye_reader_release(slot[17]);
	assert_int_equal(slot[17]->pid, 0);
	assert_int_equal(slot[17]->start, 0);
	assert_ptr_equal(wye_reader_claim(readers, 99), slot[17]);
	wye_reader_release(NULL);
	free(readers);
}

static void a_reused_slot_starts_offline(void **state)
{
	struct wye_readers *readers = calloc(1, sizeof(*readers));
	struct wye_reader_slot *slot = wye_reader_claim(readers, 0);
	_Atomic uint64_t epoch = 5;

	slot->generation = 3;
	wye_reader_online(slot, &epoch);
	assert_int_equal(slot->epoch, 5);
	wye_reader_release(slot);
	assert_ptr_equal(wye_reader_claim(readers, 1), slot);
	assert_true(slot->epoch == WYE_READER_OFFLINE);
	assert_int_equal(slot->generation, 0);
	free(readers);
}

struct claimer {
	struct wye_readers *readers;
	uint32_t thread;
	_Atomic int *ready;
};

/* Takes half of the slots and gives them back, over and over; says what went wrong. */
static void *claim_half(void *arg)
{
	const struct claimer *me = arg;

	for (++*me->ready; *me->ready < 2;)
		;
	for (int round = 0; round < 2000; round++) {
		struct wye_reader_slot *slot[WYE_READER_SLOTS / 2];

		for (int i = 0; i < WYE_READER_SLOTS / 2; i++) {
			slot[i] = wye_reader_claim(me->readers, me->thread);
			if (!slot[i])
				return "no slot";
		}
		for (int i = 0; i < WYE_READER_SLOTS / 2; i++) {
			if (slot[i]->thread != me->thread || !slot[i]->pid)
				return "somebody else's slot";
			wye_reader_release(slot[i]);
		}
	}
	return NULL;
}

/* Two threads that each want half of the slots always get them: none is given twice, none is lost. */
static void no_slot_is_given_twice(void **state)
{
	struct wye_readers *readers = calloc(1, sizeof(*readers));
	_Atomic int ready = 0;
	struct claimer one = { readers, 1, &ready }, two = { readers, 2, &ready };
	const char *wrong, *wrong_too;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, claim_half, &one), 0);
	wrong = claim_half(&two);
	pthread_join(thread, (void **)&wrong_too);
	assert_string_equal(wrong ? wrong : "", "");
	assert_string_equal(wrong_too ? wrong_too : "", "");
	for (int i = 0; i < WYE_READER_SLOTS; i++)
		assert_int_equal(readers->slot[i].pid, 0);
	free(readers);
}

static void a_process_lives_and_dies(void **state)
{
	uint64_t start;
	siginfo_t info;
	int go[2];
	pid_t pid;

	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, ") S 1 (x"); /* what a parser of /proc/PID/stat trips over */
		write(go[1], "", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(go[0], &(char){ 0 }, 1), 1);
	start = wye_process_start(pid);
	assert_true(start >= wye_process_start(getpid()));
	assert_int_equal(wye_process_alive(pid, start), 1);
	assert_int_equal(wye_process_alive(pid, 0), 1);
	assert_int_equal(wye_process_alive(pid, start + 1), 0); /* the pid was used again */
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(wye_process_start(pid), 0); /* a zombie runs nothing */
	assert_int_equal(wye_process_alive(pid, start), 0);
	waitpid(pid, NULL, 0);
	assert_int_equal(wye_process_alive(pid, start), 0);
	assert_int_equal(wye_process_start(pid), 0);
	assert_int_equal(wye_process_alive(0, 0), 0);
	assert_int_equal(wye_process_alive(-1, 0), 0);
	close(go[0]);
	close(go[1]);
}

#define SECOND 1000000000ULL

static void trust(void **state)
{
	static const struct {
		uint32_t state;
		uint64_t active, heartbeat_s, synced_s;
		enum wye_mirror_trust trust;	/* at 100 s, 10 s allowed */
	} cases[] = {
		{ WYE_MIRROR_IN_SYNC, 1, 99, 99, WYE_TRUST_OK },
		{ WYE_MIRROR_IN_SYNC, 1, 90, 90, WYE_TRUST_OK },
		{ WYE_MIRROR_IN_SYNC, 1, 89, 89, WYE_TRUST_STALE },
		{ WYE_MIRROR_IN_SYNC, 1, 0, 0, WYE_TRUST_STALE },
		{ WYE_MIRROR_IN_SYNC, 1, 101, 101, WYE_TRUST_OK },	/* read a moment later */
		{ WYE_MIRROR_IN_SYNC, 1, 102, 102, WYE_TRUST_STALE },	/* garbage */
		{ WYE_MIRROR_IN_SYNC, 0, 99, 99, WYE_TRUST_NEVER_SYNCED },
		{ WYE_MIRROR_RESYNC, 1, 99, 99, WYE_TRUST_OK },
		{ WYE_MIRROR_RESYNC, 1, 80, 99, WYE_TRUST_STALE },
		{ WYE_MIRROR_STARTING, 0, 99, 0, WYE_TRUST_NEVER_SYNCED },
		{ WYE_MIRROR_STARTING, 1, 99, 95, WYE_TRUST_OK },	/* a quick restart */
		{ WYE_MIRROR_STARTING, 1, 99, 80, WYE_TRUST_STALE },	/* the predecessor died long ago */
		{ WYE_MIRROR_STARTING, 1, 99, 0, WYE_TRUST_STALE },
		{ WYE_MIRROR_STOPPED, 1, 99, 99, WYE_TRUST_STOPPED },
		{ 77, 1, 99, 0, WYE_TRUST_STALE },
	};
	struct wye_control *control = calloc(1, sizeof(*control));

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		control->state = cases[i].state;
		control->active = cases[i].active;
		control->heartbeat_ns = cases[i].heartbeat_s * SECOND;
		control->synced_ns = cases[i].synced_s * SECOND;
		assert_int_equal(wye_mirror_trust(control, 100 * SECOND, 10 * SECOND), cases[i].trust);
	}
	free(control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_run_out_and_come_back),
		cmocka_unit_test(a_reused_slot_starts_offline),
		cmocka_unit_test(no_slot_is_given_twice),
		cmocka_unit_test(a_process_lives_and_dies),
		cmocka_unit_test(trust),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
