/* SPDX-License-Identifier: BSD-2-Clause */
/* What the settings say of the TUN devices, above all of the one that most sessions share. */
#ifndef DTCP_SERVER_ROOT_INTERFACE_H
#define DTCP_SERVER_ROOT_INTERFACE_H

#include "netconf/drift.h"
#include "netconf/netlink.h"
#include "netconf/survey.h"
#include "server/options.h"
#include "server/root/foreign.h"

#include <sys/types.h>

struct neighbours;

/* Marks the server's interfaces. */
#define INTERFACE_ALIAS "dtcps"

/*
 * Metric of the routes to it: the best that there is, so that the route by which a router rejects
 * what nobody has of its prefix does not come first; and that of others, which give way to the
 * machine's own networks.
 */
#define INTERFACE_METRIC_BEST 1
#define INTERFACE_METRIC      1024

/* What the machine lets the shared device have of a prefix of the settings. */
struct interface_plan {
	bool own;   /* its ::1 can be the server's */
	bool waits; /* and will be, when the machine's own network is there, or does not come */
	uint32_t metric; /* of the route to it; 0: unknown yet */
};

/* host.prefix and network.pool, as they were last. */
enum { INTERFACE_PREFIXES = 2 };
struct interface_state {
	struct interface_plan plans[INTERFACE_PREFIXES];
	int64_t patience; /* clock_ms() until which a network is waited for; 0: nothing seen yet */
	struct prefix6 *reserved; /* what no user can have of them */
	size_t n_reserved;
	struct foreign foreign; /* what is this machine's beside them, unless network.fixed says */
	struct prefix6 *led;	/* those with a route of sessions' to the device, in order */
	size_t n_led;
};

/* Frees what it has; it is one of zeros then. */
void interface_state_free(struct interface_state *state);

/* One of the server's own, with addresses that an administrator has put on it for its user. */
bool interface_is_ours(const struct survey *survey, unsigned int index);

/* A network of another interface than index, in which there can be others. */
bool interface_is_network(const struct survey *survey, const struct survey_route *route,
			  unsigned int index);

/*
 * What is somebody's for certain, wherever it is: addresses of the machine, its routers', and
 * host.exclude. Returns how many are in *out, to be freed, or -ENOMEM. Pure.
 */
ssize_t interface_somebodys(const struct survey *survey, const struct server_options *options,
			    struct prefix6 **out);

/*
 * What of the prefixes is somebody's: addresses of the machine, its routers', the networks of its
 * other interfaces, and host.exclude. Returns how many are in *out, to be freed, or -ENOMEM. Pure.
 */
ssize_t interface_reserved(const struct survey *survey, unsigned int index,
			   const struct server_options *options, struct prefix6 **out);

/*
 * Its first address is not the server's if another interface has it, if it is a router's, or in the
 * network of another interface, where it may be anybody's; nor as long as the machine has no
 * network with global addresses, whose router it may turn out to be. And a network that is all of
 * the prefix goes on leading to its interface, but for what sessions have, which gets routes of its
 * own. index is the shared device's own. Pure.
 */
struct interface_plan interface_plan(const struct survey *survey, unsigned int index,
				     const struct prefix6 *prefix);

/*
 * Whether what leads to the shared device for a prefix of the settings does so for this one, too;
 * false for one that is in none, and if the network of another interface goes before.
 */
bool interface_leads(const struct server_options *options, const struct interface_state *state,
		     const struct prefix6 *prefix);

/* Whether there was a route of this very prefix, as sessions have, at the last interface_repair().
 */
bool interface_is_led(const struct interface_state *state, const struct prefix6 *prefix);

/* Whether interface_repair() is due again when patience ends. */
bool interface_waits(const struct interface_state *state);

/*
 * Sees that the server's own addresses and the routes of the pools are there, on the shared device
 * with that index, as the machine lets it be now, and that neighbours (NULL: none) know of the
 * machine. A fresh device has a state of zeros.
 */
void interface_repair(const struct server_options *options, struct netlink *netlink,
		      unsigned int index, struct interface_state *state,
		      struct neighbours *neighbours, struct drift_repair *repair);

/* Looks only for what is this machine's. What it finds stays as it was if that fails. */
void interface_look_around(const struct server_options *options, struct netlink *netlink,
			   struct interface_state *state);

/* Where ICMPv6 errors come from, all zero if the machine has no address for that. */
struct in6_addr interface_icmp_source(const struct server_options *options,
				      const struct interface_state *state);

#endif
