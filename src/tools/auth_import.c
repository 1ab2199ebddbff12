/* SPDX-License-Identifier: BSD-2-Clause */
/* "import": either all lines of all files, or nothing. */
#include "tools/auth.h"
#include "tools/auth_read.h"
#include "tools/auth_record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct auth_counts {
	size_t added;
	size_t changed;
	size_t unchanged;
};

/* --- several lines about one user --------------------------------------------------------- */

static int auth_compare(const void *a, const void *b)
{
	const struct auth_entry *one = *(struct auth_entry *const *)a;
	const struct auth_entry *two = *(struct auth_entry *const *)b;
	int order = strcmp(one->record.name, two->record.name);

	/* Merges into the earlier entry; both are in one array. */
	return order ? order : (one > two) - (one < two);
}

static void auth_join(struct auth_import *import, struct auth_entry *into, struct auth_entry *entry)
{
	struct users_record *record = &into->record;
	bool both = into->list && entry->list;

	entry->merged = true;
	/* The old server's list has one line per prefix. */
	if (record->parts & entry->record.parts & ~(both ? (unsigned int)USERS_PREFIX : 0)) {
		auth_import_bad(import, entry->file, entry->line, "user %s is in %s:%zu already",
				record->name, into->file, into->line);
		return;
	}
	/* Takes password and prefixes from whichever entry has them. */
	record->parts |= entry->record.parts;
	if (entry->record.parts & USERS_PASSWORD)
		record->password = entry->record.password;
	for (uint32_t i = 0; i < entry->record.prefixes.n; i++) {
		if (!prefix6_set_add(&record->prefixes, &entry->record.prefixes.list[i])) {
			auth_import_bad(import, entry->file, entry->line,
					"user %s: the prefix overlaps another one, or is one more "
					"than %d",
					record->name, PREFIX6_SET_MAX);
			return;
		}
	}
}

/* False after an error message. */
static bool auth_join_all(struct auth_import *import)
{
	struct auth_entry **sorted = calloc(import->count + 1, sizeof(struct auth_entry *));
	size_t first = 0;

	if (!sorted) {
		(void)auth_fail(AUTH_FAILED, "%s", strerror(ENOMEM));
		return false;
	}
	for (size_t i = 0; i < import->count; i++)
		sorted[i] = &import->entries[i];
	qsort(sorted, import->count, sizeof(struct auth_entry *), auth_compare);
	for (size_t i = 1; i < import->count; i++) {
		if (strcmp(sorted[first]->record.name, sorted[i]->record.name) != 0)
			first = i;
		else
			auth_join(import, sorted[first], sorted[i]);
	}
	free(sorted);
	return true;
}

/* --- into the database -------------------------------------------------------------------- */

/*
 * Removes the prefixes of a user who is to get others, so that users can exchange their prefixes in
 * any order.
 */
static enum users_result auth_make_room(struct users *users, struct auth_entry *entry)
{
	const struct users_record none = {.name = entry->record.name, .parts = USERS_PREFIX};
	char other[DTCP_USER_MAX + 1];
	enum users_result result;
	enum users_put did;
	struct user user;

	if (entry->merged || !(entry->record.parts & USERS_PREFIX))
		return USERS_OK;
	result = users_find(users, entry->record.name, &user);
	if (result == USERS_NOT_FOUND)
		return USERS_OK;
	if (result != USERS_OK)
		return result;
	explicit_bzero(user.password, sizeof(user.password));
	if (!user.has_fixed || prefix6_set_equal(&user.networks, &entry->record.prefixes))
		return USERS_OK;
	entry->changed = true;
	return users_put(users, &none, &did, other);
}

/* False if the database cannot be used. */
static bool auth_put(struct auth_import *import, struct users *users, struct auth_entry *entry,
		     struct auth_counts *counts)
{
	char other[DTCP_USER_MAX + 1] = "";
	char text[PREFIX6_STRLEN];
	enum users_put did;

	switch (users_put(users, &entry->record, &did, other)) {
	case USERS_OK:
		counts->added += did == USERS_ADDED;
		counts->changed += did == USERS_CHANGED || (did != USERS_ADDED && entry->changed);
		counts->unchanged += did == USERS_UNCHANGED && !entry->changed;
		return true;
	case USERS_NOT_FOUND:
		auth_import_bad(import, entry->file, entry->line,
				"there is no user %s, and no password to add one",
				entry->record.name);
		return true;
	case USERS_OVERLAP:
		auth_import_bad(
			import, entry->file, entry->line,
			"user %s: prefix %s overlaps what user %s has", entry->record.name,
			prefix6_format(auth_overlapping(users, &entry->record, other), text),
			other);
		return true;
	case USERS_EXISTS:
	case USERS_FULL:
	case USERS_NO_LEASE:
	case USERS_FAILED:
		break;
	}
	return false;
}

/* Imports all in one transaction, which is committed if all lines are good. */
static int auth_import_into(struct auth_import *import, struct users *users, bool keep,
			    struct auth_counts *counts)
{
	enum users_result result = users_together(users);
	bool good = result == USERS_OK;

	*counts = (struct auth_counts){0};
	if (!good)
		return auth_fail(AUTH_FAILED, "%s", users_error(users));
	for (size_t i = 0; i < import->count && good; i++)
		good = auth_make_room(users, &import->entries[i]) == USERS_OK;
	for (size_t i = 0; i < import->count && good; i++) {
		if (!import->entries[i].merged)
			good = auth_put(import, users, &import->entries[i], counts);
	}
	result = users_together_end(users, good && keep && import->bad == 0);
	if (!good || result != USERS_OK)
		return auth_fail(AUTH_FAILED, "%s", users_error(users));
	return import->bad > 0 ? AUTH_IMPORT : AUTH_OK;
}

/*
 * Without a database, tries the import on one in memory first, so that a failing import makes none.
 */
static int auth_import_all(const struct auth_options *options, struct auth_import *import,
			   struct auth_counts *counts)
{
	char error[PATH_MAX + 256];
	struct users *users;
	/* If nothing is imported, nothing else happens to it either. */
	enum users_result result = auth_try(options, USERS_TRY, false, &users);
	bool missing = result == USERS_NOT_FOUND;
	int status;

	if (!missing && result != USERS_OK)
		return AUTH_FAILED;
	if (missing && users_open_memory(&users, error, sizeof(error)) != USERS_OK)
		return auth_fail(AUTH_FAILED, "%s", error);
	status = auth_import_into(import, users, !options->dry_run, counts);
	users_close(users);
	if (!missing || status != AUTH_OK || options->dry_run)
		return status;
	users = auth_open(options, USERS_CREATE);
	if (!users)
		return AUTH_FAILED;
	status = auth_import_into(import, users, true, counts);
	users_close(users);
	return status;
}

int auth_import(struct auth_options *options)
{
	struct auth_import import = {.count = 0};
	struct auth_counts counts = {0};
	int status = AUTH_FAILED;

	if (auth_read(&import, options->words, (size_t)options->n_words) &&
	    auth_join_all(&import) && auth_give_up_root(options))
		status = auth_import_all(options, &import, &counts);
	if (status == AUTH_OK)
		(void)printf("%s%zu added, %zu changed, %zu unchanged\n",
			     options->dry_run ? "nothing is imported; it would be: " : "",
			     counts.added, counts.changed, counts.unchanged);
	else if (import.bad > 0)
		(void)auth_fail(status, "%zu bad line%s: nothing is imported", import.bad,
				import.bad == 1 ? "" : "s");
	auth_read_free(&import);
	return status;
}
