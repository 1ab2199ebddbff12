/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of links share. Private to server/links*.c. */
#ifndef DTCP_SERVER_ROOT_LINKS_PARTS_H
#define DTCP_SERVER_ROOT_LINKS_PARTS_H

#include "base/hash.h"
#include "netconf/drift.h"
#include "netconf/interface_watch.h"
#include "server/root/device_pool.h"
#include "server/root/interface.h"
#include "server/root/links.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* Interfaces that are removed together; the kernel takes some 30 ms for them. */
enum { LINKS_BATCH = 64 };

struct links_device {
	struct drift_interface kept;
	struct in6_addr link_local;  /* of a user's own: our end's */
	struct prefix6_set prefixes; /* of a user's own: what is routed to it */
	struct hash_node by_index;   /* if kept.index is not 0 */
	bool touched;		     /* something has happened to it that we have not looked at */
	TAILQ_ENTRY(links_device) on_touched;
};

/* What sessions have on the shared device. */
struct links_route {
	struct hash_node by_prefix;
	TAILQ_ENTRY(links_route) next;
	struct prefix6 prefix;
	uint32_t uses;
	bool made; /* has a route of its own, as the others do not lead it there */
};

/* Addresses that clients come to; of each the shared device has a link-local one. */
struct links_locals {
	struct in_addr *list;
	size_t n;
	size_t room;
};

struct links {
	struct links_owner owner;
	struct links_device *devices;  /* by number */
	uint32_t top;		       /* numbers at and above it have never been used */
	struct hash by_index;	       /* devices by the kernel's number */
	struct device_pool *pool;      /* whose the numbers from 1 on are */
	struct links_locals locals;    /* links_locals.c */
	struct interface_state shared; /* what the shared device has of the machine's */
	struct hash by_prefix; /* prefixes are an administrator's: nobody else can choose them */
	TAILQ_HEAD(links_routes, links_route) routes;
	/* links_watch.c */
	struct interface_watch *watch;
	TAILQ_HEAD(links_touched, links_device) touched;
	bool foreign_stale;   /* somebody else's routes have changed */
	int64_t foreign_next; /* ms: not before then is it looked at them */
	/* links_remove.c */
	uint32_t leaving[LINKS_BATCH];
	size_t n_leaving;
	pid_t remover;	      /* that removes them now, 0: none */
	int64_t remove_after; /* ms: not before then, after a failure */
};

/* Makes a device, or makes it again. Returns its descriptor, or -errno after logging. */
int links_make(struct links *links, uint32_t number);

/* Sees that what a device cannot do without is there. */
void links_mend(struct links *links, uint32_t number, struct drift_repair *mending);

/* The same for what single clients and sessions have added to the shared one. */
void links_mend_shared(const struct links *links, struct drift_repair *mending);

/* Those that are known at the start; one that the machine gets later comes at a login.
 * links_locals.c */
void links_locals_first(struct links *links);

/* Sees that they are there. */
void links_locals_mend(const struct links *links, struct drift_repair *mending);

/* The same for the routes of sessions, after a look at those that are there. links_routes.c */
void links_mend_routes(const struct links *links, struct drift_repair *mending);

/* Neighbours are told of whatever sessions have: of a struct links. links_routes.c */
void links_tell_neighbours(void *arg);

/* The device of a user is gone: forward lets go of it, and its number is free. */
void links_gone(struct links *links, uint32_t number);

/* The device has no interface any more. */
void links_detach(struct links *links, struct links_device *device);

#endif
