/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One event of the log as data: what happened, in a word that stays the same in later versions and
 * in a message for people, and with whom, as fields. What is written from it, as text, as JSON or
 * for the journal, is made here, and nowhere read again.
 *
 * All that a record holds is printable ASCII: whatever else comes is escaped as \xHH on its way in,
 * so no peer can make a line, a field or a terminal's command of it. Backslashes of a field are
 * escaped as well; a message may have been escaped by its caller.
 */
#ifndef DTCP_BASE_LOG_RECORD_H
#define DTCP_BASE_LOG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#define LOG_FORMAT(n) __attribute__((format(printf, n, (n) + 1)))

/* Octets with the NUL: of a message, of all values together, of one, and of a key or an event. */
enum {
	LOG_MESSAGE_SIZE = 1200,
	LOG_VALUES_SIZE = 1500,
	LOG_VALUE_SIZE = 400,
	LOG_WORD_SIZE = 25,
};

enum { LOG_FIELDS_MAX = 24 };

/* Room for a record in any of its forms but that of the journal, which has a line in it as well. */
enum { LOG_LINE_SIZE = 8192, LOG_ENTRY_SIZE = 2 * LOG_LINE_SIZE };

/* The event of what is only a message. */
#define LOG_EVENT_NONE "message"

struct log_field {
	char key[LOG_WORD_SIZE]; /* a word of a-z, 0-9 and "_" */
	bool number;		 /* the value is a decimal one */
	uint16_t value;		 /* its place in values[] */
};

struct log_record {
	int priority;		   /* syslog's: LOG_WARNING, LOG_INFO, LOG_DEBUG */
	bool told;		   /* the message says it all: as text there are no fields */
	char event[LOG_WORD_SIZE]; /* a word of a-z, 0-9 and "-" */
	char message[LOG_MESSAGE_SIZE];
	unsigned int n_fields;
	struct log_field fields[LOG_FIELDS_MAX];
	size_t used; /* of values[] */
	char values[LOG_VALUES_SIZE];
};

/* Who has written it: names that stay valid; process is NULL for the root process. */
struct log_source {
	const char *program;
	const char *process;
};

/* Begins a record. What is too long is cut. */
void log_record_begin(struct log_record *record, int priority, const char *event,
		      const char *format, ...) LOG_FORMAT(4);

/* Adds a field, with the value as it is. What does not fit is left out. */
void log_record_text(struct log_record *record, const char *key, const char *format, ...)
	LOG_FORMAT(3);
void log_record_number(struct log_record *record, const char *key, uint64_t value);

/* The value of a field. */
const char *log_record_value(const struct log_record *record, const struct log_field *field);

/*
 * For people, and for programs that read it line by line: "control: session up user=alice ...",
 * without a line end. Values with blanks and the like stand in quotation marks. In buf, which is
 * returned.
 */
const char *log_record_line(const struct log_record *record, const struct log_source *source,
			    char buf[static LOG_LINE_SIZE]);

/* An object of JSON, without a line end; milliseconds: the time, since 1970. */
const char *log_record_json(const struct log_record *record, const struct log_source *source,
			    int64_t milliseconds, char buf[static LOG_LINE_SIZE]);

/*
 * An entry in the journal's own protocol, which shows it as message; the fields are DTCP_EVENT,
 * DTCP_PROCESS, and one for each field, such as DTCP_USER. Returns its length.
 */
size_t log_record_journal(const struct log_record *record, const struct log_source *source,
			  const char *message, char buf[static LOG_ENTRY_SIZE]);

/* For the pipe to the root process: a line with its end, which no other text can look like. Returns
 * its length, less than PIPE_BUF. */
size_t log_record_pack(const struct log_record *record, char buf[static LOG_LINE_SIZE]);

/*
 * The root process's side: a line, without its end, of a process that may have been taken over.
 * False if it is anything but what log_record_pack() makes.
 */
bool log_record_unpack(struct log_record *record, const char *line, size_t len);

/* What a peer sent, made safe for a log line: unprintable bytes as \xHH, cut with "..." at the
 * end of the buffer. Returns buf. */
const char *log_escape(const char *text, size_t len, char *buf, size_t size);

#endif
