/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Destinations for which the kernel has an exception from their route: a path MTU or another gateway that some host
 * told by ICMP. Forwarding heeds it (IPv4: a path MTU below net.ipv4.route.min_pmtu, by ip_mtu_locked(); IPv6: any, as
 * seen with Linux 6.18; both: gateways), no notification tells it, and IPv4's are not in a dump before the kernel itself
 * has used them (fnhe_dump_bucket()). So the messages are listened to as the kernel gets them, and their destinations are
 * the kernel's until the exception must have expired: WYE_NH_KERNEL at the full-length prefix, in every view.
 *
 * What the kernel makes of a message (is the quoted packet one of its own? is the MTU new?) is not asked: it is the
 * kernel's either way. But redirects count only where they are accepted, else anybody could take flows away from the
 * dataplane.
 *
 * What was before us a dump shows: exceptions in use, as is one whose destination was the kernel's until now.
 */
#include <errno.h>
#include <net/if.h> /* these two before linux/, which then leaves them alone */
#include <netinet/icmp6.h>

#include <linux/icmp.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "icmp_decode.h"
#include "log.h"
#include "mirror.h"

#define EXCEPTIONS_MAX	4096u
#define BUFFER_BYTES	(4 << 20)	/* some thousand messages */
#define MESSAGES_A_TURN 64u
#define MTU_EXPIRES_S	600	/* net.ipv4.route.mtu_expires, net.ipv6.route.mtu_expires */
#define REDIRECTED_S	600	/* IPv4: 300 (RT_GC_TIMEOUT). IPv6: until not used; its sender will send another */
#define NS_A_S		1000000000ULL

struct exception_key {
	uint8_t family, addr[16];
};

struct exception {
	uint32_t free;		/* of the pool */
	struct exception_key key;	/* family 0: not in use */
	uint64_t until_ns;
};

static struct exception *exception_at(const struct exception_table *table, uint32_t index)
{
	return pool_item(&table->pool, index);
}

static uint32_t exception_hash(const void *ctx, uint32_t index)
{
	return hash_bytes_of(&exception_at(ctx, index)->key, sizeof(struct exception_key), 0);
}

static bool exception_equal(const void *ctx, uint32_t index, const void *key)
{
	return !memcmp(&exception_at(ctx, index)->key, key, sizeof(struct exception_key));
}

static struct exception_key key_of(uint8_t family, const uint8_t addr[16])
{
	struct exception_key key = { .family = family };

	memcpy(key.addr, addr, sizeof(key.addr));
	return key;
}

static uint32_t find(const struct exception_table *table, const struct exception_key *key)
{
	return hash_find(&table->hash, hash_bytes_of(key, sizeof(*key), 0), exception_equal, key);
}

bool exceptions_have(const struct mirror *mirror, uint8_t family, const uint8_t addr[16], uint8_t len)
{
	const struct exception_table *table = &mirror->exceptions;
	struct exception_key key;

	if (!table->pool.count || len != (family == AF_INET ? 32 : 128))
		return false;
	key = key_of(family, addr);
	return find(table, &key) != 0;
}

static void changed(struct mirror *mirror, const struct exception_key *key)
{
	routes_address_changed(mirror, key->family, key->addr);
}

/* ---- the table ---- */

/* Too many to tell apart: until the last of them must have expired, the family is the kernel's (exceptions_poll()). */
static void overflow(struct mirror *mirror, uint8_t family, uint64_t until_ns)
{
	uint64_t *until = &mirror->exceptions.overflow_until_ns[family == AF_INET ? 0 : 1];

	*until = until_ns > *until ? until_ns : *until;
	exceptions_poll(mirror);
}

