/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What root's process tells a service manager about the program as a whole (process/notify.h): that
 * it is ready or about to end, its state in words, and, where the manager's watchdog asks for it,
 * that it is alive. The latter only as long as the other processes answer, too.
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
 * notify must stay valid. If this is not the process any more that opened it, the manager is
 * told of the new one. NULL if memory is short.
 */
struct service *service_new(struct event_base *base, const struct notify *notify);

/* NULL is allowed. */
void service_free(struct service *service);

/*
 * The process at the other end of a channel is to show that it lives: from time to time it is sent
 * a ping. name and the owner's pointer must stay valid; one whose channel has been closed is not
 * waited for.
 */
void service_watch(struct service *service, const char *name, struct ipc *const *ipc);

/* The state in one line; passed on when it changes, at most once a second. */
__attribute__((format(printf, 2, 3))) void service_status(struct service *service,
							  const char *format, ...);

void service_ready(struct service *service);

/* Settings are read again; service_ready() follows. */
void service_reloading(struct service *service);

/* The end has begun, for the reason in the last service_status(). The processes are asked no more.
 */
void service_stopping(struct service *service);

#endif
