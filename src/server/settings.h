/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of dtcps's settings, whose values are in struct server_options. */
#ifndef DTCP_SERVER_SETTINGS_H
#define DTCP_SERVER_SETTINGS_H

#include "base/settings.h"
#include "server/options.h"

#include <stdbool.h>

extern const struct settings server_settings;

/* --user, which has no letter. */
enum { SERVER_OPTION_USER = OPTION_OTHER };

/* Size of the text of a live setting: a number or a short word. */
#define SERVER_SETTING_LIVE_SIZE 16

/*
 * When all have been read: fills in what follows from others, and checks what they must be
 * together. False after options_bad().
 */
bool server_settings_finish(struct server_options *options);

#endif
