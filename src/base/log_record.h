/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One log event as data: an event name that stays the same in later versions, a message for people,
 * and fields. Its text form, JSON form and journal entry are made here, and parsed nowhere.
 *
 * A record contains only printable ASCII: everything else is escaped as \xHH when added, so that a
 * peer cannot forge a line, a field or a terminal command. Backslashes of fields are escaped as
 * well; a message may have been escaped by its caller.
 */
#ifndef DTCP_BASE_LOG_RECORD_H
#define DTCP_BASE_LOG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#define LOG_FORMAT(n) __attribute__((format(printf, n, (n) + 1)))

/* Sizes with the NUL: of a message, of all values, of one value, and of a key or event. */
enum {
	LOG_MESSAGE_SIZE = 1200,
	LOG_VALUES_SIZE = 1500,
	LOG_VALUE_SIZE = 400,
	LOG_WORD_SIZE = 25,
};

enum { LOG_FIELDS_MAX = 24 };

/* Size of a record in any form; the journal's entry contains such a line in addition. */
enum { LOG_LINE_SIZE = 8192, LOG_ENTRY_SIZE = 2 * LOG_LINE_SIZE };

/* The event of a record that is only a message. */
#define LOG_EVENT_NONE "message"

struct log_field {
	char key[LOG_WORD_SIZE]; /* a word of a-z, 0-9 and "_" */
	bool number;		 /* the value is a decimal number */
	uint16_t value;		 /* its offset in values[] */
};

struct log_record {
	int priority;		   /* syslog's: LOG_WARNING, LOG_INFO, LOG_DEBUG */
	bool told;		   /* the message says it all: the text form has no fields */
	char event[LOG_WORD_SIZE]; /* a word of a-z, 0-9 and "-" */
	char message[LOG_MESSAGE_SIZE];
	unsigned int n_fields;
	struct log_field fields[LOG_FIELDS_MAX];
	size_t used; /* octets used of values[] */
	char values[LOG_VALUES_SIZE];
};

/* Who wrote it: names that stay valid; process is NULL for the root process. */
struct log_source {
	const char *program;
	const char *process;
};

/* Begins a record. Overlong texts are truncated. */
void log_record_begin(struct log_record *record, int priority, const char *event,
		      const char *format, ...) LOG_FORMAT(4);

/* Adds a field. A value that does not fit is left out. */
void log_record_text(struct log_record *record, const char *key, const char *format, ...)
	LOG_FORMAT(3);
void log_record_number(struct log_record *record, const char *key, uint64_t value);

/* The value of a field. */
const char *log_record_value(const struct log_record *record, const struct log_field *field);

/*
 * The text form, for people and for line-based programs: "control: session up user=alice ...",
 * without a line end. Values with blanks and similar characters are quoted. Returns buf.
 */
const char *log_record_line(const struct log_record *record, const struct log_source *source,
			    char buf[static LOG_LINE_SIZE]);

/* The JSON form: an object without a line end; milliseconds: the time, since 1970. */
const char *log_record_json(const struct log_record *record, const struct log_source *source,
			    int64_t milliseconds, char buf[static LOG_LINE_SIZE]);

/*
 * An entry in the journal's protocol, with the message to display; the fields are DTCP_EVENT,
 * DTCP_PROCESS, and one for each field, such as DTCP_USER. Returns its length.
 */
size_t log_record_journal(const struct log_record *record, const struct log_source *source,
			  const char *message, char buf[static LOG_ENTRY_SIZE]);

/*
 * For the pipe to the root process: a line with its end, which no other output can look like.
 * Returns its length, less than PIPE_BUF.
 */
size_t log_record_pack(const struct log_record *record, char buf[static LOG_LINE_SIZE]);

/*
 * For the root process: parses a line, without its end, of a process that may be compromised. False
 * if it is not exactly what log_record_pack() makes.
 */
bool log_record_unpack(struct log_record *record, const char *line, size_t len);

/*
 * Escapes what a peer sent for a log line: unprintable bytes as \xHH, truncated with "..." at the
 * end of the buffer. Returns buf.
 */
const char *log_escape(const char *text, size_t len, char *buf, size_t size);

#endif
