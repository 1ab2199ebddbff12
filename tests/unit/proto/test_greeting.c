/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server says besides its reply to a tunnel request: greeting, errors, other answers. */
#include "proto/message.h"

#include "exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KAME  "0B1517C87D516A5FA65BED722D51A04F"
#define FEEL6 "0b1517c87d516a5fa65bed722d51a04f"

/* Each greeting that is understood, with its challenge and text. */
static void test_greetings(void **state)
{
	static const char *const rows[][3] = {
		{"+OK " KAME " KAME tunnel server", KAME, "KAME tunnel server"},
		{"+OK " FEEL6 " FBDC TunnelBroker (version 0.2) Ready. <870363>", FEEL6,
		 "FBDC TunnelBroker (version 0.2) Ready. <870363>"},
		{"+OK " KAME, KAME, ""},
		{"+OK " KAME " ", KAME, ""},
		{"+OK  \t" KAME "\t two  words ", KAME, "two  words"},
		{"+OK x", "x", ""},
		/* Shape and length of a challenge are the server's affair. */
		{"+OK <1896.697170952@example.org> hello", "<1896.697170952@example.org>", "hello"},
		/* What is no ASCII, or no text at all. */
		{"+OK " KAME " gr\xc3\xbc\xc3\x9f dich", KAME, "gr\xc3\xbc\xc3\x9f dich"},
		{"+OK " KAME " \x1b[2J\xff", KAME, "\x1b[2J\xff"},
		{"+OK gr\xfc\xdf \xe3\x83\x88\xe3\x83\xb3", "gr\xfc\xdf",
		 "\xe3\x83\x88\xe3\x83\xb3"},
		{"+OK \x1b[2J" KAME, "\x1b[2J" KAME, ""},
		/* A CR too many. */
		{"+OK " KAME "\r", KAME, ""},
		{"+OK " KAME " hello \r \r", KAME, "hello"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i][0]);
		char *line = exact_copy(rows[i][0], len);
		struct dtcp_greeting out;
		const char *why = NULL;

		assert_int_equal(greeting_parse(line, len, &out, &why), REPLY_OK);
		assert_string_equal(out.challenge, rows[i][1]);
		assert_string_equal(out.text, rows[i][2]);
		assert_string_equal(why, "");
		free(line);
	}
}

