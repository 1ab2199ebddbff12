/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forward process: the data plane in its own unprivileged process. It moves packets between TUN
 * devices and the outer network, and knows nothing of logins, interfaces or routes.
 */
#ifndef DTCP_FORWARD_FORWARD_H
#define DTCP_FORWARD_FORWARD_H

#include "forward/sources.h"

#include <stdbool.h>
#include <stdint.h>

#define FORWARD_ICMP6_RATE 100

struct forward_config {
	bool server;	       /* filter inner sources; answer for prefixes without a session */
	uint32_t sessions_max; /* limit of session ids, exclusive */
	uint32_t icmp6_rate;   /* ICMPv6 errors per second (icmp6.h); 0: FORWARD_ICMP6_RATE */
	sources_ask ask;       /* server: looks up the route to a source; NULL: no lookups */
	bool trials;	       /* client with --check: control may request path trials */
};

/*
 * Runs until either channel closes; monitor_fd and control_fd are forward's ends of the socket
 * pairs. Must be called without privileges. Returns the exit status: 0 if a channel was closed
 * properly, 1 after an error that has been logged.
 */
int forward_run(const struct forward_config *config, int monitor_fd, int control_fd);

#endif
