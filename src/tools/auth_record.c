/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/auth_record.h"

#include "base/text.h"
#include "tools/auth.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct auth_word auth_types[] = {
	{"tunnelonly", 1U << TUNNEL_ONLY},
	{"host", 1U << TUNNEL_HOST},
	{"network", 1U << TUNNEL_NETWORK},
	{NULL, 0},
};
const struct auth_word auth_transports[] = {
	{"ipv6", USERS_PROTO41},
	{"udp", USERS_UDP},
	{NULL, 0},
};

static bool __attribute__((format(printf, 2, 3)))
auth_why(char why[static AUTH_WHY_SIZE], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, AUTH_WHY_SIZE, format, ap);
	va_end(ap);
	return false;
}

/* --- names of bits ------------------------------------------------------------------------ */

/* Parses "host,network"; "" and "any" are 0. kind is what messages call one of the words. */
static bool auth_words_read(const struct auth_word *words, const char *kind, const char *value,
			    unsigned int *bits, char why[static AUTH_WHY_SIZE])
{
	*bits = 0;
	if (value[0] == '\0' || strcmp(value, "any") == 0)
		return true;
	for (;;) {
		size_t len = strcspn(value, ",");
		const struct auth_word *word = words;
		char all[AUTH_VALUE_SIZE];

		while (word->name &&
		       (strlen(word->name) != len || strncmp(word->name, value, len) != 0))
			word++;
		if (!word->name)
			return auth_why(why, "\"%.*s\" is no %s; there are %s, and any",
					len < 64 ? (int)len : 64, value, kind,
					auth_words_write(words, ~0U, all));
		*bits |= word->bit;
		if (value[len] == '\0')
			return true;
		value += len + 1;
	}
}

const char *auth_words_write(const struct auth_word *words, unsigned int bits,
			     char buf[static AUTH_VALUE_SIZE])
{
	buf[0] = '\0';
	for (; bits && words->name; words++) {
		if ((bits & words->bit) == 0)
			continue;
		(void)strlcat(buf, buf[0] ? "," : "", AUTH_VALUE_SIZE);
		(void)strlcat(buf, words->name, AUTH_VALUE_SIZE);
	}
	if (!buf[0])
		(void)strlcpy(buf, "any", AUTH_VALUE_SIZE);
	return buf;
}

/* --- values ------------------------------------------------------------------------------- */

bool auth_prefix_check(const char *text, struct prefix6 *prefix, char why[static AUTH_WHY_SIZE])
{
	enum prefix_error error = prefix6_parse(text, prefix);

	if (error != PREFIX_OK)
		return auth_why(why, "%.64s %s", text, prefix_error_text(error));
	if (!prefix6_in_unicast(prefix))
		return auth_why(why,
				"%s is not in global unicast (2000::/3) or unique local (fc00::/7) "
				"space",
				text);
	if (!prefix6_is_unicast(prefix))
		return auth_why(why, "%s is too short: lengths from %d to 128 are possible", text,
				PREFIX6_SITE_LEN_MIN);
	return true;
}

static bool auth_read_prefixes(const char *value, struct users_record *record,
			       char why[static AUTH_WHY_SIZE])
{
	record->prefixes.n = 0;
	if (value[0] == '\0')
		return true;
	for (;;) {
		size_t len = strcspn(value, ",");
		char text[PREFIX6_STRLEN + 20];
		struct prefix6 prefix;

		(void)snprintf(text, sizeof(text), "%.*s", len < 64 ? (int)len : 64, value);
		if (!auth_prefix_check(text, &prefix, why))
			return false;
		if (record->prefixes.n == PREFIX6_SET_MAX)
			return auth_why(why, "more than %d", PREFIX6_SET_MAX);
		if (!prefix6_set_add(&record->prefixes, &prefix))
			return auth_why(why, "%s overlaps one before it", text);
		if (value[len] == '\0')
			return true;
		value += len + 1;
	}
}

static bool auth_read_types(const char *value, struct users_record *record,
			    char why[static AUTH_WHY_SIZE])
{
	return auth_words_read(auth_types, "tunnel type", value, &record->limits.types, why);
}

static bool auth_read_transports(const char *value, struct users_record *record,
				 char why[static AUTH_WHY_SIZE])
{
	return auth_words_read(auth_transports, "transport", value, &record->limits.transports,
			       why);
}

static bool auth_read_expires(const char *value, struct users_record *record,
			      char why[static AUTH_WHY_SIZE])
{
	struct auth_span span;

	record->limits.expires = 0;
	if (value[0] == '\0' || strcmp(value, "never") == 0)
		return true;
	if (!auth_time_parse(value, &span))
		return auth_why(why,
				"\"%.64s\" is not a date such as 2027-12-31, nor a time such as "
				"2027-12-31T18:00:00Z, nor never",
				value);
	/* A date includes the whole day. */
	record->limits.expires = span.last == span.first ? span.first : span.last + 1;
	/* Zero would be never. */
	return record->limits.expires > 0 ||
	       auth_why(why, "\"%.64s\" is not after the beginning of 1970 in UTC", value);
}

