/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/proof.h"

#define HEADERS 28 /* IPv4 and UDP */

static void proven_from_the_start(void **state)
{
	struct proof proof = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(proof_spend(&proof, 65507));
	proof_begin(&proof, false);
	assert_false(proof_spend(&proof, 0));
	proof_begin(&proof, true);
	assert_true(proof_spend(&proof, 65507));
}

/* Never zero, never more than three octets have room for, and nobody can tell the next one. */
static void numbers(void **state)
{
	struct proof proof = {0};
	uint32_t all_set = 0, last = 0;
	unsigned int same = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		proof_begin(&proof, false);
		assert_in_range(proof.number, 1, 0xffffff);
		all_set |= proof.number;
		same += proof.number == last;
		last = proof.number;
	}
	assert_int_equal(all_set, 0xffffff);
	assert_in_range(same, 0, 2);
}

static void repeated(void **state)
{
	struct proof proof = {0};

	(void)state;
	proof_begin(&proof, false);
	proof_check(&proof, 0, 1);
	assert_int_not_equal(proof.number, 0);
	proof_check(&proof, proof.number, 2);
	assert_int_equal(proof.number, 0);
	/* What comes later changes nothing. */
	proof_check(&proof, 77, 3);
	assert_true(proof_spend(&proof, 1400));
	assert_int_equal(proof.deaf_until, 0);
}

/* One guess a second, and an address more is no guess more. */
static void login_limits(void **state)
{
	struct proof proof = {0};
	uint32_t right;

	(void)state;
	proof_begin(&proof, false);
	proof_check(&proof, proof.number ^ 1, 10000);
	proof_check(&proof, proof.number, 10000);
	assert_int_not_equal(proof.number, 0);
	proof_begin(&proof, true);
	proof_begin(&proof, false);
	right = proof.number;
	proof_check(&proof, right, 10999);
	assert_int_equal(proof.number, right);
	/* Those that nobody has looked at do not make it longer. */
	proof_check(&proof, right ^ 1, 10999);
	proof_check(&proof, right, 11000);
	assert_int_equal(proof.number, 0);
}

static void three_times(void **state)
{
	struct proof proof = {0};

	(void)state;
	proof_begin(&proof, false);
	proof_credit(&proof, 40);
	/* 3 * 40 octets of payload, and of headers those of three packets */
	assert_false(proof_spend(&proof, 121));
	assert_true(proof_spend(&proof, 40));
	assert_true(proof_spend(&proof, 48));
	assert_false(proof_spend(&proof, 33));
	assert_true(proof_spend(&proof, 32));
	assert_false(proof_spend(&proof, 0));
	/* Large ones do not pay for many small ones: 3 * (1000 + 28) octets, headers and all. */
	proof_begin(&proof, false);
	proof_credit(&proof, 1000);
	for (int i = 0; i < 3084 / (40 + HEADERS); i++)
		assert_true(proof_spend(&proof, 40));
	assert_false(proof_spend(&proof, 40));
	/* Another address begins anew. */
	proof_credit(&proof, 1000);
	proof_begin(&proof, false);
	assert_false(proof_spend(&proof, 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proven_from_the_start),
		cmocka_unit_test(numbers),
		cmocka_unit_test(repeated),
		cmocka_unit_test(login_limits),
		cmocka_unit_test(three_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
