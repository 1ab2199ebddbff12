/* SPDX-License-Identifier: BSD-2-Clause */
/* The way from the start to a tunnel, and everything that can go wrong on it. */
#include "rig.h"

#include "tests/unit/proto/addresses.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Ends of the session before there is a tunnel. */
#define FAILED (SESSION_DO_CLOSE | SESSION_DO_EXIT)

static void start(struct rig *rig, enum tunnel_type type)
{
	rig_init(rig);
	rig->session.config.type = type;
	rig_input(rig, SESSION_START);
	rig_expect(rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	assert_int_equal(rig->session.deadline, rig->now + SESSION_CONNECT_MS);
	rig_wait(rig, 17);
	rig_connected(rig);
	rig_expect(rig, SESSION_GREETING, 0, NULL, "");
	assert_int_equal(rig->session.deadline, rig->now + SESSION_LOGIN_MS);
	rig_wait(rig, 23);
}

/* Up to the request, which has just been sent. */
static void log_in(struct rig *rig, enum tunnel_type type)
{
	char request[100];

	start(rig, type);
	(void)snprintf(request, sizeof(request), "tunnel foo " RIG_RESPONSE " %s",
		       tunnel_type_name(type));
	rig_line(rig, RIG_GREETING);
	rig_expect(rig, SESSION_LOGIN, SESSION_DO_SEND, request, "");
	assert_int_equal(rig->session.deadline, rig->now + SESSION_LOGIN_MS);
	rig_wait(rig, 31);
}

static void succeed(struct rig *rig, enum tunnel_type type, const char *reply)
{
	log_in(rig, type);
	rig_line(rig, reply);
	rig_expect(rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
	rig_wait(rig, 29000); /* a slow script */
	rig_input(rig, SESSION_RAISED);
	rig_expect(rig, SESSION_UP, 0, NULL, "");
	assert_int_equal(rig->session.deadline, rig->now + 60000);
}

static void expect_ipv4(struct in_addr addr, const char *expected)
{
	char text[INET_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET, &addr, text, sizeof(text)), expected);
}

static void expect_ipv6(struct in6_addr addr, const char *expected)
{
	char text[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET6, &addr, text, sizeof(text)), expected);
}

static void test_tunnelonly(void **state)
{
	struct rig rig;

	(void)state;
	succeed(&rig, TUNNEL_ONLY, "+OK 198.51.100.2 192.0.2.99");
	expect_ipv4(rig.session.local, RIG_LOCAL);
	expect_ipv4(rig.session.remote, RIG_REMOTE);
	expect_ipv4(rig.session.reply.me, "198.51.100.2");
	expect_ipv4(rig.session.reply.her, "192.0.2.99");
	assert_false(rig.session.reply.has_me6);
	assert_int_equal(rig.session.reply.n_prefixes, 0);
}

static void test_host(void **state)
{
	struct rig rig;

	(void)state;
	succeed(&rig, TUNNEL_HOST, RIG_REPLY " 2001:db8::2 2001:db8::1");
	assert_true(rig.session.reply.has_me6 && rig.session.reply.has_her6);
	expect_ipv6(rig.session.reply.me6, "2001:db8::2");
	expect_ipv6(rig.session.reply.her6, "2001:db8::1");
	assert_int_equal(rig.session.reply.n_prefixes, 0);
}

static void test_network(void **state)
{
	struct rig rig;
	char text[PREFIX6_STRLEN];

	(void)state;
	succeed(&rig, TUNNEL_NETWORK, RIG_REPLY " 2001:db8:100:100::/56,fd00:1::/48");
	assert_false(rig.session.reply.has_me6);
	assert_int_equal(rig.session.reply.n_prefixes, 2);
	assert_string_equal(prefix6_format(&rig.session.reply.prefixes[0], text),
			    "2001:db8:100:100::/56");
	assert_string_equal(prefix6_format(&rig.session.reply.prefixes[1], text), "fd00:1::/48");
}

