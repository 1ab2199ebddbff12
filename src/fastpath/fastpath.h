/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path, for root's process: loads the kernel's programs (programs.bpf.c), attaches them to
 * the TUN device and to the outer devices, and follows changes of these. The maps' descriptors are
 * for forward, which alone knows the sessions.
 *
 * If the kernel supports it (TCX links, Linux 6.6), everything is held by descriptors: when the
 * process dies, the programs are gone. On older kernels, filters stay on the outer devices until a
 * guard, or the next start of an instance with the same interface, removes them; each instance has
 * its own filters. Until then they carry nothing (FAST_ALIVE_NS).
 */
#ifndef DTCP_FASTPATH_FASTPATH_H
#define DTCP_FASTPATH_FASTPATH_H

#include "fastpath/shared.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fastpath;

struct fastpath_config {
	uint32_t sessions_max;
	uint32_t routes_max;
	bool server;	       /* filter inner sources */
	uint16_t udp_port;     /* local port, host byte order; 0: none */
	const char *interface; /* of the tunnels: unique among the instances on this machine */
	bool old;	       /* for tests: as on a kernel without TCX */
};

/*
 * Loads the programs and makes the maps. NULL if that is not possible; why is then a phrase for the
 * log, such as "the kernel is too old: ...".
 */
struct fastpath *fastpath_open(const struct fastpath_config *config, char *why, size_t why_size);

/* Removes everything. NULL is allowed. */
void fastpath_close(struct fastpath *fastpath);

/*
 * Removes the filters of an instance with this interface that was killed. Needs only CAP_NET_ADMIN.
 */
void fastpath_sweep(const char *interface);

/* Whether filters stay if the process is killed, so that fastpath_sweep() is needed. */
bool fastpath_leaves_filters(const struct fastpath *fastpath);

/* Pauses or resumes: while paused, the programs leave all packets to forward. */
void fastpath_pause(struct fastpath *fastpath, bool paused);
bool fastpath_is_paused(const struct fastpath *fastpath);

/* Whether the kernel supports decapsulation, too. */
bool fastpath_receives(const struct fastpath *fastpath);

/* A map's descriptor, which stays owned by the fast path. */
int fastpath_map(const struct fastpath *fastpath, enum fast_map map);

/* Number of counters of each session. */
uint32_t fastpath_lanes(const struct fastpath *fastpath);

/*
 * Sets the TUN device, 0: none. It must exist and forward IPv4 (netlink_link_forward_ipv4()).
 * Returns 0 or -errno.
 */
int fastpath_set_tun(struct fastpath *fastpath, unsigned int index);

/*
 * Finds the devices that have IPv4 addresses and an Ethernet header, and attaches the programs to
 * exactly these. To be called whenever the machine's addresses have changed. Returns their number,
 * or -errno of the first that failed; the others are attached.
 */
int fastpath_follow(struct fastpath *fastpath);

#endif
