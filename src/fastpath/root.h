/* SPDX-License-Identifier: BSD-2-Clause */
/* What root's process of both programs does with the fast path: decides, says so, hands over. */
#ifndef DTCP_FASTPATH_ROOT_H
#define DTCP_FASTPATH_ROOT_H

#include "fastpath/choice.h"
#include "fastpath/fastpath.h"
#include "netconf/netlink.h"
#include "netconf/watch.h"
#include "process/supervisor.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Removes what an earlier run has left, opens the fast path, and logs which path carries packets,
 * and why. *out is NULL where it is forward's. False if the user insists on the other.
 */
bool fastpath_begin(enum fast_choice choice, const struct fastpath_config *config,
		    struct fastpath **out);

/* Logs which path carries packets. */
void fastpath_say(const struct fastpath *fastpath);

/* Gives forward, by its place in the table, the maps. NULL: none. */
void fastpath_hand(const struct fastpath *fastpath, struct supervisor *supervisor, size_t forward);

/*
 * Gives a reader of counters those of the kernel, in a message of this type with a struct
 * counters_kernel_given. NULL: none.
 */
void fastpath_hand_counters(const struct fastpath *fastpath, struct supervisor *supervisor,
			    size_t reader, uint32_t type);

/*
 * Packets that the programs carry pass by IPsec policies. So with auto, forward carries them for as
 * long as this machine has any; this follows them. NULL if there is nothing to follow.
 */
struct watch *fastpath_watch_ipsec(struct event_base *base, struct fastpath *fastpath,
				   enum fast_choice choice);

/* As fastpath_set_tun() and fastpath_follow(), for NULL as well; what cannot be done is logged. */
void fastpath_join_tun(struct fastpath *fastpath, struct netlink *netlink, unsigned int index);
void fastpath_join_uplinks(struct fastpath *fastpath);

#endif