static void test_numbered_network(void **state)
{
	struct rig rig;

	(void)state;
	succeed(&rig, TUNNEL_NETWORK, RIG_REPLY " 2001:db8::2 2001:db8::1 2001:db8:1::/48");
	assert_true(rig.session.reply.has_me6 && rig.session.reply.has_her6);
	assert_int_equal(rig.session.reply.n_prefixes, 1);
}

/* Nothing of the last session's reply is left in the next one's. */
static void test_reply_is_not_mixed(void **state)
{
	struct rig rig;

	(void)state;
	succeed(&rig, TUNNEL_NETWORK, RIG_REPLY " 2001:db8::2 2001:db8::1 2001:db8:1::/48");
	rig_input(&rig, SESSION_RECONNECT);
	rig_line(&rig, "+OK bye");
	rig_input(&rig, SESSION_LOWERED);
	rig_connected(&rig);
	rig_line(&rig, RIG_GREETING);
	rig_line(&rig, RIG_REPLY " 2001:db8:2::/48");
	assert_false(rig.session.reply.has_me6 || rig.session.reply.has_her6);
	assert_int_equal(rig.session.reply.n_prefixes, 1);
}

/* A prefix that was not asked for would only be rejected. */
static void test_unrequested_prefix(void **state)
{
	struct rig rig;

	(void)state;
	succeed(&rig, TUNNEL_ONLY, RIG_REPLY " 2001:db8:1::/48");
	assert_int_equal(rig.session.reply.n_prefixes, 0);
	succeed(&rig, TUNNEL_HOST, RIG_REPLY " 2001:db8::2 2001:db8::1 2001:db8:1::/48");
	assert_true(rig.session.reply.has_me6 && rig.session.reply.has_her6);
	assert_int_equal(rig.session.reply.n_prefixes, 0);
}

