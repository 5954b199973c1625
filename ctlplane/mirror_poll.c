/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel has no notification for: read once a second. */
#include <net/if.h>
#include <stdio.h>

#include "mirror.h"

bool mirror_sysctl(const char *path, int32_t *value)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fscanf(file, "%d", value) == 1;

	if (file)
		fclose(file);
	return ok;
}

static void poll_hash_policies(struct mirror *mirror)
{
	static const char *const paths[] = { "/proc/sys/net/ipv4/fib_multipath_hash_policy",
					     "/proc/sys/net/ipv6/fib_multipath_hash_policy" };

	for (int f = 0; f < 2; f++) {
		int32_t policy;

		if (mirror_sysctl(paths[f], &policy))
			mirror->hash_policy[f] = (uint32_t)policy;
		atomic_store_explicit(&mirror->tables->region.base->hash_policy[f], mirror->hash_policy[f],
				      memory_order_relaxed);
	}
}

/* IPv6's own MTU of the links the dataplane sends by; of others it does not matter. */
static void poll_mtu6(struct mirror *mirror)
{
	for (size_t i = 0; i < mirror->config->n_ports; i++) {
		struct link_entry *link = links_named(mirror, mirror->config->port[i].netdev);
		char path[128];
		int32_t mtu6;

		if (!link || if_nametoindex(link->nl.name) != link->ifindex) /* renamed just now */
			continue;
		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/mtu", link->nl.name);
		if (!mirror_sysctl(path, &mtu6) || mtu6 == link->nl.mtu6_bytes)
			continue;
		link->nl.mtu6_bytes = mtu6;
		mirror->links.dirty = true;
	}
}

/* ip_dst_mtu_maybe_forward(): then what ICMP errors said of a path counts, which is in no table. */
void parity_pmtu_poll(struct mirror *mirror)
{
	const struct parity_scope scope = { WYE_PARITY_PMTU, 0, WYE_PARITY_IP4 };
	int32_t use = 0;

	(void)mirror_sysctl("/proc/sys/net/ipv4/ip_forward_use_pmtu", &use);
	parity_set(mirror, PARITY_PMTU, scope, use != 0, "net.ipv4.ip_forward_use_pmtu is on");
}

void mirror_poll(struct mirror *mirror)
{
	poll_hash_policies(mirror);
	poll_mtu6(mirror);
	parity_bpf_poll(mirror);
	parity_pmtu_poll(mirror);
	exceptions_poll(mirror);
}
