/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sflow: tells a collector about one of `rate` packets that the dataplane takes: sFlow version 5 (sflow.org), flow samples
 * with the packet's first bytes. The example of a plugin, in the order a sample goes through it:
 *
 *	configure(), change() ─ settings ─▶ nodes (workers) ─ ring ─▶ process (main) ─ UDP ─▶ collector
 *
 * A node counts down by whole vectors, so what is not sampled costs nothing by the packet.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <rte_errno.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wye_plugin.h"

#define HEADER_BYTES 128	/* of a packet, as most agents have it */
#define RING_SIZE    1024u	/* samples that wait for main; one less of them */
#define BUDGET	     64		/* samples in one go */
#define DATAGRAM_MAX 1400	/* below the MTU of any way to a collector */
#define SAMPLE_MAX   (18 * 4 + HEADER_BYTES)	/* as encoded */

struct sample {
	uint32_t rate, ifindex, frame_bytes, header_bytes;
	uint8_t header[HEADER_BYTES];
};

static struct sampler {		/* a worker's own; main reads the pool */
	uint64_t left;		/* packets up to the next sample, it included */
	uint32_t rate;		/* that `left` goes by */
	uint64_t vector;	/* number of the vector at hand, of no other worker's */
	uint32_t random;
	_Atomic uint64_t pool;	/* packets that could have been sampled */
} __attribute__((aligned(64))) samplers[WYE_WORKERS_MAX];

static struct settings {	/* main's */
	uint64_t rate;
	struct in_addr agent;
	struct sockaddr_in collector;
} settings;
static _Atomic uint32_t rate;	/* main: rw, workers: ro; relaxed: nothing goes with it */
static _Atomic uint32_t drops;	/* as count_lost, for the datagrams */
static struct rte_ring *ring;	/* workers: producers, main: consumer; of struct sample, by value */
static int mark_offset;		/* of what take() notes in a packet, for traces: vector << 1, and 1 if the sample was lost */
static int socket_fd = -1;
static int count_seen, count_taken, count_lost, count_sent, count_refused;

/* ---- settings ----------------------------------------------------------------------------------------------------- */

static int read_collector(struct sockaddr_in *collector)
{
	const char *text = wye_plugin_setting("collector");
	char address[INET_ADDRSTRLEN] = "";
	unsigned int port = 6343;
	char end;

	if (text && (sscanf(text, "%15[0-9.]:%5u%c", address, &port, &end) == 2 ||
		     sscanf(text, "%15[0-9.]%c", address, &end) == 1) &&
	    inet_pton(AF_INET, address, &collector->sin_addr) == 1 && port && port < 65536) {
		collector->sin_family = AF_INET;
		collector->sin_port = htons((uint16_t)port);
		return 0;
	}
	return wye_plugin_problem("collector", "\"%.40s\": expected an IPv4 address, and a port behind \":\" if it is not 6343",
				  text ? text : "");
}

static int read_settings(struct settings *to)
{
	const char *text = wye_plugin_setting("agent");
	int error = read_collector(&to->collector);

	if (!text || inet_pton(AF_INET, text, &to->agent) != 1)
		error = wye_plugin_problem("agent", "\"%.40s\": expected the IPv4 address that this router is known by",
					   text ? text : "");
	if (wye_plugin_number("rate", 1, 1000000000, 1000, &to->rate))
		error = -EINVAL;
	return error;
}

static void take_settings(const struct settings *from)
{
	settings = *from;
	atomic_store_explicit(&rate, (uint32_t)from->rate, memory_order_relaxed);
}

static int open_socket(const struct sockaddr_in *collector)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	if (fd >= 0 && !connect(fd, (const struct sockaddr *)collector, sizeof(*collector)))
		return fd;
	error = -errno;
	if (fd >= 0)
		close(fd);
	return error;
}

/* At a reload. Samples that wait are sent to the new collector, each with the rate that it was taken at. */
static int change(void)
{
	struct settings wanted;
	int error = read_settings(&wanted), fd;

	if (error)
		return error;
	fd = open_socket(&wanted.collector);
	if (fd < 0)
		return wye_plugin_problem("collector", "it cannot be sent to: %s", strerror(-fd));
	close(socket_fd);
	socket_fd = fd;
	take_settings(&wanted);
	return 0;
}

static int configure(void)
{
	struct settings given;
	int error = read_settings(&given);

	if (!error)
		take_settings(&given);
	count_seen = wye_plugin_counter("seen", "packets that could have been sampled");
	count_taken = wye_plugin_counter("taken", "samples taken");
	count_lost = wye_plugin_counter("lost", "samples that main was too slow for");
	count_sent = wye_plugin_counter("sent", "datagrams sent to the collector");
	count_refused = wye_plugin_counter("refused", "datagrams that could not be sent");
	return error;
}

/* ---- nodes: on every worker --------------------------------------------------------------------------------------- */

