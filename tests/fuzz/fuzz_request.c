/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as what clients do at wye-dpd's socket: they connect, ask for captures and traces, hang up, in any order, while
 * packets pass and now and then no plan can be made. capture.c, trace.c and request.c are the real ones, on real sockets; in
 * the place of workers, the packets are shown to whatever the plan names. Beyond not crashing: each request gets one answer,
 * a refusal has a reason, nothing beyond a limit is taken, and when all have hung up nothing is left.
 *
 *   byte		action (3 bits), client (5 bits)
 *   u16 bytes …	what the action takes: a message, a packet
 */
#include <sys/types.h> /* which pcap/bpf.h takes for granted */

#include <errno.h>
#include <pcap/bpf.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dpd.h"
#include "log.h"
#include "runtime/init.h"
#include "runtime/process.h"

#define CLIENTS 6u	/* one more than there are slots */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum action { RAW, CAPTURE, TRACE, HANG_UP, PACKET, REFUSE, DRAIN };

static struct dpd dpd;
static struct worker worker = { .dpd = &dpd };
static struct plan plan;
static bool no_plan;
static struct process *capture, *trace;
static char dir[64];
static struct client {
	int fd, server_fd;	/* -1: not connected; has been answered, or hung up on */
	bool runs;		/* a capture was granted: records come */
} client[CLIENTS];

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

/* ---- what capture.c and trace.c call, and what they come after ----------------------------------------------------- */

void log_at(enum log_level level, const char *format, ...)
{
}

int plan_renew(struct dpd *of, bool new_graphs)
{
	if (no_plan)
		return -ENOMEM;
	memset(&plan, 0, sizeof(plan));
	capture_plan(of, &plan);
	trace_plan(of, &plan);
	must(plan.n_captures <= CAPTURES_MAX && plan.n_trace_inputs <= WYE_TRACE_INPUTS, "a plan has room");
	atomic_store(&of->plan, &plan);
	return 0;
}

INIT(eal, .start = NULL);
INIT(stats, .start = NULL);
INIT(workers, .start = NULL);

static void clean_up(void)
{
	init_stop(&dpd);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct wye_config config = { .n_ports = 2, .port = { { .netdev = "r1" }, { .netdev = "fifteen-letters" } } };
	struct process *process;
	char why[512];

	snprintf(dir, sizeof(dir), "%s/wye-fuzz-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	must(mkdtemp(dir) != NULL, "a folder can be made");
	dpd.options.run_dir = dir;
	dpd.config = &config;
	dpd.n_ports = 2;
	dpd.port[0].n_queues = 2;
	dpd.port[1].n_queues = 1;
	dpd.port_of_dpdk[0] = 1;
	dpd.port_of_dpdk[1] = 2;
	dpd.stats = calloc(1, sizeof(*dpd.stats));
	must(dpd.stats && !init_start(&dpd, NULL, why, sizeof(why)), "it starts");
	atexit(clean_up);
	for (uint32_t i = 0; (process = process_at(i)); i++) {
		capture = strcmp(process->name, "capture") ? capture : process;
		trace = strcmp(process->name, "trace") ? trace : process;
	}
	worker.plan = &plan;
	return 0;
}

/* ---- clients ------------------------------------------------------------------------------------------------------ */

static void work(void)
{
	for (int i = 0; i < 2; i++) {
		struct process *process = i ? trace : capture;

		if (process->has_work(process))
			process->run(process, &(struct process_event){ .kind = PROCESS_WORK });
	}
}

static void ready(int fd, uint32_t events)
{
	capture->run(capture, &(struct process_event){ .kind = PROCESS_READY, .fd = fd, .ready = events });
	work();
}

/* Which slot has it; CAPTURE_SLOTS: none. */
static uint32_t slot_of(int fd)
{
	uint32_t i = 0;

	while (i < CAPTURE_SLOTS && (dpd.captures.one[i].state == CAPTURE_FREE || dpd.captures.one[i].fd != fd))
		i++;
	return i;
}

static void hang_up(struct client *who)
{
	if (who->fd < 0)
		return;
	close(who->fd);
	if (who->server_fd >= 0 && slot_of(who->server_fd) < CAPTURE_SLOTS)
		ready(who->server_fd, EPOLLIN | EPOLLHUP);
	*who = (struct client){ -1, -1, false };
}

/* The one in a slot that no client is known for. */
static int newcomer(void)
{
	for (uint32_t s = 0; s < CAPTURE_SLOTS; s++) {
		bool known = dpd.captures.one[s].state != CAPTURE_ASKED;

		for (uint32_t c = 0; c < CLIENTS; c++)
			known |= client[c].server_fd == dpd.captures.one[s].fd;
		if (!known)
			return dpd.captures.one[s].fd;
	}
	return -1;
}

static void dial(struct client *who)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir, WYE_FILE_CAPTURE);
	who->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(who->fd >= 0 && !connect(who->fd, (struct sockaddr *)&address, sizeof(address)), "a client can connect");
	ready(dpd.captures.listen_fd, EPOLLIN);
	who->server_fd = newcomer();
}

