/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's state machine of one connection: every event in every state, every line it says. */
#include "server/control/conn.h"

#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHALLENGE "0B1517C87D516A5FA65BED722D51A04F"
#define RESPONSE  "DAC487C8DFBBF9EE5C7F8CDCC37B62A3"
#define REQUEST	  "tunnel foo " RESPONSE " "

#define PONG	"+OK hi, happy to hear from you"
#define HELP	"+OK valid commands are: TUNNEL PING QUIT"
#define BYE	"+OK good bye"
#define INVALID "-ERR invalid command"
#define DENIED	"-ERR authentication failed."
#define TIMEOUT "-ERR connection timed out, disconnecting"

static const enum conn_state all_states[] = {CONN_LOGIN, CONN_CHECK, CONN_HOLD,
					     CONN_ADD,	 CONN_UP,    CONN_END};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A connection, the clock, and what came out last. */
struct bench {
	struct conn_config config;
	struct conn conn;
	struct conn_actions actions;
	int64_t now;
};

static bool listens(const struct bench *bench)
{
	return conn_listens(&bench->conn, bench->now);
}

static void feed(struct bench *bench, const struct conn_event *event)
{
	memset(&bench->actions, 'x', sizeof(bench->actions));
	conn_feed(&bench->conn, event, bench->now, &bench->actions);
	assert_true((bench->actions.send[0] != '\0') ==
		    ((bench->actions.what & CONN_DO_SEND) != 0));
	/* Whatever can last has an end; what has ended has none. */
	assert_true((bench->conn.deadline > bench->now) == (bench->conn.state != CONN_END));
	assert_true(listens(bench) ==
		    (bench->conn.state == CONN_LOGIN || bench->conn.state == CONN_UP));
	assert_true(conn_wake(&bench->conn, bench->now) <= bench->conn.deadline);
}

static void feed_input(struct bench *bench, enum conn_input input)
{
	feed(bench, &(const struct conn_event){.input = input});
}

static void feed_line(struct bench *bench, const char *line)
{
	size_t len = strlen(line);
	/* Nothing behind the line, so that the sanitizers see a read past it. */
	char *copy = malloc(len + 1);

	assert_non_null(copy);
	memcpy(copy, line, len + 1);
	feed(bench, &(const struct conn_event){.input = CONN_LINE, .line = copy, .len = len});
	free(copy);
}

static void feed_reason(struct bench *bench, enum conn_input input, enum dtcp_reason reason)
{
	feed(bench, &(const struct conn_event){.input = input, .reason = reason});
}

static void feed_verdict(struct bench *bench, const struct server_verdict *verdict)
{
	feed(bench, &(const struct conn_event){.input = CONN_VERDICT, .verdict = verdict});
}

static void feed_result(struct bench *bench, enum server_result result)
{
	feed_verdict(bench, &(const struct server_verdict){.result = result});
}

static void feed_denied(struct bench *bench, uint32_t delay)
{
	const struct server_verdict verdict = {.result = SERVER_AUTH};

	feed(bench, &(const struct conn_event){
			    .input = CONN_VERDICT, .verdict = &verdict, .delay = delay});
}

static void expect(const struct bench *bench, enum conn_state state, unsigned int what,
		   const char *send)
{
	assert_string_equal(bench->actions.send, send ? send : "");
	assert_int_equal(bench->actions.what, what);
	assert_int_equal(bench->conn.state, state);
}

static void expect_nothing(const struct bench *bench, enum conn_state state)
{
	expect(bench, state, 0, NULL);
}

static void start(struct bench *bench)
{
	*bench = (struct bench){.now = 5000000};
	bench->config = (struct conn_config){
		.timeout_login = 60, .timeout_idle = 300, .attempts = 3, .lines = 1000};
	conn_init(&bench->conn, &bench->config, CHALLENGE, addr4("198.51.100.2"),
		  addr4("192.0.2.1"));
	assert_int_equal(bench->conn.deadline, -1);
	feed_input(bench, CONN_START);
	expect(bench, CONN_LOGIN, CONN_DO_SEND,
	       "+OK " CHALLENGE " dtcps ready, log in with TUNNEL");
	assert_int_equal(bench->conn.deadline, bench->now + 60000);
}

/* Along the shortest way, all at one time. */
static void reach(struct bench *bench, enum conn_state state)
{
	start(bench);
	if (state == CONN_LOGIN)
		return;
	if (state == CONN_END) {
		feed_line(bench, "quit");
		return;
	}
	feed_line(bench, REQUEST "tunnelonly");
	expect(bench, CONN_CHECK, CONN_DO_LOGIN, NULL);
	if (state == CONN_CHECK)
		return;
	if (state == CONN_HOLD) {
		feed_denied(bench, 1500);
		expect(bench, CONN_HOLD, CONN_DO_DENIED, NULL);
		return;
	}
	feed_result(bench, SERVER_GRANTED);
	expect(bench, CONN_ADD, CONN_DO_ADD, NULL);
	if (state == CONN_ADD)
		return;
	feed_input(bench, CONN_ADDED);
	expect(bench, CONN_UP, CONN_DO_SEND | CONN_DO_UP, "+OK 198.51.100.2 192.0.2.1");
}

