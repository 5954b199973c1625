/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#include "ip6.h"
#include "wye_flow.h"

/* ipv6_rcv() and ip6_forward() between them: what may not be forwarded whatever the routes say. */
static enum wye_reason address_reason(const struct in6_addr *src, const struct in6_addr *dst)
{
	if (IN6_IS_ADDR_MULTICAST(dst) || IN6_IS_ADDR_LINKLOCAL(dst) || IN6_IS_ADDR_LINKLOCAL(src))
		return WYE_REASON_IP6_INPUT_MULTICAST;
	if (IN6_IS_ADDR_MULTICAST(src) || IN6_IS_ADDR_UNSPECIFIED(src) || IN6_IS_ADDR_LOOPBACK(src) ||
	    IN6_IS_ADDR_V4MAPPED(src))
		return WYE_REASON_IP6_INPUT_MARTIAN;
	if (IN6_IS_ADDR_UNSPECIFIED(dst) || IN6_IS_ADDR_LOOPBACK(dst) || IN6_IS_ADDR_V4MAPPED(dst))
		return WYE_REASON_IP6_INPUT_MARTIAN;
	return WYE_REASON_COUNT;
}

/* Headers a router may have to act on, or that hide what follows. Fragments, ESP and AH pass: nothing in them is ours. */
static bool kernel_header(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case 139: /* HIP */
	case 140: /* shim6 */
	case 253:
	case 254:
		return true;
	default:
		return false;
	}
}

/* Neighbour discovery (RFC 4861) and multicast listener reports: never a transit packet. */
static bool control_message(const struct rte_ipv6_hdr *ip, uint32_t head_len)
{
	uint8_t type;

	if (ip->proto != IPPROTO_ICMPV6)
		return false;
	if (head_len <= sizeof(*ip))
		return true;
	type = *(const uint8_t *)(ip + 1);
	return (type >= ND_ROUTER_SOLICIT && type <= ND_REDIRECT) || (type >= MLD_LISTENER_QUERY && type <= 132) ||
	       type == 143; /* MLDv2 report */
}

enum wye_reason ip6_reason(const struct rte_ipv6_hdr *ip, uint32_t head_len, uint32_t ip_len)
{
	struct in6_addr src, dst;
	enum wye_reason reason;

	if (head_len < sizeof(*ip))
		return WYE_REASON_IP6_INPUT_TOO_SHORT;
	if (*(const uint8_t *)ip >> 4 != 6)
		return WYE_REASON_IP6_INPUT_BAD_VERSION;
	if (rte_be_to_cpu_16(ip->payload_len) + sizeof(*ip) > ip_len)
		return WYE_REASON_IP6_INPUT_BAD_LENGTH;
	memcpy(&src, &ip->src_addr, sizeof(src));
	memcpy(&dst, &ip->dst_addr, sizeof(dst));
	reason = address_reason(&src, &dst);
	if (reason != WYE_REASON_COUNT)
		return reason;
	if (kernel_header(ip->proto))
		return WYE_REASON_IP6_INPUT_EXTENSION;
	if (control_message(ip, head_len))
		return WYE_REASON_STEER_GUARD;
	return ip->hop_limits <= 1 ? WYE_REASON_IP6_FORWARD_HOP_LIMIT : WYE_REASON_COUNT;
}

uint32_t ip6_flow_hash(const struct rte_ipv6_hdr *ip, uint32_t head_len, bool l4)
{
	uint32_t ports = 0;

	/* a fragment has proto 44 in every piece: all take one way */
	if (l4 && wye_flow_has_ports(ip->proto) && head_len >= sizeof(*ip) + sizeof(ports))
		memcpy(&ports, ip + 1, sizeof(ports));
	return wye_flow_hash6((const uint8_t *)&ip->src_addr, (const uint8_t *)&ip->dst_addr, ip->proto, ports, l4);
}
