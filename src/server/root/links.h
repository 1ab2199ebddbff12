/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's TUN devices with their addresses and routes, by number: 0 is shared by all host and
 * network sessions, the others belong to one user each. Part of root's process.
 *
 * Changes by other programs are noticed: a removed device is made again, and removed addresses and
 * routes are restored.
 */
#ifndef DTCP_SERVER_ROOT_LINKS_H
#define DTCP_SERVER_ROOT_LINKS_H

#include "netconf/netlink.h"
#include "server/options.h"

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

struct fastpath;
struct foreign;
struct links;
struct neighbours;

struct links_owner {
	const struct server_options *options;
	struct netlink *netlink;
	struct fastpath *fast;	       /* of the shared device; NULL: none */
	struct neighbours *neighbours; /* announce the sessions' prefixes; NULL: none */
	/*
	 * A device was made, or made again: fd is for forward, replacing an older one. interface is
	 * the kernel's index.
	 */
	void (*device)(uint32_t number, unsigned int interface, int fd, void *arg);
	/* The device is gone for good. */
	void (*no_device)(uint32_t number, void *arg);
	/* The results of links_icmp_source() and links_reserved() may have changed. */
	void (*machine)(void *arg);
	void *arg;
};

/* Source of ICMPv6 errors; :: if the machine has no suitable address. */
struct in6_addr links_icmp_source(const struct links *links);

/* Parts of the configured prefixes that no user may get; *n of them, valid until the next check. */
const struct prefix6 *links_reserved(const struct links *links, size_t *n);

/* Other prefixes in use by this machine; valid until the next check, which this may be. */
const struct foreign *links_foreign(struct links *links);

/* owner is copied. NULL if memory is short. */
struct links *links_new(const struct links_owner *owner);

/* Removes remaining devices. NULL is allowed. */
void links_free(struct links *links);

/*
 * Makes the shared device, with the server's own addresses and the routes of the pools. Returns its
 * descriptor, which the caller owns, or -errno after logging: then the device is removed again.
 */
int links_make_shared(struct links *links);

/* Checks the machine again soon, since settings that reserve addresses have changed. */
void links_look_again(struct links *links);

/* Starts and stops noticing changes by other programs. Failures are logged. */
void links_watch(struct links *links, struct event_base *base);
void links_unwatch(struct links *links);

/*
 * Starts to remove users' devices that have been unused for tunnelonly.keep seconds, several at a
 * time in a child process. To be called every second.
 */
void links_tidy(struct links *links);

/* A child has ended. False if links had not started it. */
bool links_reaped(struct links *links, pid_t pid, int status);

/* Removes all devices at once, and waits until they are gone. */
void links_remove_all(struct links *links);

/* Adds the link-local form of a server address that clients use to the shared device. */
void links_link_local(struct links *links, struct in_addr her);

/*
 * Adds and removes a session's use of a prefix, or of an address as a prefix of length 128, on the
 * shared device: while at least one session uses it, packets for it are routed there, and
 * neighbours are told. Returns 0 or -errno.
 */
int links_route_add(struct links *links, const struct prefix6 *prefix);
void links_route_remove(struct links *links, const struct prefix6 *prefix);

/*
 * Opens the own device of a user's session, whose client uses her as the server's address: the
 * device that an older session of this user has, or had until recently, so that connections over it
 * and an administrator's additions persist; else a new one. The prefixes are routed to it. After as
 * many calls of links_close() it is kept for a while without these routes. Returns 0 or -errno.
 */
int links_open(struct links *links, int64_t user, struct in_addr her,
	       const struct prefix6_set *prefixes, uint32_t *number);
void links_close(struct links *links, uint32_t number);

#endif
