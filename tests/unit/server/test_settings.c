/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps.conf: what is taken, and that each error is told with its place. */
#include "base/settings.h"

#include "server/options.h"
#include "tests/unit/base/capture.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct server_options options;

static bool parse(const char *text, const char **printed)
{
	bool good;

	server_options_default(&options);
	capture_begin(STDERR_FILENO);
	good = configfile_parse(&server_settings, &options, "x.conf", text);
	*printed = capture_end();
	return good;
}

static void expect_ok(const char *text)
{
	const char *printed;
	bool good = parse(text, &printed);

	assert_string_equal(printed, "");
	assert_true(good);
}

/* messages: each without "dtcp: x.conf:" and with its line end. */
static void expect_error(const char *text, const char *messages)
{
	char expected[1000] = "";
	char copy[1000];
	const char *printed;
	char *rest = copy;
	bool good;

	(void)strlcpy(copy, messages, sizeof(copy));
	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		(void)strlcat(expected, "dtcp: x.conf:", sizeof(expected));
		(void)strlcat(expected, line, sizeof(expected));
		(void)strlcat(expected, "\n", sizeof(expected));
	}
	good = parse(text, &printed);
	assert_string_equal(printed, expected);
	assert_false(good);
	assert_null(options.source.texts);
}

static void done(void)
{
	settings_free(&options);
}

/* Which path carries packets. */
static void test_fast(void **state)
{
	(void)state;
	expect_ok("");
	assert_int_equal(options.fast, FAST_AUTO);
	done();
	expect_ok("fast = on\n");
	assert_int_equal(options.fast, FAST_ON);
	done();
	expect_ok("fast = off\n");
	assert_int_equal(options.fast, FAST_OFF);
	done();
	expect_ok("fast = auto\n");
	assert_int_equal(options.fast, FAST_AUTO);
	done();
	expect_error("fast = yes\n", "1: fast: \"yes\": auto, on or off is needed\n");
	expect_error("\nfast = \"\"\n", "2: fast: \"\": auto, on or off is needed\n");
	expect_error("fast = ON\n", "1: fast: \"ON\": auto, on or off is needed\n");
}

static void test_empty(void **state)
{
	(void)state;
	expect_ok("");
	done();
	expect_ok("\n  \t\r\n# nothing\n");
	done();
	expect_ok("\xEF\xBB\xBF");
	done();
}

static void test_every_form_of_a_key(void **state)
{
	char text[INET_ADDRSTRLEN];

	(void)state;
	expect_ok("listen = \"192.0.2.1\"\n"
		  "port=20300\n"
		  "network { pool = '2001:db8:100::/40' length = 60\n numbered = yes }\n"
		  "host.prefix = 2001:db8:1::/64\n"
		  "timeout {\n\tidle = 100\n}\n"
		  "timeout { login = 50 }\n"
		  "udp { }\n"
		  "database = /var/lib//users.db\n");
	assert_string_equal(inet_ntop(AF_INET, &options.listen, text, sizeof(text)), "192.0.2.1");
	assert_int_equal(options.port, 20300);
	assert_true(options.has_pool && options.has_host && options.numbered);
	assert_int_equal(options.pool.len, 40);
	assert_int_equal(options.network_length, 60);
	assert_int_equal(options.timeout_idle, 100);
	assert_int_equal(options.timeout_login, 50);
	assert_string_equal(options.database, "/var/lib//users.db");
	assert_int_equal(options.source.lines[settings_find(&server_settings, "timeout.idle")], 7);
	done();
}

/* Each key can be set, and to what it has by itself. */
static void test_all_keys(void **state)
{
	char value[SETTINGS_TEXT_SIZE];
	char line[200];

	(void)state;
	for (size_t i = 0; i < server_settings.count; i++) {
		server_options_default(&options);
		assert_true(server_settings_finish(&options));
		(void)snprintf(line, sizeof(line), "%s = \"%s\"\n", server_settings.list[i].key,
			       settings_value(&server_settings, &options, i, value));
		if (strstr(line, "\"\""))
			continue;
		expect_ok(line);
		assert_int_equal(options.source.lines[i], 1);
		done();
	}
}

