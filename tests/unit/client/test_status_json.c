/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's status as JSON. */
#include "client/control/status_json.h"

#include "base/clock.h"
#include "config.h"
#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct client_options options;
static struct client_status status;

/* Connecting to the second of two servers, for the first time. */
static int begin(void **state)
{
	(void)state;
	options = (struct client_options){
		.servers = {"broker.example", "192.0.2.9"},
		.n_servers = 2,
		.interface = "dtcp0",
		.type = TUNNEL_NETWORK,
		.port = 20200,
		.mtu = 1280,
	};
	status = (struct client_status){
		.options = &options,
		.user = "alice",
		.interface = "dtcp0",
		.pid = 4711,
		.name = "",
		.server = 1,
		.why = "because",
		.since = -1,
		.heard = -1,
		.next_try = -1,
		.error = "",
		.error_at = -1,
	};
	return 0;
}

static void expect(const char *expected)
{
	json_t *json = status_json(&status);
	char *text;

	assert_non_null(json);
	text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

#define BEGIN                                                                                      \
	"{\"program\":\"dtcpclient\",\"release\":\"" DTCP_VERSION                                  \
	"\",\"pid\":4711,\"interface\":\"dtcp0\","
#define SERVERS "\"servers\":[\"broker.example\",\"192.0.2.9\"],"

/* What is not known is not there. */
static void test_connecting(void **state)
{
	(void)state;
	expect(BEGIN "\"state\":\"connecting\",\"user\":\"alice\","
		     "\"server\":{\"name\":\"192.0.2.9\",\"port\":20200}," SERVERS
		     "\"type\":\"network\",\"transport\":\"ipv6\",\"why\":\"because\","
		     "\"mtu\":1280}");
	status.name = "home";
	status.session.state = CLIENT_STATE_DOWN;
	status.address = addr4("192.0.2.9");
	expect(BEGIN "\"name\":\"home\",\"state\":\"down\",\"user\":\"alice\","
		     "\"server\":{\"name\":\"192.0.2.9\",\"address\":\"192.0.2.9\","
		     "\"port\":20200}," SERVERS "\"type\":\"network\",\"mtu\":1280}");
}

static void raise_network(void)
{
	struct dtcp_reply *reply = &status.tunnel.reply;

	status.session.state = CLIENT_STATE_UP;
	status.phase = TUNNEL_STATE_UP;
	reply->n_prefixes = 2;
	reply->prefixes[0] = prefix("2001:db8:100::/56");
	reply->prefixes[1] = prefix("2001:db8:200::/64");
}

static void test_up(void **state)
{
	(void)state;
	raise_network();
	status.udp = true;
	status.kernel = true;
	status.session.path = CLIENT_PATH_ALIVE;
	status.session.rtt_us = 12300;
	expect(BEGIN "\"state\":\"up\",\"user\":\"alice\","
		     "\"server\":{\"name\":\"192.0.2.9\",\"port\":20200}," SERVERS
		     "\"type\":\"network\",\"transport\":\"udp\",\"why\":\"because\",\"mtu\":1280,"
		     "\"carried\":\"kernel\",\"address\":\"2001:db8:100:ff::1\","
		     "\"prefixes\":[\"2001:db8:100::/56\",\"2001:db8:200::/64\"],"
		     "\"path\":\"alive\",\"rtt\":0.0123}");
	/* A time that is over is none; with --tunnel none, nobody here carries anything. */
	status.session.path = CLIENT_PATH_DEAD;
	options.no_device = true;
	expect(BEGIN "\"state\":\"up\",\"user\":\"alice\","
		     "\"server\":{\"name\":\"192.0.2.9\",\"port\":20200}," SERVERS
		     "\"type\":\"network\",\"transport\":\"udp\",\"why\":\"because\",\"mtu\":1280,"
		     "\"address\":\"2001:db8:100:ff::1\","
		     "\"prefixes\":[\"2001:db8:100::/56\",\"2001:db8:200::/64\"],"
		     "\"path\":\"dead\"}");
}

static void test_numbered(void **state)
{
	struct dtcp_reply *reply = &status.tunnel.reply;

	(void)state;
	options.type = TUNNEL_HOST;
	options.n_servers = 1;
	status.server = 0;
	status.session.state = CLIENT_STATE_HELD;
	status.session.path = CLIENT_PATH_ALIVE;
	status.phase = TUNNEL_STATE_UP;
	reply->has_me6 = reply->has_her6 = true;
	reply->me6 = prefix("2001:db8::2/128").addr;
	reply->her6 = prefix("2001:db8::1/128").addr;
	expect(BEGIN "\"state\":\"held\",\"user\":\"alice\","
		     "\"server\":{\"name\":\"broker.example\",\"port\":20200},"
		     "\"servers\":[\"broker.example\"],"
		     "\"type\":\"host\",\"transport\":\"ipv6\",\"why\":\"because\",\"mtu\":1280,"
		     "\"carried\":\"user\",\"address\":\"2001:db8::2\","
		     "\"peer_address\":\"2001:db8::1\",\"prefixes\":[]}");
}

/* The server gave less than was asked for. */
static void test_bare(void **state)
{
	json_t *json;

	(void)state;
	raise_network();
	status.tunnel.reply.n_prefixes = 0;
	json = status_json(&status);
	assert_string_equal(json_string_value(json_object_get(json, "type")), "tunnelonly");
	assert_null(json_object_get(json, "address"));
	json_decref(json);
}

static void test_lan(void **state)
{
	json_t *json;
	char *text;

	(void)state;
	raise_network();
	options.lan.n = 2;
	(void)strlcpy(options.lan.names[0], "eth1", sizeof(options.lan.names[0]));
	(void)strlcpy(options.lan.names[1], "wlan0", sizeof(options.lan.names[1]));
	json = status_json(&status);
	text = json_dumps(json_object_get(json, "lan"), JSON_COMPACT);
	assert_non_null(text);
	assert_string_equal(text, "[{\"interface\":\"eth1\",\"prefix\":\"2001:db8:100::/64\"},"
				  "{\"interface\":\"wlan0\",\"prefix\":\"2001:db8:100:1::/64\"},"
				  "{\"interface\":\"eth1\",\"prefix\":\"2001:db8:200::/64\"}]");
	free(text);
	json_decref(json);
}

static void test_traffic(void **state)
{
	(void)state;
	status.counted = true;
	status.traffic = (struct session_counters){.in_packets = 1,
						   .in_bytes = 1000,
						   .out_packets = 2,
						   .out_bytes = UINT64_MAX / 2,
						   .dropped = 4};
	status.drops[DROP_NONE] = 1;
	status.drops[DROP_SRC_INGRESS] = 3;
	status.drops[DROP_SEND] = 1;
	expect(BEGIN "\"state\":\"connecting\",\"user\":\"alice\","
		     "\"server\":{\"name\":\"192.0.2.9\",\"port\":20200}," SERVERS
		     "\"type\":\"network\",\"transport\":\"ipv6\",\"why\":\"because\","
		     "\"mtu\":1280,\"in_packets\":1,\"in_octets\":1000,\"out_packets\":2,"
		     "\"out_octets\":9223372036854775807,\"dropped\":4,"
		     "\"drops\":[{\"reason\":\"src-ingress\",\"count\":3,"
		     "\"text\":\"source address is not one of the session's own\"},"
		     "{\"reason\":\"send\",\"count\":1,"
		     "\"text\":\"the network did not take it\"}]}");
}

/* Seconds since 1970, whatever the clock of the program counts from. */
static void expect_time(const json_t *json, const char *key, double expected)
{
	const json_t *value = json_object_get(json, key);

	assert_true(json_is_real(value));
	assert_true(json_real_value(value) > expected - 5);
	assert_true(json_real_value(value) < expected + 5);
}

static void test_times(void **state)
{
	double now = (double)time(NULL);
	const json_t *error;
	json_t *json;

	(void)state;
	status.session.state = CLIENT_STATE_WAITING;
	status.since = clock_ms() - 1000000;
	status.heard = clock_ms() - 2000000;
	status.next_try = clock_ms() + 30000;
	/* Not everything that a server says is UTF-8. */
	status.error = "broker.example: the server says: \xff";
	status.error_at = clock_ms() - 3000000;
	json = status_json(&status);
	assert_string_equal(json_string_value(json_object_get(json, "state")), "waiting");
	expect_time(json, "since", now - 1000);
	expect_time(json, "last_handshake", now - 2000);
	expect_time(json, "next_try", now + 30);
	error = json_object_get(json, "last_error");
	expect_time(error, "time", now - 3000);
	assert_string_equal(json_string_value(json_object_get(error, "text")),
			    "broker.example: the server says: \\xff");
	json_decref(json);
}

static unsigned long left; /* allocations that succeed */

static void *scarce(size_t size)
{
	if (left == 0)
		return NULL;
	left--;
	return malloc(size);
}

/* There is all of it, or nothing. */
static void test_no_memory(void **state)
{
	json_t *json = NULL;
	unsigned long enough = 0;

	(void)state;
	raise_network();
	options.lan.n = 1;
	status.counted = true;
	status.drops[DROP_SEND] = 1;
	status.error = "no";
	status.error_at = clock_ms();
	json_set_alloc_funcs(scarce, free);
	while (!json && enough < 10000) {
		left = enough++;
		json = status_json(&status);
	}
	json_set_alloc_funcs(malloc, free);
	assert_non_null(json);
	assert_true(enough > 50);
	assert_non_null(json_object_get(json, "last_error"));
	assert_int_equal(json_array_size(json_object_get(json, "drops")), 1);
	assert_int_equal(json_array_size(json_object_get(json, "lan")), 2);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_connecting, begin),
		cmocka_unit_test_setup(test_up, begin),
		cmocka_unit_test_setup(test_numbered, begin),
		cmocka_unit_test_setup(test_bare, begin),
		cmocka_unit_test_setup(test_lan, begin),
		cmocka_unit_test_setup(test_traffic, begin),
		cmocka_unit_test_setup(test_times, begin),
		cmocka_unit_test_setup(test_no_memory, begin),
	};

	return cmocka_run_group_tests_name("client status, JSON", tests, NULL, NULL);
}
