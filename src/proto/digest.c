/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MD5 is what every deployed peer speaks. That it is broken for collisions does no harm here; that
 * it is fast does, for who has listened to a login can try out passwords.
 */
#include "proto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
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

bool digest_valid(const char *response)
{
	return strspn(response, "0123456789abcdefABCDEF") == HEX_LEN && response[HEX_LEN] == '\0';
}

bool digest_equal(const char *expected, const char *response)
{
	char a[HEX_LEN], b[HEX_LEN];
	bool equal;

	/* A length is no secret, nor is what the other side has said. */
	if (strnlen(expected, DTCP_RESPONSE_SIZE) != HEX_LEN || !digest_valid(response))
		return false;
	/* In ASCII this bit makes a letter a small one, and all digits have it. */
	for (size_t i = 0; i < HEX_LEN; i++) {
		a[i] = (char)(expected[i] | 0x20);
		b[i] = (char)(response[i] | 0x20);
	}
	equal = CRYPTO_memcmp(a, b, HEX_LEN) == 0;
	OPENSSL_cleanse(a, sizeof(a));
	return equal;
}
