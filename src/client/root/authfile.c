/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/authfile.h"

#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Longest useful line: a host name, a user and a password with separators. */
enum { AUTHFILE_LINE_MAX = 256 + DTCP_USER_MAX + DTCP_PASSWORD_MAX + 4 };

/*
 * Reads one line without its end, and without a byte order mark, which can also be in the middle of
 * a file if files were concatenated. Returns its length, which is more than AUTHFILE_LINE_MAX for a
 * truncated one, or -1 at the end of the file.
 */
static int authfile_line(FILE *file, char line[static AUTHFILE_LINE_MAX + 1])
{
	int len = 0;
	int c;

	while ((c = getc(file)) != EOF && c != '\n') {
		if (len < AUTHFILE_LINE_MAX)
			line[len] = (char)c;
		if (len <= AUTHFILE_LINE_MAX)
			len++;
		if (len == TEXT_MARK_LEN && text_has_mark(line, TEXT_MARK_LEN))
			len = 0;
	}
	if (c == EOF && len == 0)
		return -1;
	line[len < AUTHFILE_LINE_MAX ? len : AUTHFILE_LINE_MAX] = '\0';
	return len;
}

/* Splits a line at its first two colons. Returns an error text, or NULL. */
static const char *authfile_split(char *line, int len, char *fields[static 3])
{
	if (len > AUTHFILE_LINE_MAX)
		return "line too long";
	if ((size_t)len != strlen(line))
		return "NUL byte in the line";
	for (int i = 0; i < 2; i++) {
		fields[i] = strsep(&line, ":");
		if (!line)
			return "not server:user:password";
	}
	fields[2] = line;
	if (fields[0][0] == '\0')
		return "the server is missing";
	if (!dtcp_user_valid(fields[1]))
		return "the user name is missing or cannot be one";
	if (!dtcp_password_valid(fields[2]))
		return "the password is missing, too long or has control characters";
	return NULL;
}

/* Whether a line is "server:port:user:password", with one of the servers and this user. */
static bool authfile_has_port(char *const fields[static 3], const char *user,
			      const struct authfile_entry entries[], size_t n_entries)
{
	size_t len = strlen(user);
	const char *error = NULL;

	(void)strtonum(fields[1], 1, UINT16_MAX, &error);
	if (error || strcmp(fields[1], user) == 0 || strncmp(fields[2], user, len) != 0 ||
	    fields[2][len] != ':')
		return false;
	for (size_t i = 0; i < n_entries; i++) {
		if (strcasecmp(fields[0], entries[i].server) == 0)
			return true;
	}
	return false;
}

/* Uses a line's password for the servers for which it is the first. Returns their number. */
static size_t authfile_take(char *const fields[static 3], const char *user,
			    struct authfile_entry entries[], size_t n_entries)
{
	size_t count = 0;

	for (size_t i = 0; i < n_entries; i++) {
		struct authfile_entry *entry = &entries[i];

		if (entry->found || strcasecmp(fields[0], entry->server) != 0 ||
		    strcmp(fields[1], user) != 0)
			continue;
		(void)strlcpy(entry->password, fields[2], DTCP_PASSWORD_MAX + 1);
		entry->found = true;
		count++;
	}
	return count;
}

enum authfile_result authfile_find(const char *path, const char *user,
				   struct authfile_entry entries[], size_t n_entries)
{
	enum authfile_result result = AUTHFILE_NO_ENTRY;
	size_t missing = n_entries;
	char line[AUTHFILE_LINE_MAX + 1];
	FILE *file = fopen(path, "re");
	struct stat status;
	int len;

	if (!file) {
		if (errno == ENOENT)
			return AUTHFILE_NO_FILE;
		log_warn("cannot read %s", path);
		return AUTHFILE_FAILED;
	}
	/* Unbuffered, so that no copy of the passwords is left in the heap. */
	(void)setvbuf(file, NULL, _IONBF, 0);
	if (fstat(fileno(file), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)))
		log_warnx("%s: others can read the passwords in it; chmod 600 is what it needs",
			  path);
	for (unsigned int number = 1; result == AUTHFILE_NO_ENTRY; number++) {
		char *fields[3];
		const char *wrong;

		len = authfile_line(file, line);
		if (len < 0)
			break;
		if (number == 1 && text_is_utf16(line, (size_t)len)) {
			log_warnx("%s: its text is in UTF-16; save it as UTF-8", path);
			result = AUTHFILE_FAILED;
			break;
		}
		/* Lines may end with CRLF. */
		if (len > 0 && len <= AUTHFILE_LINE_MAX && line[len - 1] == '\r')
			line[--len] = '\0';
		if (len == 0 || line[0] == '#')
			continue;
		wrong = authfile_split(line, len, fields);
		if (!wrong && authfile_has_port(fields, user, entries, n_entries))
			wrong = "no port belongs there: server:user:password";
		if (wrong)
			log_warnx("%s:%u: %s; line ignored", path, number, wrong);
		else
			missing -= authfile_take(fields, user, entries, n_entries);
		if (missing == 0)
			result = AUTHFILE_FOUND;
	}
	if (ferror(file)) {
		log_warn("cannot read %s", path);
		result = AUTHFILE_FAILED;
	}
	(void)fclose(file);
	explicit_bzero(line, sizeof(line));
	return result;
}
