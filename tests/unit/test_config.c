/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration loader: what it makes of good files, and where and why it refuses bad ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wye_config.h"

/* Parses text; what it printed is in *said (caller frees). */
static int parse(const char *text, size_t len_bytes, struct wye_config **config, char **said)
{
	size_t said_bytes;
	FILE *messages = open_memstream(said, &said_bytes);
	int error;

	assert_non_null(messages);
	error = wye_config_parse("f", text, len_bytes, config, messages);
	fclose(messages);
	return error;
}

static struct wye_config *good(const char *text)
{
	struct wye_config *config = NULL;
	char *said;
	int error = parse(text, strlen(text), &config, &said);

	if (error)
		fail_msg("refused: %s", said);
	assert_string_equal(said, "");
	free(said);
	return config;
}

#define PORTS "ports: [ { netdev: eth0 }, { netdev: eth1, driver: mlx5 } ]\n"
#define RULE(match) PORTS "steering: { rules: [ { name: r, action: dataplane, match: " match " } ] }\n"

/* Each bad text and all that is said of it. */
#define LETTERS_32  "abcdefghijklmnopqrstuvwxyz012345"
#define LETTERS_127 LETTERS_32 LETTERS_32 LETTERS_32 "abcdefghijklmnopqrstuvwxyz01234"

