/* SPDX-License-Identifier: BSD-2-Clause */
/* The counter page as its readers see it. */
#include "fastpath/shared.h"
#include "forward/counters.h"

#include "base/log.h"
#include "tests/unit/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void test_page(void **state)
{
	struct counters_page page = {
		.drops[DROP_NONE] = 1,
		.drops[DROP_OUTER_SHORT] = 2,
		.drops[DROP_SEND] = UINT64_MAX,
		.icmp6_sent = 3,
	};
	const struct counters_kernel none = {0};

	(void)state;
	capture_begin(STDERR_FILENO);
	counters_log_page(&page, &none);
	assert_string_equal(capture_end(), "test: counter name=outer-short value=2\n"
					   "test: counter name=send value=18446744073709551615\n"
					   "test: counter name=icmp6-sent value=3\n");
}

/* What the kernel has carried comes on top, from each of its lanes. */
static void test_kernel(void **state)
{
	static const struct fast_counters lanes[2 * 2 + 2] = {
		/* session 0 */
		{.in_packets = 100},
		{.out_packets = 100},
		/* session 1 */
		{.in_packets = 3, .in_bytes = 30, .not_sent = 1},
		{.in_packets = 4,
		 .in_bytes = 40,
		 .out_packets = 5,
		 .out_bytes = 50,
		 .not_written = 2},
		/* all */
		{.in_packets = 103, .in_bytes = 30, .not_sent = 1},
		{.in_packets = 4,
		 .in_bytes = 40,
		 .out_packets = 105,
		 .out_bytes = 50,
		 .not_written = 2},
	};
	struct carried_counters carried;
	const struct counters_kernel kernel = {lanes, 2};
	const struct counters_page page = {.sessions_max = 2, .drops[DROP_SEND] = 10};
	struct session_counters sum = {.in_packets = 1, .out_bytes = 2, .dropped = 3};

	(void)state;
	counters_kernel_add(&kernel, 1, &sum);
	assert_int_equal(sum.in_packets, 8);
	assert_int_equal(sum.in_bytes, 70);
	assert_int_equal(sum.out_packets, 5);
	assert_int_equal(sum.out_bytes, 52);
	assert_int_equal(sum.dropped, 6);
	capture_begin(STDERR_FILENO);
	counters_log_page(&page, &kernel);
	assert_string_equal(
		capture_end(),
		"test: counter name=tun-write value=2\ntest: counter name=send value=11\n");
	counters_kernel_carried(&kernel, 2, &carried);
	assert_int_equal(carried.in_packets, 107);
	assert_int_equal(carried.in_bytes, 70);
	assert_int_equal(carried.out_packets, 105);
	assert_int_equal(carried.out_bytes, 50);
}

/* Each reason can be told from the others. */
static void test_texts(void **state)
{
	(void)state;
	for (enum drop_reason reason = DROP_NONE; reason < DROP_REASONS; reason++) {
		assert_non_null(drop_reason_text(reason));
		for (enum drop_reason other = DROP_NONE; other < reason; other++) {
			assert_string_not_equal(drop_reason_text(reason), drop_reason_text(other));
			assert_string_not_equal(drop_reason_name(reason), drop_reason_name(other));
		}
	}
}

static void test_session(void **state)
{
	struct session_counters session = {.in_packets = 2, .in_bytes = 3000, .dropped = 7};

	(void)state;
	capture_begin(STDERR_FILENO);
	counters_log_session(&session);
	assert_string_equal(capture_end(), "test: counter name=in-packets value=2\n"
					   "test: counter name=in-bytes value=3000\n"
					   "test: counter name=out-packets value=0\n"
					   "test: counter name=out-bytes value=0\n");
	session.rtt_us = 12345;
	capture_begin(STDERR_FILENO);
	counters_log_session(&session);
	assert_non_null(strstr(capture_end(), "test: counter name=rtt-us value=12345\n"));
}

/* A page that is shorter than it should be is not read: that would be a bus error. */
static void test_map(void **state)
{
	static const uint32_t magic = COUNTERS_MAGIC;
	int fd = memfd_create("page", MFD_CLOEXEC);
	const struct counters_page *page;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)counters_size(2)), 0);
	assert_int_equal(pwrite(fd, &magic, sizeof(magic), 0), sizeof(magic));
	unsigned int before = capture_count_fds();

	page = counters_map(dup(fd), 2);
	assert_non_null(page);
	assert_int_equal(page->magic, COUNTERS_MAGIC);
	assert_int_equal(ftruncate(fd, (off_t)counters_size(2) - 1), 0);
	capture_begin(STDERR_FILENO);
	page = counters_map(dup(fd), 2);
	assert_non_null(strstr(capture_end(), "cannot map the counter page"));
	assert_null(page);
	assert_int_equal(capture_count_fds(), before);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page),  cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_texts), cmocka_unit_test(test_session),
		cmocka_unit_test(test_map),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
