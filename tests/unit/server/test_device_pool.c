/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose device has which number, and when one leaves. */
#include "server/root/device_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NUMBERS = DEVICE_POOL_SPARE, KEEP = 300000, NOW = 1000000, BATCH = 8 };

static uint32_t take(struct device_pool *pool, int64_t user, enum device_pool_state before)
{
	enum device_pool_state state;
	uint32_t number = device_pool_take(pool, user, &state);

	assert_int_not_equal(number, 0);
	assert_int_equal(state, before);
	assert_int_equal(device_pool_state(pool, number), DEVICE_POOL_USED);
	return number;
}

/* How many leave, and the first of them. */
static size_t leave(struct device_pool *pool, int64_t now, uint32_t *first)
{
	uint32_t numbers[BATCH] = {0};
	size_t n = device_pool_leave(pool, KEEP, now, numbers, BATCH);

	*first = numbers[0];
	return n;
}

/* Sessions of one user have one device, also if the next one comes after the last has ended. */
static void test_stays_with_its_user(void **state)
{
	struct device_pool *pool = device_pool_new(NUMBERS);
	uint32_t first;

	(void)state;
	assert_int_equal(take(pool, 7, DEVICE_POOL_FREE), 1);
	assert_int_equal(take(pool, 8, DEVICE_POOL_FREE), 2);
	assert_int_equal(take(pool, 7, DEVICE_POOL_USED), 1);
	assert_false(device_pool_give(pool, 1, NOW));
	assert_int_equal(device_pool_due(pool, KEEP), -1);
	assert_true(device_pool_give(pool, 1, NOW));
	assert_int_equal(device_pool_state(pool, 1), DEVICE_POOL_IDLE);
	assert_int_equal(device_pool_due(pool, KEEP), NOW + KEEP);
	assert_int_equal(leave(pool, NOW + KEEP - 1, &first), 0);
	assert_int_equal(take(pool, 9, DEVICE_POOL_FREE), 3);
	assert_int_equal(take(pool, 7, DEVICE_POOL_IDLE), 1);
	/* It is in use again. */
	assert_int_equal(leave(pool, NOW + KEEP, &first), 0);
	device_pool_free(pool);
}

/* What is leaving is nobody's; its number is free when it is gone. */
static void test_leaves(void **state)
{
	struct device_pool *pool = device_pool_new(NUMBERS);
	uint32_t first;

	(void)state;
	(void)take(pool, 7, DEVICE_POOL_FREE);
	(void)take(pool, 8, DEVICE_POOL_FREE);
	assert_true(device_pool_give(pool, 2, NOW));
	assert_true(device_pool_give(pool, 1, NOW + 1));
	assert_int_equal(leave(pool, NOW + KEEP, &first), 1);
	assert_int_equal(first, 2);
	assert_int_equal(device_pool_state(pool, 2), DEVICE_POOL_LEAVING);
	assert_int_equal(leave(pool, NOW + KEEP, &first), 0);
	assert_int_equal(take(pool, 8, DEVICE_POOL_FREE), 3);
	device_pool_drop(pool, 2);
	assert_int_equal(device_pool_state(pool, 2), DEVICE_POOL_FREE);
	assert_int_equal(take(pool, 9, DEVICE_POOL_FREE), 2);
	assert_int_equal(leave(pool, NOW + KEEP + 1, &first), 1);
	assert_int_equal(first, 1);
	device_pool_free(pool);
}

/* One that was removed by somebody, or could not be made, is forgotten in any state. */
static void test_drop(void **state)
{
	struct device_pool *pool = device_pool_new(NUMBERS);
	uint32_t first;

	(void)state;
	device_pool_drop(pool, take(pool, 7, DEVICE_POOL_FREE));
	assert_int_equal(take(pool, 7, DEVICE_POOL_FREE), 1);
	assert_true(device_pool_give(pool, 1, NOW));
	device_pool_drop(pool, 1);
	assert_int_equal(device_pool_due(pool, KEEP), -1);
	assert_int_equal(leave(pool, INT64_MAX, &first), 0);
	assert_int_equal(take(pool, 7, DEVICE_POOL_FREE), 1);
	device_pool_free(pool);
	device_pool_free(NULL);
}

/* Only so many are kept; those beyond leave early, the one kept longest first. */
static void test_too_many_are_kept(void **state)
{
	struct device_pool *pool = device_pool_new(NUMBERS);
	uint32_t first;

	(void)state;
	for (int64_t user = 1; user <= DEVICE_POOL_IDLE_MAX; user++)
		assert_true(device_pool_give(pool, take(pool, user, DEVICE_POOL_FREE), NOW + user));
	assert_false(device_pool_is_full(pool));
	assert_int_equal(leave(pool, NOW + DEVICE_POOL_IDLE_MAX, &first), 0);
	for (int64_t user = 1; user <= 2; user++)
		assert_true(device_pool_give(
			pool, take(pool, DEVICE_POOL_IDLE_MAX + user, DEVICE_POOL_FREE),
			NOW + DEVICE_POOL_IDLE_MAX + user));
	assert_true(device_pool_is_full(pool));
	assert_int_equal(leave(pool, NOW + DEVICE_POOL_IDLE_MAX + 2, &first), 2);
	assert_int_equal(first, 1);
	assert_false(device_pool_is_full(pool));
	device_pool_free(pool);
}

/* If nothing can be removed, the numbers end, and come back when it can. */
static void test_no_number_is_left(void **state)
{
	struct device_pool *pool = device_pool_new(NUMBERS);
	enum device_pool_state before;
	uint32_t first;

	(void)state;
	for (int64_t user = 1; user <= NUMBERS; user++)
		assert_true(device_pool_give(pool, take(pool, user, DEVICE_POOL_FREE), NOW));
	assert_int_equal(device_pool_take(pool, -1, &before), 0);
	assert_int_equal(leave(pool, NOW, &first), BATCH);
	assert_int_equal(device_pool_take(pool, -1, &before), 0);
	device_pool_drop(pool, first);
	assert_int_equal(take(pool, -1, DEVICE_POOL_FREE), first);
	device_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stays_with_its_user),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_too_many_are_kept),
		cmocka_unit_test(test_no_number_is_left),
	};

	return cmocka_run_group_tests_name("server device pool", tests, NULL, NULL);
}