static const struct {
	const char *text, *said;
} bad[] = {
	{ "", "f:1:1: empty file: name at least one port; wye.yaml(5) has an example\n" },
	{ "# nothing\n\n", "f:1:1: empty file: name at least one port; wye.yaml(5) has an example\n" },
	{ "---\n...\n", "f:1:1: empty file: name at least one port; wye.yaml(5) has an example\n" },
	{ "eth0\n", "f:1:1: top level: expected a mapping ({ key: value } or lines of key: value), "
		    "found a single value\n" },
	{ "- a\n", "f:1:1: top level: expected a mapping ({ key: value } or lines of key: value), "
		   "found a list ([a, b] or lines of - a)\n" },
	{ "ports:\n\t- a\n", "f:2:1: YAML syntax: found character that cannot start any token, "
			     "while scanning for the next token on line 2\n" },
	{ "ports: [\n", "f:2:1: YAML syntax: did not find expected node content, while parsing a flow node on line 2\n" },
	{ "memory: { size_mib: 64 }\nmemory: { size_mib: 64 }\n",
	  "f:2:1: top level: key \"memory\" is given twice, first on line 1; remove one\n" },
	{ "port: []\n", "f:1:1: top level: unknown key \"port\", expected one of memory, workers, plugins, tables, punt, "
			"parity, ports, steering; did you mean \"ports\"?\n" },
	{ "xyzzy: 1\n", "f:1:1: top level: unknown key \"xyzzy\", expected one of memory, workers, plugins, tables, punt, "
			"parity, ports, steering\n" },
	{ "? [a]\n: 1\n", "f:1:3: top level: a key must be a word\n" },
	{ "memory: { size_mib: many }\n", "f:1:21: memory.size_mib: \"many\": expected a whole decimal number\n" },
	{ "memory: { size_mib: 0x200 }\n", "f:1:21: memory.size_mib: \"0x200\": expected a whole decimal number\n" },
	{ "memory: { size_mib: 0512 }\n", "f:1:21: memory.size_mib: \"0512\": expected a whole decimal number\n" },
	{ "memory: { size_mib: -1 }\n", "f:1:21: memory.size_mib: \"-1\": expected a whole decimal number\n" },
	{ "memory: { size_mib: 4294967296 }\n", "f:1:21: memory.size_mib: \"4294967296\": limit is 4294967295\n" },
	{ "tables: { routes4: 18446744073709551616 }\n",
	  "f:1:20: tables.routes4: \"18446744073709551616\": limit is 18446744073709551615\n" },
	{ "memory: { size_mib: 1 }\n", "f:1:21: memory.size_mib: 1: expected 64 to 1048576\n" },
	{ "memory: { size_mib: }\n", "f:1:21: memory.size_mib: \"\": expected a whole decimal number\n" },
	{ "memory: { hugepages: tph }\n",
	  "f:1:22: memory.hugepages: \"tph\": expected one of auto, hugetlbfs, thp, none\n" },
	{ "memory: { hugepages: hugetlb }\n",
	  "f:1:22: memory.hugepages: \"hugetlb\": expected one of auto, hugetlbfs, thp, none; did you mean "
	  "\"hugetlbfs\"?\n" },
	{ "memory: { hugepages: 1 }\n",
	  "f:1:22: memory.hugepages: \"1\": expected one of auto, hugetlbfs, thp, none\n" },
	{ "memory: 5\n", "f:1:9: memory: expected a mapping ({ key: value } or lines of key: value), found a single "
			 "value\n" },
	{ "memory:\nports: []\n", "f:1:8: memory: expected a mapping ({ key: value } or lines of key: value), found "
				  "nothing\n" },
	{ "workers: { cpus: [] }\n", "f:1:18: workers.cpus: 0 entries, at least 1 expected\n" },
	{ "workers: { cpus: [2, 3, 2] }\n",
	  "f:1:25: workers.cpus[2]: CPU 2 is listed twice; a CPU runs one worker\n" },
	{ "workers: { priority: 99 }\n", "f:1:22: workers.priority: 99: expected 0 to 98\n" },
	{ "workers: { idle: poll, priority: 5 }\n",
	  "f:1:34: workers.priority: 5: with idle: poll nothing else would run on the workers' CPUs, not even what brings them "
	  "packets; use idle: adaptive\n" },
	{ "workers: { cpus: [1024] }\n", "f:1:19: workers.cpus[0]: CPU 1024: limit is 1023\n" },
	{ "workers: { cpus: [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16] }\n",
	  "f:1:57: workers.cpus: 17 entries, limit is 16\n" },
	{ "plugins: { path: lib }\n", "f:1:18: plugins.path: \"lib\": expected an absolute path\n" },
	{ "plugins: { load: [ a ] }\n",
	  "f:1:20: plugins.load[0]: expected a mapping ({ key: value } or lines of key: value), found a single value\n" },
	{ "plugins: { load: [ { required: true } ] }\n", "f:1:20: plugins.load[0]: key \"name\" is missing\n" },
	{ "plugins: { load: [ { name: a, required: maybe } ] }\n",
	  "f:1:41: plugins.load[0].required: \"maybe\": expected one of false, true\n" },
	{ "plugins: { load: [ { name: ../a } ] }\n", "f:1:20: plugin \"../a\": a name has lower-case letters, digits and '_'; "
						     "the file is NAME.so in plugins.path\n" },
	{ "plugins: { load: [ { name: a }, { name: a } ] }\n", "f:1:33: plugin \"a\": already listed on line 1; remove one\n" },
	{ "plugins: { load: [ { name: a, settings: [ 1 ] } ] }\n",
	  "f:1:41: plugin \"a\": settings: expected a mapping ({ key: value } or lines of key: value)\n" },
	{ "plugins: { load: [ { name: a, settings: { x: { b: 1, b: 2 }, 'y z': 1 } } ] }\n",
	  "f:1:54: plugin \"a\": key \"b\" is given twice; remove one\n"
	  "f:1:62: plugin \"a\": settings: a key has letters, digits, '_' and '-'\n" },
	{ "tables: { stale_after_s: 0 }\n", "f:1:26: tables.stale_after_s: 0: expected 1 to 3600\n" },
	{ "tables:\n  routes4: 12\n  routes6: 70000000\n  neighbours: 3\n",
	  "f:2:12: tables.routes4: 12: expected 1024 to 67108864\n"
	  "f:3:12: tables.routes6: 70000000: expected 1024 to 67108864\n"
	  "f:4:15: tables.neighbours: 3: expected 256 to 16777216\n" },
	{ "parity: { nftables: off }\n", "f:1:21: parity.nftables: \"off\": expected one of guard, ignore\n" },
	{ "parity:\n  forwarding: ignore\n", "f:2:3: parity: unknown key \"forwarding\", expected one of nftables, "
						"iptables, hooks, tc, xdp, xfrm, rules, rp_filter, bridge_port, pmtu, ipvs\n" },
	{ "parity: { nftable: ignore }\n", "f:1:11: parity: unknown key \"nftable\", expected one of nftables, iptables, "
					   "hooks, tc, xdp, xfrm, rules, rp_filter, bridge_port, pmtu, ipvs; did you mean "
					   "\"nftables\"?\n" },
	{ "punt: { rate_pps: 0 }\n", "f:1:19: punt.rate_pps: 0: expected 1 to 10000000\n" },
	{ "steering: { slow_after_ms: 19 }\n", "f:1:28: steering.slow_after_ms: 19: expected 20 to 60000\n" },
	{ "steering: { slow_below_pps: 10000 }\n",
	  "f:1:11: steering.slow_below_pps: 10000: must be below fast_above_pps, 10000, or flows go to and fro\n" },
	{ "ports: [ {} ]\n", "f:1:10: ports[0]: key \"netdev\" is missing\n" },
	{ "ports: [ { netdev: '' } ]\n", "f:1:20: ports[0].netdev: is empty; give a value or remove the key\n" },
	{ "ports: [ { netdev: " LETTERS_127 "z } ]\n",
	  "f:1:20: ports[0].netdev: \"" LETTERS_32 "abcdefghijklmnopqrstuvwxy...\": 128 characters, limit is 127\n" },
	{ "ports: [ { netdev: a/b } ]\n",
	  "f:1:20: port \"a/b\": no netdev can have this name: no blanks, '/' or ':'\n" },
	{ "ports: [ { netdev: .. } ]\n",
	  "f:1:20: port \"..\": no netdev can have this name: no blanks, '/' or ':'\n" },
	{ "ports: [ { netdev: \"e\\n\\x1b[\", devargs: a } ]\n",
	  "f:1:20: port \"e??[\": no netdev can have this name: no blanks, '/' or ':'\n"
	  "f:1:41: port \"e??[\": driver af_xdp takes no devargs; remove them or use driver: devargs\n" },
	{ "ports:\n  - netdev: eth0\n  - netdev: eth0\n",
	  "f:3:13: port \"eth0\": netdev already used by the port on line 2; remove one\n" },
	{ "ports: [ { netdev: eth0, driver: afxdp } ]\n",
	  "f:1:34: ports[0].driver: \"afxdp\": expected one of af_xdp, mlx5, vfio, uio, devargs; did you mean \"af_xdp\"?\n" },
	{ "ports: [ { netdev: eth0, driver: devargs } ]\n",
	  "f:1:34: port \"eth0\": driver devargs needs a key \"devargs\" (for instance \"net_tap0,iface=dtap0\")\n" },
	{ "ports: [ { netdev: eth0, devargs: net_null0 } ]\n",
	  "f:1:35: port \"eth0\": driver af_xdp takes no devargs; remove them or use driver: devargs\n" },
	{ "ports: [ { netdev: eth0, driver: vfio } ]\n",
	  "f:1:34: port \"eth0\": driver vfio needs the device's PCI address in \"devargs\" (for instance \"0000:03:02.0\")\n" },
	{ "ports: [ { netdev: eth0, driver: uio, devargs: net_tap0 } ]\n",
	  "f:1:48: port \"eth0\": driver uio needs the device's PCI address in \"devargs\" (for instance \"0000:03:02.0\")\n" },
	{ "ports: [ { netdev: eth0, driver: vfio, devargs: \"0000:03:02.0x\" } ]\n",
	  "f:1:49: port \"eth0\": driver vfio needs the device's PCI address in \"devargs\" (for instance \"0000:03:02.0\")\n" },
	{ "ports: [ { netdev: eth0, driver: vfio, devargs: \"../fe000000.ethernet\" } ]\n",
	  "f:1:49: port \"eth0\": driver vfio needs the device's PCI address in \"devargs\" (for instance \"0000:03:02.0\")\n" },
	{ "ports: [ { netdev: eth0, driver: uio, devargs: fe000000.ethernet } ]\n",
	  "f:1:48: port \"eth0\": driver uio needs the device's PCI address in \"devargs\" (for instance \"0000:03:02.0\")\n" },
	{ "ports: [ { netdev: eth0, device: whole } ]\n",
	  "f:1:34: port \"eth0\": device: is for drivers vfio and uio; remove it\n" },
	{ "ports: [ { netdev: eth0, queues: 17 } ]\n",
	  "f:1:34: port \"eth0\": queues 17: expected 1 to 16; without the key, as many as the netdev has\n" },
	{ "steering: { default: drop }\n",
	  "f:1:22: steering.default: \"drop\": expected one of kernel, dataplane\n" },
	{ PORTS "steering: { rules: [ { name: r, match: {} } ] }\n",
	  "f:2:22: steering.rules[0]: key \"action\" is missing\n" },
	{ PORTS "steering: { rules: [ { action: kernel } ] }\n",
	  "f:2:22: steering.rules[0]: key \"name\" is missing\n"
	  "f:2:22: steering.rules[0]: key \"match\" is missing\n" },
	{ PORTS "steering:\n  rules:\n    - { name: a, match: {}, action: kernel }\n"
		"    - { name: a, match: {}, action: kernel }\n",
	  "f:5:15: steering rule \"a\": name already used by the rule on line 4; choose another\n" },
	{ PORTS "steering: { rules: [ { name: a b, match: {}, action: kernel } ] }\n",
	  "f:2:30: steering rule \"a b\": a name has printable ASCII characters, no blanks, '\"' or '\\'\n" },
	{ RULE("{ dst_port: 1 }"), "f:2:61: steering.rules[0].match: unknown key \"dst_port\", expected one of in, src, "
				   "dst, proto, sport, dport; did you mean \"dport\"?\n" },
	{ RULE("{ dst: 10.0.0.1/8 }"),
	  "f:2:66: steering rule \"r\": dst \"10.0.0.1/8\": bits are set behind the prefix; did you mean 10.0.0.0/8?\n" },
	{ RULE("{ src: '2001:db8::1/32' }"), "f:2:66: steering rule \"r\": src \"2001:db8::1/32\": bits are set behind the "
					     "prefix; did you mean 2001:db8::/32?\n" },
	{ RULE("{ dst: 10.0.0.0/33 }"), "f:2:66: steering rule \"r\": dst \"10.0.0.0/33\": prefix lengths are 0-32\n" },
	{ RULE("{ dst: '::/129' }"), "f:2:66: steering rule \"r\": dst \"::/129\": prefix lengths are 0-128\n" },
	{ RULE("{ dst: 10.0.0.0/ }"), "f:2:66: steering rule \"r\": dst \"10.0.0.0/\": prefix lengths are 0-32\n" },
	{ RULE("{ dst: 10.0.0/8 }"), "f:2:66: steering rule \"r\": dst \"10.0.0/8\": expected an IPv4 or IPv6 prefix such "
				     "as 192.0.2.0/24 or 2001:db8::/32\n" },
	{ RULE("{ dst: any }"), "f:2:66: steering rule \"r\": dst \"any\": expected an IPv4 or IPv6 prefix such "
				"as 192.0.2.0/24 or 2001:db8::/32\n" },
	{ RULE("{ in: eth2 }"), "f:2:65: steering rule \"r\": in \"eth2\": no port has this netdev, did you mean \"eth0\"; "
				"list it under ports\n" },
	{ RULE("{ in: wlan0 }"), "f:2:65: steering rule \"r\": in \"wlan0\": no port has this netdev; list it under "
				 "ports\n" },
	{ RULE("{ proto: 256 }"), "f:2:68: steering rule \"r\": proto \"256\": expected tcp, udp, icmp, icmp6, sctp, esp, "
				  "gre or a number 0-255\n" },
	{ RULE("{ proto: tcp, dport: 70000 }"),
	  "f:2:80: steering rule \"r\": dport \"70000\": ports are 0-65535, a range is written 4000-4999\n" },
	{ RULE("{ proto: tcp, dport: 1-65536 }"),
	  "f:2:80: steering rule \"r\": dport \"1-65536\": ports are 0-65535, a range is written 4000-4999\n" },
	{ RULE("{ proto: tcp, sport: 1- }"),
	  "f:2:80: steering rule \"r\": sport \"1-\": ports are 0-65535, a range is written 4000-4999\n" },
	{ RULE("{ proto: tcp, dport: 9-8 }"),
	  "f:2:80: steering rule \"r\": dport \"9-8\": the range ends before it starts; did you mean 8-9?\n" },
	{ RULE("{ dport: 80 }"), "f:2:68: steering rule \"r\": dport needs proto tcp, udp or sctp; add it\n" },
	{ RULE("{ proto: icmp, sport: 8 }"),
	  "f:2:81: steering rule \"r\": sport: proto icmp has no ports; expected tcp, udp or sctp\n" },
	{ RULE("{ src: 10.0.0.0/8, dst: 'fd00::/8' }"),
	  "f:2:83: steering rule \"r\": src is IPv4, dst is IPv6: no packet has both; write two rules\n" },
	{ RULE("{ dst: 10.0.0.0/8, proto: icmp6 }"),
	  "f:2:85: steering rule \"r\": proto icmp6 with an IPv4 prefix never matches; did you mean icmp?\n" },
	{ RULE("{ src: 'fd00::/8', proto: icmp }"),
	  "f:2:85: steering rule \"r\": proto icmp with an IPv6 prefix never matches; did you mean icmp6?\n" },
	{ "ports: &p []\n", "f:1:8: anchor \"&p\": anchors are not supported; remove it\n" },
	{ "ports: *p\n", "f:1:8: alias \"*p\": aliases are not supported; write the value out\n" },
	{ "ports: !!seq []\n", "f:1:8: tag \"tag:yaml.org,2002:seq\": tags are not supported; remove it\n" },
	{ "ports: []\n---\nports: []\n",
	  "f:2:1: a second YAML document: one file holds one; remove the \"---\"\n" },
	{ "ports: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", "f:1:23: nested 17 deep: limit is 16\n" },
	{ "memory:\n  hugepages: \"a\\0b\"\n", "f:2:14: memory.hugepages: \"a?b\": holds a NUL character\n" },
	{ "ports: []\nmemory: { hugepages: \"\x80\" }\n",
	  "f:2:23: not UTF-8 text: invalid leading UTF-8 octet\n" },
	/* more than one problem, each told */
	{ "memory: { size_mib: x }\nports: [ { netdevs: a } ]\n",
	  "f:1:21: memory.size_mib: \"x\": expected a whole decimal number\n"
	  "f:2:12: ports[0]: unknown key \"netdevs\", expected one of netdev, driver, devargs, device, queues; did you mean "
	  "\"netdev\"?\n"
	  "f:2:10: ports[0]: key \"netdev\" is missing\n" },
};

