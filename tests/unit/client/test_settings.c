/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcpclient.conf, and the options of the command line that are its keys. */
#include "client/options.h"

#include "base/log.h"
#include "config.h"
#include "netconf/tun.h"
#include "tests/unit/client/parsed.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/dtcp-settings-XXXXXX";

/* What has a letter has a word as well, which a file may have. */
static void test_long_options(void **state)
{
	(void)state;
	OK("--debug", "--reconnect", "--nat-check=no", "s");
	assert_true(options.debug && options.loop && !options.check_nat);
	OK("-dln", "--debug=no", "--reconnect=no", "--nat-check", "s");
	assert_true(!options.debug && !options.loop && options.check_nat);
	OK("--pidfile=/x", "--mtu=1400", "--port=7", "--script=/s", "--type=host", "--login=foo",
	   "--udp-port=5", "--nat-port=6", "--transport=udp", "s");
	assert_string_equal(options.pidfile, "/x");
	assert_int_equal(options.mtu, 1400);
	assert_int_equal(options.port, 7);
	assert_string_equal(options.script, "/s");
	assert_true(options.script_named);
	assert_int_equal(options.type, TUNNEL_HOST);
	assert_string_equal(options.login, "foo");
	assert_int_equal(options.udp_port, 5);
	assert_int_equal(options.nat_port, 6);
	OK("--server", "a,b");
	assert_int_equal(options.n_servers, 2);
	assert_string_equal(options.servers[1], "b");
	/* The last list is the one. */
	OK("--server=a,b", "--server=c");
	assert_int_equal(options.n_servers, 1);
	assert_string_equal(options.servers[0], "c");
	ERROR("--reconnect: \"maybe\": yes or no is needed", "--reconnect=maybe", "s");
	ERROR("--type x: tunnelonly, host and network are possible", "--type=x", "s");
	ERROR("--server: not a host name or an IPv4 address", "--server=a,");
	ERROR("--server a: named twice", "--server=a,a");
	ERROR("home: there is no " CLIENT_CONFIG_DIR "/home.conf; with --server, the argument is a "
	      "configuration",
	      "--server=a", "home");
	OK("--address=fd00::1,fd00::2", "s");
	assert_int_equal(options.n_addresses, 2);
}

/* What is meant as a command is a server, as ever. */
static void test_no_commands(void **state)
{
	static const char *const words[] = {"status", "check", "reconnect", "watch", "log"};
	const char *printed;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char said[200];

		assert_int_equal(
			args_parse(&parsed_program, ARGS(words[i]), STDERR_FILENO, &printed),
			OPTIONS_OK);
		assert_string_equal(options.servers[0], words[i]);
		(void)snprintf(said, sizeof(said),
			       "dtcpclient: \"%s\" is taken for the name of a server: there are no "
			       "commands; dtcpctl(8) has some for a client that runs\n",
			       words[i]);
		assert_string_equal(printed, said);
	}
	assert_int_equal(args_parse(&parsed_program, ARGS("home.conf"), STDERR_FILENO, &printed),
			 OPTIONS_OK);
	assert_string_equal(printed,
			    "dtcpclient: \"home.conf\" is taken for the name of a server: "
			    "a file needs a slash, as in ./home.conf, and one in " CLIENT_CONFIG_DIR
			    " neither that nor the .conf\n");
	OK("status.example.net");
}

/* What goes with it is of no use without it. */
static void test_check(void **state)
{
	struct in6_addr target;

	(void)state;
	OK("s");
	assert_false(options.check || options.json || options.force);
	OK("--check", "s");
	assert_true(options.check);
	assert_int_equal(inet_pton(AF_INET6, CLIENT_CHECK_TARGET, &target), 1);
	assert_memory_equal(&options.check_target, &target, sizeof(target));
	/* Whose process may be there. */
	assert_string_equal(options.pidfile, DTCP_RUNDIR "/dtcpclient.pid");
	OK("--check", "--json", "--force", "--check-target", "2001:db8::1", "s");
	assert_true(options.json && options.force);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &target), 1);
	assert_memory_equal(&options.check_target, &target, sizeof(target));
	ERROR("--json: only with --check", "--json", "s");
	ERROR("--force: only with --check", "--force", "s");
	ERROR("--check-target: only with --check", "--check-target", "2001:db8::1", "s");
	ERROR("--check-target fe80::1: a global IPv6 address is needed", "--check",
	      "--check-target", "fe80::1", "s");
	ERROR("--check-target 192.0.2.1: a global IPv6 address is needed", "--check",
	      "--check-target", "192.0.2.1", "s");
}