/* --- lines ---------------------------------------------------------------------------------- */

static void test_commands(void **state)
{
	static const struct {
		const char *line;
		const char *answer;
	} rows[] = {
		{"ping", PONG},
		{"PING", PONG},
		{"  pInG \t", PONG},
		{"ping me", PONG},
		{"help", HELP},
		{"Help ping", HELP},
		{"", INVALID},
		{"   ", INVALID},
		{"pin", INVALID},
		{"pingping", INVALID},
		{"GET / HTTP/1.1", INVALID},
		{"ping\x01", INVALID},
		{"tunnel\xc3\xa9 a b c", INVALID},
		{"-ERR", INVALID},
	};
	static const enum conn_state states[] = {CONN_LOGIN, CONN_UP};

	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		for (size_t j = 0; j < COUNT(rows); j++) {
			struct bench bench;

			reach(&bench, states[i]);
			feed_line(&bench, rows[j].line);
			expect(&bench, states[i], CONN_DO_SEND, rows[j].answer);
		}
	}
}

static void test_quit(void **state)
{
	static const enum conn_state states[] = {CONN_LOGIN, CONN_UP};
	static const char *const lines[] = {"quit", "QUIT", " quit now"};

	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		for (size_t j = 0; j < COUNT(lines); j++) {
			struct bench bench;

			reach(&bench, states[i]);
			feed_line(&bench, lines[j]);
			expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE, BYE);
			assert_string_equal(bench.conn.ending, "client quit");
		}
	}
}

/* What comes too early waits outside; were it fed all the same, nothing would happen. */
static void test_ignored_lines(void **state)
{
	static const enum conn_state states[] = {CONN_CHECK, CONN_HOLD, CONN_ADD, CONN_END};
	static const char *const lines[] = {"ping", "help", "quit", "what", REQUEST "host"};

	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		for (size_t j = 0; j < COUNT(lines); j++) {
			struct bench bench;
			int64_t heard;

			reach(&bench, states[i]);
			assert_false(listens(&bench));
			heard = bench.conn.last_heard;
			bench.now += 10;
			feed_line(&bench, lines[j]);
			expect_nothing(&bench, states[i]);
			assert_int_equal(bench.conn.last_heard, heard);
			assert_int_equal(bench.conn.request.type,
					 states[i] == CONN_END ? TUNNEL_NONE : TUNNEL_ONLY);
		}
	}
}

/* Several requests in one segment: the second waits for the answer to the first. */
static void test_pipelining(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench);
	assert_true(listens(&bench));
	feed_line(&bench, "ping");
	assert_true(listens(&bench));
	feed_line(&bench, REQUEST "network");
	assert_false(listens(&bench));
	feed_result(&bench, SERVER_AUTH);
	assert_true(listens(&bench));
	feed_line(&bench, REQUEST "tunnelonly");
	assert_false(listens(&bench));
	feed_result(&bench, SERVER_GRANTED);
	assert_false(listens(&bench));
	feed_input(&bench, CONN_ADDED);
	assert_true(listens(&bench));
	feed_line(&bench, "quit");
	assert_false(listens(&bench));
}

/* --- requests ------------------------------------------------------------------------------- */

static void test_request(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench);
	/* Its user and its response as sent: monitor compares. */
	feed_line(&bench, "TUNNEL Foo dac487c8dfbbf9ee5c7f8cdcc37b62a3 TunnelRoute x-new=1");
	expect(&bench, CONN_CHECK, CONN_DO_LOGIN, NULL);
	assert_string_equal(bench.conn.request.user, "Foo");
	assert_string_equal(bench.conn.request.response, "dac487c8dfbbf9ee5c7f8cdcc37b62a3");
	assert_int_equal(bench.conn.request.type, TUNNEL_NETWORK);
	assert_string_equal(bench.conn.challenge, CHALLENGE);
}

/* Even an unknown type is monitor's to refuse: only who has the password learns of types. */
static void test_unknown_type_is_asked_about(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench);
	feed_line(&bench, REQUEST "carrier-pigeon");
	expect(&bench, CONN_CHECK, CONN_DO_LOGIN, NULL);
	assert_int_equal(bench.conn.request.type, TUNNEL_NONE);
	feed_result(&bench, SERVER_TYPE);
	expect(&bench, CONN_LOGIN, CONN_DO_SEND, "-ERR unsupported tunnel type carrier-pigeon");
}

static void test_malformed_requests(void **state)
{
	static const char *const lines[] = {
		"tunnel",
		"tunnel foo",
		"tunnel foo " RESPONSE,
		"tunnel " RESPONSE " host",
		"tunnel foo bar host",
		"tunnel foo DAC487C8DFBBF9EE5C7F8CDCC37B62A host",
		"tunnel foo DAC487C8DFBBF9EE5C7F8CDCC37B62A33 host",
		"tunnel foo DAC487C8DFBBF9EE5C7F8CDCC37B62Ag host",
		"tunnel f:o " RESPONSE " host",
		"tunnel 12345678901234567890123456789012345678901234567890123456789012345 " RESPONSE
		" host",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct bench bench;

		start(&bench);
		feed_line(&bench, lines[i]);
		expect(&bench, CONN_LOGIN, CONN_DO_SEND, DENIED);
		/* The connection is as good as new. */
		feed_line(&bench, REQUEST "host");
		expect(&bench, CONN_CHECK, CONN_DO_LOGIN, NULL);
	}
}

