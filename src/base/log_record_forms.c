/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms of a record in the log: text, JSON, journal entry. */
#include "base/log_record.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* An octet can become two in JSON; punctuation takes less than a few hundred. */
_Static_assert(2 * (LOG_MESSAGE_SIZE + LOG_VALUES_SIZE) + LOG_FIELDS_MAX * (LOG_WORD_SIZE + 6) +
			       400 <=
		       LOG_LINE_SIZE,
	       "an object of JSON is never cut");

static const char log_record_monitor[] = "monitor";

/* A text that grows up to its size, which includes the NUL. */
struct log_text {
	char *buf;
	size_t size;
	size_t len;
};

static void log_record_add(struct log_text *text, const char *more)
{
	size_t len = strlcpy(text->buf + text->len, more, text->size - text->len);

	text->len += len < text->size - text->len ? len : text->size - text->len - 1;
}

/* Appends a text with these characters escaped. */
static void log_record_add_without(struct log_text *text, const char *more, const char *without)
{
	for (; *more != '\0'; more++) {
		char piece[8] = {*more, '\0'};

		if (strchr(without, *more))
			(void)snprintf(piece, sizeof(piece), "\\x%02x", (unsigned char)*more);
		log_record_add(text, piece);
	}
}

const char *log_record_line(const struct log_record *record, const struct log_source *source,
			    char buf[static LOG_LINE_SIZE])
{
	struct log_text text = {buf, LOG_LINE_SIZE, 0};
	unsigned int n_fields = record->told ? 0 : record->n_fields;

	if (source->process) {
		log_record_add(&text, source->process);
		log_record_add(&text, ": ");
	}
	/* The message may contain a peer's text, which must not look like a field. */
	log_record_add_without(&text, record->message, n_fields > 0 ? "=" : "");
	for (unsigned int i = 0; i < n_fields; i++) {
		const char *value = log_record_value(record, &record->fields[i]);
		const char *quote = value[0] == '\0' || strpbrk(value, " \"=") ? "\"" : "";

		log_record_add(&text, " ");
		log_record_add(&text, record->fields[i].key);
		log_record_add(&text, "=");
		log_record_add(&text, quote);
		log_record_add_without(&text, value, "\"");
		log_record_add(&text, quote);
	}
	return buf;
}

static const char *log_record_level(int priority)
{
	switch (priority) {
	case LOG_DEBUG:
		return "debug";
	case LOG_INFO:
		return "info";
	default:
		return "warning";
	}
}

/* Appends "key":"value". All of it is printable ASCII. */
static void log_record_add_json(struct log_text *text, const char *key, const char *value,
				bool number)
{
	log_record_add(text, text->len > 1 ? ",\"" : "\"");
	log_record_add(text, key);
	log_record_add(text, number ? "\":" : "\":\"");
	for (; *value != '\0'; value++) {
		const char piece[] = {*value, '\0'};

		if (*value == '"' || *value == '\\')
			log_record_add(text, "\\");
		log_record_add(text, piece);
	}
	log_record_add(text, number ? "" : "\"");
}

const char *log_record_json(const struct log_record *record, const struct log_source *source,
			    int64_t milliseconds, char buf[static LOG_LINE_SIZE])
{
	struct log_text text = {buf, LOG_LINE_SIZE, 0};
	time_t seconds = (time_t)(milliseconds / 1000);
	struct tm tm = {0};
	char time[48];

	/* RFC 3339, section 5.6. */
	(void)gmtime_r(&seconds, &tm);
	(void)snprintf(time, sizeof(time), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		       (int)(milliseconds % 1000));
	log_record_add(&text, "{");
	log_record_add_json(&text, "time", time, false);
	log_record_add_json(&text, "level", log_record_level(record->priority), false);
	log_record_add_json(&text, "program", source->program, false);
	log_record_add_json(&text, "process",
			    source->process ? source->process : log_record_monitor, false);
	log_record_add_json(&text, "event", record->event, false);
	log_record_add_json(&text, "message", record->message, false);
	for (unsigned int i = 0; i < record->n_fields; i++) {
		const struct log_field *field = &record->fields[i];

		log_record_add_json(&text, field->key, log_record_value(record, field),
				    field->number);
	}
	log_record_add(&text, "}");
	return buf;
}

/* Appends NAME=value, a line of the journal's protocol; values have no line ends. */
static void log_record_add_entry(struct log_text *text, const char *prefix, const char *key,
				 const char *value)
{
	log_record_add(text, prefix);
	for (; *key != '\0'; key++) {
		const char piece[] = {(char)(*key >= 'a' && *key <= 'z' ? *key - 'a' + 'A' : *key),
				      '\0'};

		log_record_add(text, piece);
	}
	log_record_add(text, "=");
	log_record_add(text, value);
	log_record_add(text, "\n");
}

size_t log_record_journal(const struct log_record *record, const struct log_source *source,
			  const char *message, char buf[static LOG_ENTRY_SIZE])
{
	struct log_text text = {buf, LOG_ENTRY_SIZE, 0};
	const char priority[] = {(char)('0' + record->priority), '\0'};

	log_record_add_entry(&text, "", "message", message);
	log_record_add_entry(&text, "", "priority", priority);
	log_record_add_entry(&text, "", "syslog_identifier", source->program);
	log_record_add_entry(&text, "DTCP_", "process",
			     source->process ? source->process : log_record_monitor);
	log_record_add_entry(&text, "DTCP_", "event", record->event);
	for (unsigned int i = 0; i < record->n_fields; i++)
		log_record_add_entry(&text, "DTCP_", record->fields[i].key,
				     log_record_value(record, &record->fields[i]));
	return text.len;
}
