/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections to a control socket, over real sockets, with the test's own commands. */
#include "ctl/ctl.h"

#include "base/clock.h"
#include "base/log.h"
#include "ctl/listen.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <event2/bufferevent.h>
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Until what must come has come. */
enum { PATIENCE_MS = 20000 };

struct fixture {
	struct event_base *base;
	struct ctl *ctl;
	struct ctl_listen listen;
	char folder[40];
	unsigned int fds;
	unsigned int rows;  /* that were made */
	unsigned int turns; /* of next() */
	unsigned int done;
	unsigned int resumed;
	unsigned int hellos;
};

static uid_t peer_uid;
static struct timeval idle_time;
static struct timeval stuck_time;

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
void __wrap_bufferevent_set_timeouts(struct bufferevent *stream, const struct timeval *read,
				     const struct timeval *write);
void __real_bufferevent_set_timeouts(struct bufferevent *stream, const struct timeval *read,
				     const struct timeval *write);

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	int result = __real_getsockopt(fd, level, name, value, size);

	if (level == SOL_SOCKET && name == SO_PEERCRED)
		((struct ucred *)value)->uid = peer_uid;
	return result;
}

/* Nobody wants to wait for a minute. */
void __wrap_bufferevent_set_timeouts(struct bufferevent *stream, const struct timeval *read,
				     const struct timeval *write)
{
	assert_int_equal(read->tv_sec, 60);
	assert_int_equal(write->tv_sec, 10);
	__real_bufferevent_set_timeouts(stream, &idle_time, &stuck_time);
}

/* --- commands ----------------------------------------------------------------------------- */

static void answer_hello(struct ctl_call *call, void *arg)
{
	struct fixture *f = arg;
	int64_t number = 0;

	f->hellos++;
	if (ctl_number(call, "number", &number))
		ctl_ok_with(call, json_pack("{s:I}", "number", (json_int_t)number));
	else
		ctl_ok(call);
}

static void answer_fail(struct ctl_call *call, void *arg)
{
	(void)arg;
	ctl_fail(call, CTL_MISSING, "there is no \"%s\"", ctl_text(call, "text"));
}

static void answer_no_memory(struct ctl_call *call, void *arg)
{
	(void)arg;
	ctl_ok_with(call, NULL);
}

struct count {
	struct fixture *f;
	int64_t now;
	int64_t end;
};

static enum ctl_row count_next(void *state, json_t **row, void *arg)
{
	struct count *count = state;
	struct fixture *f = arg;

	assert_ptr_equal(f, count->f);
	f->turns++;
	if (count->now == count->end)
		return CTL_END;
	count->now++;
	/* Every second one is not for the reader. */
	if (count->now % 2 == 0)
		return CTL_LOOK;
	*row = json_pack("{s:I, s:s}", "row", (json_int_t)count->now, "text",
			 "some more octets, so that there are many of them in the end");
	f->rows++;
	return CTL_ROW;
}

static void count_done(void *state)
{
	struct count *count = state;

	count->f->done++;
	free(count);
}

static void answer_count(struct ctl_call *call, void *arg)
{
	struct count *count = calloc(1, sizeof(*count));

	assert_non_null(count);
	count->f = arg;
	(void)ctl_number(call, "number", &count->end);
	ctl_rows(call, count_next, count_done, count);
}

static void resume_wait(struct ctl_call *call, void *arg)
{
	struct fixture *f = arg;

	f->resumed++;
	/* What came with the request is still there. */
	ctl_ok_with(call, json_pack("{s:s}", "text", ctl_text(call, "text")));
}

static void answer_wait(struct ctl_call *call, void *arg)
{
	int64_t ms = 0;

	(void)arg;
	(void)ctl_number(call, "number", &ms);
	ctl_wait(call, ms, resume_wait);
}

#define NUMBER                                                                                     \
	{                                                                                          \
		.name = "number", .type = CTL_NUMBER, .max = INT64_MAX                             \
	}
