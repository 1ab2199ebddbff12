/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection whose input is full and not wanted now, because a login is being looked into or
 * because its owner does not read our answers: it waits, and costs nothing meanwhile.
 */
#include "server/control/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUEST "tunnel foo DAC487C8DFBBF9EE5C7F8CDCC37B62A3 network\r\n"

/* How long the loop runs, and how much of that it may compute. */
enum { RUN_MS = 200, BUSY_MS = 50 };

struct bench {
	struct client_owner owner;
	struct client *client;
	int fd;
	unsigned int asked; /* logins */
};

static void on_act(struct client *client, unsigned int what, void *arg)
{
	struct bench *bench = arg;

	(void)client;
	if (what & CONN_DO_LOGIN)
		bench->asked++;
}

static void on_ended(struct client *client, void *arg)
{
	(void)client;
	(void)arg;
}

static void on_gone(struct client *client, void *arg)
{
	struct bench *bench = arg;

	(void)client;
	bench->client = NULL;
}

static void start(struct bench *bench)
{
	const struct in_addr peer = {htonl(0xc6336402)};
	int fds[2];

	(void)signal(SIGPIPE, SIG_IGN);
	*bench = (struct bench){
		.owner = {.base = event_base_new(),
			  .conn = {.timeout_login = 60,
				   .timeout_idle = 300,
				   .attempts = 3,
				   .lines = 1000000},
			  .output_max = 2048,
			  .word_wait = {.tv_sec = 1},
			  .act = on_act,
			  .ended = on_ended,
			  .gone = on_gone,
			  .arg = bench},
	};
	assert_non_null(bench->owner.base);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	bench->client = client_new(&bench->owner, fds[0], peer);
	assert_non_null(bench->client);
	bench->fd = fds[1];
}

static void stop(struct bench *bench)
{
	if (bench->client)
		client_free(bench->client);
	if (bench->fd != -1)
		close(bench->fd);
	event_base_free(bench->owner.base);
}

static void run(struct bench *bench, int ms)
{
	const struct timeval time = {.tv_usec = (suseconds_t)ms * 1000};

	assert_int_equal(event_base_loopexit(bench->owner.base, &time), 0);
	assert_int_equal(event_base_dispatch(bench->owner.base), 0);
}

/* Nothing happens, and nothing is computed. */
static void run_idle(struct bench *bench)
{
	clock_t before = clock();

	run(bench, RUN_MS);
	assert_true((clock() - before) * 1000 / CLOCKS_PER_SEC < BUSY_MS);
}

/* Writes until the socket takes no more, with the room at work; returns how often. */
static size_t flood(struct bench *bench, const char *text)
{
	size_t count = 0;

	for (int refused = 0; refused < 3;) {
		if (write(bench->fd, text, strlen(text)) != -1) {
			count++;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		refused++;
		run(bench, 10);
	}
	return count;
}

/* Reads all that there is; returns how many lines. */
static size_t hear(struct bench *bench)
{
	char buf[4096];
	size_t lines = 0;
	ssize_t n;

	while ((n = read(bench->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
		run(bench, 1);
	}
	return lines;
}

static void while_a_login_is_looked_into(void **state)
{
	const struct conn_event refused = {.input = CONN_REFUSED, .reason = REASON_INTERNAL};
	struct bench bench;
	size_t pings;

	(void)state;
	start(&bench);
	assert_int_equal(write(bench.fd, REQUEST, strlen(REQUEST)), strlen(REQUEST));
	pings = flood(&bench, "ping\r\n");
	assert_int_equal(bench.asked, 1);
	run_idle(&bench);
	/* The answer comes, and all that waited is heard. */
	client_feed(bench.client, &refused);
	/* greeting, refusal, and an answer to each */
	assert_int_equal(hear(&bench), 2 + pings);
	stop(&bench);
}

static void while_answers_are_not_read(void **state)
{
	struct bench bench;
	size_t pings;

	(void)state;
	start(&bench);
	pings = flood(&bench, "ping\r\n");
	run_idle(&bench);
	assert_int_equal(hear(&bench), 1 + pings);
	/* It is heard as before. */
	assert_int_equal(write(bench.fd, "help\r\n", 6), 6);
	run(&bench, 10);
	assert_int_equal(hear(&bench), 1);
	stop(&bench);
}

static void a_full_one_that_goes(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench);
	(void)flood(&bench, "ping\r\n");
	close(bench.fd);
	bench.fd = -1;
	/* What waits to be written finds nobody. */
	for (int i = 0; i < 100 && bench.client; i++)
		run(&bench, 20);
	assert_null(bench.client);
	stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(while_a_login_is_looked_into),
		cmocka_unit_test(while_answers_are_not_read),
		cmocka_unit_test(a_full_one_that_goes),
	};

	return cmocka_run_group_tests_name("server client input", tests, NULL, NULL);
}