static void test_no_connection(void **state)
{
	static const struct {
		enum client_exit status;
		const char *text;
	} rows[] = {
		{CLIENT_NAME, "server name not found: nodename nor servname provided"},
		{CLIENT_UNREACHABLE, "cannot connect to 192.0.2.1 port 20200: No route to host"},
		{CLIENT_REFUSED, "cannot connect to 192.0.2.1 port 20200: Connection refused"},
		{CLIENT_TIMEOUT, "cannot connect to 192.0.2.1 port 20200: Connection timed out"},
		{CLIENT_LOCAL, "cannot connect to 192.0.2.1 port 20200: Cannot allocate memory"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig;
		char message[200];

		rig_init(&rig);
		rig_reach(&rig, SESSION_CONNECT);
		rig_failed(&rig, rows[i].status, rows[i].text);
		(void)snprintf(message, sizeof(message), "broker.example: %s", rows[i].text);
		rig_expect(&rig, SESSION_DONE, FAILED, NULL, message);
		assert_true(rig.actions.warning);
		rig_expect_exit(&rig, rows[i].status);
	}
}

static void test_timeouts(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_input(&rig, SESSION_START);
	rig_deadline(&rig, 20000);
	rig_expect(&rig, SESSION_DONE, FAILED, NULL, "broker.example: connection timed out");
	rig_expect_exit(&rig, CLIENT_TIMEOUT);

	rig_init(&rig);
	rig_reach(&rig, SESSION_GREETING);
	rig_deadline(&rig, 10000);
	rig_expect(&rig, SESSION_DONE, FAILED, NULL,
		   "broker.example: connected, but no answer within 10 s");
	rig_expect_exit(&rig, CLIENT_TIMEOUT);

	rig_init(&rig);
	rig_reach(&rig, SESSION_LOGIN);
	rig_deadline(&rig, 10000);
	rig_expect(&rig, SESSION_DONE, FAILED, NULL,
		   "broker.example: connected, but no answer within 10 s");
	rig_expect_exit(&rig, CLIENT_TIMEOUT);
}

static void expect_line_fails(enum session_state in, enum tunnel_type type, const char *line,
			      enum client_exit status, const char *message)
{
	struct rig rig;

	rig_init(&rig);
	rig.session.config.type = type;
	rig_reach(&rig, in);
	rig_line(&rig, line);
	rig_expect(&rig, SESSION_DONE, FAILED, NULL, message);
	assert_true(rig.actions.warning);
	rig_expect_exit(&rig, status);
}

static void test_greeting_garbage(void **state)
{
	static const char *const rows[][2] = {
		{"", "is empty"},
		{"+OK", "has no challenge"},
		{"+OK  \t ", "has no challenge"},
		{"SSH-2.0-OpenSSH_9.2", "begins neither with +OK nor with -ERR"},
		{"HTTP/1.1 400 Bad Request", "begins neither with +OK nor with -ERR"},
	};
	char message[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(message, sizeof(message),
			       "broker.example: the server's greeting is not understood: %s",
			       rows[i][1]);
		expect_line_fails(SESSION_GREETING, TUNNEL_ONLY, rows[i][0], CLIENT_GARBAGE,
				  message);
	}
}

static void test_greeting_refuses(void **state)
{
	(void)state;
	expect_line_fails(SESSION_GREETING, TUNNEL_ONLY, "-ERR too many clients", CLIENT_SERVER,
			  "broker.example: refused by the server: too many clients");
	expect_line_fails(SESSION_GREETING, TUNNEL_ONLY, "-ERR", CLIENT_SERVER,
			  "broker.example: refused by the server: ");
	/* It cannot be about the password: none has been sent yet. */
	expect_line_fails(SESSION_GREETING, TUNNEL_ONLY, "-ERR authentication failed.",
			  CLIENT_SERVER,
			  "broker.example: refused by the server: authentication failed.");
	expect_line_fails(
		SESSION_GREETING, TUNNEL_ONLY, "-ERR \x1b[2J\x9b\rpl\xc3\xa4tze: 0\\",
		CLIENT_SERVER,
		"broker.example: refused by the server: \\x1b[2J\\x9b\\x0dpl\\xc3\\xa4tze: "
		"0\\x5c");
}

/* The challenge is taken as it comes, and what follows it is not looked at. */
static void test_greetings(void **state)
{
	static const char *const texts[] = {"", " gr\xc3\xbc\xc3\x9f dich", " \x1b[2J\xff\x9b"};
	char line[DTCP_LINE_MAX + 1] = "+OK ";
	char response[DTCP_RESPONSE_SIZE], request[100];
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		start(&rig, TUNNEL_ONLY);
		(void)snprintf(line, sizeof(line), "+OK " RIG_CHALLENGE "%s", texts[i]);
		rig_line(&rig, line);
		rig_expect(&rig, SESSION_LOGIN, SESSION_DO_SEND,
			   "tunnel foo " RIG_RESPONSE " tunnelonly", "");
	}
	for (size_t len = 100; len <= DTCP_LINE_MAX - 4; len += 51) {
		memset(line + 4, '\xe9', len);
		line[4 + len] = '\0';
		assert_true(digest_response(RIG_USER, line + 4, RIG_PASSWORD, response));
		(void)snprintf(request, sizeof(request), "tunnel foo %s tunnelonly", response);
		start(&rig, TUNNEL_ONLY);
		rig_line(&rig, line);
		rig_expect(&rig, SESSION_LOGIN, SESSION_DO_SEND, request, "");
	}
}

