/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a path over protocol 41 is alive, and when to ask: docs/protocol.md, section 2.4. A state
 * machine that gets the time in milliseconds as an argument and does no I/O.
 */
#ifndef DTCP_FORWARD_LIVENESS_H
#define DTCP_FORWARD_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

struct liveness {
	uint64_t heard;	     /* the last incoming packet that counts; at first, the start */
	uint64_t asked;	     /* the last request */
	uint64_t lonely;     /* the first outgoing packet since then */
	bool is_lonely;	     /* there is such a packet */
	bool known;	     /* a packet that counts has come in */
	bool hurry;	     /* ask now in any case */
	bool quiet;	     /* on a dead path, ask only when the peer has asked */
	bool answers;	     /* the peer is known to answer, so that silence means a dead path */
	bool told;	     /* its first answer has been reported */
	bool dead;	     /* the path is dead, which has been reported */
	uint32_t unanswered; /* requests since the last packet, or answer if there was none */
};

enum liveness_action {
	LIVENESS_WAIT, /* nothing until liveness_deadline() */
	LIVENESS_ASK,  /* send a request now */
	LIVENESS_DEAD, /* report that nothing has come in for 60 s; or, from the start, 8 s */
};

/*
 * quiet: the peer is a client, which asks by itself, and whose silence means nothing before its
 * first packet. A NAT that translates protocol 41 does so only if the first packet comes from the
 * client, so a dead path is left to the client.
 */
void liveness_start(struct liveness *live, uint64_t now, bool quiet);

/* The route may have changed: the next series of requests begins at once. */
void liveness_hurry(struct liveness *live);

/* A packet was sent. */
void liveness_packet_out(struct liveness *live, uint64_t now);

/*
 * A packet was received, other than a request of the peer, which shows one direction only. True if
 * the path was dead until now.
 */
bool liveness_heard(struct liveness *live, uint64_t now);

/*
 * A packet was received at that recent time by the kernel's program. No effect on a dead path,
 * which the kernel does not carry.
 */
void liveness_noticed(struct liveness *live, uint64_t when);

/* An answer to a request, which counts as a received packet as well. True for the first, and as
 * above. */
bool liveness_answered(struct liveness *live, uint64_t now);

/* A request of the peer: it knows these requests, and so will answer ours. */
void liveness_asked(struct liveness *live);

/*
 * The next action; to be called until it returns LIVENESS_WAIT. since: packets could not be
 * received before that time, because this program was stopped.
 */
enum liveness_action liveness_step(struct liveness *live, uint64_t since, uint64_t now);

/*
 * When to call liveness_step() again, unless an event happens before: after now, and 60 s away at
 * most, or UINT64_MAX for a dead path that is left to the peer.
 */
uint64_t liveness_deadline(const struct liveness *live, uint64_t since);

#endif
