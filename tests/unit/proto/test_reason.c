/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server says of its reasons: ours to the letter, those of others by what they mean. */
#include "proto/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	enum dtcp_reason reason;
	const char *text;
} ours[] = {
	{REASON_PROTO41, "unsupported transport ipv6, use udp"},
	{REASON_IN_USE, "address in use by another tunnel, use udp"},
	{REASON_AUTH, "authentication failed."},
	{REASON_TRANSPORT, "unsupported transport udp"},
	{REASON_TYPE, "unsupported tunnel type"},
	{REASON_SUPERSEDED, "superseded by a new session"},
	{REASON_STOPPING, "server is shutting down"},
	{REASON_ACCOUNT, "account changed"},
	{REASON_DISABLED, "account disabled"},
	{REASON_EXPIRED, "account expired"},
	{REASON_KICKED, "ended by the administrator, try again later"},
	{REASON_ADDRESS, "address cannot be the end of a tunnel"},
	{REASON_SOLD_OUT, "tunnel interface sold out"},
	{REASON_ESTABLISHED, "tunnel already established"},
	{REASON_INVALID, "invalid command"},
	{REASON_WORD, "bad word after the tunnel type"},
	{REASON_INTERNAL, "internal error, try again later"},
	{REASON_TIMEOUT, "connection timed out, disconnecting"},
	{REASON_FAILURES, "too many failed logins, try again later"},
	{REASON_LOGINS, "too many logins, try again later"},
	{REASON_CONNECTIONS, "too many connections, try again later"},
};

/* They are part of the protocol: a change here is one for the clients in the field. */
static void test_texts(void **state)
{
	(void)state;
	assert_int_equal(sizeof(ours) / sizeof(ours[0]), REASONS - 1);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		assert_string_equal(reason_text(ours[i].reason), ours[i].text);
		assert_int_equal(reason_parse(ours[i].text), ours[i].reason);
	}
}

static void test_what_others_say(void **state)
{
	static const struct {
		const char *said;
		enum dtcp_reason reason;
	} rows[] = {
		{"authentication failed", REASON_AUTH},
		{"Authentication error (user foo)", REASON_AUTH},
		{"unsupported tunnel type network", REASON_TYPE},
		{"UNSUPPORTED TUNNEL TYPE: host", REASON_TYPE},
		{"unsupported transport", REASON_TRANSPORT},
		{"sorry, tunnel interface sold out!", REASON_SOLD_OUT},
		{"connection timed out.", REASON_TIMEOUT},
		{"server is shutting down for maintenance", REASON_STOPPING},
		{"session superseded", REASON_SUPERSEDED},
		{"account changed: expired", REASON_ACCOUNT},
		{"behind this NAT, use UDP", REASON_IN_USE},
		{"", REASON_OTHER},
		{"no", REASON_OTHER},
		{"unsupported", REASON_OTHER},
		{"tunnel type network", REASON_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(reason_parse(rows[i].said), rows[i].reason);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_what_others_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
