/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Generator and sink of the veth benches, all on CPU 0, so that the router under test has CPU 1 to itself.
 *
 * One thread stays in BPF_PROG_TEST_RUN (gen.bpf.c `source`), which sends and keeps the pace. A second one, real-time
 * so that it interrupts the first, polls the sink veth's NAPI every 50 us. That NAPI is ours for the whole run
 * (SO_PREFER_BUSY_POLL with deferred interrupts), so the router hands packets over by writing a ring: it wakes
 * nobody and does not run the sink's receive path in its own time. What CPU 1 spends is the router's.
 *
 * Router CPU is wall time less the idle time of CPU 1 as /proc/stat counts it. With NO_HZ, idle time is taken at
 * the entry to and exit from the idle loop, not sampled by the tick, and excludes interrupts: softirqs, threaded
 * NAPI and the router's own threads are all in it, and so is whatever else runs there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "gen.h"

#define SINK_POLL_NS  50000
#define SINK_BUDGET   256
#define DPORT	      9
#define WARM_UP_MS    300

struct options {
	const char *object, *source_ns, *source_dev, *router_ns, *router_dev, *sink_ns, *sink_dev;
	const char *sink_ip, *dst_mac, *src_ip, *dst_ip;
	double pps, seconds;
	unsigned int flows, ttl, cpu, router_cpu, batch;
};

struct bench {
	struct options o;
	struct bpf_object *object;
	int source_fd, counts_fd, state_fd, source_netns, router_netns, sink_netns;
	int sink_ifindex;
	struct gen_state *state;	/* the object's .bss, mapped */
	int socket;
	pthread_t source, sink;
	_Atomic bool source_stop, sink_stop;
};

struct sample {
	uint64_t ns, sent, received, bad_ttl, idle_ms;
};

static _Atomic bool stop;

static void on_signal(int signal)
{
	stop = true;
}

/* Only interrupts the system call that sends. */
static void on_source_stop(int signal)
{
}

static void die(const char *what, const char *arg)
{
	fprintf(stderr, "gen: %s %s: %s\n", what, arg, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static int netns_open(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("open", path);
	return fd;
}

static int netns_enter(int fd, const char *netdev)
{
	int ifindex;

	if (setns(fd, CLONE_NEWNET))
		die("setns for", netdev);
	ifindex = (int)if_nametoindex(netdev);
	if (!ifindex)
		die("interface", netdev);
	return ifindex;
}

/* Of the constant IP header that `source` writes. */
static __u16 ip_checksum(const struct gen_params *p, unsigned int total_bytes)
{
	__u16 words[10] = { htons(0x4500), htons(total_bytes), 0, 0, htons(64 << 8 | IPPROTO_UDP), 0 };
	uint32_t sum = 0;

	memcpy(&words[6], &p->src_ip, 4);
	memcpy(&words[8], &p->dst_ip, 4);
	for (int i = 0; i < 10; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~((sum & 0xffff) + (sum >> 16));
}

static void params_fill(const struct options *o, struct gen_params *p, int out_ifindex)
{
	unsigned int mac[6];

	if (sscanf(o->dst_mac, "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 6 ||
	    inet_pton(AF_INET, o->src_ip, &p->src_ip) != 1 || inet_pton(AF_INET, o->dst_ip, &p->dst_ip) != 1) {
		errno = EINVAL;
		die("addresses", o->dst_mac);
	}
	for (int i = 0; i < 6; i++)
		p->dst_mac[i] = (__u8)mac[i];
	memcpy(p->src_mac, (__u8[]){ 2, 0, 0, 0, 0, 1 }, 6);
	p->out_ifindex = (__u32)out_ifindex;
	p->dport = DPORT;
	p->flows = o->flows;
	p->ttl_expected = o->ttl;
	p->batch = o->batch;
	p->gap_ns = o->pps > 0 ? (__u64)(o->batch * 1e9 / o->pps) : 0;
	p->ip_check = ip_checksum(p, 20 + 8 + sizeof(struct gen_payload));
}

static int map_fd(struct bench *b, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(b->object, name);

	if (fd < 0)
		die("map", name);
	return fd;
}

static int prog_fd(struct bench *b, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(b->object, name);

	if (!prog)
		die("program", name);
	return bpf_program__fd(prog);
}

static void programs_load(struct bench *b)
{
	struct bpf_map *map;
	struct gen_params *params;
	size_t size = 0;
	int out_ifindex = netns_enter(b->source_netns, b->o.source_dev);

	b->object = bpf_object__open_file(b->o.object, NULL);
	if (!b->object)
		die("open", b->o.object);
	map = bpf_object__find_map_by_name(b->object, ".rodata");
	params = map ? (struct gen_params *)bpf_map__initial_value(map, &size) : NULL;
	if (!params || size < sizeof(*params))
		die("parameters of", b->o.object);
	params_fill(&b->o, params, out_ifindex);
	if (bpf_object__load(b->object))
		die("load", b->o.object);
	b->source_fd = prog_fd(b, "source");
	b->counts_fd = map_fd(b, "counts");
	map = bpf_object__find_map_by_name(b->object, ".bss");
	b->state = mmap(NULL, sizeof(*b->state), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (b->state == MAP_FAILED)
		die("map state of", b->o.object);
}

/*
 * A socket whose only use is to own the sink's NAPI; see the file's top. It learns which one from a packet that comes in by
 * it: napi_learn() greets it from the router. (An AF_XDP socket will not do: on 6.18 veth tells those no NAPI id.)
 */
static void socket_open(struct bench *b)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(DPORT) };

	b->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (b->socket < 0 || bind(b->socket, (struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(b->socket, SOL_SOCKET, SO_PREFER_BUSY_POLL, &(int){ 1 }, sizeof(int)) ||
	    setsockopt(b->socket, SOL_SOCKET, SO_BUSY_POLL, &(int){ 20 }, sizeof(int)) ||
	    setsockopt(b->socket, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &(int){ SINK_BUDGET }, sizeof(int)))
		die("socket behind", b->o.sink_dev);
}

static void sink_open(struct bench *b)
{
	b->sink_ifindex = netns_enter(b->sink_netns, b->o.sink_dev);
	if (bpf_xdp_attach(b->sink_ifindex, prog_fd(b, "sink"), XDP_FLAGS_DRV_MODE, NULL))
		die("attach sink to", b->o.sink_dev);
	socket_open(b);
	netns_enter(b->source_netns, b->o.source_dev);
}

static void sink_close(struct bench *b)
{
	netns_enter(b->sink_netns, b->o.sink_dev);
	bpf_xdp_detach(b->sink_ifindex, XDP_FLAGS_DRV_MODE, NULL);
	close(b->socket);
}

static int source_run(struct bench *b, unsigned int packets)
{
	static __u8 frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame), .repeat = (int)packets,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = b->o.batch);

	return bpf_prog_test_run_opts(b->source_fd, &run);
}

static void *source_thread(void *arg)
{
	struct bench *b = arg;

	while (!b->source_stop && source_run(b, INT_MAX) >= 0)
		;
	return NULL;	/* EINTR: told to stop */
}

static void sink_poll(struct bench *b)
{
	recv(b->socket, NULL, 0, MSG_DONTWAIT);
}

static void *sink_thread(void *arg)
{
	struct sched_param priority = { .sched_priority = 10 };
	struct bench *b = arg;

	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority))
		die("real-time priority for", "the sink");
	for (; !b->sink_stop; clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = SINK_POLL_NS }, NULL))
		sink_poll(b);
	return NULL;
}

