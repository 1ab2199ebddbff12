/* SPDX-License-Identifier: BSD-2-Clause */
/* The password file. */
#include "client/root/authfile.h"

#include "base/log.h"
#include "tests/unit/base/capture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/dtcp-authfile-XXXXXX";
static char path[64];

static int setup(void **state)
{
	(void)state;
	log_init("test", NULL, false);
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/auth", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void write_file(const char *bytes, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd != -1);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/*
 * Looks up server and user in the file. log has a "%s" for each time that the path comes; every
 * line of it is expected exactly.
 */
static void look_up(const char *server, const char *user, enum authfile_result result,
		    const char *expected, const char *log)
{
	char password[DTCP_PASSWORD_MAX + 1] = "untouched";
	struct authfile_entry entry = {.server = server, .password = password};
	char lines[2048] = "";
	enum authfile_result got;
	const char *rest = log;
	const char *mark;

	while ((mark = strstr(rest, "%s"))) {
		(void)snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "%.*s%s",
			       (int)(mark - rest), rest, path);
		rest = mark + 2;
	}
	(void)strlcat(lines, rest, sizeof(lines));
	capture_begin(STDERR_FILENO);
	got = authfile_find(path, user, &entry, 1);
	assert_string_equal(capture_end(), lines);
	assert_int_equal(got, result);
	assert_true(entry.found == (result == AUTHFILE_FOUND));
	assert_string_equal(password, expected ? expected : "untouched");
}

static void expect_found(const char *content, const char *password)
{
	write_file(content, strlen(content), 0600);
	look_up("broker.example", "foo", AUTHFILE_FOUND, password, "");
}

static void expect_none(const char *content, size_t len, const char *log)
{
	write_file(content, len, 0600);
	look_up("broker.example", "foo", AUTHFILE_NO_ENTRY, NULL, log);
}

/* One reading for all servers: each gets its first line, and what is wrong is said once. */
static void test_several_servers(void **state)
{
	static const char content[] = "nonsense\n"
				      "b.example:foo:two\n"
				      "a.example:bar:no\n"
				      "A.EXAMPLE:foo:one\n"
				      "a.example:foo:late\n";
	char passwords[3][DTCP_PASSWORD_MAX + 1] = {"", "", "untouched"};
	struct authfile_entry entries[] = {
		{.server = "a.example", .password = passwords[0]},
		{.server = "b.example", .password = passwords[1]},
		{.server = "c.example", .password = passwords[2]},
	};
	char line[120];

	(void)state;
	(void)snprintf(line, sizeof(line), "test: %s:1: not server:user:password; line ignored\n",
		       path);
	write_file(content, strlen(content), 0600);
	capture_begin(STDERR_FILENO);
	assert_int_equal(authfile_find(path, "foo", entries, 2), AUTHFILE_FOUND);
	assert_string_equal(capture_end(), line);
	assert_string_equal(passwords[0], "one");
	assert_string_equal(passwords[1], "two");

	entries[0].found = entries[1].found = false;
	capture_begin(STDERR_FILENO);
	assert_int_equal(authfile_find(path, "foo", entries, 3), AUTHFILE_NO_ENTRY);
	assert_string_equal(capture_end(), line);
	assert_true(entries[0].found && entries[1].found && !entries[2].found);
	assert_string_equal(passwords[2], "untouched");
}

static void test_found(void **state)
{
	(void)state;
	expect_found("broker.example:foo:bar\n", "bar");
	expect_found("broker.example:foo:bar", "bar"); /* no newline at the end */
	expect_found("broker.example:foo:bar\r\n", "bar");
	expect_found("broker.example:foo:bar\r", "bar");
	expect_found("other.example:foo:no\nbroker.example:you:no\nbroker.example:foo:bar\n",
		     "bar");
	/* The first one counts. */
	expect_found("broker.example:foo:one\nbroker.example:foo:two\n", "one");
}

static void test_server_without_case(void **state)
{
	(void)state;
	expect_found("Broker.EXAMPLE:foo:bar\n", "bar");
	expect_none("broker.example:Foo:bar\n", 23, "");
	expect_none("broker.example.:foo:bar\n", 24, "");
	expect_none("roker.example:foo:bar\nbroker.exampl:foo:bar\n", 44, "");
}

