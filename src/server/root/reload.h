/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings are read again, at SIGHUP or because an operator asks for it, and passed on. */
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
	int argc; /* what they are read from */
	char *const *argv;
	struct supervisor *supervisor;
	struct links *links;
	struct rate asked; /* private */
};

/* With all but the last filled in. */
void reload_init(struct reload *reload);

/*
 * Reads configuration file and command line again, and logs each difference to what options have.
 * What can change while the server runs is taken over into options, and told to whom it concerns.
 * False where there are errors, which have been logged: then nothing has changed.
 */
bool reload_now(struct reload *reload);

/* The same because control asks for it, unless that is too often. Returns the answer. */
enum server_done_result reload_asked(struct reload *reload);

#endif
