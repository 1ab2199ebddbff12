/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines, and what a peer said made safe for them. */
#include "base/clock.h"
#include "base/log.h"

#include "tests/unit/base/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Source and buffer lie on the heap at their exact sizes, so that the sanitizers see a slip. */
static void expect_escaped(const char *bytes, size_t len, size_t size, const char *expected)
{
	char *text = malloc(len > 0 ? len : 1);
	char *buf = malloc(size);

	assert_non_null(text);
	assert_non_null(buf);
	memcpy(text, bytes, len);
	memset(buf, 'x', size);
	assert_ptr_equal(log_escape(text, len, buf, size), buf);
	assert_string_equal(buf, expected);
	free(text);
	free(buf);
}

static void test_plain_text_stays(void **state)
{
	(void)state;
	expect_escaped("", 0, 64, "");
	expect_escaped("ping", 4, 64, "ping");
	expect_escaped("+OK 1.2.3.4 ~", 13, 64, "+OK 1.2.3.4 ~");
	/* Only len counts: a NUL is no end, and what lies behind len is not looked at. */
	expect_escaped("abcdef", 3, 64, "abc");
	expect_escaped("a\0b", 3, 64, "a\\x00b");
}

static void test_each_byte(void **state)
{
	(void)state;
	for (unsigned int byte = 0; byte < 256; byte++) {
		const char c = (char)byte;
		char expected[5];

		if (byte >= 0x20 && byte <= 0x7e && byte != '\\')
			(void)snprintf(expected, sizeof(expected), "%c", (int)byte);
		else
			(void)snprintf(expected, sizeof(expected), "\\x%02x", byte);
		expect_escaped(&c, 1, 16, expected);
	}
}

/* What is escaped cannot be forged by sending its text. */
static void test_backslash(void **state)
{
	(void)state;
	expect_escaped("\\x0a", 4, 64, "\\x5cx0a");
	expect_escaped("\n", 1, 64, "\\x0a");
	expect_escaped("a\r\nroot: b", 10, 64, "a\\x0d\\x0aroot: b");
	expect_escaped("\xc3\xa9\x1b[0m", 6, 64, "\\xc3\\xa9\\x1b[0m");
}

/* "ab", LF, "cd", DEL: an escape is written whole or not at all. */
static void test_every_buffer_size(void **state)
{
	static const char *const expected[] = {
		NULL,		  /* 0 is no buffer */
		"",		  /* 1 */
		".",		  /* 2 */
		"..",		  /* 3 */
		"...",		  /* 4 */
		"a...",		  /* 5 */
		"ab...",	  /* 6 */
		"ab...",	  /* 7 */
		"ab...",	  /* 8 */
		"ab...",	  /* 9 */
		"ab\\x0a...",	  /* 10 */
		"ab\\x0ac...",	  /* 11 */
		"ab\\x0acd...",	  /* 12 */
		"ab\\x0acd...",	  /* 13 */
		"ab\\x0acd...",	  /* 14 */
		"ab\\x0acd...",	  /* 15 */
		"ab\\x0acd\\x7f", /* 16 */
		"ab\\x0acd\\x7f", /* 17 */
	};

	(void)state;
	for (size_t size = 1; size < sizeof(expected) / sizeof(expected[0]); size++)
		expect_escaped("ab\ncd\x7f", 6, size, expected[size]);
	/* Nothing to write fits anywhere. */
	expect_escaped("", 0, 1, "");
}

static void test_lines(void **state)
{
	(void)state;
	log_init("prog", NULL, false);
	assert_false(log_is_debug());
	capture_begin(STDERR_FILENO);
	log_info("one %d", 1);
	log_debug("not %s", "shown");
	errno = ENOENT;
	log_warn("cannot open %s", "x");
	errno = ENOENT;
	log_warnx("bad %s", "y");
	assert_string_equal(capture_end(), "prog: one 1\n"
					   "prog: cannot open x: No such file or directory\n"
					   "prog: bad y\n");

	log_init("prog", "control", true);
	assert_true(log_is_debug());
	capture_begin(STDERR_FILENO);
	log_debug("a -> b");
	errno = EPERM;
	log_warn("no");
	assert_string_equal(capture_end(), "prog: control: a -> b\n"
					   "prog: control: no: Operation not permitted\n");
}

/* Says that the journal has what standard error is now, or what is so far from it. */
static void set_journal_stream(uintmax_t off)
{
	struct stat status;
	char text[64];

	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	(void)snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)status.st_dev,
		       (uintmax_t)status.st_ino + off);
	assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
	log_init("prog", "control", true);
}

/*
 * It does not listen, or has too much to do: sd-daemon(3)'s way is left, where "<6>" is
 * information. The journal has the program's name from elsewhere.
 */
static void test_journal(void **state)
{
	(void)state;
	log_set_journal("/nonexistent/socket");
	capture_begin(STDERR_FILENO);
	set_journal_stream(0);
	log_debug("a");
	log_info("b");
	log_warnx("c");
	errno = EPERM;
	log_warn("d");
	/* Standard error has been turned to a file, say: the variable is about another one. */
	set_journal_stream(1);
	log_info("e");
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	log_init("prog", NULL, false);
	log_info("f");
	assert_string_equal(capture_end(), "<7>control: a\n"
					   "<6>control: b\n"
					   "<4>control: c\n"
					   "<4>control: d: Operation not permitted\n"
					   "prog: control: e\n"
					   "prog: f\n");
}

