/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/auth_read.h"

#include "base/text.h"
#include "tools/auth.h"
#include "tools/auth_csv.h"
#include "tools/auth_record.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Much more than all users of a server need. */
enum { AUTH_FILE_MAX = 256 << 20 };

#define BLANKS " \t"

void auth_import_bad(struct auth_import *import, const char *file, size_t line, const char *format,
		     ...)
{
	char text[AUTH_WHY_SIZE + 100];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	(void)auth_fail(AUTH_IMPORT, "%s:%zu: %s", file, line, text);
	import->bad++;
}

/* --- lines -------------------------------------------------------------------------------- */

/* How the hashes in password files begin, which might be mistaken for passwords. */
static const char *auth_hash(const char *password)
{
	static const char *const begins[] = {
		"$apr1$", "$1$",   "$2a$",   "$2b$",	"$2y$",	    "$5$",	"$6$",
		"$7$",	  "$y$",   "$gy$",   "$argon2", "$sha1$",   "$scrypt$", "{SHA}",
		"{SSHA}", "{MD5}", "{SMD5}", "{CRYPT}", "{SHA256}", "{SHA512}",
	};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		if (strncasecmp(password, begins[i], strlen(begins[i])) == 0)
			return begins[i];
	}
	return NULL;
}

/* "realm:" and an MD5 digest, as htdigest writes it. */
static bool auth_is_htdigest(const char *password)
{
	const char *digest = strrchr(password, ':');

	return digest && strlen(digest + 1) == 32 && strspn(digest + 1, "0123456789abcdef") == 32;
}

/* Makes a new entry for a user; NULL after an error message. */
static struct auth_entry *auth_entry_add(struct auth_import *import, const char *file, size_t line,
					 const char *user)
{
	struct auth_entry *entry = &import->entries[import->count];

	if (!dtcp_user_valid(user)) {
		auth_import_bad(import, file, line,
				"not a possible user name: it has 1 to %d printable ASCII "
				"characters, no blank and no colon",
				DTCP_USER_MAX);
		return NULL;
	}
	*entry = (struct auth_entry){.record.name = user, .file = file, .line = line};
	import->count++;
	return entry;
}

static bool auth_entry_password(struct auth_import *import, struct auth_entry *entry,
				const char *password)
{
	const char *user = entry->record.name;
	const char *hash = auth_hash(password);

	if (!hash && auth_is_htdigest(password))
		hash = "htdigest";
	if (hash)
		auth_import_bad(import, entry->file, entry->line,
				"user %s has a hash (%s) in place of the password, which the "
				"login's digest needs as it is",
				user, hash);
	else if (!dtcp_password_valid(password))
		auth_import_bad(import, entry->file, entry->line,
				"user %s: a password has 1 to %d bytes and no control characters",
				user, DTCP_PASSWORD_MAX);
	else
		entry->record.parts |= USERS_PASSWORD;
	entry->record.password = password;
	return entry->record.parts & USERS_PASSWORD;
}

static bool auth_entry_key(struct auth_import *import, struct auth_entry *entry, size_t key,
			   const char *value)
{
	char why[AUTH_WHY_SIZE];

	if (auth_key_read(key, value, &entry->record, why))
		return true;
	auth_import_bad(import, entry->file, entry->line, "user %s: %s", entry->record.name, why);
	return false;
}

/* --- the old server's lists --------------------------------------------------------------- */

/* "user:password" or "user prefix": the first colon or blank decides. */
static void auth_read_line(struct auth_import *import, const char *file, size_t line, char *text)
{
	size_t len = strcspn(text, BLANKS ":");
	bool route = text[len] != ':';
	struct auth_entry *entry;
	bool good;
	char *rest;

	if (text[len] == '\0') {
		auth_import_bad(import, file, line,
				"neither user:password nor a user and a prefix");
		return;
	}
	text[len] = '\0';
	rest = text + len + 1;
	entry = auth_entry_add(import, file, line, text);
	if (!entry)
		return;
	entry->list = true;
	if (route) {
		rest += strspn(rest, BLANKS);
		len = strcspn(rest, BLANKS);
		good = rest[len + strspn(rest + len, BLANKS)] == '\0';
		rest[len] = '\0';
		if (!good)
			auth_import_bad(import, file, line,
					"user %s: more than a prefix behind the user", text);
		else
			good = auth_entry_key(import, entry,
					      auth_key_find("prefix", strlen("prefix")), rest);
	} else {
		good = auth_entry_password(import, entry, rest);
	}
	import->count -= !good;
}

