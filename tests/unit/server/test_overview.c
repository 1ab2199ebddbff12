/* SPDX-License-Identifier: BSD-2-Clause */
/* The records, as JSON and as lines of the log. */
#include "server/control/overview.h"

#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct server_options options;

static int setup(void **state)
{
	(void)state;
	server_options_default(&options);
	options.udp = true;
	options.has_pool = options.has_host = true;
	options.pool = prefix("2001:db8:100::/40");
	options.host_prefix = prefix("2001:db8:1::/64");
	options.limits.connections = 20;
	log_init("test", NULL, false);
	return 0;
}

static struct overview overview_of_all(const struct server_state *root,
				       const struct server_usage *accounts)
{
	return (struct overview){
		.options = &options,
		.started = clock_ms(),
		.ready = true,
		.sessions = 6,
		.dead_paths = 1,
		.up = {.types = {[TUNNEL_ONLY] = 1, [TUNNEL_HOST] = 2, [TUNNEL_NETWORK] = 2},
		       .udp = 4},
		.connections = 7,
		.logins = {.granted = 1,
			   .auth = 2,
			   .limited = 3,
			   .seconds = {.count = 3, .sum = 2001500, .within = {1, 1}}},
		.turned_away = 4,
		.left_out = 5,
		.has_counters = true,
		.drops = {[DROP_NONE] = 1, [DROP_LOOP] = 8, [DROP_SEND] = 9},
		.icmp6_sent = 10,
		.user = {.in_packets = 11, .in_bytes = 12, .out_packets = 13, .out_bytes = 14},
		.kernel = {.in_packets = 15, .out_bytes = UINT64_C(1) << 62},
		.root = root,
		.accounts = accounts,
	};
}

/* The value at a path of names with dots. */
static const json_t *at(const json_t *object, const char *path)
{
	char names[80];
	char *rest = names;
	const char *name;

	(void)strlcpy(names, path, sizeof(names));
	while ((name = strsep(&rest, ".")))
		object = json_object_get(object, name);
	return object;
}

static void expect_number(const json_t *object, const char *path, int64_t number)
{
	const json_t *value = at(object, path);

	if (!json_is_integer(value))
		fail_msg("%s is no whole number", path);
	assert_int_equal(json_integer_value(value), number);
}

static void expect_text(const json_t *object, const char *path, const char *text)
{
	assert_non_null(at(object, path));
	assert_string_equal(json_string_value(at(object, path)), text);
}

static void test_status(void **state)
{
	struct server_state root = {.pid = 4711, .fast = 1, .warned_ago = 2000, .warning = "odd"};
	struct server_usage accounts = {.users = 3, .used = {1, 2}};
	const struct overview overview = overview_of_all(&root, &accounts);
	json_t *status = overview_json(&overview);
	const json_t *bounds = at(status, "login_seconds.le");

	(void)state;
	assert_non_null(status);
	expect_text(status, "program", "dtcps");
	expect_text(status, "interface", "dtcps0");
	assert_true(json_is_true(at(status, "ready")));
	assert_int_equal(json_array_size(at(status, "transports")), 2);
	expect_number(status, "pid", 4711);
	expect_number(status, "port", 20200);
	expect_number(status, "sessions.now", 5);
	expect_number(status, "sessions.tunnelonly", 1);
	expect_number(status, "sessions.host", 2);
	expect_number(status, "sessions.udp", 4);
	expect_number(status, "sessions.ipv6", 1);
	expect_number(status, "sessions.dead_paths", 1);
	expect_number(status, "connections.now", 7);
	expect_number(status, "connections.limit", 20);
	expect_number(status, "logins.granted", 1);
	expect_number(status, "logins.auth", 2);
	expect_number(status, "logins.kicked", 0);
	expect_number(status, "limits.connections_dropped", 4);
	expect_number(status, "limits.logins_rejected", 3);
	expect_number(status, "limits.log_lines_left_out", 5);
	expect_number(status, "login_seconds.count", 3);
	/* Each has those before it in it; the last one all of them. */
	assert_int_equal(json_array_size(bounds), HISTOGRAM_BOUNDS + 1);
	assert_int_equal(json_integer_value(json_array_get(json_array_get(bounds, 0), 1)), 1);
	assert_int_equal(json_integer_value(json_array_get(json_array_get(bounds, 1), 1)), 2);
	assert_int_equal(json_integer_value(json_array_get(json_array_get(bounds, 12), 1)), 2);
	assert_int_equal(json_integer_value(json_array_get(json_array_get(bounds, 13), 1)), 3);
	expect_number(status, "database.users", 3);
	assert_null(at(status, "database.error"));
	assert_int_equal(json_array_size(at(status, "pools")), 2);
	expect_number(json_array_get(at(status, "pools"), 0), "size", 65535);
	expect_number(json_array_get(at(status, "pools"), 0), "used", 1);
	expect_number(json_array_get(at(status, "pools"), 1), "used", 2);
	expect_number(status, "traffic.user.in_octets", 12);
	expect_number(status, "traffic.kernel.out_octets", INT64_C(1) << 62);
	assert_int_equal(json_array_size(at(status, "drops")), 2);
	expect_text(json_array_get(at(status, "drops"), 0), "reason", "loop");
	expect_number(json_array_get(at(status, "drops"), 1), "count", 9);
	assert_true(json_is_true(at(status, "fast.active")));
	expect_text(status, "fast.mode", "auto");
	expect_text(status, "last_error.text", "odd");
	json_decref(status);
}

