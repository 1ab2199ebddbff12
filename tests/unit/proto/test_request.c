/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of a client, read and written. */
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

#define RESPONSE "DAC487C8DFBBF9EE5C7F8CDCC37B62A3"
#define LOWER	 "dac487c8dfbbf9ee5c7f8cdcc37b62a3"

static struct dtcp_request parse(const char *bytes, size_t len)
{
	char *line = exact_copy(bytes, len);
	struct dtcp_request out;

	memset(&out, 0xa5, sizeof(out));
	request_parse(line, len, &out);
	free(line);
	return out;
}

/* Nothing of a request that is not well formed, or no tunnel request, can be used. */
static void expect_empty(const char *bytes, size_t len, enum dtcp_command command)
{
	struct dtcp_request out = parse(bytes, len);

	assert_int_equal(out.command, command);
	assert_false(out.well_formed);
	assert_string_equal(out.user, "");
	assert_string_equal(out.response, "");
	assert_int_equal(out.type, TUNNEL_NONE);
	assert_string_equal(out.type_word, "");
	assert_false(out.udp);
	assert_int_equal(out.udp_port, 0);
	assert_string_equal(out.bad_word, "");
}

static void expect_tunnel(const char *text, const char *user, const char *response,
			  enum tunnel_type type, const char *type_word)
{
	struct dtcp_request out = parse(text, strlen(text));

	assert_int_equal(out.command, COMMAND_TUNNEL);
	assert_true(out.well_formed);
	assert_string_equal(out.user, user);
	assert_string_equal(out.response, response);
	assert_int_equal(out.type, type);
	assert_string_equal(out.type_word, type_word);
}

