/* SPDX-License-Identifier: BSD-2-Clause */
/* The login's response digest. docs/protocol.md, section 1. */
#ifndef DTCP_PROTO_DIGEST_H
#define DTCP_PROTO_DIGEST_H

#include <stdbool.h>

/* Response in hex with its NUL. */
#define DTCP_RESPONSE_SIZE 33

/*
 * Writes the upper-case hex of MD5(user, challenge, password) into out. Returns false, with "" in
 * out, if the crypto library refuses (MD5 disabled by policy, no memory).
 */
bool digest_response(const char *user, const char *challenge, const char *password,
		     char out[static DTCP_RESPONSE_SIZE]);

/* True if response is 32 hex digits, in either case. */
bool digest_valid(const char *response);

/*
 * Compares the output of digest_response() with the peer's response, in constant time, in either
 * case. False if one is not 32 hex digits.
 */
bool digest_equal(const char *expected, const char *response);

#endif