/* Said once, to who has chosen no type; the server's own words do not matter. */
static void test_better_type(void **state)
{
	static const struct {
		const char *text;
		const char *offer;
	} rows[] = {
		{"types=tunnelonly,host,network", "-t host for this machine, -t network for it and "
						  "the networks behind it"},
		{"ready types=network here", "-t network for it and the networks behind it"},
		{"types=host", "-t host for this machine"},
		{"types=tunnelonly", NULL},
		{"types=", NULL},
		{"xtypes=host types", NULL},
		{"types=hosts,1", NULL},
	};
	struct rig rig;
	char line[200];
	char message[300];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session_config config;

		rig_init(&rig);
		config = rig.session.config;
		config.loop = true;
		rig_configure(&rig, &config);
		rig_input(&rig, SESSION_START);
		(void)snprintf(line, sizeof(line), "+OK " RIG_CHALLENGE " %s", rows[i].text);
		(void)snprintf(message, sizeof(message),
			       "broker.example: a bare link is asked for (tunnelonly); this server "
			       "has IPv6 addresses as well: %s",
			       rows[i].offer ? rows[i].offer : "");
		for (int login = 0; login < 2; login++) {
			rig_connected(&rig);
			rig_line(&rig, line);
			assert_string_equal(rig.actions.message,
					    rows[i].offer && login == 0 ? message : "");
			assert_int_equal(rig.session.state, SESSION_LOGIN);
			rig_closed(&rig, "gone");
			rig_deadline(&rig, session_deadline(&rig.session) - rig.now);
		}
		rig_init(&rig);
		config.type_named = true;
		rig_configure(&rig, &config);
		rig_input(&rig, SESSION_START);
		rig_connected(&rig);
		rig_line(&rig, line);
		assert_string_equal(rig.actions.message, "");
	}
}

static void test_wrong_password(void **state)
{
	(void)state;
	expect_line_fails(SESSION_LOGIN, TUNNEL_ONLY, "-ERR authentication failed.", CLIENT_AUTH,
			  "broker.example: user foo: wrong user name or password "
			  "(server: authentication failed.)");
	expect_line_fails(SESSION_LOGIN, TUNNEL_HOST, "-ERR Authentication Failure", CLIENT_AUTH,
			  "broker.example: user foo: wrong user name or password "
			  "(server: Authentication Failure)");
	expect_line_fails(SESSION_LOGIN, TUNNEL_HOST, "-ERR Authentication \x1b[1mfailed",
			  CLIENT_AUTH,
			  "broker.example: user foo: wrong user name or password "
			  "(server: Authentication \\x1b[1mfailed)");
}

static void test_type_refused(void **state)
{
	(void)state;
	expect_line_fails(SESSION_LOGIN, TUNNEL_NETWORK, "-ERR unsupported tunnel type network",
			  CLIENT_TYPE,
			  "broker.example: the server does not offer tunnel type network, or not "
			  "to this user (server: unsupported tunnel type network)");
}

/* The password is right, and another attempt as hopeless as with a wrong one. */
static void test_account_refused(void **state)
{
	(void)state;
	expect_line_fails(SESSION_LOGIN, TUNNEL_ONLY, "-ERR account disabled", CLIENT_AUTH,
			  "broker.example: user foo cannot log in (server: account disabled)");
	expect_line_fails(SESSION_LOGIN, TUNNEL_ONLY, "-ERR account expired", CLIENT_AUTH,
			  "broker.example: user foo cannot log in (server: account expired)");
	expect_line_fails(SESSION_LOGIN, TUNNEL_ONLY, "-ERR unsupported transport ipv6, use udp",
			  CLIENT_TYPE,
			  "broker.example: this user is to use UDP; use -U, or --transport auto "
			  "(server: unsupported transport ipv6, use udp)");
}

static void test_other_refusals(void **state)
{
	static const char *const reasons[] = {
		"tunnel interface sold out",
		"address in use by another tunnel, use udp",
		"invalid command",
		"connection timed out, disconnecting",
		"",
	};
	char line[100], message[200];

	(void)state;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		(void)snprintf(line, sizeof(line), "-ERR %s", reasons[i]);
		(void)snprintf(message, sizeof(message),
			       "broker.example: refused by the server: %s", reasons[i]);
		expect_line_fails(SESSION_LOGIN, TUNNEL_ONLY, line, CLIENT_SERVER, message);
	}
}

