/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends UDP packets at a given rate, or counts those that come: the load generator of
 * bench/dataplane. It writes many with each system call, so that it takes little of the processor
 * from what is measured.
 *
 *   packets send ADDRESS PORT SIZE RATE SECONDS   prints how many were sent
 *   packets count ADDRESS PORT                    prints how many came, when its input ends
 *
 * SIZE is of the payload; RATE is packets a second.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SIZE_MAX_OCTETS = 1400 };

static uint64_t now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		err(1, "clock_gettime");
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t number(const char *text, uint64_t max)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*end || end == text || value == 0 || value > max)
		errx(2, "not a number from 1 to %" PRIu64 ": %s", max, text);
	return value;
}

static int open_socket(const char *address, const char *port, struct sockaddr_storage *out,
		       socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	in_port_t port16 = htons((uint16_t)number(port, UINT16_MAX));
	int buffer = 8 << 20;
	int fd;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = port16;
		*len = sizeof(*v4);
	} else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port16;
		*len = sizeof(*v6);
	} else {
		errx(2, "not an address: %s", address);
	}
	fd = socket(out->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "socket");
	/* Loss is to happen in what is measured, not here. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)) == -1)
		err(1, "socket buffer");
	return fd;
}

static void prepare(struct mmsghdr messages[BATCH], struct iovec iov[BATCH], uint8_t *data,
		    size_t size, size_t step)
{
	memset(messages, 0, BATCH * sizeof(messages[0]));
	for (size_t i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){data + i * step, size};
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
}

static void send_all(int fd, size_t size, uint64_t rate, uint64_t seconds)
{
	static uint8_t data[SIZE_MAX_OCTETS];
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	uint64_t start = now_ns();
	uint64_t sent = 0;
	uint64_t all = rate * seconds;

	prepare(messages, iov, data, size, 0);
	while (sent < all) {
		uint64_t elapsed = now_ns() - start;
		uint64_t due = (uint64_t)((double)elapsed * (double)rate / 1e9);

		if (elapsed > (seconds + 1) * 1000000000u)
			break;
		if (due > all)
			due = all;
		if (due <= sent) {
			const struct timespec pause = {.tv_nsec = 100000};

			(void)nanosleep(&pause, NULL);
			continue;
		}

		unsigned int n = due - sent < BATCH ? (unsigned int)(due - sent) : BATCH;
		int done = sendmmsg(fd, messages, n, 0);

		if (done == -1 && errno != ENOBUFS && errno != EAGAIN)
			err(1, "sendmmsg");
		/* What the queue does not take is lost like anything else. */
		sent += done == -1 ? n : (unsigned int)done;
	}
	printf("%" PRIu64 "\n", sent);
}

static void count_all(int fd)
{
	static uint8_t data[BATCH * SIZE_MAX_OCTETS];
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
	uint64_t count = 0;

	prepare(messages, iov, data, SIZE_MAX_OCTETS, SIZE_MAX_OCTETS);
	printf("ready\n");
	if (fflush(stdout) == EOF)
		err(1, "standard output");
	for (;;) {
		if (poll(fds, 2, -1) == -1 && errno != EINTR)
			err(1, "poll");
		if (fds[0].revents) {
			int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);

			count += n > 0 ? (unsigned int)n : 0;
		} else if (fds[1].revents) {
			break;
		}
	}
	printf("%" PRIu64 "\n", count);
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;
	socklen_t len;
	int fd;

	if (argc == 7 && strcmp(argv[1], "send") == 0) {
		fd = open_socket(argv[2], argv[3], &address, &len);
		if (connect(fd, (struct sockaddr *)&address, len) == -1)
			err(1, "connect");
		send_all(fd, number(argv[4], SIZE_MAX_OCTETS), number(argv[5], 100000000),
			 number(argv[6], 3600));
	} else if (argc == 4 && strcmp(argv[1], "count") == 0) {
		fd = open_socket(argv[2], argv[3], &address, &len);
		if (bind(fd, (struct sockaddr *)&address, len) == -1)
			err(1, "bind");
		count_all(fd);
	} else {
		errx(2, "usage: packets send ADDRESS PORT SIZE RATE SECONDS | packets count "
			"ADDRESS PORT");
	}
	close(fd);
	return 0;
}
