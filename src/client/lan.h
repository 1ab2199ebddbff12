/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the networks at home get of a delegated prefix (--lan), and what radvd(8) and nft(8) are
 * told about it. Pure.
 */
#ifndef DTCP_CLIENT_LAN_H
#define DTCP_CLIENT_LAN_H

#include "client/msg.h"
#include "client/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* RFC 9096, section 4: ND_PREFERRED_LIMIT and ND_VALID_LIMIT, in seconds. */
#define LAN_PREFERRED 2700
#define LAN_VALID     5400

/* A /64 on an interface. */
struct lan_net {
	size_t interface; /* its index in the options */
	struct prefix6 prefix;
	struct in6_addr router; /* our address there */
};

#define LAN_NETS_MAX ((size_t)CLIENT_LANS_MAX * DTCP_PREFIXES_MAX)

struct lan_plan {
	size_t n_prefixes; /* that were delegated */
	struct prefix6 prefixes[DTCP_PREFIXES_MAX];
	size_t enough[DTCP_PREFIXES_MAX]; /* for how many interfaces each has a /64 */
	size_t n;
	struct lan_net nets[LAN_NETS_MAX];
};

/* One that an interface had, and that the machines there are to use no more. */
struct lan_stale {
	struct lan_net net;
	int64_t until; /* clock_ms() */
};

/*
 * The first interface gets the first /64 of each prefix, the second the second one, and so on, so
 * that each keeps its own whatever is added behind it.
 */
void lan_plan(const struct client_tunnel *tunnel, const struct client_options *options,
	      struct lan_plan *plan);

/* Logs what prefixes cannot give. */
void lan_plan_log(const struct lan_plan *plan, const struct client_options *options);

/* Name servers of a resolv.conf(5) that every network can ask. Returns how many, at most max. */
size_t lan_dns(FILE *file, struct in6_addr out[], size_t max);

/* What radvd and nft are told of. */
struct lan_announcement {
	const struct client_lan *lan;
	uint32_t mtu;
	const struct lan_plan *plan;
	const struct lan_stale *stale;
	size_t n_stale;
	const struct in6_addr *dns;
	size_t n_dns;
	int64_t now; /* clock_ms() */
};

/* Writes radvd's configuration. Without any net it says that this is no router any more. */
void lan_write_radvd(FILE *out, const struct lan_announcement *what);

/* The table of an interface, room for its name, and its name. */
#define LAN_TABLE_SIZE (sizeof("dtcpclient-") + IFNAMSIZ)
const char *lan_table(const char *interface, char buf[static LAN_TABLE_SIZE]);

/*
 * Writes what nft(8) is to read, one transaction: in place of the table that may be there, the one
 * that lets in what is allowed through the tunnel, called interface, and to its prefixes. name is
 * that of the table.
 */
void lan_write_firewall(FILE *out, const char *name, const char *interface,
			const struct lan_announcement *what);

/* The same, to remove the table; no error if there is none. */
void lan_write_no_firewall(FILE *out, const char *name);

#endif