/* The types that the free text says are offered. */
static void test_types(void **state)
{
	enum { ONLY = 1 << TUNNEL_ONLY, HOST = 1 << TUNNEL_HOST, NETWORK = 1 << TUNNEL_NETWORK };
	static const struct {
		const char *text;
		unsigned int types;
	} rows[] = {
		{"ready types=tunnelonly,host,network", ONLY | HOST | NETWORK},
		{"types=Host more", HOST},
		{"types=host\ttypes=network", HOST},
		{"types=tunnelroute,,none,network,x", NETWORK},
		{"", 0},
		{"types=", 0},
		{"types = host", 0},
		{"mytypes=host types", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dtcp_greeting out;
		const char *why = NULL;
		char line[200];

		(void)snprintf(line, sizeof(line), "+OK " KAME " %s", rows[i].text);
		assert_int_equal(greeting_parse(line, strlen(line), &out, &why), REPLY_OK);
		assert_int_equal(out.types, rows[i].types);
	}
}

static void expect_greeting(const char *bytes, size_t len, enum reply_status status,
			    const char *why)
{
	char *line = exact_copy(bytes, len);
	struct dtcp_greeting out = {.challenge = "before", .text = "before"};
	const char *got = NULL;

	assert_int_equal(greeting_parse(line, len, &out, &got), status);
	assert_string_equal(got, why);
	assert_string_equal(out.challenge, "before");
	assert_string_equal(out.text, "before");
	free(line);
}

static void expect_no_greeting(const char *line, const char *why)
{
	expect_greeting(line, strlen(line), REPLY_GARBAGE, why);
}

static void test_no_greetings(void **state)
{
	static const char status[] = "begins neither with +OK nor with -ERR";

	(void)state;
	expect_no_greeting("", "is empty");
	expect_no_greeting("+OK", "has no challenge");
	expect_no_greeting("+OK ", "has no challenge");
	expect_no_greeting("+OK \t ", "has no challenge");
	expect_no_greeting("    ", status);
	expect_no_greeting("+", status);
	expect_no_greeting("+O", status);
	expect_no_greeting("-ER", status);
	expect_no_greeting("+OKAY " KAME, status);
	expect_no_greeting("+OK" KAME, status);
	expect_no_greeting("+ok " KAME, status);
	expect_no_greeting(" +OK " KAME, status);
	expect_no_greeting("-ERROR " KAME, status);
	expect_no_greeting("220 smtp.example.org ESMTP", status);
	expect_no_greeting("SSH-2.0-OpenSSH_9.2", status);
	expect_no_greeting("+\xc3\x96K " KAME, status);
	expect_greeting("+OK \0" KAME, 37, REPLY_GARBAGE, "has a NUL byte");
	expect_greeting("+OK " KAME " x\0", 39, REPLY_GARBAGE, "has a NUL byte");
	expect_greeting("-ERR busy", 9, REPLY_ERROR, "");
	expect_greeting("-ERR", 4, REPLY_ERROR, "");
}

static void test_challenge_lengths(void **state)
{
	char *line = exact_fill('x', 513);
	struct dtcp_greeting out;
	const char *why;

	(void)state;
	memcpy(line, "+OK ", 4);
	/* As long as the line. */
	for (size_t len = 1; len <= 508; len++) {
		assert_int_equal(greeting_parse(line, 4 + len, &out, &why), REPLY_OK);
		assert_int_equal(strlen(out.challenge), len);
	}

	/* The longest line and one more byte. */
	line[36] = ' ';
	assert_int_equal(greeting_parse(line, 512, &out, &why), REPLY_OK);
	assert_int_equal(strlen(out.challenge), 32);
	assert_int_equal(strlen(out.text), 512 - 37);
	expect_greeting(line, 513, REPLY_GARBAGE, "is too long");
	free(line);
}

static void test_answers(void **state)
{
	static const struct {
		const char *line;
		enum reply_status status;
		const char *why;
	} rows[] = {
		{"+OK hi, happy to hear from you", REPLY_OK, ""},
		{"+OK pong", REPLY_OK, ""},
		{"+OK", REPLY_OK, ""},
		{"+OK\tpong", REPLY_OK, ""},
		{"+OK valid commands are: TUNNEL PING QUIT", REPLY_OK, ""},
		{"+OK good bye", REPLY_OK, ""},
		{"-ERR authentication failed.", REPLY_ERROR, ""},
		{"-ERR unsupported tunnel type tunnelonly", REPLY_ERROR, ""},
		{"-ERR tunnel interface sold out", REPLY_ERROR, ""},
		{"-ERR invalid command", REPLY_ERROR, ""},
		{"-ERR connection timed out, disconnecting", REPLY_ERROR, ""},
		{"-ERR", REPLY_ERROR, ""},
		{"", REPLY_GARBAGE, "is empty"},
		{" ", REPLY_GARBAGE, "begins neither with +OK nor with -ERR"},
		{"pong", REPLY_GARBAGE, "begins neither with +OK nor with -ERR"},
		{"+OKpong", REPLY_GARBAGE, "begins neither with +OK nor with -ERR"},
		{"-err invalid command", REPLY_GARBAGE, "begins neither with +OK nor with -ERR"},
		{"-ERR\x01", REPLY_GARBAGE, "begins neither with +OK nor with -ERR"},
		{"+OK po\rng", REPLY_OK, ""},
		{"+OK \xe3\x81\xaf\xe3\x81\x84", REPLY_OK, ""},
		{"-ERR \x1b[2J d\xc3\xa9sol\xc3\xa9", REPLY_ERROR, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].line);
		char *line = exact_copy(rows[i].line, len);
		const char *why = NULL;

		assert_int_equal(answer_parse(line, len, &why), rows[i].status);
		assert_string_equal(why, rows[i].why);
		free(line);
	}
}

static void test_reasons(void **state)
{
	static const char *const rows[][2] = {
		{"-ERR authentication failed.", "authentication failed."},
		{"-ERR unsupported tunnel type host", "unsupported tunnel type host"},
		{"-ERR tunnel interface sold out", "tunnel interface sold out"},
		{"-ERR invalid command", "invalid command"},
		{"-ERR connection timed out, disconnecting", "connection timed out, disconnecting"},
		{"-ERR \t  two  words", "two  words"},
		{"-ERR", ""},
		{"-ERR ", ""},
		{"-ERROR", ""},
		{"+OK pong", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *reason = reply_reason(rows[i][0]);

		assert_string_equal(reason, rows[i][1]);
		/* It points into the line: their ends are one. */
		assert_ptr_equal(reason + strlen(reason), rows[i][0] + strlen(rows[i][0]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greetings), cmocka_unit_test(test_no_greetings),
		cmocka_unit_test(test_types),	  cmocka_unit_test(test_challenge_lengths),
		cmocka_unit_test(test_answers),	  cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
