/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of ctl share: the socket that listens (ctl.c), and its connections (call.c). */
#ifndef DTCP_CTL_CTL_PARTS_H
#define DTCP_CTL_CTL_PARTS_H

#include "ctl/ctl.h"

#include <sys/queue.h>

struct ctl {
	struct event_base *base;
	int fd;
	const struct ctl_commands *commands;
	void *arg;
	struct event *readable;
	struct event *resume; /* after a rest */
	struct event *turn;   /* something is to be done for a connection */
	TAILQ_HEAD(, ctl_call) calls;
	unsigned int count;
};

/* Takes over fd, of a connection. False, and fd is still the caller's, if memory is short. */
bool ctl_call_add(struct ctl *ctl, int fd, bool root);

void ctl_call_free(struct ctl_call *call);

/* The connection behind it, NULL: none. */
struct ctl_call *ctl_call_next(const struct ctl_call *call);

/* ctl->turn has come: a piece of work for the connection that has waited for longest. */
void ctl_call_turn(struct ctl *ctl);

/* The object of an answer that says no; NULL if memory is short. */
json_t *ctl_call_refusal(const struct ctl_refusal *refusal);

#endif
