/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log_record.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * In the pipe, a record is a line that begins with a control character; each of its parts ends with
 * another one. Parts do not contain these.
 */
#define LOG_RECORD_BEGIN '\x1e'
#define LOG_RECORD_END	 '\x1f'

/* Mark, priority and told, event, message, fields, and the end of the line. */
_Static_assert(5 + LOG_WORD_SIZE + LOG_MESSAGE_SIZE + LOG_FIELDS_MAX * (LOG_WORD_SIZE + 2) +
			       LOG_VALUES_SIZE <=
		       PIPE_BUF,
	       "a record is written to a pipe as a whole or not at all");
_Static_assert(LOG_VALUES_SIZE <= UINT16_MAX, "a place in values[]");

/* --- making a record ---------------------------------------------------------------------- */

/* backslash: escapes backslashes, too. */
static const char *log_record_escape(const char *text, size_t len, bool backslash, char *buf,
				     size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];
		bool plain = byte >= 0x20 && byte < 0x7f && (byte != '\\' || !backslash);
		size_t need = plain ? 1 : 4;

		/* Four bytes stay free for "..." and the NUL. */
		if (out + need + 4 > size) {
			(void)strncpy(buf + out, "...", size - out);
			buf[size - 1] = '\0';
			return buf;
		}
		if (plain) {
			buf[out++] = (char)byte;
		} else {
			buf[out++] = '\\';
			buf[out++] = 'x';
			buf[out++] = hex[byte >> 4];
			buf[out++] = hex[byte & 15];
		}
	}
	buf[out] = '\0';
	return buf;
}

const char *log_escape(const char *text, size_t len, char *buf, size_t size)
{
	return log_record_escape(text, len, true, buf, size);
}

void log_record_begin(struct log_record *record, int priority, const char *event,
		      const char *format, ...)
{
	char text[LOG_MESSAGE_SIZE];
	va_list ap;

	va_start(ap, format);
	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	record->priority = priority;
	record->told = false;
	record->n_fields = 0;
	record->used = 0;
	(void)strlcpy(record->event, event, sizeof(record->event));
	(void)log_record_escape(text, strlen(text), false, record->message,
				sizeof(record->message));
}

/* Adds a field whose value is at the end of values[]. */
static void log_record_take(struct log_record *record, const char *key, bool number)
{
	struct log_field *field = &record->fields[record->n_fields++];

	(void)strlcpy(field->key, key, sizeof(field->key));
	field->number = number;
	field->value = (uint16_t)record->used;
	record->used += strlen(record->values + record->used) + 1;
}

/* Octets for one more value, at most the longest one. */
static size_t log_record_room(const struct log_record *record)
{
	size_t room = sizeof(record->values) - record->used;

	if (record->n_fields == LOG_FIELDS_MAX)
		return 0;
	return room < LOG_VALUE_SIZE ? room : LOG_VALUE_SIZE;
}

void log_record_text(struct log_record *record, const char *key, const char *format, ...)
{
	char text[LOG_VALUE_SIZE];
	size_t room = log_record_room(record);
	va_list ap;

	if (room == 0)
		return;
	va_start(ap, format);
	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	(void)log_escape(text, strlen(text), record->values + record->used, room);
	log_record_take(record, key, false);
}

void log_record_number(struct log_record *record, const char *key, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	if (log_record_room(record) <= strlen(text))
		return;
	(void)strlcpy(record->values + record->used, text, sizeof(text));
	log_record_take(record, key, true);
}

const char *log_record_value(const struct log_record *record, const struct log_field *field)
{
	return record->values + field->value;
}

/* --- from process to process -------------------------------------------------------------- */

