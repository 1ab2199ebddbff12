/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps of the kernel's programs (fastpath/shared.h) in forward: some as shared memory, some as
 * tables whose entries are set and removed by system calls.
 */
#ifndef DTCP_FORWARD_FAST_MAPS_H
#define DTCP_FORWARD_FAST_MAPS_H

#include "fastpath/shared.h"
#include "forward/msg.h"

#include <stdbool.h>
#include <stdint.h>

struct fast_maps {
	uint32_t sessions_max;
	uint32_t lanes; /* number of counters of each session */
	bool receives;	/* the programs decapsulate, too */
	struct fast_state *state;
	struct fast_session *sessions;
	struct fast_counters *counters; /* read only */
	int fds[FAST_MAPS];		/* -1: not arrived, or in memory */
};

/* Initializes, without maps. */
void fast_maps_init(struct fast_maps *maps, uint32_t sessions_max);

/* Adds a map. Takes ownership of fd. Returns 0 or -errno. */
int fast_maps_take(struct fast_maps *maps, const struct forward_fast *message, int fd);

/* Whether all maps have arrived. */
bool fast_maps_complete(const struct fast_maps *maps);

/*
 * Sets or removes the entry of that key in a table; removing a missing one is no error. Returns 0
 * or -errno.
 */
int fast_maps_put(const struct fast_maps *maps, enum fast_map map, const void *key, uint32_t id);
int fast_maps_remove(const struct fast_maps *maps, enum fast_map map, const void *key);

void fast_maps_close(struct fast_maps *maps);

#endif