static void test_lines_after_comments(void **state)
{
	(void)state;
	expect_ok("# one\n"
		  "// two\n"
		  "/* three\n and * / four **/ port = 20300 # five\n"
		  "mtu = 1300#six\n"
		  "pidfile = \"/a#b//c\"\n");
	assert_int_equal(options.source.lines[settings_find(&server_settings, "port")], 4);
	assert_int_equal(options.source.lines[settings_find(&server_settings, "mtu")], 5);
	assert_int_equal(options.source.lines[settings_find(&server_settings, "pidfile")], 6);
	assert_string_equal(options.pidfile, "/a#b//c");
	done();
}

static void test_wrong_values(void **state)
{
	(void)state;
	expect_error("\nport = 0\n", "2: port: \"0\": a number from 1 to 65535 is needed\n");
	expect_error("# x\n# y\nlisten = here\n", "3: listen: \"here\" is not an IPv4 address\n");
	expect_error("host { prefix = 2001:db8::/48 }",
		     "1: host.prefix: 2001:db8::/48: a /64 is needed\n");
	expect_error("database = \"\"", "1: database: a value is needed\n");
	expect_error("udp {\n enable = on\n}", "2: udp.enable: \"on\": yes or no is needed\n");
}

/* Not only the first one. */
static void test_several_errors(void **state)
{
	(void)state;
	expect_error("port = x\n"
		     "mtu = 1300\n"
		     "limit { sessions = many\n icmp6 = -1 }\n"
		     "nothing = 1\n"
		     "mtu = 9\n",
		     "1: port: \"x\": a number from 1 to 65535 is needed\n"
		     "3: limit.sessions: \"many\": a number from 1 to 65536 is needed\n"
		     "4: limit.icmp6: \"-1\": a number from 0 to 100000 is needed\n"
		     "5: nothing: no such setting; dtcps.conf(5) lists them\n");
}

static void test_unknown(void **state)
{
	(void)state;
	expect_error("\nPort = 1\n", "2: Port: no such setting; dtcps.conf(5) lists them\n");
	expect_error("host {\n\n port = 1 }\n",
		     "3: host.port: no such setting; dtcps.conf(5) lists them\n");
	expect_error("hosts { prefix = 1 }",
		     "1: hosts: no such setting; dtcps.conf(5) lists them\n");
	expect_error("include(\"/etc/passwd\")",
		     "1: include: no such setting; dtcps.conf(5) lists them\n");
}

static void test_twice(void **state)
{
	(void)state;
	expect_error("port = 1\n\nport = 2\n", "3: port: is set in line 1 already\n");
	expect_error("host { prefix = 2001:db8:1::/64 }\nhost.prefix = 2001:db8:2::/64\n",
		     "2: host.prefix: is set in line 1 already\n");
	expect_error("host {\nprefix = 2001:db8:1::/64 }\nhost { prefix = 2001:db8:2::/64 }\n",
		     "3: host.prefix: is set in line 2 already\n");
}

static void test_wrong_form(void **state)
{
	(void)state;
	expect_error("port 20200\n", "1: missing equal sign after option 'port'\n");
	expect_error("port = { 1 }\n", "1: unexpected token '{'\n");
	expect_error("port = 1\n}\n", "2: unexpected closing brace\n");
	expect_error("host = 1\n", "1: missing opening brace for section 'host'\n");
	expect_error("port =", "1: premature end of file\n");
}

/* What editors of another system put at the beginning; the lines are counted as ever. */
static void test_mark(void **state)
{
	(void)state;
	expect_ok("\xEF\xBB\xBFport = 20300\r\nmtu = 1300\r\n");
	assert_int_equal(options.port, 20300);
	assert_int_equal(options.mtu, 1300);
	done();
	expect_ok("\xEF\xBB\xBF# a comment\nport = 20300\n");
	assert_int_equal(options.port, 20300);
	done();
	expect_error("\xEF\xBB\xBFmtu = 1300\nport 1\n",
		     "2: missing equal sign after option 'port'\n");
}

/* A word without quotation marks has no bar. */
static void test_bars(void **state)
{
	(void)state;
	expect_error("port = 20300\nnetwork|pool = x\n", "2: a | stands in quotation marks only\n");
	expect_error("network||pool = 2001:db8::/40\n", "1: a | stands in quotation marks only\n");
	expect_ok("user = \"a|b\"\n");
	assert_string_equal(options.run_as, "a|b");
	done();
}

