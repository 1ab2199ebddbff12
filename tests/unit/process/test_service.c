/* SPDX-License-Identifier: BSD-2-Clause */
/* When a service manager hears that the program lives: the test is manager and both processes. */
#include "process/service.h"

#include "base/log.h"
#include "tests/unit/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The watchdog's time, of which half passes between two signs of life, and a good part of that. */
enum { WATCHDOG_MS = 100, PATIENCE_MS = 5000 };

struct rig {
	struct event_base *base;
	struct notify notify;
	struct service *service;
	struct ipc *to[2]; /* root's ends */
	int other[2];	   /* those of the processes */
	struct event *readable[2];
	bool silent[2];
	unsigned int pinged[2];
	int manager;
};

static void answer(int fd)
{
	/* As process/ipc.c has it: type, size, and a body that is empty. */
	const uint32_t pong[4] = {IPC_PONG};

	assert_int_equal(send(fd, pong, sizeof(pong), 0), sizeof(pong));
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	uint32_t message[4];
	struct rig *rig = arg;
	size_t i = fd == rig->other[0] ? 0 : 1;
	ssize_t n = recv(fd, message, sizeof(message), 0);

	(void)what;
	if (n <= 0) {
		(void)event_del(rig->readable[i]);
		return;
	}
	assert_int_equal(n, sizeof(message));
	assert_int_equal(message[0], IPC_PING);
	rig->pinged[i]++;
	if (!rig->silent[i])
		answer(fd);
}

static void on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	(void)arg;
	assert_false(violated);
}

static void rig_open(struct rig *rig, uint64_t watchdog_ms)
{
	int manager[2];

	*rig = (struct rig){.base = event_base_new()};
	log_init("prog", NULL, false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, manager), 0);
	rig->manager = manager[1];
	rig->notify = (struct notify){
		.socket = manager[0], .watchdog_us = watchdog_ms * 1000, .pid = getpid()};
	rig->service = service_new(rig->base, &rig->notify);
	assert_non_null(rig->service);
	for (size_t i = 0; i < 2; i++) {
		int fds[2];

		assert_int_equal(ipc_pair(fds), 0);
		rig->to[i] = ipc_new(rig->base, fds[0], "process", NULL, 0, on_closed, rig);
		rig->other[i] = fds[1];
		rig->readable[i] =
			event_new(rig->base, fds[1], EV_READ | EV_PERSIST, on_readable, rig);
		assert_true(rig->to[i] && rig->readable[i]);
		assert_int_equal(event_add(rig->readable[i], NULL), 0);
	}
}

static void rig_watch(struct rig *rig)
{
	service_watch(rig->service, "control", &rig->to[0]);
	service_watch(rig->service, "forward", &rig->to[1]);
}

static void rig_close(struct rig *rig)
{
	service_free(rig->service);
	for (size_t i = 0; i < 2; i++) {
		ipc_free(&rig->to[i]);
		event_free(rig->readable[i]);
		close(rig->other[i]);
	}
	event_base_free(rig->base);
	notify_close(&rig->notify);
	close(rig->manager);
}

static void rig_run(const struct rig *rig, unsigned int ms)
{
	const struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	assert_int_equal(event_base_loopexit(rig->base, &time), 0);
	assert_int_equal(event_base_dispatch(rig->base), 0);
}

/* The next message, or "" where there is none. */
static const char *rig_heard(const struct rig *rig)
{
	static char text[1200];
	ssize_t n = recv(rig->manager, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* Runs until the manager hears something, which must be this. */
static void rig_expect(const struct rig *rig, const char *expected)
{
	const char *heard = rig_heard(rig);

	for (unsigned int ms = 0; heard[0] == '\0' && ms < PATIENCE_MS; ms += 5) {
		rig_run(rig, 5);
		heard = rig_heard(rig);
	}
	assert_string_equal(heard, expected);
}

static void test_alive(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, WATCHDOG_MS);
	rig_watch(&rig);
	for (int i = 0; i < 3; i++)
		rig_expect(&rig, "WATCHDOG=1");
	/* A question for each sign of life. */
	rig_run(&rig, 5);
	assert_true(rig.pinged[0] >= 3);
	assert_int_equal(rig.pinged[1], rig.pinged[0]);
	rig_close(&rig);
}

/* Either room that does not answer is enough, and is not asked again and again. */
static void test_silent(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig rig;
		const char *logged;

		rig_open(&rig, WATCHDOG_MS);
		rig.silent[i] = true;
		rig_watch(&rig);
		capture_begin(STDERR_FILENO);
		rig_run(&rig, 3 * WATCHDOG_MS);
		logged = capture_end();
		assert_string_equal(logged,
				    i == 0 ? "prog: room control has not answered for 50 ms; until "
					     "it does, the service manager does not hear that we "
					     "live\n"
					   : "prog: room forward has not answered for 50 ms; until "
					     "it does, the service manager does not hear that we "
					     "live\n");
		assert_string_equal(rig_heard(&rig), "");
		assert_int_equal(rig.pinged[i], 1);

		/* It comes to itself: that is passed on at once, and all goes on. */
		rig.silent[i] = false;
		capture_begin(STDERR_FILENO);
		answer(rig.other[i]);
		rig_run(&rig, 5);
		assert_string_equal(capture_end(), "prog: all rooms answer again\n");
		assert_string_equal(rig_heard(&rig), "WATCHDOG=1");
		rig_expect(&rig, "WATCHDOG=1");
		rig_close(&rig);
	}
}

