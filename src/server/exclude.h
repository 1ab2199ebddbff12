/* SPDX-License-Identifier: BSD-2-Clause */
/* host.exclude, network.fixed: addresses and prefixes in one text, with commas or blanks between
 * them. */
#ifndef DTCP_SERVER_EXCLUDE_H
#define DTCP_SERVER_EXCLUDE_H

#include "proto/prefix.h"

/* A list with more is not taken. */
#define EXCLUDE_MAX 64

/*
 * Reads the next one and moves *text behind it; an address is a /128. PREFIX_OK with length 0:
 * there is none any more. word gets it as it is written.
 */
enum prefix_error exclude_next(const char **text, struct prefix6 *out,
			       char word[static PREFIX6_STRLEN]);

#endif