/* What is not known is not there. */
static void test_status_without_others(void **state)
{
	struct overview overview = overview_of_all(NULL, NULL);
	const struct server_state root = {.pid = 1};
	const struct server_usage accounts = {.failed = 1, .error = "the disk\xff is gone"};
	json_t *status = overview_json(&overview);

	(void)state;
	expect_text(status, "program", "dtcps");
	assert_null(at(status, "pid"));
	assert_null(at(status, "fast.active"));
	assert_null(at(status, "last_error"));
	assert_null(at(status, "pools"));
	assert_null(at(status, "database"));
	json_decref(status);
	overview.root = &root;
	overview.accounts = &accounts;
	overview.has_counters = false;
	options.has_pool = options.has_host = options.udp = false;
	status = overview_json(&overview);
	assert_null(at(status, "last_error"));
	assert_null(at(status, "traffic"));
	assert_null(at(status, "drops"));
	expect_text(status, "database.error", "the disk\\xff is gone");
	assert_int_equal(json_array_size(at(status, "pools")), 0);
	assert_int_equal(json_array_size(at(status, "transports")), 1);
	json_decref(status);
}

static void test_log(void **state)
{
	struct overview overview = overview_of_all(NULL, NULL);

	(void)state;
	capture_begin(STDERR_FILENO);
	overview_log(&overview);
	assert_string_equal(capture_end(), "test: counter name=sessions value=6\n"
					   "test: counter name=dead-paths value=1\n"
					   "test: counter name=loop value=8\n"
					   "test: counter name=send value=9\n"
					   "test: counter name=icmp6-sent value=10\n");
}

static void test_session(void **state)
{
	struct overview_session row = {
		.id = 7,
		.user = "alice",
		.type = TUNNEL_NETWORK,
		.udp = true,
		.peer = addr4("203.0.113.7"),
		.port = 4321,
		.has_address = true,
		.address = addr6("2001:db8:1::2"),
		.n_prefixes = 1,
		.prefixes = {prefix("2001:db8:100::/56")},
		.since = clock_ms(),
		.has_counters = true,
		.counters = {.in_packets = 1, .in_bytes = 2, .dropped = 3},
		.kernel_octets = 4,
		.path = "alive",
	};
	json_t *json = overview_session_json(&row);

	(void)state;
	expect_number(json, "session.id", 7);
	expect_text(json, "session.user", "alice");
	expect_text(json, "session.type", "network");
	expect_text(json, "session.transport", "udp");
	expect_text(json, "session.peer", "203.0.113.7");
	expect_number(json, "session.port", 4321);
	expect_text(json, "session.address", "2001:db8:1::2");
	expect_text(json, "session.path", "alive");
	expect_number(json, "session.in_octets", 2);
	expect_number(json, "session.dropped", 3);
	expect_number(json, "session.kernel_octets", 4);
	assert_string_equal(json_string_value(json_array_get(at(json, "session.prefixes"), 0)),
			    "2001:db8:100::/56");
	json_decref(json);
	row.port = 0;
	row.has_address = row.has_counters = false;
	row.n_prefixes = 0;
	json = overview_session_json(&row);
	assert_null(at(json, "session.port"));
	assert_null(at(json, "session.address"));
	assert_null(at(json, "session.in_octets"));
	assert_int_equal(json_array_size(at(json, "session.prefixes")), 0);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_status, setup),
		cmocka_unit_test_setup(test_status_without_others, setup),
		cmocka_unit_test_setup(test_log, setup),
		cmocka_unit_test_setup(test_session, setup),
	};

	return cmocka_run_group_tests_name("server overview", tests, NULL, NULL);
}
