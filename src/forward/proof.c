/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/proof.h"

#include <stdlib.h>

#define PROOF_FACTOR  3
#define PROOF_HEADERS 28 /* IPv4 and UDP */
#define PROOF_NUMBERS (1u << 24)

void proof_begin(struct proof *proof, bool proven)
{
	proof->number = proven ? 0 : 1 + arc4random_uniform(PROOF_NUMBERS - 1);
	proof->payload = 0;
	proof->whole = 0;
}

void proof_credit(struct proof *proof, size_t len)
{
	if (!proof->number)
		return;
	proof->payload += (uint64_t)PROOF_FACTOR * len;
	proof->whole += (uint64_t)PROOF_FACTOR * (len + PROOF_HEADERS);
}

void proof_check(struct proof *proof, uint32_t number, uint64_t now)
{
	if (!proof->number || !number || now < proof->deaf_until)
		return;
	if (number == proof->number)
		proof->number = 0;
	else
		proof->deaf_until = now + PROOF_PENALTY;
}

/*
 * Three times the received octets, both with and without outer headers: one large datagram must not
 * pay for the headers of many small ones, nor the headers of many small ones for more payload.
 */
bool proof_spend(struct proof *proof, size_t len)
{
	if (!proof->number)
		return true;
	if (len > proof->payload || len + PROOF_HEADERS > proof->whole)
		return false;
	proof->payload -= len;
	proof->whole -= len + PROOF_HEADERS;
	return true;
}