/* What is wrong then is said, whatever the server says. */
static void test_server_on_loopback(void **state)
{
	static const char *const replies[] = {
		"-ERR address cannot be the end of a tunnel", /* ours */
		"+OK 127.0.0.1 127.0.0.1",		      /* one that does not look at it */
		"+OK 127.0.0.1 " RIG_REMOTE,
		"+OK " RIG_NAT " " RIG_REMOTE, /* far away, with a proxy on loopback */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct rig rig;

		rig_init(&rig);
		rig.session.config.check_nat = false;
		rig.address = addr4("127.0.0.1");
		rig_reach(&rig, SESSION_LOGIN);
		rig_line(&rig, replies[i]);
		rig_expect(&rig, SESSION_DONE, FAILED, NULL,
			   "broker.example: 127.0.0.1 cannot be the end of a tunnel");
		rig_expect_exit(&rig, CLIENT_SERVER);
	}
	/* A proxy's client; here is nothing wrong. */
	expect_line_fails(SESSION_LOGIN, TUNNEL_ONLY, replies[0], CLIENT_SERVER,
			  "broker.example: refused by the server: address cannot be the end of a "
			  "tunnel");
}

static void test_reply_garbage(void **state)
{
	static const struct {
		enum tunnel_type type;
		const char *line;
		const char *why;
	} rows[] = {
		{TUNNEL_ONLY, "", "is empty"},
		{TUNNEL_ONLY, "+OK", "lacks an IPv4 address of the tunnel"},
		{TUNNEL_ONLY, "+OK 198.51.100.2", "lacks an IPv4 address of the tunnel"},
		{TUNNEL_ONLY, "+OK 198.51.100.2 300.1.1.1", "has a malformed IPv4 address"},
		{TUNNEL_ONLY, "hello", "begins neither with +OK nor with -ERR"},
		{TUNNEL_HOST, RIG_REPLY, "lacks an IPv6 address of the tunnel"},
		{TUNNEL_HOST, RIG_REPLY " 2001:db8::2", "lacks an IPv6 address of the tunnel"},
		{TUNNEL_NETWORK, RIG_REPLY " 2001:db8::/0",
		 "has an IPv6 prefix with a length outside 1 to 128"},
	};
	char message[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(message, sizeof(message),
			       "broker.example: the server's reply is not understood: %s",
			       rows[i].why);
		expect_line_fails(SESSION_LOGIN, rows[i].type, rows[i].line, CLIENT_GARBAGE,
				  message);
	}
}

/* What can be made of a reply that is not as it should be is made of it, with a warning. */
static void test_odd_replies(void **state)
{
	static const char bits[] =
		"broker.example: the server's reply has an IPv6 prefix with bits "
		"set beyond its length, which are cleared";
	static const char bare[] =
		"broker.example: the server's reply lacks an IPv6 prefix, so the "
		"tunnel is one of type tunnelonly";
	static const struct {
		const char *words;
		const char *message;
		size_t n_prefixes;
	} rows[] = {
		{" 2001:db8:100:100::1/56", bits, 1},
		{" 2001:db8:1::/48,2001:db8:100:1ff::/56", bits, 2},
		{"", bare, 0},
		{" 2001:db8::2 2001:db8::1", bare, 0},
		{" \xe3\x81\xaf\xe3\x81\x84", bare, 0},
		{" 2001:db8:100:100::/56 gr\xc3\xbc\xc3\x9f", "", 1},
	};
	char line[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig;

		log_in(&rig, TUNNEL_NETWORK);
		(void)snprintf(line, sizeof(line), RIG_REPLY "%s", rows[i].words);
		rig_line(&rig, line);
		rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, rows[i].message);
		assert_int_equal(rig.actions.warning, rows[i].message[0] != '\0');
		assert_int_equal(rig.session.reply.n_prefixes, rows[i].n_prefixes);
		for (size_t j = 0; j < rows[i].n_prefixes; j++)
			assert_true(prefix6_valid(&rig.session.reply.prefixes[j]));
		/* Why it fails is more to the point. */
		log_in(&rig, TUNNEL_NETWORK);
		(void)snprintf(line, sizeof(line), RIG_NAT_REPLY "%s", rows[i].words);
		rig_line(&rig, line);
		assert_non_null(strstr(rig.actions.message, "NAT found"));
		rig_expect_exit(&rig, CLIENT_NAT);
	}
}

