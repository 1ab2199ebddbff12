/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The published SipHash-2-4 vectors for key 00..0f: no input, and input 00..07. */
static void known_vectors(void **state)
{
	const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	const uint64_t word = UINT64_C(0x0706050403020100);

	(void)state;
	assert_int_equal(hash_words(key, NULL, 0), UINT64_C(0x726fdb47dd0e0e31));
	assert_int_equal(hash_words(key, &word, 1), UINT64_C(0x93f5f5799a932462));
}

static void find(const struct hash *hash, uint64_t value, const void *item, bool there)
{
	bool found = false;

	for (struct hash_node *node = hash_first(hash, value); node; node = hash_next(node)) {
		assert_int_equal(node->value, value);
		if (node->item == item)
			found = true;
	}
	assert_int_equal(found, there);
}

static void grows_and_keeps_all(void **state)
{
	enum { N = 5000 };
	struct hash hash;
	struct hash_node *nodes = calloc(N, sizeof(*nodes));

	(void)state;
	assert_non_null(nodes);
	assert_int_equal(hash_init(&hash), 0);
	/* Each value twice, as two keys with the same hash. */
	for (size_t i = 0; i < N; i++)
		hash_insert(&hash, &nodes[i], i / 2, &nodes[i]);
	assert_int_equal(hash.count, N);
	for (size_t i = 0; i < N; i++)
		find(&hash, i / 2, &nodes[i], true);
	for (size_t i = 0; i < N; i += 2)
		hash_remove(&hash, &nodes[i]);
	for (size_t i = 0; i < N; i++)
		find(&hash, i / 2, &nodes[i], i % 2);
	assert_int_equal(hash.count, N / 2);
	hash_free(&hash);
	free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_vectors),
		cmocka_unit_test(grows_and_keeps_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
