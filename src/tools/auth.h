/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcpauth: the administrator's tool for the user database. */
#ifndef DTCP_TOOLS_AUTH_H
#define DTCP_TOOLS_AUTH_H

#include "users/users.h"

#include <stdbool.h>

/* Exit statuses, as the manual page has them. */
enum auth_status {
	AUTH_OK = 0,
	AUTH_FAILED = 1,    /* the database, the password or the output */
	AUTH_USAGE = 2,	    /* options, commands, names, prefixes that make no sense */
	AUTH_NOT_FOUND = 3, /* no such user */
	AUTH_EXISTS = 4,    /* there is such a user already */
	AUTH_OVERLAP = 5,   /* the prefix belongs to another user */
};

struct auth_options {
	const char *database;
	const char *command;
	const char *user; /* NULL for "list" */
	bool has_prefix;
	struct prefix6 prefix;
};

int auth_main(int argc, char **argv);

/* Writes one line to standard error, "dtcpauth: " before it; returns status. */
int auth_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Reads the command line. True: go on with *options. False: all is said, and *status is what to
 * exit with.
 */
bool auth_parse(int argc, char **argv, struct auth_options *options, int *status);

/*
 * Gets a password for user: asked twice at a terminal, else one line of standard input. False
 * after an error message. The caller wipes the buffer in either case.
 */
bool auth_password(const char *user, char password[static DTCP_PASSWORD_MAX + 1]);

#endif
