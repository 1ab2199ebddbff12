/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server's reply means for this machine. Pure. */
#ifndef DTCP_CLIENT_TUNNEL_H
#define DTCP_CLIENT_TUNNEL_H

#include "base/log_record.h"
#include "client/msg.h"
#include "client/options.h"

#include <stdbool.h>
#include <stddef.h>

/* State of a tunnel. */
enum tunnel_phase {
	TUNNEL_STATE_DOWN,
	TUNNEL_STATE_RAISING,  /* the script runs with "up" */
	TUNNEL_STATE_UP,       /* the script may run with "up" for a repaired interface */
	TUNNEL_STATE_LOWERING, /* the script runs with "down" */
};

/*
 * The root process's check of control's request: every field must be possible in a reply of the
 * configured tunnel type. *why is the first error.
 */
bool tunnel_check(const struct client_tunnel *tunnel, const struct client_options *options,
		  const char **why);

/* The effective type of the tunnel: without a prefix, a network is only a tunnelonly. */
enum tunnel_type tunnel_type(const struct client_tunnel *tunnel,
			     const struct client_options *options);

/*
 * The router's own address in a delegated prefix, if the tunnel is not numbered: ::1 of its last
 * /64; of a /64 or longer, its last address but one (of a /127 or /128 its first).
 */
struct in6_addr tunnel_router_address(const struct prefix6 *prefix);

/*
 * Number of the options' routes into the tunnel. Unless --route was given, none into a bare link,
 * whose far end need not be a router.
 */
size_t tunnel_routes(const struct client_tunnel *tunnel, const struct client_options *options);

/* False if --address is in none of the delegated prefixes. */
bool tunnel_address_fits(const struct client_tunnel *tunnel, const struct client_options *options);

/*
 * The addresses of the tunnel interface, besides the link-local one: me6, those of --address, or
 * one in the prefix. Returns their number.
 */
size_t tunnel_addresses(const struct client_tunnel *tunnel, const struct client_options *options,
			struct client_address out[static CLIENT_OWN_MAX]);

/* The first of them. False if there is none. */
bool tunnel_own_address(const struct client_tunnel *tunnel, const struct client_options *options,
			struct in6_addr *out);

/*
 * The link-local address of our end: derived from our IPv4 address (RFC 4213, section 3.7); over
 * UDP, from the user name, so that it does not change with the IPv4 address.
 */
struct in6_addr tunnel_link_local(const struct client_tunnel *tunnel, const char *user);

/* True if a and b have the same addresses and prefixes, so that the interface can stay. */
bool tunnel_same_inside(const struct client_tunnel *a, const struct client_tunnel *b);

/* True if the script would get the same values for a and b. */
bool tunnel_same_for_script(const struct client_tunnel *a, const struct client_tunnel *b);

/* Adds the fields that describe a tunnel that is up; no interface if the script makes it. */
void tunnel_describe(const struct client_tunnel *tunnel, const struct client_options *options,
		     const char *interface, struct log_record *record);

#endif
