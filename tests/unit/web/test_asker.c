/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to daemons that answer, that are slow, or that are not there. */
#include "web/asker.h"

#include "tests/unit/web/said.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct event_base *base;
static char folder[] = "/tmp/dtcp-asker-XXXXXX";
static char path[sizeof(folder) + 16];

/* The daemon: what it says to each question; NULL: nothing. */
static struct evconnlistener *listener;
static const char *reply;
static bool hang_up;
static unsigned int questions;

/* Who asks. */
static unsigned int told;
static unsigned int rows;
static unsigned int begun;
static unsigned int ended_ok;
static unsigned int ended_badly;

static void daemon_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	char *line;

	(void)arg;
	while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF))) {
		assert_string_equal(line, "{\"command\":\"status\"}");
		free(line);
		questions++;
		if (reply)
			(void)bufferevent_write(bev, reply, strlen(reply));
		if (hang_up)
			bufferevent_free(bev);
		if (hang_up)
			return;
	}
}

static void daemon_event(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(bev);
}

static void daemon_accept(struct evconnlistener *from, evutil_socket_t fd, struct sockaddr *peer,
			  int len, void *arg)
{
	struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)from;
	(void)peer;
	(void)len;
	(void)arg;
	assert_non_null(bev);
	bufferevent_setcb(bev, daemon_read, NULL, daemon_event, NULL);
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void daemon_listen(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)strcpy(at.sun_path, path);
	listener = evconnlistener_new_bind(base, daemon_accept, NULL,
					   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 8,
					   (struct sockaddr *)&at, sizeof(at));
	assert_non_null(listener);
}

static void on_begin(void *arg)
{
	(void)arg;
	begun++;
	rows = 0;
}

static void on_row(json_t *row, const char *line, void *arg)
{
	(void)row;
	(void)line;
	(void)arg;
	rows++;
}

static void on_end(bool ok, void *arg)
{
	(void)arg;
	*(ok ? &ended_ok : &ended_badly) += 1;
}

static void on_told(void *arg)
{
	(void)arg;
	told++;
}

static struct asker *make_asker(int limit)
{
	const struct asker_question question = {
		.command = "status",
		.limit = limit,
		.begin = on_begin,
		.row = on_row,
		.end = on_end,
	};
	struct asker *asker = asker_new(base, path, &question);

	assert_non_null(asker);
	return asker;
}

static void on_deadline(evutil_socket_t fd, short events, void *arg)
{
	(void)fd;
	(void)events;
	*(bool *)arg = true;
}

/* Until so many were told. */
static void wait_told(unsigned int count)
{
	bool late = false;
	struct event *timer = evtimer_new(base, on_deadline, &late);
	const struct timeval limit = {.tv_sec = 20};

	assert_non_null(timer);
	assert_int_equal(evtimer_add(timer, &limit), 0);
	while (told < count && !late)
		assert_int_not_equal(event_base_loop(base, EVLOOP_ONCE), -1);
	event_free(timer);
	assert_false(late);
	assert_int_equal(told, count);
}

static void once(struct asker *asker)
{
	struct asker_waiter waiter = {.done = on_told};

	asker_want(asker, &waiter);
	wait_told(1);
	assert_null(waiter.asker);
	assert_false(asker_busy(asker));
}

/* Two who want to know, and a third a little later, are one question. */
static void one_for_all(void **state)
{
	struct asker *asker = make_asker(10000);
	struct asker_waiter waiters[3] = {{.done = on_told}, {.done = on_told}, {.done = on_told}};

	(void)state;
	reply = "{\"row\":1}\n{\"row\":2}\n{\"ok\":true,\"status\":{\"pid\":7}}\n";
	daemon_listen();
	asker_want(asker, &waiters[0]);
	asker_want(asker, &waiters[1]);
	assert_true(asker_busy(asker));
	wait_told(2);
	asker_want(asker, &waiters[2]);
	assert_int_equal(told, 3);
	assert_int_equal(questions, 1);
	assert_true(asker_ok(asker));
	assert_int_equal(rows, 2);
	assert_int_equal(begun, 1);
	assert_int_equal(ended_ok, 1);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(asker_last(asker), "status"), "pid")),
			 7);
	asker_free(asker);
}