#define TEXT                                                                                       \
	{                                                                                          \
		.name = "text", .type = CTL_TEXT, .required = true                                 \
	}

static const struct ctl_command list[] = {
	{.name = "hello", .answer = answer_hello, .members = {NUMBER}},
	{.name = "fail", .answer = answer_fail, .members = {TEXT}},
	{.name = "secret", .root = true, .answer = answer_hello},
	{.name = "memory", .answer = answer_no_memory},
	{.name = "count", .answer = answer_count, .members = {NUMBER}},
	{.name = "wait", .answer = answer_wait, .members = {NUMBER, TEXT}},
};

static const struct ctl_commands commands = {list, sizeof(list) / sizeof(list[0])};

/* --- both ends ------------------------------------------------------------------------------ */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[64];
	int fd;

	assert_non_null(f);
	peer_uid = 0;
	idle_time = stuck_time = (struct timeval){.tv_sec = 60};
	log_init("prog", NULL, false);
	f->fds = capture_count_fds();
	(void)strlcpy(f->folder, "/tmp/dtcp-test-ctl-XXXXXX", sizeof(f->folder));
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(path, sizeof(path), "%s/x.sock", f->folder);
	fd = ctl_listen_open(path, &f->listen);
	assert_true(fd >= 0);
	f->base = event_base_new();
	f->ctl = ctl_new(f->base, fd, &commands, f);
	assert_non_null(f->ctl);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ctl_free(f->ctl);
	event_base_free(f->base);
	ctl_listen_remove(&f->listen);
	(void)rmdir(f->folder);
	assert_int_equal(capture_count_fds(), f->fds);
	free(f);
	return 0;
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)strlcpy(address.sun_path, f->listen.path, sizeof(address.sun_path));
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void run(const struct fixture *f)
{
	(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* The same to one who has said the last word already, and listens for a second more: where that is
 * over there is nothing to be seen. */
static size_t say_late(int fd, const char *text, int64_t begun)
{
	ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);

	assert_true(n > 0 || errno == EAGAIN || clock_ms() - begun >= 1000);
	return n > 0 || errno != EAGAIN ? strlen(text) : 0;
}

/* Reads one line, without its end; "" at the end of the connection. */
static const char *hear(const struct fixture *f, int fd)
{
	static char line[1000];
	int64_t deadline = clock_ms() + PATIENCE_MS;
	size_t len = 0;

	while (clock_ms() < deadline && len < sizeof(line) - 1) {
		ssize_t n = recv(fd, line + len, 1, 0);

		if (n == 0 || (n == -1 && errno != EAGAIN)) {
			assert_int_equal(len, 0);
			return "";
		}
		if (n == -1) {
			run(f);
		} else if (line[len++] == '\n') {
			line[len - 1] = '\0';
			return line;
		}
	}
	fail_msg("nothing comes");
	return NULL;
}

static void expect(const struct fixture *f, int fd, const char *line)
{
	assert_string_equal(hear(f, fd), line);
}

#define OK "{\"ok\":true,\"v\":1}"

static void test_framing(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(fd, "{\"command\":\"hel");
	run(f);
	run(f);
	say(fd, "lo\"}\n");
	expect(f, fd, OK);
	/* Several at once, and the beginning of another one. */
	say(fd,
	    "{\"command\":\"hello\",\"number\":7}\r\nnonsense\n{\"command\":\"hello\"}\n{\"comm");
	expect(f, fd, "{\"ok\":true,\"v\":1,\"number\":7}");
	assert_non_null(strstr(hear(f, fd), "\"code\":\"bad\",\"error\":\"not JSON"));
	expect(f, fd, OK);
	say(fd, "and\":\"fail\",\"text\":\"x\\\"\\u00e9\"}\n");
	expect(f, fd,
	       "{\"ok\":false,\"v\":1,\"code\":\"missing\",\"error\":\"there is no "
	       "\\\"x\\\"\xc3\xa9\\\"\"}");
	close(fd);
}

static void test_too_long(void **state)
{
	struct fixture *f = *state;
	char line[CTL_REQUEST_MAX + 3];
	int fd = dial(f);

	/* The longest one there can be. */
	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"command\":\"hello\"}", 19);
	line[CTL_REQUEST_MAX] = '\n';
	line[CTL_REQUEST_MAX + 1] = '\0';
	say(fd, line);
	expect(f, fd, OK);
	line[CTL_REQUEST_MAX] = ' ';
	line[CTL_REQUEST_MAX + 1] = '\n';
	line[CTL_REQUEST_MAX + 2] = '\0';
	say(fd, line);
	assert_non_null(strstr(hear(f, fd), "too long"));
	expect(f, fd, "");
	close(fd);
	/* One without an end. */
	fd = dial(f);
	line[CTL_REQUEST_MAX + 1] = '\0';
	say(fd, line);
	assert_non_null(strstr(hear(f, fd), "too long"));
	expect(f, fd, "");
	close(fd);
}