/* Said as what it is, whoever asks and with whatever password; and it is no failed login. */
static void test_bad_words(void **state)
{
	static const char *const words[][2] = {
		{"udp:4028", "udp:4028"}, {"4028", "4028"},   {"udp 4028", "4028"},
		{"udp=", "udp="},	  {"udp=0", "udp=0"}, {"UDP=70000", "UDP=70000"},
		{"udp udp=1", "udp=1"},	  {"x=1 X=2", "X=2"},
	};
	struct bench bench;

	(void)state;
	start(&bench);
	for (size_t i = 0; i < COUNT(words); i++) {
		char line[DTCP_LINE_SIZE], answer[DTCP_LINE_SIZE];

		(void)snprintf(line, sizeof(line), REQUEST "host %s", words[i][0]);
		(void)snprintf(answer, sizeof(answer),
			       "-ERR bad word after the tunnel type: %s (for UDP: udp or udp=port)",
			       words[i][1]);
		feed_line(&bench, line);
		expect(&bench, CONN_LOGIN, CONN_DO_SEND, answer);
	}
	feed_line(&bench, REQUEST "host colour=blue");
	expect(&bench, CONN_CHECK, CONN_DO_LOGIN, NULL);
}

static void test_second_request(void **state)
{
	static const char *const lines[] = {REQUEST "tunnelonly", REQUEST "host", "tunnel",
					    "tunnel you " RESPONSE " host udp"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct bench bench;

		reach(&bench, CONN_UP);
		feed_line(&bench, lines[i]);
		expect(&bench, CONN_UP, CONN_DO_SEND, "-ERR tunnel already established");
		/* The session stays what it was. */
		assert_string_equal(bench.conn.request.user, "foo");
		assert_int_equal(bench.conn.request.type, TUNNEL_ONLY);
	}
}

/* --- verdicts ------------------------------------------------------------------------------- */

/* Logs in and is granted what verdict says. */
static void expect_granted(const char *type, const struct server_verdict *verdict,
			   const char *address, const char *reply)
{
	struct bench bench;
	char line[200];

	start(&bench);
	if (address)
		bench.config.address = addr4(address);
	(void)snprintf(line, sizeof(line), REQUEST "%s", type);
	feed_line(&bench, line);
	bench.now += 1000;
	feed_verdict(&bench, verdict);
	expect(&bench, CONN_ADD, CONN_DO_ADD, NULL);
	bench.now += 1000;
	feed_input(&bench, CONN_ADDED);
	expect(&bench, CONN_UP, CONN_DO_SEND | CONN_DO_UP, reply);
	assert_int_equal(bench.conn.last_heard, bench.now);
	assert_int_equal(bench.conn.deadline, bench.now + 300000);
}

static void test_granted(void **state)
{
	struct server_verdict verdict = {.result = SERVER_GRANTED};

	(void)state;
	expect_granted("tunnelonly", &verdict, NULL, "+OK 198.51.100.2 192.0.2.1");
	/* -g: a server behind a 1:1 NAT */
	expect_granted("tunnelonly", &verdict, "203.0.113.9", "+OK 198.51.100.2 203.0.113.9");

	verdict.prefixes.n = 1;
	assert_int_equal(prefix6_parse("2001:db8:100:100::/56", &verdict.prefixes.list[0]),
			 PREFIX_OK);
	expect_granted("network", &verdict, NULL,
		       "+OK 198.51.100.2 192.0.2.1 2001:db8:100:100::/56");
	/* It is routed there, but there is no word for it in this reply. */
	expect_granted("tunnelonly", &verdict, NULL, "+OK 198.51.100.2 192.0.2.1");

	verdict.numbered = 1;
	verdict.me6 = addr6("2001:db8:1::2");
	verdict.her6 = addr6("2001:db8:1::1");
	expect_granted("network", &verdict, NULL,
		       "+OK 198.51.100.2 192.0.2.1 2001:db8:100:100::/56 "
		       "2001:db8:1::2 2001:db8:1::1");
	expect_granted("tunnelroute", &verdict, "203.0.113.9",
		       "+OK 198.51.100.2 203.0.113.9 2001:db8:100:100::/56 "
		       "2001:db8:1::2 2001:db8:1::1");

	verdict.prefixes.n = 0;
	expect_granted("host", &verdict, NULL,
		       "+OK 198.51.100.2 192.0.2.1 2001:db8:1::2 2001:db8:1::1");
}

