/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers to words as ip(8) writes them, its own tables in /etc/iproute2 included. Each function returns a static
 * word or `buf` (WYE_NAME_BYTES) with the number in ip's fallback form.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <stdint.h>

#define WYE_NAME_BYTES 64

struct flag_name {
	uint32_t bit;
	const char *name;
};

const char *name_protocol(uint8_t protocol, char *buf);		/* RTPROT_* */
const char *name_scope(uint8_t scope, char *buf);		/* RT_SCOPE_* */
const char *name_table(uint32_t table, char *buf);
const char *name_group(uint32_t group, char *buf);		/* IFLA_GROUP */
const char *name_route_type(uint8_t type, char *buf);		/* RTN_* */
const char *name_route_pref(uint8_t pref);			/* ICMPV6_ROUTER_PREF_* */
const char *name_link_type(uint16_t arp_type, char *buf);	/* ARPHRD_* */
const char *name_operstate(uint8_t state, char *buf);		/* IF_OPER_* */
const char *name_address(uint8_t family, const uint8_t *bytes, char *buf);	/* IPv6 when AF_INET6, else IPv4 */
const char *name_family(uint8_t family);			/* "inet", "inet6" */
const char *name_nexthop_kind(uint8_t kind);			/* enum wye_nexthop_kind */
const char *name_port_state(uint32_t state);			/* enum wye_port_state */

/* The other way; false: no such name or number. */
int number_of_table(const char *name, uint32_t *table);
int number_of_protocol(const char *name, uint8_t *protocol);
int number_of_route_type(const char *name, uint8_t *type);
int number_of_scope(const char *name, uint8_t *scope);

/* Names of the bits set, in ip's order; at most `max`. What has no name is left out; *rest, when asked for, holds it.
 * Link flags: IFF_*; IFF_RUNNING shows by its absence, as NO-CARRIER. */
size_t names_link_flags(uint32_t ifi_flags, const char **names, size_t max, uint32_t *rest);
size_t names_nexthop_flags(uint32_t flags, const char **names, size_t max);			/* RTNH_F_* */
size_t names_neigh_states(uint16_t nud_state, const char **names, size_t max);			/* NUD_* */
size_t names_parity(uint32_t parity, const char **names, size_t max);	/* as in wye_parity_bits(), of both families */

#endif
