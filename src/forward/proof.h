/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof of address: docs/protocol.md, section 2.2. A hello tells where a session's peer is, but the
 * session's own user can forge its source, to direct a download to somebody else. So answers to a
 * new IPv4 address have a random number, and until a hello from there repeats it, at most three
 * times the octets received from there are sent, as in QUIC (RFC 9000, section 8). No I/O.
 */
#ifndef DTCP_FORWARD_PROOF_H
#define DTCP_FORWARD_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds after a wrong number in which none is checked: there are only 2^24. */
#define PROOF_PENALTY 1000

/* State of the address of a session's peer. All zero: proven. */
struct proof {
	uint32_t number; /* that proves it, 1 to 2^24 - 1; 0: proven */
	/* Octets that may still be sent there: of UDP payload, and of IPv4 packets. */
	uint64_t payload;
	uint64_t whole;
	uint64_t deaf_until; /* milliseconds; for the session, whatever its address */
};

/* The peer's address has changed. */
void proof_begin(struct proof *proof, bool proven);

/* A datagram of the session with len octets of payload was received from there. */
void proof_credit(struct proof *proof, size_t len);

/* A hello from there repeats this number, or has none (0); now in milliseconds. */
void proof_check(struct proof *proof, uint32_t number, uint64_t now);

/* True if a datagram with len octets of payload may be sent there; it is then counted as sent. */
bool proof_spend(struct proof *proof, size_t len);

#endif
