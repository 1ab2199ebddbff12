/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's TUN devices with all that belongs to them, by number: 0 is the one that host and
 * network sessions share, the others belong to one user each. Root's side.
 *
 * What others do to them is noticed: a device that was removed is made again, and addresses and
 * routes that were removed are put back.
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
	struct fastpath *fast;	       /* for the shared device; NULL: none */
	struct neighbours *neighbours; /* hear of what sessions have; NULL: none */
	/*
	 * A device was made, or made again: fd is for forward, in place of an older one. interface
	 * is the kernel's number of it.
	 */
	void (*device)(uint32_t number, unsigned int interface, int fd, void *arg);
	/* It is gone for good. */
	void (*no_device)(uint32_t number, void *arg);
	/* What the two functions below this struct say of the machine may have changed. */
	void (*machine)(void *arg);
	void *arg;
};

/* Where ICMPv6 errors come from, all zero if the machine has no address for that. */
struct in6_addr links_icmp_source(const struct links *links);

/* What of the prefixes of the settings no user can have; *n of them, valid until the next look. */
const struct prefix6 *links_reserved(const struct links *links, size_t *n);

/* What is this machine's of the rest; valid until the next look, which this can be. */
const struct foreign *links_foreign(struct links *links);

/* owner is copied. NULL where memory is short. */
struct links *links_new(const struct links_owner *owner);

/* Removes what is still there. NULL is allowed. */
void links_free(struct links *links);

/*
 * Makes the shared device, with the server's own addresses and the routes of the pools. Returns its
 * descriptor, for the caller to hand over, or -errno after logging: then it is gone again.
 */
int links_make_shared(struct links *links);

/* Has the machine looked at again soon, as settings that say what is somebody's have changed. */
void links_look_again(struct links *links);

/* Begins and ends to notice what others do. Where that cannot be, there is a line in the log. */
void links_watch(struct links *links, struct event_base *base);
void links_unwatch(struct links *links);

/*
 * Begins to remove users' devices that have not been needed for tunnelonly.keep seconds; a process
 * of its own does it, for several together. To be called every second.
 */
void links_tidy(struct links *links);

/* A child has ended. False where it was none that links had started. */
bool links_reaped(struct links *links, pid_t pid, int status);

/* Removes all devices at once, and waits for it. */
void links_remove_all(struct links *links);

/* The shared device gets the link-local form of an address that clients know us by. */
void links_link_local(struct links *links, struct in_addr her);

/*
 * One session, or several, have a prefix, or an address as one of length 128, on the shared device:
 * packets for it are led there, and its neighbours are told, until as many do not have it any more.
 * Returns 0 or -errno.
 */
int links_route_add(struct links *links, const struct prefix6 *prefix);
void links_route_remove(struct links *links, const struct prefix6 *prefix);

/*
 * The own device of a user's session, for a client that knows us by her: the one that an older
 * session of this user still has or had not long ago, so that connections over it go on and what an
 * administrator has added to it stays; else a new one. The prefixes are routed to it. When as many
 * have closed it, it is kept for a while, without these routes. Returns 0 or -errno.
 */
int links_open(struct links *links, int64_t user, struct in_addr her,
	       const struct prefix6_set *prefixes, uint32_t *number);
void links_close(struct links *links, uint32_t number);

#endif