static void bad_text_is_refused(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct wye_config *config = (void *)0x1;
		char *said;

		assert_int_equal(parse(bad[i].text, strlen(bad[i].text), &config, &said), -EINVAL);
		assert_ptr_equal(config, (void *)0x1); /* untouched */
		assert_string_equal(said, bad[i].said);
		assert_int_equal(wye_config_parse("f", bad[i].text, strlen(bad[i].text), &config, NULL), -EINVAL);
		free(said);
	}
}

static void nul_byte_has_a_place(void **state)
{
	struct wye_config *config = NULL;
	char *said;

	assert_int_equal(parse("ports: []\nx\0y", 13, &config, &said), -EINVAL);
	assert_string_equal(said, "f:2:2: NUL byte: this is not a text file\n");
	free(said);
}

static void huge_text_is_refused(void **state)
{
	size_t len_bytes = (4u << 20) + 1;
	struct wye_config *config = NULL;
	char *text = malloc(len_bytes), *said;

	memset(text, '#', len_bytes);
	assert_int_equal(parse(text, len_bytes, &config, &said), -EINVAL);
	assert_string_equal(said, "f:1:1: larger than 4194304 bytes; this is not a configuration file\n");
	free(said);
	assert_int_equal(parse(text, len_bytes - 1, &config, &said), -EINVAL);
	assert_non_null(strstr(said, "empty file"));
	free(said);
	free(text);
}

