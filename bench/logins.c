/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clients of bench/control: many users, each from an address of its own, who log in with
 * protocol 41, stay, ask, and leave. What is to be done comes as lines on standard input, and each
 * is answered with a line of JSON:
 *
 *     logins SERVER PORT FIRST-SOURCE USERS PASSWORD
 *
 *     fill COUNT WINDOW        until COUNT sessions are up, WINDOW logins at a time
 *     turn COUNT WINDOW        COUNT logins, each in place of the oldest session
 *     offer RATE SECONDS WAIT  logins begun RATE times a second, however they go; each
 *                              leaves after WAIT seconds
 *     shrink COUNT             sessions are left, the oldest first, until COUNT are up
 *     ping PERIOD SECONDS      each session asks every PERIOD seconds
 *     lost                     the server has ended: until no session is up
 *
 * The users are user0, user1 and so on, and take turns. Who is not served in time leaves.
 */
#include "proto/digest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Descriptors that are left for other things; events and logins begun in one go. */
enum { SPARE = 64, EVENTS = 512, BURST = 200 };

/* Microseconds: how long a login may take, and a refused one waits before the next is begun. */
enum { SECOND = 1000000, COOLING = SECOND, LAST_WAIT = 30 * SECOND };

enum state { DOWN, CONNECTING, ASKED, UP };

struct client {
	int fd;
	enum state state;
	int64_t since;
	TAILQ_ENTRY(client) next; /* of those who are logging in, or are up */
};

TAILQ_HEAD(clients, client);

static struct {
	struct sockaddr_in server;
	uint32_t first_source;
	const char *password;
	int epoll;
	uint32_t users, descriptors;
	uint32_t turn; /* whose it is */
	struct client *clients;
	struct clients busy, up; /* the oldest first */
	uint32_t n_busy, n_up;
	int64_t patience;
	int64_t *cooling; /* until when, a ring */
	uint32_t first_cooling, n_cooling;
	/* of one task */
	uint64_t begun, served, late, refused, lost, pongs;
	uint32_t *took; /* microseconds of each login that was served */
	size_t n_took, took_size;
} all;

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void leave(struct client *client)
{
	if (client->state == UP) {
		TAILQ_REMOVE(&all.up, client, next);
		all.n_up--;
	} else {
		TAILQ_REMOVE(&all.busy, client, next);
		all.n_busy--;
	}
	close(client->fd);
	client->state = DOWN;
}

static void leave_oldest(uint32_t keep)
{
	while (all.n_up > keep)
		leave(TAILQ_FIRST(&all.up));
}

/* It could not log in. */
static void fail(struct client *client, uint64_t *count)
{
	(*count)++;
	leave(client);
	all.cooling[(all.first_cooling + all.n_cooling++) % all.users] = now_us() + COOLING;
}

static void lose(struct client *client)
{
	if (client->state == UP) {
		all.lost++;
		leave(client);
	} else {
		fail(client, &all.refused);
	}
}

/* The next user's login. False where all are busy. */
static bool begin(void)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	struct sockaddr_in source = {.sin_family = AF_INET};
	struct epoll_event event = {.events = EPOLLIN};
	struct client *client = NULL;
	const int on = 1;
	uint32_t number = 0;

	if (all.n_busy + all.n_up >= all.users || all.n_busy + all.n_up >= all.descriptors)
		return false;
	do {
		number = all.turn;
		all.turn = (all.turn + 1) % all.users;
		client = &all.clients[number];
	} while (client->state != DOWN);
	source.sin_addr.s_addr = htonl(all.first_source + number);
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	event.data.u32 = number;
	/* No TIME-WAIT, of which there would be more than there may be. */
	if (client->fd == -1 ||
	    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == -1 ||
	    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == -1 ||
	    bind(client->fd, (struct sockaddr *)&source, sizeof(source)) == -1 ||
	    epoll_ctl(all.epoll, EPOLL_CTL_ADD, client->fd, &event) == -1 ||
	    (connect(client->fd, (struct sockaddr *)&all.server, sizeof(all.server)) == -1 &&
	     errno != EINPROGRESS))
		die("logins: cannot begin");
	client->state = CONNECTING;
	client->since = now_us();
	TAILQ_INSERT_TAIL(&all.busy, client, next);
	all.n_busy++;
	all.begun++;
	return true;
}

