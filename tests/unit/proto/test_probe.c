/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes, octet for octet. The vectors were computed with python's hmac and with openssl dgst;
 * probe_vectors.py computes more of them at every run.
 */
#include "proto/probe.h"

#include "exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHALLENGE "0B1517C87D516A5FA65BED722D51A04F"
#define SESSION	  0x0123456789abcdef

/*
 * HMAC-SHA-256("bar", "dtcp probe 1" 00 "foo" 00 CHALLENGE 00 "0123456789abcdef"): the key of
 * SESSION for user foo, password bar.
 */
static const uint8_t key[PROBE_KEY_SIZE] = {
	0x76, 0x38, 0xc1, 0x6a, 0x7b, 0xc7, 0x9f, 0x1d, 0xb4, 0xbe, 0xc2,
	0xf7, 0xe3, 0x64, 0x96, 0xe6, 0xe8, 0x77, 0xa6, 0xa2, 0x1d, 0x15,
	0xb9, 0xf3, 0x62, 0x4d, 0xf2, 0xde, 0x02, 0x5a, 0x26, 0x0d,
};

static const struct probe hello = {
	.type = PROBE_HELLO,
	.clock = 0x11223344,
	.session = SESSION,
	.counter = 0x0102030405060708,
};

/* clang-format off: a row is a field. */
static const uint8_t hello_octets[PROBE_SIZE] = {
	0xd0,						/* hello */
	0x00, 0x00, 0x00,				/* no proof of address */
	0x11, 0x22, 0x33, 0x44,				/* clock: 287454020 ms */
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, /* session, first octet highest */
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* counter, first octet highest */
	0xbe, 0x5f, 0xd5, 0x62, 0x57, 0x72, 0x84, 0xcf, /* code: 16 of the 32 octets of the */
	0x86, 0xb7, 0xdc, 0x5e, 0x91, 0x32, 0x78, 0x06, /* HMAC over all of the above */
};

static const uint8_t answer_octets[PROBE_SIZE] = {
	0xd1,						/* answer */
	0x00, 0x00, 0x00,				/* no proof of address */
	0x11, 0x22, 0x33, 0x44,				/* clock: the hello's */
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, /* session */
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x09, /* counter: the server's own */
	0xcf, 0x2c, 0xce, 0x11, 0x89, 0x31, 0x19, 0x55, /* code */
	0xea, 0x0d, 0x68, 0x13, 0x85, 0x27, 0x6a, 0x94,
};

/* hello_octets with a proof of address. */
static const uint8_t proof_octets[PROBE_SIZE] = {
	0xd0,						/* hello */
	0xa5, 0x01, 0x80,				/* proof, first octet highest */
	0x11, 0x22, 0x33, 0x44,				/* clock */
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, /* session */
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* counter */
	0x1b, 0x37, 0x4a, 0xf5, 0x2e, 0xa4, 0x21, 0xfe, /* code */
	0xa4, 0x55, 0x87, 0x13, 0x44, 0xd3, 0x2d, 0x08,
};

/* The password is 65 times 'p', longer than a block of SHA-256; all numbers but one at most. */
static const uint8_t long_key[PROBE_KEY_SIZE] = {
	0xdd, 0x9c, 0xf2, 0xa7, 0x3c, 0x50, 0x2d, 0x09, 0x44, 0x0d, 0x5f,
	0x64, 0x52, 0xce, 0x05, 0x63, 0x11, 0x28, 0x75, 0x90, 0x50, 0x2b,
	0x80, 0x78, 0x9d, 0x44, 0x8b, 0x63, 0xa5, 0xf9, 0xaa, 0xf3,
};

static const uint8_t long_octets[PROBE_SIZE] = {
	0xd0,						/* hello */
	0x00, 0x00, 0x00,				/* no proof of address */
	0xff, 0xff, 0xff, 0xff,				/* clock, about to begin anew */
	0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10, /* session */
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* counter, the last one */
	0xb0, 0x75, 0x30, 0x58, 0x90, 0xb6, 0xb8, 0xe4, /* code */
	0x54, 0xf2, 0xc1, 0x40, 0x6e, 0x3d, 0x2e, 0x7c,
};
/* clang-format on */

static void expect_fields(const struct probe *got, const struct probe *want)
{
	assert_int_equal(got->type, want->type);
	assert_int_equal(got->clock, want->clock);
	assert_true(got->session == want->session);
	assert_true(got->counter == want->counter);
	assert_int_equal(got->proof, want->proof);
}