size_t log_record_pack(const struct log_record *record, char buf[static LOG_LINE_SIZE])
{
	size_t len = 0;

	/* Always fits, as asserted above. */
	(void)snprintf(buf, LOG_LINE_SIZE, "%c%c%c%s%c%s%c", LOG_RECORD_BEGIN,
		       '0' + record->priority, record->told ? '1' : '0', record->event,
		       LOG_RECORD_END, record->message, LOG_RECORD_END);
	for (unsigned int i = 0; i < record->n_fields; i++) {
		const struct log_field *field = &record->fields[i];

		len += strlen(buf + len);
		(void)snprintf(buf + len, LOG_LINE_SIZE - len, "%s%c%s%c", field->key,
			       field->number ? ':' : '=', log_record_value(record, field),
			       LOG_RECORD_END);
	}
	return strlcat(buf, "\n", LOG_LINE_SIZE);
}

/* A line while it is parsed. */
struct log_rest {
	const char *at;
	const char *end;
};

/*
 * Copies what precedes the character stop into buf, and skips stop; false if stop is missing, or
 * the part is too long or has characters outside the class.
 */
static bool log_record_next(struct log_rest *rest, char stop, bool (*class)(char c), char *buf,
			    size_t size)
{
	size_t len = 0;

	for (; rest->at < rest->end && *rest->at != stop; rest->at++) {
		if (!class(*rest->at) || len + 1 >= size)
			return false;
		buf[len++] = *rest->at;
	}
	buf[len] = '\0';
	return rest->at++ < rest->end;
}

static bool log_record_is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

static bool log_record_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool log_record_is_event(char c)
{
	return log_record_is_letter(c) || c == '-';
}

static bool log_record_is_key(char c)
{
	return log_record_is_letter(c) || c == '_';
}

/* Whether a key is not reserved, and is new. */
static bool log_record_key_free(const struct log_record *record, const char *key)
{
	static const char *const taken[] = {"time",    "level", "program",
					    "process", "event", "message"};

	if (key[0] < 'a' || key[0] > 'z')
		return false;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (strcmp(key, taken[i]) == 0)
			return false;
	}
	for (unsigned int i = 0; i < record->n_fields; i++) {
		if (strcmp(key, record->fields[i].key) == 0)
			return false;
	}
	return true;
}

/* Whether a value has the form that log_record_number() writes. */
static bool log_record_is_number(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= 20 && text[strspn(text, "0123456789")] == '\0' &&
	       (text[0] != '0' || len == 1);
}

static bool log_record_unpack_field(struct log_record *record, struct log_rest *rest)
{
	size_t room = log_record_room(record);
	char *value = record->values + record->used;
	const char *sign = rest->at;
	char key[LOG_WORD_SIZE];
	bool number;

	while (sign < rest->end && log_record_is_key(*sign))
		sign++;
	number = sign < rest->end && *sign == ':';
	if (room == 0 ||
	    !log_record_next(rest, number ? ':' : '=', log_record_is_key, key, sizeof(key)) ||
	    !log_record_key_free(record, key) ||
	    !log_record_next(rest, LOG_RECORD_END, log_record_is_printable, value, room) ||
	    (number && !log_record_is_number(value)))
		return false;
	log_record_take(record, key, number);
	return true;
}

bool log_record_unpack(struct log_record *record, const char *line, size_t len)
{
	struct log_rest rest = {line + 3, line + len};

	if (len < 3 || line[0] != LOG_RECORD_BEGIN || line[1] < '0' + LOG_WARNING ||
	    line[1] > '0' + LOG_DEBUG || (line[2] != '0' && line[2] != '1'))
		return false;
	record->priority = line[1] - '0';
	record->told = line[2] == '1';
	record->n_fields = 0;
	record->used = 0;
	if (!log_record_next(&rest, LOG_RECORD_END, log_record_is_event, record->event,
			     sizeof(record->event)) ||
	    record->event[0] == '\0' ||
	    !log_record_next(&rest, LOG_RECORD_END, log_record_is_printable, record->message,
			     sizeof(record->message)))
		return false;
	while (rest.at < rest.end) {
		if (!log_record_unpack_field(record, &rest))
			return false;
	}
	return true;
}
