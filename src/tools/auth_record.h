/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts as text: the key=value arguments of "set", and the columns of files. */
#ifndef DTCP_TOOLS_AUTH_RECORD_H
#define DTCP_TOOLS_AUTH_RECORD_H

#include "users/users.h"

/* The names of the keys, for messages. */
#define AUTH_KEYS "prefix, types, transports, expires, disabled and note"

/* Sizes of the reason why a value is invalid, and of a value as text. */
enum { AUTH_WHY_SIZE = 400, AUTH_VALUE_SIZE = PREFIX6_SET_MAX * (PREFIX6_STRLEN + 1) };

_Static_assert(AUTH_VALUE_SIZE > USERS_NOTE_MAX, "a note is a value as well");

/* Tables of words for bits; the last one has no name. */
struct auth_word {
	const char *name;
	unsigned int bit;
};
extern const struct auth_word auth_types[];
extern const struct auth_word auth_transports[];

/*
 * Parses a prefix that can be fixed for a user. False if it is invalid, with why, a sentence
 * without its full stop.
 */
bool auth_prefix_check(const char *text, struct prefix6 *prefix, char why[static AUTH_WHY_SIZE]);

/* Prefixes with commas between them. Returns buf. */
const char *auth_prefixes_write(const struct prefix6_set *prefixes,
				char buf[static AUTH_VALUE_SIZE]);

/* The prefix of a record that overlaps one of user other. */
const struct prefix6 *auth_overlapping(struct users *users, const struct users_record *record,
				       const char *other);

/* The number of keys, and their names in the order of columns. */
size_t auth_keys(void);
const char *auth_key(size_t key);

/* The index of the key with that name, len bytes long; auth_keys(): none. */
size_t auth_key_find(const char *name, size_t len);

/*
 * Sets a value of a record; of a note only the pointer is stored. False if it is invalid, with why,
 * a sentence without its full stop.
 */
bool auth_key_read(size_t key, const char *value, struct users_record *record,
		   char why[static AUTH_WHY_SIZE]);

/* The value as text for auth_key_read(); only fixed prefixes. Returns buf. */
const char *auth_key_write(size_t key, const struct user *user, char buf[static AUTH_VALUE_SIZE]);

/* The names of the bits, separated by commas; "any" for 0. Returns buf. */
const char *auth_words_write(const struct auth_word *words, unsigned int bits,
			     char buf[static AUTH_VALUE_SIZE]);

#endif
