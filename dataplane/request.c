/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/types.h> /* which pcap/bpf.h takes for granted */

#include <pcap/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dpd.h"
#include "request.h"

int request_port(const struct dpd *dpd, const char *netdev)
{
	struct wye_link link;

	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (!strcmp(dpd->config->port[i].netdev, netdev))
			return (int)i;
	if (!dpd->tables.region || !tables_link(dpd->tables.region, netdev, &link))
		return -1;
	for (uint32_t i = 0; i < dpd->n_ports; i++)
		if (dpd->port[i].link_index && dpd->port[i].link.ifindex == link.ifindex)
			return (int)i;
	return -1;
}

struct bpf_insn *request_filter(const struct wye_capture_instruction *from, uint32_t n_instructions)
{
	struct bpf_insn *filter = calloc(n_instructions, sizeof(*filter));

	for (uint32_t i = 0; filter && i < n_instructions; i++)
		filter[i] = (struct bpf_insn){ from[i].code, from[i].jt, from[i].jf, from[i].k };
	if (filter && !bpf_validate(filter, (int)n_instructions)) {
		free(filter);
		filter = NULL;
	}
	return filter;
}

void request_answer(int fd, int error, const char *why)
{
	struct wye_capture_answer message = { .error = error };

	snprintf(message.why, sizeof(message.why), "%s", why);
	(void)!send(fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
}
