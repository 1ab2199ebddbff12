/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaches one program to one device: by a TCX link, or if the kernel has none (before Linux 6.6)
 * by a filter of the clsact queueing discipline.
 */
#ifndef DTCP_FASTPATH_ATTACH_H
#define DTCP_FASTPATH_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

enum attach_point { ATTACH_INGRESS, ATTACH_EGRESS };

/* Parameters of all attachments of an instance. */
struct attach_way {
	bool old;	 /* without TCX */
	uint32_t handle; /* of its filters, distinguishes instances; never 0 */
};

/* Whether this kernel has TCX; program is any program that can be attached. */
bool attach_has_tcx(int program);

struct attachment {
	int link;	    /* TCX link; -1: none */
	unsigned int index; /* device of a filter; 0: none */
	enum attach_point point;
	uint32_t handle; /* of the filter */
};

void attachment_init(struct attachment *attachment);

/* Returns 0 or -errno. A leftover filter with that handle is replaced. */
int attachment_make(struct attachment *attachment, int program, unsigned int index,
		    enum attach_point point, const struct attach_way *way);

/* No error if the device is gone, or there is no attachment. */
void attachment_end(struct attachment *attachment);

/*
 * Removes the ingress filters with that handle from all devices. The clsact of each device stays:
 * it does nothing without filters, and removing it could remove a filter that another program adds
 * at the same moment.
 */
void attach_sweep(uint32_t handle);

#endif
