/* SPDX-License-Identifier: BSD-2-Clause */
/* SIGHUP: the settings are read again. */
#ifndef DTCP_SERVER_ROOT_RELOAD_H
#define DTCP_SERVER_ROOT_RELOAD_H

#include "server/options.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads configuration file and command line again, and logs each difference to what options have.
 * What can change while the server runs is taken over into options, and changed() is called for it
 * with its number (settings.h) and value. False where there are errors, which have been logged:
 * then nothing has changed.
 */
bool reload(struct server_options *options, int argc, char *const argv[],
	    void (*changed)(size_t number, const char *value, void *arg), void *arg);

#endif
