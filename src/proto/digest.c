/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MD5 is what every deployed peer speaks. Its collisions do no harm here; its speed does, since
 * anybody who has recorded a login can try passwords.
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

	/* The length is not secret, nor is the peer's response. */
	if (strnlen(expected, DTCP_RESPONSE_SIZE) != HEX_LEN || !digest_valid(response))
		return false;
	/* In ASCII this bit converts letters to lower case, and is set in all digits. */
	for (size_t i = 0; i < HEX_LEN; i++) {
		a[i] = (char)(expected[i] | 0x20);
		b[i] = (char)(response[i] | 0x20);
	}
	equal = CRYPTO_memcmp(a, b, HEX_LEN) == 0;
	OPENSSL_cleanse(a, sizeof(a));
	return equal;
}
