/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: one line an event, to standard error in the foreground and to syslog in a daemon. If
 * standard error is systemd's journal, it gets the fields of each event.
 *
 * The functions come in pairs, as in err(3): log_warn() ends with the text of errno, log_warnx()
 * does not. Never pass a secret. Lines that a peer can cause at will must go through log_limited().
 */
#ifndef DTCP_BASE_LOG_H
#define DTCP_BASE_LOG_H

#include "base/log_record.h"
#include "base/rate.h"

#include <stdbool.h>
#include <stdint.h>

/* subsystem names the process in each line ("control"); NULL: none. Both must stay valid. */
void log_init(const char *program, const char *subsystem, bool debug);

/* Logs to syslog(3), facility daemon, from now on. */
void log_to_syslog(void);

void log_set_debug(bool debug);

/* Logs JSON objects from now on, or text again. In the journal, this is the message. */
void log_set_json(bool json);

/* Sets the journal's socket, for tests. */
void log_set_journal(const char *path);

/*
 * From now on standard error is a non-blocking pipe to the root process, for packed records. If it
 * is full, records are lost and counted.
 */
void log_to_root(void);

/* For the root process: logs a record of the process name. */
void log_of_process(const char *name, const struct log_record *record);

bool log_is_debug(void);

/* A warning that was logged, by any process. */
struct log_warning {
	char text[256];
	int64_t at; /* milliseconds of clock_ms() */
};

/* The last one that this process has logged or passed on; false: none. */
bool log_last_warning(struct log_warning *warning);

void log_debug(const char *format, ...) LOG_FORMAT(1);
void log_info(const char *format, ...) LOG_FORMAT(1);
void log_warn(const char *format, ...) LOG_FORMAT(1);
void log_warnx(const char *format, ...) LOG_FORMAT(1);

/* An event with fields. */
void log_event(const struct log_record *record);

/*
 * From now on a warning is logged only if is_news() returns true for its text, otherwise only at
 * level debug; NULL: all are logged. For repeated attempts that fail for the same reason.
 */
void log_filter(bool (*is_news)(const char *text, void *arg), void *arg);

/* A rate limit for one kind of line. */
struct log_limit {
	const char *what; /* name of the kind, for the log */
	struct rate rate;
	uint64_t left_out; /* since that was last logged */
};

void log_limit_init(struct log_limit *limit, const char *what, uint32_t per_second, int64_t now);

/* True if one more line or event can be logged now; otherwise it counts as left out. */
bool log_limit_take(struct log_limit *limit, int64_t now);

/* log_warnx() and log_event(), with a rate limit. now in milliseconds. */
void log_limited(struct log_limit *limit, int64_t now, const char *format, ...) LOG_FORMAT(3);

void log_event_limited(struct log_limit *limit, int64_t now, const struct log_record *record);

/* Number of lines of this process left out by all limits. */
uint64_t log_left_out(void);

/* Logs the number of lines left out, if any. To be called every few seconds. */
void log_limit_tell(struct log_limit *limit);

#endif