static void test_refused_by_monitor(void **state)
{
	static const struct {
		enum server_result result;
		unsigned int what;
		const char *answer;
	} rows[] = {
		{SERVER_AUTH, CONN_DO_SEND | CONN_DO_DENIED, DENIED},
		{SERVER_TYPE, CONN_DO_SEND, "-ERR unsupported tunnel type Host"},
		{SERVER_SOLD_OUT, CONN_DO_SEND, "-ERR tunnel interface sold out"},
		{SERVER_FAILED, CONN_DO_SEND, "-ERR internal error, try again later"},
	};
	/* With udp, too: what is wrong with the login is said first. */
	static const char *const lines[] = {REQUEST "Host", REQUEST "Host udp"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t j = 0; j < COUNT(lines); j++) {
			struct bench bench;

			start(&bench);
			feed_line(&bench, lines[j]);
			feed_result(&bench, rows[i].result);
			expect(&bench, CONN_LOGIN, rows[i].what, rows[i].answer);
			/* It can try again, on the same challenge. */
			assert_string_equal(bench.conn.challenge, CHALLENGE);
			feed_line(&bench, REQUEST "tunnelonly");
			expect(&bench, CONN_CHECK, CONN_DO_LOGIN, NULL);
		}
	}
}

/* Guessing goes on with a new challenge only; other refusals are no guesses. */
static void test_too_many_failed_logins(void **state)
{
	struct bench bench;

	(void)state;
	for (uint32_t attempts = 1; attempts <= 4; attempts++) {
		start(&bench);
		bench.config.attempts = attempts;
		for (uint32_t i = 1; i <= attempts; i++) {
			feed_line(&bench, REQUEST "tunnelonly");
			feed_result(&bench, SERVER_SOLD_OUT);
			assert_int_equal(bench.conn.state, CONN_LOGIN);
			feed_line(&bench, "tunnel foo");
			expect(&bench, CONN_LOGIN, CONN_DO_SEND, DENIED);
			feed_line(&bench, REQUEST "tunnelonly");
			feed_result(&bench, SERVER_AUTH);
			if (i < attempts)
				expect(&bench, CONN_LOGIN, CONN_DO_SEND | CONN_DO_DENIED, DENIED);
		}
		expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_DENIED | CONN_DO_CLOSE, DENIED);
		assert_string_equal(bench.conn.ending, "too many failed logins");
	}
}

/* --- failures that are answered later ------------------------------------------------------- */

/* The answer comes so long after the request, however long it took to find out. */
static void test_held_answer(void **state)
{
	static const int64_t took[] = {0, 1, 700, 1499};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < COUNT(took); i++) {
		int64_t when;

		reach(&bench, CONN_CHECK);
		when = bench.now + 1500;
		bench.now += took[i];
		feed_denied(&bench, 1500);
		/* It is in the log at once, and nothing is heard meanwhile. */
		expect(&bench, CONN_HOLD, CONN_DO_DENIED, NULL);
		assert_int_equal(conn_wake(&bench.conn, bench.now), when);
		bench.now = when - 1;
		feed_input(&bench, CONN_TIME);
		expect_nothing(&bench, CONN_HOLD);
		bench.now = when;
		feed_input(&bench, CONN_TIME);
		expect(&bench, CONN_LOGIN, CONN_DO_SEND, DENIED);
		feed_line(&bench, REQUEST "tunnelonly");
		expect(&bench, CONN_CHECK, CONN_DO_LOGIN, NULL);
	}
	/* One that took longer than that is answered at once. */
	reach(&bench, CONN_CHECK);
	bench.now += 1500;
	feed_denied(&bench, 1500);
	expect(&bench, CONN_LOGIN, CONN_DO_SEND | CONN_DO_DENIED, DENIED);
}

/* Also where nothing is held back. */
static void test_refusals_count(void **state)
{
	const struct conn_event refused = {
		.input = CONN_REFUSED, .reason = REASON_FAILURES, .failed = true};
	struct bench bench;

	(void)state;
	start(&bench);
	for (int i = 1; i <= 3; i++) {
		feed_line(&bench, REQUEST "tunnelonly");
		feed(&bench, &refused);
	}
	expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE,
	       "-ERR too many failed logins, try again later");
}

/* Those that are not even looked into count like the others. */
static void test_held_refusals_count(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench);
	for (int i = 1; i <= 3; i++) {
		feed_line(&bench, REQUEST "tunnelonly");
		feed(&bench, &(const struct conn_event){.input = CONN_REFUSED,
							.reason = REASON_FAILURES,
							.failed = true,
							.delay = 5000});
		expect_nothing(&bench, CONN_HOLD);
		bench.now += 5000;
		feed_input(&bench, CONN_TIME);
		if (i < 3)
			expect(&bench, CONN_LOGIN, CONN_DO_SEND,
			       "-ERR too many failed logins, try again later");
	}
	expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE,
	       "-ERR too many failed logins, try again later");
	assert_string_equal(bench.conn.ending, "too many failed logins");
}

/* The time to log in does not stop. */
static void test_held_too_long(void **state)
{
	struct bench bench;
	int64_t end;

	(void)state;
	start(&bench);
	end = bench.now + 60000;
	bench.now += 58000;
	feed_line(&bench, REQUEST "tunnelonly");
	feed_denied(&bench, 5000);
	assert_int_equal(conn_wake(&bench.conn, bench.now), end);
	bench.now = end;
	feed_input(&bench, CONN_TIME);
	expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE, TIMEOUT);
}

