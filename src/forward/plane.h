/* SPDX-License-Identifier: BSD-2-Clause */
/* The data plane at work: packets between the TUN devices and the raw socket, and the counters. */
#ifndef DTCP_FORWARD_PLANE_H
#define DTCP_FORWARD_PLANE_H

#include "forward/counters.h"
#include "forward/device.h"
#include "forward/forward.h"
#include "forward/rate.h"
#include "forward/raw.h"
#include "forward/table.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stddef.h>

struct plane {
	struct forward_config config;
	struct event_base *base;
	struct table *table;
	struct devices *devices;
	struct raw *raw;		/* NULL until it comes */
	struct counters_page *counters; /* always there; our own until the shared page comes */
	size_t counters_mapped;		/* bytes to unmap; 0: our own */
	struct in6_addr icmp_source;
	struct rate icmp_rate;
};

/* Returns 0 or -ENOMEM; plane_close() is right after either. */
int plane_open(struct plane *plane, const struct forward_config *config, struct event_base *base);
void plane_close(struct plane *plane);

/* Takes over the socket. Returns 0 or -errno. */
int plane_set_raw(struct plane *plane, int fd);

/* Goes on counting in the shared page; closes fd. Returns 0 or -errno. */
int plane_set_counters(struct plane *plane, int fd);

#endif
