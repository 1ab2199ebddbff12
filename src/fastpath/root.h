/* SPDX-License-Identifier: BSD-2-Clause */
/* The fast path in the root processes of both daemons: decides, logs, hands over to forward. */
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
 * Removes leftovers of an earlier run, opens the fast path, and logs whether the kernel carries
 * packets, and if not, why. *out is NULL if forward carries them. False if the user requires the
 * fast path and it is not possible.
 */
bool fastpath_begin(enum fast_choice choice, const struct fastpath_config *config,
		    struct fastpath **out);

/* Logs whether the kernel carries packets. */
void fastpath_say(const struct fastpath *fastpath);

/* Sends the maps to forward, which has that index in the process table. NULL: no effect. */
void fastpath_hand(const struct fastpath *fastpath, struct supervisor *supervisor, size_t forward);

/*
 * Sends a reader of counters the kernel's counters, in a message of this type with a struct
 * counters_kernel_given. NULL: no effect.
 */
void fastpath_hand_counters(const struct fastpath *fastpath, struct supervisor *supervisor,
			    size_t reader, uint32_t type);

/*
 * Packets that the programs carry bypass IPsec policies. Therefore, with "auto", forward carries
 * them as long as this machine has any policy; this watches the policies. NULL if nothing needs to
 * be watched.
 */
struct watch *fastpath_watch_ipsec(struct event_base *base, struct fastpath *fastpath,
				   enum fast_choice choice);

/* As fastpath_set_tun() and fastpath_follow(), also for NULL; failures are logged. */
void fastpath_join_tun(struct fastpath *fastpath, struct netlink *netlink, unsigned int index);
void fastpath_join_uplinks(struct fastpath *fastpath);

#endif
