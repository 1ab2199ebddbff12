/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the server's root process share. Private to server/root/root*.c. */
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

/* Prefixes that the fast path can tell apart; more of them are forward's. Memory is taken as it is
 * needed. */
enum { ROOT_ROUTES_MAX = 1 << 20 };

struct server_root {
	struct server_options *options;
	struct supervisor *supervisor;
	int lock; /* of the database */
	struct netlink *netlink;
	struct neighbours *neighbours;
	struct links *links;
	struct fastpath *fast; /* NULL: none */
	struct watch *watch;   /* of the machine's addresses, for it */
	struct watch *ipsec;   /* of its IPsec policies, for it */
	struct provision *provision;
	uint32_t assigned; /* prefixes that forward was told of */
	int listener; /* for control, when all else is ready; -1: it has it, or there is none */
	struct reload reload;
};

/* True if control takes the answers to what it asks; else the program ends. */
bool root_control_listens(const struct server_root *root);

#endif
