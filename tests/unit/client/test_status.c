/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's state in one line. */
#include "client/status.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct client_options options = {.servers = {"broker.example"},
					.n_servers = 1,
					.interface = "dtcp0",
					.type = TUNNEL_NETWORK};
static struct client_status status = {.options = &options, .user = "alice", .interface = "dtcp0"};

static void expect(enum tunnel_phase phase, enum client_state state, enum client_exit reason,
		   const char *expected)
{
	char text[1000];

	status.phase = phase;
	status.session.state = (uint32_t)state;
	status.session.status = (uint32_t)reason;
	assert_true(status_check(&status.session));
	status_describe(&status, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void expect_record(enum tunnel_phase phase, enum client_state state, enum client_exit reason,
			  const char *expected)
{
	static const struct log_source source = {"dtcpclient", NULL};
	struct log_record record;
	char line[LOG_LINE_SIZE];

	status.phase = phase;
	status.session.state = (uint32_t)state;
	status.session.status = (uint32_t)reason;
	log_record_begin(&record, LOG_INFO, "status", "status");
	status_record(&status, &record);
	assert_string_equal(log_record_line(&record, &source, line), expected);
}

static void test_up(void **state)
{
	struct dtcp_reply *reply = &status.tunnel.reply;

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &status.tunnel.server), 1);
	reply->n_prefixes = 1;
	assert_int_equal(prefix6_parse("2001:db8:100::/56", &reply->prefixes[0]), PREFIX_OK);
	expect(TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
	       "up: alice at broker.example (192.0.2.1), prefix 2001:db8:100::/56, "
	       "interface dtcp0");
	status.session.path = CLIENT_PATH_ALIVE;
	expect(TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
	       "up: alice at broker.example (192.0.2.1), prefix 2001:db8:100::/56, "
	       "interface dtcp0, the far end answers");
	status.session.rtt_us = 250;
	expect(TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
	       "up: alice at broker.example (192.0.2.1), prefix 2001:db8:100::/56, "
	       "interface dtcp0, the far end answers, round-trip time 0.2 ms");
	/* That time is over. */
	status.session.path = CLIENT_PATH_DEAD;
	expect(TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
	       "up: alice at broker.example (192.0.2.1), prefix 2001:db8:100::/56, "
	       "interface dtcp0, but nothing comes through it");
	status.session.rtt_us = 0;
	status.session.path = CLIENT_PATH_UNKNOWN;
	reply->n_prefixes = 0;
	reply->has_me6 = true;
	reply->udp_port = 4028;
	options.type = TUNNEL_HOST;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::2", &reply->me6), 1);
	expect(TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
	       "up: alice at broker.example (192.0.2.1), address 2001:db8::2, interface dtcp0, "
	       "over UDP");
	/* Which the time says already. */
	status.session.path = CLIENT_PATH_ALIVE;
	status.session.rtt_us = 12345;
	expect(TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
	       "up: alice at broker.example (192.0.2.1), address 2001:db8::2, interface dtcp0, "
	       "over UDP, round-trip time 12.3 ms");
	expect_record(
		TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
		"status state=up user=alice server=broker.example server_address=192.0.2.1 "
		"transport=udp type=host local=0.0.0.0 remote=0.0.0.0 port=0 remote_port=4028 "
		"address=2001:db8::2 interface=dtcp0 mtu=0 path=alive rtt_us=12345");
	status.session.rtt_us = 0;
	status.session.path = CLIENT_PATH_DEAD;
	expect_record(
		TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
		"status state=up user=alice server=broker.example server_address=192.0.2.1 "
		"transport=udp type=host local=0.0.0.0 remote=0.0.0.0 port=0 remote_port=4028 "
		"address=2001:db8::2 interface=dtcp0 mtu=0 path=dead");
	expect(TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
	       "up: alice at broker.example (192.0.2.1), address 2001:db8::2, interface dtcp0, "
	       "over UDP, but nothing comes through it");
	status.session.path = CLIENT_PATH_UNKNOWN;
	reply->has_me6 = false;
	options.type = TUNNEL_ONLY;
	options.no_device = true;
	expect(TUNNEL_STATE_UP, CLIENT_STATE_UP, CLIENT_OK,
	       "up: alice at broker.example (192.0.2.1), over UDP");
}

