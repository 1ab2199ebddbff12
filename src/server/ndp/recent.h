/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which addresses of a prefix neighbours have been told of not long ago. Whoever scans the prefix
 * asks for each address once, or has to begin again all the time; a router asks for those in use
 * again and again. So addresses that were asked for twice are not forgotten for new ones. Pure.
 */
#ifndef DTCP_SERVER_NDP_RECENT_H
#define DTCP_SERVER_NDP_RECENT_H

#include <stdbool.h>
#include <stdint.h>

/* Places that an address can be at, and all of them. */
enum { RECENT_WAYS = 4, RECENT_SIZE = 64 };

/* An address is forgotten when it was not asked for in so many seconds. */
enum { RECENT_SECONDS = 600 };

/* Zero at first. */
struct recent {
	struct recent_place {
		uint32_t tag;
		uint32_t seen; /* in seconds; 0: nothing is here */
		bool again;    /* it was asked for more than once */
	} places[RECENT_SIZE];
};

/*
 * Whether the address with this hash, by a key that nobody outside knows, was noted. now is in
 * milliseconds, and not 0.
 */
bool recent_has(const struct recent *recent, uint64_t hash, uint64_t now);

/* It was answered for. If all its places are taken by what was asked for twice, it is not noted. */
void recent_note(struct recent *recent, uint64_t hash, uint64_t now);

#endif