static void test_commands(void **state)
{
	static const struct {
		const char *line;
		enum dtcp_command command;
	} rows[] = {
		{"ping", COMMAND_PING},
		{"PING", COMMAND_PING},
		{"PiNg", COMMAND_PING},
		{"  ping\t ", COMMAND_PING},
		{"ping me", COMMAND_PING},
		{"help", COMMAND_HELP},
		{"HELP", COMMAND_HELP},
		{"Help tunnel", COMMAND_HELP},
		{"quit", COMMAND_QUIT},
		{"QuIt", COMMAND_QUIT},
		{"quit now", COMMAND_QUIT},
		{"", COMMAND_INVALID},
		{" ", COMMAND_INVALID},
		{" \t  \t\t ", COMMAND_INVALID},
		{"pin", COMMAND_INVALID},
		{"pingg", COMMAND_INVALID},
		{"ping,", COMMAND_INVALID},
		{"foo ping", COMMAND_INVALID},
		{"+OK", COMMAND_INVALID},
		{"GET / HTTP/1.1", COMMAND_INVALID},
		{"tunnelonly foo " RESPONSE " host", COMMAND_INVALID},
		/* Bytes that are not text, wherever they stand. */
		{"ping\r", COMMAND_INVALID},
		{"\rping", COMMAND_INVALID},
		{"ping \x01", COMMAND_INVALID},
		{"ping\x7f", COMMAND_INVALID},
		{"ping \xff", COMMAND_INVALID},
		{"tunnel f\xc3\xb6\xc3\xb6 " RESPONSE " host", COMMAND_INVALID},
		{"tunnel foo " RESPONSE " host\r", COMMAND_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_empty(rows[i].line, strlen(rows[i].line), rows[i].command);
	expect_empty("ping\0", 5, COMMAND_INVALID);
	expect_empty("\0ping", 5, COMMAND_INVALID);
}

static void test_tunnel(void **state)
{
	(void)state;
	expect_tunnel("tunnel foo " RESPONSE " tunnelonly", "foo", RESPONSE, TUNNEL_ONLY,
		      "tunnelonly");
	expect_tunnel("tunnel foo " RESPONSE " host", "foo", RESPONSE, TUNNEL_HOST, "host");
	expect_tunnel("tunnel foo " RESPONSE " network", "foo", RESPONSE, TUNNEL_NETWORK,
		      "network");
	expect_tunnel("tunnel foo " RESPONSE " tunnelroute", "foo", RESPONSE, TUNNEL_NETWORK,
		      "tunnelroute");
	/* Command and type in any case, user and response as they were sent. */
	expect_tunnel("TUNNEL Foo " LOWER " NetWork", "Foo", LOWER, TUNNEL_NETWORK, "NetWork");
	expect_tunnel("\tTunnel  foo \t " LOWER "   HOST ", "foo", LOWER, TUNNEL_HOST, "HOST");
}

static void test_tunnel_unknown_type(void **state)
{
	(void)state;
	expect_tunnel("tunnel foo " RESPONSE " bridge", "foo", RESPONSE, TUNNEL_NONE, "bridge");
	/* Cut at 31 bytes. */
	expect_tunnel("tunnel foo " RESPONSE " 0123456789012345678901234567890", "foo", RESPONSE,
		      TUNNEL_NONE, "0123456789012345678901234567890");
	expect_tunnel("tunnel foo " RESPONSE " 01234567890123456789012345678901", "foo", RESPONSE,
		      TUNNEL_NONE, "0123456789012345678901234567890");
}

static void test_tunnel_impossible_response(void **state)
{
	(void)state;
	expect_tunnel("tunnel foo x host", "foo", "", TUNNEL_HOST, "host");
	expect_tunnel("tunnel foo " RESPONSE "0 host", "foo", "", TUNNEL_HOST, "host");
	expect_tunnel("tunnel foo DAC487C8DFBBF9EE5C7F8CDCC37B62A host", "foo", "", TUNNEL_HOST,
		      "host");
	expect_tunnel("tunnel foo GAC487C8DFBBF9EE5C7F8CDCC37B62A3 host", "foo", "", TUNNEL_HOST,
		      "host");
}

static void test_tunnel_not_well_formed(void **state)
{
	static const char *const rows[] = {
		"tunnel",
		"TUNNEL ",
		"tunnel foo",
		"tunnel foo " RESPONSE,
		"tunnel foo " RESPONSE " ",
		"tunnel foo:bar " RESPONSE " host",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_empty(rows[i], strlen(rows[i]), COMMAND_TUNNEL);
}

/* What stands behind the type and cannot: named, so that the server can say it. */
static void test_bad_words(void **state)
{
	static const char *const rows[][2] = {
		/* Words that want UDP, and would get protocol 41. */
		{"udp:4028", "udp:4028"},
		{"UDP:4028", "UDP:4028"},
		{"udp 4028", "4028"},
		{"udp = 4028", "="},
		{"udp= 4028", "udp="},
		{"udp =4028", "=4028"},
		{"4028", "4028"},
		{"4028 udp", "4028"},
		{"udp4028", "udp4028"},
		{"udp-4028", "udp-4028"},
		{"udp/4028", "udp/4028"},
		{"udp,4028", "udp,4028"},
		{"udp_port=4028", "udp_port=4028"},
		{"udp-port=4028", "udp-port=4028"},
		{"udplite", "udplite"},
		{"udp==4028", "udp==4028"},
		/* An impossible port. */
		{"udp=", "udp="},
		{"UDP=", "UDP="},
		{"udp=0", "udp=0"},
		{"UDP=0", "UDP=0"},
		{"udp=65536", "udp=65536"},
		{"udp=70000", "udp=70000"},
		{"udp=4294971324", "udp=4294971324"}, /* 2^32 + 4028 */
		{"udp=-1", "udp=-1"},
		{"udp=+1", "udp=+1"},
		{"udp=40x", "udp=40x"},
		{"udp=0x10", "udp=0x10"},
		{"UDP=x", "UDP=x"},
		/* Twice the same. */
		{"udp udp", "udp"},
		{"udp udp=4028", "udp=4028"},
		{"UDP udp=4028", "udp=4028"},
		{"x=1 udp=4028 X=2", "X=2"},
		{"x x", "x"},
		/* What is no name. */
		{"colour=blue -U", "-U"},
		{"=", "="},
		{"x:1", "x:1"},
		{"1x", "1x"},
		{"x.y=1", "x.y=1"},
		{"192.0.2.1", "192.0.2.1"},
		{"2001:db8::1", "2001:db8::1"},
		{"fe80::/10", "fe80::/10"},
		/* Cut at 31 bytes. */
		{":123456789012345678901234567890", ":123456789012345678901234567890"},
		{":1234567890123456789012345678901", ":123456789012345678901234567890"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[DTCP_LINE_SIZE];
		struct dtcp_request out;

		(void)snprintf(line, sizeof(line), "tunnel foo " RESPONSE " host %s", rows[i][0]);
		out = parse(line, strlen(line));
		assert_string_equal(out.bad_word, rows[i][1]);
		/* And nothing else of it can be used. */
		assert_int_equal(out.command, COMMAND_TUNNEL);
		assert_false(out.well_formed || out.udp || out.user[0] || out.response[0]);
		assert_int_equal(out.type, TUNNEL_NONE);
		assert_int_equal(out.udp_port, 0);
	}
}

static void test_user_name_lengths(void **state)
{
	char *user = exact_fill('u', 65);
	char line[DTCP_LINE_SIZE];

	(void)state;
	(void)snprintf(line, sizeof(line), "tunnel %s " RESPONSE " host", user);
	expect_empty(line, strlen(line), COMMAND_TUNNEL);
	user[64] = '\0';
	(void)snprintf(line, sizeof(line), "tunnel %s " RESPONSE " host", user);
	expect_tunnel(line, user, RESPONSE, TUNNEL_HOST, "host");
	free(user);
}

static void test_extensions(void **state)
{
	static const struct {
		const char *words;
		bool udp;
		uint16_t port;
	} rows[] = {
		{"", false, 0},
		{" udp", true, 0},
		{" UDP", true, 0},
		{" udp=1", true, 1},
		{" udp=4028", true, 4028},
		{" Udp=65535", true, 65535},
		{" UDP=1", true, 1},
		{" compress level=9 udp=4028", true, 4028},
		{" compress level=9", false, 0},
		{" ud=1 x-1=4028 a_b=:4028 c=192.0.2.1 d= e==", false, 0},
		{" host", false, 0},
	};
	char line[DTCP_LINE_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dtcp_request out;

		(void)snprintf(line, sizeof(line), "tunnel foo " RESPONSE " host%s", rows[i].words);
		expect_tunnel(line, "foo", RESPONSE, TUNNEL_HOST, "host");
		out = parse(line, strlen(line));
		assert_int_equal(out.udp, rows[i].udp);
		assert_int_equal(out.udp_port, rows[i].port);
	}
}

static void test_forty_words(void **state)
{
	char line[DTCP_LINE_SIZE] = "tunnel foo " RESPONSE " host";
	char word[16];

	(void)state;
	for (int i = 0; i < 36; i++) {
		(void)snprintf(word, sizeof(word), " w%d", i);
		(void)strlcat(line, word, sizeof(line));
	}
	expect_tunnel(line, "foo", RESPONSE, TUNNEL_HOST, "host");
	(void)strlcat(line, " W35", sizeof(line));
	assert_string_equal(parse(line, strlen(line)).bad_word, "W35");
}

static void test_longest_lines(void **state)
{
	char *line = exact_fill(' ', 513);

	(void)state;
	memcpy(line, "ping", 4);
	expect_empty(line, 512, COMMAND_PING);
	expect_empty(line, 513, COMMAND_INVALID);
	expect_empty(line + 4, 508, COMMAND_INVALID);

	/* As many words as a line can have: 256. */
	for (size_t i = 0; i < 512; i += 2)
		line[i] = 'x';
	line[1] = line[3] = ' ';
	expect_empty(line, 512, COMMAND_INVALID);
	memcpy(line, "tunnel ", 7);
	assert_string_equal(parse(line, 512).bad_word, "x");
	free(line);
}

static void test_bare_words(void **state)
{
	static const struct {
		const char *text;
		bool bare;
	} rows[] = {
		{"ping", true},	   {"quit", true},    {"PiNg", true},	   {"QUIT", true},
		{"ping\r", true},  {"quit\r", true},  {"", false},	   {"\r", false},
		{"pin", false},	   {"pin\r", false},  {" ping", false},	   {"ping ", false},
		{"pings", false},  {"ping\n", false}, {"ping\r\n", false}, {"ping\r\r", false},
		{"\rping", false}, {"help", false},   {"pingquit", false}, {"quip", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].text);
		char *buf = exact_copy(rows[i].text, len);

		assert_int_equal(request_is_bare_word(buf, len), rows[i].bare);
		free(buf);
	}
	assert_false(request_is_bare_word("ping\0", 5));
}

static void test_format(void **state)
{
	char buf[DTCP_LINE_SIZE];

	(void)state;
	assert_int_equal(request_format("foo", RESPONSE, TUNNEL_ONLY, false, 0, buf, sizeof(buf)),
			 54);
	assert_string_equal(buf, "tunnel foo " RESPONSE " tunnelonly");
	assert_int_equal(request_format("foo", RESPONSE, TUNNEL_HOST, false, 0, buf, sizeof(buf)),
			 48);
	assert_string_equal(buf, "tunnel foo " RESPONSE " host");
	assert_int_equal(request_format("foo", LOWER, TUNNEL_NETWORK, false, 0, buf, sizeof(buf)),
			 51);
	assert_string_equal(buf, "tunnel foo " LOWER " network");
	expect_tunnel(buf, "foo", LOWER, TUNNEL_NETWORK, "network");
}

static void test_format_udp(void **state)
{
	static const struct {
		bool udp;
		uint16_t port;
		const char *words;
	} rows[] = {
		{false, 0, ""},
		/* Old servers count the words, so what was not asked for must leave no trace. */
		{false, 4028, ""},
		{true, 0, " udp"},
		{true, 1, " udp=1"},
		{true, 4028, " udp=4028"},
		{true, 65535, " udp=65535"},
	};
	char line[DTCP_LINE_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = 48 + strlen(rows[i].words);
		struct dtcp_request out;

		(void)snprintf(line, sizeof(line), "tunnel foo " RESPONSE " host%s", rows[i].words);
		for (size_t size = 0; size <= len + 2; size++) {
			char *buf = exact_fill('x', size);
			size_t expected = size > len ? len : 0;

			assert_int_equal(request_format("foo", RESPONSE, TUNNEL_HOST, rows[i].udp,
							rows[i].port, buf, size),
					 expected);
			assert_int_equal(buf[size], '\0');
			if (expected > 0)
				assert_string_equal(buf, line);
			free(buf);
		}
		out = parse(line, len);
		assert_true(out.well_formed);
		assert_int_equal(out.udp, rows[i].udp);
		assert_int_equal(out.udp_port, rows[i].udp ? rows[i].port : 0);
	}
}

static void test_format_what_cannot_be_sent(void **state)
{
	char buf[DTCP_LINE_SIZE];
	char *user = exact_fill('u', 65);

	(void)state;
	assert_int_equal(request_format("", RESPONSE, TUNNEL_HOST, false, 0, buf, sizeof(buf)), 0);
	assert_int_equal(request_format("a b", RESPONSE, TUNNEL_HOST, false, 0, buf, sizeof(buf)),
			 0);
	assert_int_equal(
		request_format("a\r\nquit", RESPONSE, TUNNEL_HOST, false, 0, buf, sizeof(buf)), 0);
	assert_int_equal(request_format(user, RESPONSE, TUNNEL_HOST, false, 0, buf, sizeof(buf)),
			 0);
	assert_int_equal(request_format("foo", "", TUNNEL_HOST, false, 0, buf, sizeof(buf)), 0);
	assert_int_equal(
		request_format("foo", RESPONSE "0", TUNNEL_HOST, false, 0, buf, sizeof(buf)), 0);
	assert_int_equal(request_format("foo", RESPONSE, TUNNEL_NONE, false, 0, buf, sizeof(buf)),
			 0);
	user[64] = '\0';
	assert_int_equal(request_format(user, RESPONSE, TUNNEL_HOST, false, 0, buf, sizeof(buf)),
			 109);
	free(user);
}

static void test_format_too_small(void **state)
{
	(void)state;
	for (size_t size = 0; size <= 50; size++) {
		char *buf = exact_fill('x', size);
		size_t expected = size > 48 ? 48 : 0;

		assert_int_equal(request_format("foo", RESPONSE, TUNNEL_HOST, false, 0, buf, size),
				 expected);
		/* What lies behind the buffer is still there. */
		assert_int_equal(buf[size], '\0');
		if (expected > 0)
			assert_string_equal(buf, "tunnel foo " RESPONSE " host");
		free(buf);
	}
}

static void expect_shown(const char *line, const char *expected)
{
	char *copy = exact_copy(line, strlen(line) + 1);
	char buf[DTCP_REQUEST_SHOWN];

	assert_string_equal(request_shown(copy, buf, sizeof(buf)), expected);
	free(copy);
}

static void test_shown(void **state)
{
	char small[12];

	(void)state;
	expect_shown("tunnel foo " RESPONSE " host", "tunnel foo <response> host");
	expect_shown("tunnel foo " RESPONSE " network udp=4028 other",
		     "tunnel foo <response> network udp=4028 other");
	expect_shown("\t TuNNel\tfoo  " LOWER "  host ", "\t TuNNel\tfoo  <response>  host ");
	/* Also where something is wrong with it. */
	expect_shown("tunnel foo " RESPONSE, "tunnel foo <response>");
	expect_shown("tunnel foo\x80 " RESPONSE " host", "tunnel foo\x80 <response> host");
	expect_shown("tunnel foo", "tunnel foo");
	expect_shown("tunnel foo ", "tunnel foo ");
	expect_shown("tunnel", "tunnel");
	/* What is no such request is as it is. */
	expect_shown("ping one two three", "ping one two three");
	expect_shown("tunnels a b c", "tunnels a b c");
	expect_shown("", "");
	assert_string_equal(request_shown("tunnel a " RESPONSE " host", small, sizeof(small)),
			    "tunnel a <r");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_tunnel_unknown_type),
		cmocka_unit_test(test_tunnel_impossible_response),
		cmocka_unit_test(test_tunnel_not_well_formed),
		cmocka_unit_test(test_bad_words),
		cmocka_unit_test(test_user_name_lengths),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_forty_words),
		cmocka_unit_test(test_longest_lines),
		cmocka_unit_test(test_bare_words),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_udp),
		cmocka_unit_test(test_format_what_cannot_be_sent),
		cmocka_unit_test(test_format_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