/* n rules, numbered, and what becomes of them. */
static int parse_rules(unsigned int n, struct wye_config **config, char **said)
{
	size_t text_bytes;
	char *text;
	FILE *out = open_memstream(&text, &text_bytes);
	int error;

	fprintf(out, PORTS "steering:\n  rules:\n");
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "  - { name: r%u, match: { dst: 10.%u.%u.0/24 }, action: dataplane }\n", i, i >> 8, i & 255);
	fclose(out);
	error = parse(text, text_bytes, config, said);
	free(text);
	return error;
}

static void as_many_rules_as_there_is_room_for(void **state)
{
	struct wye_config *config = NULL;
	char *said;

	assert_int_equal(parse_rules(WYE_RULES_MAX, &config, &said), 0);
	assert_int_equal(config->n_rules, WYE_RULES_MAX);
	assert_string_equal(config->rule[1023].text, "dst 10.3.255.0/24");
	assert_int_equal(config->rule[1023].line, 1027);
	wye_config_free(config);
	free(said);
	assert_int_equal(parse_rules(WYE_RULES_MAX + 1, &config, &said), -EINVAL);
	assert_string_equal(said, "f:1028:5: steering.rules: 1025 entries, limit is 1024\n");
	free(said);
}

static void problems_are_limited(void **state)
{
	struct wye_config *config = NULL;
	unsigned int lines = 0;
	char text[4096] = "", *said;

	for (int i = 0; i < 300; i++)
		sprintf(text + strlen(text), "k%d: 1\n", i);
	assert_int_equal(parse(text, strlen(text), &config, &said), -EINVAL);
	for (const char *at = said; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 101);
	assert_non_null(strstr(said, "f:101:1: more than 100 problems, giving up; mend these first\n"));
	free(said);
}

