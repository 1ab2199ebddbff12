/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives the delegated prefix to the networks at home (--lan): addresses, forwarding, the firewall,
 * and radvd, which announces it. Root's side. What was made goes with lan_free(), and otherwise by
 * lan_record.h.
 *
 * radvd runs from the first tunnel to the end of the program: as long as there is no tunnel, it
 * says that the prefix is not to be used (RFC 9096, section 3.5).
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

/* Whether all programs that it needs are there. False after a line about the one that is not. */
bool lan_check(const struct client_options *options);

/* netlink must stay valid. NULL after logging. */
struct lan *lan_new(struct event_base *base, const struct client_options *options,
		    struct netlink *netlink);

/*
 * A tunnel is about to be made; interface is its name. Loads the firewall and has the kernel
 * forward. False after logging: then it must not be made, since nothing would guard what is behind
 * it. For this and the next three lan may be NULL: nothing happens.
 */
bool lan_prepare(struct lan *lan, const struct client_tunnel *tunnel, const char *interface);

/* It is there: its prefix is announced. */
void lan_raise(struct lan *lan);

/* Its interface has another name now. What fails is logged, and no more is let in than before. */
void lan_rename(struct lan *lan, const char *interface);

/* There is no tunnel any more. */
void lan_lower(struct lan *lan);

/* True if pid was radvd, which is then started again. */
bool lan_reaped(struct lan *lan, pid_t pid, int status);

/* Takes everything back. NULL is allowed. */
void lan_free(struct lan *lan);

#endif