/* --- lines that come too fast --------------------------------------------------------------- */

static void test_lines_a_second(void **state)
{
	static const enum conn_state states[] = {CONN_LOGIN, CONN_UP};
	const struct conn_event ping = {.input = CONN_LINE, .line = "ping", .len = 4};
	const struct conn_event time = {.input = CONN_TIME};

	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		struct bench bench;
		int64_t begin;
		int heard = 0;

		reach(&bench, states[i]);
		bench.config.lines = 20;
		rate_init(&bench.conn.lines, 20, (uint64_t)bench.now);
		begin = bench.now;
		while (bench.now < begin + 5000) {
			int64_t wake;

			while (listens(&bench)) {
				conn_feed(&bench.conn, &ping, bench.now, &bench.actions);
				assert_string_equal(bench.actions.send, PONG);
				heard++;
			}
			/* Fed all the same, it is not heard. */
			conn_feed(&bench.conn, &ping, bench.now, &bench.actions);
			assert_int_equal(bench.actions.what, 0);
			/* No more often than there is something to hear. */
			wake = conn_wake(&bench.conn, bench.now);
			assert_in_range(wake - bench.now, 1, 50);
			bench.now = wake;
			conn_feed(&bench.conn, &time, bench.now, &bench.actions);
			assert_int_equal(bench.actions.what, 0);
			assert_true(listens(&bench));
		}
		assert_int_equal(heard, 10 + 20 * 5 - 1);
	}
}

/* The type comes back as it was sent, but no more of it than fits. */
static void test_long_type(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench);
	feed_line(&bench, REQUEST "abcdefghijklmnopqrstuvwxyz0123456789");
	feed_result(&bench, SERVER_TYPE);
	expect(&bench, CONN_LOGIN, CONN_DO_SEND,
	       "-ERR unsupported tunnel type abcdefghijklmnopqrstuvwxyz01234");
}

/* Logs in over UDP with these words, and is granted what verdict says. */
static void expect_udp(const char *words, uint16_t named, const struct server_verdict *verdict,
		       const char *reply)
{
	struct bench bench;
	char line[200];

	start(&bench);
	bench.config.udp_port = 4028;
	(void)snprintf(line, sizeof(line), REQUEST "%s", words);
	feed_line(&bench, line);
	expect(&bench, CONN_CHECK, CONN_DO_LOGIN, NULL);
	/* For forward: where to send at once; 0: what is to be learned. */
	assert_true(bench.conn.request.udp);
	assert_int_equal(bench.conn.request.udp_port, named);
	feed_verdict(&bench, verdict);
	expect(&bench, CONN_ADD, CONN_DO_ADD, NULL);
	feed_input(&bench, CONN_ADDED);
	expect(&bench, CONN_UP, CONN_DO_SEND | CONN_DO_UP, reply);
}

#define UDP_WORDS " udp=4028 session=0123456789abcdef"

static void test_udp(void **state)
{
	struct server_verdict verdict = {
		.result = SERVER_GRANTED,
		.session = 0x0123456789abcdef,
	};

	(void)state;
	expect_udp("tunnelonly udp", 0, &verdict, "+OK 198.51.100.2 192.0.2.1" UDP_WORDS);
	/* Where the client is does not change where the server is. */
	expect_udp("tunnelonly UDP=5000", 5000, &verdict, "+OK 198.51.100.2 192.0.2.1" UDP_WORDS);
	expect_udp("tunnelonly other udp=1", 1, &verdict, "+OK 198.51.100.2 192.0.2.1" UDP_WORDS);
	verdict.prefixes.n = verdict.numbered = 1;
	assert_int_equal(prefix6_parse("2001:db8:100:100::/56", &verdict.prefixes.list[0]),
			 PREFIX_OK);
	verdict.me6 = addr6("2001:db8:1::2");
	verdict.her6 = addr6("2001:db8:1::1");
	expect_udp("network udp", 0, &verdict,
		   "+OK 198.51.100.2 192.0.2.1 2001:db8:100:100::/56 "
		   "2001:db8:1::2 2001:db8:1::1" UDP_WORDS);
	verdict.session = 1;
	verdict.prefixes.n = 0;
	expect_udp("host udp", 0, &verdict,
		   "+OK 198.51.100.2 192.0.2.1 2001:db8:1::2 2001:db8:1::1 udp=4028 "
		   "session=0000000000000001");
}

