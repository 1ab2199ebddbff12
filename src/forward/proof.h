/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof of address: docs/protocol.md, section 2.2. A hello says where a session's peer is, but its
 * source can be forged by the session's own user, to have a download sent to somebody else. So a
 * new IPv4 address gets a random number in each answer, and until a hello from there repeats it, at
 * most three times the octets that came from there, as in QUIC (RFC 9000, section 8). No I/O.
 */
#ifndef DTCP_FORWARD_PROOF_H
#define DTCP_FORWARD_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No number is looked at for so many milliseconds after a wrong one: there are only 2^24. */
#define PROOF_PENALTY 1000

/* Of the address of one session's peer. All zero: it is proven. */
struct proof {
	uint32_t number; /* that would prove it, 1 to 2^24 - 1; 0: it is proven */
	/* Octets that may still go there: of UDP payload, and of IPv4 packets. */
	uint64_t payload;
	uint64_t whole;
	uint64_t deaf_until; /* milliseconds; for the session, whatever its address */
};

/* The peer has another address. */
void proof_begin(struct proof *proof, bool proven);

/* A datagram with len octets of payload has come from there, and is the session's. */
void proof_credit(struct proof *proof, size_t len);

/* A hello from there repeats this number, or has none (0); now in milliseconds. */
void proof_check(struct proof *proof, uint32_t number, uint64_t now);

/* True if a datagram with len octets of payload may go there, which then counts as sent. */
bool proof_spend(struct proof *proof, size_t len);

#endif
