/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of ctl share: the socket that listens (ctl.c), its connections (call.c), and how
 * these end (leave.c). */
#ifndef DTCP_CTL_CTL_PARTS_H
#define DTCP_CTL_CTL_PARTS_H

#include "ctl/ctl.h"

#include <event2/buffer.h>
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
	TAILQ_HEAD(, ctl_leaving) leaving;
	unsigned int n_leaving;
};

/* Takes over fd, of a connection. False, and fd is still the caller's, if memory is short. */
bool ctl_call_add(struct ctl *ctl, int fd, bool root);

void ctl_call_free(struct ctl_call *call);

/* The program ends: what is not answered yet is refused, and what there is to read goes out, for
 * which it waits until the deadline (clock_ms()) at most. Frees it. */
void ctl_call_finish(struct ctl_call *call, int64_t deadline);

/* ctl->turn has come: a piece of work for the connection that has waited for longest. */
void ctl_call_turn(struct ctl *ctl);

/* Takes over fd, of a connection to which everything was said that is to be. */
void ctl_leave(struct ctl *ctl, int fd);

/* Closes all of them. */
void ctl_leave_all(struct ctl *ctl);

/* Writes out what a bufferevent has not yet, for which it waits until the deadline at most. */
void ctl_leave_flush(struct evbuffer *output, int fd, int64_t deadline);

/* The object of an answer that says no; NULL if memory is short. */
json_t *ctl_call_refusal(const struct ctl_refusal *refusal);

#endif
