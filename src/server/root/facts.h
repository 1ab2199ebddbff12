/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine is like, for those who say if the server will work here. Changes nothing. */
#ifndef DTCP_SERVER_ROOT_FACTS_H
#define DTCP_SERVER_ROOT_FACTS_H

#include "netconf/survey.h"
#include "server/options.h"
#include "server/root/database_owner.h"

struct facts {
	struct survey survey;
	int forwarding;	  /* of IPv6; -1: unknown */
	bool no_ipv6;	  /* the kernel has none */
	bool no_ipv6_new; /* new interfaces have none */
	bool running;	  /* a server with this database runs */
	bool file;	  /* the configuration file is there */
	char *ruleset;	  /* of the packet filter, as ruleset_read() has it; NULL: unknown */
	/* What facts_gather_start() finds: errno of what a start will do, 0 if it can be done. */
	int tcp_error;
	int udp_error;
	bool interface_taken;	/* there is one of that name, which is nobody's leftover */
	struct in_addr outside; /* the IPv4 address that leads to the Internet; 0: unknown */
	const char *owner;	/* why the database cannot belong to whom it should; NULL: it can */
	char owner_text[DATABASE_OWNER_WHY];
};

/*
 * What a running server can still mend. Returns false after logging why there is nothing; else the
 * facts are to be freed.
 */
bool facts_gather(struct facts *facts, const struct server_options *options);

/* And what would keep a server from starting, without starting it. */
void facts_gather_start(struct facts *facts, const struct server_options *options);

void facts_free(struct facts *facts);

#endif
