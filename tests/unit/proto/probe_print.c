/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints the key and the probe for its arguments in hex, for probe_vectors.py:
 * probe-print password user challenge session type clock counter, the numbers in decimal.
 */
#include "proto/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool number(const char *text, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out <= max;
}

static void print_hex(const uint8_t *bytes, size_t len, char after)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", (unsigned int)bytes[i]);
	putchar(after);
}

int main(int argc, char *argv[])
{
	uint8_t key[PROBE_KEY_SIZE], octets[PROBE_SIZE];
	uint64_t session, type, clock, counter, proof;
	struct probe probe;

	if (argc != 9 || !number(argv[4], UINT64_MAX, &session) ||
	    !number(argv[5], UINT8_MAX, &type) || !number(argv[6], UINT32_MAX, &clock) ||
	    !number(argv[7], UINT64_MAX, &counter) || !number(argv[8], 0xffffff, &proof) ||
	    (type != PROBE_HELLO && type != PROBE_ANSWER)) {
		fputs("usage: probe-print password user challenge session type clock counter "
		      "proof\n",
		      stderr);
		return 2;
	}
	probe = (struct probe){
		.type = type == PROBE_HELLO ? PROBE_HELLO : PROBE_ANSWER,
		.clock = (uint32_t)clock,
		.session = session,
		.counter = counter,
		.proof = (uint32_t)proof,
	};
	if (!probe_key(argv[1], argv[2], argv[3], session, key) ||
	    !probe_write(&probe, key, octets) || !probe_verify(octets, key)) {
		fputs("probe-print: the crypto library refuses\n", stderr);
		return 1;
	}
	print_hex(key, sizeof(key), ' ');
	print_hex(octets, sizeof(octets), '\n');
	return 0;
}
