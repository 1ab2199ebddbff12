/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the server's root process. Private to server/root/root*.c. */
#ifndef DTCP_SERVER_ROOT_ROOT_PARTS_H
#define DTCP_SERVER_ROOT_ROOT_PARTS_H

#include "fastpath/root.h"
#include "netconf/watch.h"
#include "process/supervisor.h"
#include "server/msg.h"
#include "server/options.h"
#include "server/root/links.h"
#include "server/root/neighbours.h"
#include "server/root/provision.h"
#include "server/root/reload.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Capacity of the fast path's routing table; forward routes the rest. Memory is allocated as
 * needed.
 */
enum { ROOT_ROUTES_MAX = 1 << 20 };

struct server_root {
	struct server_options *options;
	struct supervisor *supervisor;
	int lock; /* on the database */
	struct netlink *netlink;
	struct neighbours *neighbours;
	struct links *links;
	struct fastpath *fast; /* NULL: none */
	struct watch *watch;   /* watches the machine's addresses for it */
	struct watch *ipsec;   /* watches IPsec policies for it */
	struct provision *provision;
	uint32_t assigned; /* number of prefixes sent to forward */
	int listener;	   /* for control, once all else is ready; -1: handed over, or none */
	struct reload reload;
};

/* True if control reads its answers; else ends the program. */
bool root_control_listens(const struct server_root *root);

#endif
