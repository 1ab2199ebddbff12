/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface of ours that is to stay as we have made it: what others have done to it, and what of
 * it they have removed, is found out here and said in the log.
 */
#ifndef DTCP_NETCONF_DRIFT_H
#define DTCP_NETCONF_DRIFT_H

#include <net/if.h>
#include <stdbool.h>

struct drift_interface {
	unsigned int index;  /* of the interface, 0: there is none */
	char name[IFNAMSIZ]; /* as it was called when we last looked */
	bool set_down;	     /* by somebody else, or without IPv6, when we last looked */
};

enum drift { DRIFT_GONE, DRIFT_SET_DOWN, DRIFT_NONE };

/*
 * Looks what others have done to it, and logs what is new of that, except another name: it is
 * followed, and old_name is the one before, else empty.
 */
enum drift drift_look(struct drift_interface *interface, char old_name[static IFNAMSIZ]);

/* What belongs to an interface is put back, one thing after the other. Zero but for interface. */
struct drift_repair {
	struct drift_interface *interface; /* for a line about each thing; NULL: nothing is said */
	unsigned int count;		   /* of what was not there */
	int error; /* of the first that cannot be there, -errno; 0: there was none */
};

/* Begins to repair it. Setting it down has removed everything, for which one line is enough. */
struct drift_repair drift_repair_begin(struct drift_interface *interface);

/* result is that of a netlink_*_ensure() for the "address" or "route" that text has. */
void drift_repair_note(struct drift_repair *repair, int result, const char *what, const char *text);

/*
 * All was looked at. Returns how many things were not there, or the -errno of the first that fails;
 * 0 if somebody has set the interface down meanwhile: the rest is for when it is up again.
 */
int drift_repair_end(struct drift_interface *interface, const struct drift_repair *repair);

#endif
