/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcpauth: the administrator's tool for the user database. */
#ifndef DTCP_TOOLS_AUTH_H
#define DTCP_TOOLS_AUTH_H

#include "users/users.h"

#include <stdbool.h>

/* Exit statuses, as in the manual page. */
enum auth_status {
	AUTH_OK = 0,
	AUTH_FAILED = 1,    /* the database, the password or the output */
	AUTH_USAGE = 2,	    /* invalid options, commands, names or prefixes */
	AUTH_NOT_FOUND = 3, /* no such user, or no such lease */
	AUTH_EXISTS = 4,    /* the user exists already */
	AUTH_OVERLAP = 5,   /* the prefix belongs to another user */
	AUTH_IMPORT = 6,    /* a file has bad lines, and nothing was imported */
};

struct auth_options {
	const char *database;
	bool in_root;	     /* the root directory is its folder */
	const char *command; /* "add", or two words, "lease list" */
	const char *user;    /* NULL: none */
	bool has_prefix;
	struct prefix6 prefix; /* of --prefix, or the lease */
	char **words;	       /* arguments after the command and the user: keys, files */
	int n_words;
	const char *prefix_text; /* of --prefix, as given */
	const char *address;	 /* of --address, and --at; NULL: none */
	const char *at;
	bool json;
	bool passwords;
	bool dry_run;
};

int auth_main(int argc, char **argv);

/* Writes one line to standard error, prefixed by "dtcpauth: "; returns status. */
int auth_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Parses the command line. True: continue with *options. False: everything is done, and *status is
 * the exit status.
 */
bool auth_parse(int argc, char **argv, struct auth_options *options, int *status);

/*
 * If the database or its folder belongs to another user, root becomes that user permanently, with
 * the * folder as its root directory. False after an error message.
 */
bool auth_give_up_root(struct auth_options *options);

/* Prints the error of a call, if it failed; other as from users_add(). Returns an exit status. */
int auth_result(const struct auth_options *options, const struct users *users,
		enum users_result result, const char *other);

/* Opens the database; NULL after an error message. */
struct users *auth_open(const struct auth_options *options, enum users_mode mode);

/* The same; a missing database is reported only if must. */
enum users_result auth_try(const struct auth_options *options, enum users_mode mode, bool must,
			   struct users **users);

/* Whether the user exists. */
enum users_result auth_look(struct users *users, const char *name);

/* The commands "lease list" and "lease drop". */
int auth_lease_list(const struct auth_options *options, struct users *users);
int auth_lease_drop(const struct auth_options *options, struct users *users);

/* Values of seen for a user who has a session now, and who never had a recorded one. */
enum { AUTH_NOW = -1, AUTH_NEVER = -2 };

/*
 * Rows that are collected before the first is printed, so that the database is not locked by a slow
 * reader. Zero at first; the caller frees list.
 */
struct auth_rows {
	void *list;
	size_t count;
	size_t room;
	bool failed; /* memory is short */
};

/* Appends a row of that size. False if memory is short. */
bool auth_rows_add(struct auth_rows *rows, const void *row, size_t size);

/* The result of collecting rows: an exit status, after an error message. */
int auth_rows_result(const struct auth_options *options, const struct users *users,
		     enum users_result result, const struct auth_rows *rows);

/* A list of users, read at once, so that the database is not locked while it is printed. */
struct auth_list {
	struct user *users; /* without passwords; to be freed */
	int64_t *seen;	    /* last session of each; NULL: not looked up; to be freed */
	size_t count;
};

/* Fills a list, zero at first. Returns an exit status, after an error message. */
int auth_list_read(const struct auth_options *options, struct users *users, struct auth_list *list);

/* The commands "show", "list", "import", "export" and "history". */
int auth_show(const struct auth_options *options, struct users *users);
int auth_list(const struct auth_options *options, struct users *users);
int auth_import(struct auth_options *options);
int auth_history(const struct auth_options *options, struct users *users);
int auth_export(const struct auth_options *options, struct users *users);

/* Size of a time from auth_time(), for any year. */
#define AUTH_TIME_SIZE 40

/* Formats a time as one word: 2025-01-31T18:00:00Z. Returns buf. */
const char *auth_time(int64_t seconds, char buf[static AUTH_TIME_SIZE]);

/* The same for the expiry of an account: its last day, or a time, or "never". */
const char *auth_expiry(int64_t seconds, char buf[static AUTH_TIME_SIZE]);

/* Seconds since 1970; includes last. */
struct auth_span {
	int64_t first;
	int64_t last;
};

/*
 * Parses 2025-01-31, which is that whole day, or 2025-01-31T18:00[:00], which is one moment, in UTC
 * or followed by another zone, as +01:00.
 */
bool auth_time_parse(const char *text, struct auth_span *span);

/* The larger of a column's width and that of a text in it. */
int auth_widest(int width, const char *text);

/*
 * Gets a password for user: asked for twice at a terminal, otherwise one line of standard input.
 * False after an error message. The caller wipes the buffer in either case.
 */
bool auth_password(const char *user, char password[static DTCP_PASSWORD_MAX + 1]);

#endif
