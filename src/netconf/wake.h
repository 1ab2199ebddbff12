/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices that the machine was asleep (suspended) and is awake again. */
#ifndef DTCP_NETCONF_WAKE_H
#define DTCP_NETCONF_WAKE_H

#include <event2/event.h>
#include <stdint.h>

struct wake;

/* The machine has slept for so long. */
typedef void (*wake_woken)(uint32_t seconds, void *arg);

/* NULL, after a line in the log, where the system cannot tell. */
struct wake *wake_new(struct event_base *base, wake_woken woken, void *arg);

/* NULL is allowed. */
void wake_free(struct wake *wake);

#endif