static void test_passwords(void **state)
{
	char content[300] = "broker.example:foo:";
	size_t len = strlen(content);

	(void)state;
	expect_found("broker.example:foo:a:b::c:\n", "a:b::c:");
	expect_found("broker.example:foo::\n", ":");
	expect_found("broker.example:foo: with blanks \n", " with blanks ");
	expect_found("broker.example:foo:#not a comment\n", "#not a comment");
	expect_found("broker.example:foo:gr\xc3\xbc\xc3\x9f\n", "gr\xc3\xbc\xc3\x9f");
	memset(content + len, 'p', DTCP_PASSWORD_MAX);
	content[len + DTCP_PASSWORD_MAX] = '\0';
	expect_found(content, content + len);
}

static void test_comments_and_empty_lines(void **state)
{
	(void)state;
	expect_found("# broker.example:foo:no\n\n#\nbroker.example:foo:bar\n", "bar");
	/* As an editor of another system leaves them. */
	expect_found("# passwords\r\n\r\nbroker.example:foo:bar\r\n", "bar");
	expect_none("", 0, "");
	expect_none("\n\n\n", 3, "");
	expect_none("#broker.example:foo:bar", 23, "");
	/* A NUL in a comment is nobody's business. */
	expect_none("#a\0b\n", 5, "");
}

#define IGNORED "; line ignored\n"

