/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of the log in each of their forms, and on their way from process to process. */
#include "base/log_record.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

static const struct log_source control = {"dtcps", "control"};
static const struct log_source monitor = {"dtcps", NULL};

static char buf[LOG_ENTRY_SIZE];

/* A session has begun; the user's name is another each time. */
static struct log_record session_up(const char *user)
{
	struct log_record record;

	log_record_begin(&record, LOG_INFO, "session-up", "session %s", "up");
	log_record_text(&record, "user", "%s", user);
	log_record_text(&record, "peer", "203.0.113.%d", 9);
	log_record_number(&record, "bytes", UINT64_MAX);
	return record;
}

static void test_line(void **state)
{
	struct log_record record = session_up("alice");

	(void)state;
	assert_string_equal(log_record_line(&record, &control, buf),
			    "control: session up user=alice peer=203.0.113.9 "
			    "bytes=18446744073709551615");
	assert_string_equal(log_record_line(&record, &monitor, buf),
			    "session up user=alice peer=203.0.113.9 "
			    "bytes=18446744073709551615");
	record.told = true;
	assert_string_equal(log_record_line(&record, &control, buf), "control: session up");
}

/* Whatever a name is, it is one field of one line. */
static void test_line_quotes(void **state)
{
	static const struct {
		const char *user;
		const char *shown;
	} cases[] = {
		{"", "\"\""},
		{"a b", "\"a b\""},
		{"a=b", "\"a=b\""},
		{"a\"b", "\"a\\x22b\""},
		{"x\" peer=192.0.2.1", "\"x\\x22 peer=192.0.2.1\""},
		{"a\\b", "a\\x5cb"},
		{"\\x22", "\\x5cx22"},
		{"a\nb", "a\\x0ab"},
		{"\x1b[2J", "\\x1b[2J"},
		{"\x1e"
		 "60x\x1fy",
		 "\\x1e60x\\x1fy"},
		{"\xc3\xa9", "\\xc3\\xa9"},
		{"a'b,c:d;{}", "a'b,c:d;{}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct log_record record = session_up(cases[i].user);
		char expected[200];

		(void)snprintf(expected, sizeof(expected),
			       "session up user=%s peer=203.0.113.9 bytes=18446744073709551615",
			       cases[i].shown);
		assert_string_equal(log_record_line(&record, &monitor, buf), expected);
	}
}

/* A message with a peer's words in it has no fields but those behind it. */
static void test_message(void **state)
{
	struct log_record record;

	(void)state;
	log_record_begin(&record, LOG_WARNING, "refused", "refused: \"user=root\"\n\x9b \\x0a");
	assert_string_equal(log_record_line(&record, &monitor, buf),
			    "refused: \"user=root\"\\x0a\\x9b \\x0a");
	log_record_number(&record, "status", 11);
	assert_string_equal(log_record_line(&record, &monitor, buf),
			    "refused: \"user\\x3droot\"\\x0a\\x9b \\x0a status=11");
}

/* 2026-11-30T14:00:05.007Z. */
#define WHEN INT64_C(1796047205007)

static void test_json(void **state)
{
	struct log_record record = session_up("a \"b\"\\\n\xc3\xa9");

	(void)state;
	assert_string_equal(log_record_json(&record, &control, WHEN, buf),
			    "{\"time\":\"2026-11-30T14:00:05.007Z\",\"level\":\"info\","
			    "\"program\":\"dtcps\",\"process\":\"control\","
			    "\"event\":\"session-up\",\"message\":\"session up\","
			    "\"user\":\"a \\\"b\\\"\\\\x5c\\\\x0a\\\\xc3\\\\xa9\","
			    "\"peer\":\"203.0.113.9\",\"bytes\":18446744073709551615}");
	log_record_begin(&record, LOG_DEBUG, LOG_EVENT_NONE, "\"x\"");
	assert_string_equal(log_record_json(&record, &monitor, 0, buf),
			    "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"debug\","
			    "\"program\":\"dtcps\",\"process\":\"monitor\","
			    "\"event\":\"message\",\"message\":\"\\\"x\\\"\"}");
	/* What the message says of the fields changes nothing for programs. */
	record = session_up("x");
	record.told = true;
	record.priority = LOG_WARNING;
	assert_non_null(strstr(log_record_json(&record, &monitor, 0, buf), "\"user\":\"x\""));
	assert_non_null(strstr(buf, "\"level\":\"warning\""));
}

static void test_journal(void **state)
{
	static const char expected[] = "MESSAGE=control: session up ...\n"
				       "PRIORITY=6\n"
				       "SYSLOG_IDENTIFIER=dtcps\n"
				       "DTCP_PROCESS=control\n"
				       "DTCP_EVENT=session-up\n"
				       "DTCP_USER=x\\x0aPRIORITY=0\n"
				       "DTCP_PEER=203.0.113.9\n"
				       "DTCP_BYTES=18446744073709551615\n"
				       "DTCP_IN_PACKETS=1\n";
	struct log_record record = session_up("x\nPRIORITY=0");

	(void)state;
	log_record_number(&record, "in_packets", 1);
	assert_int_equal(log_record_journal(&record, &control, "control: session up ...", buf),
			 strlen(expected));
	assert_string_equal(buf, expected);
}

/* All that is too long is cut or left out, and what is there stays whole. */
static void test_limits(void **state)
{
	struct log_record record, same;
	char much[3000];
	size_t len;

	(void)state;
	memset(much, '"', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	log_record_begin(&record, LOG_INFO, "session-up", "%s", much);
	assert_int_equal(strlen(record.message), LOG_MESSAGE_SIZE - 1);
	for (unsigned int i = 0; i < 2 * LOG_FIELDS_MAX; i++) {
		char key[] = {'k', (char)('a' + i / 10), (char)('0' + i % 10), '\0'};

		log_record_text(&record, key, "%s", much + sizeof(much) - 1 - 40 * (i + 1));
	}
	assert_in_range(record.n_fields, 4, LOG_FIELDS_MAX);
	assert_in_range(record.used, LOG_VALUES_SIZE - 100, LOG_VALUES_SIZE);
	len = log_record_pack(&record, buf);
	assert_in_range(len, LOG_MESSAGE_SIZE, PIPE_BUF);
	assert_int_equal(len, strlen(buf));
	assert_true(log_record_unpack(&same, buf, len - 1));
	assert_int_equal(same.n_fields, record.n_fields);
	/* Of JSON, not even the end is missing. */
	len = strlen(log_record_json(&record, &control, WHEN, buf));
	assert_string_equal(buf + len - 2, "\"}");
	len = strlen(log_record_line(&record, &control, buf));
	assert_in_range(len, LOG_MESSAGE_SIZE, LOG_LINE_SIZE - 1);

	log_record_begin(&record, LOG_INFO, "session-up", "many");
	for (unsigned int i = 0; i < 2 * LOG_FIELDS_MAX; i++) {
		char key[] = {'k', (char)('a' + i / 10), (char)('0' + i % 10), '\0'};

		log_record_number(&record, key, i);
	}
	assert_int_equal(record.n_fields, LOG_FIELDS_MAX);
}

/* --- from process to process -------------------------------------------------------------- */

/* 0x1e, priority, told, event; after each part 0x1f. */
#define ALICE                                                                                      \
	"\x1e"                                                                                     \
	"60session-up\x1fsession up\x1fuser=alice\x1f"                                             \
	"bytes:12\x1f"

static void test_pack(void **state)
{
	struct log_record record, same;

	(void)state;
	log_record_begin(&record, LOG_INFO, "session-up", "session up");
	log_record_text(&record, "user", "alice");
	log_record_number(&record, "bytes", 12);
	assert_int_equal(log_record_pack(&record, buf), strlen(ALICE) + 1);
	assert_string_equal(buf, ALICE "\n");
	record.told = true;
	record.priority = LOG_DEBUG;
	(void)log_record_pack(&record, buf);
	memset(&same, 0xa5, sizeof(same));
	assert_true(log_record_unpack(&same, buf, strlen(buf) - 1));
	assert_int_equal(same.priority, LOG_DEBUG);
	assert_true(same.told);
	assert_string_equal(same.event, "session-up");
	assert_string_equal(same.message, "session up");
	assert_int_equal(same.n_fields, 2);
	assert_string_equal(same.fields[0].key, "user");
	assert_string_equal(log_record_value(&same, &same.fields[0]), "alice");
	assert_false(same.fields[0].number);
	assert_string_equal(same.fields[1].key, "bytes");
	assert_string_equal(log_record_value(&same, &same.fields[1]), "12");
	assert_true(same.fields[1].number);
}

/* The line lies on the heap at its exact size, so that the sanitizers see a slip. */
static bool unpacks(const char *line, size_t len)
{
	struct log_record record;
	char *exact = malloc(len > 0 ? len : 1);
	bool good;

	assert_non_null(exact);
	memcpy(exact, line, len);
	good = log_record_unpack(&record, exact, len);
	free(exact);
	return good;
}

static void test_unpack(void **state)
{
	static const char *const good[] = {
		ALICE,
		"\x1e"
		"40a\x1f\x1f",
		"\x1e"
		"71a-9\x1fm\x1f"
		"a9_=\x1f"
		"b:0\x1f"
		"c:18446744073709551615\x1f",
	};
	static const char *const bad[] = {
		"",
		"\x1e",
		"plain text",
		"<4>text",
		"\x1e"
		"30a\x1fm\x1f", /* priorities of others */
		"\x1e"
		"80a\x1fm\x1f",
		"\x1e"
		"62a\x1fm\x1f", /* told or not */
		"\x1e"
		"60\x1fm\x1f", /* no event */
		"\x1e"
		"60A\x1fm\x1f",
		"\x1e"
		"60a b\x1fm\x1f",
		"\x1e"
		"60a", /* cut */
		"\x1e"
		"60a\x1f",
		"\x1e"
		"60a\x1fm",
		"\x1e"
		"60a\x1fm\x1fk=v",
		"\x1e"
		"60a\x1fm\x1fk",
		"\x1e"
		"60a\x1fm\x1f\x1f", /* no field */
		"\x1e"
		"60a\x1fm\x1f=v\x1f",
		"\x1e"
		"60a\x1fm\x1fk\x1f",
		"\x1e"
		"60a\x1fm\x1fK=v\x1f", /* no key */
		"\x1e"
		"60a\x1fm\x1f_uid=v\x1f",
		"\x1e"
		"60a\x1fm\x1f"
		"9k=v\x1f",
		"\x1e"
		"60a\x1fm\x1fk l=v\x1f",
		"\x1e"
		"60a\x1fm\x1fk-l=v\x1f",
		"\x1e"
		"60a\x1fm\x1fk\"=v\x1f",
		"\x1e"
		"60a\x1fm\x1fk=v\x1fk=w\x1f", /* twice */
		"\x1e"
		"60a\x1fm\x1f"
		"event=v\x1f", /* other things of this name */
		"\x1e"
		"60a\x1fm\x1flevel=v\x1f",
		"\x1e"
		"60a\x1fm\x1fmessage=v\x1f",
		"\x1e"
		"60a\x1fm\x1fprocess=v\x1f",
		"\x1e"
		"60a\x1fm\x1fprogram=v\x1f",
		"\x1e"
		"60a\x1fm\x1ftime=v\x1f",
		"\x1e"
		"60a\x1fm\x1fk:\x1f", /* no number */
		"\x1e"
		"60a\x1fm\x1fk:-1\x1f",
		"\x1e"
		"60a\x1fm\x1fk:01\x1f",
		"\x1e"
		"60a\x1fm\x1fk:1e9\x1f",
		"\x1e"
		"60a\x1fm\x1fk:1,\"x\":2\x1f",
		"\x1e"
		"60a\x1fm\x1fk:184467440737095516150\x1f",
		"\x1e"
		"60a\x1fm\nx\x1f", /* not printable */
		"\x1e"
		"60a\x1fm\x1b[2J\x1f",
		"\x1e"
		"60a\x1fm\x1fk=\xc3\xa9\x1f",
		"\x1e"
		"60a\x1fm\x1fk=v\x7f\x1f",
		"\x1e"
		"60aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x1fm\x1f", /* too long */
		"\x1e"
		"60a\x1fm\x1fkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk=v\x1f",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(unpacks(good[i], strlen(good[i])));
		/* Each beginning of it is less. */
		for (size_t len = 0; len < strlen(good[i]); len++) {
			bool whole = len > 3 && good[i][len - 1] == '\x1f' &&
				     memchr(good[i], '\x1f', len - 1);

			if (unpacks(good[i], len) != whole)
				fail_msg("%zu of %s", len, good[i]);
		}
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (unpacks(bad[i], strlen(bad[i])))
			fail_msg("taken: %s", bad[i]);
	}
	assert_false(unpacks("\x1e"
			     "60a\x1fm\0\x1f",
			     8));
}

/* More or longer than a record can have. */
static void test_unpack_too_much(void **state)
{
	char line[8000];
	size_t len;

	(void)state;
	for (int more = 0; more < 2; more++) {
		len = (size_t)snprintf(line, sizeof(line),
				       "\x1e"
				       "60a\x1fm\x1f");
		for (int i = 0; i < LOG_FIELDS_MAX + more; i++)
			len += (size_t)snprintf(line + len, sizeof(line) - len, "k%d=\x1f", i);
		assert_int_equal(unpacks(line, len), more == 0);

		len = (size_t)snprintf(line, sizeof(line),
				       "\x1e"
				       "60a\x1f%0*d\x1f",
				       LOG_MESSAGE_SIZE - 1 + more, 0);
		assert_int_equal(unpacks(line, len), more == 0);

		len = (size_t)snprintf(line, sizeof(line),
				       "\x1e"
				       "60a\x1fm\x1fk=%0*d\x1f",
				       LOG_VALUE_SIZE - 1 + more, 0);
		assert_int_equal(unpacks(line, len), more == 0);

		/* Together: 4 of them, and the rest. */
		len = (size_t)snprintf(line, sizeof(line),
				       "\x1e"
				       "60a\x1fm\x1f");
		for (int i = 0; i < 3; i++)
			len += (size_t)snprintf(line + len, sizeof(line) - len, "k%d=%0*d\x1f", i,
						LOG_VALUE_SIZE - 1, 0);
		len += (size_t)snprintf(line + len, sizeof(line) - len, "k=%0*d\x1f",
					LOG_VALUES_SIZE - 3 * LOG_VALUE_SIZE - 1 + more, 0);
		assert_int_equal(unpacks(line, len), more == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_line_quotes),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_unpack),
		cmocka_unit_test(test_unpack_too_much),
	};

	return cmocka_run_group_tests_name("base log_record", tests, NULL, NULL);
}
