/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outer devices that the kernel's programs are attached to, and the machine's addresses, as
 * known to the programs.
 */
#ifndef DTCP_FASTPATH_UPLINKS_H
#define DTCP_FASTPATH_UPLINKS_H

#include "fastpath/attach.h"
#include "fastpath/programs.h"

#include <stdint.h>
#include <sys/queue.h>

struct uplink;

struct uplinks {
	TAILQ_HEAD(, uplink) list;
	uint32_t look; /* number of the last scan of addresses */
};

void uplinks_init(struct uplinks *uplinks);

/* As fastpath_follow(). */
int uplinks_follow(struct uplinks *uplinks, const struct programs *programs,
		   const struct attach_way *way);

/* Detaches from all devices. */
void uplinks_end(struct uplinks *uplinks, const struct programs *programs);

#endif
