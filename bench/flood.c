/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attacker of bench/attack: wrong logins at a given pace, each on a connection of its own, and
 * connections that say nothing. Prints what it really reached.
 *
 *     flood SERVER PORT FIRST-SOURCE SOURCES LOGINS-A-SECOND JUNK SECONDS
 *
 * Sources are consecutive addresses of this machine. A login is given up, and its connection reset,
 * when it was answered or after a while: an attacker does not wait.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 8192, PATIENCE_MS = 300, JUNK_PAUSE_MS = 500, EVENTS = 512, USERS = 1000 };

struct slot {
	int fd; /* -1: free */
	bool junk;
	bool sent;
	int64_t since; /* milliseconds */
};

static struct {
	struct sockaddr_in server;
	uint32_t first_source, sources;
	int epoll;
	struct slot slots[SLOTS];
	uint32_t free_slots[SLOTS];
	uint32_t n_free;
	uint32_t next_source, next_user;
	uint32_t junk;
	uint64_t sent, denied, refused, dropped, failed, junk_opened;
} flood;

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint32_t number(const char *text, uint32_t max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value > max) {
		(void)fprintf(stderr, "flood: %s: a number up to %u is needed\n", text, max);
		exit(2);
	}
	return (uint32_t)value;
}

static void slot_close(struct slot *slot)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	/* No TIME-WAIT, which would use up the ports. */
	(void)setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(slot->fd);
	slot->fd = -1;
	flood.junk -= slot->junk;
	flood.free_slots[flood.n_free++] = (uint32_t)(slot - flood.slots);
}

/* A new connection from the next source. */
static void slot_open(bool junk)
{
	struct sockaddr_in source = {.sin_family = AF_INET};
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
	const int on = 1;

	if (flood.n_free == 0) {
		flood.failed++;
		return;
	}
	uint32_t index = flood.free_slots[--flood.n_free];
	struct slot *slot = &flood.slots[index];

	source.sin_addr.s_addr = htonl(flood.first_source + flood.next_source++ % flood.sources);
	*slot = (struct slot){.junk = junk, .since = now_ms()};
	slot->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	flood.junk += junk;
	event.data.u32 = index;
	(void)setsockopt(slot->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (slot->fd == -1 || bind(slot->fd, (struct sockaddr *)&source, sizeof(source)) == -1 ||
	    epoll_ctl(flood.epoll, EPOLL_CTL_ADD, slot->fd, &event) == -1 ||
	    (connect(slot->fd, (struct sockaddr *)&flood.server, sizeof(flood.server)) == -1 &&
	     errno != EINPROGRESS)) {
		flood.failed++;
		slot_close(slot);
		return;
	}
	flood.junk_opened += junk;
}

static void slot_send(struct slot *slot)
{
	char line[128];
	uint32_t user = flood.next_user++;
	int len =
		snprintf(line, sizeof(line), "tunnel user%u %032x network\r\n", user % USERS, user);

	if (write(slot->fd, line, (size_t)len) != len)
		return;
	slot->sent = true;
	flood.sent++;
}

/* Reads what is there; false where the connection is over. */
static bool slot_read(const struct slot *slot)
{
	char data[1024];
	ssize_t len = read(slot->fd, data, sizeof(data) - 1);

	if (len == -1 && errno == EAGAIN)
		return true;
	if (len <= 0) {
		flood.dropped++;
		return false;
	}
	data[len] = '\0';
	if (strstr(data, "authentication failed"))
		flood.denied++;
	else if (strstr(data, "too many failed"))
		flood.refused++;
	else if (strstr(data, "-ERR"))
		flood.dropped++;
	else
		return true;
	return false;
}

static void slot_event(struct slot *slot, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP)) {
		flood.dropped++;
		slot_close(slot);
		return;
	}
	if (!slot->junk && !slot->sent && events & EPOLLOUT)
		slot_send(slot);
	if (events & EPOLLIN && !slot_read(slot))
		slot_close(slot);
}

static void give_up(int64_t now)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &flood.slots[i];

		if (slot->fd != -1 && !slot->junk && now - slot->since >= PATIENCE_MS)
			slot_close(slot);
	}
}

static void run(uint32_t rate, uint32_t junk, uint32_t seconds)
{
	struct epoll_event events[EVENTS];
	int64_t start = now_ms(), now = start, swept = start, junk_at = start;
	uint64_t opened = 0;

	while (now < start + (int64_t)seconds * 1000) {
		/* What could not be begun in time is made up for, but not without end. */
		uint64_t due = (uint64_t)(now - start) * rate / 1000;

		for (int i = 0; opened < due && i < 200; i++, opened++)
			slot_open(false);
		if (now >= junk_at) {
			for (int i = 0; flood.junk < junk && i < 500; i++)
				slot_open(true);
			junk_at = now + JUNK_PAUSE_MS;
		}

		int n = epoll_wait(flood.epoll, events, EVENTS, 1);

		for (int i = 0; i < n; i++) {
			struct slot *slot = &flood.slots[events[i].data.u32];

			if (slot->fd != -1)
				slot_event(slot, events[i].events);
		}
		now = now_ms();
		if (now - swept >= 20) {
			give_up(now);
			swept = now;
		}
	}
	double took = (double)(now - start) / 1000;

	(void)printf("logins sent %llu (%.0f a second), answered: denied %llu, refused %llu; "
		     "dropped %llu, not begun %llu; junk connections opened %llu (%.0f a second)\n",
		     (unsigned long long)flood.sent, (double)flood.sent / took,
		     (unsigned long long)flood.denied, (unsigned long long)flood.refused,
		     (unsigned long long)flood.dropped, (unsigned long long)flood.failed,
		     (unsigned long long)flood.junk_opened, (double)flood.junk_opened / took);
}

int main(int argc, char **argv)
{
	struct rlimit limit = {.rlim_cur = SLOTS + 64, .rlim_max = SLOTS + 64};
	struct in_addr first;

	flood.server.sin_family = AF_INET;
	if (argc != 8 || inet_pton(AF_INET, argv[1], &flood.server.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[3], &first) != 1) {
		(void)fprintf(stderr,
			      "usage: flood server port first-source sources logins-a-second "
			      "junk seconds\n");
		return 2;
	}
	flood.server.sin_port = htons((uint16_t)number(argv[2], UINT16_MAX));
	flood.first_source = ntohl(first.s_addr);
	flood.sources = number(argv[4], 1 << 20);
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1 || (flood.epoll = epoll_create1(0)) == -1 ||
	    flood.sources == 0) {
		perror("flood");
		return 1;
	}
	for (uint32_t i = 0; i < SLOTS; i++) {
		flood.slots[i].fd = -1;
		flood.free_slots[flood.n_free++] = SLOTS - 1 - i;
	}
	run(number(argv[5], 1000000), number(argv[6], SLOTS / 2), number(argv[7], 86400));
	return 0;
}
