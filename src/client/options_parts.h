/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of options.h. Private to client/options*.c. */
#ifndef DTCP_CLIENT_OPTIONS_PARTS_H
#define DTCP_CLIENT_OPTIONS_PARTS_H

#include "client/options.h"

#include <stdbool.h>

/* What --help prints: every option, in groups. */
extern const char options_help[];

/* Each takes the value of the option of its name; false after options_bad(). */
bool options_route(struct client_options *options, const char *text);
bool options_table(struct client_options *options, const char *text);
bool options_lan(struct client_lan *lan, const char *text);
bool options_lan_dns(struct client_lan *lan, const char *text);
bool options_lan_firewall(struct client_lan *lan, const char *text);
bool options_lan_open(struct client_lan *lan, const char *text);

/* What those of --lan must be together with the others. False after options_bad(). */
bool options_lan_check(const struct client_options *options);

#endif
