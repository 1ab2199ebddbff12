/* SPDX-License-Identifier: BSD-2-Clause */
/* What was made for --lan and is taken back, however the process has ended that made it. */
#include "client/root/lan_record.h"

#include "base/log.h"
#include "config.h"
#include "home.h"
#include "netconf/sysctl.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/proto/addresses.h"

#include <fcntl.h>
#include <net/if.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HOPS	"net/ipv6/conf/lo/hop_limit"
#define FORWARD "net/ipv6/conf/all/forwarding"

/* Another instance ends at a moment: the folder goes again when it has just been made, so often. */
static unsigned int vanishes;

int __wrap_mkdir(const char *path, mode_t mode);
int __real_mkdir(const char *path, mode_t mode);

int __wrap_mkdir(const char *path, mode_t mode)
{
	int result = __real_mkdir(path, mode);

	if (vanishes > 0) {
		vanishes--;
		assert_int_equal(rmdir(path), 0);
	}
	return result;
}

static bool lan_is_up(void)
{
	char name[IFNAMSIZ];
	bool up;

	assert_int_equal(tun_look(home.index, name, &up), 0);
	return up;
}

/* The folder of the records. */
static void folder(char path[static 200])
{
	struct stat status;

	assert_int_equal(stat("/proc/self/ns/net", &status), 0);
	(void)snprintf(path, 200, "%s/dtcpclient-lan-%ju", DTCP_RUNDIR, (uintmax_t)status.st_ino);
}

