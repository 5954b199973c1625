/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbered UDP packets from one network namespace to another, and how long the longest silence at the receiver was and
 * the longest that a packet was under way, by the kernel's own receive time stamps: figures that do not depend on when
 * the receiving process gets a CPU. The sender is real-time, and says what the longest silence was on its side.
 *
 * usage: flow SOURCE SINK ADDRESS PORT RATE [BURST PAUSE_MS]
 * Prints {} when the first packet is in, and one JSON object after SIGTERM. With BURST, that many packets at RATE follow
 * each pause; wake_ms is then the time from the first packet sent until one arrives whose delay, and that of STEADY
 * more, is no longer than twice what it settles at in the burst's second half: median over the bursts, and the longest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AFTER_MS 200	/* how long the last packets have to arrive */
#define STEADY	 16
#define RECORDS	 (1u << 20)	/* packets of bursts that are judged */

struct packet {
	uint64_t number, sent_ns;	/* from 1; CLOCK_REALTIME */
};

static const char *source, *sink;
static struct sockaddr_in to;
static uint64_t period_ns;
static _Atomic bool stop;
static uint64_t sent, send_gap_ns;
static _Atomic uint64_t received;
static uint64_t receive_gap_ns, late_ns;
static uint64_t burst, pause_ns;
static uint64_t first_sent_ns[RECORDS], delay_ns[RECORDS];	/* of packet number - 1; delay 0: lost */

static void die(const char *what, const char *arg)
{
	fprintf(stderr, "flow: %s %s: %s\n", what, arg, strerror(errno));
	exit(1);
}

static int socket_in(const char *netns)
{
	char path[128];
	int fd, sock;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("enter namespace", netns);
	close(fd);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		die("socket in", netns);
	return sock;
}

static uint64_t ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000ull + (uint64_t)t->tv_nsec;
}

static uint64_t longer(uint64_t gap, uint64_t *last, uint64_t now)
{
	uint64_t silence = *last && now > *last ? now - *last : 0;

	*last = now;
	return silence > gap ? silence : gap;
}

static uint64_t time_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return ns_of(&now);
}

/* Within a burst no timer is fast enough. */
static void wait_until(uint64_t due_ns, bool spin)
{
	struct timespec due = { (time_t)(due_ns / 1000000000ull), (long)(due_ns % 1000000000ull) };

	if (!spin)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	while (time_ns(CLOCK_MONOTONIC) < due_ns)
		;
}

static void *sender(void *arg)
{
	uint64_t last = 0, due = time_ns(CLOCK_MONOTONIC);
	int sock = socket_in(source);

	(void)arg;
	if (connect(sock, (struct sockaddr *)&to, sizeof(to)))
		die("connect", source);
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 });
	prctl(PR_SET_TIMERSLACK, 1);
	while (!stop) {
		struct packet packet = { ++sent, time_ns(CLOCK_REALTIME) };
		bool pause = burst && sent % burst == 0;

		send_gap_ns = longer(send_gap_ns, &last, time_ns(CLOCK_MONOTONIC));
		send(sock, &packet, sizeof(packet), 0);	/* an ICMP error for an earlier one: this one counts as lost */
		due += pause ? pause_ns : period_ns;
		wait_until(due, burst && !pause);
	}
	return NULL;
}

/* When the kernel got it, 0 = not told. */
static uint64_t stamp_of(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
			return ns_of((struct timespec *)CMSG_DATA(c));
	return 0;
}

