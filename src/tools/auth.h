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
	AUTH_NOT_FOUND = 3, /* no such user, or no such lease */
	AUTH_EXISTS = 4,    /* there is such a user already */
	AUTH_OVERLAP = 5,   /* the prefix belongs to another user */
	AUTH_IMPORT = 6,    /* a file has bad lines, and nothing was imported */
};

struct auth_options {
	const char *database;
	bool in_root;	     /* the root directory is its folder */
	const char *command; /* "add", or of two words, "lease list" */
	const char *user;    /* NULL: none was given */
	bool has_prefix;
	struct prefix6 prefix; /* of --prefix, or the lease */
	char **words;	       /* what follows the command and the user: keys, files */
	int n_words;
	const char *prefix_text; /* of --prefix, as it was given */
	const char *address;	 /* of --address, and --at; NULL: none */
	const char *at;
	bool json;
	bool passwords;
	bool dry_run;
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
 * If root is to look into a database that is another user's, or in the folder of one, it becomes
 * that user for good, with the folder as its root directory. False after an error message.
 */
bool auth_give_up_root(struct auth_options *options);

/* Puts what came of a call into words, if it was not success; other as users_add() has it. */
int auth_result(const struct auth_options *options, const struct users *users,
		enum users_result result, const char *other);

/* Opens the database; NULL after a line that says why not. */
struct users *auth_open(const struct auth_options *options, enum users_mode mode);

/* The same; that there is none is said only if there must be one. */
enum users_result auth_try(const struct auth_options *options, enum users_mode mode, bool must,
			   struct users **users);

/* Whether the user is there. */
enum users_result auth_look(struct users *users, const char *name);

/* What "lease list" and "lease drop" do. */
int auth_lease_list(const struct auth_options *options, struct users *users);
int auth_lease_drop(const struct auth_options *options, struct users *users);

/* When a user was seen who has a session, or never had one that is known. */
enum { AUTH_NOW = -1, AUTH_NEVER = -2 };

/* Rows of one kind that are collected before the first is printed: the database waits for nobody.
 * Zero at first; list is to be freed. */
struct auth_rows {
	void *list;
	size_t count;
	size_t room;
	bool failed; /* memory is short */
};

/* Appends a row of that size. False if memory is short. */
bool auth_rows_add(struct auth_rows *rows, const void *row, size_t size);

/* What collecting them came to: an exit status, after a line that says what is wrong. */
int auth_rows_result(const struct auth_options *options, const struct users *users,
		     enum users_result result, const struct auth_rows *rows);

/* Users as they were at one moment. */
struct auth_list {
	struct user *users; /* without passwords; to be freed */
	int64_t *seen;	    /* of each, AUTH_NOW, AUTH_NEVER; NULL: not looked up; to be freed */
	size_t count;
};

/* Fills a list, zero at first. Returns an exit status, after a line that says what is wrong. */
int auth_list_read(const struct auth_options *options, struct users *users, struct auth_list *list);

/* What "show", "list", "import", "export" and "history" do. */
int auth_show(const struct auth_options *options, struct users *users);
int auth_list(const struct auth_options *options, struct users *users);
int auth_import(struct auth_options *options);
int auth_history(const struct auth_options *options, struct users *users);
int auth_export(const struct auth_options *options, struct users *users);

/* Room for a time as auth_time() writes it, whatever the year. */
#define AUTH_TIME_SIZE 40

/* One word, so that columns can be cut apart: 2025-01-31T18:00:00Z. Returns buf. */
const char *auth_time(int64_t seconds, char buf[static AUTH_TIME_SIZE]);

/* The same for when an account expires: the last day of it, or a time, or "never". */
const char *auth_expiry(int64_t seconds, char buf[static AUTH_TIME_SIZE]);

/* Seconds since 1970; last belongs to it. */
struct auth_span {
	int64_t first;
	int64_t last;
};

/*
 * Reads 2025-01-31, which is all of that day, or 2025-01-31T18:00[:00], which is one moment, in UTC
 * or with another zone behind it, as +01:00.
 */
bool auth_time_parse(const char *text, struct auth_span *span);

/* The wider of a column and a text in it. */
int auth_widest(int width, const char *text);

/*
 * Gets a password for user: asked twice at a terminal, else one line of standard input. False
 * after an error message. The caller wipes the buffer in either case.
 */
bool auth_password(const char *user, char password[static DTCP_PASSWORD_MAX + 1]);

#endif