static uint64_t idle_ms(unsigned int cpu)
{
	unsigned long long idle = 0, iowait = 0;
	unsigned int at;
	char line[512];
	FILE *file = fopen("/proc/stat", "r");

	if (!file)
		die("open", "/proc/stat");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "cpu%u %*u %*u %*u %llu %llu", &at, &idle, &iowait) == 3 && at == cpu)
			break;
	fclose(file);
	return (idle + iowait) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static struct sample sample_take(struct bench *b)
{
	int cpus = libbpf_num_possible_cpus();
	struct gen_count *count = calloc((size_t)cpus, sizeof(*count));
	struct sample s = { .ns = now_ns(), .sent = b->state->sent, .idle_ms = idle_ms(b->o.router_cpu) };
	uint32_t key = 0;

	if (!count || bpf_map_lookup_elem(b->counts_fd, &key, count))
		die("counters of", b->o.sink_dev);
	for (int i = 0; i < cpus; i++) {
		s.received += count[i].packets;
		s.bad_ttl += count[i].bad_ttl;
	}
	free(count);
	return s;
}

static void report(const struct sample *from, const struct sample *to)
{
	double seconds = (double)(to->ns - from->ns) / 1e9;
	double busy = seconds - (double)(to->idle_ms - from->idle_ms) / 1e3;
	uint64_t received = to->received - from->received, sent = to->sent - from->sent;

	printf("{\"seconds\":%.3f,\"sent\":%llu,\"received\":%llu,\"bad_ttl\":%llu,\"offered_mpps\":%.4f,\"mpps\":%.4f,"
	       "\"router_busy\":%.3f,\"cpu_ns\":%.0f}\n", seconds, (unsigned long long)sent, (unsigned long long)received,
	       (unsigned long long)(to->bad_ttl - from->bad_ttl), (double)sent / seconds / 1e6,
	       (double)received / seconds / 1e6, busy / seconds, received ? busy * 1e9 / (double)received : 0.0);
}

static bool napi_known(struct bench *b)
{
	unsigned int id = 0;

	return !getsockopt(b->socket, SOL_SOCKET, SO_INCOMING_NAPI_ID, &id, &(socklen_t){ sizeof(id) }) && id;
}

