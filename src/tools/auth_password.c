/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads passwords; never from the command line, which all users of the machine can see. */
#include "tools/auth.h"

#include "base/text.h"

#include <errno.h>
#include <readpassphrase.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One byte more than the longest password, so that a longer one is detected. */
#define ENTRY_SIZE (DTCP_PASSWORD_MAX + 2)

/* Checks a password; false after an error message. */
static bool auth_password_check(const char *entry)
{
	size_t len = strlen(entry);

	if (len == 0)
		(void)auth_fail(AUTH_FAILED, "the password is empty");
	else if (len > DTCP_PASSWORD_MAX)
		(void)auth_fail(AUTH_FAILED, "the password is longer than %d bytes",
				DTCP_PASSWORD_MAX);
	else if (!dtcp_password_valid(entry))
		(void)auth_fail(AUTH_FAILED, "the password has a control character");
	else
		return true;
	return false;
}

static bool auth_password_ask(const char *user, char entry[static ENTRY_SIZE])
{
	char again[ENTRY_SIZE];
	char prompt[DTCP_USER_MAX + 64];
	bool good = false;

	(void)snprintf(prompt, sizeof(prompt), "New password for %s: ", user);
	if (!readpassphrase(prompt, entry, ENTRY_SIZE, RPP_ECHO_OFF)) {
		(void)auth_fail(AUTH_FAILED, "terminal: %s", strerror(errno));
		return false;
	}
	if (!auth_password_check(entry))
		return false;
	(void)snprintf(prompt, sizeof(prompt), "The same again: ");
	if (!readpassphrase(prompt, again, sizeof(again), RPP_ECHO_OFF))
		(void)auth_fail(AUTH_FAILED, "terminal: %s", strerror(errno));
	else if (strcmp(entry, again) != 0)
		(void)auth_fail(AUTH_FAILED, "the two passwords are not the same");
	else
		good = true;
	explicit_bzero(again, sizeof(again));
	return good;
}

/*
 * Reads up to the end of the line, byte by byte: nothing behind the line is consumed from another
 * reader of this input, and no copy stays in a buffer of stdio.
 */
static bool auth_password_read(char entry[static ENTRY_SIZE])
{
	size_t len = 0;
	ssize_t got;
	char byte;
	bool ended = false;

	/* CR and LF are not part of the password, so there is room for one byte more. */
	while (!ended && len < ENTRY_SIZE) {
		do
			got = read(STDIN_FILENO, &byte, 1);
		while (got == -1 && errno == EINTR);
		if (got == -1) {
			(void)auth_fail(AUTH_FAILED, "standard input: %s", strerror(errno));
			return false;
		}
		if (got == 0)
			break;
		ended = byte == '\n';
		if (!ended)
			entry[len++] = byte;
		/* Some editors begin a file with a byte order mark. */
		if (len == TEXT_MARK_LEN && text_has_mark(entry, len))
			len = 0;
	}
	explicit_bzero(&byte, sizeof(byte));
	if (len == 0 && !ended) {
		(void)auth_fail(AUTH_FAILED, "no password on standard input");
		return false;
	}
	if (ended && len > 0 && entry[len - 1] == '\r')
		len--;
	if (memchr(entry, '\0', len)) {
		(void)auth_fail(AUTH_FAILED, text_is_utf16(entry, len)
						     ? "the password is in UTF-16; save it as UTF-8"
						     : "the password has a NUL character");
		return false;
	}
	/* Buffer full: too long, which the first bytes suffice to tell. */
	entry[len < ENTRY_SIZE ? len : ENTRY_SIZE - 1] = '\0';
	return auth_password_check(entry);
}

bool auth_password(const char *user, char password[static DTCP_PASSWORD_MAX + 1])
{
	char entry[ENTRY_SIZE];
	bool good;

	good = isatty(STDIN_FILENO) ? auth_password_ask(user, entry) : auth_password_read(entry);
	if (good)
		memcpy(password, entry, strlen(entry) + 1);
	explicit_bzero(entry, sizeof(entry));
	return good;
}
