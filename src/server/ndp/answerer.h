/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which neighbour solicitations are answered, with what, and how many. State and packets only: no
 * sockets.
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
 * Most answers a second for addresses that nobody has asked for lately, and most of them for one
 * prefix; so many can come at once. Those that are asked for again, and what is asked of an address
 * itself, to see that it is still there, have budgets of their own.
 */
enum { ANSWERER_RATE = 5000, ANSWERER_PREFIX_RATE = 100 };
enum { ANSWERER_KEPT_RATE = 10000, ANSWERER_KEPT_PREFIX_RATE = 1000 };

struct answerer;

enum answerer_verdict {
	ANSWERER_NOT_OURS, /* no solicitation, or nobody of ours has its target */
	ANSWERER_TOO_MANY,
	ANSWERER_ANSWER,
};

struct answerer_answer {
	uint8_t packet[NEIGHBOUR_ANSWER_SIZE];
	struct in6_addr target;
	bool for_all; /* to all nodes of the link, else to who has asked */
};

/* NULL if memory is short. It answers nothing yet. now is in milliseconds, here and below. */
struct answerer *answerer_new(uint64_t now);
void answerer_free(struct answerer *answerer);

/*
 * A session has this prefix, or has it no more; as many sessions can have one. False if memory is
 * short: then it is not answered for.
 */
bool answerer_add(struct answerer *answerer, const struct prefix6 *prefix, uint64_t now);
void answerer_remove(struct answerer *answerer, const struct prefix6 *prefix);

/* No session has anything. */
void answerer_forget(struct answerer *answerer);

/* Answers as an interface, until answerer_stop(), and never for what was named since that. */
void answerer_start(struct answerer *answerer, const struct server_ndp_link *link);
void answerer_stop(struct answerer *answerer);
bool answerer_never(struct answerer *answerer, const struct prefix6 *prefix);

/* The interface on which it answers, the kernel's number; 0: on none. */
unsigned int answerer_interface(const struct answerer *answerer);

/* What becomes of a packet of that interface; *answer is set with ANSWERER_ANSWER only. */
enum answerer_verdict answerer_ask(struct answerer *answerer, const uint8_t *packet, size_t size,
				   uint64_t now, struct answerer_answer *answer);

#endif