/* Whether len octets are read as a probe; if not, nothing has been written. */
static bool reads(const uint8_t *octets, size_t len)
{
	uint8_t *copy = (uint8_t *)exact_copy(octets, len);
	struct probe out, before;
	bool ok;

	memset(&out, 0xa5, sizeof(out));
	memset(&before, 0xa5, sizeof(before));
	ok = probe_read(copy, len, &out);
	if (!ok)
		assert_memory_equal(&out, &before, sizeof(before));
	free(copy);
	return ok;
}

static void test_key(void **state)
{
	uint8_t out[PROBE_KEY_SIZE];
	char *password = exact_fill('p', 65);

	(void)state;
	assert_true(probe_key("bar", "foo", CHALLENGE, SESSION, out));
	assert_memory_equal(out, key, sizeof(key));
	assert_true(probe_key(password, "foo", CHALLENGE, 0xfedcba9876543210, out));
	assert_memory_equal(out, long_key, sizeof(long_key));
	free(password);
}

static void test_every_part_of_a_key_counts(void **state)
{
	static const struct {
		const char *password, *user, *challenge;
		uint64_t session;
	} rows[] = {
		{"Bar", "foo", CHALLENGE, SESSION},
		{"bar ", "foo", CHALLENGE, SESSION},
		{"bar", "Foo", CHALLENGE, SESSION},
		{"bar", "fo", "o" CHALLENGE, SESSION},
		{"bar", "foo0", "B1517C87D516A5FA65BED722D51A04F", SESSION},
		{"bar", "foo", "0b1517c87d516a5fa65bed722d51a04f", SESSION},
		{"bar", "foo", CHALLENGE "0", SESSION},
		{"bar", "foo", CHALLENGE, SESSION + 1},
		{"bar", "foo", CHALLENGE, SESSION & 0xffffffff},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t out[PROBE_KEY_SIZE];

		assert_true(probe_key(rows[i].password, rows[i].user, rows[i].challenge,
				      rows[i].session, out));
		assert_memory_not_equal(out, key, sizeof(key));
	}
}

static void test_write(void **state)
{
	struct probe probe = hello;
	uint8_t out[PROBE_SIZE];

	(void)state;
	memset(out, 0xa5, sizeof(out));
	assert_true(probe_write(&hello, key, out));
	assert_memory_equal(out, hello_octets, sizeof(out));
	probe.proof = 0xa50180;
	assert_true(probe_write(&probe, key, out));
	assert_memory_equal(out, proof_octets, sizeof(out));
	probe.proof = 0;
	probe.type = PROBE_ANSWER;
	probe.counter++;
	assert_true(probe_write(&probe, key, out));
	assert_memory_equal(out, answer_octets, sizeof(out));
	probe = (struct probe){PROBE_HELLO, UINT32_MAX, 0xfedcba9876543210, UINT64_MAX, 0};
	assert_true(probe_write(&probe, long_key, out));
	assert_memory_equal(out, long_octets, sizeof(out));
}

static void test_read(void **state)
{
	struct probe out, want = hello;

	(void)state;
	assert_true(probe_read(hello_octets, PROBE_SIZE, &out));
	expect_fields(&out, &want);
	assert_true(probe_read(proof_octets, PROBE_SIZE, &out));
	want.proof = 0xa50180;
	expect_fields(&out, &want);
	want.proof = 0;
	want.type = PROBE_ANSWER;
	want.counter++;
	assert_true(probe_read(answer_octets, PROBE_SIZE, &out));
	expect_fields(&out, &want);
	want = (struct probe){PROBE_HELLO, UINT32_MAX, 0xfedcba9876543210, UINT64_MAX, 0};
	assert_true(probe_read(long_octets, PROBE_SIZE, &out));
	expect_fields(&out, &want);
}

static void test_lengths(void **state)
{
	uint8_t octets[2 * PROBE_SIZE] = {0};

	(void)state;
	memcpy(octets, hello_octets, PROBE_SIZE);
	/* Among them nothing at all, the fields without a code (24), 39 and 41 octets. */
	for (size_t len = 0; len <= sizeof(octets); len++)
		assert_int_equal(reads(octets, len), len == PROBE_SIZE);
}

static void test_first_octets(void **state)
{
	uint8_t octets[PROBE_SIZE];

	/* 0x60 to 0x6f begin an IPv6 packet. */
	(void)state;
	memcpy(octets, hello_octets, PROBE_SIZE);
	for (unsigned int first = 0; first < 256; first++) {
		octets[0] = (uint8_t)first;
		assert_int_equal(reads(octets, PROBE_SIZE), first == 0xd0 || first == 0xd1);
	}
}

