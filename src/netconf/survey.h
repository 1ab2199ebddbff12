/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What there is on this machine without us: interfaces, IPv6 addresses and routes, kernel settings.
 * Nothing is changed.
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
	bool neighbours; /* its addresses are looked for by neighbour solicitation */
	bool has_mac;	 /* as on an Ethernet */
	uint8_t mac[6];
	struct in6_addr local; /* a link-local address that is in use; all zero: none */
	int accept_ra;	       /* net.ipv6.conf.NAME.accept_ra; -1: unknown, or not read */
	int forwarding;	       /* net.ipv6.conf.NAME.forwarding; the same */
};

struct survey_address {
	unsigned int index; /* of its interface */
	struct in6_addr addr;
	uint8_t len;
	bool advertised; /* made out of a router's advertisement */
	bool tentative;	 /* not in use: somebody else may have it, or has it */
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
	bool kernel;  /* the kernel's, or a router's advertisement: of an address, on-link */
	bool advertised;
	bool ours; /* has our protocol number */
	uint32_t metric;
};

struct survey {
	struct survey_link *links; /* by index */
	size_t n_links;
	struct survey_address *addresses; /* global ones, and unique local ones */
	size_t n_addresses;
	struct survey_route *routes;
	size_t n_routes;
	bool leads_out; /* there is a global route by a gateway, kept or not */
};

/*
 * Reads all of it; of the routes, those that are as short as a default route, that have no gateway,
 * and that overlap one of these prefixes (NULL: none). Returns 0 or -errno after logging;
 * then there is nothing to free.
 */
int survey_take(struct survey *survey, struct netlink *netlink,
		const struct prefix6 *const within[], size_t n);

/* Reads what the kernel's settings for each interface are. */
void survey_read_settings(struct survey *survey);

void survey_free(struct survey *survey);

/* NULL if there is none of that number. */
const struct survey_link *survey_link(const struct survey *survey, unsigned int index);

/* A route that leads to all of the IPv6 Internet. */
bool survey_is_default(const struct survey_route *route);

/* A network that is on-link at an interface, where its addresses are looked for as neighbours. */
bool survey_is_network(const struct survey *survey, const struct survey_route *route);

/*
 * The network that a prefix is in, so that others look for its addresses on that link; the smallest
 * if there are several, NULL if there is none.
 */
const struct survey_route *survey_network(const struct survey *survey,
					  const struct prefix6 *prefix);

/* The number in /proc/sys/net/ipv6/conf/NAME/KEY; -1 if it cannot be read. */
int survey_setting(const char *name, const char *key);

#endif
