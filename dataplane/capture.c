/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Captures: main's half talks to the commands, the workers' half copies packets. Requests for traces come over the same
 * socket and are handed on.
 */
#include <errno.h>
#include <sys/types.h> /* which pcap/bpf.h takes for granted */

#include <pcap/bpf.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "dpd.h"
#include "log.h"
#include "nodes/node.h"
#include "request.h"
#include "runtime/init.h"
#include "runtime/process.h"

#define BUFFERS	     1024u	/* of a capture; one less */
#define SOCKET_BYTES (4 << 20)
#define BUDGET	     256u	/* packets of a capture in one go */

static struct process capture_process;

/* ---- workers ------------------------------------------------------------------------------------------------------ */

/* True: main has something to send. */
static bool take(struct capture *capture, const struct wye_capture_record *head, struct rte_mbuf *packet)
{
	struct wye_capture_record *record;
	const void *bytes;

	if (capture->filter && !bpf_filter(capture->filter, rte_pktmbuf_mtod(packet, const u_char *), packet->pkt_len,
					   packet->data_len))
		return false;
	if (rte_ring_dequeue(capture->exchange.empty, (void **)&record)) {
		atomic_fetch_add_explicit(&capture->lost, 1, memory_order_relaxed);
		return false;
	}
	*record = *head;
	record->packet_bytes = packet->pkt_len;
	record->captured_bytes = RTE_MIN(packet->pkt_len, capture->packet_bytes);
	bytes = rte_pktmbuf_read(packet, 0, record->captured_bytes, record + 1);
	if (bytes != record + 1)
		memcpy(record + 1, bytes, record->captured_bytes);
	rte_ring_enqueue(capture->exchange.full, record); /* has room for all buffers */
	return true;
}

static void take_all(struct worker *worker, uint32_t where, struct wye_capture_record *head, struct rte_mbuf **packets,
		     uint32_t n)
{
	const struct plan *plan = worker->plan;
	bool taken = false;

	head->time_ns = clock_wall_ns();
	for (uint32_t c = 0; c < plan->n_captures; c++) {
		struct capture *capture = plan->capture[c];

		if (capture->where != where || (where == WYE_CAPTURE_PORT && capture->port != head->port))
			continue;
		for (uint32_t i = 0; i < n; i++) {
			uint32_t port = packets[i]->port < RTE_DIM(worker->dpd->port_of_dpdk) ?
						worker->dpd->port_of_dpdk[packets[i]->port] : 0;

			if (where != WYE_CAPTURE_PORT)
				head->port = (uint16_t)(port ? port - 1 : 0);
			taken |= take(capture, head, packets[i]);
		}
	}
	if (taken)
		process_wake();
}

void capture_received(struct worker *worker, uint32_t port, struct rte_mbuf **packets, uint32_t n)
{
	struct wye_capture_record head = { .port = (uint16_t)port, .reason = WYE_REASON_COUNT };

	take_all(worker, WYE_CAPTURE_PORT, &head, packets, n);
}

void capture_sent(struct worker *worker, uint32_t port, struct rte_mbuf **packets, uint32_t n)
{
	struct wye_capture_record head = { .port = (uint16_t)port, .sent = 1, .reason = WYE_REASON_COUNT };

	take_all(worker, WYE_CAPTURE_PORT, &head, packets, n);
}

void capture_left(struct worker *worker, enum wye_reason reason, struct rte_mbuf **packets, uint32_t n)
{
	struct wye_capture_record head = { .reason = (uint8_t)reason };
	bool punt = wye_reason_verdict[reason] == WYE_VERDICT_PUNT;

	take_all(worker, punt ? WYE_CAPTURE_PUNT : WYE_CAPTURE_DROP, &head, packets, n);
}

/* ---- main: one capture -------------------------------------------------------------------------------------------- */

static void capture_free(struct capture *capture)
{
	if (capture->fd >= 0)
		close(capture->fd);
	free(capture->filter);
	exchange_close(&capture->exchange);
	*capture = (struct capture){ .fd = -1 };
}

static uint32_t count_captures(const struct dpd *dpd)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++)
		n += dpd->captures.one[i].state > CAPTURE_ASKED;
	return n;
}

