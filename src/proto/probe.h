/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes: keepalive, learning, roaming and liveness of a UDP tunnel. docs/protocol.md, section 2.2.
 * Pure.
 */
#ifndef DTCP_PROTO_PROBE_H
#define DTCP_PROTO_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_SIZE     40
#define PROBE_KEY_SIZE 32

enum probe_type {
	PROBE_HELLO = 0xd0,  /* client to server */
	PROBE_ANSWER = 0xd1, /* server to client */
};

struct probe {
	enum probe_type type;
	uint32_t clock; /* sender's milliseconds; an answer repeats the hello's */
	uint64_t session;
	uint64_t counter; /* strictly increasing in each direction */
	uint32_t proof;	  /* 24 bits: the number that proves an address, or 0 */
};

/*
 * Computes the key of a session's probes. Returns false if the crypto library refuses. The caller
 * wipes key.
 */
bool probe_key(const char *password, const char *user, const char *challenge, uint64_t session,
	       uint8_t key[static PROBE_KEY_SIZE]);

/* Writes a probe with its code. Returns false if the crypto library refuses. */
bool probe_write(const struct probe *probe, const uint8_t key[static PROBE_KEY_SIZE],
		 uint8_t out[static PROBE_SIZE]);

/* Reads the fields, without verifying the code. False if the len octets are not a probe. */
bool probe_read(const uint8_t *buf, size_t len, struct probe *out);

/* True if the code is valid; compared in constant time. */
bool probe_verify(const uint8_t buf[static PROBE_SIZE], const uint8_t key[static PROBE_KEY_SIZE]);

#endif