static bool auth_read_disabled(const char *value, struct users_record *record,
			       char why[static AUTH_WHY_SIZE])
{
	record->limits.disabled = strcmp(value, "yes") == 0;
	return record->limits.disabled || value[0] == '\0' || strcmp(value, "no") == 0 ||
	       auth_why(why, "\"%.64s\" is neither yes nor no", value);
}

static bool auth_read_note(const char *value, struct users_record *record,
			   char why[static AUTH_WHY_SIZE])
{
	record->note = value;
	if (strlen(value) > USERS_NOTE_MAX)
		return auth_why(why, "longer than %d bytes", USERS_NOTE_MAX);
	return text_is_plain(value) || auth_why(why, "it has a control character, or is not UTF-8");
}

const char *auth_prefixes_write(const struct prefix6_set *prefixes,
				char buf[static AUTH_VALUE_SIZE])
{
	char text[PREFIX6_STRLEN];

	buf[0] = '\0';
	for (uint32_t i = 0; i < prefixes->n; i++) {
		(void)strlcat(buf, i ? "," : "", AUTH_VALUE_SIZE);
		(void)strlcat(buf, prefix6_format(&prefixes->list[i], text), AUTH_VALUE_SIZE);
	}
	return buf;
}

const struct prefix6 *auth_overlapping(struct users *users, const struct users_record *record,
				       const char *other)
{
	char whose[DTCP_USER_MAX + 1] = "";
	uint32_t i = 0;

	/* The user's own prefixes do not count. */
	while (i + 1 < record->prefixes.n &&
	       (users_overlaps(users, &record->prefixes.list[i], whose) != USERS_OVERLAP ||
		strcmp(whose, other) != 0))
		i++;
	return &record->prefixes.list[i];
}

static void auth_write_prefixes(const struct user *user, char buf[static AUTH_VALUE_SIZE])
{
	static const struct prefix6_set none;

	(void)auth_prefixes_write(user->has_fixed ? &user->networks : &none, buf);
}

static void auth_write_types(const struct user *user, char buf[static AUTH_VALUE_SIZE])
{
	(void)auth_words_write(auth_types, user->limits.types, buf);
}

static void auth_write_transports(const struct user *user, char buf[static AUTH_VALUE_SIZE])
{
	(void)auth_words_write(auth_transports, user->limits.transports, buf);
}

static void auth_write_expires(const struct user *user, char buf[static AUTH_VALUE_SIZE])
{
	char text[AUTH_TIME_SIZE];

	(void)strlcpy(buf, auth_expiry(user->limits.expires, text), AUTH_VALUE_SIZE);
}

static void auth_write_disabled(const struct user *user, char buf[static AUTH_VALUE_SIZE])
{
	(void)strlcpy(buf, user->limits.disabled ? "yes" : "no", AUTH_VALUE_SIZE);
}

static void auth_write_note(const struct user *user, char buf[static AUTH_VALUE_SIZE])
{
	(void)strlcpy(buf, user->note, AUTH_VALUE_SIZE);
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum users_part part;
	bool (*read)(const char *value, struct users_record *record,
		     char why[static AUTH_WHY_SIZE]);
	void (*write)(const struct user *user, char buf[static AUTH_VALUE_SIZE]);
} keys[] = {
	{"prefix", USERS_PREFIX, auth_read_prefixes, auth_write_prefixes},
	{"types", USERS_TYPES, auth_read_types, auth_write_types},
	{"transports", USERS_TRANSPORTS, auth_read_transports, auth_write_transports},
	{"expires", USERS_EXPIRES, auth_read_expires, auth_write_expires},
	{"disabled", USERS_DISABLED, auth_read_disabled, auth_write_disabled},
	{"note", USERS_NOTE, auth_read_note, auth_write_note},
};

size_t auth_keys(void)
{
	return sizeof(keys) / sizeof(keys[0]);
}

const char *auth_key(size_t key)
{
	return keys[key].name;
}

size_t auth_key_find(const char *name, size_t len)
{
	size_t key = 0;

	while (key < auth_keys() &&
	       (strlen(keys[key].name) != len || strncmp(keys[key].name, name, len) != 0))
		key++;
	return key;
}

bool auth_key_read(size_t key, const char *value, struct users_record *record,
		   char why[static AUTH_WHY_SIZE])
{
	char what[AUTH_WHY_SIZE];

	if (record->parts & keys[key].part)
		return auth_why(why, "%s is there twice", keys[key].name);
	if (!keys[key].read(value, record, what))
		return auth_why(why, "%s: %.380s", keys[key].name, what);
	record->parts |= keys[key].part;
	return true;
}

const char *auth_key_write(size_t key, const struct user *user, char buf[static AUTH_VALUE_SIZE])
{
	keys[key].write(user, buf);
	return buf;
}
