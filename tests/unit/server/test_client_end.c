/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a connection ends: its last line is read or not, its other end closes, is reset, or stays;
 * and words that come without their end.
 */
#include "base/clock.h"
#include "client_bench.h"
#include "tests/unit/base/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The timer of the one connection that there is, and when it would ring; -1: never. */
static struct event *timer;
static int64_t deadline;

void __wrap_clock_arm(struct event *event, int64_t when);

void __wrap_clock_arm(struct event *event, int64_t when)
{
	timer = event;
	deadline = when;
}

/* It rings so many milliseconds after something that was between then and now. */
static void assert_after(int64_t then, int64_t wait)
{
	assert_in_range(deadline - wait, then, clock_ms());
}

static void ring(struct client_bench *bench)
{
	assert_true(deadline >= 0);
	event_active(timer, EV_TIMEOUT, 1);
	assert_true(event_base_loop(bench->owner.base, EVLOOP_NONBLOCK) >= 0);
}

/* What has come until that, with the process at work. */
static char heard[8192];

static void hear_until(struct client_bench *bench, const char *text)
{
	int64_t end = clock_ms() + 20000;

	while (!strstr(heard, text)) {
		size_t used = strlen(heard);
		ssize_t n = read(bench->fd, heard + used, sizeof(heard) - 1 - used);

		assert_true(clock_ms() < end);
		if (n > 0)
			heard[used + (size_t)n] = '\0';
		else
			client_bench_run(bench, 1);
	}
}

static void say(const struct client_bench *bench, const char *text)
{
	assert_int_equal(write(bench->fd, text, strlen(text)), strlen(text));
}

static void begin(struct client_bench *bench)
{
	heard[0] = '\0';
	client_bench_start(bench);
	hear_until(bench, "\r\n");
	assert_int_equal(strncmp(heard, "+OK ", 4), 0);
	heard[0] = '\0';
}

static void finish(struct client_bench *bench)
{
	const struct conn_event event = {.input = CONN_FINISH, .reason = REASON_STOPPING};

	client_feed(bench->client, &event);
}

/* Until the other side sees the end of it, and with it that we have let go. */
static void await_gone(struct client_bench *bench)
{
	int64_t end = clock_ms() + 20000;

	while (bench->client) {
		assert_true(clock_ms() < end);
		client_bench_run(bench, 1);
	}
	assert_int_equal(bench->ended, 1);
}

/* --- the last line ------------------------------------------------------------------------ */

/* The other side reads it and closes: nothing more is waited for. */
static void test_reads_and_closes(void **state)
{
	struct client_bench bench;

	(void)state;
	begin(&bench);
	finish(&bench);
	assert_int_equal(bench.ended, 1);
	hear_until(&bench, "-ERR server is shutting down\r\n");
	assert_non_null(bench.client);
	/* Nothing that comes now is heard, or keeps it. */
	say(&bench, "ping\r\nping\r\n");
	client_bench_run(&bench, 10);
	assert_int_equal(read(bench.fd, heard, 1), 0);
	close(bench.fd);
	bench.fd = -1;
	await_gone(&bench);
	client_bench_stop(&bench);
}

/* It reads it and stays: it has a second. */
static void test_reads_and_stays(void **state)
{
	struct client_bench bench;
	int64_t before = clock_ms();

	(void)state;
	begin(&bench);
	finish(&bench);
	hear_until(&bench, "down\r\n");
	assert_after(before, 1000);
	ring(&bench);
	assert_null(bench.client);
	assert_int_equal(bench.ended, 1);
	client_bench_stop(&bench);
}

/* It does not read: it has five. What happens to the session meanwhile is nobody's business. */
static void test_does_not_read(void **state)
{
	struct client_bench bench;
	int64_t before = clock_ms();

	(void)state;
	begin(&bench);
	(void)client_bench_flood(&bench, "ping\r\n");
	finish(&bench);
	assert_int_equal(bench.ended, 1);
	assert_after(before, 5000);
	finish(&bench);
	assert_int_equal(bench.ended, 1);
	client_bench_run(&bench, 10);
	assert_non_null(bench.client);
	ring(&bench);
	assert_null(bench.client);
	assert_int_equal(bench.ended, 1);
	client_bench_stop(&bench);
}

/* In a hurry: what needs no waiting is said, and that is all. */
static void test_dropped(void **state)
{
	struct client_bench bench;

	(void)state;
	begin(&bench);
	client_drop(bench.client, REASON_CONNECTIONS);
	assert_null(bench.client);
	assert_int_equal(bench.ended, 1);
	hear_until(&bench, "-ERR too many connections, try again later\r\n");
	client_bench_stop(&bench);
	/* One that is choked is told nothing. */
	begin(&bench);
	(void)client_bench_flood(&bench, "ping\r\n");
	client_drop(bench.client, REASON_CONNECTIONS);
	assert_null(bench.client);
	assert_int_equal(bench.ended, 1);
	client_bench_stop(&bench);
}