static void test_verify(void **state)
{
	(void)state;
	assert_true(probe_verify(hello_octets, key));
	assert_true(probe_verify(answer_octets, key));
	assert_true(probe_verify(proof_octets, key));
	assert_true(probe_verify(long_octets, long_key));
}

static void test_every_bit_counts(void **state)
{
	static const uint8_t *const rows[] = {hello_octets, answer_octets, proof_octets};
	uint8_t octets[PROBE_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		memcpy(octets, rows[i], PROBE_SIZE);
		for (size_t bit = 0; bit < 8 * PROBE_SIZE; bit++) {
			octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_false(probe_verify(octets, key));
			octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_true(probe_verify(octets, key));
	}
}

static void test_every_bit_of_the_key_counts(void **state)
{
	uint8_t other[PROBE_KEY_SIZE];

	(void)state;
	memcpy(other, key, sizeof(key));
	for (size_t bit = 0; bit < 8 * PROBE_KEY_SIZE; bit++) {
		other[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(probe_verify(hello_octets, other));
		other[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* The codes that somebody without the key could think of. */
static void test_guessed_codes(void **state)
{
	uint8_t octets[PROBE_SIZE];

	(void)state;
	memcpy(octets, hello_octets, PROBE_SIZE);
	memset(octets + 24, 0, 16);
	assert_false(probe_verify(octets, key));
	memset(octets + 24, 0xff, 16);
	assert_false(probe_verify(octets, key));
	/* A code of another probe of this session: an answer is no hello. */
	memcpy(octets + 24, answer_octets + 24, 16);
	assert_false(probe_verify(octets, key));
}

static void test_exact_buffers(void **state)
{
	uint8_t *octets = (uint8_t *)exact_copy(hello_octets, PROBE_SIZE);
	uint8_t *copy = (uint8_t *)exact_copy(key, PROBE_KEY_SIZE);
	struct probe probe;

	/* The sanitizers see a step past any of the ends. */
	(void)state;
	assert_true(probe_key("bar", "foo", CHALLENGE, SESSION, copy));
	assert_true(probe_write(&hello, copy, octets));
	assert_true(probe_read(octets, PROBE_SIZE, &probe));
	assert_true(probe_verify(octets, copy));
	free(octets);
	free(copy);
}

/* The vectors of docs/protocol.md, section 2.2. */
static void test_document(void **state)
{
	static const uint8_t answer[PROBE_SIZE] = {
		0xd1, 0x5e, 0xaf, 0x01, 0x00, 0x00, 0x03, 0xe8, 0x6b, 0x0f, 0x3c, 0x5a, 0x91, 0xd2,
		0xe8, 0x47, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xfe, 0x54, 0x5a, 0x26,
		0x36, 0x73, 0x3b, 0xc7, 0xdc, 0xa0, 0xda, 0xff, 0x78, 0x7b, 0x60, 0xee,
	};
	static const uint8_t repeats[PROBE_SIZE] = {
		0xd0, 0x5e, 0xaf, 0x01, 0x00, 0x00, 0x03, 0xe8, 0x6b, 0x0f, 0x3c, 0x5a, 0x91, 0xd2,
		0xe8, 0x47, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x73, 0x13, 0x8b, 0xd7,
		0xae, 0x62, 0xfc, 0xfb, 0xa0, 0x89, 0xff, 0xba, 0xc2, 0x38, 0x7c, 0x09,
	};
	struct probe probe = {
		.type = PROBE_ANSWER,
		.clock = 1000,
		.session = 0x6b0f3c5a91d2e847,
		.counter = 1,
		.proof = 0x5eaf01,
	};
	uint8_t document_key[PROBE_KEY_SIZE], out[PROBE_SIZE];

	(void)state;
	assert_true(probe_key("bar", "foo", CHALLENGE, probe.session, document_key));
	assert_true(probe_write(&probe, document_key, out));
	assert_memory_equal(out, answer, PROBE_SIZE);
	probe.type = PROBE_HELLO;
	probe.counter = 2;
	assert_true(probe_write(&probe, document_key, out));
	assert_memory_equal(out, repeats, PROBE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_every_part_of_a_key_counts),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_first_octets),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_every_bit_of_the_key_counts),
		cmocka_unit_test(test_guessed_codes),
		cmocka_unit_test(test_exact_buffers),
		cmocka_unit_test(test_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
