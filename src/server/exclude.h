/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of addresses and prefixes, separated by commas or blanks: host.exclude, network.fixed. */
#ifndef DTCP_SERVER_EXCLUDE_H
#define DTCP_SERVER_EXCLUDE_H

#include "proto/prefix.h"

/* Largest number of entries in a list. */
#define EXCLUDE_MAX 64

/*
 * Parses the next entry and advances *text past it; an address is a /128. At the end of the list it
 * returns PREFIX_OK with length 0. word gets the entry as written.
 */
enum prefix_error exclude_next(const char **text, struct prefix6 *out,
			       char word[static PREFIX6_STRLEN]);

#endif