static void auth_read_list(struct auth_import *import, const char *file, char *text)
{
	for (size_t line = 1; *text; line++) {
		char *end = text + strcspn(text, "\n");
		char *next = *end ? end + 1 : end;

		if (end > text && end[-1] == '\r')
			end--;
		*end = '\0';
		if (*text != '#' && text[strspn(text, BLANKS)] != '\0')
			auth_read_line(import, file, line, text);
		text = next;
	}
}

/* --- tables ------------------------------------------------------------------------------- */

enum { COLUMN_USER = 100, COLUMN_PASSWORD };

/* What each column contains: a key, or one of the two above. */
struct auth_table {
	size_t count;
	size_t columns[AUTH_CSV_CELLS];
};

static bool auth_read_header(struct auth_import *import, const char *file,
			     const struct auth_csv *csv, struct auth_table *table)
{
	bool good = true;

	table->count = csv->count;
	for (size_t i = 0; i < csv->count; i++) {
		const char *cell = csv->cells[i];
		size_t column = auth_key_find(cell, strlen(cell));

		if (strcmp(cell, "user") == 0)
			column = COLUMN_USER;
		else if (strcmp(cell, "password") == 0)
			column = COLUMN_PASSWORD;
		if (column == auth_keys()) {
			auth_import_bad(import, file, csv->row_line,
					"no column \"%.64s\"; there are user, password, " AUTH_KEYS,
					cell);
			good = false;
		}
		for (size_t other = 0; other < i; other++) {
			if (table->columns[other] != column || column == auth_keys())
				continue;
			auth_import_bad(import, file, csv->row_line, "two columns \"%s\"", cell);
			good = false;
		}
		table->columns[i] = column;
	}
	return good;
}

static void auth_read_row(struct auth_import *import, const char *file, const struct auth_csv *csv,
			  const struct auth_table *table)
{
	struct auth_entry *entry = NULL;
	bool good = true;

	if (csv->count != table->count) {
		auth_import_bad(import, file, csv->row_line, "%zu cells, and the header has %zu",
				csv->count, table->count);
		return;
	}
	for (size_t i = 0; i < csv->count; i++) {
		if (table->columns[i] == COLUMN_USER)
			entry = auth_entry_add(import, file, csv->row_line, csv->cells[i]);
	}
	for (size_t i = 0; entry && i < csv->count; i++) {
		size_t column = table->columns[i];

		/* An empty cell keeps the present password. */
		if (column == COLUMN_USER || (column == COLUMN_PASSWORD && !*csv->cells[i]))
			continue;
		if (column == COLUMN_PASSWORD)
			good &= auth_entry_password(import, entry, csv->cells[i]);
		else
			good &= auth_entry_key(import, entry, column, csv->cells[i]);
	}
	if (entry && !good)
		import->count--;
}

static void auth_read_table(struct auth_import *import, const char *file, char *text)
{
	struct auth_csv csv = {.next = text, .line = 1};
	struct auth_table table = {.count = 0};
	enum auth_csv_result result;
	const char *why = NULL;
	bool good = true;

	while (good && (result = auth_csv_read(&csv, &why)) != AUTH_CSV_END) {
		if (result == AUTH_CSV_BAD)
			auth_import_bad(import, file, csv.row_line, "%s", why);
		else if (table.count > 0)
			auth_read_row(import, file, &csv, &table);
		/* Without a header the rest has no meaning. */
		if (table.count == 0)
			good = result == AUTH_CSV_ROW &&
			       auth_read_header(import, file, &csv, &table);
	}
}

/* True if the first line is a header with a cell "user"; a list's line would have a colon. */
static bool auth_is_table(const char *text)
{
	size_t len;

	text += strspn(text, "\r\n");
	len = strcspn(text, "\r\n");
	if (memchr(text, ':', len))
		return false;
	for (const char *end = text + len; text <= end; text += strcspn(text, ",\r\n") + 1) {
		size_t cell = strcspn(text, ",\r\n");

		if ((cell == 4 && strncmp(text, "user", 4) == 0) ||
		    (cell == 6 && strncmp(text, "\"user\"", 6) == 0))
			return true;
	}
	return false;
}