static void check_record(const uint8_t *message, ssize_t bytes)
{
	struct wye_capture_record record;

	must(bytes >= (ssize_t)sizeof(record), "a record is whole");
	memcpy(&record, message, sizeof(record));
	must(bytes == (ssize_t)(sizeof(record) + record.captured_bytes), "and as long as it says");
	must(record.captured_bytes <= record.packet_bytes && record.captured_bytes <= WYE_CAPTURE_BYTES_MAX, "and in limits");
	must(record.port < dpd.n_ports && record.reason <= WYE_REASON_COUNT && record.sent <= 1, "and of something there is");
}

/* Whether the client was answered. */
static bool drain(struct client *who)
{
	static uint8_t message[sizeof(struct wye_capture_record) + WYE_CAPTURE_BYTES_MAX + 1];
	struct wye_capture_answer answer;
	bool answered = false;
	ssize_t bytes;

	while (who->fd >= 0 && (bytes = recv(who->fd, message, sizeof(message), MSG_TRUNC)) > 0) {
		if (who->runs) {
			check_record(message, bytes);
			continue;
		}
		must(!answered && bytes == sizeof(answer), "there is one answer");
		memcpy(&answer, message, sizeof(answer));
		must(memchr(answer.why, 0, sizeof(answer.why)) != NULL, "its reason ends");
		must(answer.error >= 0 && !answer.error == !answer.why[0], "a refusal has a reason");
		answered = true;
		who->runs = !answer.error && who->server_fd >= 0 && slot_of(who->server_fd) < CAPTURE_SLOTS;
	}
	return answered;
}

static void ask(struct client *who, const uint8_t *message, size_t size)
{
	bool refused, running = who->runs;

	if (who->fd < 0)
		dial(who);
	refused = who->server_fd < 0;
	if (send(who->fd, message, size, MSG_NOSIGNAL) < 0) {
		hang_up(who);
		return;
	}
	if (!refused)
		ready(who->server_fd, EPOLLIN);
	if (!running && !refused && size)
		must(drain(who), "a request is answered");
	if (running)
		drain(who);
	if (who->server_fd >= 0 && slot_of(who->server_fd) == CAPTURE_SLOTS)
		who->server_fd = -1;
	if (who->server_fd < 0)
		hang_up(who);
}

/* What would never be hit by chance: the numbers that a request begins with, and how long it says it is. */
static void ask_well(struct client *who, enum action action, const uint8_t *data, size_t size)
{
	static union {
		struct wye_capture_request capture;
		struct wye_trace_request trace;
		uint8_t byte[sizeof(struct wye_trace_request) + sizeof(struct wye_capture_request)];
	} request;
	size_t head = action == CAPTURE ? WYE_CAPTURE_REQUEST_BYTES(0) : WYE_TRACE_REQUEST_BYTES(0);
	uint32_t n;

	memset(&request, 0, sizeof(request));
	memcpy(request.byte, data, size < sizeof(request) ? size : sizeof(request));
	n = size > head ? (uint32_t)(size - head) / 8 : 0;
	if (action == CAPTURE) {
		request.capture.magic = WYE_CAPTURE_MAGIC;
		request.capture.version = WYE_CAPTURE_VERSION;
		request.capture.n_instructions = n;
	} else {
		request.trace.magic = WYE_TRACE_MAGIC;
		request.trace.version = WYE_TRACE_VERSION;
		request.trace.n_instructions = n;
	}
	ask(who, request.byte, RTE_MIN(head + n * 8, sizeof(request)));
}

/* ---- packets ------------------------------------------------------------------------------------------------------ */

