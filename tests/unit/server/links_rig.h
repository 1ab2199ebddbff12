/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's devices, in a network of the test's own with the kernel's real ones. */
#ifndef DTCP_TESTS_UNIT_SERVER_LINKS_RIG_H
#define DTCP_TESTS_UNIT_SERVER_LINKS_RIG_H

#include "server/root/links_parts.h"

#include <stdbool.h>
#include <stdint.h>

enum { LINKS_RIG_DEVICES = 100 };

struct links_rig {
	struct server_options options;
	struct netlink *netlink;
	struct links *links;
	int fds[LINKS_RIG_DEVICES + 1]; /* forward's, by number; -1: it has none */
	unsigned int machine;		/* how often something may have changed */
};

/* For cmocka: without and with the shared device, dtcps0. */
int links_rig_begin(void **state);
int links_rig_open(void **state);

/* Nothing is left of the devices. */
int links_rig_close(void **state);

/* A device for a session of this user, who knows us by that address. */
uint32_t links_rig_open_for(struct links_rig *rig, int64_t user, const char *her);

/* Whether packets to that address go to the interface. */
bool links_rig_leads(const char *name, const char *text);

/* How many addresses the interface has; with addr, 0 or 1 of that one. */
int links_rig_addresses(const char *name, const struct in6_addr *addr);

/* The same for the link-local one by which clients know us who come to that address. */
int links_rig_link_locals(const char *name, const char *her);

#endif
