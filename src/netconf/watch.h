/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices that the IPv4 addresses or routes of this box have changed, or its IPsec policies. */
#ifndef DTCP_NETCONF_WATCH_H
#define DTCP_NETCONF_WATCH_H

#include <event2/event.h>

struct watch;

/* A network usually changes in several steps; this is called a moment after the first. */
typedef void (*watch_changed)(void *arg);

/* NULL, after a line in the log, where the kernel cannot be listened to. */
struct watch *watch_new(struct event_base *base, watch_changed changed, void *arg);

/* The same for IPsec policies; NULL without a line in the log if the kernel has no IPsec. */
struct watch *watch_ipsec_new(struct event_base *base, watch_changed changed, void *arg);

/* NULL is allowed. */
void watch_free(struct watch *watch);

#endif