/* 0, or an errno with why. */
static int understand(const struct dpd *dpd, struct capture *capture, struct wye_capture_request *request, ssize_t bytes,
		      char *why, size_t size)
{
	int port;

	if (bytes < (ssize_t)WYE_CAPTURE_REQUEST_BYTES(0) || request->magic != WYE_CAPTURE_MAGIC ||
	    request->version != WYE_CAPTURE_VERSION || request->n_instructions > WYE_CAPTURE_INSTRUCTIONS ||
	    bytes != (ssize_t)WYE_CAPTURE_REQUEST_BYTES(request->n_instructions) || request->packet_bytes == 0 ||
	    request->packet_bytes > WYE_CAPTURE_BYTES_MAX || request->where < WYE_CAPTURE_PORT ||
	    request->where > WYE_CAPTURE_DROP) {
		snprintf(why, size, "the request is not understood; wye and wye-dpd must be of one version");
		return EPROTO;
	}
	if (count_captures(dpd) >= CAPTURES_MAX) {
		snprintf(why, size, "%u captures run, no more can at a time; end one of them", CAPTURES_MAX);
		return EBUSY;
	}
	request->netdev[sizeof(request->netdev) - 1] = '\0';
	port = request->where == WYE_CAPTURE_PORT ? request_port(dpd, request->netdev) : 0;
	if (port < 0) {
		snprintf(why, size, "\"%s\" is not a port of wye-dpd (wye show port)", request->netdev);
		return ENODEV;
	}
	capture->where = request->where;
	capture->port = (uint32_t)port;
	capture->packet_bytes = request->packet_bytes;
	if (request->n_instructions) {
		capture->filter = request_filter(request->filter, request->n_instructions);
		if (!capture->filter) {
			snprintf(why, size, "the filter is no BPF program that is sure to end (one with protochain is not)");
			return EINVAL;
		}
	}
	if (exchange_open(&capture->exchange, BUFFERS, sizeof(struct wye_capture_record) + capture->packet_bytes) < 0) {
		snprintf(why, size, "no memory for %u packets of %u bytes; ask for fewer bytes (-s)", BUFFERS - 1,
			 capture->packet_bytes);
		return ENOMEM;
	}
	return 0;
}

static void read_request(struct dpd *dpd, struct capture *capture)
{
	static union {
		struct wye_capture_request capture;
		struct wye_trace_request trace;
	} request;
	ssize_t bytes;
	char why[sizeof(((struct wye_capture_answer *)0)->why)] = "";
	int error;

	if (trace_busy(dpd)) /* the message waits a turn */
		return;
	bytes = recv(capture->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
	if (bytes < 0 && errno == EAGAIN)
		return;
	if (bytes >= (ssize_t)sizeof(request.trace.magic) && request.trace.magic == WYE_TRACE_MAGIC) {
		trace_asked(dpd, capture->fd, &request.trace, bytes);
		capture->fd = -1;
		bytes = 0;
	}
	if (bytes <= 0) {
		capture_free(capture);
		return;
	}
	error = understand(dpd, capture, &request.capture, bytes, why, sizeof(why));
	if (error) {
		request_answer(capture->fd, error, why);
		capture_free(capture);
		return;
	}
	capture->state = CAPTURE_STARTING;
}

/* ---- main: events ------------------------------------------------------------------------------------------------- */

static void accept_one(struct dpd *dpd)
{
	int fd = accept4(dpd->captures.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), bytes = SOCKET_BYTES;

	if (fd < 0)
		return;
	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++) {
		struct capture *capture = &dpd->captures.one[i];

		if (capture->state != CAPTURE_FREE)
			continue;
		*capture = (struct capture){ .state = CAPTURE_ASKED, .fd = fd };
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
		(void)process_watch(&capture_process, fd, EPOLLIN);
		return;
	}
	close(fd);
}

/* An event on fd, if it is one of captures'. */
static void look_at(struct dpd *dpd, int fd, uint32_t events)
{
	if (fd == dpd->captures.listen_fd) {
		accept_one(dpd);
		return;
	}
	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++) {
		struct capture *capture = &dpd->captures.one[i];

		if (capture->state == CAPTURE_FREE || capture->fd != fd)
			continue;
		if (capture->state == CAPTURE_ASKED)
			read_request(dpd, capture);
		else if (events & ~(uint32_t)EPOLLOUT) /* the command has no more to say: it has ended */
			capture->state = CAPTURE_ENDING;
		return;
	}
}

/* Must there be a new plan? */
static bool changed(const struct dpd *dpd)
{
	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++)
		if (dpd->captures.one[i].state == CAPTURE_STARTING || dpd->captures.one[i].state == CAPTURE_ENDING)
			return true;
	return false;
}

static void settle(struct capture *capture, int error)
{
	if (capture->state == CAPTURE_STARTING && error) { /* it was in no plan */
		request_answer(capture->fd, -error, "no memory for a new plan of the dataplane");
		capture_free(capture);
	} else if (capture->state == CAPTURE_STARTING) {
		request_answer(capture->fd, 0, "");
		capture->state = CAPTURE_RUNNING;
	} else if (capture->state == CAPTURE_ENDING && !error) {
		capture_free(capture);
	}
}

