/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices outside that the kernel's programs are joined to, and the machine's addresses, as the
 * programs know them. */
#ifndef DTCP_FASTPATH_UPLINKS_H
#define DTCP_FASTPATH_UPLINKS_H

#include "fastpath/attach.h"
#include "fastpath/programs.h"

#include <stdint.h>
#include <sys/queue.h>

struct uplink;

struct uplinks {
	TAILQ_HEAD(, uplink) list;
	uint32_t look; /* the number of the last look at addresses */
};

void uplinks_init(struct uplinks *uplinks);

/* As fastpath_follow(). */
int uplinks_follow(struct uplinks *uplinks, const struct programs *programs,
		   const struct attach_way *way);

/* Leaves all of them. */
void uplinks_end(struct uplinks *uplinks, const struct programs *programs);

#endif