static void *receiver(void *arg)
{
	int sock = socket_in(sink);
	uint64_t last = 0, stamp;

	(void)arg;
	setsockopt(sock, SOL_SOCKET, SO_TIMESTAMPNS, &(int){ 1 }, sizeof(int));
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 64 << 20 }, sizeof(int));
	if (bind(sock, (struct sockaddr *)&to, sizeof(to)))
		die("bind in", sink);
	while (true) {
		struct packet packet;
		char control[CMSG_SPACE(sizeof(struct timespec))];
		struct iovec iov = { &packet, sizeof(packet) };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
				      .msg_controllen = sizeof(control) };

		if (recvmsg(sock, &msg, 0) != sizeof(packet))
			continue;
		stamp = stamp_of(&msg);
		if (stamp)
			receive_gap_ns = longer(receive_gap_ns, &last, stamp);
		if (received && stamp > packet.sent_ns && stamp - packet.sent_ns > late_ns) /* the first may have found no neighbour */
			late_ns = stamp - packet.sent_ns;
		if (stamp > packet.sent_ns && packet.number - 1 < RECORDS) {
			first_sent_ns[packet.number - 1] = packet.sent_ns;
			delay_ns[packet.number - 1] = stamp - packet.sent_ns;
		}
		if (++received == 1) {
			printf("{}\n");
			fflush(stdout);
		}
	}
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(const uint64_t *values, size_t n)
{
	uint64_t *sorted = malloc(n * sizeof(*sorted)), found;

	if (!sorted)
		die("memory for", "a median");
	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_size);
	found = sorted[n / 2];
	free(sorted);
	return found;
}

/* Of the burst that begins at packet `from`; 0 = never steady. */
static uint64_t burst_wake_ns(uint64_t from)
{
	uint64_t limit = 2 * median(delay_ns + from + burst / 2, burst - burst / 2), steady = 0;

	for (uint64_t i = from; i < from + burst; i++) {
		steady = delay_ns[i] && delay_ns[i] <= limit ? steady + 1 : 0;
		if (steady > STEADY && first_sent_ns[from])
			return first_sent_ns[i - STEADY] + delay_ns[i - STEADY] - first_sent_ns[from];
	}
	return 0;
}

/* The first burst found the neighbours unknown, the last may have been cut. */
static void print_bursts(void)
{
	uint64_t wake[RECORDS / (2 * STEADY)], longest = 0, settled = 0;
	size_t n = 0;

	for (uint64_t from = burst; from + 2 * burst <= sent && from + burst <= RECORDS; from += burst, n++) {
		wake[n] = burst_wake_ns(from);
		longest = wake[n] > longest ? wake[n] : longest;
		settled = median(delay_ns + from + burst / 2, burst - burst / 2);
		if (!wake[n])
			break;
	}
	if (n)
		printf("\"bursts\":%zu,\"wake_ms\":%.3f,\"wake_max_ms\":%.3f,\"settled_us\":%.1f,", n,
		       (double)median(wake, n) / 1e6, (double)longest / 1e6, (double)settled / 1e3);
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	sigset_t set;
	int signal_number;

	burst = argc == 8 ? strtoull(argv[6], NULL, 10) : 0;
	if ((argc != 6 && burst < 2 * STEADY) || inet_pton(AF_INET, argv[3], &to.sin_addr) != 1 || atoi(argv[5]) < 1) {
		fprintf(stderr, "usage: flow SOURCE SINK ADDRESS PORT RATE [BURST PAUSE_MS]\n");
		return 2;
	}
	pause_ns = burst ? strtoull(argv[7], NULL, 10) * 1000000 : 0;
	source = argv[1];
	sink = argv[2];
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)atoi(argv[4]));
	period_ns = 1000000000ull / (uint64_t)atoi(argv[5]);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (pthread_create(&threads[0], NULL, receiver, NULL) || pthread_create(&threads[1], NULL, sender, NULL))
		die("threads of", "flow");
	sigwait(&set, &signal_number);
	stop = true;
	pthread_join(threads[1], NULL);
	nanosleep(&(struct timespec){ .tv_nsec = AFTER_MS * 1000000 }, NULL);
	printf("{");
	if (burst)
		print_bursts();
	printf("\"sent\":%llu,\"received\":%llu,\"lost\":%lld,\"gap_ms\":%.3f,\"send_gap_ms\":%.3f,\"late_ms\":%.3f}\n",
	       (unsigned long long)sent, (unsigned long long)received, (long long)(sent - received),
	       (double)receive_gap_ns / 1e6, (double)send_gap_ns / 1e6, (double)late_ns / 1e6);
	return 0;
}
