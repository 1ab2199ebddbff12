/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/options.h"

#include "base/log.h"
#include "tests/unit/base/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct web_options options;

static enum options_result parse(int argc, char *const argv[])
{
	memset(&options, 0x55, sizeof(options));
	return web_options_parse(&options, argc, argv);
}

static const struct args_program program = {"dtcpweb", parse};

static void expect_listen(size_t place, const char *text)
{
	char buf[ADDRESS_STRLEN];

	assert_true(place < options.n_listen);
	assert_string_equal(address_format(&options.listen[place], buf), text);
}

static void defaults(void **state)
{
	(void)state;
	args_expect_ok(&program, ARGS(NULL));
	assert_int_equal(options.n_listen, 2);
	expect_listen(0, "127.0.0.1:20280");
	expect_listen(1, "[::1]:20280");
	assert_true(options.default_listen);
	assert_int_equal(options.n_hosts, 0);
	assert_false(options.per_user);
	assert_false(options.debug);
	assert_null(options.user);
}

static void all(void **state)
{
	(void)state;
	args_expect_ok(&program, ARGS("--listen", "192.0.2.1:80", "--host", "status.example.net",
				      "--listen=[::1]:81", "--per-user", "-d", "--user", "web",
				      "--sockets", "/x"));
	assert_int_equal(options.n_listen, 2);
	expect_listen(0, "192.0.2.1:80");
	expect_listen(1, "[::1]:81");
	assert_false(options.default_listen);
	assert_int_equal(options.n_hosts, 1);
	assert_string_equal(options.hosts[0], "status.example.net");
	assert_true(options.per_user);
	assert_true(options.debug);
	assert_string_equal(options.user, "web");
	assert_string_equal(options.sockets, "/x");
}

static void wrong(void **state)
{
	(void)state;
	args_expect_error(&program, ARGS("--listen", "80"),
			  "--listen \"80\": not an address and a port, such as 127.0.0.1:20280 or "
			  "[::1]:20280");
	args_expect_error(&program, ARGS("--host", "http://x/"),
			  "--host \"http://x/\": not a name or an address (without a port), such "
			  "as status.example.net");
	args_expect_error(&program, ARGS("--sockets", "run"),
			  "--sockets \"run\": the whole path of a folder is needed");
	args_expect_error(&program, ARGS("127.0.0.1:80"),
			  "127.0.0.1:80: not an option; see --help");
	args_expect_error(&program, ARGS("-x"), "-x: unknown option; see --help");
	args_expect_error(&program, ARGS("--port", "80"), "--port: unknown option; see --help");
	args_expect_error(&program, ARGS("--listen"), "--listen: its value is missing; see --help");
	args_expect_error(&program,
			  ARGS("--host", "a", "--host=b", "--host=c", "--host=d", "--host=e",
			       "--host=f", "--host=g", "--host=h", "--host=i"),
			  "--host i: at most 8 names");
	args_expect_error(&program,
			  ARGS("--listen=[::1]:1", "--listen=[::1]:2", "--listen=[::1]:3",
			       "--listen=[::1]:4", "--listen=[::1]:5", "--listen=[::1]:6",
			       "--listen=[::1]:7", "--listen=[::1]:8", "--listen=[::1]:9"),
			  "--listen [::1]:9: at most 8 addresses");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(all),
		cmocka_unit_test(wrong),
	};

	log_init("dtcpweb", NULL, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