/* Uniform from 1 to 2 * rate - 1, so one in `rate` on average, and nothing periodic in the traffic can hide behind it. */
static uint64_t next_distance(struct sampler *sampler)
{
	sampler->random ^= sampler->random << 13;
	sampler->random ^= sampler->random >> 17;
	sampler->random ^= sampler->random << 5;
	return 1 + (uint64_t)sampler->random * (2ull * sampler->rate - 1) / ((uint64_t)UINT32_MAX + 1);
}

static uint64_t *mark_of(struct rte_mbuf *packet)
{
	return RTE_MBUF_DYNFIELD(packet, mark_offset, uint64_t *);
}

static void take(struct rte_node *node, const struct sampler *sampler, struct rte_mbuf *packet)
{
	struct sample sample;

	*mark_of(packet) = sampler->vector << 1;
	sample.rate = sampler->rate;
	sample.ifindex = wye_plugin_ifindex(node, packet);
	sample.frame_bytes = packet->pkt_len;
	sample.header_bytes = RTE_MIN(packet->data_len, HEADER_BYTES);
	memcpy(sample.header, rte_pktmbuf_mtod(packet, const void *), sample.header_bytes);
	if (rte_ring_enqueue_elem(ring, &sample, sizeof(sample)) < 0) {
		*mark_of(packet) |= 1;
		wye_plugin_count(node, count_lost, 1);
		atomic_fetch_add_explicit(&drops, 1, memory_order_relaxed);
		return;
	}
	wye_plugin_count(node, count_taken, 1);
	process_wake();
}

/* A reload has changed it: the next sample may be a long way off by the old one. */
static void follow_rate(struct sampler *sampler)
{
	uint32_t wanted = atomic_load_explicit(&rate, memory_order_relaxed);

	if (likely(sampler->rate == wanted))
		return;
	sampler->rate = wanted;
	sampler->left = next_distance(sampler);
}

static uint16_t sflow_process(struct rte_graph *graph, struct rte_node *node, void **objs, uint16_t n)
{
	struct sampler *sampler = &samplers[wye_plugin_worker(node)];
	uint64_t at = 0;

	follow_rate(sampler);
	sampler->vector += WYE_WORKERS_MAX;
	atomic_store_explicit(&sampler->pool, atomic_load_explicit(&sampler->pool, memory_order_relaxed) + n,
			      memory_order_relaxed);
	while (sampler->left <= n - at) {
		at += sampler->left;
		take(node, sampler, objs[at - 1]);
		sampler->left = next_distance(sampler);
	}
	sampler->left -= n - at;
	wye_plugin_count(node, count_seen, n);
	rte_node_next_stream_move(graph, node, WYE_PLUGIN_NEXT);
	return n;
}

/* ---- what `wye trace` shows: noted by the worker, told by main ---------------------------------------------------- */

struct sampled {
	uint32_t rate;	/* 0 = not sampled */
	uint32_t lost;
};

/* A packet of another vector, or one that nobody took, has another mark. */
static void sflow_note(struct worker *worker, struct rte_node *node, struct rte_mbuf *packet, rte_edge_t edge, void *note)
{
	const struct sampler *sampler = &samplers[wye_plugin_worker(node)];
	uint64_t mark = *mark_of(packet);

	if (mark >> 1 == sampler->vector)
		*(struct sampled *)note = (struct sampled){ .rate = sampler->rate, .lost = mark & 1 };
}

static void sflow_tell(const struct dpd *dpd, const void *note, struct trace_fields *fields)
{
	const struct sampled *sampled = note;

	if (!sampled->rate)
		trace_text(fields, "sflow", "not sampled");
	else
		trace_text(fields, "sflow", "sampled 1 in %u%s", sampled->rate, sampled->lost ? ", lost" : "");
}

static const struct node_trace sflow_trace = { .note = sflow_note, .tell = sflow_tell };

static const struct wye_plugin_node nodes[] = {
	{ .name = "sflow_ip4", .point = "ip4_input", .process = sflow_process, .trace = &sflow_trace },
	{ .name = "sflow_ip6", .point = "ip6_input", .process = sflow_process, .trace = &sflow_trace },
};

/* ---- process: on main --------------------------------------------------------------------------------------------- */

struct datagram {
	uint32_t word[DATAGRAM_MAX / 4];
	uint32_t used, samples;	/* words; flow samples */
};

static uint32_t n_samples, n_datagrams;
static uint64_t started_ns;

static void put(struct datagram *datagram, uint32_t value)
{
	datagram->word[datagram->used++] = htonl(value);
}

static uint32_t pool_of_all(void)
{
	uint64_t pool = 0;

	for (uint32_t i = 0; i < WYE_WORKERS_MAX; i++)
		pool += atomic_load_explicit(&samplers[i].pool, memory_order_relaxed);
	return (uint32_t)pool;
}