/* A packet from the router's own stack, which reaches the sink whoever forwards. */
static void sink_greet(struct bench *b)
{
	struct sockaddr_in sink = { .sin_family = AF_INET, .sin_port = htons(DPORT) };
	int fd;

	netns_enter(b->router_netns, b->o.router_dev);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || inet_pton(AF_INET, b->o.sink_ip, &sink.sin_addr) != 1 ||
	    sendto(fd, "hello", 5, 0, (struct sockaddr *)&sink, sizeof(sink)) < 0)
		die("greeting", b->o.sink_ip);
	close(fd);
	netns_enter(b->source_netns, b->o.source_dev);
}

static void napi_learn(struct bench *b)
{
	for (int tries = 0; !napi_known(b); tries++) {
		errno = ETIMEDOUT;
		if (tries == 1000)
			die("busy polling: no NAPI id (generic receive offload off?) on", b->o.sink_dev);
		if (tries % 50 == 0)
			sink_greet(b);
		recv(b->socket, NULL, 0, MSG_DONTWAIT);
		poll(NULL, 0, 5);
	}
}

/* Until the path carries packets: the router may still be resolving neighbours. */
static void await_path(struct bench *b)
{
	uint64_t deadline = now_ns() + 5000000000ull;

	while (!stop && sample_take(b).received == 0) {
		if (now_ns() > deadline) {
			fprintf(stderr, "gen: nothing sent from %s arrives at %s within 5 s\n", b->o.source_dev,
				b->o.sink_dev);
			stop = true;
		}
		source_run(b, 4);
		poll(NULL, 0, 20);
		sink_poll(b);
	}
}

static void threads_start(struct bench *b)
{
	errno = pthread_create(&b->sink, NULL, sink_thread, b);
	if (!errno)
		errno = pthread_create(&b->source, NULL, source_thread, b);
	if (errno)
		die("starting", "threads");
}

static void threads_stop(struct bench *b)
{
	b->source_stop = true;
	pthread_kill(b->source, SIGUSR1);
	pthread_join(b->source, NULL);
	b->sink_stop = true;
	pthread_join(b->sink, NULL);
}

/* Like the sink, the thread that takes samples must not wait for the one that sends. */
static void measure(struct bench *b, struct sample *from, struct sample *to)
{
	struct sched_param priority = { .sched_priority = 11 };

	if (stop)
		return;
	threads_start(b);
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
	poll(NULL, 0, WARM_UP_MS);
	*from = sample_take(b);
	poll(NULL, 0, (int)(b->o.seconds * 1e3));
	*to = sample_take(b);
	threads_stop(b);
}

static int options_parse(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "object", 1, 0, 'o' }, { "pps", 1, 0, 'p' }, { "seconds", 1, 0, 's' }, { "flows", 1, 0, 'f' },
		{ "ttl", 1, 0, 't' }, { "cpu", 1, 0, 'c' }, { "router-cpu", 1, 0, 'r' }, { "batch", 1, 0, 'b' }, { 0 }
	};
	int c;

	*o = (struct options){ .seconds = 2, .flows = 256, .ttl = 63, .cpu = 0, .router_cpu = 1, .batch = 32 };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'o': o->object = optarg; break;
		case 'p': o->pps = atof(optarg); break;
		case 's': o->seconds = atof(optarg); break;
		case 'f': o->flows = (unsigned int)atoi(optarg); break;
		case 't': o->ttl = (unsigned int)atoi(optarg); break;
		case 'c': o->cpu = (unsigned int)atoi(optarg); break;
		case 'r': o->router_cpu = (unsigned int)atoi(optarg); break;
		case 'b': o->batch = (unsigned int)atoi(optarg); break;
		default: return -EINVAL;
		}
	}
	if (argc - optind != 10 || !o->object || !o->flows || !o->batch)
		return -EINVAL;
	for (int i = 0; i < 10; i++)
		*(const char **[]){ &o->source_ns, &o->source_dev, &o->router_ns, &o->router_dev, &o->sink_ns,
				    &o->sink_dev, &o->sink_ip, &o->dst_mac, &o->src_ip, &o->dst_ip }[i] = argv[optind + i];
	return 0;
}

static void cpu_pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("pinning to a", "CPU");
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	struct sample from, to;

	if (options_parse(&b.o, argc, argv)) {
		fprintf(stderr, "usage: gen --object gen.bpf.o [--pps N] [--seconds S] [--flows N] [--ttl N] [--cpu N] "
				"[--router-cpu N] [--batch N] SOURCE-NS SOURCE-DEV ROUTER-NS ROUTER-OUT-DEV SINK-NS SINK-DEV SINK-IP "
				"ROUTER-MAC SRC-IP DST-IP\n");
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_source_stop }, NULL);
	cpu_pin(b.o.cpu);
	b.source_netns = netns_open(b.o.source_ns);
	b.router_netns = netns_open(b.o.router_ns);
	b.sink_netns = netns_open(b.o.sink_ns);
	programs_load(&b);
	sink_open(&b);
	napi_learn(&b);
	await_path(&b);
	measure(&b, &from, &to);
	sink_close(&b);
	if (stop)
		return 1;
	report(&from, &to);
	return 0;
}