static void test_not_up(void **state)
{
	(void)state;
	expect(TUNNEL_STATE_DOWN, CLIENT_STATE_CONNECTING, CLIENT_OK,
	       "connecting to broker.example");
	options.n_servers = 2;
	expect(TUNNEL_STATE_DOWN, CLIENT_STATE_CONNECTING, CLIENT_OK,
	       "connecting to broker.example and others");
	options.n_servers = 1;
	expect(TUNNEL_STATE_DOWN, CLIENT_STATE_CONNECTING, CLIENT_REFUSED,
	       "no tunnel, connecting again: connection refused");
	expect(TUNNEL_STATE_DOWN, CLIENT_STATE_WAITING, CLIENT_REFUSED,
	       "no tunnel, connecting again: connection refused");
	expect(TUNNEL_STATE_DOWN, CLIENT_STATE_DOWN, CLIENT_OK, "down on request");
	expect(TUNNEL_STATE_DOWN, CLIENT_STATE_CONNECTING, CLIENT_AUTH,
	       "no tunnel, connecting again: wrong user name or password");
	expect(TUNNEL_STATE_UP, CLIENT_STATE_HELD, CLIENT_CLOSED,
	       "tunnel held, connecting again: connection lost");
	/* The network here has changed, which is nobody's failure. */
	expect(TUNNEL_STATE_UP, CLIENT_STATE_HELD, CLIENT_OK, "tunnel held, connecting again");
	expect(TUNNEL_STATE_RAISING, CLIENT_STATE_CONNECTING, CLIENT_OK, "bringing the tunnel up");
	expect(TUNNEL_STATE_LOWERING, CLIENT_STATE_WAITING, CLIENT_TIMEOUT,
	       "taking the tunnel down");
	expect(TUNNEL_STATE_LOWERING, CLIENT_STATE_WAITING, CLIENT_OK, "taking the tunnel down");
	expect_record(TUNNEL_STATE_DOWN, CLIENT_STATE_CONNECTING, CLIENT_OK,
		      "status state=down user=alice");
	expect_record(TUNNEL_STATE_DOWN, CLIENT_STATE_CONNECTING, CLIENT_REFUSED,
		      "status state=down user=alice status=5 reason=\"connection refused\"");
	expect_record(TUNNEL_STATE_UP, CLIENT_STATE_HELD, CLIENT_CLOSED,
		      "status state=held user=alice status=12 reason=\"connection lost\" "
		      "server=broker.example server_address=192.0.2.1 transport=udp "
		      "type=tunnelonly local=0.0.0.0 remote=0.0.0.0 port=0 remote_port=4028 mtu=0");
	expect_record(TUNNEL_STATE_RAISING, CLIENT_STATE_CONNECTING, CLIENT_CLOSED,
		      "status state=raising user=alice");
	expect_record(TUNNEL_STATE_LOWERING, CLIENT_STATE_WAITING, CLIENT_OK,
		      "status state=lowering user=alice");
}

/* Each status has its words; and what no status is does not pass. */
static void test_check(void **state)
{
	struct client_session session = {.state = CLIENT_STATE_UP, .status = CLIENT_PASSWORD};

	(void)state;
	assert_true(status_check(&session));
	for (int reason = CLIENT_LOCAL; reason <= CLIENT_PASSWORD; reason++)
		assert_non_null(status_reason((enum client_exit)reason));
	assert_null(status_reason(CLIENT_OK));
	assert_null(status_reason((enum client_exit)(CLIENT_PASSWORD + 1)));
	assert_null(status_reason((enum client_exit) - 1));
	session.status = CLIENT_PASSWORD + 1;
	assert_false(status_check(&session));
	session = (struct client_session){.state = CLIENT_STATES};
	assert_false(status_check(&session));
	session = (struct client_session){.path = CLIENT_PATHS};
	assert_false(status_check(&session));
	session = (struct client_session){.status = UINT32_MAX};
	assert_false(status_check(&session));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_not_up),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests_name("client status", tests, NULL, NULL);
}
