/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv6 addresses and prefixes that belong to this machine and not to the server: its addresses, and
 * the destinations of its routes. Of routes via a router only the networks of its interfaces count,
 * since the others, like default routes, have every longer prefix as an exception. Reject routes do
 * not count.
 */
#ifndef DTCP_SERVER_ROOT_FOREIGN_H
#define DTCP_SERVER_ROOT_FOREIGN_H

#include "netconf/survey.h"

struct foreign_part {
	struct prefix6 prefix;
	bool network; /* other machines may have any address in it */
};

/* Zero at first. Sorted, for a binary search. */
struct foreign {
	struct foreign_part *parts;
	size_t n;
};

/*
 * Replaces the contents by those of the survey. Parts of the networks of the interface named
 * answered (ndp.proxy) can be assigned. Returns 0, or -ENOMEM, and then nothing is changed.
 */
int foreign_take(struct foreign *foreign, const struct survey *survey, const char *answered);

/* True if the prefix overlaps anything in it, so that it must not be assigned. */
bool foreign_touches(const struct foreign *foreign, const struct prefix6 *prefix);

void foreign_free(struct foreign *foreign);

#endif