/* A file of that name, which has a slash in it. */
static const char *file(const char *name, const char *text)
{
	static char path[sizeof(folder) + 100];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	return path;
}

/* The file x.conf with this text is refused with a line that names it; message begins behind it. */
static void bad(const char *text, const char *message)
{
	const char *path = file("x.conf", text);
	char line[600];

	(void)snprintf(line, sizeof(line), "%s:%s", path, message);
	ERROR(line, path);
}

static void test_file(void **state)
{
	(void)state;
	OK(file("home.conf", "# all is here\n"
			     "server = broker.example\n"
			     "login = alice\ntype = network\nport=20201\n"
			     "address = 2001:db8::7\nreconnect = yes\n"
			     "keepalive = \"5,6\"\nroute = \"2000::/3,fd00::/8\"\n"
			     "script = '/x/y --lan eth1'\nfast = off\nnat-check = no\n"));
	assert_int_equal(options.n_servers, 1);
	assert_string_equal(options.servers[0], "broker.example");
	assert_string_equal(options.login, "alice");
	assert_int_equal(options.type, TUNNEL_NETWORK);
	assert_int_equal(options.port, 20201);
	assert_int_equal(options.n_addresses, 1);
	assert_true(options.loop && !options.check_nat && !options.debug);
	assert_int_equal(options.keepalive_timeout, 6);
	assert_int_equal(options.n_routes, 2);
	assert_string_equal(options.script, "/x/y --lan eth1");
	assert_int_equal(options.fast, FAST_OFF);
	assert_non_null(options.source.file);
	OK(file("home.conf", "server = 'a,b'"));
	assert_int_equal(options.n_servers, 2);
}

/* What follows from the name, unless the file or the command line says something else. */
static void test_what_the_name_implies(void **state)
{
	const char *path = file("home.conf", "server = a\n");
	char first[IFNAMSIZ];

	(void)state;
	OK(path);
	assert_string_equal(options.interface, "dtcp-home");
	assert_int_equal(options.transport, SESSION_AUTO);
	assert_int_equal(options.udp_port, 0);
	assert_null(options.pidfile);
	OK("-D", path);
	assert_string_equal(options.pidfile, DTCP_RUNDIR "/dtcpclient-home.pid");
	OK("-D", "-f", "/x", path);
	assert_string_equal(options.pidfile, "/x");
	OK("-U", "--interface=six", path);
	assert_string_equal(options.interface, "six");
	assert_int_equal(options.transport, SESSION_UDP);
	assert_int_equal(options.udp_port, 4028);
	OK(file("home.conf", "server = a\ntransport = ipv6\ninterface = six\npidfile = /p"));
	assert_string_equal(options.interface, "six");
	assert_int_equal(options.transport, SESSION_IPV6);
	assert_string_equal(options.pidfile, "/p");
	OK(file("ten-000000.conf", "server = a\n"));
	assert_string_equal(options.interface, "dtcp-ten-000000");
	/* The first ten characters are alike, and so are those of the interface of the next one. */
	OK(file("a-name-that-is-long.conf", "server = a\n"));
	assert_int_equal(strlen(options.interface), IFNAMSIZ - 1);
	assert_int_equal(strncmp(options.interface, "dtcp-a-name", 11), 0);
	(void)strlcpy(first, options.interface, sizeof(first));
	OK(file("a-name-that-is-longer.conf", "server = a\n"));
	assert_int_equal(strlen(options.interface), IFNAMSIZ - 1);
	assert_string_not_equal(options.interface, first);
	OK(file("a-name-that-is-long.conf", "server = a\n"));
	assert_string_equal(options.interface, first);
	OK("--interface=six", file("a-name-that-is-long.conf", "server = a\n"));
	assert_string_equal(options.interface, "six");
	OK(file("plain", "server = a\n"));
	assert_string_equal(options.interface, "dtcp-plain");
}

/* The command line has the last word, also where it adds to itself. */
static void test_command_line_beats_file(void **state)
{
	const char *path = file("home.conf", "server = a\nmtu = 1300\nlan = \"eth1,eth2\"\n"
					     "lan-open = tcp/1\ndebug = yes\nlogin = bob\n");

	(void)state;
	OK(path);
	assert_int_equal(options.lan.n, 2);
	assert_int_equal(options.lan.n_open, 1);
	OK("-m1400", path, "--lan=eth3", "--lan=eth4", "-ucarol", "--server=b,c",
	   "--lan-open=tcp/2", "--debug=no");
	assert_int_equal(options.mtu, 1400);
	assert_int_equal(options.lan.n, 2);
	assert_string_equal(options.lan.names[0], "eth3");
	assert_int_equal(options.lan.n_open, 1);
	assert_int_equal(options.lan.open[0].first, 2);
	assert_string_equal(options.login, "carol");
	assert_string_equal(options.servers[0], "b");
	assert_int_equal(options.n_servers, 2);
	assert_false(options.debug);
}

