/* SPDX-License-Identifier: BSD-2-Clause */
/* The password file: lines server:user:password. dtcpclient(8), FILES. */
#ifndef DTCP_CLIENT_AUTHFILE_H
#define DTCP_CLIENT_AUTHFILE_H

#include "proto/message.h"

#include <stdbool.h>

enum authfile_result {
	AUTHFILE_FOUND,
	AUTHFILE_NO_ENTRY, /* no such line, or no such file */
	AUTHFILE_FAILED,   /* the file is there but cannot be read; has been logged */
};

/*
 * Looks for the first line of server and user; the server's name is compared without regard to
 * case. Lines that cannot be understood are logged with file and number and passed over; a file
 * that others can read is logged too. The caller wipes password.
 */
enum authfile_result authfile_find(const char *path, const char *server, const char *user,
				   char password[static DTCP_PASSWORD_MAX + 1]);

#endif
