/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of links. Private to server/root/links*.c. */
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

/* Interfaces removed per batch; the kernel takes some 30 ms for a batch. */
enum { LINKS_BATCH = 64 };

struct links_device {
	struct drift_interface kept;
	struct in6_addr link_local;  /* of a user's own device: the server's end */
	struct prefix6_set prefixes; /* of a user's own device: routed to it */
	struct hash_node by_index;   /* if kept.index is not 0 */
	bool touched;		     /* changed since the last check */
	TAILQ_ENTRY(links_device) on_touched;
};

/* A prefix of sessions on the shared device. */
struct links_route {
	struct hash_node by_prefix;
	TAILQ_ENTRY(links_route) next;
	struct prefix6 prefix;
	uint32_t uses;
	bool made; /* has its own route, as no other route covers it */
};

/* IPv4 addresses that clients connect to; the shared device has the link-local form of each. */
struct links_locals {
	struct in_addr *list;
	size_t n;
	size_t room;
};

struct links {
	struct links_owner owner;
	struct links_device *devices;  /* by number */
	uint32_t top;		       /* highest number used so far, plus 1 */
	struct hash by_index;	       /* devices by the kernel's index */
	struct device_pool *pool;      /* allocates the numbers from 1 on */
	struct links_locals locals;    /* links_locals.c */
	struct interface_state shared; /* the shared device's addresses and routes */
	struct hash by_prefix;	       /* not keyed: only administrators choose prefixes */
	TAILQ_HEAD(links_routes, links_route) routes;
	/* links_watch.c */
	struct interface_watch *watch;
	TAILQ_HEAD(links_touched, links_device) touched;
	bool foreign_stale;   /* routes of other programs have changed */
	int64_t foreign_next; /* ms: time of the next check of these, at the earliest */
	/* links_remove.c */
	uint32_t leaving[LINKS_BATCH];
	size_t n_leaving;
	pid_t remover;	      /* child that removes a batch, 0: none */
	int64_t remove_after; /* ms: time of the next try after a failure */
};

/* Makes a device, perhaps again. Returns its descriptor, or -errno after logging. */
int links_make(struct links *links, uint32_t number);

/* Restores a device's addresses and routes. */
void links_mend(struct links *links, uint32_t number, struct drift_repair *mending);

/* The same for what clients and sessions have added to the shared device. */
void links_mend_shared(const struct links *links, struct drift_repair *mending);

/* Adds the addresses known at the start; later ones are added at a login. links_locals.c */
void links_locals_first(struct links *links);

/* Restores their link-local forms. */
void links_locals_mend(const struct links *links, struct drift_repair *mending);

/* The same for the sessions' routes, after listing those that exist. links_routes.c */
void links_mend_routes(const struct links *links, struct drift_repair *mending);

/* Lists all prefixes of sessions for neighbours; arg is a struct links. links_routes.c */
void links_tell_neighbours(void *arg);

/* A user's device is gone: tells forward, and frees its number. */
void links_gone(struct links *links, uint32_t number);

/* The device has lost its interface. */
void links_detach(struct links *links, struct links_device *device);

#endif
