/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of ctl: the listening socket (ctl.c), its connections (call.c), and their
 * closing (leave.c). */
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
	struct event *resume; /* accepts again after a pause */
	struct event *turn;   /* there is work for a connection */
	TAILQ_HEAD(, ctl_call) calls;
	unsigned int count;
	TAILQ_HEAD(, ctl_leaving) leaving;
	unsigned int n_leaving;
};

/* Takes over fd, a connection. False if memory is short; then fd is still the caller's. */
bool ctl_call_add(struct ctl *ctl, int fd, bool root);

void ctl_call_free(struct ctl_call *call);

/*
 * At the end of the program: refuses what is not answered yet, and flushes the output, waiting
 * until the deadline (clock_ms()) at most. Frees the connection.
 */
void ctl_call_finish(struct ctl_call *call, int64_t deadline);

/* Called by ctl->turn: does a piece of work for the connection that has waited longest. */
void ctl_call_turn(struct ctl *ctl);

/* Takes over fd, a connection to which everything has been sent, and closes it gracefully. */
void ctl_leave(struct ctl *ctl, int fd);

/* Closes all of them at once. */
void ctl_leave_all(struct ctl *ctl);

/* Writes what is left in a bufferevent's output, waiting until the deadline at most. */
void ctl_leave_flush(struct evbuffer *output, int fd, int64_t deadline);

/* The object of an error answer; NULL if memory is short. */
json_t *ctl_call_refusal(const struct ctl_refusal *refusal);

#endif
