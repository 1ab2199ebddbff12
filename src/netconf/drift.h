/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detects and logs changes that others have made to an interface of ours, and what they have
 * removed from it.
 */
#ifndef DTCP_NETCONF_DRIFT_H
#define DTCP_NETCONF_DRIFT_H

#include <net/if.h>
#include <stdbool.h>

struct drift_interface {
	unsigned int index;  /* of the interface; 0: none */
	char name[IFNAMSIZ]; /* at the last check */
	bool set_down;	     /* set down, or IPv6 turned off, at the last check */
};

enum drift { DRIFT_GONE, DRIFT_SET_DOWN, DRIFT_NONE };

/*
 * Checks the interface for changes from outside, and logs new ones, except for a new name: the name
 * is updated, and old_name is the previous one, otherwise empty.
 */
enum drift drift_look(struct drift_interface *interface, char old_name[static IFNAMSIZ]);

/* Restores the parts of an interface, one after the other. Zero except for interface. */
struct drift_repair {
	struct drift_interface *interface; /* log a line about each part; NULL: log nothing */
	unsigned int count;		   /* missing parts */
	int error; /* -errno of the first part that cannot be restored; 0: none */
};

/* Begins a repair. After the interface was set down, a single line is logged for all parts. */
struct drift_repair drift_repair_begin(struct drift_interface *interface);

/* result is that of a netlink_*_ensure() for the "address" or "route" in text. */
void drift_repair_note(struct drift_repair *repair, int result, const char *what, const char *text);

/*
 * Ends a repair. Returns the number of missing parts, or the -errno of the first that failed; 0 if
 * the interface was set down meanwhile: the rest is done when it is up again.
 */
int drift_repair_end(struct drift_interface *interface, const struct drift_repair *repair);

#endif
