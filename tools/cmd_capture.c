/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wye capture: packets of the dataplane, which tcpdump on the netdev does not see, as pcapng. The filter is compiled
 * here by libpcap and runs in the worker; the packets come over a socket (wye_capture.h).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pcapng.h"
#include "request.h"

struct capture {
	struct tool *tool;
	const char *interface, *filter, *path;
	uint64_t count_max;		/* 0 = without end */
	uint32_t packet_bytes;
	int socket, signals;
	FILE *file;
	uint64_t count, lost;
	bool stop;
};

static uint64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- asking ---- */

static int make_request(const struct capture *capture, struct wye_capture_request *request)
{
	*request = (struct wye_capture_request){ .magic = WYE_CAPTURE_MAGIC, .version = WYE_CAPTURE_VERSION,
						 .where = WYE_CAPTURE_PORT, .packet_bytes = capture->packet_bytes };
	if (!strcmp(capture->interface, "punt"))
		request->where = WYE_CAPTURE_PUNT;
	else if (!strcmp(capture->interface, "drop"))
		request->where = WYE_CAPTURE_DROP;
	else if (strlen(capture->interface) >= sizeof(request->netdev))
		return usage_error(capture->tool, "-i \"%s\": a name of %zu characters at most", capture->interface,
				   sizeof(request->netdev) - 1);
	else
		strcpy(request->netdev, capture->interface);
	return capture->filter ? request_filter(capture->tool, capture->filter, capture->packet_bytes, request->filter,
						&request->n_instructions) :
				 WYE_EXIT_OK;
}

static int ask(struct capture *capture)
{
	static struct wye_capture_request request;
	int code = make_request(capture, &request);

	if (code)
		return code;
	return request_send(capture->tool, &request, WYE_CAPTURE_REQUEST_BYTES(request.n_instructions), &capture->socket);
}

/* ---- taking down ---- */

static int write_failed(const struct capture *capture)
{
	return failure(capture->tool, WYE_EXIT_ERROR, "%s: %s", capture->path, strerror(errno));
}

static int begin(struct capture *capture)
{
	const struct wye_stats *info = capture->tool->view.info;
	int error = pcapng_section(capture->file, "wye capture");

	for (uint32_t i = 0; !error && i < info->n_ports; i++)
		error = pcapng_interface(capture->file, info->port[i].netdev, capture->packet_bytes);
	return error || fflush(capture->file) ? write_failed(capture) : WYE_EXIT_OK;
}

static int take(struct capture *capture, const struct wye_capture_record *record, ssize_t bytes)
{
	const struct wye_stats *info = capture->tool->view.info;
	struct pcapng_packet packet = { .interface = record->port, .time_ns = record->time_ns, .sent = record->sent,
					.bytes = record + 1, .wire_bytes = record->packet_bytes,
					.captured_bytes = record->captured_bytes };
	char comment[192];

	if (bytes < (ssize_t)sizeof(*record) || bytes != (ssize_t)(sizeof(*record) + record->captured_bytes) ||
	    record->captured_bytes > capture->packet_bytes || record->captured_bytes > record->packet_bytes ||
	    record->port >= info->n_ports || record->reason > WYE_REASON_COUNT)
		return failure(capture->tool, WYE_EXIT_ERROR, "wye-dpd sent what is not a packet; is it of another version?");
	if (record->reason < WYE_REASON_COUNT) {
		snprintf(comment, sizeof(comment), "%s %s: %s",
			 wye_reason_verdict[record->reason] == WYE_VERDICT_PUNT ? "punted" : "dropped",
			 wye_reason_name[record->reason], wye_reason_text[record->reason]);
		packet.comment = comment;
	}
	capture->lost = record->lost;
	capture->count++;
	capture->stop |= capture->count == capture->count_max;
	return pcapng_write(capture->file, &packet) ? write_failed(capture) : WYE_EXIT_OK;
}

/* All that is there. */
static int take_all(struct capture *capture)
{
	static union {
		struct wye_capture_record record;
		char bytes[sizeof(struct wye_capture_record) + WYE_CAPTURE_BYTES_MAX];
	} message;

	while (!capture->stop) {
		ssize_t n = recv(capture->socket, &message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EAGAIN)
			return fflush(capture->file) ? write_failed(capture) : WYE_EXIT_OK;
		if (n <= 0) {
			fprintf(stderr, "%s: wye-dpd has ended\n", capture->tool->self);
			capture->stop = true;
		} else if (take(capture, &message.record, n)) {
			return WYE_EXIT_ERROR;
		}
	}
	return WYE_EXIT_OK;
}

static int end(struct capture *capture)
{
	struct view *view = &capture->tool->view;
	int error = 0;

	for (uint32_t i = 0; !error && i < view->info->n_ports; i++)
		if (view_port_named(view, &view->info->port[i], capture->interface))
			error = pcapng_statistics(capture->file, i, wall_clock_ns(), capture->count, capture->lost);
	return error || fflush(capture->file) ? write_failed(capture) : WYE_EXIT_OK;
}

