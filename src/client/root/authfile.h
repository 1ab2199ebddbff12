/* SPDX-License-Identifier: BSD-2-Clause */
/* The password file: lines server:user:password. dtcpclient(8), FILES. */
#ifndef DTCP_CLIENT_ROOT_AUTHFILE_H
#define DTCP_CLIENT_ROOT_AUTHFILE_H

#include "proto/message.h"

#include <stdbool.h>
#include <stddef.h>

enum authfile_result {
	AUTHFILE_FOUND,	   /* each of them */
	AUTHFILE_NO_ENTRY, /* no such line for one of them */
	AUTHFILE_NO_FILE,
	AUTHFILE_FAILED, /* the file is there but cannot be read; has been logged */
};

struct authfile_entry {
	const char *server;
	char *password; /* room for DTCP_PASSWORD_MAX + 1; the caller wipes it */
	bool found;
};

/*
 * Looks for the first line of each server and user; servers' names are compared without regard to
 * case. Lines that cannot be understood are logged with file and number and passed over; a file
 * that others can read is logged too.
 */
enum authfile_result authfile_find(const char *path, const char *user,
				   struct authfile_entry entries[], size_t n_entries);

#endif
