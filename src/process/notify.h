/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notifications to a service manager, by the protocol of sd_notify(3): lines "NAME=value" in a
 * datagram to the socket in $NOTIFY_SOCKET. Without that variable, nothing is sent.
 */
#ifndef DTCP_PROCESS_NOTIFY_H
#define DTCP_PROCESS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct notify {
	int socket;	      /* connected; -1: no service manager */
	uint64_t watchdog_us; /* longest time between keep-alives; 0: no watchdog */
	pid_t pid;	      /* of the process that the manager started */
};

/*
 * Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, and removes them from the environment, so
 * that no process that is started later can send notifications in our name. An unusable socket is
 * logged.
 */
void notify_open(struct notify *notify);

void notify_close(struct notify *notify);

/*
 * Sends the text, lines without a newline after the last one. notify_must() waits briefly for a
 * manager that is behind, and logs failures; it is for what is sent only once. notify_try() does
 * neither and returns false on failure: for what is repeated, or can be sent later.
 */
__attribute__((format(printf, 2, 3))) void notify_must(const struct notify *notify,
						       const char *format, ...);
__attribute__((format(printf, 2, 3))) bool notify_try(const struct notify *notify,
						      const char *format, ...);

#endif