static void defaults(void **state)
{
	struct wye_config *config = good("ports: []\n");

	assert_int_equal(config->memory.hugepages, WYE_HUGE_AUTO);
	assert_int_equal(config->memory.size_mib, 512);
	assert_int_equal(config->workers.n_cpus, 1);
	assert_int_equal(config->workers.cpu[0], 1);
	assert_int_equal(config->workers.idle, WYE_IDLE_ADAPTIVE);
	assert_string_equal(config->plugins.path, "/usr/lib/wye/plugins");
	assert_int_equal(config->plugins.n_load, 0);
	assert_int_equal(config->tables.routes4, 2 * 1024 * 1024);
	assert_int_equal(config->tables.routes6, 512 * 1024);
	assert_int_equal(config->tables.neighbours, 128 * 1024);
	assert_int_equal(config->tables.stale_after_s, 10);
	assert_int_equal(config->tables.audit_s, 300);
	assert_int_equal(config->punt.rate_pps, 10000);
	assert_int_equal(config->slow.action, WYE_ACTION_DATAPLANE);
	assert_int_equal(config->slow.below_pps, 2000);
	assert_int_equal(config->slow.after_ms, 1000);
	assert_int_equal(config->slow.above_pps, 10000);
	assert_int_equal(config->n_ports, 0);
	assert_int_equal(config->n_rules, 0);
	assert_int_equal(config->default_action, WYE_ACTION_KERNEL);
	assert_string_equal(config->path, "f");
	wye_config_free(config);
}