/* Whoever did not ask for UDP is not told of it, for an old client may not like more words. */
static void test_udp_is_not_pressed_on_anybody(void **state)
{
	const struct server_verdict verdict = {.result = SERVER_GRANTED, .session = 77};
	struct bench bench;

	(void)state;
	start(&bench);
	bench.config.udp_port = 4028;
	feed_line(&bench, REQUEST "tunnelonly");
	feed_verdict(&bench, &verdict);
	feed_input(&bench, CONN_ADDED);
	expect(&bench, CONN_UP, CONN_DO_SEND | CONN_DO_UP, "+OK 198.51.100.2 192.0.2.1");
	/* Nor after a login over UDP that came to nothing. */
	start(&bench);
	bench.config.udp_port = 4028;
	feed_line(&bench, REQUEST "tunnelonly udp");
	feed_verdict(&bench, &verdict);
	feed_reason(&bench, CONN_REFUSED, REASON_SOLD_OUT);
	feed_line(&bench, REQUEST "tunnelonly");
	feed_result(&bench, SERVER_GRANTED);
	feed_input(&bench, CONN_ADDED);
	expect(&bench, CONN_UP, CONN_DO_SEND | CONN_DO_UP, "+OK 198.51.100.2 192.0.2.1");
}

/* A session without a number could be kept alive by nobody. */
static void test_udp_without_session(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench);
	bench.config.udp_port = 4028;
	feed_line(&bench, REQUEST "tunnelonly udp");
	feed_result(&bench, SERVER_GRANTED);
	feed_input(&bench, CONN_ADDED);
	expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE,
	       "-ERR internal error, try again later");
}

static void test_udp_not_offered(void **state)
{
	static const char *const lines[] = {REQUEST "tunnelonly udp", REQUEST "tunnelonly UDP=4028",
					    REQUEST "tunnelonly other udp=1"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct bench bench;

		start(&bench);
		feed_line(&bench, lines[i]);
		expect(&bench, CONN_CHECK, CONN_DO_LOGIN, NULL);
		feed_result(&bench, SERVER_TRANSPORT);
		expect(&bench, CONN_LOGIN, CONN_DO_SEND, "-ERR unsupported transport udp");
		/* And then without. */
		feed_line(&bench, REQUEST "tunnelonly");
		feed_result(&bench, SERVER_GRANTED);
		expect(&bench, CONN_ADD, CONN_DO_ADD, NULL);
	}
}

/* All prefixes are in the reply, the first one where old clients look for it. */
static void test_several_prefixes(void **state)
{
	struct server_verdict verdict = {.result = SERVER_GRANTED, .prefixes.n = 2};
	const struct conn_event event = {.input = CONN_VERDICT, .verdict = &verdict};
	struct bench bench;

	(void)state;
	assert_int_equal(prefix6_parse("2001:db8:100::/48", &verdict.prefixes.list[0]), PREFIX_OK);
	assert_int_equal(prefix6_parse("2001:db8:200::/56", &verdict.prefixes.list[1]), PREFIX_OK);
	start(&bench);
	feed_line(&bench, REQUEST "network");
	feed(&bench, &event);
	expect(&bench, CONN_ADD, CONN_DO_ADD, NULL);
	assert_int_equal(bench.conn.reply.n_prefixes, 2);
	feed_input(&bench, CONN_ADDED);
	assert_non_null(strstr(bench.actions.send, " 2001:db8:100::/48 2001:db8:200::/56"));
}

/* Whoever knows the password hears why it does not help. */
static void test_account_refused(void **state)
{
	static const struct {
		enum server_result result;
		const char *answer;
	} rows[] = {
		{SERVER_DISABLED, "-ERR account disabled"},
		{SERVER_EXPIRED, "-ERR account expired"},
		{SERVER_PROTO41, "-ERR unsupported transport ipv6, use udp"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench bench;

		start(&bench);
		feed_line(&bench, REQUEST "host");
		feed_result(&bench, rows[i].result);
		expect(&bench, CONN_LOGIN, CONN_DO_SEND, rows[i].answer);
	}
}

/* A session ends with more words than the reason's own. */
static void test_finish_why(void **state)
{
	const struct conn_event event = {
		.input = CONN_FINISH, .reason = REASON_ACCOUNT, .why = "account changed: disabled"};
	struct bench bench;

	(void)state;
	reach(&bench, CONN_UP);
	feed(&bench, &event);
	expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE, "-ERR account changed: disabled");
	assert_string_equal(bench.conn.ending, "account changed: disabled");
}

static void test_refused_by_control_or_forward(void **state)
{
	static const enum conn_state states[] = {CONN_CHECK, CONN_ADD};
	static const enum dtcp_reason reasons[] = {REASON_IN_USE, REASON_SOLD_OUT};

	(void)state;
	for (size_t i = 0; i < COUNT(states); i++) {
		for (size_t j = 0; j < COUNT(reasons); j++) {
			struct bench bench;
			char answer[100];

			reach(&bench, states[i]);
			feed_reason(&bench, CONN_REFUSED, reasons[j]);
			(void)snprintf(answer, sizeof(answer), "-ERR %s", reason_text(reasons[j]));
			expect(&bench, CONN_LOGIN, CONN_DO_SEND, answer);
		}
	}
}

