/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to netconf/ruleset*.c. */
#ifndef DTCP_NETCONF_RULESET_PARTS_H
#define DTCP_NETCONF_RULESET_PARTS_H

#include "netconf/ruleset.h"

#include <stddef.h>

/* Possible outcomes for a packet, as bits. */
enum {
	RULESET_ACCEPTED = 1,
	RULESET_DROPPED = 2,
	RULESET_THROUGH = 4, /* end of the chain: its policy, or the calling chain decides */
	RULESET_GOES_ON = 8, /* to the next rule */
	RULESET_ANYTHING = 15,
};

/* Calls of one rule; with more, the outcome is anything. */
enum { RULESET_CALLS = 8 };

struct ruleset_effect {
	unsigned int outcome; /* apart from that of the calls */
	size_t n_calls;
	struct ruleset_call {
		char chain[64];
		bool for_good; /* goto; else jump */
	} calls[RULESET_CALLS];
};

/* Whether a condition holds. */
enum ruleset_match { RULESET_NO, RULESET_MAYBE, RULESET_YES };

/* The subject of a condition. */
enum ruleset_field {
	RULESET_PORT,
	RULESET_PROTOCOL,
	RULESET_STATE, /* of the connection: the packet is its first one */
	RULESET_INPUT,
	RULESET_OUTPUT,
	RULESET_FAMILY,
	RULESET_UNKNOWN, /* something else */
};

/* Whether the packet has that value, as nft writes it: a number, a range, a name. */
enum ruleset_match ruleset_compare(enum ruleset_field field, const struct ruleset_packet *packet,
				   const char *value);

/* Whether the word is in a NULL-terminated list. */
bool ruleset_among(const char *word, const char *const list[]);

/* Evaluates the rule in a line for the packet. */
void ruleset_rule(const char *line, size_t len, const struct ruleset_packet *packet,
		  struct ruleset_effect *effect);

#endif
