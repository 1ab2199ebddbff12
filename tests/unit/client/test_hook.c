/* SPDX-License-Identifier: BSD-2-Clause */
/* Which file is the script, and what it is told. */
#include "client/root/hook.h"

#include "base/log.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder with a file that can be run, one that cannot, and a folder. */
static char folder[] = "/tmp/test-hook-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[100];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void make_file(const char *name, mode_t mode)
{
	int fd = open(in_folder(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static int make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	make_file("script", 0755);
	make_file("text", 0644);
	assert_int_equal(mkdir(in_folder("sub"), 0755), 0);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	assert_int_equal(unlink(in_folder("script")), 0);
	assert_int_equal(unlink(in_folder("text")), 0);
	assert_int_equal(rmdir(in_folder("sub")), 0);
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

/* --- which file --------------------------------------------------------------------------- */

static void expect_found(const char *command, const char *expected)
{
	const struct client_options options = {.script = command, .script_named = true};
	char path[CLIENT_SCRIPT_SIZE];

	assert_true(hook_find(&options, path));
	assert_string_equal(path, expected);
}

static void expect_not_found(const char *command, const char *log)
{
	const struct client_options options = {.script = command, .script_named = true};
	char path[CLIENT_SCRIPT_SIZE];
	const char *said;
	bool found;

	capture_begin(STDERR_FILENO);
	found = hook_find(&options, path);
	said = capture_end();
	assert_false(found);
	assert_string_equal(said, log);
}

static void test_path(void **state)
{
	char command[200], log[300];

	(void)state;
	expect_found("/bin/sh", "/bin/sh");
	expect_found(" \t/bin/sh -c x", "/bin/sh");
	(void)snprintf(command, sizeof(command), "%s/../%s/script", folder,
		       strrchr(folder, '/') + 1);
	expect_found(command, command);
	(void)snprintf(log, sizeof(log), "test: -s %s: cannot be run: Permission denied\n",
		       in_folder("text"));
	expect_not_found(in_folder("text"), log);
	(void)snprintf(log, sizeof(log), "test: -s %s: cannot be run: Is a directory\n",
		       in_folder("sub"));
	expect_not_found(in_folder("sub"), log);
	expect_not_found("/no/such/script up",
			 "test: -s /no/such/script: cannot be run: No such file or directory\n");
}

/* As a shell would find it, but never where root happens to be. */
static void test_search(void **state)
{
	char path[300], command[100];
	char *old = strdup(getenv("PATH"));
	char *place = getcwd(NULL, 0);

	(void)state;
	(void)snprintf(path, sizeof(path), "/no/such/folder::%s:/bin", folder);
	assert_int_equal(setenv("PATH", path, 1), 0);
	(void)snprintf(command, sizeof(command), "%s", in_folder("script"));
	expect_found("script now", command);
	/* Neither one that cannot be run nor a folder is one. */
	expect_not_found("text", "test: -s text: no such command in PATH; a file here is named as "
				 "./text\n");
	expect_not_found("sub", "test: -s sub: no such command in PATH; a file here is named as "
				"./sub\n");
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(setenv("PATH", ":.:sub", 1), 0);
	expect_not_found("script", "test: -s script: no such command in PATH; a file here is named "
				   "as ./script\n");
	expect_found("./script", "./script");
	assert_int_equal(unsetenv("PATH"), 0);
	assert_int_equal(chdir(place), 0);
	/* There is one to look in nevertheless. */
	expect_not_found("no-such-command", "test: -s no-such-command: no such command in PATH; a "
					    "file here is named as ./no-such-command\n");
	assert_int_equal(setenv("PATH", old, 1), 0);
	free(place);
	free(old);
}

static void test_too_long(void **state)
{
	char command[CLIENT_SCRIPT_SIZE + 20];

	(void)state;
	memset(command, 'a', sizeof(command));
	command[0] = '/';
	command[CLIENT_SCRIPT_SIZE] = '\0';
	expect_not_found(command, "test: -s: the path is longer than 1023 characters\n");
	/* Its arguments are not part of it. */
	(void)snprintf(command, sizeof(command), "/bin/sh ");
	memset(command + 8, 'b', 900);
	expect_found(command, "/bin/sh");
}

/* The default script is where it is, there or not, with whatever blanks. */
static void test_default(void **state)
{
	const struct client_options options = {.script = "/no/such file"};
	char path[CLIENT_SCRIPT_SIZE];

	(void)state;
	assert_true(hook_find(&options, path));
	assert_string_equal(path, "/no/such file");
}

/* --- whether it is run -------------------------------------------------------------------- */

/* It is decided once; in a process of its own, for the sake of the other tests. */
static int decide(bool there)
{
	const struct client_options options = {.script = in_folder("script")};
	const char *said;
	bool first, then;

	if (!there)
		(void)chmod(options.script, 0644);
	first = hook_wanted(&options);
	capture_begin(STDERR_FILENO);
	(void)chmod(options.script, there ? 0644 : 0755);
	then = hook_wanted(&options);
	said = capture_end();
	(void)chmod(options.script, 0755);
	if (first != there || then != there)
		return 1;
	return there ? said[0] != '\0'
		     : !strstr(said, "/script was not there at the start, so it is not run; start "
				     "dtcpclient anew to have it run\n");
}

static void test_decided_once(void **state)
{
	(void)state;
	for (int there = 0; there <= 1; there++) {
		int status;
		pid_t pid = fork();

		assert_int_not_equal(pid, -1);
		if (pid == 0)
			_exit(decide(there));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

/* --- what it is told ---------------------------------------------------------------------- */

static void on_done(void *arg)
{
	(*(unsigned int *)arg)++;
}

/* What the program says that is run as the script. */
static const char *run(const struct client_options *options, const struct client_guard *told,
		       const char *word)
{
	struct event_base *base = event_base_new();
	struct script *script;
	unsigned int done = 0;
	const char *said;
	int status = -1;

	assert_non_null(base);
	capture_begin(STDERR_FILENO);
	script = hook_start(base, options, word, told, on_done, &done);
	if (script) {
		pid_t pid = script_pid(script);

		(void)waitpid(pid, &status, 0);
		(void)script_reaped(script, pid, status);
		(void)event_base_dispatch(base);
	}
	said = capture_end();
	assert_non_null(script);
	assert_int_equal(status, 0);
	assert_int_equal(done, 1);
	event_base_free(base);
	return said;
}

static struct client_options options_for(const char *command)
{
	return (struct client_options){.servers = {"one.example", "two.example"},
				       .n_servers = 2,
				       .script = command,
				       .script_named = true,
				       .interface = "dtcp0",
				       .type = TUNNEL_NETWORK,
				       .mtu = 1280};
}

static struct client_guard told_of(const char *path)
{
	struct client_guard told = {.user = "alice", .interface = "six0"};

	(void)snprintf(told.script, sizeof(told.script), "%s", path);
	told.tunnel.server_index = 1;
	told.tunnel.server = addr4("192.0.2.1");
	told.tunnel.myaddr = addr4("10.0.0.2");
	told.tunnel.my_port = 4711;
	told.tunnel.reply.me = addr4("198.51.100.2");
	told.tunnel.reply.her = addr4("192.0.2.99");
	told.tunnel.reply.n_prefixes = 2;
	told.tunnel.reply.prefixes[0] = prefix("2001:db8:100::/56");
	told.tunnel.reply.prefixes[1] = prefix("fd00:1::/48");
	return told;
}

#define SAID "test: /usr/bin/env: "

static void test_environment(void **state)
{
	struct client_options options = options_for("env");
	struct client_guard told = told_of("/usr/bin/env");

	(void)state;
	assert_string_equal(
		run(&options, &told, "up"), SAID
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" SAID
		"state=up\n" SAID "server=two.example\n" SAID "server_addr=192.0.2.1\n" SAID
		"myaddr=10.0.0.2\n" SAID "tuntype=network\n" SAID "me=198.51.100.2\n" SAID
		"her=192.0.2.99\n" SAID "me6=\n" SAID "her6=\n" SAID
		"prefix=2001:db8:100::/56 fd00:1::/48\n" SAID "tunif=six0\n" SAID "mtu=1280\n" SAID
		"proto=ipv6\n" SAID "user=alice\n" SAID "my_port=\n" SAID "her_port=\n");
	/* Over UDP, with an address and no prefix, and the script makes the tunnel. */
	options.no_device = true;
	options.type = TUNNEL_HOST;
	told.tunnel.reply.udp_port = 4028;
	told.tunnel.reply.n_prefixes = 0;
	told.tunnel.reply.has_me6 = told.tunnel.reply.has_her6 = true;
	told.tunnel.reply.me6 = addr6("2001:db8::2");
	told.tunnel.reply.her6 = addr6("2001:db8::1");
	assert_string_equal(
		run(&options, &told, "down"),
		SAID "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" SAID
		     "state=down\n" SAID "server=two.example\n" SAID "server_addr=192.0.2.1\n" SAID
		     "myaddr=10.0.0.2\n" SAID "tuntype=host\n" SAID "me=198.51.100.2\n" SAID
		     "her=192.0.2.99\n" SAID "me6=2001:db8::2\n" SAID "her6=2001:db8::1\n" SAID
		     "prefix=\n" SAID "tunif=\n" SAID "mtu=1280\n" SAID "proto=udp\n" SAID
		     "user=alice\n" SAID "my_port=4711\n" SAID "her_port=4028\n");
}

/* All prefixes that a reply can have, each as long as one can be. */
static void test_longest_prefixes(void **state)
{
	const struct client_options options = options_for("printenv prefix");
	struct client_guard told = told_of("/usr/bin/printenv");
	char expected[DTCP_PREFIXES_MAX * PREFIX6_STRLEN + 40] = "test: /usr/bin/printenv: ";

	(void)state;
	told.tunnel.reply.n_prefixes = DTCP_PREFIXES_MAX;
	for (size_t i = 0; i < DTCP_PREFIXES_MAX; i++) {
		told.tunnel.reply.prefixes[i] =
			prefix("2001:db8:1111:2222:3333:4444:5555:6660/124");
		(void)strlcat(expected,
			      i ? " 2001:db8:1111:2222:3333:4444:5555:6660/124"
				: "2001:db8:1111:2222:3333:4444:5555:6660/124",
			      sizeof(expected));
	}
	(void)strlcat(expected, "\n", sizeof(expected));
	assert_string_equal(run(&options, &told, "up"), expected);
}

/* The path is the one that was found; the rest is the command line's, word by word. */
static void test_arguments(void **state)
{
	const struct client_options options = options_for(" \tno/such <%s> a  b\tc ");
	const struct client_guard told = told_of("/usr/bin/printf");

	(void)state;
	assert_string_equal(run(&options, &told, "up"), "test: /usr/bin/printf: <a><b><c>\n");
}

/* A default script has none, whatever its path looks like. */
static void test_no_arguments(void **state)
{
	struct client_options options = options_for("/no/such one two");
	const struct client_guard told = told_of("/usr/bin/echo");

	(void)state;
	options.script_named = false;
	assert_string_equal(run(&options, &told, "up"), "test: /usr/bin/echo: \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_decided_once),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_longest_prefixes),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_no_arguments),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("client hook", tests, make_folder, remove_folder);
}
