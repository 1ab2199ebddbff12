/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channels of a program: between root's process and each of the others, and between those that
 * the table says. They exist from the first moment, so that what is sent to a process waits for it.
 */
#ifndef DTCP_PROCESS_CHANNELS_H
#define DTCP_PROCESS_CHANNELS_H

#include "process/process.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

struct channels {
	const struct program *program;
	ipc_closed closed; /* gets arg, and the handlers of messages handlers_arg */
	void *arg;
	void *handlers_arg;
	struct event_base *base;
	struct ipc *root[PROCESS_MAX]; /* our ends; NULL: there is no channel */
	/* private: what a process will find, its ends of channels to others; at its own place that
	 * to root's */
	int ends[PROCESS_MAX][PROCESS_MAX];
};

/* There are none yet. The first four fields are the owner's to fill in. */
void channels_init(struct channels *channels);

/* Makes all of them but the guards'. False after logging. */
bool channels_open(struct channels *channels, struct event_base *base);

/*
 * Makes the one to a process: a guard's, once root's process is the one that it will be, since a
 * guard knows us by who has made its channel. False after logging.
 */
bool channels_open_one(struct channels *channels, size_t place);

/*
 * Takes out the ends of a process, in the order in which process_run() expects them. They are the
 * caller's. Returns how many there are.
 */
size_t channels_take(struct channels *channels, size_t place, int fds[static PROCESS_MAX]);

/* Closes all of them, guards' last, which take what was sent to them first. */
void channels_close(struct channels *channels);

#endif
