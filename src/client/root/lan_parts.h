/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of lan.h share. Private to client/root/lan*.c. */
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
	struct lan_record *record; /* NULL: there has been no tunnel yet */
	struct interface_watch *watch;
	struct event *start;
	char interface[IFNAMSIZ]; /* the tunnel's */
	bool up;
	struct lan_plan plan; /* empty without a tunnel */
	struct lan_stale stale[LAN_NETS_MAX];
	size_t n_stale;
	pid_t radvd;	/* 0: does not run */
	char *firewall; /* as it was loaded last */
};

/* Whether it is one of the networks at home. */
bool lan_is_lan(const struct lan *lan, const char *name);

/* Has the kernel forward, and the uplinks keep what they have by it. False after logging. */
bool lan_forward(struct lan *lan);

/* Puts addresses where they are not there; an interface may be missing. */
void lan_make_nets(struct lan *lan);

#endif
