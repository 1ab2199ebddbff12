/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the settings again, at SIGHUP or on an operator's request, and distributes them. */
#ifndef DTCP_SERVER_ROOT_RELOAD_H
#define DTCP_SERVER_ROOT_RELOAD_H

#include "base/rate.h"
#include "process/supervisor.h"
#include "server/msg.h"
#include "server/options.h"
#include "server/root/links.h"

#include <stdbool.h>

struct reload {
	struct server_options *options;
	int argc; /* the command line */
	char *const *argv;
	struct supervisor *supervisor;
	struct links *links;
	struct rate asked; /* private */
};

/* Initializes; the caller has filled in all other fields. */
void reload_init(struct reload *reload);

/*
 * Reads configuration file and command line again, and logs each difference from the present
 * options. Settings that can change at run time are applied, and sent to the processes concerned.
 * False after logging if there are errors: then nothing has changed.
 */
bool reload_now(struct reload *reload);

/* The same on control's request, rate limited. Returns the answer. */
enum server_done_result reload_asked(struct reload *reload);

#endif
