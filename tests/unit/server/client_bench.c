/* SPDX-License-Identifier: BSD-2-Clause */
#include "client_bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void on_act(struct client *client, unsigned int what, void *arg)
{
	struct client_bench *bench = arg;

	(void)client;
	if (what & CONN_DO_LOGIN)
		bench->asked++;
}

static void on_ended(struct client *client, void *arg)
{
	struct client_bench *bench = arg;

	(void)client;
	bench->ended++;
}

static void on_gone(struct client *client, void *arg)
{
	struct client_bench *bench = arg;

	(void)client;
	bench->client = NULL;
}

void client_bench_start(struct client_bench *bench)
{
	const struct in_addr peer = {htonl(0xc6336402)};
	int fds[2];

	(void)signal(SIGPIPE, SIG_IGN);
	*bench = (struct client_bench){
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

void client_bench_stop(struct client_bench *bench)
{
	if (bench->client)
		client_free(bench->client);
	if (bench->fd != -1)
		close(bench->fd);
	event_base_free(bench->owner.base);
}

void client_bench_run(struct client_bench *bench, int ms)
{
	const struct timeval time = {.tv_usec = (suseconds_t)ms * 1000};

	assert_int_equal(event_base_loopexit(bench->owner.base, &time), 0);
	assert_int_equal(event_base_dispatch(bench->owner.base), 0);
}

size_t client_bench_flood(struct client_bench *bench, const char *text)
{
	size_t count = 0;

	for (int refused = 0; refused < 3;) {
		if (write(bench->fd, text, strlen(text)) != -1) {
			count++;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		refused++;
		client_bench_run(bench, 10);
	}
	return count;
}

size_t client_bench_hear(struct client_bench *bench)
{
	char buf[4096];
	size_t lines = 0;
	ssize_t n;

	while ((n = read(bench->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
		client_bench_run(bench, 1);
	}
	return lines;
}
