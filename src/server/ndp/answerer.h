/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides which neighbour solicitations are answered, with what, and how many. State and packets
 * only: no sockets.
 */
#ifndef DTCP_SERVER_NDP_ANSWERER_H
#define DTCP_SERVER_NDP_ANSWERER_H

#include "proto/neighbour.h"
#include "proto/prefix.h"
#include "server/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Answers a second for addresses that were not asked for recently: in all, and for one prefix; also
 * the burst. Repeated solicitations, and unicast ones, which check that an address is still there,
 * have budgets of their own.
 */
enum { ANSWERER_RATE = 5000, ANSWERER_PREFIX_RATE = 100 };
enum { ANSWERER_KEPT_RATE = 10000, ANSWERER_KEPT_PREFIX_RATE = 1000 };

struct answerer;

enum answerer_verdict {
	ANSWERER_NOT_OURS, /* not a solicitation, or no session has its target */
	ANSWERER_TOO_MANY,
	ANSWERER_ANSWER,
};

struct answerer_answer {
	uint8_t packet[NEIGHBOUR_ANSWER_SIZE];
	struct in6_addr target;
	bool for_all; /* to all nodes of the link, otherwise to the sender */
};

/* Answers nothing until started. NULL if memory is short. now is in milliseconds, here and below.
 */
struct answerer *answerer_new(uint64_t now);
void answerer_free(struct answerer *answerer);

/*
 * A session has this prefix, or no longer has it; several sessions can have the same one. False if
 * memory is short: then it is not answered for.
 */
bool answerer_add(struct answerer *answerer, const struct prefix6 *prefix, uint64_t now);
void answerer_remove(struct answerer *answerer, const struct prefix6 *prefix);

/* Removes all prefixes. */
void answerer_forget(struct answerer *answerer);

/*
 * Starts answering on an interface, until answerer_stop(), but never for prefixes given to
 * answerer_never() since then.
 */
void answerer_start(struct answerer *answerer, const struct server_ndp_link *link);
void answerer_stop(struct answerer *answerer);
bool answerer_never(struct answerer *answerer, const struct prefix6 *prefix);

/* The index of the interface on which it answers; 0: none. */
unsigned int answerer_interface(const struct answerer *answerer);

/* Judges a packet from that interface; *answer is set for ANSWERER_ANSWER only. */
enum answerer_verdict answerer_ask(struct answerer *answerer, const uint8_t *packet, size_t size,
				   uint64_t now, struct answerer_answer *answer);

#endif
