/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hostile wye-dpd, and the operator's `wye capture` or `wye trace add` that asks it. Beyond not crashing: whatever came, the
 * file is one that libpcap reads to its end, with as many packets as the command counted at most, and nothing reaches a terminal
 * that it would obey.
 *
 *   byte 0		which command
 *   then messages of the socket, the first being the answer:
 *   u16 bytes
 *   u8[bytes]
 */
#include <fcntl.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "wye.h"
#include "wye_capture.h"
#include "wye_map.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *errors;
static char dir[64], stats_path[128], socket_path[128], out_path[128];
static int listener;

/* Of the fuzzer's thread. The other one reads them between accepting and posting `served`: the socket and the semaphore order
 * the two. */
static const uint8_t *messages;
static size_t messages_bytes;
static sem_t served;

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(errors, "broken promise: %s\n", what);
	abort();
}

/* ---- wye-dpd ------------------------------------------------------------------------------------------------------ */

static void send_messages(int fd)
{
	const uint8_t *at = messages;
	size_t left = messages_bytes;
	uint16_t bytes;

	while (left >= sizeof(bytes)) {
		memcpy(&bytes, at, sizeof(bytes));
		at += sizeof(bytes);
		left -= sizeof(bytes);
		bytes = bytes > left ? (uint16_t)left : bytes;
		if (send(fd, at, bytes, MSG_NOSIGNAL) < 0)
			return;
		at += bytes;
		left -= bytes;
	}
}

static void *serve(void *unused)
{
	static char request[sizeof(struct wye_capture_request) + 4096];

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		must(fd >= 0, "a connection");
		if (recv(fd, request, sizeof(request), 0) > 0)
			send_messages(fd);
		close(fd);
		sem_post(&served);
	}
	return NULL;
}

/* ---- its files ---------------------------------------------------------------------------------------------------- */

static void clean_up(void)
{
	unlink(stats_path);
	unlink(socket_path);
	unlink(out_path);
	rmdir(dir);
}

static void make_stats(void)
{
	int fd = open(stats_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct wye_stats *stats;

	must(fd >= 0 && !ftruncate(fd, sizeof(*stats)), "a file can be made");
	stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(stats != MAP_FAILED, "and mapped");
	close(fd);
	stats->file = (struct wye_file){
		.magic = WYE_MAGIC, .abi_version = WYE_ABI_VERSION, .kind = WYE_KIND_STATS, .layout_hash = WYE_LAYOUT_HASH,
		.size_bytes = sizeof(*stats), .writer_pid = (uint32_t)getpid(), .writer_start = wye_process_start(getpid()),
	};
	stats->state = WYE_DPD_RUNNING;
	stats->n_ports = 2;
	strcpy(stats->port[0].netdev, "r0");
	strcpy(stats->port[1].netdev, "r1");
	munmap(stats, sizeof(*stats));
}

static void make_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pthread_t thread;

	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", socket_path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	must(listener >= 0 && !bind(listener, (struct sockaddr *)&address, sizeof(address)) && !listen(listener, 1), "a socket");
	must(!sem_init(&served, 0, 0) && !pthread_create(&thread, NULL, serve, NULL), "a thread");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	errors = stderr;
	snprintf(dir, sizeof(dir), "%s/wye-fuzz-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	must(mkdtemp(dir) != NULL, "a folder can be made");
	snprintf(stats_path, sizeof(stats_path), "%s/" WYE_FILE_STATS, dir);
	snprintf(socket_path, sizeof(socket_path), "%s/" WYE_FILE_CAPTURE, dir);
	snprintf(out_path, sizeof(out_path), "%s/out", dir);
	atexit(clean_up);
	make_stats();
	make_socket();
	return 0;
}

/* ---- one input ---------------------------------------------------------------------------------------------------- */

static void check_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		must(((unsigned char)text[i] >= ' ' || text[i] == '\n' || text[i] == '\t') && text[i] != 0x7f,
		     "a terminal gets nothing but text");
}

/* How many packets the file has, which libpcap reads to the end; 0 without a file. */
static unsigned long packets_in_file(void)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *header;
	const u_char *bytes;
	unsigned long n = 0;
	pcap_t *pcap;
	int code;

	if (access(out_path, F_OK))
		return 0;
	pcap = pcap_open_offline_with_tstamp_precision(out_path, PCAP_TSTAMP_PRECISION_NANO, why);
	must(pcap != NULL, why);
	while ((code = pcap_next_ex(pcap, &header, &bytes)) == 1)
		n++;
	must(code == PCAP_ERROR_BREAK, pcap_geterr(pcap));
	pcap_close(pcap);
	unlink(out_path);
	return n;
}

static void ask(const char *const command[7])
{
	char *argv[12] = { "wye", "-r", dir, "--no-colour" }, *text = NULL, *said = NULL;
	size_t text_len = 0, said_len = 0;
	FILE *file = open_memstream(&text, &text_len);
	unsigned long counted, in_file;
	int argc = 4, code;

	stderr = open_memstream(&said, &said_len);
	for (int i = 0; i < 7 && command[i]; i++)
		argv[argc++] = (char *)command[i];
	code = wye_run(argc, argv, file);
	while (sem_wait(&served))
		;
	fclose(stderr);
	fclose(file);
	stderr = errors;
	must(code >= WYE_EXIT_OK && code <= WYE_EXIT_STANDS_IN_THE_WAY, "an exit code");
	check_text(text, text_len);
	check_text(said, said_len);
	in_file = packets_in_file();
	if (!strcmp(command[0], "capture") && code == WYE_EXIT_OK) {
		const char *line = strrchr(said, ':');

		must(line && sscanf(line, ": %lu packets", &counted) == 1 && counted == in_file, "what was counted is in the file");
	}
	free(text);
	free(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const commands[][7] = {
		{ "capture", "-i", "r0", "-w", out_path }, { "capture", "-i", "drop", "-w", out_path },
		{ "capture", "-i", "punt", "-w", out_path, "-c", "2" }, { "trace", "add", "r0", "3" },
	};
	char *copy;

	if (!size)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	messages = (const uint8_t *)copy + 1;
	messages_bytes = size - 1;
	ask(commands[data[0] % (sizeof(commands) / sizeof(commands[0]))]);
	free(copy);
	return 0;
}
