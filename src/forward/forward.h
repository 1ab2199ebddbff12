/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forward process: the data plane in its own unprivileged process. It reads packets from TUN
 * devices and from the outside, and knows nothing of logins, interfaces or routes.
 */
#ifndef DTCP_FORWARD_FORWARD_H
#define DTCP_FORWARD_FORWARD_H

#include "forward/sources.h"

#include <stdbool.h>
#include <stdint.h>

#define FORWARD_ICMP6_RATE 100

struct forward_config {
	bool server;	       /* filter inner sources; answer for prefixes without a session */
	uint32_t sessions_max; /* session ids are below this */
	uint32_t icmp6_rate;   /* ICMPv6 errors a second (icmp6.h); 0: FORWARD_ICMP6_RATE */
	sources_ask ask;       /* server: where a source leads, NULL: nowhere */
	bool trials;	       /* a client that checks: control may have the path tried */
};

/*
 * Runs until either channel closes; monitor_fd and control_fd are its ends of the socket
 * pairs. Called without privileges. Returns the exit status: 0 when a channel was closed in the
 * normal course, 1 after an error that has been logged.
 */
int forward_run(const struct forward_config *config, int monitor_fd, int control_fd);

#endif
