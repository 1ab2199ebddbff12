/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every setting of dtcps by its key: how its value is read and written, whether it can change while
 * the server runs. The command line (options.h), the configuration file (configfile.h) and the
 * messages that tell the rooms of a change all go through this table.
 */
#ifndef DTCP_SERVER_SETTINGS_H
#define DTCP_SERVER_SETTINGS_H

#include "server/options.h"

#include <stdbool.h>
#include <stddef.h>

/* Room for "FILE:LINE: key", the longest origin of a value. */
#define SETTINGS_WHERE_SIZE 320

/* The settings as they are where nothing is said about them. */
void settings_default(struct server_options *options);

/* The keys have the numbers from 0 on, in alphabetical order. */
size_t settings_count(void);
const char *settings_key(size_t number);

/* The number of a key, settings_count() where there is none of that name. */
size_t settings_find(const char *key, size_t key_len);

/*
 * Reads one value, which must stay valid as long as options. where names its origin in messages
 * ("-p", "-o port", "FILE:LINE: port"); line is its line in options->file, 0 if it is not from
 * there. False after options_bad().
 */
bool settings_set(struct server_options *options, size_t number, const char *where,
		  const char *value, uint32_t line);

/*
 * The value as settings_set() takes it, "" where there is none. May be in buf, or in options
 * itself.
 */
const char *settings_text(const struct server_options *options, size_t number, char *buf,
			  size_t size);

/* Room for the text of a live setting: a number or a short word. */
#define SETTINGS_LIVE_SIZE 16

/* True where a new value can take effect while the server runs. */
bool settings_is_live(size_t number);

/*
 * When all have been read: fills in what follows from others, and checks what they must be
 * together. False after options_bad().
 */
bool settings_finish(struct server_options *options);

#endif