static void assert_plugins(const struct wye_config *config)
{
	assert_string_equal(config->plugins.path, "/x");
	assert_int_equal(config->plugins.n_load, 2);
	assert_string_equal(config->plugins.load[0].name, "a");
	assert_false(config->plugins.load[0].required);
	assert_true(config->plugins.load[1].required);
	assert_int_equal(config->plugins.load[1].n_settings, 4);
	assert_string_equal(config->plugins.load[1].setting[0].key, "top");
	assert_string_equal(config->plugins.load[1].setting[1].key, "rules[0].dst");
	assert_string_equal(config->plugins.load[1].setting[1].value, "10.0.0.0/8");
	assert_int_equal(config->plugins.load[1].setting[1].line, 6);
	assert_int_equal(config->plugins.load[1].setting[1].column, 66);
	assert_string_equal(config->plugins.load[1].setting[3].key, "rules[1][1]");
	assert_string_equal(config->plugins.load[1].setting[3].value, "");
}

static void assert_rules(const struct wye_rule *one, const struct wye_rule *two, const struct wye_rule *rest)
{
	assert_string_equal(one->name, "one");
	assert_int_equal(one->in_port, 1);
	assert_int_equal(one->src.family, AF_INET);
	assert_int_equal(one->src.len, 32);
	assert_memory_equal(one->src.addr, "\xC0\x00\x02\x07\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(one->dst.family, 0);
	assert_true(one->proto_set);
	assert_int_equal(one->ip_proto, IPPROTO_UDP);
	assert_false(one->sport.set);
	assert_true(one->dport.set);
	assert_int_equal(one->dport.first, 4000);
	assert_int_equal(one->dport.last, 4999);
	assert_int_equal(one->action, WYE_ACTION_KERNEL);
	assert_int_equal(one->line, 18);
	assert_string_equal(one->text, "in eth1 src 192.0.2.7/32 proto udp dport 4000-4999");

	assert_int_equal(two->in_port, -1);
	assert_int_equal(two->dst.family, AF_INET6);
	assert_int_equal(two->dst.len, 32);
	assert_memory_equal(two->dst.addr, "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_true(two->sport.set);
	assert_int_equal(two->sport.last, 0);
	assert_string_equal(two->text, "dst 2001:db8::/32 proto tcp sport 0 dport 65535");

	assert_false(rest->proto_set);
	assert_string_equal(rest->text, "any");
}

static void all_that_can_be_said(void **state)
{
	struct wye_config *config =
		good("\xEF\xBB\xBF%YAML 1.1\n---\n"
		     "memory: { hugepages: thp, size_mib: 1024 }\n"
		     "workers: { cpus: [3, 0], idle: poll }\n"
		     "plugins: { path: /x, load: [ { name: a },\n"
		     "  { name: b, required: true, settings: { top: 1, rules: [ { dst: 10.0.0.0/8 }, [ x, '' ] ] } } ] }\n"
		     "tables: { routes4: 4096, routes6: 2048, neighbours: 1000, stale_after_s: 3 }\n"
		     "punt: { rate_pps: 7 }\n"
		     "parity: { nftables: ignore, xfrm: guard, bridge_port: ignore }\n"
		     "ports:\n"
		     "- { netdev: eth0, driver: af_xdp, queues: 2 }\n"
		     "- netdev: eth1\n"
		     "  driver: devargs\n"
		     "  devargs: \"net_tap0,iface=t,remote=eth1\"\n"
		     "steering:\n"
		     "  default: dataplane\n"
		     "  rules:\n"
		     "  - { name: one, match: { in: eth1, src: 192.0.2.7, proto: udp, dport: 4000-4999 }, action: kernel }\n"
		     "  - name: two\n"
		     "    match: { dst: 2001:db8::/32, proto: 6, sport: 0, dport: 65535 }\n"
		     "    action: dataplane\n"
		     "  - { name: rest, match: {}, action: dataplane }\n"
		     "  slow: kernel\n  slow_below_pps: 7\n  slow_after_ms: 30\n  fast_above_pps: 1000\n");

	assert_int_equal(config->memory.hugepages, WYE_HUGE_THP);
	assert_int_equal(config->memory.size_mib, 1024);
	assert_int_equal(config->workers.n_cpus, 2);
	assert_int_equal(config->workers.cpu[0], 3);
	assert_int_equal(config->workers.cpu[1], 0);
	assert_int_equal(config->workers.idle, WYE_IDLE_POLL);
	assert_plugins(config);
	assert_int_equal(config->tables.routes4, 4096);
	assert_int_equal(config->tables.routes6, 2048);
	assert_int_equal(config->tables.neighbours, 1000);
	assert_int_equal(config->tables.stale_after_s, 3);
	assert_int_equal(config->punt.rate_pps, 7);
	assert_int_equal(config->parity.ignore, WYE_PARITY_NFTABLES | WYE_PARITY_BRIDGE_PORT);
	assert_int_equal(config->n_ports, 2);
	assert_string_equal(config->port[0].netdev, "eth0");
	assert_int_equal(config->port[0].queues, 2);
	assert_null(config->port[0].devargs);
	assert_int_equal(config->port[0].line, 11);
	assert_int_equal(config->port[1].driver, WYE_DRIVER_DEVARGS);
	assert_string_equal(config->port[1].devargs, "net_tap0,iface=t,remote=eth1");
	assert_int_equal(config->slow.action, WYE_ACTION_KERNEL);
	assert_int_equal(config->slow.below_pps, 7);
	assert_int_equal(config->slow.after_ms, 30);
	assert_int_equal(config->slow.above_pps, 1000);
	assert_int_equal(config->default_action, WYE_ACTION_DATAPLANE);
	assert_int_equal(config->n_rules, 3);
	assert_rules(&config->rule[0], &config->rule[1], &config->rule[2]);
	wye_config_free(config);
}

static void long_match_is_cut(void **state)
{
	struct wye_config *config = good(RULE("{ in: eth0, src: '2001:db8:1111:2222:3333:4444:5555:6666', "
					      "dst: '2001:db8:1111:2222:3333:4444:5555:7777', proto: tcp }"));

	assert_int_equal(strlen(config->rule[0].text), sizeof(config->rule[0].text) - 1);
	assert_string_equal(config->rule[0].text + sizeof(config->rule[0].text) - 4, "...");
	wye_config_free(config);
}

static void netdev_may_be_an_alternative_name(void **state)
{
	struct wye_config *config = good("ports: [ { netdev: " LETTERS_127 " } ]\n"
					 "steering: { rules: [ { name: a, match: { in: " LETTERS_127 " }, action: kernel } ] }\n");

	assert_string_equal(config->port[0].netdev, LETTERS_127);
	assert_int_equal(config->rule[0].in_port, 0);
	wye_config_free(config);
}

static void zero_prefix_is_a_family(void **state)
{
	struct wye_config *config = good(RULE("{ dst: 0.0.0.0/0 }"));

	assert_int_equal(config->rule[0].dst.family, AF_INET);
	assert_int_equal(config->rule[0].dst.len, 0);
	wye_config_free(config);
}

static void example_is_good(void **state)
{
	struct wye_config *config = NULL;

	assert_int_equal(wye_config_load(SOURCE_DIR "/docs/wye.yaml.example", &config, stderr), 0);
	assert_string_equal(config->path, SOURCE_DIR "/docs/wye.yaml.example");
	assert_true(config->n_ports >= 2);
	assert_true(config->n_rules >= 1);
	wye_config_free(config);
}

static void missing_file_is_told(void **state)
{
	struct wye_config *config = NULL;
	size_t said_bytes;
	char *said;
	FILE *messages = open_memstream(&said, &said_bytes);

	assert_int_equal(wye_config_load("/nonexistent/wye.yaml", &config, messages), -ENOENT);
	assert_int_equal(wye_config_load("/", &config, messages), -EISDIR);
	fclose(messages);
	assert_string_equal(said, "/nonexistent/wye.yaml: cannot open: No such file or directory; wye.yaml(5) describes "
				  "the file and has an example\n"
				  "/: cannot read: Is a directory\n");
	free(said);
	wye_config_free(NULL);
}

/* A daemon that reloads waits for nobody: not for a pipe's writer, nor for what it has not written. */
static void pipe_is_not_waited_for(void **state)
{
	char path[] = "/tmp/wye-config-XXXXXX";
	struct wye_config *config = NULL;
	int fd;

	assert_true(mkstemp(path) >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	assert_int_equal(wye_config_load(path, &config, NULL), -EINVAL);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(wye_config_load(path, &config, NULL), -EAGAIN);
	close(fd);
	assert_int_equal(unlink(path), 0);
	alarm(0);
}

static void devices_of_vfio(void **state)
{
	struct wye_config *config = good("ports:\n  - { netdev: vf0, driver: vfio, devargs: \"0000:03:02.0\" }\n"
					 "  - { netdev: pf0, driver: vfio, devargs: \"04:00.1,rx=1\", device: whole }\n"
					 "  - { netdev: soc0, driver: vfio, devargs: \"fe000000.ethernet,x=1\", device: whole }\n"
					 "  - { netdev: vf1, driver: uio, devargs: \"0000:03:02.1\", device: vf }\n");

	assert_string_equal(config->port[1].devargs, "04:00.1,rx=1");
	assert_false(config->port[0].whole_device);
	assert_true(config->port[1].whole_device);
	assert_string_equal(config->port[2].devargs, "fe000000.ethernet,x=1");
	assert_int_equal(config->port[3].driver, WYE_DRIVER_UIO);
	assert_false(config->port[3].whole_device);
	wye_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_text_is_refused),
		cmocka_unit_test(nul_byte_has_a_place),
		cmocka_unit_test(huge_text_is_refused),
		cmocka_unit_test(as_many_rules_as_there_is_room_for),
		cmocka_unit_test(problems_are_limited),
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_that_can_be_said),
		cmocka_unit_test(long_match_is_cut),
		cmocka_unit_test(netdev_may_be_an_alternative_name),
		cmocka_unit_test(devices_of_vfio),
		cmocka_unit_test(zero_prefix_is_a_family),
		cmocka_unit_test(example_is_good),
		cmocka_unit_test(missing_file_is_told),
		cmocka_unit_test(pipe_is_not_waited_for),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
