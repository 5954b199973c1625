/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another destination for each packet. A net_pcap port gives the same packets again and again, and as many of them as a table
 * has routes are gigabytes of buffers. So both contestants write it into what they have received, from one long list.
 */
#ifndef SPREAD_H
#define SPREAD_H

#include <fcntl.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct spread_to {		/* of the file; as they stand in the packet, whose source is always the same */
	uint32_t dst;
	uint16_t checksum, unused;
};

struct spread {
	const struct spread_to *to;
	uint32_t n, next;
};

/* False: errno. */
static inline bool spread_open(struct spread *spread, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };
	void *to = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0)
		to = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (to == MAP_FAILED)
		return false;
	*spread = (struct spread){ to, (uint32_t)((size_t)st.st_size / sizeof(struct spread_to)), 0 };
	return true;
}

static inline void spread_write(struct spread *spread, struct rte_mbuf **packets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(packets[i], struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
		const struct spread_to *to = &spread->to[spread->next];

		ip->dst_addr = to->dst;
		ip->hdr_checksum = to->checksum;
		spread->next = spread->next + 1 == spread->n ? 0 : spread->next + 1;
	}
}

#endif