/* The journal hears of each event with its fields, and standard error of nothing. */
static void test_journal_fields(void **state)
{
	char folder[] = "/tmp/dtcp-log-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct log_record record;
	char got[2][400] = {"", ""};

	(void)state;
	assert_int_not_equal(journal, -1);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
	assert_int_equal(bind(journal, (struct sockaddr *)&address, sizeof(address)), 0);
	log_set_journal(address.sun_path);
	capture_begin(STDERR_FILENO);
	set_journal_stream(0);
	log_record_begin(&record, LOG_INFO, "session-up", "session up");
	log_record_text(&record, "user", "a b");
	log_event(&record);
	log_set_json(true);
	log_warnx("c");
	log_set_json(false);
	(void)unsetenv("JOURNAL_STREAM");
	assert_string_equal(capture_end(), "");
	for (int i = 0; i < 2; i++)
		assert_true(recv(journal, got[i], sizeof(got[i]) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(got[0], "MESSAGE=control: session up user=\"a b\"\n"
				    "PRIORITY=6\n"
				    "SYSLOG_IDENTIFIER=prog\n"
				    "DTCP_PROCESS=control\n"
				    "DTCP_EVENT=session-up\n"
				    "DTCP_USER=a b\n");
	assert_memory_equal(got[1], "MESSAGE={\"time\":\"", strlen("MESSAGE={\"time\":\""));
	assert_non_null(strstr(got[1], "\"message\":\"c\"}\nPRIORITY=4\n"));
	close(journal);
	assert_int_equal(unlink(address.sun_path), 0);
	assert_int_equal(rmdir(folder), 0);
	log_set_journal("/nonexistent/socket");
}

/* An object a line, and nothing else on it. */
static void test_json(void **state)
{
	static const char end[] = "\",\"level\":\"warning\",\"program\":\"prog\","
				  "\"process\":\"monitor\",\"event\":\"message\","
				  "\"message\":\"a \\\"b\\\"\"}\n";
	const char *line;
	struct tm tm = {0};
	time_t before = time(NULL);
	struct timespec now;
	time_t said;

	(void)state;
	log_init("prog", NULL, false);
	log_set_json(true);
	capture_begin(STDERR_FILENO);
	log_warnx("a \"b\"");
	line = capture_end();
	log_set_json(false);
	assert_memory_equal(line, "{\"time\":\"", strlen("{\"time\":\""));
	line = strptime(line + strlen("{\"time\":\""), "%Y-%m-%dT%H:%M:%S", &tm);
	assert_non_null(line);
	said = timegm(&tm);
	/* time(2) can be behind by a tick of the kernel. */
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	assert_true(said >= before && said <= now.tv_sec);
	/* ".123Z" */
	assert_string_equal(line + 5, end);
}

/* A line that is too long is cut, and still one line. */
static void test_long_line(void **state)
{
	char text[4001];
	const char *line;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_init("prog", NULL, false);
	capture_begin(STDERR_FILENO);
	log_info("%s", text);
	line = capture_end();
	assert_int_equal(strlen(line), strlen("prog: ") + 1199 + 1);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

/* Whoever reads it gets it with one read, and nobody's line comes in between. */
static void test_one_write(void **state)
{
	char text[1001];
	char got[1400];
	int saved = dup(STDERR_FILENO);
	int fds[2];
	ssize_t n;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_init("prog", "root", false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_true(saved != -1 && dup2(fds[1], STDERR_FILENO) != -1);
	log_info("%s", text);
	assert_true(dup2(saved, STDERR_FILENO) != -1);
	n = recv(fds[0], got, sizeof(got), MSG_DONTWAIT);
	assert_int_equal(n, strlen("prog: root: ") + 1000 + 1);
	assert_int_equal(got[n - 1], '\n');
	close(saved);
	close(fds[0]);
	close(fds[1]);
}

static bool is_other(const char *text, void *arg)
{
	return strcmp(text, arg) != 0;
}

/* A warning that is no news is for debugging only. */
static void test_filter(void **state)
{
	char known[] = "known: Operation not permitted";

	(void)state;
	log_filter(is_other, known);
	capture_begin(STDERR_FILENO);
	for (int debug = 0; debug < 2; debug++) {
		log_init("prog", NULL, debug == 1);
		errno = EPERM;
		log_warn("known");
		log_warnx("new");
		log_info("%s", known);
	}
	log_init("prog", NULL, false);
	log_filter(NULL, NULL);
	log_warnx("%s", known);
	assert_string_equal(capture_end(), "prog: new\n"
					   "prog: known: Operation not permitted\n"
					   "prog: known: Operation not permitted\n"
					   "prog: new\n"
					   "prog: known: Operation not permitted\n"
					   "prog: known: Operation not permitted\n");
}

/* What is too much is counted, and the count is said once. */
static void test_limited(void **state)
{
	uint64_t before = log_left_out();
	struct log_limit limit;
	bool taken[2];

	(void)state;
	log_init("prog", NULL, false);
	capture_begin(STDERR_FILENO);
	log_limit_init(&limit, "odd peers", 2, 1000);
	log_limit_tell(&limit);
	for (int i = 1; i <= 3; i++)
		log_limited(&limit, 1000, "peer %d is odd", i);
	log_limit_tell(&limit);
	log_limit_tell(&limit);
	/* Half a second is worth one line. */
	log_limited(&limit, 1499, "peer 4 is odd");
	log_limited(&limit, 1500, "peer 5 is odd");
	log_limited(&limit, 1500, "peer 6 is odd");
	taken[0] = log_limit_take(&limit, 1999);
	log_limit_tell(&limit);
	taken[1] = log_limit_take(&limit, 2000);
	log_limit_tell(&limit);
	assert_string_equal(capture_end(), "prog: peer 1 is odd\n"
					   "prog: peer 2 is odd\n"
					   "prog: lines left out about=\"odd peers\" count=1\n"
					   "prog: peer 5 is odd\n"
					   "prog: lines left out about=\"odd peers\" count=3\n");
	assert_false(taken[0]);
	assert_true(taken[1]);
	assert_int_equal(log_left_out() - before, 4);
}

/* Whoever it is of; what is no warning does not count. */
static void test_last_warning(void **state)
{
	struct log_record second, fourth;
	struct log_warning warning;
	char text[400];

	(void)state;
	log_init("prog", NULL, false);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	capture_begin(STDERR_FILENO);
	log_record_begin(&second, LOG_WARNING, LOG_EVENT_NONE, "second");
	log_record_begin(&fourth, LOG_INFO, LOG_EVENT_NONE, "fourth");
	log_warnx("first");
	log_of_process("control", &second);
	log_info("third");
	log_of_process("control", &fourth);
	(void)capture_end();
	assert_true(log_last_warning(&warning));
	assert_string_equal(warning.text, "control: second");
	assert_in_range(warning.at, clock_ms() - 60000, clock_ms());
	capture_begin(STDERR_FILENO);
	log_warnx("%s", text);
	(void)capture_end();
	assert_true(log_last_warning(&warning));
	assert_int_equal(strlen(warning.text), sizeof(warning.text) - 1);
}

/* A room writes records, without its name; monitor puts that before them. */
static void test_room(void **state)
{
	struct log_record record;

	(void)state;
	capture_begin(STDERR_FILENO);
	log_init("prog", NULL, false);
	log_record_begin(&record, LOG_INFO, "x", "a");
	log_record_number(&record, "n", 1);
	log_of_process("control", &record);
	record.priority = LOG_DEBUG;
	log_of_process("control", &record);
	log_init("prog", "control", true);
	log_to_root();
	log_debug("b");
	errno = EPERM;
	log_warn("c");
	record.priority = LOG_INFO;
	log_event(&record);
	assert_string_equal(capture_end(), "prog: control: a n=1\n"
					   "\x1e"
					   "70message\x1f"
					   "b\x1f\n"
					   "\x1e"
					   "40message\x1f"
					   "c: Operation not permitted\x1f\n"
					   "\x1e"
					   "60x\x1f"
					   "a\x1fn:1\x1f\n");
}

/* Monitor is busy: a room does not wait for it, and says later how much is missing. */
static void test_room_full(void **state)
{
	char text[1001];
	static char read_back[300000];
	char expected[160];
	int saved = dup(STDERR_FILENO);
	int fds[2];
	unsigned int lines = 0;
	size_t len = 0;
	ssize_t n;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_true(saved != -1);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_true(dup2(fds[1], STDERR_FILENO) != -1);
	for (int i = 0; i < 200; i++)
		log_info("%s", text);
	/* Room for a few of them. */
	n = read(fds[0], read_back, 10000);
	log_info("back");
	assert_true(dup2(saved, STDERR_FILENO) != -1);
	close(saved);
	close(fds[1]);
	assert_true(n > 0);
	len = (size_t)n;
	while ((n = read(fds[0], read_back + len, sizeof(read_back) - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	read_back[len] = '\0';
	for (size_t i = 0; i < len; i++)
		lines += read_back[i] == '\n';
	lines -= 2;
	assert_in_range(lines, 10, 199);
	(void)snprintf(expected, sizeof(expected),
		       "\n\x1e"
		       "40lines-lost\x1flines lost here: monitor was busy\x1f"
		       "count:%u\x1f\n\x1e"
		       "60message\x1f"
		       "back\x1f\n",
		       200 - lines);
	assert_string_equal(strchr(read_back + len - strlen(expected), '\n'), expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_text_stays),
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_backslash),
		cmocka_unit_test(test_every_buffer_size),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_journal_fields),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_one_write),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_limited),
		cmocka_unit_test(test_last_warning),
		/* The last: there is no way back from log_to_root(). */
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_room_full),
	};

	return cmocka_run_group_tests_name("base log", tests, NULL, NULL);
}
