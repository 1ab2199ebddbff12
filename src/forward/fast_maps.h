/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps of the kernel's programs (fastpath/shared.h), as forward has them: some as memory, some
 * as tables whose entries it sets and removes.
 */
#ifndef DTCP_FORWARD_FAST_MAPS_H
#define DTCP_FORWARD_FAST_MAPS_H

#include "fastpath/shared.h"
#include "forward/msg.h"

#include <stdbool.h>
#include <stdint.h>

struct fast_maps {
	uint32_t sessions_max;
	uint32_t lanes; /* of counters */
	bool receives;	/* the programs take packets in as well */
	struct fast_state *state;
	struct fast_session *sessions;
	struct fast_counters *counters; /* only to be read */
	int fds[FAST_MAPS];		/* -1: has not come, or is memory */
};

/* None has come yet. */
void fast_maps_init(struct fast_maps *maps, uint32_t sessions_max);

/* Takes one over. Closes fd, or keeps it. Returns 0 or -errno. */
int fast_maps_take(struct fast_maps *maps, const struct forward_fast *message, int fd);

/* All are there. */
bool fast_maps_complete(const struct fast_maps *maps);

/* Sets the entry of that key in one of the tables, or removes it, which it may be already. Returns
 * 0 or -errno. */
int fast_maps_put(const struct fast_maps *maps, enum fast_map map, const void *key, uint32_t id);
int fast_maps_remove(const struct fast_maps *maps, enum fast_map map, const void *key);

void fast_maps_close(struct fast_maps *maps);

#endif