/* The daemon that said so is gone. */
static void expired(void **state)
{
	struct asker *asker = make_asker(10000);

	(void)state;
	reply = "{\"ok\":true}\n";
	daemon_listen();
	once(asker);
	asker_expire(asker);
	told = 0;
	once(asker);
	assert_int_equal(questions, 2);
	asker_free(asker);
}

static void forgotten(void **state)
{
	struct asker *asker = make_asker(10000);
	struct asker_waiter gone = {.done = on_told};
	struct asker_waiter stays = {.done = on_told};

	(void)state;
	reply = "{\"ok\":true}\n";
	daemon_listen();
	asker_want(asker, &gone);
	asker_want(asker, &stays);
	asker_forget(&gone);
	asker_forget(&gone);
	wait_told(1);
	asker_free(asker);
}

static void says_no(void **state)
{
	struct asker *asker = make_asker(10000);

	(void)state;
	reply = "{\"ok\":false,\"code\":\"busy\",\"error\":\"too many ask\"}\n";
	daemon_listen();
	once(asker);
	assert_false(asker_ok(asker));
	assert_string_equal(asker_code(asker), "busy");
	assert_string_equal(asker_error(asker), "too many ask");
	assert_int_equal(ended_badly, 1);
	asker_free(asker);
}

static void absent(void **state)
{
	struct asker *asker = make_asker(10000);

	(void)state;
	once(asker);
	assert_false(asker_ok(asker));
	assert_string_equal(asker_code(asker), "absent");
	assert_int_equal(begun, 0);
	/* That is an answer as well, for a while. */
	told = 0;
	once(asker);
	asker_free(asker);
}

/* A socket that is left over. */
static void dead(void **state)
{
	struct asker *asker = make_asker(10000);

	(void)state;
	daemon_listen();
	evconnlistener_free(listener);
	listener = NULL;
	once(asker);
	assert_string_equal(asker_code(asker), "absent");
	asker_free(asker);
}

/* Neither one that says nothing nor one that never comes to an end is waited for. */
static void silent(void **state)
{
	struct asker *asker = make_asker(50);

	(void)state;
	daemon_listen();
	once(asker);
	assert_false(asker_ok(asker));
	assert_string_equal(asker_code(asker), "silent");
	asker_free(asker);
}

static void half_an_answer(void **state)
{
	struct asker *asker = make_asker(50);

	(void)state;
	reply = "{\"row\":1}\n{\"row\":";
	daemon_listen();
	once(asker);
	assert_string_equal(asker_code(asker), "silent");
	assert_int_equal(ended_badly, 1);
	asker_free(asker);
}

static void hangs_up(void **state)
{
	struct asker *asker = make_asker(10000);

	(void)state;
	hang_up = true;
	daemon_listen();
	once(asker);
	assert_string_equal(asker_code(asker), "failed");
	assert_string_not_equal(asker_error(asker), "");
	asker_free(asker);
}

static void says_nonsense(void **state)
{
	struct asker *asker = make_asker(10000);

	(void)state;
	reply = "<html>\n";
	daemon_listen();
	once(asker);
	assert_string_equal(asker_code(asker), "failed");
	asker_free(asker);
}

static int make(void **state)
{
	(void)state;
	base = event_base_new();
	reply = NULL;
	hang_up = false;
	questions = told = rows = begun = ended_ok = ended_badly = 0;
	return base ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	if (listener)
		evconnlistener_free(listener);
	listener = NULL;
	/* The daemon's connections see their ends. */
	while (event_base_loop(base, EVLOOP_NONBLOCK) == 0)
		;
	event_base_free(base);
	(void)unlink(path);
	return 0;
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/dtcps.sock", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_for_all), TEST(expired),	TEST(forgotten), TEST(says_no),
		TEST(absent),	   TEST(dead),		TEST(silent),	 TEST(half_an_answer),
		TEST(hangs_up),	   TEST(says_nonsense),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
