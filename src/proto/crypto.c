/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/crypto.h"

#include "proto/digest.h"
#include "proto/probe.h"

#include <openssl/rand.h>

void crypto_prepare(void)
{
	char response[DTCP_RESPONSE_SIZE];
	uint8_t key[PROBE_KEY_SIZE];
	unsigned char random;

	(void)digest_response("u", "c", "p", response);
	(void)probe_key("p", "u", "c", 1, key);
	(void)RAND_bytes(&random, 1);
}
