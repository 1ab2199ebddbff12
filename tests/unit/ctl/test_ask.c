/* SPDX-License-Identifier: BSD-2-Clause */
/* The asker, against a daemon whose every octet the test says. */
#include "ctl/ask.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT 60000

#define ROW	 "{\"session\":{}}\n"
#define TEN_ROWS ROW ROW ROW ROW ROW ROW ROW ROW ROW ROW

struct daemon {
	char folder[32];
	char path[64];
	int listener;
	int fd;
	struct ask *ask;
	unsigned rows;
	char last_row[128];
};

static int made(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path) + 1);
	assert_return_code(fd, errno);
	assert_return_code(bind(fd, (struct sockaddr *)&at, sizeof(at)), errno);
	assert_return_code(listen(fd, 1), errno);
	return fd;
}

static int setup(void **state)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));

	assert_non_null(daemon);
	(void)strcpy(daemon->folder, "/tmp/dtcp-ask-XXXXXX");
	assert_non_null(mkdtemp(daemon->folder));
	(void)snprintf(daemon->path, sizeof(daemon->path), "%s/dtcps.sock", daemon->folder);
	daemon->listener = made(daemon->path);
	assert_int_equal(ask_open(daemon->path, &daemon->ask), 0);
	daemon->fd = accept(daemon->listener, NULL, NULL);
	assert_return_code(daemon->fd, errno);
	*state = daemon;
	return 0;
}

static int teardown(void **state)
{
	struct daemon *daemon = *state;

	ask_close(daemon->ask);
	if (daemon->fd != -1)
		(void)close(daemon->fd);
	(void)close(daemon->listener);
	(void)unlink(daemon->path);
	(void)rmdir(daemon->folder);
	free(daemon);
	return 0;
}

static void count(json_t *row, const char *line, void *arg)
{
	struct daemon *daemon = arg;

	assert_true(json_is_object(row));
	(void)snprintf(daemon->last_row, sizeof(daemon->last_row), "%s", line);
	daemon->rows++;
}

static void begin(struct daemon *daemon, const char *text)
{
	json_t *question = json_loads(text, 0, NULL);

	assert_non_null(question);
	assert_int_equal(ask_begin(daemon->ask, question, LIMIT, count, daemon), 0);
	json_decref(question);
}

