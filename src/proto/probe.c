/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A probe's code covers all octets before it exactly as received, including those that the reader
 * does not use, so nobody on the path can write there.
 */
#include "proto/probe.h"

#include <inttypes.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

/* Where the fields begin. docs/protocol.md, section 2.2. */
enum {
	AT_TYPE = 0,
	AT_PROOF = 1,
	AT_CLOCK = 4,
	AT_SESSION = 8,
	AT_COUNTER = 16,
	AT_CODE = 24,
};

#define CODE_SIZE    (PROBE_SIZE - AT_CODE)
#define PROOF_SIZE   3
#define SHA256_SIZE  32
#define SESSION_SIZE 17 /* 16 hex digits and a NUL */

/* Distinguishes these keys from any others that may be derived from the same password. */
static const char key_label[] = "dtcp probe 1";

_Static_assert(PROBE_KEY_SIZE == SHA256_SIZE, "a key is a whole HMAC-SHA-256");
_Static_assert(CODE_SIZE <= SHA256_SIZE, "a code is the beginning of an HMAC-SHA-256");

/* --- the crypto library ------------------------------------------------------------------- */

struct part {
	const void *bytes;
	size_t len;
};

/* HMAC-SHA-256 of the concatenated parts. On false, out is all zero. */
static bool hmac(const void *key, size_t key_len, const struct part *parts, size_t n_parts,
		 uint8_t out[static SHA256_SIZE])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	size_t len = 0;
	bool ok;

	ok = ctx != NULL && EVP_MAC_init(ctx, key, key_len, params) == 1;
	for (size_t i = 0; ok && i < n_parts; i++)
		ok = EVP_MAC_update(ctx, parts[i].bytes, parts[i].len) == 1;
	ok = ok && EVP_MAC_final(ctx, out, &len, SHA256_SIZE) == 1 && len == SHA256_SIZE;
	/* Freeing also wipes the state, in which the key was. */
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	if (!ok)
		OPENSSL_cleanse(out, SHA256_SIZE);
	return ok;
}

/* Computes the code for the octets of a probe. */
static bool code_of(const uint8_t *octets, const uint8_t key[static PROBE_KEY_SIZE],
		    uint8_t out[static CODE_SIZE])
{
	const struct part covered = {octets, AT_CODE};
	uint8_t whole[SHA256_SIZE];
	bool ok = hmac(key, PROBE_KEY_SIZE, &covered, 1, whole);

	memcpy(out, whole, CODE_SIZE);
	/* For an invalid probe this is what the sender would have needed to know. */
	OPENSSL_cleanse(whole, sizeof(whole));
	return ok;
}

bool probe_key(const char *password, const char *user, const char *challenge, uint64_t session,
	       uint8_t key[static PROBE_KEY_SIZE])
{
	char digits[SESSION_SIZE];
	/* The NULs separate "ab", "c" from "a", "bc". None of the texts can contain one. */
	const struct part parts[] = {
		{key_label, sizeof(key_label)},
		{user, strlen(user) + 1},
		{challenge, strlen(challenge) + 1},
		{digits, SESSION_SIZE - 1},
	};

	/* In lower case, as it is sent, whatever the received case. */
	(void)snprintf(digits, sizeof(digits), "%016" PRIx64, session);
	return hmac(password, strlen(password), parts, sizeof(parts) / sizeof(parts[0]), key);
}

/* --- the octets --------------------------------------------------------------------------- */

static void put_be(uint8_t *at, size_t size, uint64_t value)
{
	for (size_t i = size; i > 0; i--) {
		at[i - 1] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t get_be(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

bool probe_write(const struct probe *probe, const uint8_t key[static PROBE_KEY_SIZE],
		 uint8_t out[static PROBE_SIZE])
{
	memset(out, 0, PROBE_SIZE);
	out[AT_TYPE] = (uint8_t)probe->type;
	put_be(out + AT_PROOF, PROOF_SIZE, probe->proof);
	put_be(out + AT_CLOCK, sizeof(probe->clock), probe->clock);
	put_be(out + AT_SESSION, sizeof(probe->session), probe->session);
	put_be(out + AT_COUNTER, sizeof(probe->counter), probe->counter);
	return code_of(out, key, out + AT_CODE);
}

bool probe_read(const uint8_t *buf, size_t len, struct probe *out)
{
	if (len != PROBE_SIZE || (buf[AT_TYPE] != PROBE_HELLO && buf[AT_TYPE] != PROBE_ANSWER))
		return false;
	*out = (struct probe){
		.type = buf[AT_TYPE] == PROBE_HELLO ? PROBE_HELLO : PROBE_ANSWER,
		.clock = (uint32_t)get_be(buf + AT_CLOCK, sizeof(out->clock)),
		.session = get_be(buf + AT_SESSION, sizeof(out->session)),
		.counter = get_be(buf + AT_COUNTER, sizeof(out->counter)),
		.proof = (uint32_t)get_be(buf + AT_PROOF, PROOF_SIZE),
	};
	return true;
}

bool probe_verify(const uint8_t buf[static PROBE_SIZE], const uint8_t key[static PROBE_KEY_SIZE])
{
	uint8_t code[CODE_SIZE];
	bool ok;

	ok = code_of(buf, key, code) && CRYPTO_memcmp(code, buf + AT_CODE, CODE_SIZE) == 0;
	OPENSSL_cleanse(code, sizeof(code));
	return ok;
}
