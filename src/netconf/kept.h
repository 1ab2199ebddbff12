/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface of ours that is to stay as we have made it: what others have done to it, and what of
 * it they have removed, is found out here and said in the log.
 */
#ifndef DTCP_NETCONF_KEPT_H
#define DTCP_NETCONF_KEPT_H

#include <net/if.h>
#include <stdbool.h>

struct kept {
	unsigned int index;  /* of the interface, 0: there is none */
	char name[IFNAMSIZ]; /* as it was called when we last looked */
	bool set_down;	     /* by somebody else, or without IPv6, when we last looked */
};

enum kept_state { KEPT_GONE, KEPT_SET_DOWN, KEPT_THERE };

/*
 * Looks what others have done to it, and logs what is new of that, except another name: it is
 * followed, and old_name is the one before, else empty.
 */
enum kept_state kept_look(struct kept *kept, char old_name[static IFNAMSIZ]);

/* What belongs to an interface is put back, one thing after the other. Zero but for kept. */
struct kept_mending {
	struct kept *kept;  /* for a line about each thing; NULL: nothing is said */
	unsigned int count; /* of what was not there */
	int error;	    /* of the first that cannot be there, -errno; 0: there was none */
};

/* Begins to mend it. Setting it down has removed everything, for which one line is enough. */
struct kept_mending kept_mending(struct kept *kept);

/* result is that of a netlink_*_ensure() for the "address" or "route" that text has. */
void kept_mend(struct kept_mending *mending, int result, const char *what, const char *text);

/*
 * All was looked at. Returns how many things were not there, or the -errno of the first that fails;
 * 0 if somebody has set the interface down meanwhile: the rest is for when it is up again.
 */
int kept_mended(struct kept *kept, const struct kept_mending *mending);

#endif
