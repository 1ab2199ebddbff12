/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path, for root's process: loads the kernel's programs (programs.bpf.c), joins them to
 * the TUN device and to the devices outside, and follows these. The maps' descriptors are for
 * forward, which alone knows the sessions.
 *
 * Everything is held by descriptors where the kernel can do that (TCX links, Linux 6.6): when the
 * process dies, the programs are gone. On older kernels a filter stays behind on the devices
 * outside, until a guard or the next start of an instance with the same interface sweeps it; others
 * have filters of their own. If neither comes, it carries nothing any more (FAST_ALIVE_NS).
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
	bool server;	       /* look at inner sources */
	uint16_t udp_port;     /* ours, host byte order; 0: none */
	const char *interface; /* of the tunnels: no other instance on this machine has it */
	bool old;	       /* for tests: as if the kernel had no TCX */
};

/*
 * Loads the programs and makes the maps. NULL where that is not possible; why is then a phrase for
 * the log, such as "the kernel is too old: ...".
 */
struct fastpath *fastpath_open(const struct fastpath_config *config, char *why, size_t why_size);

/* Takes everything away. NULL is fine. */
void fastpath_close(struct fastpath *fastpath);

/*
 * Removes the filters that an instance with this interface has left, which was killed. Needs no
 * privilege but CAP_NET_ADMIN.
 */
void fastpath_sweep(const char *interface);

/* Whether something of it stays when its process is killed, so that somebody has to sweep. */
bool fastpath_leaves_filters(const struct fastpath *fastpath);

/* While it is paused, the programs leave all packets to forward. */
void fastpath_pause(struct fastpath *fastpath, bool paused);
bool fastpath_is_paused(const struct fastpath *fastpath);

/* Whether the kernel can decapsulate as well. */
bool fastpath_receives(const struct fastpath *fastpath);

/* A descriptor that remains the fast path's. */
int fastpath_map(const struct fastpath *fastpath, enum fast_map map);

/* How many counters each session has. */
uint32_t fastpath_lanes(const struct fastpath *fastpath);

/*
 * From now on this is the TUN device, 0: none. It must be there and forward IPv4
 * (netlink_link_forward_ipv4()). Returns 0 or -errno.
 */
int fastpath_set_tun(struct fastpath *fastpath, unsigned int index);

/*
 * Looks which devices have IPv4 addresses and an Ethernet header, and joins the programs to these
 * alone. To be called whenever the machine's addresses have changed. Returns their number, or
 * -errno of the first that could not be joined to; the others are.
 */
int fastpath_follow(struct fastpath *fastpath);

#endif