/* Nobody wants a sign of life: no room is asked for one. */
static void test_no_watchdog(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 0);
	rig_watch(&rig);
	rig_run(&rig, 50);
	assert_int_equal(rig.pinged[0] + rig.pinged[1], 0);
	assert_string_equal(rig_heard(&rig), "");
	rig_close(&rig);
}

/* The rooms are leaving; monitor still has something to do. */
static void test_stopping(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, WATCHDOG_MS);
	rig_watch(&rig);
	rig_expect(&rig, "WATCHDOG=1");
	rig.silent[0] = rig.silent[1] = true;
	service_status(rig.service, "ending");
	assert_string_equal(rig_heard(&rig), "STATUS=ending");
	service_stopping(rig.service);
	assert_string_equal(rig_heard(&rig), "STOPPING=1\nSTATUS=ending");
	rig_expect(&rig, "WATCHDOG=1");
	rig_expect(&rig, "WATCHDOG=1");
	/* That was the last word. */
	service_status(rig.service, "something else");
	service_reloading(rig.service);
	service_ready(rig.service);
	service_stopping(rig.service);
	assert_string_equal(rig_heard(&rig), "");
	rig_close(&rig);
}

/* One room is gone when another, which was late, answers: at the end, or before it is known of. */
static void test_closed(void **state)
{
	(void)state;
	for (int stopping = 0; stopping <= 1; stopping++) {
		struct rig rig;

		rig_open(&rig, WATCHDOG_MS);
		rig.silent[1] = true;
		rig_watch(&rig);
		capture_begin(STDERR_FILENO);
		rig_run(&rig, 3 * WATCHDOG_MS);
		if (stopping)
			service_stopping(rig.service);
		ipc_free(&rig.to[0]);
		answer(rig.other[1]);
		rig_run(&rig, 5);
		assert_non_null(strstr(capture_end(), "prog: all rooms answer again\n"));
		/* Only the one that is there is asked, and only while there is a next time. */
		assert_int_equal(rig.pinged[0], 1);
		assert_int_equal(rig.pinged[1], stopping ? 1 : 2);
		if (stopping)
			assert_string_equal(rig_heard(&rig), "STOPPING=1\nSTATUS=");
		rig_expect(&rig, "WATCHDOG=1");
		rig_close(&rig);
	}
}

/* Nor is one waited for that had not answered when it went. */
static void test_closed_silent(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, WATCHDOG_MS);
	rig.silent[0] = true;
	rig_watch(&rig);
	ipc_free(&rig.to[0]);
	rig_expect(&rig, "WATCHDOG=1");
	rig_expect(&rig, "WATCHDOG=1");
	rig_close(&rig);
}

static void test_status(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, 0);
	service_status(rig.service, "%u sessions", 1);
	assert_string_equal(rig_heard(&rig), "STATUS=1 sessions");
	/* What changes soon after that waits, and only the latest counts. */
	service_status(rig.service, "%u sessions", 2);
	service_status(rig.service, "%u sessions", 3);
	rig_run(&rig, 50);
	assert_string_equal(rig_heard(&rig), "");
	rig_expect(&rig, "STATUS=3 sessions");
	/* Back to what is known already. */
	service_status(rig.service, "%u sessions", 4);
	service_status(rig.service, "%u sessions", 3);
	rig_run(&rig, 1200);
	assert_string_equal(rig_heard(&rig), "");
	/* Nothing begins a line of its own. */
	service_status(rig.service, "a\nMAINPID=1");
	assert_string_equal(rig_heard(&rig), "STATUS=a\\x0aMAINPID=1");
	rig_close(&rig);
}

static void test_ready(void **state)
{
	struct rig rig;
	const char *heard;

	(void)state;
	rig_open(&rig, 0);
	service_status(rig.service, "a");
	assert_string_equal(rig_heard(&rig), "STATUS=a");
	service_status(rig.service, "b");
	service_ready(rig.service);
	assert_string_equal(rig_heard(&rig), "READY=1\nSTATUS=b");
	service_reloading(rig.service);
	heard = rig_heard(&rig);
	assert_int_equal(strncmp(heard, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	assert_int_equal(strspn(heard + 27, "0123456789"), strlen(heard + 27));
	rig_close(&rig);
}

/* A daemon is another process than the one that was started. */
static void test_main_pid(void **state)
{
	struct rig rig;
	char expected[40];
	struct service *service;

	(void)state;
	rig_open(&rig, 0);
	assert_string_equal(rig_heard(&rig), "");
	rig.notify.pid++;
	service = service_new(rig.base, &rig.notify);
	(void)snprintf(expected, sizeof(expected), "MAINPID=%d", (int)getpid());
	assert_string_equal(rig_heard(&rig), expected);
	service_free(service);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alive),	    cmocka_unit_test(test_silent),
		cmocka_unit_test(test_no_watchdog), cmocka_unit_test(test_stopping),
		cmocka_unit_test(test_closed),	    cmocka_unit_test(test_closed_silent),
		cmocka_unit_test(test_status),	    cmocka_unit_test(test_ready),
		cmocka_unit_test(test_main_pid),
	};

	return cmocka_run_group_tests_name("monitor service", tests, NULL, NULL);
}
