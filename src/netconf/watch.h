/* SPDX-License-Identifier: BSD-2-Clause */
/* Detects changes of this machine's IPv4 addresses or routes, or of its IPsec policies. */
#ifndef DTCP_NETCONF_WATCH_H
#define DTCP_NETCONF_WATCH_H

#include <event2/event.h>

struct watch;

/* Called a moment after the first of several changes, as a network usually changes in several
 * steps. */
typedef void (*watch_changed)(void *arg);

/* NULL after logging if notifications are not available. */
struct watch *watch_new(struct event_base *base, watch_changed changed, void *arg);

/* The same for IPsec policies; NULL without logging if the kernel has no IPsec. */
struct watch *watch_ipsec_new(struct event_base *base, watch_changed changed, void *arg);

/* NULL is allowed. */
void watch_free(struct watch *watch);

#endif
