/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration of the TUN devices, mainly of the one that most sessions share. */
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
 * Metrics of the routes to it: the smallest one, so that a router's own reject route for the
 * unassigned parts of its prefix does not take precedence; and that of routes that give way to the
 * machine's own networks.
 */
#define INTERFACE_METRIC_BEST 1
#define INTERFACE_METRIC      1024

/* What the shared device can have of a prefix of the settings on this machine. */
struct interface_plan {
	bool own;	 /* its ::1 can be the server's */
	bool waits;	 /* not yet, until the machine's own network appears, or a timeout */
	uint32_t metric; /* of the route to it; 0: unknown yet */
};

/* host.prefix and network.pool, as of the last check. */
enum { INTERFACE_PREFIXES = 2 };
struct interface_state {
	struct interface_plan plans[INTERFACE_PREFIXES];
	int64_t patience; /* clock_ms() until which to wait for a network; 0: not checked yet */
	struct prefix6 *reserved; /* parts of them that cannot be assigned */
	size_t n_reserved;
	struct foreign foreign; /* this machine's other addresses and routes */
	struct prefix6 *led;	/* prefixes with a session's route to the device, sorted */
	size_t n_led;
};

/* Frees its contents, and zeroes it. */
void interface_state_free(struct interface_state *state);

/* Whether this is one of the server's own interfaces. */
bool interface_is_ours(const struct survey *survey, unsigned int index);

/* Whether this is the network of an interface other than index, in which there can be neighbours.
 */
bool interface_is_network(const struct survey *survey, const struct survey_route *route,
			  unsigned int index);

/*
 * Addresses that are certainly in use elsewhere: those of the machine, of its routers, and
 * host.exclude. Returns their number, in *out, to be freed, or -ENOMEM. Pure.
 */
ssize_t interface_in_use(const struct survey *survey, const struct server_options *options,
			 struct prefix6 **out);

/*
 * Parts of the prefixes that are in use: addresses of the machine, of its routers, the networks of
 * its other interfaces, and host.exclude. Returns their number, in *out, to be freed, or -ENOMEM.
 * Pure.
 */
ssize_t interface_reserved(const struct survey *survey, unsigned int index,
			   const struct server_options *options, struct prefix6 **out);

/*
 * The server does not use the first address if another interface or a router has it, or if it is in
 * the network of another interface, where any machine may have it; nor as long as the machine has
 * no network with global addresses, whose router it may turn out to be. A network that is the whole
 * prefix keeps its route to its interface, and the addresses and prefixes of sessions get routes of
 * their own. index is that of the shared device. Pure.
 */
struct interface_plan interface_plan(const struct survey *survey, unsigned int index,
				     const struct prefix6 *prefix);

/*
 * Whether the route of a prefix of the settings leads packets for this prefix to the shared device;
 * false if the prefix is in none of them, or if the network of another interface takes precedence.
 */
bool interface_leads(const struct server_options *options, const struct interface_state *state,
		     const struct prefix6 *prefix);

/* Whether there was a route of exactly this prefix at the last interface_repair(). */
bool interface_is_led(const struct interface_state *state, const struct prefix6 *prefix);

/* Whether interface_repair() has to be called again when patience ends. */
bool interface_waits(const struct interface_state *state);

/*
 * Makes sure that the server's own addresses and the routes of the pools exist on the shared device
 * with that index, as far as the current state of the machine allows, and that ndp (NULL: none)
 * knows of the machine's state. state is zeroed for a new device.
 */
void interface_repair(const struct server_options *options, struct netlink *netlink,
		      unsigned int index, struct interface_state *state,
		      struct neighbours *neighbours, struct drift_repair *repair);

/* Only updates the machine's own addresses and routes; on failure they stay unchanged. */
void interface_look_around(const struct server_options *options, struct netlink *netlink,
			   struct interface_state *state);

/* The source of ICMPv6 errors; all zero if the machine has no address for that. */
struct in6_addr interface_icmp_source(const struct server_options *options,
				      const struct interface_state *state);

#endif
