/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assigns parts of a delegated prefix to the networks at home (--lan), and writes the configuration
 * of radvd(8) and nft(8). Pure.
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
	size_t n_prefixes; /* delegated prefixes */
	struct prefix6 prefixes[DTCP_PREFIXES_MAX];
	size_t enough[DTCP_PREFIXES_MAX]; /* number of interfaces for which each has a /64 */
	size_t n;
	struct lan_net nets[LAN_NETS_MAX];
};

/* A deprecated /64 that an interface had before. */
struct lan_stale {
	struct lan_net net;
	int64_t until; /* clock_ms() */
};

/*
 * Assigns the first /64 of each prefix to the first interface, the second to the second, and so on,
 * so that each keeps its own when others are added after it.
 */
void lan_plan(const struct client_tunnel *tunnel, const struct client_options *options,
	      struct lan_plan *plan);

/* Logs the interfaces for which a prefix has no /64. */
void lan_plan_log(const struct lan_plan *plan, const struct client_options *options);

/* Name servers of a resolv.conf(5) with global IPv6 addresses. Returns their number, at most max.
 */
size_t lan_dns(FILE *file, struct in6_addr out[], size_t max);

/* Data for the configuration of radvd and nft. */
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

/* Writes radvd's configuration. Without any net it announces that this is not a router any more. */
void lan_write_radvd(FILE *out, const struct lan_announcement *what);

/* Size of the name of the nft table of an interface, and the name. */
#define LAN_TABLE_SIZE (sizeof("dtcpclient-") + IFNAMSIZ)
const char *lan_table(const char *interface, char buf[static LAN_TABLE_SIZE]);

/*
 * Writes the input of nft(8), a single transaction: replaces the table if it exists by one that
 * accepts what is allowed through the tunnel, whose interface is called interface, and to its
 * prefixes. name is that of the table.
 */
void lan_write_firewall(FILE *out, const char *name, const char *interface,
			const struct lan_announcement *what);

/* The same to remove the table; no error if there is none. */
void lan_write_no_firewall(FILE *out, const char *name);

#endif