/* What is open at the end of the file, or of the line, is told where it begins. */
static void test_open_ends(void **state)
{
	(void)state;
	expect_error("mtu = 1300\nhost {\n prefix = 2001:db8:1::/64\n",
		     "2: the closing } of this section is missing\n");
	expect_error("\n/* no end\nport = 1\n", "2: the end of the comment is missing: */\n");
	expect_error("/*/", "1: the end of the comment is missing: */\n");
	expect_error("mtu = 1300\nuser = \"x\nport = 1\n", "2: the closing \" is missing\n");
	expect_error("user = 'x", "1: the closing ' is missing\n");
	expect_error("user = \"x\\\"\n", "1: the closing \" is missing\n");
	expect_error("\"", "1: the closing \" is missing\n");
}

/* "${NAME}" in double quotation marks, and only there. */
static void test_variables(void **state)
{
	static char value[9000];

	(void)state;
	assert_int_equal(setenv("DTCP_TEST", "/x \"{", 1), 0);
	(void)unsetenv("DTCP_TEST_NOT");
	expect_ok("database = \"a${DTCP_TEST}b${DTCP_TEST_NOT}c\" pidfile = '${DTCP_TEST}'\n"
		  "user = \"$${x\"");
	assert_string_equal(options.database, "a/x \"{bc");
	assert_string_equal(options.pidfile, "${DTCP_TEST}");
	assert_string_equal(options.run_as, "$${x");
	done();
	memset(value, 'x', sizeof(value) - 1);
	assert_int_equal(setenv("DTCP_TEST", value, 1), 0);
	expect_error("\nuser = \"${DTCP_TEST}\"",
		     "2: DTCP_TEST: the value of this variable is too long\n");
	value[4000] = '\0';
	assert_int_equal(setenv("DTCP_TEST", value, 1), 0);
	expect_ok("user = \"${DTCP_TEST}${DTCP_TEST}\"");
	assert_int_equal(strlen(options.run_as), 8000);
	done();
	expect_error(
		"user = \"${DTCP_TEST}\" pidfile = \"${DTCP_TEST}\"\ndatabase = \"${DTCP_TEST}\"",
		"2: DTCP_TEST: the value of this variable is too long\n");
	assert_int_equal(unsetenv("DTCP_TEST"), 0);
}

static void test_backslashes(void **state)
{
	(void)state;
	expect_ok("user = \"a\\\"b\\\\\\c\" pidfile = 'a\\b' database = \"\\${x}\"");
	assert_string_equal(options.run_as, "a\"b\\c");
	assert_string_equal(options.pidfile, "a\\b");
	assert_string_equal(options.database, "${x}");
	done();
}

/* Sections do not stand in one another, and are words before the first dot. */
static void test_sections(void **state)
{
	(void)state;
	expect_ok("limit { source.pending = 7 } limit { source.failures = 8 }");
	assert_int_equal(options.limits.source_pending, 7);
	assert_int_equal(options.failures, 8);
	done();
	expect_error("limit { source { pending = 7 } }",
		     "1: limit.source: no such setting; dtcps.conf(5) lists them\n");
	expect_error("limit.source { pending = 7 }",
		     "1: limit.source: no such setting; dtcps.conf(5) lists them\n");
	expect_error("lim { it.log = 7 }", "1: lim: no such setting; dtcps.conf(5) lists them\n");
	expect_error("udp {\n} }", "2: unexpected closing brace\n");
	expect_error("= 7", "1: unexpected token '='\n");
	expect_error("port = , 7", "1: a , stands in quotation marks only\n");
	expect_error("port", "1: missing equal sign after option 'port'\n");
}

/* The table itself. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < server_settings.count; i++) {
		const struct setting *setting = &server_settings.list[i];

		assert_true(i == 0 || strcmp(setting[-1].key, setting->key) < 0);
		assert_true(strlen(setting->key) < SETTINGS_KEY_SIZE);
		assert_true(setting->help && setting->help[0] != '\0');
		assert_true((setting->type == SETTING_NUMBER) == (setting->max > 0));
		assert_true((setting->type == SETTING_CHOICE) == (setting->choice != NULL));
		assert_true((setting->type == SETTING_OTHER) == (setting->read != NULL));
		assert_true((setting->type == SETTING_OTHER) == (setting->write != NULL));
		/* What is sent to control has no flag, and is short; a text is not sent. */
		assert_false(setting->live && setting->flag > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_every_form_of_a_key),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_lines_after_comments),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_several_errors),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_wrong_form),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_open_ends),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_backslashes),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