/* As workers do it (trace_walk.c: wants()); the packet ends where its memory ends. */
static void pass(const uint8_t *data, size_t size, uint8_t how)
{
	uint8_t *bytes = malloc(size ? size : 1);
	struct rte_mbuf packet = { .buf_addr = bytes, .buf_len = (uint16_t)size, .data_len = (uint16_t)size,
				   .pkt_len = (uint32_t)size, .nb_segs = 1, .port = how & 3 };
	struct rte_mbuf *packets = &packet;

	memcpy(bytes, data, size);
	for (uint32_t i = 0; i < plan.n_trace_inputs; i++)
		if (plan.trace->input[i].filter)
			(void)bpf_filter(plan.trace->input[i].filter, bytes, packet.pkt_len, packet.data_len);
	for (uint32_t p = 0; p < dpd.n_ports; p++)
		if (plan.port[p].captured)
			(how & 4 ? capture_received : capture_sent)(&worker, p, &packets, 1);
	if (plan.captures_leaving)
		capture_left(&worker, how % WYE_REASON_COUNT, &packets, 1);
	free(bytes);
	work();
}

/* ---- what must hold ------------------------------------------------------------------------------------------------ */

static void check_captures(void)
{
	uint32_t running = 0;

	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++) {
		const struct capture *one = &dpd.captures.one[i];

		running += one->state == CAPTURE_RUNNING;
		if (one->state == CAPTURE_RUNNING)
			must(one->port < dpd.n_ports && one->packet_bytes && one->packet_bytes <= WYE_CAPTURE_BYTES_MAX &&
			     one->where >= WYE_CAPTURE_PORT && one->where <= WYE_CAPTURE_DROP, "a capture is of something");
		if (one->state == CAPTURE_FREE)
			must(one->fd < 0 && !one->filter && !one->exchange.buffers, "what is free has nothing");
	}
	must(running <= CAPTURES_MAX, "captures are limited");
}

static void check_trace(void)
{
	const struct trace *now = &dpd.trace;

	must(!now->asked, "a request does not wait for ever");
	must(now->n_inputs <= WYE_TRACE_INPUTS && (!now->n_inputs || now->file), "inputs are limited");
	for (uint32_t i = 0; i < now->n_inputs; i++) {
		must(now->input[i].port < dpd.n_ports && now->input[i].wanted <= WYE_TRACE_PACKETS_MAX, "an input is one");
		must(now->input[i].queue < (int32_t)dpd.port[now->input[i].port].n_queues, "of a queue there is");
		must(memchr(now->file->input[i].netdev, 0, sizeof(now->file->input[i].netdev)) &&
		     memchr(now->file->input[i].filter, 0, sizeof(now->file->input[i].filter)), "its names end");
	}
	must(!now->file || now->file->n_inputs == now->n_inputs, "the file tells of all");
}

static void end(void)
{
	static const struct wye_trace_request clear = { .magic = WYE_TRACE_MAGIC, .version = WYE_TRACE_VERSION,
							.command = WYE_TRACE_CLEAR };

	no_plan = false;
	for (uint32_t i = 0; i < CLIENTS; i++)
		hang_up(&client[i]);
	ready(-1, 0);
	ask(&client[0], (const uint8_t *)&clear, WYE_TRACE_REQUEST_BYTES(0));
	hang_up(&client[0]);
	must(!dpd.trace.file && !dpd.trace.n_inputs, "after clear nothing is traced");
	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++)
		must(dpd.captures.one[i].state == CAPTURE_FREE, "who has hung up leaves nothing");
	check_captures();
}

static void act(uint8_t head, const uint8_t *data, size_t size)
{
	struct client *who = &client[(head >> 3) % CLIENTS];

	switch (head & 7) {
	case RAW: ask(who, data, size); break;
	case CAPTURE:
	case TRACE: ask_well(who, head & 7, data, size); break;
	case HANG_UP: hang_up(who); break;
	case PACKET: pass(data, size, head >> 3); break;
	case REFUSE: no_plan = !no_plan; break;
	case DRAIN: drain(who); break;
	}
	check_captures();
	check_trace();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (uint32_t i = 0; i < CLIENTS; i++)
		client[i] = (struct client){ -1, -1, false };
	while (size >= 3) {
		uint8_t head = data[0];
		size_t bytes = RTE_MIN((size_t)(data[1] | data[2] << 8), size - 3);

		act(head, data + 3, bytes);
		data += 3 + bytes;
		size -= 3 + bytes;
	}
	end();
	return 0;
}