static void add(struct mirror *mirror, uint8_t family, const uint8_t addr[16], uint64_t until_ns)
{
	struct exception_table *table = &mirror->exceptions;
	struct exception_key key = key_of(family, addr);
	uint32_t index = find(table, &key);
	struct exception *exception;

	if (index) {
		exception = exception_at(table, index);
		exception->until_ns = until_ns > exception->until_ns ? until_ns : exception->until_ns;
		return;
	}
	index = table->pool.count < EXCEPTIONS_MAX ? pool_take(&table->pool) : 0;
	if (!index) {
		overflow(mirror, family, until_ns);
		return;
	}
	*exception_at(table, index) = (struct exception){ .key = key, .until_ns = until_ns };
	if (hash_enter(&table->hash, hash_bytes_of(&key, sizeof(key), 0), index) < 0) {
		pool_give(&table->pool, index);
		overflow(mirror, family, until_ns);
		return;
	}
	changed(mirror, &key);
}

static void expire(struct mirror *mirror, uint64_t now)
{
	struct exception_table *table = &mirror->exceptions;

	for (uint32_t i = 1; table->pool.count && i < table->pool.used; i++) {
		struct exception_key key = exception_at(table, i)->key;

		if (!key.family || exception_at(table, i)->until_ns > now)
			continue;
		hash_remove(&table->hash, hash_bytes_of(&key, sizeof(key), 0), i);
		exception_at(table, i)->key.family = 0;
		pool_give(&table->pool, i);
		changed(mirror, &key);
	}
}

void exceptions_poll(struct mirror *mirror)
{
	static const struct parity_scope scope[2] = { { WYE_PARITY_PMTU, 0, WYE_PARITY_IP4 },
						      { WYE_PARITY_PMTU, 0, WYE_PARITY_IP6 } };
	uint64_t now = now_ns();

	expire(mirror, now);
	parity_look(mirror, PARITY_EXCEPTIONS);
	for (int f = 0; f < 2; f++)
		if (mirror->exceptions.overflow_until_ns[f] > now)
			parity_found(mirror, PARITY_EXCEPTIONS, scope[f],
				     "more path MTUs and redirects told by ICMP than are kept (%u)", EXCEPTIONS_MAX);
	parity_looked(mirror, PARITY_EXCEPTIONS, 0);
}

void exceptions_republish(struct mirror *mirror)
{
	for (uint32_t i = 1; i < mirror->exceptions.pool.used; i++)
		if (exception_at(&mirror->exceptions, i)->key.family)
			changed(mirror, &exception_at(&mirror->exceptions, i)->key);
}

/* ---- what is told ---- */

/* Not before the kernel's own, which it made earlier. */
static uint64_t until(uint8_t family, bool redirect)
{
	static const char *const paths[] = { "/proc/sys/net/ipv4/route/mtu_expires",
					     "/proc/sys/net/ipv6/route/mtu_expires" };
	int32_t seconds = REDIRECTED_S;

	if (!redirect && !mirror_sysctl(paths[family == AF_INET ? 0 : 1], &seconds))
		seconds = MTU_EXPIRES_S;
	return now_ns() + ((uint64_t)(seconds > 0 ? seconds : 0) + 1) * NS_A_S;
}

void exceptions_dumped(struct mirror *mirror, const struct nl_route *route)
{
	if (route->dst_len == (route->family == AF_INET ? 32 : 128))
		add(mirror, route->family, route->dst, until(route->family, true));
}

/* IN_DEV_RX_REDIRECTS() of a router: `all` and the link's. */
static bool takes_redirects4(void)
{
	int32_t all = 0;

	return !mirror_sysctl("/proc/sys/net/ipv4/conf/all/accept_redirects", &all) || all != 0;
}

/* rt6_do_redirect(): not where the link itself forwards, which the mirror may have read of too late. From a neighbour, as
 * hop limit 255 shows the kernel. */
static bool takes_redirects6(const struct sockaddr_in6 *from)
{
	char name[IF_NAMESIZE], path[128];
	int32_t forwarding = 0;

	if (!IN6_IS_ADDR_LINKLOCAL(&from->sin6_addr))
		return false;
	if (!if_indextoname(from->sin6_scope_id, name)) /* gone */
		return true;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/forwarding", name);
	return !mirror_sysctl(path, &forwarding) || !forwarding;
}

