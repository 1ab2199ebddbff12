/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of the client's control socket, over a real one: where nothing can be asked for, and
 * what root's process is asked for. What follows from down and up is the session's, and is tested
 * there.
 */
#include "base/clock.h"
#include "base/loop.h"
#include "client/control/control_parts.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd);
void __wrap_clock_arm(struct event *timer, int64_t deadline);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);

static struct {
	struct client_options options;
	struct control control;
	int asker;
	unsigned int asked; /* root's process, for its interface */
	unsigned int logs;  /* and to log more or less */
	uint32_t debug;
} world;

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd)
{
	const struct client_log *log = body;

	(void)ipc;
	(void)fd;
	if (type == CLIENT_MSG_LOG) {
		assert_int_equal(size, sizeof(*log));
		world.logs++;
		world.debug = log->debug;
	} else {
		assert_int_equal(type, CLIENT_MSG_ASK);
		world.asked++;
	}
	return 0;
}

/* What would come later comes now. */
void __wrap_clock_arm(struct event *timer, int64_t deadline)
{
	const struct timeval soon = {0};

	assert_true(deadline > clock_ms() && deadline <= clock_ms() + 90000);
	loop_add(timer, &soon);
}

/* Whoever runs the tests is root here. */
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	int result = __real_getsockopt(fd, level, name, value, size);

	if (level == SOL_SOCKET && name == SO_PEERCRED)
		((struct ucred *)value)->uid = 0;
	return result;
}

static void say(const char *text)
{
	char line[200];
	int len = snprintf(line, sizeof(line), "%s\n", text);

	assert_int_equal(send(world.asker, line, (size_t)len, 0), len);
}

/* The line that comes next, as an object. */
static json_t *hear(void)
{
	static char line[8192];
	ssize_t len = -1;
	json_t *json;

	while (len == -1) {
		assert_int_equal(event_base_loop(world.control.base, EVLOOP_ONCE), 0);
		len = recv(world.asker, line, sizeof(line), MSG_DONTWAIT);
		assert_true(len > 0 || (len == -1 && errno == EAGAIN));
	}
	json = json_loadb(line, (size_t)len, 0, NULL);
	assert_non_null(json);
	return json;
}

static void expect_refusal(const char *text, const char *code, const char *error)
{
	json_t *json;

	say(text);
	json = hear();
	assert_true(json_is_false(json_object_get(json, "ok")));
	assert_string_equal(json_string_value(json_object_get(json, "code")), code);
	assert_string_equal(json_string_value(json_object_get(json, "error")), error);
	json_decref(json);
}

static void expect_ok(const char *text)
{
	json_t *json;

	say(text);
	json = hear();
	assert_true(json_is_true(json_object_get(json, "ok")));
	json_decref(json);
}

static int begin(void **state)
{
	const struct client_ctl self = {.pid = 4711, .name = "home"};
	const struct session_config config = {
		.servers = {"192.0.2.1"}, .n_servers = 1, .random = arc4random_uniform};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	memset(&world, 0, sizeof(world));
	world.options = (struct client_options){.servers = {"192.0.2.1"},
						.n_servers = 1,
						.interface = "dtcp0",
						.type = TUNNEL_ONLY};
	world.control.options = &world.options;
	world.control.base = event_base_new();
	assert_non_null(world.control.base);
	session_init(&world.control.session, &config);
	/* A name of the kernel's choice, which is no file. */
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(listen(listener, 1), 0);
	control_ctl_on_socket(&self, listener, &world.control);
	assert_non_null(world.control.ctl);
	world.asker = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(world.asker, (struct sockaddr *)&address, size), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(world.asker);
	control_ctl_free(&world.control);
	assert_null(world.control.ctl);
	event_base_free(world.control.base);
	return 0;
}

static void test_cannot_be_asked(void **state)
{
	static const char *const wishes[] = {"{\"command\":\"reconnect\"}",
					     "{\"command\":\"down\"}", "{\"command\":\"up\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		world.control.session.state = SESSION_IDLE;
		expect_refusal(wishes[i], "failed", "it has not begun yet");
		world.control.session.state = SESSION_DONE;
		expect_refusal(wishes[i], "failed", "it is ending");
		world.control.session.state = SESSION_QUIT;
		world.control.session.then = SESSION_THEN_EXIT;
		expect_refusal(wishes[i], "failed", "it is ending");
	}
	world.control.session.state = SESSION_DOWN;
	expect_refusal(wishes[0], "failed", "it is down on request; \"up\" connects again");
	assert_int_equal(world.asked + world.logs, 0);
}

/* Root's process is asked each time, and has its word in the answer. */
static void test_status(void **state)
{
	const struct client_interface interface = {.name = "six0"};
	const json_t *status;
	json_t *json;

	(void)state;
	say("{\"command\":\"status\"}");
	while (world.asked == 0)
		assert_int_equal(event_base_loop(world.control.base, EVLOOP_ONCE), 0);
	control_ctl_on_interface(&interface, &world.control);
	json = hear();
	status = json_object_get(json, "status");
	assert_string_equal(json_string_value(json_object_get(status, "interface")), "six0");
	assert_string_equal(json_string_value(json_object_get(status, "name")), "home");
	assert_int_equal(json_integer_value(json_object_get(status, "pid")), 4711);
	json_decref(json);
	/* Its answer without a question is for nobody. */
	control_ctl_on_interface(&interface, &world.control);
	assert_int_equal(world.asked, 1);
}

/* It may be busy, or stand still; who asks is not kept waiting. */
static void test_status_without_root(void **state)
{
	(void)state;
	(void)strlcpy(world.control.interface.name, "dtcp0", IFNAMSIZ);
	expect_ok("{\"command\":\"status\"}");
	assert_int_equal(world.asked, 1);
}

static void test_log(void **state)
{
	(void)state;
	expect_ok("{\"command\":\"log\",\"level\":\"debug\"}");
	assert_int_equal(world.logs, 1);
	assert_int_equal(world.debug, 1);
	assert_true(log_is_debug());
	expect_ok("{\"command\":\"log\",\"level\":\"info\"}");
	assert_int_equal(world.logs, 2);
	assert_int_equal(world.debug, 0);
	assert_false(log_is_debug());
	expect_refusal("{\"command\":\"log\",\"level\":\"Debug\"}", "bad",
		       "\"level\": debug and info are possible");
	assert_int_equal(world.logs, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cannot_be_asked, begin, end),
		cmocka_unit_test_setup_teardown(test_status, begin, end),
		cmocka_unit_test_setup_teardown(test_status_without_root, begin, end),
		cmocka_unit_test_setup_teardown(test_log, begin, end),
	};

	return cmocka_run_group_tests_name("client control, commands", tests, NULL, NULL);
}
