/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration file with a program's settings (settings.h): "key = value", and sections
 * "name { ... }" of the keys that begin with "name.". dtcps.conf(5) describes the format.
 */
#ifndef DTCP_BASE_CONFIGFILE_H
#define DTCP_BASE_CONFIGFILE_H

#include "base/settings.h"

/* A longer file is rejected. */
#define CONFIGFILE_MAX 65536

/*
 * Reads the file into values, to be freed with settings_free(); path must stay valid as well. It is
 * no error if there is no such file, unless it is required. False, and nothing to free, after a
 * line "FILE:LINE: ..." for each error.
 */
bool configfile_read(const struct settings *settings, void *values, const char *path,
		     bool required);

/* The same from memory; path is only for messages. */
bool configfile_parse(const struct settings *settings, void *values, const char *path,
		      const char *text);

#endif
