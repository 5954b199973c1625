/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared table over real wires: prints a set's steering section, or sends its packets, each on the netdev that leads
 * to its port, and prints how many.
 *
 *	send_cases SET                           the set's YAML
 *	send_cases SET taken|kernel NETDEV...    packets of that verdict; one netdev a port, in the order p0, p1, p2
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cases.h"
#include "table.h"

static int send_one(int fd, const char *netdev, const struct packet *packet)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(netdev), .sll_halen = 6 };

	if (sendto(fd, packet->frame, packet->len_bytes, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)packet->len_bytes)
		return 0;
	fprintf(stderr, "%s: %u bytes: %s\n", netdev, packet->len_bytes, strerror(errno));
	return -1;
}

static int send_set(const struct table *table, uint32_t set, bool taken, int n_netdevs, char **netdevs)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0), sent = 0;

	if (fd < 0) {
		perror("AF_PACKET");
		return 1;
	}
	for (size_t i = 0; i < table->n_cases; i++) {
		const struct table_case *test = &table->test[i];

		if (test->set != set || (test->verdict == WYE_STEER_TAKEN) != taken)
			continue;
		/* a wire has no frames without a header */
		if (test->packet.in_port >= n_netdevs || test->packet.len_bytes < 14)
			continue;
		if (send_one(fd, netdevs[test->packet.in_port], &test->packet))
			return 1;
		sent++;
	}
	printf("%d\n", sent);
	return 0;
}

int main(int argc, char **argv)
{
	struct table *table = table_load();

	for (uint32_t set = 0; argc > 1 && set < table->n_sets; set++) {
		if (strcmp(steer_case_set[set].name, argv[1]))
			continue;
		if (argc > 3)
			return send_set(table, set, !strcmp(argv[2], "taken"), argc - 3, argv + 3);
		printf("steering:\n%s", steer_case_set[set].steering);
		return 0;
	}
	fprintf(stderr, "usage: send_cases SET [taken|kernel NETDEV...]\n");
	return 2;
}
