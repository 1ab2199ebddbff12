/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that others have part in: what they are asked, and what of their answers counts. */
#include "server/control/requests.h"

#include "base/clock.h"
#include "base/log.h"
#include "ctl/listen.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000 };

static char root_channel, accounts_channel; /* addresses stand for channels */
static unsigned int asked_root, asked_accounts, reloads, levels;
static struct server_order order; /* the last one */
static bool no_memory;

static struct server_options options;
static struct broker broker;
static struct admission admission;
static struct requests requests;
static struct ipc *root;
static struct event_base *base;
static struct ctl_listen place;
static char folder[40];
static int fd = -1;

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int with);

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int with)
{
	const void *to = ipc;

	assert_int_equal(with, -1);
	if (no_memory)
		return -ENOMEM;
	if (to == &accounts_channel) {
		assert_int_equal(type, SERVER_MSG_ASK);
		asked_accounts++;
		return 0;
	}
	assert_ptr_equal(to, &root_channel);
	if (type == SERVER_MSG_LEVEL || type == SERVER_MSG_RELOAD) {
		assert_int_equal(size, sizeof(order));
		memcpy(&order, body, size);
		assert_int_equal(order.debug, type == SERVER_MSG_LEVEL);
		levels += type == SERVER_MSG_LEVEL;
		reloads += type == SERVER_MSG_RELOAD;
	} else {
		assert_int_equal(type, SERVER_MSG_ASK);
		asked_root++;
	}
	return 0;
}

int __wrap_getsockopt(int socket, int level, int name, void *value, socklen_t *size);
int __real_getsockopt(int socket, int level, int name, void *value, socklen_t *size);

/* Whoever runs the test is root. */
int __wrap_getsockopt(int socket, int level, int name, void *value, socklen_t *size)
{
	int result = __real_getsockopt(socket, level, name, value, size);

	if (level == SOL_SOCKET && name == SO_PEERCRED)
		((struct ucred *)value)->uid = 0;
	return result;
}

void __wrap_clock_arm(struct event *timer, int64_t deadline);
void __real_clock_arm(struct event *timer, int64_t deadline);

/* A second, or ten: nobody wants to wait for these, but where an answer is to come before. */
static int64_t hurry;

void __wrap_clock_arm(struct event *timer, int64_t deadline)
{
	int64_t now = clock_ms();

	assert_in_range(deadline - now, 1, 10000);
	__real_clock_arm(timer, now + (deadline - now) / hurry);
}

static int setup(void **state)
{
	static const uint64_t key[2] = {1, 2};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[64];
	int listener;

	(void)state;
	asked_root = asked_accounts = reloads = levels = 0;
	no_memory = false;
	hurry = 100;
	log_init("test", NULL, false);
	server_options_default(&options);
	memset(&broker, 0, sizeof(broker));
	memset(&admission, 0, sizeof(admission));
	broker.options = &options;
	broker.accounts = (struct ipc *)(void *)&accounts_channel;
	broker.sessions = sessions_new(10, key);
	broker.connection_limits = connection_limits_new(&options.limits, 10, key);
	log_limit_init(&broker.wrong, "messages", 10, clock_ms());
	root = (struct ipc *)(void *)&root_channel;
	requests = (struct requests){
		.broker = &broker, .admission = &admission, .root = &root, .started = clock_ms()};
	(void)strlcpy(folder, "/tmp/dtcp-test-requests-XXXXXX", sizeof(folder));
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/x.sock", folder);
	listener = ctl_listen_open(path, &place);
	assert_true(listener >= 0);
	base = event_base_new();
	assert_true(requests_open(&requests, base, listener));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)strlcpy(address.sun_path, path, sizeof(address.sun_path));
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	requests_close(&requests);
	event_base_free(base);
	sessions_free(broker.sessions);
	connection_limits_free(broker.connection_limits);
	ctl_listen_remove(&place);
	return rmdir(folder);
}