/* Nor does it break off for one who is still saying something that is much too long. */
static void test_much_too_long(void **state)
{
	struct fixture *f = *state;
	int64_t begun = clock_ms();
	char piece[10000];
	int fd = dial(f);

	memset(piece, ' ', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	for (size_t sent = 0; sent < 50 * sizeof(piece); run(f))
		sent += say_late(fd, piece, begun);
	assert_non_null(strstr(hear(f, fd), "too long"));
	expect(f, fd, "");
	close(fd);
}

static void test_rights(void **state)
{
	struct fixture *f = *state;
	int fd;

	peer_uid = 1000;
	fd = dial(f);
	say(fd, "{\"command\":\"secret\"}\n{\"command\":\"hello\"}\n");
	assert_non_null(strstr(hear(f, fd), "\"code\":\"denied\""));
	expect(f, fd, OK);
	close(fd);
	peer_uid = 0;
	fd = dial(f);
	say(fd, "{\"command\":\"secret\"}\n");
	expect(f, fd, OK);
	close(fd);
}

static void test_many_connections(void **state)
{
	struct fixture *f = *state;
	int fds[CTL_CONNECTIONS];
	int fd;

	peer_uid = 1000;
	for (size_t i = 0; i < CTL_CONNECTIONS; i++) {
		/* The last ones are root's. */
		if (i == CTL_CONNECTIONS - CTL_CONNECTIONS_ROOT) {
			fd = dial(f);
			assert_non_null(strstr(hear(f, fd), "\"code\":\"busy\""));
			expect(f, fd, "");
			close(fd);
			peer_uid = 0;
		}
		fds[i] = dial(f);
		say(fds[i], "{\"command\":\"hello\"}\n");
		expect(f, fds[i], OK);
	}
	fd = dial(f);
	assert_non_null(strstr(hear(f, fd), "\"code\":\"busy\""));
	expect(f, fd, "");
	close(fd);
	/* Whoever goes makes room. */
	close(fds[3]);
	run(f);
	fds[3] = dial(f);
	for (size_t i = 0; i < CTL_CONNECTIONS; i++) {
		say(fds[i], "{\"command\":\"hello\"}\n");
		expect(f, fds[i], OK);
		close(fds[i]);
	}
}

/* Whoever is one too many hears it, though the request is on the way and more follows. */
static void test_busy_is_heard(void **state)
{
	enum { CROWD = 40, LEFT_SLOWLY = 16 };
	struct fixture *f = *state;
	int fds[CTL_CONNECTIONS + CROWD];
	unsigned int before = 0;

	for (size_t i = 0; i < CTL_CONNECTIONS + CROWD; i++) {
		int64_t begun = clock_ms();

		if (i == CTL_CONNECTIONS)
			before = capture_count_fds();
		fds[i] = dial(f);
		say(fds[i], "{\"command\":\"hello\"}\n");
		for (int more = 0; more < 2; more++) {
			run(f);
			(void)say_late(fds[i], "{\"command\":\"hello\"}\n", begun);
		}
		assert_non_null(strstr(hear(f, fds[i]),
				       i < CTL_CONNECTIONS ? "\"ok\":true" : "\"code\":\"busy\""));
		if (i >= CTL_CONNECTIONS)
			expect(f, fds[i], "");
	}
	/* Of a crowd that stays, the first are let go. */
	assert_in_range(capture_count_fds() - before, CROWD, CROWD + LEFT_SLOWLY);
	for (size_t i = 0; i < CTL_CONNECTIONS + CROWD; i++)
		close(fds[i]);
}

static void test_rows(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(fd, "{\"command\":\"count\",\"number\":3}\n{\"command\":\"hello\"}\n");
	assert_non_null(strstr(hear(f, fd), "{\"row\":1,"));
	assert_non_null(strstr(hear(f, fd), "{\"row\":3,"));
	expect(f, fd, OK);
	expect(f, fd, OK);
	assert_int_equal(f->done, 1);
	close(fd);
}

/* A turn of the loop makes a piece only, of one answer, and everybody has a turn in between. */
static void test_pieces(void **state)
{
	struct fixture *f = *state;
	int one = dial(f);
	int two = dial(f);
	unsigned int before;

	say(one, "{\"command\":\"count\",\"number\":1000}\n");
	say(two, "{\"command\":\"count\",\"number\":1000}\n");
	while (f->rows == 0)
		run(f);
	for (int i = 0; i < 10; i++) {
		before = f->rows;
		run(f);
		assert_in_range(f->rows - before, 0, 16);
	}
	/* Both have some by now. */
	assert_non_null(strstr(hear(f, one), "{\"row\":1,"));
	assert_non_null(strstr(hear(f, two), "{\"row\":1,"));
	close(one);
	close(two);
	while (f->done < 2)
		run(f);
}

/* Nothing is made for a reader that does not read, however many there would be. */
static void test_slow_reader(void **state)
{
	struct fixture *f = *state;
	unsigned int rows = 0;
	int fd = dial(f);
	int other;

	say(fd, "{\"command\":\"count\",\"number\":10000000}\n");
	while (f->rows == 0 || f->rows != rows) {
		rows = f->rows;
		for (int i = 0; i < 10; i++)
			run(f);
	}
	/* What the socket holds, and the buffer. */
	assert_in_range(rows, 1, 20000);
	other = dial(f);
	say(other, "{\"command\":\"hello\"}\n");
	expect(f, other, OK);
	close(other);
	/* It goes on when it reads. */
	for (unsigned int i = 0; i <= rows; i++)
		assert_non_null(strstr(hear(f, fd), "{\"row\":"));
	close(fd);
	while (f->done == 0)
		run(f);
}

/* Requests of one who does not read are not answered either. */
static void test_deaf_asker(void **state)
{
	struct fixture *f = *state;
	const char *request = "{\"command\":\"fail\",\"text\":\"once more and once more and once "
			      "more and once more and once more and once more and once more\"}\n";
	size_t sent = 0;
	int quiet = 0;
	int fd = dial(f);

	while (quiet < 1000) {
		ssize_t n = send(fd, request, strlen(request), MSG_NOSIGNAL);

		/* In part, if the socket is nearly full: then there is no more room. */
		quiet = n == (ssize_t)strlen(request) ? 0 : quiet + 1;
		if (n > 0)
			sent += (size_t)n;
		if (n > 0 && n < (ssize_t)strlen(request))
			break;
		run(f);
	}
	assert_in_range(sent, 1, 4 << 20);
	close(fd);
}

static void test_stuck_reader(void **state)
{
	struct fixture *f = *state;
	int fd;

	stuck_time = (struct timeval){.tv_usec = 1000};
	fd = dial(f);
	say(fd, "{\"command\":\"count\",\"number\":10000000}\n");
	while (f->done == 0)
		run(f);
	close(fd);
}

static void test_idle(void **state)
{
	struct fixture *f = *state;
	int fd;

	idle_time = (struct timeval){.tv_usec = 1000};
	fd = dial(f);
	expect(f, fd, "");
	close(fd);
	/* One that waits for its answer is not idle. */
	fd = dial(f);
	say(fd, "{\"command\":\"wait\",\"number\":50,\"text\":\"a\"}\n");
	expect(f, fd, "{\"ok\":true,\"v\":1,\"text\":\"a\"}");
	close(fd);
}

static void test_wait(void **state)
{
	struct fixture *f = *state;
	int one = dial(f);
	int two = dial(f);
	int three = dial(f);

	say(one, "{\"command\":\"wait\",\"number\":3600000,\"text\":\"one\"}\n{\"command\":"
		 "\"hello\"}\n");
	say(two, "{\"command\":\"wait\",\"number\":3600000,\"text\":\"two\"}\n");
	say(three, "{\"command\":\"hello\"}\n");
	expect(f, three, OK);
	for (int i = 0; i < 20; i++)
		run(f);
	assert_int_equal(f->resumed, 0);
	ctl_resume(f->ctl, resume_wait);
	assert_int_equal(f->resumed, 2);
	expect(f, one, "{\"ok\":true,\"v\":1,\"text\":\"one\"}");
	expect(f, two, "{\"ok\":true,\"v\":1,\"text\":\"two\"}");
	expect(f, one, OK);
	ctl_resume(f->ctl, resume_wait);
	assert_int_equal(f->resumed, 2);
	close(one);
	close(two);
	close(three);
}

/* What was asked is answered, though nothing more will be. */
static void test_half_closed(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(fd, "{\"command\":\"hello\"}\n{\"command\":\"count\",\"number\":1}\nrest");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect(f, fd, OK);
	assert_non_null(strstr(hear(f, fd), "{\"row\":1,"));
	expect(f, fd, OK);
	expect(f, fd, "");
	close(fd);
}

/* An answer that cannot be made is none: its reader sees the end. */
static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(fd, "{\"command\":\"memory\"}\n");
	capture_begin(STDERR_FILENO);
	for (int i = 0; i < 20; i++)
		run(f);
	assert_non_null(strstr(capture_end(), "no memory for an answer"));
	expect(f, fd, "");
	close(fd);
}

