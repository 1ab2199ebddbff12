/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the root process reports to a service manager about the whole program (process/notify.h):
 * that it is ready or about to end, its status as text, and, if the manager has a watchdog,
 * keep-alives. These are sent only as long as the other processes answer, too.
 */
#ifndef DTCP_PROCESS_SERVICE_H
#define DTCP_PROCESS_SERVICE_H

#include "process/ipc.h"
#include "process/notify.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct service;

/*
 * notify must stay valid. If the process id has changed since notify_open(), the manager is told
 * the new one. NULL if memory is short.
 */
struct service *service_new(struct event_base *base, const struct notify *notify);

/* NULL is allowed. */
void service_free(struct service *service);

/*
 * Includes the process at the other end of a channel in the watchdog: it is pinged from time to
 * time, and has to answer. name and the owner's pointer must stay valid; a process whose channel
 * has been closed is ignored.
 */
void service_watch(struct service *service, const char *name, struct ipc *const *ipc);

/* Sets the status line; it is sent when it changes, at most once a second. */
__attribute__((format(printf, 2, 3))) void service_status(struct service *service,
							  const char *format, ...);

void service_ready(struct service *service);

/* The settings are being read again; service_ready() follows. */
void service_reloading(struct service *service);

/*
 * The program is ending, for the reason in the last service_status(). The processes are not pinged
 * any more.
 */
void service_stopping(struct service *service);

#endif