/* Answers to what was not asked, or no longer matters. */
static void test_stray_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(all_states); i++) {
		struct bench bench;

		if (all_states[i] != CONN_CHECK) {
			reach(&bench, all_states[i]);
			for (enum server_result result = SERVER_GRANTED; result <= SERVER_FAILED;
			     result++) {
				feed_result(&bench, result);
				expect_nothing(&bench, all_states[i]);
			}
		}
		if (all_states[i] != CONN_ADD) {
			reach(&bench, all_states[i]);
			feed_input(&bench, CONN_ADDED);
			expect_nothing(&bench, all_states[i]);
		}
		if (all_states[i] != CONN_CHECK && all_states[i] != CONN_ADD) {
			reach(&bench, all_states[i]);
			feed_reason(&bench, CONN_REFUSED, REASON_INTERNAL);
			expect_nothing(&bench, all_states[i]);
		}
	}
}

/* A reply that cannot be written ends the session rather than lie about it. */
static void test_reply_that_cannot_be_written(void **state)
{
	struct bench bench;

	(void)state;
	reach(&bench, CONN_ADD);
	bench.conn.reply.n_prefixes = DTCP_PREFIXES_MAX + 1;
	feed_input(&bench, CONN_ADDED);
	expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE,
	       "-ERR internal error, try again later");
	assert_string_equal(bench.conn.ending, "the reply is too long");
}

/* Nothing of what was granted and given back is left in the next reply. */
static void test_replies_are_not_mixed(void **state)
{
	struct server_verdict verdict = {.result = SERVER_GRANTED, .numbered = 1, .prefixes.n = 1};
	struct bench bench;

	(void)state;
	verdict.me6 = addr6("2001:db8:1::2");
	verdict.her6 = addr6("2001:db8:1::1");
	assert_int_equal(prefix6_parse("2001:db8:2::/48", &verdict.prefixes.list[0]), PREFIX_OK);
	start(&bench);
	feed_line(&bench, REQUEST "network");
	feed_verdict(&bench, &verdict);
	feed_reason(&bench, CONN_REFUSED, REASON_INTERNAL);
	feed_line(&bench, REQUEST "tunnelonly");
	feed_result(&bench, SERVER_GRANTED);
	feed_input(&bench, CONN_ADDED);
	expect(&bench, CONN_UP, CONN_DO_SEND | CONN_DO_UP, "+OK 198.51.100.2 192.0.2.1");
}

/* --- time ----------------------------------------------------------------------------------- */

static void expect_timeout_at(struct bench *bench, int64_t when)
{
	enum conn_state before = bench->conn.state;

	assert_int_equal(bench->conn.deadline, when);
	/* A timer that fires too early changes nothing. */
	bench->now = when - 1;
	feed_input(bench, CONN_TIME);
	expect_nothing(bench, before);
	bench->now = when;
	feed_input(bench, CONN_TIME);
	expect(bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE, TIMEOUT);
	assert_string_equal(bench->conn.ending, "timed out");
}

/* A minute to log in, from the start; nothing that comes makes it more. */
static void test_login_timeout(void **state)
{
	static const char *const lines[] = {"ping", "help", "", "tunnel", REQUEST "host"};
	struct bench bench;
	int64_t end;

	(void)state;
	start(&bench);
	end = bench.now + 60000;
	for (size_t i = 0; i < COUNT(lines); i++) {
		bench.now += 11000;
		feed_line(&bench, lines[i]);
		assert_int_equal(bench.conn.last_heard, bench.now);
		assert_int_equal(bench.conn.deadline, end);
		if (bench.conn.state == CONN_CHECK)
			feed_result(&bench, SERVER_AUTH);
	}
	expect_timeout_at(&bench, end);
}

/* Rooms that do not answer do not hold it up either. */
static void test_timeout_while_asking(void **state)
{
	struct bench bench;

	(void)state;
	reach(&bench, CONN_CHECK);
	expect_timeout_at(&bench, bench.now + 60000);
	reach(&bench, CONN_ADD);
	expect_timeout_at(&bench, bench.now + 60000);
	/* What comes afterwards has nobody to go to. */
	feed_input(&bench, CONN_ADDED);
	expect_nothing(&bench, CONN_END);
}

/* Any line is a sign of life, also one that is not understood. */
static void test_idle_timeout(void **state)
{
	static const char *const lines[] = {"ping", "help", "nonsense", "", REQUEST "host"};
	struct bench bench;

	(void)state;
	reach(&bench, CONN_UP);
	for (size_t i = 0; i < COUNT(lines); i++) {
		bench.now += 299999;
		feed_line(&bench, lines[i]);
		assert_int_equal(bench.conn.last_heard, bench.now);
		assert_int_equal(bench.conn.deadline, bench.now + 300000);
	}
	expect_timeout_at(&bench, bench.now + 300000);
}

static void test_other_timeouts(void **state)
{
	struct bench bench;

	(void)state;
	bench = (struct bench){.now = 77};
	bench.config =
		(struct conn_config){.timeout_login = 86400, .timeout_idle = 1, .lines = 1000};
	conn_init(&bench.conn, &bench.config, CHALLENGE, addr4("198.51.100.2"), addr4("192.0.2.1"));
	feed_input(&bench, CONN_START);
	assert_int_equal(bench.conn.deadline, 77 + 86400000);
	feed_line(&bench, REQUEST "tunnelonly");
	feed_result(&bench, SERVER_GRANTED);
	feed_input(&bench, CONN_ADDED);
	expect_timeout_at(&bench, 77 + 1000);
}

