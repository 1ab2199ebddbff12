/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MD5 is what every deployed peer speaks. That it is broken for collisions does no harm here; that
 * it is fast does, for who has listened to a login can try out passwords.
 */
#include "proto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#define HEX_LEN (DTCP_RESPONSE_SIZE - 1)
#define RAW_LEN (HEX_LEN / 2)

bool digest_response(const char *user, const char *challenge, const char *password,
		     char out[static DTCP_RESPONSE_SIZE])
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int raw_len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	out[0] = '\0';
	if (ctx == NULL)
		return false;
	ok = EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1 &&
	     EVP_DigestUpdate(ctx, user, strlen(user)) == 1 &&
	     EVP_DigestUpdate(ctx, challenge, strlen(challenge)) == 1 &&
	     EVP_DigestUpdate(ctx, password, strlen(password)) == 1 &&
	     EVP_DigestFinal_ex(ctx, raw, &raw_len) == 1 && raw_len == RAW_LEN;
	/* Freeing also wipes the state, in which the password was. */
	EVP_MD_CTX_free(ctx);
	if (ok) {
		for (size_t i = 0; i < RAW_LEN; i++) {
			out[2 * i] = hex[raw[i] >> 4];
			out[2 * i + 1] = hex[raw[i] & 0xf];
		}
		out[HEX_LEN] = '\0';
	}
	OPENSSL_cleanse(raw, sizeof(raw));
	return ok;
}

/* 1 if value is below limit, which is far below 2^31, else 0; without a branch. */
static uint32_t below(uint32_t value, uint32_t limit)
{
	/* A value with the top bit set is one that wrapped around below zero. */
	return ((value - limit) & ~value) >> 31;
}

/* The value of a hex digit; sets *bad for any other byte. No branch or table depends on c. */
static unsigned char hex_value(char c, uint32_t *bad)
{
	uint32_t byte = (unsigned char)c;
	uint32_t digit = byte - '0';
	uint32_t letter = (byte | 0x20) - 'a';
	uint32_t is_digit = below(digit, 10);
	uint32_t is_letter = below(letter, 6);

	*bad |= (is_digit | is_letter) ^ 1;
	return (unsigned char)((digit & (0u - is_digit)) | ((letter + 10) & (0u - is_letter)));
}

static bool hex_decode(const char *text, unsigned char raw[static RAW_LEN])
{
	uint32_t bad = 0;

	/* A length is no secret. */
	if (strnlen(text, DTCP_RESPONSE_SIZE) != HEX_LEN)
		return false;
	for (size_t i = 0; i < RAW_LEN; i++) {
		unsigned int high = hex_value(text[2 * i], &bad);
		unsigned int low = hex_value(text[2 * i + 1], &bad);

		raw[i] = (unsigned char)(high << 4 | low);
	}
	return bad == 0;
}

bool digest_valid(const char *response)
{
	unsigned char raw[RAW_LEN];
	bool ok = hex_decode(response, raw);

	OPENSSL_cleanse(raw, sizeof(raw));
	return ok;
}

bool digest_equal(const char *a, const char *b)
{
	unsigned char raw_a[RAW_LEN], raw_b[RAW_LEN];
	bool equal;

	equal = hex_decode(a, raw_a) && hex_decode(b, raw_b) &&
		CRYPTO_memcmp(raw_a, raw_b, RAW_LEN) == 0;
	OPENSSL_cleanse(raw_a, sizeof(raw_a));
	OPENSSL_cleanse(raw_b, sizeof(raw_b));
	return equal;
}
