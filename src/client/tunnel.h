/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server's answer means for this box. Pure. */
#ifndef DTCP_CLIENT_TUNNEL_H
#define DTCP_CLIENT_TUNNEL_H

#include "base/log_record.h"
#include "client/msg.h"
#include "client/options.h"

#include <stdbool.h>
#include <stddef.h>

/* How far a tunnel is. */
enum tunnel_phase {
	TUNNEL_STATE_DOWN,
	TUNNEL_STATE_RAISING,  /* the script runs with "up" */
	TUNNEL_STATE_UP,       /* the script may run with "up" for an interface made again */
	TUNNEL_STATE_LOWERING, /* the script runs with "down" */
};

/*
 * Root's check of what control asks for: every field must be what a reply of the configured
 * tunnel type can hold. *why says what is wrong.
 */
bool tunnel_check(const struct client_tunnel *tunnel, const struct client_options *options,
		  const char **why);

/* What the tunnel is: without a prefix, a network is no more than tunnelonly. */
enum tunnel_type tunnel_type(const struct client_tunnel *tunnel,
			     const struct client_options *options);

/*
 * The address that the router itself takes out of a delegated prefix where the tunnel is not
 * numbered: ::1 of its last /64; of a /64 or longer, its last address but one (of a /127 or /128
 * its first).
 */
struct in6_addr tunnel_router_address(const struct prefix6 *prefix);

/*
 * How many of the options' routes lead into it. Unless --route was given, none into a bare link:
 * for what nobody is known to take at its other end, there may be a better way.
 */
size_t tunnel_routes(const struct client_tunnel *tunnel, const struct client_options *options);

/* False if --address is outside every prefix that the server gave. */
bool tunnel_address_fits(const struct client_tunnel *tunnel, const struct client_options *options);

/*
 * The addresses of the tunnel interface, besides the link-local one: me6, those of --address, or
 * one out of the prefix. Returns how many.
 */
size_t tunnel_addresses(const struct client_tunnel *tunnel, const struct client_options *options,
			struct client_address out[static CLIENT_OWN_MAX]);

/* The first of them. False if there is none. */
bool tunnel_own_address(const struct client_tunnel *tunnel, const struct client_options *options,
			struct in6_addr *out);

/*
 * The link-local address of our end: of our IPv4 address (RFC 4213, section 3.7); over UDP, of the
 * user, so that it stays when the IPv4 address changes.
 */
struct in6_addr tunnel_link_local(const struct client_tunnel *tunnel, const char *user);

/* True if a and b have the same addresses and prefixes, so that the interface can stay. */
bool tunnel_same_inside(const struct client_tunnel *a, const struct client_tunnel *b);

/* True if the script would be told the same of a and b. */
bool tunnel_same_told(const struct client_tunnel *a, const struct client_tunnel *b);

/* Adds what there is to say of a tunnel that is up. Without interface=, the script makes it. */
void tunnel_describe(const struct client_tunnel *tunnel, const struct client_options *options,
		     const char *interface, struct log_record *record);

#endif
