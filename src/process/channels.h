/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The channels of a program: between root's process and each other process, and between those that
 * the table names. They exist from the beginning, so that messages to a process wait for it.
 */
#ifndef DTCP_PROCESS_CHANNELS_H
#define DTCP_PROCESS_CHANNELS_H

#include "process/process.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

struct channels {
	const struct program *program;
	ipc_closed closed; /* called with arg; message handlers with handlers_arg */
	void *arg;
	void *handlers_arg;
	struct event_base *base;
	struct ipc *root[PROCESS_MAX]; /* root's ends; NULL: no channel */
	/*
	 * private: the ends that each process will get: of its channels to others; at its own
	 * index, of that to root's process
	 */
	int ends[PROCESS_MAX][PROCESS_MAX];
};

/* Initializes, without channels. The caller fills in the first four fields. */
void channels_init(struct channels *channels);

/* Makes all channels except the guards'. False after logging. */
bool channels_open(struct channels *channels, struct event_base *base);

/*
 * Makes the channel to a process: a guard's only once root's process has become a daemon, since a
 * guard identifies root's process by the channel's creator. False after logging.
 */
bool channels_open_one(struct channels *channels, size_t place);

/*
 * Takes out the ends of a process, in the order that process_run() expects. The caller owns them.
 * Returns their number.
 */
size_t channels_take(struct channels *channels, size_t place, int fds[static PROCESS_MAX]);

/* Closes all channels, guards' last, after flushing them. */
void channels_close(struct channels *channels);

#endif
