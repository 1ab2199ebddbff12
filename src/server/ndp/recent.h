/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses of a prefix that were asked for recently. A scan asks for each address once, or has
 * to keep starting over; a router asks for those in use again and again. So addresses that were
 * asked for twice are not removed for new ones. Pure.
 */
#ifndef DTCP_SERVER_NDP_RECENT_H
#define DTCP_SERVER_NDP_RECENT_H

#include <stdbool.h>
#include <stdint.h>

/* Places where an address can be stored, and their total number. */
enum { RECENT_WAYS = 4, RECENT_SIZE = 64 };

/* An address expires if it was not asked for in this time. */
enum { RECENT_SECONDS = 600 };

/* Zero at first. */
struct recent {
	struct recent_place {
		uint32_t tag;
		uint32_t seen; /* seconds; 0: this place is free */
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