static void take(struct mirror *mirror, uint8_t family, const uint8_t *bytes, size_t len,
		 const struct sockaddr_in6 *from)
{
	struct icmp_news news;

	if (!(family == AF_INET ? icmp4_decode : icmp6_decode)(bytes, len, &news))
		return;
	if (news.redirect && !(family == AF_INET ? takes_redirects4() : takes_redirects6(from)))
		return;
	add(mirror, family, news.dst, until(family, news.redirect));
}

/* Was there no room for a message, since we last looked? Drops alone say nothing: wrong checksums are among them
 * (rawv6_rcv_skb()), and anybody can send those. But only we make room, a little at a time. */
static bool overrun(struct exception_table *table, int f)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);
	bool dropped;

	(void)getsockopt(table->fd[f], SOL_SOCKET, SO_MEMINFO, info, &len);
	dropped = info[SK_MEMINFO_DROPS] != table->drops[f];
	table->drops[f] = info[SK_MEMINFO_DROPS];
	return dropped && info[SK_MEMINFO_RMEM_ALLOC] > info[SK_MEMINFO_RCVBUF] / 2;
}

static void hear(struct mirror *mirror, int f)
{
	struct exception_table *table = &mirror->exceptions;
	uint8_t family = f ? AF_INET6 : AF_INET, bytes[2048];

	if (overrun(table, f))
		overflow(mirror, family, until(family, true));
	for (uint32_t i = 0; i < MESSAGES_A_TURN; i++) {
		struct sockaddr_in6 from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(table->fd[f], bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from,
				     &from_len);

		if (n < 0)
			break;
		take(mirror, family, bytes, (size_t)n, &from);
	}
}

static void hear4(void *ctx)
{
	hear(ctx, 0);
}

static void hear6(void *ctx)
{
	hear(ctx, 1);
}

/* ---- opening ---- */

int exceptions_open(struct mirror *mirror)
{
	struct exception_table *table = &mirror->exceptions;
	int error = pool_open(&table->pool, sizeof(struct exception));

	table->fd[0] = table->fd[1] = -1;
	return error ? error : hash_open(&table->hash, 64, exception_hash, table);
}

static int listen_to(struct mirror *mirror, int f, int level, int option, const void *filter, socklen_t len)
{
	int type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bytes = BUFFER_BYTES, *fd = &mirror->exceptions.fd[f];

	*fd = f ? socket(AF_INET6, type, IPPROTO_ICMPV6) : socket(AF_INET, type, IPPROTO_ICMP);
	if (*fd < 0 && errno == EAFNOSUPPORT) /* without IPv6 */
		return 0;
	if (*fd < 0 || setsockopt(*fd, level, option, filter, len) < 0 ||
	    setsockopt(*fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		return -errno;
	return event_add(&mirror->loop, *fd, f ? hear6 : hear4, mirror);
}

int exceptions_listen(struct mirror *mirror)
{
	struct icmp_filter filter4 = { .data = ~(1u << ICMP_DEST_UNREACH | 1u << ICMP_REDIRECT) };
	struct icmp6_filter filter6;
	int error;

	ICMP6_FILTER_SETBLOCKALL(&filter6);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter6);
	ICMP6_FILTER_SETPASS(ND_REDIRECT, &filter6);
	error = listen_to(mirror, 0, SOL_RAW, ICMP_FILTER, &filter4, sizeof(filter4));
	error = error ? error : listen_to(mirror, 1, IPPROTO_ICMPV6, ICMP6_FILTER, &filter6, sizeof(filter6));
	if (error)
		log_error("ICMP: cannot listen to what hosts tell of paths: %s; run as root, or give wye-ctld "
			  "CAP_NET_RAW", strerror(-error));
	return error;
}

void exceptions_close(struct mirror *mirror)
{
	for (int f = 0; f < 2; f++)
		if (mirror->exceptions.fd[f] > 0)
			close(mirror->exceptions.fd[f]);
	hash_close(&mirror->exceptions.hash);
	pool_close(&mirror->exceptions.pool);
}