/* Answers "+OK <challenge> ...". */
static void answer(struct client *client, char *greeting)
{
	char response[DTCP_RESPONSE_SIZE], name[16], line[128];
	char *challenge = greeting + 4;

	challenge[strcspn(challenge, " \r\n")] = '\0';
	(void)snprintf(name, sizeof(name), "user%u", (unsigned int)(client - all.clients));
	if (!digest_response(name, challenge, all.password, response))
		exit(1);

	int len = snprintf(line, sizeof(line), "tunnel %s %s network\r\n", name, response);

	if (write(client->fd, line, (size_t)len) != len)
		fail(client, &all.refused);
	else
		client->state = ASKED;
}

static void is_up(struct client *client)
{
	TAILQ_REMOVE(&all.busy, client, next);
	all.n_busy--;
	client->state = UP;
	TAILQ_INSERT_TAIL(&all.up, client, next);
	all.n_up++;
	all.served++;
	if (all.n_took < all.took_size)
		all.took[all.n_took++] = (uint32_t)(now_us() - client->since);
}

/* The server says whole lines, one at a time. */
static void hear(struct client *client)
{
	char data[512];
	ssize_t len = read(client->fd, data, sizeof(data) - 1);

	if (len == -1 && errno == EAGAIN)
		return;
	if (len <= 0) {
		lose(client);
		return;
	}
	data[len] = '\0';
	if (strncmp(data, "+OK ", 4) != 0)
		lose(client);
	else if (client->state == CONNECTING)
		answer(client, data);
	else if (client->state == ASKED)
		is_up(client);
	else
		all.pongs++;
}

/* Waits for at most so many milliseconds, and does what there is to be done. */
static void step(int wait)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(all.epoll, events, EVENTS, wait);
	struct client *client;

	for (int i = 0; i < n; i++) {
		client = &all.clients[events[i].data.u32];
		if (client->state != DOWN)
			hear(client);
	}

	int64_t now = now_us();

	while ((client = TAILQ_FIRST(&all.busy)) && now - client->since > all.patience)
		fail(client, &all.late);
	while (all.n_cooling > 0 && all.cooling[all.first_cooling] <= now) {
		all.first_cooling = (all.first_cooling + 1) % all.users;
		all.n_cooling--;
	}
}

