/* SPDX-License-Identifier: BSD-2-Clause */
/* One program at one device: by a TCX link, or where the kernel has none (before Linux 6.6) by a
 * filter of the clsact queueing discipline. */
#ifndef DTCP_FASTPATH_ATTACH_H
#define DTCP_FASTPATH_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

enum attach_point { ATTACH_INGRESS, ATTACH_EGRESS };

/* The same for all attachments of an instance. */
struct attach_way {
	bool old;	 /* without TCX */
	uint32_t handle; /* of its filters, among those of other instances; not 0 */
};

/* Whether this kernel has TCX; program is any one that can be attached. */
bool attach_has_tcx(int program);

struct attachment {
	int link;	    /* of TCX; -1: none */
	unsigned int index; /* the device of a filter; 0: none */
	enum attach_point point;
	uint32_t handle; /* of the filter */
};

void attachment_init(struct attachment *attachment);

/* Returns 0 or -errno. A filter with that handle that was left there is replaced. */
int attachment_make(struct attachment *attachment, int program, unsigned int index,
		    enum attach_point point, const struct attach_way *way);

/* No error where the device is gone, or there is nothing. */
void attachment_end(struct attachment *attachment);

/*
 * Removes the filters with that handle at what comes in, from all devices. The clsact of each
 * stays: without filters it does nothing, and if somebody adds one meanwhile, that would go with
 * it.
 */
void attach_sweep(uint32_t handle);

#endif
