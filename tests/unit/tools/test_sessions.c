/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_sessions.h"
#include "tools/ctl_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ctl_sessions now, before;
static char order[200];

static void add(struct ctl_sessions *sessions, int id, const char *user, int since, int in, int out)
{
	json_t *row =
		json_pack("{s{si,ss,si,si,si,ss,ss,s[ss]}}", "session", "id", id, "user", user,
			  "since", since, "in_octets", in, "out_octets", out, "peer",
			  id == 2 ? "9.0.0.1" : "10.0.0.1", "path", id == 3 ? "dead" : "alive",
			  "prefixes", "2001:db8:1::/48", "2001:db8:2::/48");

	assert_non_null(row);
	ctl_sessions_add(row, "", sessions);
	json_decref(row);
}

static int setup(void **state)
{
	(void)state;
	add(&before, 1, "carl", 100, 1000, 0);
	add(&before, 2, "bert", 300, 0, 0);
	add(&before, 3, "anna", 200, 0, 50);
	add(&now, 1, "carl", 100, 2000, 5);
	add(&now, 3, "anna", 200, 3000, 50);
	/* The id of bert's is somebody else's by now, and a new one. */
	add(&now, 4, "dora", 400, 7, 9000);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ctl_sessions_free(&now);
	ctl_sessions_free(&before);
	return 0;
}

static const char *users(void)
{
	order[0] = '\0';
	for (size_t i = 0; i < now.count; i++) {
		(void)strcat(order, i > 0 ? " " : "");
		(void)strcat(order, now.list[i].user);
	}
	return order;
}

static void rates_are_of_the_same_session(void **state)
{
	(void)state;
	ctl_sessions_rates(&now, &before, 2);
	assert_int_equal((int)now.list[0].in_rate, 500);
	assert_int_equal((int)now.list[1].in_rate, 1500);
	assert_int_equal((int)now.list[1].out_rate, 0);
	assert_true(now.list[2].in_rate < 0);
	/* Another user, and another login of the same one, with an id that was taken before. */
	ctl_sessions_free(&before);
	add(&before, 1, "mary", 100, 0, 0);
	add(&before, 3, "anna", 199, 0, 0);
	add(&before, 4, "dora", 400, 8, 0);
	for (size_t i = 0; i < now.count; i++)
		now.list[i].in_rate = -1;
	ctl_sessions_rates(&now, &before, 2);
	for (size_t i = 0; i < now.count; i++)
		assert_true(now.list[i].in_rate < 0);
}

static void each_key_sorts(void **state)
{
	static const char *const orders[CTL_SORT_COUNT] = {
		[CTL_SORT_ID] = "carl bert anna dora",	    [CTL_SORT_USER] = "anna bert carl dora",
		[CTL_SORT_PEER] = "bert carl anna dora",    [CTL_SORT_AGE] = "carl anna bert dora",
		[CTL_SORT_IN] = "anna carl dora bert",	    [CTL_SORT_OUT] = "dora anna carl bert",
		[CTL_SORT_DROPPED] = "carl bert anna dora", [CTL_SORT_PATH] = "anna carl bert dora",
	};

	(void)state;
	add(&now, 2, "bert", 300, 0, 0);
	for (int i = 0; i < CTL_SORT_COUNT; i++) {
		ctl_sessions_sort(&now, (enum ctl_sort)i);
		assert_string_equal(users(), orders[i]);
		assert_non_null(ctl_sort_words[i]);
	}
	/* By what it carries now, if that is known. */
	ctl_sessions_sort(&now, CTL_SORT_ID);
	for (size_t i = 0; i < now.count; i++)
		now.list[i].in_rate = (double)i;
	ctl_sessions_sort(&now, CTL_SORT_IN);
	assert_string_equal(users(), "dora anna bert carl");
}

static void a_text_is_looked_for_everywhere(void **state)
{
	(void)state;
	ctl_sessions_filter(&now, "");
	assert_int_equal(now.count, 3);
	ctl_sessions_filter(&now, "10.0");
	assert_int_equal(now.count, 3);
	ctl_sessions_filter(&now, "AR");
	assert_string_equal(users(), "carl");
	ctl_sessions_filter(&now, "2001:db8:1");
	assert_int_equal(now.count, 1);
	ctl_sessions_filter(&now, "dead");
	assert_int_equal(now.count, 0);
}

static void the_table_has_a_part_of_them(void **state)
{
	struct ctl_table *table = ctl_sessions_table(&now, 1, 1, false, 260);
	char line[300];

	(void)state;
	assert_non_null(table);
	assert_true(ctl_table_fit(table, 0));
	assert_int_equal(ctl_table_rows(table), 2);
	assert_string_equal(
		ctl_table_line(table, 1, line, sizeof(line)),
		"anna             10.0.0.1  2001:db8:1::/48 +1  1m 0s  2.9 KiB  50 B    "
		"    0  dead");
	assert_int_equal(ctl_table_style(table, 1), CTL_BAD);
	ctl_table_free(table);
	table = ctl_sessions_table(&now, 7, 1, true, 260);
	assert_non_null(table);
	assert_int_equal(ctl_table_rows(table), 1);
	ctl_table_free(table);
}

/* What is not what it should be is shown as nothing. */
static void rows_of_another_shape_do_no_harm(void **state)
{
	json_t *row = json_pack("{s{siss%}}", "session", "user", 7, "peer",
				"0123456789012345678901234567890123456789", (size_t)40);
	json_t *other = json_pack("{ss}", "session", "text");

	(void)state;
	assert_non_null(row);
	assert_non_null(other);
	ctl_sessions_add(row, "", &now);
	ctl_sessions_add(other, "", &now);
	assert_string_equal(now.list[3].user, "");
	assert_int_equal(strlen(now.list[3].peer), sizeof(now.list[3].peer) - 1);
	json_decref(row);
	json_decref(other);
	row = json_object();
	ctl_sessions_add(row, "", &now);
	assert_int_equal(now.count, 5);
	json_decref(row);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		ONE(rates_are_of_the_same_session),    ONE(each_key_sorts),
		ONE(a_text_is_looked_for_everywhere),  ONE(the_table_has_a_part_of_them),
		ONE(rows_of_another_shape_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
