/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>

#include "ip4.h"
#include "wye_flow.h"

static enum wye_reason address_reason(uint32_t src, uint32_t dst)
{
	if (dst == INADDR_BROADCAST || dst >> 28 == 14)
		return WYE_REASON_IP4_INPUT_MULTICAST;
	if (dst >> 24 == 0 || dst >> 24 == 127)
		return WYE_REASON_IP4_INPUT_MARTIAN;
	if (src == INADDR_BROADCAST || src >> 28 == 14 || src >> 24 == 0 || src >> 24 == 127)
		return WYE_REASON_IP4_INPUT_MARTIAN;
	return WYE_REASON_COUNT;
}

enum wye_reason ip4_reason(const struct rte_ipv4_hdr *ip, uint32_t head_len, uint32_t ip_len)
{
	uint32_t total;
	enum wye_reason reason;

	if (head_len < sizeof(*ip))
		return WYE_REASON_IP4_INPUT_TOO_SHORT;
	if (ip->version_ihl >> 4 != 4)
		return WYE_REASON_IP4_INPUT_BAD_VERSION;
	total = rte_be_to_cpu_16(ip->total_length);
	if ((ip->version_ihl & 15) < 5 || total < (ip->version_ihl & 15) * 4u || total > ip_len)
		return WYE_REASON_IP4_INPUT_BAD_LENGTH;
	if (ip->version_ihl != 0x45)
		return WYE_REASON_IP4_INPUT_OPTIONS; /* its checksum is the kernel's to judge */
	if (ip4_sum(ip) != 0xffff)
		return WYE_REASON_IP4_INPUT_BAD_CHECKSUM;
	reason = address_reason(rte_be_to_cpu_32(ip->src_addr), rte_be_to_cpu_32(ip->dst_addr));
	if (reason != WYE_REASON_COUNT)
		return reason;
	return ip->time_to_live <= 1 ? WYE_REASON_IP4_FORWARD_TTL : WYE_REASON_COUNT;
}

uint32_t ip4_flow_hash(const struct rte_ipv4_hdr *ip, uint32_t head_len, bool l4)
{
	uint32_t ports = 0;

	/* A fragment without ports must take the way of the first one, which has them. */
	if (l4 && wye_flow_has_ports(ip->next_proto_id) && head_len >= sizeof(*ip) + sizeof(ports) &&
	    !(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
		memcpy(&ports, ip + 1, sizeof(ports));
	return wye_flow_hash4((const uint8_t *)&ip->src_addr, (const uint8_t *)&ip->dst_addr, ip->next_proto_id, ports, l4);
}