/* Who has asked hears the answer, or that there will be none, though the program ends. */
static void test_end(void **state)
{
	struct fixture *f = *state;
	int waits = dial(f);
	int reads = dial(f);
	int asks;

	say(waits, "{\"command\":\"wait\",\"number\":3600000,\"text\":\"a\"}\n");
	say(reads, "{\"command\":\"count\",\"number\":10000000}\n");
	assert_non_null(strstr(hear(f, reads), "{\"row\":1,"));
	asks = dial(f);
	say(asks, "{\"command\":\"hello\"}\n");
	while (f->hellos == 0)
		run(f);
	/* Nobody reads meanwhile: the end is not held up by one who never does. */
	ctl_free(f->ctl);
	f->ctl = NULL;
	assert_int_equal(f->done, 1);
	expect(f, asks, OK);
	expect(f, asks, "");
	assert_non_null(
		strstr(hear(f, waits), "\"code\":\"failed\",\"error\":\"the program ends\""));
	expect(f, waits, "");
	close(asks);
	close(waits);
	close(reads);
}

static void test_values(void **state)
{
	json_t *value = ctl_json_text("a\xff");
	double now = (double)time(NULL);
	char text[40];

	(void)state;
	assert_string_equal(json_string_value(value), "a\\xff");
	json_decref(value);
	value = ctl_json_time(clock_ms() - 60000);
	assert_in_range((uintmax_t)json_real_value(value), (uintmax_t)now - 61,
			(uintmax_t)now - 55);
	json_decref(value);
	value = ctl_json_seconds(12345);
	assert_true(json_dumpb(value, text, sizeof(text), JSON_ENCODE_ANY) < sizeof(text));
	assert_memory_equal(text, "0.01234", 7);
	json_decref(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_framing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_much_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy_is_heard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deaf_asker, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stuck_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test(test_values),
	};

	/* As in all processes. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
