/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of options.h. Private to client/options*.c and settings.c. */
#ifndef DTCP_CLIENT_OPTIONS_PARTS_H
#define DTCP_CLIENT_OPTIONS_PARTS_H

#include "client/options.h"

#include <stdbool.h>

/* What --help prints: every option, in groups. */
extern const char options_help[];

/* RFC 1035 */
enum { CLIENT_SERVER_NAME_MAX = 253 };

/*
 * Each parses the value of the setting of its name into the options; where is its origin, for
 * messages. False after options_bad().
 */
bool options_address(void *options, const char *where, const char *text);
bool options_route(void *options, const char *where, const char *text);
bool options_table(void *options, const char *where, const char *text);
bool options_lan(void *options, const char *where, const char *text);
bool options_lan_dns(void *options, const char *where, const char *text);
bool options_lan_open(void *options, const char *where, const char *text);

/* Sets a list of servers, which replaces earlier ones. */
bool options_servers(void *options, const char *where, const char *text);

/* Adds a server; name must stay valid. */
bool options_server(struct client_options *options, const char *where, const char *name);

/* Calls take() for each word of a comma-separated list, until it returns false. */
bool options_each_word(struct client_options *options, const char *where, const char *text,
		       bool (*take)(struct client_options *options, const char *where,
				    const char *word));

/* Checks the options of --lan together with the others. False after options_bad(). */
bool options_lan_check(const struct client_options *options);

/*
 * Called when all settings have been read: sets those that follow from others, and checks their
 * combination. False after options_bad().
 */
bool client_settings_finish(struct client_options *options);

#endif
