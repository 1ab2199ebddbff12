/* SPDX-License-Identifier: BSD-2-Clause */
/* Detects that the machine was suspended and has resumed. */
#ifndef DTCP_NETCONF_WAKE_H
#define DTCP_NETCONF_WAKE_H

#include <event2/event.h>
#include <stdint.h>

struct wake;

/* The machine has resumed after this time. */
typedef void (*wake_woken)(uint32_t seconds, void *arg);

/* NULL after logging if the system does not support it. */
struct wake *wake_new(struct event_base *base, wake_woken woken, void *arg);

/* NULL is allowed. */
void wake_free(struct wake *wake);

#endif