static int capture_packets(struct capture *capture)
{
	struct pollfd fds[] = { { .fd = capture->socket, .events = POLLIN }, { .fd = capture->signals, .events = POLLIN } };
	int code = begin(capture);

	fprintf(stderr, "%s: capturing on %s; end with Ctrl-C\n", capture->tool->self, capture->interface);
	while (!code && !capture->stop) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return failure(capture->tool, WYE_EXIT_ERROR, "poll: %s", strerror(errno));
		if (fds[0].revents)
			code = take_all(capture);
		capture->stop |= fds[1].revents != 0;
	}
	if (!code)
		code = end(capture);
	fprintf(stderr, "%s: %llu packets, %llu lost\n", capture->tool->self, (unsigned long long)capture->count,
		(unsigned long long)capture->lost);
	return code;
}

/* ---- the command ---- */

static int number(const struct capture *capture, const char *option, const char *text, uint64_t max, uint64_t *value)
{
	char *rest;

	errno = 0;
	*value = strtoull(text, &rest, 10);
	if (*rest || rest == text || errno || *value < 1 || *value > max || *text == '-')
		return usage_error(capture->tool, "%s \"%s\": expected 1 to %llu", option, text, (unsigned long long)max);
	return WYE_EXIT_OK;
}

static int parse(struct capture *capture, int argc, char **argv)
{
	uint64_t bytes = WYE_CAPTURE_BYTES_MAX;
	int code = WYE_EXIT_OK;

	for (int i = 0; !code && i < argc; i++) {
		const char *option = argv[i], *value;

		if (option[0] != '-' || !option[1] || option[2] || !strchr("ifwcs", option[1]))
			return usage_error(capture->tool, "argument \"%s\"", option);
		value = argument(capture->tool, argc, argv, &i);
		if (!value)
			return WYE_EXIT_USAGE;
		switch (option[1]) {
		case 'i': capture->interface = value; break;
		case 'f': capture->filter = value; break;
		case 'w': capture->path = value; break;
		case 'c': code = number(capture, "-c", value, UINT64_MAX, &capture->count_max); break;
		default: code = number(capture, "-s", value, WYE_CAPTURE_BYTES_MAX, &bytes); break;
		}
	}
	capture->packet_bytes = (uint32_t)bytes;
	if (!code && (!capture->interface || !capture->path))
		return usage_error(capture->tool, "%s is missing", capture->interface ? "-w FILE" : "-i PORT");
	return code;
}

static int open_file(struct capture *capture)
{
	if (strcmp(capture->path, "-")) {
		capture->file = fopen(capture->path, "we");
		return capture->file ? WYE_EXIT_OK : write_failed(capture);
	}
	if (isatty(STDOUT_FILENO))
		return usage_error(capture->tool, "-w -: a terminal is no place for pcapng; try | tcpdump -nr -");
	capture->file = stdout;
	return WYE_EXIT_OK;
}

static int open_signals(struct capture *capture)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	capture->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return capture->signals < 0 ? failure(capture->tool, WYE_EXIT_ERROR, "signalfd: %s", strerror(errno)) : WYE_EXIT_OK;
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct capture capture = { .tool = tool, .socket = -1, .signals = -1 };
	int code = parse(&capture, argc, argv);

	if (!code)
		code = view_stats(&tool->view);
	if (!code)
		code = ask(&capture);
	if (!code)
		code = open_signals(&capture);
	if (!code)
		code = open_file(&capture);
	if (!code)
		code = capture_packets(&capture);
	if (capture.file && capture.file != stdout && fclose(capture.file) && !code)
		code = write_failed(&capture);
	if (capture.socket >= 0)
		close(capture.socket);
	if (capture.signals >= 0)
		close(capture.signals);
	return code;
}

const struct command cmd_capture = {
	.name = "capture",
	.summary = "packets of the dataplane, as pcapng",
	.arguments = "-i PORT|punt|drop -w FILE|- [-f FILTER] [-c COUNT] [-s BYTES]",
	.help = "  -i PORT    what PORT received for the dataplane and what the dataplane sent there\n"
		"  -i punt    what the dataplane gives to the kernel, with the reason as a comment\n"
		"  -i drop    what the dataplane drops, with the reason as a comment\n"
		"  -w FILE    where to; - is standard output: wye capture -i eth0 -w - | tcpdump -nr -\n"
		"  -f FILTER  only these, in the words of pcap-filter(7)\n"
		"  -c COUNT   end after so many\n"
		"  -s BYTES   of each packet no more than these (16384)\n"
		"tcpdump on the netdev shows what the kernel has: the rest of the traffic.\n",
	.run = run,
};
