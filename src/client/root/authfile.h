/* SPDX-License-Identifier: BSD-2-Clause */
/* The password file: lines server:user:password. dtcpclient(8), FILES. */
#ifndef DTCP_CLIENT_ROOT_AUTHFILE_H
#define DTCP_CLIENT_ROOT_AUTHFILE_H

#include "proto/message.h"

#include <stdbool.h>
#include <stddef.h>

enum authfile_result {
	AUTHFILE_FOUND,	   /* all of them */
	AUTHFILE_NO_ENTRY, /* no line for one of them */
	AUTHFILE_NO_FILE,
	AUTHFILE_FAILED, /* the file exists but cannot be read; logged */
};

struct authfile_entry {
	const char *server;
	char *password; /* DTCP_PASSWORD_MAX + 1 bytes; the caller wipes it */
	bool found;
};

/*
 * Finds the first line for each server and the user; server names are compared without regard to
 * case. Malformed lines are logged with file and number and skipped; a file that others can read is
 * logged, too.
 */
enum authfile_result authfile_find(const char *path, const char *user,
				   struct authfile_entry entries[], size_t n_entries);

#endif