static void test_malformed_lines(void **state)
{
	static const struct {
		const char *line;
		const char *why;
	} rows[] = {
		{"x", "not server:user:password"},
		{"broker.example", "not server:user:password"},
		{"broker.example:foo", "not server:user:password"},
		{"broker.example foo bar", "not server:user:password"},
		{" # indented", "not server:user:password"},
		{"::", "the server is missing"},
		{":foo:bar", "the server is missing"},
		{"broker.example::bar", "the user name is missing or cannot be one"},
		{"broker.example:f oo:bar", "the user name is missing or cannot be one"},
		{"broker.example: foo:bar", "the user name is missing or cannot be one"},
		{"broker.example:foo:",
		 "the password is missing, too long or has control characters"},
		{"broker.example:foo:\r",
		 "the password is missing, too long or has control characters"},
		{"broker.example:foo:a\tb",
		 "the password is missing, too long or has control characters"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char content[200], log[200];

		/* In the second line; the search goes on behind it. */
		(void)snprintf(content, sizeof(content), "#\n%s\nbroker.example:foo:bar\n",
			       rows[i].line);
		(void)snprintf(log, sizeof(log), "test: %%s:2: %s" IGNORED, rows[i].why);
		write_file(content, strlen(content), 0600);
		look_up("broker.example", "foo", AUTHFILE_FOUND, "bar", log);
	}
}

/* What editors of another system put at the beginning. */
#define MARK "\xEF\xBB\xBF"

static void test_marks(void **state)
{
	(void)state;
	expect_found(MARK "broker.example:foo:bar\n", "bar");
	expect_found(MARK "broker.example:foo:bar\r\n", "bar");
	expect_found(MARK "# mine\nbroker.example:foo:bar\n", "bar");
	expect_found(MARK "\r\nbroker.example:foo:bar", "bar");
	/* Two files, one put behind the other. */
	expect_found(MARK "# a\n" MARK "broker.example:foo:bar\n", "bar");
	/* Elsewhere it belongs to the password. */
	expect_found("broker.example:foo:" MARK "\n", MARK);
	/* Half of it is a part of a name, of another server. */
	expect_none(MARK "\xEF\xBB", 5, "test: %s:1: not server:user:password" IGNORED);
	expect_none(MARK, 3, "");
}

static void test_utf16(void **state)
{
	static const char *const texts[] = {"\xFF\xFE"
					    "b\0r\0:\0\n\0",
					    "\xFE\xFF\0b\0r\0:\0\n"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		write_file(texts[i], 10, 0600);
		look_up("broker.example", "foo", AUTHFILE_FAILED, NULL,
			"test: %s: its text is in UTF-16; save it as UTF-8\n");
	}
}

/* As in the command line: what is meant is told, unless it could be something else. */
static void test_port(void **state)
{
	static const char why[] = "test: %s:1: no port belongs there: server:user:password" IGNORED;

	(void)state;
	expect_none("broker.example:20200:foo:bar\n", 29, why);
	expect_none("Broker.Example:1:foo:\n", 22, why);
	/* Another user's, another server's, no port. */
	expect_none("broker.example:20200:food:bar\n", 30, "");
	expect_none("broker.example:20200:foo\n", 25, "");
	expect_none("other.example:20200:foo:bar\n", 28, "");
	expect_none("broker.example:65536:foo:bar\n", 29, "");
	/* The user is called like that. */
	write_file("broker.example:20200:20200:bar\n", 31, 0600);
	look_up("broker.example", "20200", AUTHFILE_FOUND, "20200:bar", "");
}

static void test_nul(void **state)
{
	(void)state;
	expect_none("broker.example:foo:bar\0baz\n", 27,
		    "test: %s:1: NUL byte in the line" IGNORED);
	expect_none("\0\n", 2, "test: %s:1: NUL byte in the line" IGNORED);
	expect_none("broker.example:foo:bar\0", 23, "test: %s:1: NUL byte in the line" IGNORED);
}

static void test_long_lines(void **state)
{
	static char content[8192];
	size_t start = strlen("broker.example:foo:");

	(void)state;
	/* One byte more than the longest password. */
	memset(content, 'p', sizeof(content));
	memcpy(content, "broker.example:foo:", start);
	expect_none(
		content, start + DTCP_PASSWORD_MAX + 1,
		"test: %s:1: the password is missing, too long or has control characters" IGNORED);
	/* Longer than any that can be: host name 256, user 64, password 256, and 4 more. */
	expect_none(
		content, 580,
		"test: %s:1: the password is missing, too long or has control characters" IGNORED);
	expect_none(content, 581, "test: %s:1: line too long" IGNORED);
	/* It is passed over whole: its end is not taken for a line. */
	memcpy(content + 4096, "\nbroker.example:foo:bar\n", 24);
	memcpy(content + 4000, "broker.example:foo:no", 21);
	write_file(content, 4096 + 24, 0600);
	look_up("broker.example", "foo", AUTHFILE_FOUND, "bar",
		"test: %s:1: line too long" IGNORED);
	/* A comment can be as long as it likes. */
	content[0] = '#';
	write_file(content, 4096 + 24, 0600);
	look_up("broker.example", "foo", AUTHFILE_FOUND, "bar", "");
}

static void test_permissions(void **state)
{
	static const mode_t modes[] = {0644, 0640, 0604, 0444, 0440, 0404};
	static const mode_t fine[] = {0600, 0400, 0700, 0622, 0611};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		(void)unlink(path);
		write_file("broker.example:foo:bar\n", 23, modes[i]);
		look_up("broker.example", "foo", AUTHFILE_FOUND, "bar",
			"test: %s: others can read the passwords in it; chmod 600 is what it "
			"needs\n");
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		(void)unlink(path);
		write_file("broker.example:foo:bar\n", 23, fine[i]);
		look_up("broker.example", "foo", AUTHFILE_FOUND, "bar", "");
	}
}

/* Ways that fail for root as well. */
static void test_unreadable(void **state)
{
	(void)state;
	(void)unlink(path);
	look_up("broker.example", "foo", AUTHFILE_NO_FILE, NULL, "");

	assert_int_equal(mkdir(path, 0700), 0);
	look_up("broker.example", "foo", AUTHFILE_FAILED, NULL,
		"test: cannot read %s: Is a directory\n");
	assert_int_equal(rmdir(path), 0);

	assert_int_equal(symlink(path, path), 0);
	look_up("broker.example", "foo", AUTHFILE_FAILED, NULL,
		"test: cannot read %s: Too many levels of symbolic links\n");
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several_servers),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_server_without_case),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_comments_and_empty_lines),
		cmocka_unit_test(test_malformed_lines),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests_name("client authfile", tests, setup, teardown);
}