static void says(struct daemon *daemon, const char *text)
{
	assert_int_equal(send(daemon->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void rows_come_one_by_one_in_pieces(void **state)
{
	struct daemon *daemon = *state;
	char heard[128] = "";

	begin(daemon, "{\"command\":\"sessions\"}");
	assert_int_equal(ask_events(daemon->ask), POLLIN | POLLOUT);
	assert_int_equal(ask_step(daemon->ask), ASK_GOES_ON);
	assert_int_equal(ask_events(daemon->ask), POLLIN);
	assert_true(ask_wait(daemon->ask) > 0);
	assert_true(recv(daemon->fd, heard, sizeof(heard) - 1, 0) > 0);
	assert_string_equal(heard, "{\"command\":\"sessions\"}\n");
	says(daemon, "{\"session\":{\"id\":1}}\n{\"sess");
	assert_int_equal(ask_step(daemon->ask), ASK_GOES_ON);
	assert_int_equal(daemon->rows, 1);
	assert_string_equal(daemon->last_row, "{\"session\":{\"id\":1}}");
	says(daemon, "ion\":{\"id\":2}}\n{\"ok\":true,\"v\":1}\n");
	assert_int_equal(ask_step(daemon->ask), ASK_OK);
	assert_int_equal(daemon->rows, 2);
	assert_string_equal(daemon->last_row, "{\"session\":{\"id\":2}}");
	assert_int_equal(json_integer_value(json_object_get(ask_last(daemon->ask), "v")), 1);
	assert_string_equal(ask_last_line(daemon->ask), "{\"ok\":true,\"v\":1}");
	/* And another question on the same connection. */
	begin(daemon, "{\"command\":\"drops\"}");
	assert_null(ask_last(daemon->ask));
	says(daemon, "{\"ok\":true,\"drops\":[]}\n");
	assert_int_equal(ask_finish(daemon->ask), ASK_OK);
	assert_int_equal(daemon->rows, 2);
}

static void a_step_is_bounded(void **state)
{
	struct daemon *daemon = *state;
	enum ask_state step;
	unsigned before, steps = 0;

	begin(daemon, "{\"command\":\"sessions\"}");
	/* In few pieces: each costs the socket's buffer far more than its octets. */
	for (int i = 0; i < 1000; i += 10)
		says(daemon, TEN_ROWS);
	says(daemon, "{\"ok\":true}\n");
	do {
		before = daemon->rows;
		step = ask_step(daemon->ask);
		assert_true(daemon->rows - before <= 64);
		/* What it has read already, no descriptor tells of. */
		if (step == ASK_GOES_ON && daemon->rows < 1000)
			assert_int_equal(ask_wait(daemon->ask), 0);
		steps++;
	} while (step == ASK_GOES_ON);
	assert_int_equal(step, ASK_OK);
	assert_int_equal(daemon->rows, 1000);
	assert_true(steps > 10);
}

static void the_daemon_says_no(void **state)
{
	struct daemon *daemon = *state;

	begin(daemon, "{\"command\":\"kick\"}");
	says(daemon, "{\"ok\":false,\"v\":1,\"code\":\"denied\",\"error\":\"root only\"}\n");
	assert_int_equal(ask_finish(daemon->ask), ASK_NO);
	assert_string_equal(ask_code(daemon->ask), "denied");
	assert_string_equal(ask_error(daemon->ask), "root only");
}

/* It says so, and closes, before it has read the question. */
static void a_busy_daemon_is_heard(void **state)
{
	struct daemon *daemon = *state;

	says(daemon, "{\"ok\":false,\"v\":1,\"code\":\"busy\",\"error\":\"too many\"}\n");
	(void)close(daemon->fd);
	daemon->fd = -1;
	begin(daemon, "{\"command\":\"status\"}");
	assert_int_equal(ask_finish(daemon->ask), ASK_NO);
	assert_string_equal(ask_code(daemon->ask), "busy");
}

static void nonsense_is_refused(void **state)
{
	static const char *const lines[] = {
		"hello\n", "[]\n", "{\"ok\":true,\"ok\":false}\n", "{\"a\":\"\xff\"}\n",
		"\n",	   "7\n",
	};
	struct daemon *daemon = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		begin(daemon, "{\"command\":\"status\"}");
		says(daemon, lines[i]);
		assert_int_equal(ask_finish(daemon->ask), ASK_FAILED);
		assert_string_equal(ask_error(daemon->ask),
				    "the answer is not what a daemon of this protocol says");
	}
}

static void a_line_without_end_is_refused(void **state)
{
	struct daemon *daemon = *state;
	char piece[1025];
	enum ask_state step = ASK_GOES_ON;

	memset(piece, ' ', sizeof(piece) - 1);
	piece[sizeof(piece) - 1] = '\0';
	begin(daemon, "{\"command\":\"status\"}");
	for (int i = 0; i < 2 * ASK_LINE_MAX / 1024 && step == ASK_GOES_ON; i++) {
		says(daemon, piece);
		step = ask_step(daemon->ask);
	}
	assert_int_equal(step, ASK_FAILED);
	assert_string_equal(ask_error(daemon->ask), "a line of the answer is too long");
}

/* However busy the daemon is with it. */
static void an_answer_without_end_is_refused(void **state)
{
	struct daemon *daemon = *state;
	json_t *question = json_pack("{ss}", "command", "sessions");
	enum ask_state step;

	assert_int_equal(ask_begin(daemon->ask, question, 5, count, daemon), 0);
	json_decref(question);
	do {
		(void)send(daemon->fd, TEN_ROWS, strlen(TEN_ROWS), MSG_NOSIGNAL | MSG_DONTWAIT);
		step = ask_step(daemon->ask);
	} while (step == ASK_GOES_ON);
	assert_int_equal(step, ASK_FAILED);
	assert_string_equal(ask_error(daemon->ask), "the answer has no end");
}

static void silence_and_an_end_are_failures(void **state)
{
	struct daemon *daemon = *state;
	json_t *question = json_pack("{ss}", "command", "status");

	assert_int_equal(ask_begin(daemon->ask, question, 1, NULL, NULL), 0);
	assert_int_equal(ask_finish(daemon->ask), ASK_FAILED);
	assert_string_equal(ask_error(daemon->ask),
			    "no answer in time; is the daemon stopped, or the machine too busy?");
	assert_int_equal(ask_begin(daemon->ask, question, LIMIT, NULL, NULL), 0);
	assert_return_code(shutdown(daemon->fd, SHUT_RDWR), errno);
	assert_int_equal(ask_finish(daemon->ask), ASK_FAILED);
	assert_string_equal(ask_error(daemon->ask),
			    "the daemon closed the connection without an answer");
	json_decref(question);
}

static void a_question_has_a_longest_length(void **state)
{
	struct daemon *daemon = *state;
	char word[ASK_REQUEST_MAX];
	/* Seven octets are around the word, one is the end of the line. */
	size_t fits = ASK_REQUEST_MAX - strlen("{\"a\":\"\"}") - 1;

	memset(word, 'x', sizeof(word));
	for (size_t len = fits; len <= fits + 1; len++) {
		json_t *question = json_pack("{ss%}", "a", word, len);

		assert_int_equal(ask_begin(daemon->ask, question, LIMIT, NULL, NULL),
				 len == fits ? 0 : -EMSGSIZE);
		json_decref(question);
	}
}

static void finds_what_is_there(void **state)
{
	static const char *const names[] = {
		"dtcpclient-gif0.sock",
		"dtcps-tun7.sock",
		"other.sock",
		"dtcpclient-.sock",
		"dtcpclient-name.of.15chars.sock",
		"dtcpclient-sixteen.letters..sock",
	};
	struct daemon *daemon = *state;
	struct ask_daemon *found = NULL;
	struct ask *ask = NULL;
	char path[128];
	int fds[6];

	for (size_t i = 0; i < 6; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", daemon->folder, names[i]);
		fds[i] = made(path);
	}
	/* A file of that name is no socket. */
	(void)snprintf(path, sizeof(path), "%s/dtcps-file.sock", daemon->folder);
	fclose(fopen(path, "w"));
	assert_int_equal(ask_find(daemon->folder, &found), 4);
	assert_string_equal(found[0].interface, "dtcps0");
	assert_string_equal(found[0].path, daemon->path);
	assert_string_equal(ask_program(&found[0]), "dtcps");
	assert_string_equal(found[1].interface, "tun7");
	assert_string_equal(found[2].interface, "gif0");
	assert_string_equal(ask_program(&found[2]), "dtcpclient");
	assert_string_equal(found[3].interface, "name.of.15chars");
	free(found);
	(void)unlink(path);
	for (size_t i = 0; i < 6; i++) {
		(void)close(fds[i]);
		(void)snprintf(path, sizeof(path), "%s/%s", daemon->folder, names[i]);
		/* Nobody listens any more. */
		assert_int_equal(ask_open(path, &ask), -ECONNREFUSED);
		(void)unlink(path);
		assert_int_equal(ask_open(path, &ask), -ENOENT);
		assert_null(ask);
	}
	assert_int_equal(ask_find("/nonexistent/folder", &found), 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(ask_open(path, &ask), -ENAMETOOLONG);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		ONE(rows_come_one_by_one_in_pieces),
		ONE(a_step_is_bounded),
		ONE(the_daemon_says_no),
		ONE(a_busy_daemon_is_heard),
		ONE(nonsense_is_refused),
		ONE(a_line_without_end_is_refused),
		ONE(an_answer_without_end_is_refused),
		ONE(silence_and_an_end_are_failures),
		ONE(a_question_has_a_longest_length),
		ONE(finds_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
