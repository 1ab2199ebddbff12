/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a path of protocol 41 lives, and when to ask: docs/protocol.md, section 2.4. A state
 * machine that takes the time in milliseconds as an argument and does nothing itself.
 */
#ifndef DTCP_FORWARD_LIVENESS_H
#define DTCP_FORWARD_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

struct liveness {
	uint64_t heard;	 /* the last packet in that counts; at first, the beginning */
	uint64_t asked;	 /* the last request */
	uint64_t lonely; /* the first packet out since then */
	bool is_lonely;	 /* there is such a packet */
	bool known;	 /* some packet has come in that counts */
	bool hurry;	 /* ask now, whatever was heard */
	bool quiet;	 /* asks over a dead path only when the peer has asked */
	bool answers;	 /* the peer does, so that its silence means something */
	bool told;	 /* its first answer has been */
	bool dead;	 /* nothing has been heard for so long, which has been told, too */
	uint32_t
		unanswered; /* requests since something was heard, or an answer if there was none */
};

enum liveness_action {
	LIVENESS_WAIT, /* nothing until liveness_deadline() */
	LIVENESS_ASK,  /* send a request now */
	LIVENESS_DEAD, /* tell that nothing has been heard for 60 s; or, from the beginning, 8 s */
};

/*
 * quiet: the peer is a client, which asks by itself, and whose silence says nothing before it has
 * been heard. A box that translates its protocol 41 does so only if the first packet comes from the
 * client, so a dead path is left to it.
 */
void liveness_start(struct liveness *live, uint64_t now, bool quiet);

/* The way out may have changed: the next row of requests begins at once. */
void liveness_hurry(struct liveness *live);

/* A packet has gone out. */
void liveness_packet_out(struct liveness *live, uint64_t now);

/*
 * A packet has come in, other than a request of the peer's, which shows one direction only. True
 * where the path was dead until now.
 */
bool liveness_heard(struct liveness *live, uint64_t now);

/*
 * At that time, not long ago, a packet came in that others have seen, as the kernel does. A path
 * that is dead is none of theirs.
 */
void liveness_noticed(struct liveness *live, uint64_t when);

/* An answer to a request, which counts as heard as well. True for the first, and as above. */
bool liveness_answered(struct liveness *live, uint64_t now);

/* A request of the peer's: it knows these, and so will answer them. */
void liveness_asked(struct liveness *live);

/*
 * What is due now; to be asked until the answer is LIVENESS_WAIT. since: what could not be heard
 * before, because this program was stopped, is not missed.
 */
enum liveness_action liveness_step(struct liveness *live, uint64_t since, uint64_t now);

/*
 * When to ask again, unless something happens before: above now, and 60 s away at most, or
 * UINT64_MAX for a dead path that is left to the peer.
 */
uint64_t liveness_deadline(const struct liveness *live, uint64_t since);

#endif
