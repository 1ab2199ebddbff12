/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service manager wants to know, in the protocol of sd_notify(3): lines "NAME=value" in a
 * datagram to the socket that $NOTIFY_SOCKET names. If nobody asked for it, nothing is sent.
 */
#ifndef DTCP_PROCESS_NOTIFY_H
#define DTCP_PROCESS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct notify {
	int socket;	      /* connected, -1: nobody asks */
	uint64_t watchdog_us; /* how often a sign of life is due at least, 0: none is wanted */
	pid_t pid;	      /* of the process that the manager has started */
};

/*
 * Takes $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, and removes them from the environment, so
 * that no process that is started later speaks in our name. A socket that cannot be used is logged.
 */
void notify_open(struct notify *notify);

void notify_close(struct notify *notify);

/*
 * Sends the text, lines without an end to the last one. notify_must() waits a moment for a manager
 * that is behind, and logs where that is of no use; it is for what is said only once. notify_try()
 * does neither and returns false: what is said again and again, or can be said later.
 */
__attribute__((format(printf, 2, 3))) void notify_must(const struct notify *notify,
						       const char *format, ...);
__attribute__((format(printf, 2, 3))) bool notify_try(const struct notify *notify,
						      const char *format, ...);

#endif