/* A record as a process that was killed in the middle has left it. */
static void leave(const char *interface, const char *text)
{
	char path[200], file[300];
	FILE *out;

	folder(path);
	(void)mkdir(path, 0755);
	(void)snprintf(file, sizeof(file), "%s/%s", path, interface);
	out = fopen(file, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void test_open_and_close(void **state)
{
	struct lan_record *record = lan_record_open("dtcp0");
	char path[LAN_RECORD_PATH_SIZE];

	(void)state;
	assert_non_null(record);
	assert_int_equal(home_files(), 2);
	lan_record_path(record, "conf", path);
	assert_non_null(strstr(path, "/dtcp0@conf"));
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	lan_record_close(record);
	assert_int_equal(home_files(), 0);
	lan_record_close(NULL);
}

static void test_folder_that_goes(void **state)
{
	struct lan_record *record;

	(void)state;
	vanishes = 3;
	record = lan_record_open("dtcp0");
	assert_non_null(record);
	assert_int_equal(vanishes, 0);
	assert_int_equal(home_files(), 2);
	lan_record_close(record);
}

static void test_setting(void **state)
{
	struct lan_record *record = lan_record_open("dtcp0");
	int before = home_setting(HOPS);

	(void)state;
	assert_non_null(record);
	assert_true(lan_record_sysctl(record, HOPS, 77));
	assert_int_equal(home_setting(HOPS), 77);
	/* What is so already, and what does not exist, is no work. */
	assert_true(lan_record_sysctl(record, HOPS, 77));
	assert_true(lan_record_sysctl(record, "net/ipv6/conf/no-such/hop_limit", 7));
	/* Somebody has changed it, and it is needed again. */
	assert_int_equal(sysctl_write(HOPS, 78), 0);
	assert_true(lan_record_sysctl(record, HOPS, 77));
	lan_record_close(record);
	assert_int_equal(home_setting(HOPS), before);
	/* Somebody has changed it since, and means it so. */
	record = lan_record_open("dtcp0");
	assert_true(lan_record_sysctl(record, HOPS, 77));
	assert_int_equal(sysctl_write(HOPS, 99), 0);
	lan_record_close(record);
	assert_int_equal(home_setting(HOPS), 99);
}

static void test_setting_that_is_refused(void **state)
{
	struct lan_record *record = lan_record_open("dtcp0");
	const char *said;
	bool done;

	(void)state;
	capture_begin(STDERR_FILENO);
	done = lan_record_sysctl(record, HOPS, 999);
	said = capture_end();
	assert_false(done);
	assert_string_equal(said, "test: cannot set " HOPS " to 999: Invalid argument\n");
	lan_record_close(record);
}

/* What two instances need goes with the last one, whichever that is. */
static void test_two_instances(void **state)
{
	(void)state;
	for (int first = 0; first <= 1; first++) {
		struct lan_record *records[2] = {lan_record_open("dtcp0"),
						 lan_record_open("dtcp1")};

		assert_int_equal(home_setting(FORWARD), 0);
		assert_true(lan_record_sysctl(records[0], FORWARD, 1));
		assert_true(lan_record_sysctl(records[1], FORWARD, 1));
		lan_record_close(records[first]);
		assert_int_equal(home_setting(FORWARD), 1);
		lan_record_close(records[!first]);
		assert_int_equal(home_setting(FORWARD), 0);
		assert_int_equal(home_files(), 0);
	}
}

/* All kinds, the last first. */
static void make_all(struct lan_record *record)
{
	const struct in6_addr addr = addr6("2001:db8:100::1");

	assert_true(lan_record_table(record, "dtcpclient-dtcp0"));
	assert_true(lan_record_sysctl(record, FORWARD, 1));
	assert_true(lan_record_up(record, "lan0"));
	assert_int_equal(netlink_link_set_up(home.netlink, home.index, true), 0);
	assert_true(lan_record_address(record, "lan0", &addr));
	assert_int_equal(netlink_address_ensure(home.netlink, home.index, &addr, 64, NULL), 1);
	assert_true(lan_record_radvd(record, 99));
}

static void expect_all_taken_back(void)
{
	const struct in6_addr addr = addr6("2001:db8:100::1");

	assert_string_equal(home.nft, "add table ip6 dtcpclient-dtcp0\n"
				      "delete table ip6 dtcpclient-dtcp0\n");
	assert_int_equal(home_setting(FORWARD), 0);
	assert_false(lan_is_up());
	assert_string_equal(home.ended, "radvd:99? ");
	assert_int_equal(home_files(), 0);
	assert_int_equal(netlink_link_set_up(home.netlink, home.index, true), 0);
	assert_int_equal(netlink_address_ensure(home.netlink, home.index, &addr, 64, NULL), 1);
}

static void test_all_kinds(void **state)
{
	struct lan_record *record = lan_record_open("dtcp0");

	(void)state;
	make_all(record);
	lan_record_close(record);
	expect_all_taken_back();
}

/* In a process of its own, which is then killed. */
static void be_killed(int ready)
{
	struct lan_record *record = lan_record_open("dtcp0");

	make_all(record);
	(void)!write(ready, "x", 1);
	for (;;)
		pause();
}

/* As long as it lives, it is left alone; then the next one, or the guard, takes all back. */
static void test_killed(void **state)
{
	const struct in6_addr addr = addr6("2001:db8:100::1");

	(void)state;
	for (int guard = 0; guard <= 1; guard++) {
		int ready[2];
		char octet;
		pid_t pid;

		home.nft[0] = home.ended[0] = '\0';
		assert_int_equal(pipe(ready), 0);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0)
			be_killed(ready[1]);
		assert_int_equal(read(ready[0], &octet, 1), 1);
		close(ready[0]);
		close(ready[1]);
		assert_int_equal(lan_record_sweep(NULL), 0);
		assert_int_equal(home_setting(FORWARD), 1);
		assert_int_equal(kill(pid, SIGKILL), 0);
		if (!guard)
			assert_int_equal(waitpid(pid, NULL, 0), pid);
		/* The guard waits for whoever is about to end. */
		assert_int_equal(lan_record_sweep(guard ? "dtcp0" : NULL), 1);
		if (guard)
			assert_int_equal(waitpid(pid, NULL, 0), pid);
		expect_all_taken_back();
		assert_int_equal(lan_record_sweep(guard ? "dtcp0" : NULL), 0);
		assert_int_equal(netlink_address_delete(home.netlink, home.index, &addr, 64), 0);
		assert_int_equal(netlink_link_set_up(home.netlink, home.index, false), 0);
	}
}

/* A line that was not written to its end, or by somebody else, is none. */
static void test_broken_lines(void **state)
{
	int before = home_setting(HOPS);

	(void)state;
	assert_int_equal(sysctl_write(HOPS, 77), 0);
	leave("dtcp0", "sysctl " HOPS " 1 77 8\n"
		       "sysctl " HOPS " x 77\n"
		       "sysctl " HOPS " 1 7x\n"
		       "sysctl " HOPS " 1\n"
		       "\n"
		       " \n"
		       "sysctl\n"
		       "radvd x\n"
		       "address lan0 nonsense\n"
		       "address no-such 2001:db8::1\n"
		       "up no-such\n"
		       "table\n"
		       "sysctl " HOPS " 1 77");
	assert_int_equal(lan_record_sweep(NULL), 1);
	assert_int_equal(home_setting(HOPS), 77);
	assert_string_equal(home.ended, "");
	assert_string_equal(home.nft, "");
	assert_int_equal(home_files(), 0);
	assert_int_equal(sysctl_write(HOPS, before), 0);
}

/* Files that are no records stay. */
static void test_other_files(void **state)
{
	char path[200];

	(void)state;
	leave("-x", "up lan0\n");
	leave("dtcp0@conf", "up lan0\n");
	assert_int_equal(netlink_link_set_up(home.netlink, home.index, true), 0);
	assert_int_equal(lan_record_sweep(NULL), 0);
	assert_true(lan_is_up());
	assert_int_equal(home_files(), 3);
	folder(path);
	/* There is no record without a folder for it. */
	assert_int_equal(lan_record_sweep("dtcp7"), 0);
}

static void test_no_place(void **state)
{
	struct lan_record *record;
	const char *said;
	char path[200];

	(void)state;
	folder(path);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	capture_begin(STDERR_FILENO);
	record = lan_record_open("dtcp0");
	said = capture_end();
	assert_null(record);
	assert_non_null(strstr(said, "/dtcp0: Not a directory\n"));
	assert_int_equal(lan_record_sweep("dtcp0"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, home_open, home_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open_and_close), TEST(test_folder_that_goes),
		TEST(test_setting),	   TEST(test_setting_that_is_refused),
		TEST(test_two_instances),  TEST(test_all_kinds),
		TEST(test_killed),	   TEST(test_broken_lines),
		TEST(test_other_files),	   TEST(test_no_place),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("client lan record", tests, NULL, NULL);
}
