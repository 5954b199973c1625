/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A link of an index that another had before. Links, neighbours and routes come on sockets of their own, so routes of the
 * new link may be read before the old one's end is, which then takes them along.
 */
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "mirror_fixture.h"

#define PORT 7

static struct mirror_fixture *fixture;

static int setup(void **state)
{
	fixture = mirror_create();
	fixture->mirror.live = fixture->mirror.phase_two = true;
	return 0;
}

static int teardown(void **state)
{
	mirror_destroy(fixture);
	return 0;
}

static void link_message(uint16_t type, uint32_t ifindex)
{
	static struct stream stream;

	stream.len = 0;
	stream_link(&stream, 0, 0, ifindex);
	stream_last(&stream)->nlmsg_type = type;
	channel_notified(&fixture->mirror.channel[CHANNEL_LINK], stream_last(&stream));
}

static void route(uint8_t x)
{
	static struct stream stream;

	stream.len = 0;
	stream_route(&stream, RTM_NEWROUTE, NLM_F_CREATE, 0, x, PORT);
	channel_notified(&fixture->mirror.channel[CHANNEL_ROUTE], stream_last(&stream));
}

/* Is a dump to come, of routes by the link, that is done whether any are known or not? */
static bool reads_routes(uint8_t family)
{
	const struct sync *sync = &fixture->mirror.channel[CHANNEL_ROUTE].sync;

	for (unsigned i = 0; i < sync->n_jobs; i++)
		if (sync->job[i].class == CLASS_ROUTE && sync->job[i].family == family &&
		    (!sync->job[i].ifindex || sync->job[i].ifindex == PORT) && (sync->job[i].always || !sync->job[i].fence))
			return true;
	return false;
}

static bool reads_neighbours(void)
{
	return fixture->mirror.channel[CHANNEL_NEIGH].sync.n_jobs != 0;
}

static void the_next_index_is_a_new_links(void **state)
{
	link_message(RTM_NEWLINK, PORT);
	links_commit(&fixture->mirror);
	assert_false(reads_routes(AF_INET));
	assert_false(reads_routes(AF_INET6));
	assert_false(reads_neighbours());
}

static void what_the_old_one_took_along_is_read_again(void **state)
{
	link_message(RTM_NEWLINK, PORT);
	links_commit(&fixture->mirror);
	route(1);
	route(2);	/* of the new link, and read ahead */
	link_message(RTM_DELLINK, PORT);
	link_message(RTM_NEWLINK, PORT);
	links_commit(&fixture->mirror);
	while (routes_walk(&fixture->mirror))
		;
	assert_false(mirror_has(fixture, 2));
	assert_true(reads_routes(AF_INET));
	assert_true(reads_routes(AF_INET6));
	assert_true(reads_neighbours());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_next_index_is_a_new_links, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_old_one_took_along_is_read_again, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