/* The types that are offered are in the greeting's text. */
static void test_greeting(void **state)
{
	static const struct {
		unsigned int types;
		const char *text;
	} rows[] = {
		{0, ""},
		{1U << TUNNEL_ONLY, " types=tunnelonly"},
		{1U << TUNNEL_ONLY | 1U << TUNNEL_NETWORK, " types=tunnelonly,network"},
		{1U << TUNNEL_HOST | 1U << TUNNEL_NETWORK, " types=host,network"},
	};
	struct bench bench;
	char line[DTCP_LINE_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bench = (struct bench){
			.config = {.timeout_login = 60, .lines = 1000, .types = rows[i].types}};
		conn_init(&bench.conn, &bench.config, CHALLENGE, addr4("198.51.100.2"),
			  addr4("192.0.2.1"));
		feed_input(&bench, CONN_START);
		(void)snprintf(line, sizeof(line), "+OK %s dtcps ready, log in with TUNNEL%s",
			       CHALLENGE, rows[i].text);
		assert_string_equal(bench.actions.send, line);
	}
}

/* --- ends ----------------------------------------------------------------------------------- */

static void test_bad_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(all_states); i++) {
		struct bench bench;

		reach(&bench, all_states[i]);
		feed_input(&bench, CONN_BAD);
		if (all_states[i] == CONN_END) {
			expect_nothing(&bench, CONN_END);
			continue;
		}
		expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE, INVALID);
		assert_string_equal(bench.conn.ending, "client not understood");
	}
}

static void test_finish(void **state)
{
	static const enum dtcp_reason reasons[] = {REASON_SUPERSEDED, REASON_ACCOUNT,
						   REASON_STOPPING, REASON_TIMEOUT};

	(void)state;
	for (size_t i = 0; i < COUNT(all_states); i++) {
		for (size_t j = 0; j < COUNT(reasons); j++) {
			struct bench bench;
			char answer[100];

			reach(&bench, all_states[i]);
			feed_reason(&bench, CONN_FINISH, reasons[j]);
			if (all_states[i] == CONN_END) {
				expect_nothing(&bench, CONN_END);
				continue;
			}
			(void)snprintf(answer, sizeof(answer), "-ERR %s", reason_text(reasons[j]));
			expect(&bench, CONN_END, CONN_DO_SEND | CONN_DO_CLOSE, answer);
			assert_string_equal(bench.conn.ending, reason_text(reasons[j]));
		}
	}
}

/* After the end, the end. */
static void test_nothing_after_the_end(void **state)
{
	struct bench bench;

	(void)state;
	reach(&bench, CONN_END);
	bench.now += 10000000;
	feed_input(&bench, CONN_TIME);
	expect_nothing(&bench, CONN_END);
	feed_input(&bench, CONN_START);
	expect_nothing(&bench, CONN_END);
	assert_string_equal(bench.conn.ending, "client quit");
}

/* A connection that has gone wants nothing more, whatever it was waiting for. */
static void test_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(all_states); i++) {
		struct bench bench;

		reach(&bench, all_states[i]);
		conn_lost(&bench.conn, "gone");
		assert_string_equal(bench.conn.ending, "gone");
		assert_true(conn_wake(&bench.conn, bench.now) < 0);
		feed_input(&bench, CONN_TIME);
		expect_nothing(&bench, CONN_END);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_quit),
		cmocka_unit_test(test_ignored_lines),
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_unknown_type_is_asked_about),
		cmocka_unit_test(test_malformed_requests),
		cmocka_unit_test(test_bad_words),
		cmocka_unit_test(test_second_request),
		cmocka_unit_test(test_granted),
		cmocka_unit_test(test_refused_by_monitor),
		cmocka_unit_test(test_too_many_failed_logins),
		cmocka_unit_test(test_held_answer),
		cmocka_unit_test(test_refusals_count),
		cmocka_unit_test(test_held_refusals_count),
		cmocka_unit_test(test_held_too_long),
		cmocka_unit_test(test_lines_a_second),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_long_type),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_udp_is_not_pressed_on_anybody),
		cmocka_unit_test(test_udp_without_session),
		cmocka_unit_test(test_udp_not_offered),
		cmocka_unit_test(test_several_prefixes),
		cmocka_unit_test(test_account_refused),
		cmocka_unit_test(test_finish_why),
		cmocka_unit_test(test_refused_by_control_or_forward),
		cmocka_unit_test(test_stray_answers),
		cmocka_unit_test(test_reply_that_cannot_be_written),
		cmocka_unit_test(test_replies_are_not_mixed),
		cmocka_unit_test(test_login_timeout),
		cmocka_unit_test(test_timeout_while_asking),
		cmocka_unit_test(test_idle_timeout),
		cmocka_unit_test(test_other_timeouts),
		cmocka_unit_test(test_greeting),
		cmocka_unit_test(test_bad_line),
		cmocka_unit_test(test_finish),
		cmocka_unit_test(test_nothing_after_the_end),
	};

	return cmocka_run_group_tests_name("server conn", tests, NULL, NULL);
}