static void test_nat(void **state)
{
	struct rig rig;

	(void)state;
	expect_line_fails(SESSION_LOGIN, TUNNEL_ONLY, "+OK 203.0.113.7 192.0.2.1", CLIENT_NAT,
			  "broker.example: NAT found: the server sees 203.0.113.7, but the address "
			  "here is 198.51.100.2; protocol 41 does not pass most NATs; use UDP "
			  "(--transport auto, or -U -n), or -n to skip this check");
	/* -n */
	rig_init(&rig);
	rig.session.config.check_nat = false;
	rig_reach(&rig, SESSION_LOGIN);
	rig_line(&rig, "+OK 203.0.113.7 192.0.2.1");
	rig_expect(&rig, SESSION_RAISE, RIG_ADD_RAISE, NULL, "");
	expect_ipv4(rig.session.local, RIG_LOCAL);
	expect_ipv4(rig.session.reply.me, "203.0.113.7");
}

static void test_cannot_be_made_here(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_reach(&rig, SESSION_RAISE);
	rig_input(&rig, SESSION_RAISE_ERROR);
	rig_expect(&rig, SESSION_DONE, FAILED, NULL, "the tunnel cannot be made here");
	rig_expect_exit(&rig, CLIENT_LOCAL);
}

/* A user name that no request can carry. */
static void test_impossible_account(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	session_account(&rig.session, "two words");
	rig_reach(&rig, SESSION_GREETING);
	rig_line(&rig, RIG_GREETING);
	rig_expect(&rig, SESSION_DONE, FAILED, NULL,
		   "cannot compute the login's response (is MD5 disabled here?)");
	rig_expect_exit(&rig, CLIENT_LOCAL);
}

static void test_closed_or_broken(void **state)
{
	static const enum session_state states[] = {SESSION_GREETING, SESSION_LOGIN};

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct rig rig;

		rig_init(&rig);
		rig_reach(&rig, states[i]);
		rig_closed(&rig, "the server closed the connection");
		rig_expect(&rig, SESSION_DONE, FAILED, NULL,
			   "broker.example: the server closed the connection");
		rig_expect_exit(&rig, CLIENT_CLOSED);

		rig_init(&rig);
		rig_reach(&rig, states[i]);
		rig_bad_line(&rig, "a NUL byte in a line");
		rig_expect(&rig, SESSION_DONE, FAILED, NULL,
			   "broker.example: server not understood: a NUL byte in a line");
		rig_expect_exit(&rig, CLIENT_GARBAGE);
	}
}

/* The password stays for reconnecting, until it is wiped. */
static void test_wipe(void **state)
{
	static const char zero[DTCP_PASSWORD_MAX + 1];
	struct rig rig;

	(void)state;
	log_in(&rig, TUNNEL_ONLY);
	assert_string_equal(rig.session.servers[0].password, RIG_PASSWORD);
	memset(rig.session.key, 'k', sizeof(rig.session.key));
	session_wipe(&rig.session);
	assert_memory_equal(rig.session.servers[0].password, zero, sizeof(zero));
	assert_memory_equal(rig.session.key, zero, sizeof(rig.session.key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tunnelonly),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_numbered_network),
		cmocka_unit_test(test_reply_is_not_mixed),
		cmocka_unit_test(test_unrequested_prefix),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_greeting_garbage),
		cmocka_unit_test(test_greeting_refuses),
		cmocka_unit_test(test_greetings),
		cmocka_unit_test(test_better_type),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_type_refused),
		cmocka_unit_test(test_account_refused),
		cmocka_unit_test(test_other_refusals),
		cmocka_unit_test(test_server_on_loopback),
		cmocka_unit_test(test_reply_garbage),
		cmocka_unit_test(test_odd_replies),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_cannot_be_made_here),
		cmocka_unit_test(test_impossible_account),
		cmocka_unit_test(test_closed_or_broken),
		cmocka_unit_test(test_wipe),
	};

	return cmocka_run_group_tests_name("client session login", tests, NULL, NULL);
}