static void settle_all(struct dpd *dpd, int error)
{
	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++)
		settle(&dpd->captures.one[i], error);
}

void capture_plan(const struct dpd *dpd, struct plan *plan)
{
	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++) {
		struct capture *capture = (struct capture *)&dpd->captures.one[i];

		if (capture->state != CAPTURE_STARTING && capture->state != CAPTURE_RUNNING)
			continue;
		plan->capture[plan->n_captures++] = capture;
		if (capture->where == WYE_CAPTURE_PORT)
			plan->port[capture->port].captured = true;
		else
			plan->captures_leaving = true;
	}
}

/* ---- main: sending ------------------------------------------------------------------------------------------------ */

/* False: the socket is full, the record is held. */
static bool send_record(struct capture *capture, struct wye_capture_record *record)
{
	record->lost = atomic_load_explicit(&capture->lost, memory_order_relaxed);
	if (send(capture->fd, record, sizeof(*record) + record->captured_bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	    (errno == EAGAIN || errno == ENOBUFS)) {
		if (!capture->held)
			(void)process_watch(&capture_process, capture->fd, EPOLLIN | EPOLLOUT);
		capture->held = record;
		return false;
	}
	if (capture->held)
		(void)process_watch(&capture_process, capture->fd, EPOLLIN);
	capture->held = NULL;
	rte_ring_enqueue(capture->exchange.empty, record);
	return true;
}

static void send_some(struct capture *capture)
{
	struct wye_capture_record *record = capture->held;

	for (uint32_t n = 0; n < BUDGET; n++) {
		if (!record && rte_ring_dequeue(capture->exchange.full, (void **)&record))
			return;
		if (!send_record(capture, record))
			return;
		record = NULL;
	}
}

static void send_all(struct dpd *dpd)
{
	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++)
		if (dpd->captures.one[i].state == CAPTURE_RUNNING)
			send_some(&dpd->captures.one[i]);
}

/* Something that could be sent now. */
static bool capture_waits(const struct process *process)
{
	const struct dpd *dpd = process->data;

	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++) {
		const struct capture *capture = &dpd->captures.one[i];

		if (capture->state == CAPTURE_RUNNING && !capture->held && !rte_ring_empty(capture->exchange.full))
			return true;
	}
	return false;
}

static uint64_t capture_run(struct process *process, const struct process_event *event)
{
	struct dpd *dpd = process->data;

	if (event->kind == PROCESS_READY)
		look_at(dpd, event->fd, event->ready);
	send_all(dpd);
	if (changed(dpd))
		settle_all(dpd, plan_renew(dpd, false));
	return PROCESS_NEVER;
}

static struct process capture_process = { .name = "capture", .run = capture_run, .has_work = capture_waits };

/* ---- main: opening and closing ------------------------------------------------------------------------------------ */

static bool address_of(const struct dpd *dpd, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s", dpd->options.run_dir, WYE_FILE_CAPTURE) <
	       (int)sizeof(address->sun_path);
}

/* The holder of the stats file's lock is the only wye-dpd here: a socket that is there already is a dead one's. */
static int listen_at(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mask;
	int error;

	if (fd < 0)
		return -1;
	unlink(address->sun_path);
	mask = umask(0177);
	error = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	umask(mask);
	if (!error && listen(fd, CAPTURES_MAX) == 0)
		return fd;
	close(fd);
	return -1;
}

static int capture_open(struct dpd *dpd)
{
	struct captures *captures = &dpd->captures;
	struct sockaddr_un address;
	int error;

	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++)
		captures->one[i].fd = -1;
	captures->listen_fd = -1;
	capture_process.data = dpd;
	error = process_add(&capture_process);
	if (error)
		return error;
	errno = ENAMETOOLONG;
	if (address_of(dpd, &address))
		captures->listen_fd = listen_at(&address);
	error = captures->listen_fd < 0 ? -errno : process_watch(&capture_process, captures->listen_fd, EPOLLIN);
	if (error)
		log_warning("%s/%s: %s; wye capture will not work", dpd->options.run_dir, WYE_FILE_CAPTURE, strerror(-error));
	return 0;
}

static void capture_close(struct dpd *dpd)
{
	struct captures *captures = &dpd->captures;
	struct sockaddr_un address;

	for (uint32_t i = 0; i < CAPTURE_SLOTS; i++)
		capture_free(&captures->one[i]);
	if (captures->listen_fd < 0)
		return;
	close(captures->listen_fd);
	if (address_of(dpd, &address))
		unlink(address.sun_path);
}
INIT(capture, .start = capture_open, .stop = capture_close, .after = INIT_NAMES("eal", "process", "stats"));
