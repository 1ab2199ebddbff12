/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps's configuration file, dtcps.conf(5): the settings of settings.h, one a line. */
#ifndef DTCP_SERVER_CONFIGFILE_H
#define DTCP_SERVER_CONFIGFILE_H

#include "server/options.h"

#include <stdbool.h>

/* A longer file is refused. */
#define CONFIGFILE_MAX 65536

/*
 * Reads the file into options, which then hold options->values and need path. No error where the
 * file is not there, unless it must be. False after a line "FILE:LINE: ..." for each error.
 */
bool configfile_read(struct server_options *options, const char *path, bool must);

/* The same from memory; path is only for messages. */
bool configfile_parse(struct server_options *options, const char *path, const char *text);

/* NULL is allowed. */
void configfile_free(struct configfile *file);

#endif