static void ask(const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	/* Accepted, read, handled. */
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static const char *hear(void)
{
	static char line[8192];
	int64_t deadline = clock_ms() + PATIENCE_MS;
	size_t len = 0;

	while (clock_ms() < deadline && len < sizeof(line) - 1) {
		if (recv(fd, line + len, 1, 0) != 1) {
			(void)event_base_loop(base, EVLOOP_NONBLOCK);
		} else if (line[len++] == '\n') {
			line[len - 1] = '\0';
			return line;
		}
	}
	fail_msg("nothing comes");
	return NULL;
}

static bool nothing_comes(void)
{
	char octet;

	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	return recv(fd, &octet, 1, MSG_PEEK) == -1 && errno == EAGAIN;
}

#define STATUS "{\"command\":\"status\"}\n"

/* True if all went on within the second that an answer waits for others: else nothing is known. */
static bool status_waits_for_both(void)
{
	const int64_t until = clock_ms() + 1000;
	const unsigned int before_root = asked_root, before_accounts = asked_accounts;
	struct server_state told = {.pid = 7};
	const struct server_usage usage = {.users = 9};
	const char *line;
	bool silent;

	hurry = 1;
	/* A text without an end gets one. */
	memset(told.warning, 'x', sizeof(told.warning));
	ask(STATUS);
	silent = nothing_comes();
	requests_on_state(&requests, &told);
	silent &= nothing_comes();
	requests_on_usage(&requests, &usage);
	line = hear();
	if (clock_ms() >= until)
		return false;
	assert_int_equal(asked_root, before_root + 1);
	assert_int_equal(asked_accounts, before_accounts + 1);
	assert_true(silent);
	assert_non_null(strstr(line, "\"pid\":7"));
	assert_non_null(strstr(line, "\"users\":9"));
	assert_non_null(strstr(line, "xxx\""));
	return true;
}

static void test_status_waits_for_both(void **state)
{
	unsigned int tries = 0;

	while (!status_waits_for_both()) {
		assert_true(++tries < 30);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* A second goes by, and nobody is asked twice. */
static void test_status_without_them(void **state)
{
	const struct server_state told = {.pid = 7};
	const struct server_usage usage = {.users = 9};
	const char *line;

	(void)state;
	ask(STATUS);
	ask(STATUS);
	line = hear();
	assert_null(strstr(line, "\"pid\""));
	assert_null(strstr(line, "\"database\""));
	assert_non_null(strstr(line, "\"sessions\""));
	requests_on_state(&requests, &told);
	line = hear();
	assert_null(strstr(line, "\"database\""));
	assert_int_equal(asked_accounts, 1);
	/* What comes late counts for the next question. */
	requests_on_usage(&requests, &usage);
	ask(STATUS);
	assert_int_equal(asked_accounts, 2);
}

/* A question or an answer that was lost does not keep others from being asked. */
static void test_status_lost(void **state)
{
	const struct server_state told = {.pid = 7};
	const struct server_usage usage = {.users = 9};
	const char *line;

	(void)state;
	ask(STATUS);
	(void)hear();
	requests.root_state.at -= 10000;
	requests.accounts_usage.at -= 10000;
	ask(STATUS);
	assert_int_equal(asked_root, 2);
	assert_int_equal(asked_accounts, 2);
	(void)hear();
	requests_on_state(&requests, &told);
	requests_on_usage(&requests, &usage);
	/* Both are answered in the end, the second time with no news. */
	capture_begin(STDERR_FILENO);
	requests_on_state(&requests, &told);
	requests_on_usage(&requests, &usage);
	assert_string_equal(capture_end(), "");
	hurry = 1;
	ask(STATUS);
	requests_on_state(&requests, &told);
	requests_on_usage(&requests, &usage);
	line = hear();
	assert_non_null(strstr(line, "\"pid\":7"));
	assert_non_null(strstr(line, "\"users\":9"));
}

/* Nor is what nobody could be asked for. */
static void test_status_without_memory(void **state)
{
	const char *line;

	(void)state;
	no_memory = true;
	capture_begin(STDERR_FILENO);
	ask(STATUS);
	line = capture_end();
	assert_non_null(strstr(line, "cannot pass a request on: Cannot allocate memory"));
	line = hear();
	assert_null(strstr(line, "\"pid\""));
	assert_null(strstr(line, "\"database\""));
}

static void test_unasked(void **state)
{
	const struct server_state told = {.pid = 7};
	const struct server_usage usage = {.users = 9};
	const struct server_done done = {.result = SERVER_DONE};

	(void)state;
	capture_begin(STDERR_FILENO);
	requests_on_state(&requests, &told);
	requests_on_usage(&requests, &usage);
	requests_on_done(&requests, &done);
	assert_string_equal(capture_end(),
			    "test: monitor answered a request that there was not: not believed\n"
			    "test: accounts answered a request that there was not: not believed\n"
			    "test: monitor answered a request that there was not: not believed\n");
	assert_int_equal(requests.state.pid, 0);
	assert_int_equal(requests.usage.users, 0);
}

static void say_done(uint32_t number, enum server_done_result result)
{
	const struct server_done done = {.number = number, .result = result};

	requests_on_done(&requests, &done);
}

static void test_steering(void **state)
{
	(void)state;
	ask("{\"command\":\"reload\"}\n");
	assert_int_equal(reloads, 1);
	assert_true(nothing_comes());
	say_done(order.number, SERVER_DONE);
	assert_string_equal(hear(), "{\"ok\":true,\"v\":1}");
	ask("{\"command\":\"log\",\"level\":\"debug\"}\n");
	assert_int_equal(levels, 1);
	say_done(order.number, SERVER_DONE_FAILED);
	assert_non_null(strstr(hear(), "\"code\":\"failed\""));
	ask("{\"command\":\"reload\"}\n");
	say_done(order.number, SERVER_DONE_BUSY);
	assert_non_null(strstr(hear(), "\"code\":\"busy\""));
	no_memory = true;
	capture_begin(STDERR_FILENO);
	ask("{\"command\":\"reload\"}\n");
	assert_non_null(strstr(capture_end(), "cannot pass a request on"));
	assert_non_null(strstr(hear(), "\"code\":\"failed\""));
}

/* One who never answers is not waited for, and what comes too late is no answer to another. */
static void test_steering_lost(void **state)
{
	uint32_t lost;

	(void)state;
	ask("{\"command\":\"reload\"}\n");
	lost = order.number;
	assert_non_null(strstr(hear(), "monitor does not answer"));
	hurry = 1;
	ask("{\"command\":\"log\",\"level\":\"debug\"}\n");
	assert_int_equal(levels, 1);
	assert_int_not_equal(order.number, lost);
	capture_begin(STDERR_FILENO);
	say_done(lost, SERVER_DONE_FAILED);
	assert_string_equal(capture_end(), "");
	assert_true(nothing_comes());
	say_done(order.number, SERVER_DONE);
	assert_string_equal(hear(), "{\"ok\":true,\"v\":1}");
}

static void redial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)strlcpy(address.sun_path, place.path, sizeof(address.sun_path));
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

/* One whose time is just over, while another asks already, does not get the other's answer. */
static void test_steering_in_turn(void **state)
{
	int first = fd, second;

	(void)state;
	hurry = 1;
	ask("{\"command\":\"reload\"}\n");
	requests.steering.at -= 10000;
	redial();
	ask("{\"command\":\"reload\"}\n");
	assert_int_equal(reloads, 2);
	say_done(order.number, SERVER_DONE);
	assert_string_equal(hear(), "{\"ok\":true,\"v\":1}");
	second = fd;
	fd = first;
	assert_non_null(strstr(hear(), "monitor does not answer"));
	close(second);
}

/* Whoever has gone does not keep the others from it for ever. */
static void test_one_at_a_time(void **state)
{
	(void)state;
	hurry = 1;
	ask("{\"command\":\"reload\"}\n");
	close(fd);
	redial();
	ask("{\"command\":\"reload\"}\n");
	assert_non_null(strstr(hear(), "\"code\":\"busy\""));
	assert_int_equal(reloads, 1);
	say_done(order.number, SERVER_DONE);
	ask("{\"command\":\"reload\"}\n");
	assert_int_equal(reloads, 2);
	say_done(order.number, SERVER_DONE);
	assert_string_equal(hear(), "{\"ok\":true,\"v\":1}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_status_waits_for_both, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status_without_them, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status_without_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unasked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steering, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steering_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steering_in_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown),
	};

	/* As in all processes. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("server requests", tests, NULL, NULL);
}
