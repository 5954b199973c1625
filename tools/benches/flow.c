/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbered UDP packets from one network namespace to another, and how long the longest silence at the receiver was, by
 * the kernel's own receive time stamps: a figure that does not depend on when the receiving process gets a CPU. The
 * sender is real-time, and says what the longest silence was on its side.
 *
 * usage: flow SOURCE SINK ADDRESS PORT RATE
 * Prints {} when the first packet is in, and one JSON object after SIGTERM.
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

static const char *source, *sink;
static struct sockaddr_in to;
static uint64_t period_ns;
static _Atomic bool stop;
static uint64_t sent, send_gap_ns;
static _Atomic uint64_t received;
static uint64_t receive_gap_ns;

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

static void *sender(void *arg)
{
	struct timespec now, due;
	uint64_t last = 0;
	int sock = socket_in(source);

	(void)arg;
	if (connect(sock, (struct sockaddr *)&to, sizeof(to)))
		die("connect", source);
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 });
	prctl(PR_SET_TIMERSLACK, 1);
	clock_gettime(CLOCK_MONOTONIC, &due);
	while (!stop) {
		uint64_t next = ns_of(&due) + period_ns;

		clock_gettime(CLOCK_MONOTONIC, &now);
		send_gap_ns = longer(send_gap_ns, &last, ns_of(&now));
		sent++;
		send(sock, &sent, sizeof(sent), 0);	/* an ICMP error for an earlier one: this one counts as lost */
		due = (struct timespec){ (time_t)(next / 1000000000ull), (long)(next % 1000000000ull) };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
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
		uint64_t number;
		char control[CMSG_SPACE(sizeof(struct timespec))];
		struct iovec iov = { &number, sizeof(number) };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
				      .msg_controllen = sizeof(control) };

		if (recvmsg(sock, &msg, 0) != sizeof(number))
			continue;
		stamp = stamp_of(&msg);
		if (stamp)
			receive_gap_ns = longer(receive_gap_ns, &last, stamp);
		if (++received == 1) {
			printf("{}\n");
			fflush(stdout);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	sigset_t set;
	int signal_number;

	if (argc != 6 || inet_pton(AF_INET, argv[3], &to.sin_addr) != 1 || atoi(argv[5]) < 1) {
		fprintf(stderr, "usage: flow SOURCE SINK ADDRESS PORT RATE\n");
		return 2;
	}
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
	printf("{\"sent\":%llu,\"received\":%llu,\"lost\":%lld,\"gap_ms\":%.3f,\"send_gap_ms\":%.3f}\n",
	       (unsigned long long)sent, (unsigned long long)received, (long long)(sent - received),
	       (double)receive_gap_ns / 1e6, (double)send_gap_ns / 1e6);
	return 0;
}
