/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts about this machine that decide whether the server can work on it. Changes nothing. */
#ifndef DTCP_SERVER_ROOT_FACTS_H
#define DTCP_SERVER_ROOT_FACTS_H

#include "netconf/survey.h"
#include "server/options.h"
#include "server/root/database_owner.h"

struct facts {
	struct survey survey;
	int forwarding;	  /* IPv6 forwarding; -1: unknown */
	bool no_ipv6;	  /* the kernel has no IPv6 */
	bool no_ipv6_new; /* new interfaces have no IPv6 */
	bool running;	  /* a server with this database is running */
	bool file;	  /* the configuration file exists */
	char *ruleset;	  /* of the packet filter, as from ruleset_read(); NULL: unknown */
	/* From facts_gather_start(): errno of each step of a start, 0 if it would succeed. */
	int tcp_error;
	int udp_error;
	bool interface_taken; /* an interface of that name exists and is in use */
	struct in_addr
		outside;   /* the local IPv4 address of the route to the Internet; 0: unknown */
	const char *owner; /* why the database cannot belong to the right user; NULL: it can */
	char owner_text[DATABASE_OWNER_WHY];
};

/*
 * Gathers what can still be corrected while a server runs. Returns false after logging the reason;
 * otherwise the facts have to be freed.
 */
bool facts_gather(struct facts *facts, const struct server_options *options);

/* Also gathers what would keep a server from starting, without starting it. */
void facts_gather_start(struct facts *facts, const struct server_options *options);

void facts_free(struct facts *facts);

#endif
