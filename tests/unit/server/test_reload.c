/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings are read again: who is told of what, and what stays as it was. */
#include "server/root/reload.h"

#include "base/log.h"
#include "forward/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	struct server_options options;
	struct reload reload;
	char path[40];
	char *words[4];
	/* What others were told, each by one letter: control a setting, accounts to look, forward
	 * its settings; and links to look again. */
	char told[20];
	struct server_setting setting;	 /* the last */
	struct forward_settings forward; /* the last */
	unsigned int reloading, ready;	 /* the service manager */
	int64_t now;
} rig;

void __wrap_supervisor_send(struct supervisor *supervisor, size_t place, uint32_t type,
			    const void *body, size_t size, int fd);
void __wrap_supervisor_log_debug(struct supervisor *supervisor, bool debug);
struct service *__wrap_supervisor_service(const struct supervisor *supervisor);
void __wrap_service_reloading(struct service *service);
void __wrap_service_ready(struct service *service);
void __wrap_links_look_again(struct links *links);
int64_t __wrap_clock_ms(void);

void __wrap_supervisor_send(struct supervisor *supervisor, size_t place, uint32_t type,
			    const void *body, size_t size, int fd)
{
	const char *letter = "?";

	(void)supervisor;
	assert_int_equal(fd, -1);
	if (place == SERVER_CONTROL && type == SERVER_MSG_SETTING) {
		assert_int_equal(size, sizeof(rig.setting));
		memcpy(&rig.setting, body, size);
		letter = "c";
	} else if (place == SERVER_ACCOUNTS && type == SERVER_MSG_RECHECK) {
		letter = "a";
	} else if (place == SERVER_FORWARD && type == FORWARD_MSG_SETTINGS) {
		assert_int_equal(size, sizeof(rig.forward));
		memcpy(&rig.forward, body, size);
		letter = "f";
	}
	(void)strlcat(rig.told, letter, sizeof(rig.told));
}

void __wrap_supervisor_log_debug(struct supervisor *supervisor, bool debug)
{
	(void)supervisor;
	assert_int_equal(debug, rig.options.debug);
}

struct service *__wrap_supervisor_service(const struct supervisor *supervisor)
{
	(void)supervisor;
	return NULL;
}

void __wrap_service_reloading(struct service *service)
{
	(void)service;
	rig.reloading++;
}

void __wrap_service_ready(struct service *service)
{
	(void)service;
	rig.ready++;
}

void __wrap_links_look_again(struct links *links)
{
	(void)links;
	(void)strlcat(rig.told, "l", sizeof(rig.told));
}

int64_t __wrap_clock_ms(void)
{
	return rig.now;
}

/* The file has this from now on. */
static void write_file(const char *text)
{
	FILE *file = fopen(rig.path, "we");

	assert_non_null(file);
	assert_int_equal(fputs("network.pool = 2001:db8:100::/40\n", file) >= 0, 1);
	assert_int_equal(fputs(text, file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
	static char program[] = "dtcps";
	static char option[] = "-c";
	int fd;

	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.now = 1000000;
	(void)strlcpy(rig.path, "/tmp/test-reload-XXXXXX", sizeof(rig.path));
	fd = mkstemp(rig.path);
	assert_int_not_equal(fd, -1);
	close(fd);
	write_file("");
	rig.words[0] = program;
	rig.words[1] = option;
	rig.words[2] = rig.path;
	assert_int_equal(server_options_parse(&rig.options, 3, rig.words), OPTIONS_OK);
	rig.reload = (struct reload){.options = &rig.options, .argc = 3, .argv = rig.words};
	reload_init(&rig.reload);
	return 0;
}

static int end(void **state)
{
	(void)state;
	server_options_free(&rig.options);
	return unlink(rig.path);
}

static void expect(bool good, const char *told)
{
	rig.told[0] = '\0';
	assert_int_equal(reload_now(&rig.reload), good);
	assert_string_equal(rig.told, told);
}

static void test_nothing_new(void **state)
{
	(void)state;
	expect(true, "fa");
	assert_int_equal(rig.reloading, 1);
	assert_int_equal(rig.ready, 1);
}

/* Control is told the value as it was written, and this process has it. */
static void test_number(void **state)
{
	(void)state;
	write_file("timeout.login = 7\n");
	expect(true, "cfa");
	assert_string_equal(server_settings.list[rig.setting.number].key, "timeout.login");
	assert_string_equal(rig.setting.value, "7");
	assert_int_equal(rig.options.timeout_login, 7);
	/* The default comes back if the line has gone. */
	write_file("");
	expect(true, "cfa");
	assert_int_not_equal(rig.options.timeout_login, 7);
}

static void test_forward(void **state)
{
	(void)state;
	write_file("limit.icmp6 = 3\n");
	expect(true, "cfa");
	assert_int_equal(rig.forward.icmp6_rate, 3);
}

/* Whose a prefix is, is looked at by this process. */
static void test_text(void **state)
{
	(void)state;
	write_file("host.exclude = 2001:db8:9000::/36\n");
	expect(true, "lfa");
	assert_string_equal(rig.options.host_exclude, "2001:db8:9000::/36");
}

static void test_not_live(void **state)
{
	(void)state;
	write_file("port = 20201\n");
	expect(true, "fa");
	assert_int_equal(rig.options.port, 20200);
}

/* One wrong line, and nothing changes; the service manager hears that it is over. */
static void test_wrong(void **state)
{
	uint32_t before = rig.options.timeout_login;

	(void)state;
	write_file("timeout.login = 7\nport = no\n");
	expect(false, "a");
	assert_int_equal(rig.options.timeout_login, before);
	assert_int_equal(rig.ready, 1);
}

/* An operator hears what came of it; who asks all the time, that it is not done. */
static void test_asked(void **state)
{
	unsigned int done = 0;

	(void)state;
	while (done < 50 && reload_asked(&rig.reload) == SERVER_DONE)
		done++;
	assert_int_equal(done, 5);
	assert_int_equal(reload_asked(&rig.reload), SERVER_DONE_BUSY);
	assert_int_equal(rig.reloading, done);
	rig.now += 1000;
	write_file("port = no\n");
	assert_int_equal(reload_asked(&rig.reload), SERVER_DONE_FAILED);
	assert_int_equal(reload_asked(&rig.reload), SERVER_DONE_BUSY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_new), TEST(test_number), TEST(test_forward), TEST(test_text),
		TEST(test_not_live),	TEST(test_wrong),  TEST(test_asked),
	};

	return cmocka_run_group_tests_name("server reload", tests, NULL, NULL);
}
