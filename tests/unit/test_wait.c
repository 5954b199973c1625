/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for packets: real descriptors; a device that notes when its interrupts are switched on and off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <rte_ethdev.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "graph.h"
#include "port.h"
#include "wait.h"

#define DPDK_PORT 7

struct fixture {
	struct port port;		/* two queues that interrupt, one that is a pipe */
	struct graph_node node[2];
	uint64_t vectors[2];
	struct wait wait;
	int wake_fd, pipe[2];
};

static struct {
	struct fixture *of;
	bool on[2], filled;	/* filled: there was something in the eventfd when it was switched on */
	int switched, error;
} device;

static bool readable(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return poll(&one, 1, 0) == 1;
}

static int device_turn(uint16_t port, uint16_t queue, bool on)
{
	assert_int_equal(port, DPDK_PORT);
	assert_in_range(queue, 0, 1);
	device.switched++;
	if (on && device.error)
		return device.error;
	device.filled |= on && readable(device.of->port.told[queue].fd);
	device.on[queue] = on;
	return 0;
}

int rte_eth_dev_rx_intr_enable(uint16_t port, uint16_t queue)
{
	return device_turn(port, queue, true);
}

int rte_eth_dev_rx_intr_disable(uint16_t port, uint16_t queue)
{
	return device_turn(port, queue, false);
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	memset(&device, 0, sizeof(device));
	device.of = f;
	*state = f;
	f->port.index = 3;
	f->port.steer.dpdk_port = DPDK_PORT;
	f->wake_fd = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(pipe(f->pipe), 0);
	for (uint16_t q = 0; q < 2; q++) {
		f->port.told[q] = (struct port_told){ .fd = eventfd(0, EFD_NONBLOCK), .interrupts = true, .counts = true };
		f->node[q] = (struct graph_node){ .port = 3, .queue = q, .vectors = &f->vectors[q] };
	}
	f->port.told[2].fd = f->pipe[0];
	f->port.told[3].fd = -1;
	assert_int_equal(wait_open(&f->wait, f->wake_fd), 0);
	for (uint16_t q = 0; q < 3; q++)
		assert_int_equal(wait_add(&f->wait, &f->port, q), 0);
	wait_note(&f->wait, &f->node[0]);
	wait_note(&f->wait, &f->node[1]);
	assert_true(wait_possible(&f->wait));
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	wait_close(&f->wait);
	assert_false(wait_possible(&f->wait));
	close(f->wake_fd);
	close(f->pipe[0]);
	close(f->pipe[1]);
	close(f->port.told[0].fd);
	close(f->port.told[1].fd);
	test_free(f);
	return 0;
}

static bool all(bool on)
{
	return device.on[0] == on && device.on[1] == on;
}

static void on_while_it_waits(void **state)
{
	struct fixture *f = *state;

	assert_true(wait_arm(&f->wait));
	assert_true(all(true));
	assert_false(wait_arm(&f->wait)); /* looked once more: sleep */
	assert_int_equal(device.switched, 2);
	signal_fd(f->port.told[1].fd);
	wait_sleep(&f->wait, 60000);
	assert_true(all(false));
	assert_false(f->wait.timed_out);
	wait_disarm(&f->wait); /* is */
	assert_int_equal(device.switched, 4);
}

static void packets_found_at_the_second_look(void **state)
{
	struct fixture *f = *state;

	assert_true(wait_arm(&f->wait));
	wait_disarm(&f->wait);
	assert_true(all(false));
	assert_true(wait_arm(&f->wait));
	assert_true(all(true));
}

static void old_interrupts(void **state)
{
	struct fixture *f = *state;

	signal_fd(f->port.told[0].fd);
	assert_true(wait_arm(&f->wait));
	assert_false(device.filled);
	wait_sleep(&f->wait, 1);
	assert_true(f->wait.timed_out);
	assert_true(wait_arm(&f->wait));
	signal_fd(f->port.told[0].fd); /* comes when the queue has been looked into: it must end the sleep */
	assert_false(wait_arm(&f->wait));
	wait_sleep(&f->wait, 60000);
	assert_false(f->wait.timed_out);
}

static void other_descriptors(void **state)
{
	struct fixture *f = *state;

	assert_true(wait_arm(&f->wait));
	assert_int_equal(write(f->pipe[1], "", 1), 1);
	wait_sleep(&f->wait, 60000);
	assert_false(f->wait.timed_out);
	assert_true(readable(f->pipe[0])); /* its reader empties it */
	assert_int_equal(read(f->pipe[0], &(char){ 0 }, 1), 1);
	assert_true(wait_arm(&f->wait));
	signal_fd(f->wake_fd);
	wait_sleep(&f->wait, 60000);
	assert_false(f->wait.timed_out);
	assert_int_equal(wait_add(&f->wait, &f->port, 3), -ENOTSUP);
}

static void without_interrupts(void **state)
{
	struct fixture *f = *state;
	struct wait wait = { 0 };

	assert_int_equal(wait_open(&wait, f->wake_fd), 0);
	assert_int_equal(wait_add(&wait, &f->port, 2), 0);
	assert_false(wait_arm(&wait)); /* no second look */
	wait_sleep(&wait, 1);
	assert_true(wait.timed_out);
	assert_int_equal(device.switched, 0);
	wait_close(&wait);
}

/* A sleep that nothing ended, then packets in a queue. */
static void untold(struct fixture *f, uint16_t queue)
{
	f->node[0].had = f->vectors[0];
	f->node[1].had = f->vectors[1];
	(void)wait_arm(&f->wait);
	wait_sleep(&f->wait, 1);
	assert_true(f->wait.timed_out);
	f->vectors[queue]++;
	wait_untold(&f->wait);
	assert_false(f->wait.timed_out);
}

static void mute(void **state)
{
	struct fixture *f = *state;

	untold(f, 0);
	untold(f, 1);
	untold(f, 0);
	untold(f, 1);
	(void)wait_arm(&f->wait);
	signal_fd(f->port.told[0].fd); /* so queue 0's do come */
	wait_sleep(&f->wait, 60000);
	untold(f, 0);
	assert_true(wait_possible(&f->wait));
	untold(f, 1);
	assert_false(wait_possible(&f->wait));
	assert_int_equal(f->wait.mute, 3 + 1);
	assert_false(wait_arm(&f->wait));
	assert_true(all(false));
}

static void cannot_be_switched_on(void **state)
{
	struct fixture *f = *state;

	device.error = -EIO;
	assert_true(wait_arm(&f->wait));
	assert_false(wait_possible(&f->wait));
	assert_int_equal(f->wait.mute, 3 + 1);
	assert_false(wait_arm(&f->wait));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WAITS(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
		WAITS(on_while_it_waits), WAITS(packets_found_at_the_second_look), WAITS(old_interrupts),
		WAITS(other_descriptors), WAITS(without_interrupts), WAITS(mute), WAITS(cannot_be_switched_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