/* It is told by the machine that its time is over. */
static void test_time(void **state)
{
	struct client_bench bench;
	int64_t before = clock_ms();

	(void)state;
	begin(&bench);
	assert_after(before, 60000);
	bench.client->conn.deadline = 1;
	ring(&bench);
	assert_int_equal(bench.ended, 1);
	hear_until(&bench, "-ERR connection timed out, disconnecting\r\n");
	client_bench_stop(&bench);
}

/* --- the other side ----------------------------------------------------------------------- */

/* It goes while its login is looked into; the answer finds nobody. */
static void test_goes_while_it_is_looked_into(void **state)
{
	struct client_bench bench;

	(void)state;
	begin(&bench);
	say(&bench, "tunnel foo DAC487C8DFBBF9EE5C7F8CDCC37B62A3 network\r\n");
	while (bench.asked == 0)
		client_bench_run(&bench, 1);
	close(bench.fd);
	bench.fd = -1;
	await_gone(&bench);
	assert_string_equal("", heard);
	client_bench_stop(&bench);
}

/* A connection that is reset, in the middle of a line. */
static void test_reset(void **state)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	struct sockaddr_in here = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(here);
	struct client_bench bench;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ours, theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&here, size), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&here, &size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(connect(theirs, (struct sockaddr *)&here, size), 0);
	ours = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_int_not_equal(ours, -1);
	begin(&bench);
	client_free(bench.client);
	bench.client = client_new(&bench.owner, ours, here.sin_addr);
	assert_non_null(bench.client);
	assert_int_equal(bench.client->conn.local.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(write(theirs, "tunnel", 6), 6);
	assert_int_equal(setsockopt(theirs, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(theirs);
	await_gone(&bench);
	close(listener);
	client_bench_stop(&bench);
}

/* What is no connection, or none any more, is not kept. */
static void test_no_connection(void **state)
{
	const struct in_addr peer = {htonl(INADDR_LOOPBACK)};
	struct client_bench bench;
	unsigned int fds;
	int pipes[2];

	(void)state;
	begin(&bench);
	fds = capture_count_fds();
	assert_int_equal(pipe(pipes), 0);
	assert_null(client_new(&bench.owner, pipes[0], peer));
	close(pipes[1]);
	assert_int_equal(capture_count_fds(), fds);
	assert_int_equal(bench.ended, 0);
	client_bench_stop(&bench);
}

static void test_tell(void **state)
{
	int fds[2];
	unsigned int told = 0;
	char line[100] = "";

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_true(client_tell(fds[0], REASON_CONNECTIONS));
	assert_true(read(fds[1], line, sizeof(line) - 1) > 0);
	assert_string_equal(line, "-ERR too many connections, try again later\r\n");
	while (client_tell(fds[0], REASON_CONNECTIONS))
		told++;
	assert_true(told > 0);
	close(fds[1]);
	assert_false(client_tell(fds[0], REASON_CONNECTIONS));
	close(fds[0]);
}

/* --- lines -------------------------------------------------------------------------------- */

/* Some clients wait for the answer to a word that they have not ended. */
static void test_words_without_end(void **state)
{
	struct client_bench bench;

	(void)state;
	begin(&bench);
	bench.owner.word_wait = (struct timeval){.tv_usec = 1000};
	say(&bench, "ping");
	hear_until(&bench, "+OK");
	/* Its end comes late, and is no other line. */
	heard[0] = '\0';
	say(&bench, "pin");
	client_bench_run(&bench, 20);
	assert_int_equal(read(bench.fd, heard, 1), -1);
	assert_int_equal(errno, EAGAIN);
	say(&bench, "g\r\nquit");
	hear_until(&bench, "+OK");
	while (bench.ended == 0)
		client_bench_run(&bench, 1);
	ring(&bench);
	assert_null(bench.client);
	client_bench_stop(&bench);
}

/* With its end in time, it is one line. */
static void test_word_with_a_late_end(void **state)
{
	struct client_bench bench;

	(void)state;
	begin(&bench);
	say(&bench, "ping");
	client_bench_run(&bench, 10);
	say(&bench, "\r\nhelp\r\n");
	assert_int_equal(client_bench_hear(&bench), 0);
	client_bench_run(&bench, 10);
	assert_int_equal(client_bench_hear(&bench), 2);
	client_bench_stop(&bench);
}

/* Too long a line, or one with a NUL, is answered; what comes behind is a line again. */
static void test_bad_lines(void **state)
{
	char text[3 * DTCP_LINE_SIZE];
	struct client_bench bench;

	(void)state;
	begin(&bench);
	memset(text, 'a', sizeof(text));
	assert_int_equal(write(bench.fd, text, sizeof(text)), sizeof(text));
	hear_until(&bench, "-ERR");
	client_bench_stop(&bench);
	begin(&bench);
	assert_int_equal(write(bench.fd, "pi\0ng\r\n", 7), 7);
	hear_until(&bench, "-ERR");
	client_bench_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_and_closes),
		cmocka_unit_test(test_reads_and_stays),
		cmocka_unit_test(test_does_not_read),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_goes_while_it_is_looked_into),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_tell),
		cmocka_unit_test(test_words_without_end),
		cmocka_unit_test(test_word_with_a_late_end),
		cmocka_unit_test(test_bad_lines),
	};

	return cmocka_run_group_tests_name("server client end", tests, NULL, NULL);
}