static void test_bad_files(void **state)
{
	char message[300];

	(void)state;
	bad("server = a\nmtu = 9000\n", "2: mtu: \"9000\": a number from 1280 to 1480 is needed");
	bad("server = a\n\npassword = x\n",
	    "3: password: no such setting; dtcpclient.conf(5) lists them");
	bad("user = no-such-user\nserver = a",
	    "1: user: no user no-such-user to run as on this machine; "
	    "whom to log in as is said by -u or login");
	bad("port = 1\nport = 2\n", "2: port: is set in line 1 already");
	bad("lan = eth1,eth2\n", "1: a , stands in quotation marks only");
	bad("type = router", "1: type router: tunnelonly, host and network are possible");
	bad("reconnect = 1", "1: reconnect: \"1\": yes or no is needed");
	bad("server = \"a:1\"\n", "1: server a:1: a port is named with -p, as in: -p 1 a");
	bad("server = \"\"\n", "1: server: not a host name or an IPv4 address");
	bad("interface = 'a b'\n", "1: interface a b: not a name for an interface: " TUN_NAME_RULE);
	/* Together wrong, and the line of one of them. */
	bad("server = a\nlan = eth1\ntype = host\n",
	    "2: lan: only with -t network; with host there is no prefix to share");
	bad("server = a\nmtu = 1480\n", "2: mtu 1480: with UDP at most 1472");
	bad("# nothing\n", " the server is missing: server = NAME");
	ERROR("/nonexistent/home.conf: there is no such file; dtcpclient.conf(5) says what belongs "
	      "there",
	      "/nonexistent/home.conf");
	ERROR("./x: a configuration, ./x, beside which no other name can stand; servers of such "
	      "names need --server",
	      "a", "./x");
	(void)snprintf(message, sizeof(message), "%s: not a file", folder);
	ERROR(message, folder);
}

/* Root's process hands on what it has read: the file can be another one by then. */
static void test_arguments_of_other_processes(void **state)
{
	const char *const args[] = {"-l",
				    file("home.conf", "server = \"a,b\"\nlan = eth1\n"
						      "lan-open = \"tcp/1,tcp/2\"\n"
						      "keepalive = \"7,8\"\ndebug = yes\n"
						      "nat-check = no\ninterface = \"i\"\n"
						      "mtu = 1400\n"),
				    "-D",
				    "--lan-open",
				    "tcp/3",
				    "--lan-open=tcp/4",
				    NULL};
	struct client_options other;
	char *argv[8] = {NULL};
	char **words;
	int argc = 0;
	int n = 0;

	(void)state;
	argv[argc++] = strdup("dtcpclient");
	for (; args[argc - 1]; argc++)
		argv[argc] = strdup(args[argc - 1]);
	assert_int_equal(parsed_program.parse(argc, argv), OPTIONS_OK);
	words = client_options_words(&options, argc, argv, &n);
	assert_non_null(words);
	assert_null(words[n]);
	assert_int_equal(unlink(args[1]), 0);
	assert_int_equal(client_options_parse_room(&other, n, words), OPTIONS_OK);
	assert_int_equal(other.n_servers, 2);
	assert_string_equal(other.servers[1], "b");
	assert_int_equal(other.lan.n, 1);
	assert_int_equal(other.lan.n_open, 2);
	assert_int_equal(other.lan.open[0].first, 3);
	assert_int_equal(other.keepalive_timeout, 8);
	assert_true(other.debug && other.loop && other.daemon && !other.check_nat);
	assert_string_equal(other.interface, "i");
	assert_string_equal(other.pidfile, DTCP_RUNDIR "/dtcpclient-home.pid");
	assert_int_equal(other.mtu, 1400);
	assert_int_equal(other.transport, SESSION_AUTO);
	assert_null(other.source.file);
	client_options_free(&other);
	client_options_free_words(words);
	parsed_free();
	for (int i = 0; i < argc; i++)
		free(argv[i]);
}

static int setup(void **state)
{
	(void)state;
	log_init("dtcpclient", NULL, false);
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"home.conf", "x.conf", "plain",
					    "a-name-that-is-long.conf"};
	char path[sizeof(folder) + 100];

	(void)state;
	parsed_free();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_options),
		cmocka_unit_test(test_no_commands),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_what_the_name_implies),
		cmocka_unit_test(test_command_line_beats_file),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_arguments_of_other_processes),
	};

	return cmocka_run_group_tests_name("client settings", tests, setup, teardown);
}