/* --- files -------------------------------------------------------------------------------- */

/* Doubles the buffer, and wipes the old one. Returns 0 or an errno value. */
static int auth_read_grow(struct auth_file *file, size_t *room)
{
	char *text;

	if (2 * *room > AUTH_FILE_MAX)
		return EFBIG;
	text = malloc(2 * *room);
	if (!text)
		return ENOMEM;
	memcpy(text, file->text, file->size);
	freezero(file->text, file->size);
	file->text = text;
	*room *= 2;
	return 0;
}

/* Reads a whole file, and appends a NUL. False after an error message. */
static bool auth_read_file(struct auth_file *file)
{
	FILE *in = strcmp(file->name, "-") == 0 ? stdin : fopen(file->name, "re");
	size_t room = 1 << 16;
	int error = 0;

	if (!in) {
		(void)auth_fail(AUTH_FAILED, "%s: %s", file->name, strerror(errno));
		return false;
	}
	(void)setvbuf(in, NULL, _IONBF, 0);
	file->text = malloc(room);
	if (!file->text)
		error = ENOMEM;
	for (size_t got = 1; got > 0 && error == 0; file->size += got) {
		if (room - file->size < 2)
			error = auth_read_grow(file, &room);
		errno = 0;
		got = error ? 0 : fread(file->text + file->size, 1, room - file->size - 1, in);
		if (got == 0 && ferror(in))
			error = errno ? errno : EIO;
	}
	if (in != stdin)
		(void)fclose(in);
	if (file->text)
		file->text[file->size] = '\0';
	if (error)
		(void)auth_fail(AUTH_FAILED, "%s: %s", file->name, strerror(error));
	return error == 0;
}

/* The number of the first line if that is neither a header nor of a list, whose lines have a colon,
 * but looks like the beginning of a table; else 0. */
static size_t auth_other_table(const char *text)
{
	size_t line = 1, len;

	for (; *text == '\r' || *text == '\n'; text++)
		line += *text == '\n';
	len = strcspn(text, "\r\n");
	if (*text == '#' || memchr(text, ':', len) || strcspn(text, ",;\t") >= len)
		return 0;
	return line;
}

static void auth_read_text(struct auth_import *import, const struct auth_file *file)
{
	char *text = file->text;
	size_t other;

	if (text_is_utf16(text, file->size)) {
		auth_import_bad(import, file->name, 1, "the file is in UTF-16; save it as UTF-8");
		return;
	}
	if (strlen(text) < file->size) {
		auth_import_bad(import, file->name, 1, "the file has a NUL character");
		return;
	}
	if (text_has_mark(text, file->size))
		text += TEXT_MARK_LEN;
	if (auth_is_table(text))
		auth_read_table(import, file->name, text);
	else if ((other = auth_other_table(text)) > 0)
		/* Reported once for a table of another format, which may have thousands of lines.
		 */
		auth_import_bad(
			import, file->name, other,
			"neither user:password nor a user and a prefix, nor the header of a "
			"table: names of columns, user among them, with commas between them");
	else
		auth_read_list(import, file->name, text);
}

bool auth_read(struct auth_import *import, char **names, size_t n_names)
{
	size_t lines = 0;

	import->files = calloc(n_names, sizeof(*import->files));
	if (!import->files)
		goto no_memory;
	for (; import->n_files < n_names; lines++) {
		struct auth_file *file = &import->files[import->n_files++];

		file->name = names[import->n_files - 1];
		if (!auth_read_file(file))
			return false;
		for (const char *c = file->text; (c = strchr(c, '\n')); c++)
			lines++;
	}
	import->entries = calloc(lines + 1, sizeof(*import->entries));
	if (!import->entries)
		goto no_memory;
	for (size_t i = 0; i < n_names; i++) {
		if (import->files[i].text)
			auth_read_text(import, &import->files[i]);
	}
	return true;
no_memory:
	(void)auth_fail(AUTH_FAILED, "%s", strerror(ENOMEM));
	return false;
}

void auth_read_free(struct auth_import *import)
{
	for (size_t i = 0; i < import->n_files; i++)
		freezero(import->files[i].text, import->files[i].size);
	free(import->files);
	free(import->entries);
}
