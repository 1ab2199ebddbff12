/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a control socket, one line each. */
#include "ctl/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ctl_command list[] = {
	{.name = "status"},
	{.name = "sessions",
	 .members = {{.name = "user", .type = CTL_TEXT},
		     {.name = "limit", .type = CTL_NUMBER, .max = 65536}}},
	{.name = "kick",
	 .root = true,
	 .members = {{.name = "user", .type = CTL_TEXT, .required = true},
		     {.name = "seconds", .type = CTL_NUMBER, .max = 86400}}},
};

static const struct ctl_commands commands = {list, sizeof(list) / sizeof(list[0])};

/* A line that is no request: with that code, and these words. */
static void expect_refused(const char *line, bool root, const char *code, const char *text)
{
	struct ctl_refusal refusal = {.text = ""};
	struct ctl_request request;

	assert_false(ctl_request_read(&commands, line, strlen(line), root, &request, &refusal));
	assert_null(request.object);
	assert_string_equal(ctl_code_name(refusal.code), code);
	if (!strstr(refusal.text, text))
		fail_msg("\"%s\" was said of %s", refusal.text, line);
}

static void expect_bad(const char *line, const char *text)
{
	expect_refused(line, true, "bad", text);
}

static void take(const char *line, bool root, struct ctl_request *request)
{
	struct ctl_refusal refusal = {.text = ""};

	if (!ctl_request_read(&commands, line, strlen(line), root, request, &refusal))
		fail_msg("%s: %s", line, refusal.text);
}

static void test_members(void **state)
{
	struct ctl_request request;
	int64_t number = -1;

	(void)state;
	take("{\"command\":\"sessions\",\"user\":\"al\\u0069ce\"}", false, &request);
	assert_ptr_equal(request.command, &list[1]);
	assert_string_equal(ctl_request_text(&request, "user"), "alice");
	assert_false(ctl_request_number(&request, "limit", &number));
	assert_int_equal(number, -1);
	ctl_request_free(&request);
	take("{ \"limit\": 65536, \"v\": 1, \"command\": \"sessions\" }\r", false, &request);
	assert_null(ctl_request_text(&request, "user"));
	assert_true(ctl_request_number(&request, "limit", &number));
	assert_int_equal(number, 65536);
	ctl_request_free(&request);
	/* Once more is harmless. */
	ctl_request_free(&request);
}

static void test_no_json(void **state)
{
	char deep[CTL_REQUEST_MAX];

	(void)state;
	expect_bad("", "not JSON");
	expect_bad("status", "not JSON");
	expect_bad("{\"command\":\"status\"", "not JSON");
	expect_bad("{\"command\":\"status\"} {}", "not JSON");
	expect_bad("{'command':'status'}", "not JSON");
	expect_bad("{\"command\":\"\xff\"}", "not JSON");
	expect_bad("{\"command\":\"a\\u0000\"}", "not JSON");
	expect_bad("{\"command\":\"sessions\",\"limit\":99999999999999999999}", "not JSON");
	expect_bad("{\"command\":\"status\",\"command\":\"kick\"}", "duplicate");
	memset(deep, '[', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	expect_bad(deep, "not JSON");
}

/* A NUL ends no line. */
static void test_nul(void **state)
{
	const char line[] = "{\"command\":\"status\"}\0{";
	struct ctl_refusal refusal;
	struct ctl_request request;

	(void)state;
	assert_false(ctl_request_read(&commands, line, sizeof(line) - 1, true, &request, &refusal));
	assert_int_equal(refusal.code, CTL_BAD);
}

static void test_forms(void **state)
{
	(void)state;
	expect_bad("[]", "a JSON object is needed");
	expect_bad("\"status\"", "not JSON");
	expect_bad("{}", "\"command\": a text is needed");
	expect_bad("{\"command\":1}", "\"command\": a text is needed");
	expect_bad("{\"command\":\"status\",\"v\":2}", "\"v\": the version here is 1");
	expect_bad("{\"command\":\"status\",\"v\":\"1\"}", "\"v\": the version here is 1");
	expect_bad("{\"command\":\"status\",\"user\":\"a\"}", "status takes no \"user\"");
	expect_bad("{\"command\":\"sessions\",\"us\\ner\":\"a\"}", "no \"us\\x0aer\"");
	expect_bad("{\"command\":\"sessions\",\"user\":1}", "\"user\": a text is needed");
	expect_bad("{\"command\":\"sessions\",\"user\":\"\"}", "\"user\": a text is needed");
	expect_bad("{\"command\":\"sessions\",\"user\":null}", "\"user\": a text is needed");
	expect_bad("{\"command\":\"sessions\",\"limit\":-1}", "from 0 to 65536");
	expect_bad("{\"command\":\"sessions\",\"limit\":65537}", "from 0 to 65536");
	expect_bad("{\"command\":\"sessions\",\"limit\":1.5}", "from 0 to 65536");
	expect_bad("{\"command\":\"sessions\",\"limit\":\"1\"}", "from 0 to 65536");
	expect_bad("{\"command\":\"kick\"}", "kick needs \"user\"");
}

static void test_rights(void **state)
{
	const char *kick = "{\"command\":\"kick\",\"user\":\"alice\"}";
	struct ctl_request request;

	(void)state;
	expect_refused(kick, false, "denied", "kick is for root only");
	/* Who may not is told nothing else. */
	expect_refused("{\"command\":\"kick\"}", false, "denied", "root");
	take(kick, true, &request);
	ctl_request_free(&request);
	expect_refused("{\"command\":\"sta\\u0007tus\"}", false, "unknown", "\"sta\\x07tus\"");
}

/* However long what it quotes is. */
static void test_long_error(void **state)
{
	char line[CTL_REQUEST_MAX];

	(void)state;
	(void)snprintf(line, sizeof(line), "{\"command\":\"%03000d\"}", 0);
	expect_refused(line, true, "unknown", "...\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members), cmocka_unit_test(test_no_json),
		cmocka_unit_test(test_nul),	cmocka_unit_test(test_forms),
		cmocka_unit_test(test_rights),	cmocka_unit_test(test_long_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
