/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives the delegated prefix to the home networks (--lan): addresses, forwarding, the firewall, and
 * radvd, which announces it. Root process only. Everything is undone by lan_free(), or otherwise by
 * way of lan_record.h.
 *
 * radvd runs from the first tunnel to the end of the program: without a tunnel, it announces that
 * the prefix must not be used (RFC 9096, section 3.5).
 */
#ifndef DTCP_CLIENT_ROOT_LAN_H
#define DTCP_CLIENT_ROOT_LAN_H

#include "client/msg.h"
#include "client/options.h"
#include "netconf/netlink.h"

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

struct lan;

/*
 * Whether all required programs are installed. False after logging the missing one. Also warns of
 * whatever else will be in the way.
 */
bool lan_check(const struct client_options *options);

/* netlink must stay valid. NULL after logging. */
struct lan *lan_new(struct event_base *base, const struct client_options *options,
		    struct netlink *netlink);

/*
 * A tunnel is about to be made; interface is its name. Loads the firewall and turns forwarding on.
 * False after logging: then the tunnel must not be made, since nothing would protect the networks
 * behind it. Here and in the next three functions lan may be NULL: no effect.
 */
bool lan_prepare(struct lan *lan, const struct client_tunnel *tunnel, const char *interface);

/* The tunnel is up: announces its prefix. */
void lan_raise(struct lan *lan);

/* The interface was renamed. Failures are logged, and no more is let in than before. */
void lan_rename(struct lan *lan, const char *interface);

/* The tunnel is down. */
void lan_lower(struct lan *lan);

/* True if pid was radvd, which is then restarted. */
bool lan_reaped(struct lan *lan, pid_t pid, int status);

/* Undoes everything. NULL is allowed. */
void lan_free(struct lan *lan);

#endif
