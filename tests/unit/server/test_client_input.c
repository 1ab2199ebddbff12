/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection whose input is full and not wanted now, because a login is being looked into or
 * because its owner does not read our answers: it waits, and costs nothing meanwhile.
 */
#include "client_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUEST "tunnel foo DAC487C8DFBBF9EE5C7F8CDCC37B62A3 network\r\n"

/* How long the loop runs, and how much of that it may compute. */
enum { RUN_MS = 200, BUSY_MS = 50 };

/* Nothing happens, and nothing is computed. */
static void run_idle(struct client_bench *bench)
{
	clock_t before = clock();

	client_bench_run(bench, RUN_MS);
	assert_true((clock() - before) * 1000 / CLOCKS_PER_SEC < BUSY_MS);
}

static void while_a_login_is_looked_into(void **state)
{
	const struct conn_event refused = {.input = CONN_REFUSED, .reason = REASON_INTERNAL};
	struct client_bench bench;
	size_t pings;

	(void)state;
	client_bench_start(&bench);
	assert_int_equal(write(bench.fd, REQUEST, strlen(REQUEST)), strlen(REQUEST));
	pings = client_bench_flood(&bench, "ping\r\n");
	assert_int_equal(bench.asked, 1);
	run_idle(&bench);
	/* The answer comes, and all that waited is heard. */
	client_feed(bench.client, &refused);
	/* greeting, refusal, and an answer to each */
	assert_int_equal(client_bench_hear(&bench), 2 + pings);
	client_bench_stop(&bench);
}

static void while_answers_are_not_read(void **state)
{
	struct client_bench bench;
	size_t pings;

	(void)state;
	client_bench_start(&bench);
	pings = client_bench_flood(&bench, "ping\r\n");
	run_idle(&bench);
	assert_int_equal(client_bench_hear(&bench), 1 + pings);
	/* It is heard as before. */
	assert_int_equal(write(bench.fd, "help\r\n", 6), 6);
	client_bench_run(&bench, 10);
	assert_int_equal(client_bench_hear(&bench), 1);
	client_bench_stop(&bench);
}

static void a_full_one_that_goes(void **state)
{
	struct client_bench bench;

	(void)state;
	client_bench_start(&bench);
	(void)client_bench_flood(&bench, "ping\r\n");
	close(bench.fd);
	bench.fd = -1;
	/* What waits to be written finds nobody. */
	for (int i = 0; i < 100 && bench.client; i++)
		client_bench_run(&bench, 20);
	assert_null(bench.client);
	client_bench_stop(&bench);
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
