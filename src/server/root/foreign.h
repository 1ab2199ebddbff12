/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of IPv6 is this machine's and not the server's: its addresses, and the destinations of its
 * routes; of routes that lead further than a prefix only the networks of its interfaces, as the
 * others and default routes are what every longer prefix is an exception of. Routes that reject are
 * in nobody's way.
 */
#ifndef DTCP_SERVER_ROOT_FOREIGN_H
#define DTCP_SERVER_ROOT_FOREIGN_H

#include "netconf/survey.h"

struct foreign_part {
	struct prefix6 prefix;
	bool network; /* others may have any address in it */
};

/* Zero at first. Sorted, so that a question costs the same however many there are. */
struct foreign {
	struct foreign_part *parts;
	size_t n;
};

/*
 * Puts what the survey has in place of what was there. Of the networks of the interface with the
 * name answered, parts can be given away: ndp.proxy. Returns 0, or -ENOMEM: then it stays.
 */
int foreign_take(struct foreign *foreign, const struct survey *survey, const char *answered);

/* True if somebody who is given the prefix would take something of it. */
bool foreign_touches(const struct foreign *foreign, const struct prefix6 *prefix);

void foreign_free(struct foreign *foreign);

#endif