static void reset(int64_t patience)
{
	all.begun = all.served = all.late = all.refused = all.lost = all.pongs = 0;
	all.n_took = 0;
	all.n_cooling = 0;
	all.patience = patience;
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double percentile(double part)
{
	if (all.n_took == 0)
		return 0;
	return all.took[(size_t)(part * (double)(all.n_took - 1))] / 1000.0;
}

static void report(int64_t start)
{
	qsort(all.took, all.n_took, sizeof(*all.took), compare);
	(void)printf("{\"seconds\": %.3f, \"begun\": %llu, \"served\": %llu, \"late\": %llu, "
		     "\"refused\": %llu, \"lost\": %llu, \"pongs\": %llu, \"up\": %u, "
		     "\"ms\": {\"50\": %.2f, \"90\": %.2f, \"99\": %.2f, \"100\": %.2f}}\n",
		     (double)(now_us() - start) / SECOND, (unsigned long long)all.begun,
		     (unsigned long long)all.served, (unsigned long long)all.late,
		     (unsigned long long)all.refused, (unsigned long long)all.lost,
		     (unsigned long long)all.pongs, all.n_up, percentile(0.5), percentile(0.9),
		     percentile(0.99), percentile(1));
	(void)fflush(stdout);
}

/* Logins, so many at a time, until so many have been served, over which keep sessions stay. */
static void work(uint64_t served, uint32_t window, uint32_t keep)
{
	int64_t start = now_us();

	while (all.served < served && now_us() - start < 2 * LAST_WAIT) {
		for (int i = 0; i < BURST && all.served + all.n_busy < served &&
				all.n_busy + all.n_cooling < window && begin();)
			i++;
		step(all.n_busy + all.n_cooling < window ? 0 : 10);
		leave_oldest(keep);
	}
}

static void offer(uint32_t rate, uint32_t seconds)
{
	const int64_t start = now_us(), end = start + (int64_t)seconds * SECOND;
	const uint32_t keep = all.n_up;
	uint64_t due, offered = 0;

	while (now_us() < end) {
		due = (uint64_t)(now_us() - start) * rate / SECOND;
		/* What could not be begun in time is made up for, but not without end; where there
		 * are as many under way as there can be, it is given up. */
		for (int i = 0; offered < due && i < BURST && begin(); i++)
			offered++;
		step(offered < due ? 0 : 1);
		leave_oldest(keep);
	}
	report(start);
	/* What is still under way belongs to nobody's figures. */
	for (struct client *client; (client = TAILQ_FIRST(&all.busy));)
		leave(client);
	leave_oldest(keep);
}

static void ping(uint32_t period, uint32_t seconds)
{
	const int64_t start = now_us(), end = start + (int64_t)seconds * SECOND;
	const uint32_t rate = all.n_up;
	uint64_t sent = 0;

	while (now_us() < end && all.n_up > 0) {
		uint64_t due = (uint64_t)(now_us() - start) * rate / period / SECOND;

		for (; sent < due && all.n_up > 0; sent++) {
			struct client *client = TAILQ_FIRST(&all.up);

			TAILQ_REMOVE(&all.up, client, next);
			TAILQ_INSERT_TAIL(&all.up, client, next);
			if (write(client->fd, "ping\r\n", 6) != 6)
				lose(client);
		}
		step(1);
	}
	all.begun = sent;
	report(start);
}

static void task(const char *line)
{
	int64_t start = now_us();
	uint32_t a = 0, b = 0, c = 1;
	char word[16];

	if (sscanf(line, "%15s %u %u %u", word, &a, &b, &c) < 1)
		return;
	reset(LAST_WAIT);
	if (strcmp(word, "offer") == 0) {
		reset((int64_t)c * SECOND);
		offer(a, b);
		return;
	}
	if (strcmp(word, "ping") == 0) {
		ping(a, b);
		return;
	}
	if (strcmp(word, "fill") == 0)
		work(a > all.n_up ? a - all.n_up : 0, b, UINT32_MAX);
	else if (strcmp(word, "turn") == 0)
		work(a, b, all.n_up);
	else if (strcmp(word, "shrink") == 0)
		leave_oldest(a);
	while (strcmp(word, "lost") == 0 && all.n_up > 0 && now_us() - start < LAST_WAIT)
		step(100);
	report(start);
}

static uint32_t number(const char *text, uint32_t max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value > max) {
		(void)fprintf(stderr, "logins: %s: a number up to %u is needed\n", text, max);
		exit(2);
	}
	return (uint32_t)value;
}

int main(int argc, char **argv)
{
	struct in_addr first;
	char line[80];
	long descriptors = sysconf(_SC_OPEN_MAX);

	all.server.sin_family = AF_INET;
	if (argc != 6 || inet_pton(AF_INET, argv[1], &all.server.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[3], &first) != 1) {
		(void)fprintf(stderr, "usage: logins server port first-source users password\n");
		return 2;
	}
	all.server.sin_port = htons((uint16_t)number(argv[2], UINT16_MAX));
	all.first_source = ntohl(first.s_addr);
	all.users = number(argv[4], 1 << 20);
	all.password = argv[5];
	all.descriptors = descriptors > 2 * SPARE ? (uint32_t)descriptors - SPARE : SPARE;
	all.took_size = 1 << 22;
	all.clients = calloc(all.users, sizeof(*all.clients));
	all.cooling = calloc(all.users, sizeof(*all.cooling));
	all.took = calloc(all.took_size, sizeof(*all.took));
	TAILQ_INIT(&all.busy);
	TAILQ_INIT(&all.up);
	all.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (all.users == 0 || !all.clients || !all.cooling || !all.took || all.epoll == -1)
		die("logins");
	while (fgets(line, sizeof(line), stdin))
		task(line);
	return 0;
}
