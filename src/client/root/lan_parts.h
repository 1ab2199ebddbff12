/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of lan.h. Private to client/root/lan*.c. */
#ifndef DTCP_CLIENT_ROOT_LAN_PARTS_H
#define DTCP_CLIENT_ROOT_LAN_PARTS_H

#include "client/lan.h"
#include "client/options.h"
#include "client/root/lan_record.h"
#include "netconf/interface_watch.h"
#include "netconf/netlink.h"
#include "netconf/program.h"

#include <event2/event.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct lan {
	const struct client_options *options;
	struct event_base *base;
	struct netlink *netlink;
	struct lan_record *record; /* NULL: no tunnel yet */
	struct interface_watch *watch;
	struct event *start;
	char interface[IFNAMSIZ]; /* the tunnel's */
	bool up;
	struct lan_plan plan; /* empty without a tunnel */
	struct lan_stale stale[LAN_NETS_MAX];
	size_t n_stale;
	pid_t radvd;	/* 0: not running */
	char *firewall; /* as last loaded */
};

/* Whether it is one of the interfaces of --lan. */
bool lan_is_lan(const struct lan *lan, const char *name);

/* Turns forwarding on, and lets uplinks keep accepting router advertisements. False after logging.
 */
bool lan_forward(struct lan *lan);

/* Adds missing addresses; an interface may not exist. */
void lan_make_nets(struct lan *lan);

#endif