static void put_sample(struct datagram *datagram, const struct sample *sample)
{
	uint32_t header_words = (sample->header_bytes + 3) / 4;

	put(datagram, 1);			/* flow_sample */
	put(datagram, (14 + header_words) * 4);
	put(datagram, ++n_samples);
	put(datagram, 2u << 24 | 1);		/* source: this device as a whole */
	put(datagram, sample->rate);
	put(datagram, pool_of_all());
	put(datagram, atomic_load_explicit(&drops, memory_order_relaxed));
	put(datagram, sample->ifindex);		/* in */
	put(datagram, 0);			/* out: not known yet */
	put(datagram, 1);			/* one record */
	put(datagram, 1);			/* sampled_header */
	put(datagram, (4 + header_words) * 4);
	put(datagram, 1);			/* Ethernet */
	put(datagram, sample->frame_bytes + 4);	/* with the FCS, */
	put(datagram, 4);			/* which is stripped */
	put(datagram, sample->header_bytes);
	datagram->word[datagram->used + header_words - 1] = 0;
	memcpy(&datagram->word[datagram->used], sample->header, sample->header_bytes);
	datagram->used += header_words;
	datagram->samples++;
}

static void begin(struct datagram *datagram, uint64_t now_ns)
{
	datagram->used = datagram->samples = 0;
	put(datagram, 5);
	put(datagram, 1);	/* the agent's address is IPv4 */
	datagram->word[datagram->used++] = settings.agent.s_addr;
	put(datagram, 0);	/* sub-agent */
	put(datagram, ++n_datagrams);
	put(datagram, (uint32_t)((now_ns - started_ns) / 1000000));
	put(datagram, 0);	/* samples: filled in at the end */
}

static void finish(struct datagram *datagram)
{
	datagram->word[6] = htonl(datagram->samples);
	if (send(socket_fd, datagram->word, datagram->used * 4, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		wye_plugin_count_main(count_refused, 1);
	else
		wye_plugin_count_main(count_sent, 1);
}

static bool samples_wait(const struct process *process)
{
	return !rte_ring_empty(ring);
}

static uint64_t sflow_run(struct process *process, const struct process_event *event)
{
	struct datagram datagram;
	struct sample sample;

	if (event->kind == PROCESS_START)
		started_ns = event->now_ns;
	begin(&datagram, event->now_ns);
	for (int i = 0; i < BUDGET && rte_ring_dequeue_elem(ring, &sample, sizeof(sample)) == 0; i++) {
		if (datagram.used * 4 + SAMPLE_MAX > DATAGRAM_MAX) {
			finish(&datagram);
			begin(&datagram, event->now_ns);
		}
		put_sample(&datagram, &sample);
	}
	if (datagram.samples)
		finish(&datagram);
	else
		n_datagrams--;
	return PROCESS_NEVER;
}

static struct process sflow = { .name = "sflow", .run = sflow_run, .has_work = samples_wait };
static struct process *const processes[] = { &sflow };

/* ---- start and end ------------------------------------------------------------------------------------------------ */

static void sampling_stop(struct dpd *dpd)
{
	rte_ring_free(ring);
	ring = NULL;
}

static int sampling_start(struct dpd *dpd)
{
	static const struct rte_mbuf_dynfield field = { .name = "sflow_mark", .size = sizeof(uint64_t),
							.align = __alignof__(uint64_t) };

	for (uint32_t i = 0; i < WYE_WORKERS_MAX; i++) {
		samplers[i].random = 2463534242u + i;
		samplers[i].vector = WYE_WORKERS_MAX + i;
	}
	mark_offset = rte_mbuf_dynfield_register(&field);
	if (mark_offset < 0)
		return -rte_errno;
	ring = rte_ring_create_elem("sflow", sizeof(struct sample), RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	return ring ? 0 : -rte_errno;
}

static void sending_stop(struct dpd *dpd)
{
	if (socket_fd >= 0)
		close(socket_fd);
	socket_fd = -1;
}

static int sending_start(struct dpd *dpd)
{
	socket_fd = open_socket(&settings.collector);
	return socket_fd < 0 ? socket_fd : 0;
}

static struct init sampling_init = {
	.name = "sflow_sampling", .start = sampling_start, .stop = sampling_stop,
	.after = INIT_NAMES("eal"), .before = INIT_NAMES("graph"),
};
static struct init sending_init = {
	.name = "sflow_sending", .start = sending_start, .stop = sending_stop, .before = INIT_NAMES("graph"),
};
static struct init *const inits[] = { &sampling_init, &sending_init };

const struct wye_plugin wye_plugin = {
	WYE_PLUGIN_HEAD,
	.name = "sflow",
	.version = "3",
	.summary = "samples packets for an sFlow collector",
	.configure = configure,
	.change = change,
	.init = inits,
	.n_inits = RTE_DIM(inits),
	.node = nodes,
	.n_nodes = RTE_DIM(nodes),
	.process = processes,
	.n_processes = RTE_DIM(processes),
};
