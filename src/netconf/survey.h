/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the state of this machine: interfaces, IPv6 addresses and routes, kernel settings. Changes
 * nothing.
 */
#ifndef DTCP_NETCONF_SURVEY_H
#define DTCP_NETCONF_SURVEY_H

#include "netconf/netlink.h"

struct survey_link {
	unsigned int index;
	char name[IFNAMSIZ];
	char alias[16]; /* "": none */
	bool up;
	bool loopback;
	bool neighbours; /* its neighbours are found by neighbour solicitation */
	bool has_mac;	 /* has an Ethernet address */
	uint8_t mac[6];
	struct in6_addr local; /* a usable link-local address; all zero: none */
	int accept_ra;	       /* net.ipv6.conf.NAME.accept_ra; -1: unknown, or not read */
	int forwarding;	       /* net.ipv6.conf.NAME.forwarding; likewise */
};

struct survey_address {
	unsigned int index; /* of its interface */
	struct in6_addr addr;
	uint8_t len;
	bool advertised; /* from a router advertisement */
	bool tentative;	 /* not usable: duplicate address detection is not done, or has failed */
};

/* A route, or one of the next hops of a route. */
struct survey_route {
	unsigned int index;    /* of its interface; 0: none */
	struct prefix6 prefix; /* len 0: the default route */
	struct in6_addr gateway;
	bool has_gateway;
	bool rejects; /* unreachable, prohibit, blackhole */
	bool here;    /* of the table local, which comes before all others: a whole prefix is taken
			 for this machine's own addresses */
	bool main;    /* in the main table */
	bool kernel; /* made by the kernel, or by a router advertisement: for an address, on-link */
	bool advertised;
	bool ours; /* with our protocol number */
	uint32_t metric;
};

struct survey {
	struct survey_link *links; /* by index */
	size_t n_links;
	struct survey_address *addresses; /* global and unique local ones */
	size_t n_addresses;
	struct survey_route *routes;
	size_t n_routes;
	bool leads_out; /* there is a global route via a gateway, whether in routes or not */
};

/*
 * Reads everything; of the routes, only those as short as a default route, those without a gateway,
 * and those that overlap one of these prefixes (NULL: none). Returns 0, or -errno after logging;
 * then there is nothing to free.
 */
int survey_take(struct survey *survey, struct netlink *netlink,
		const struct prefix6 *const within[], size_t n);

/* Reads the kernel's settings for each interface. */
void survey_read_settings(struct survey *survey);

void survey_free(struct survey *survey);

/* NULL if there is none of that number. */
const struct survey_link *survey_link(const struct survey *survey, unsigned int index);

/* Whether this is a default route, or nearly as short as one, as 2000::/3. */
bool survey_is_default(const struct survey_route *route);

/* Whether this is an on-link network of an interface with neighbour solicitation. */
bool survey_is_network(const struct survey *survey, const struct survey_route *route);

/*
 * The on-link network that contains a prefix; the smallest if there are several, NULL if there is
 * none.
 */
const struct survey_route *survey_network(const struct survey *survey,
					  const struct prefix6 *prefix);

/* The number in /proc/sys/net/ipv6/conf/NAME/KEY; -1 if it cannot be read. */
int survey_setting(const char *name, const char *key);

#endif
