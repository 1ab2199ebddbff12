/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: one line an event, to standard error in the foreground and to syslog in a daemon. If
 * standard error is systemd's journal, that gets the fields of each event.
 * The functions come in pairs, as in err(3): log_warn() ends with the text of errno, log_warnx()
 * does not. Never pass a secret. Lines that a peer can cause at will go through log_limited().
 */
#ifndef DTCP_BASE_LOG_H
#define DTCP_BASE_LOG_H

#include "base/log_record.h"
#include "base/rate.h"

#include <stdbool.h>
#include <stdint.h>

/* subsystem is the process's word in each line ("control"), NULL for none; both must stay valid. */
void log_init(const char *program, const char *subsystem, bool debug);

/* From now on to syslog(3), facility daemon. */
void log_to_syslog(void);

void log_set_debug(bool debug);

/* Lines are objects of JSON from now on, or text again. In the journal, the message is that. */
void log_set_json(bool json);

/* Where the journal listens; another place is for tests. */
void log_set_journal(const char *path);

/*
 * From now on standard error is a pipe to root's process, non-blocking, and what is written there
 * are packed records. Where it is full, they are lost and counted.
 */
void log_to_root(void);

/* Root's side of it: a record of the process name. */
void log_of_process(const char *name, const struct log_record *record);

bool log_is_debug(void);

/* A warning that was written, of whichever process. */
struct log_warning {
	char text[256];
	int64_t at; /* milliseconds of clock_ms() */
};

/* The last one that this process has written or passed on; false: there was none. */
bool log_last_warning(struct log_warning *warning);

void log_debug(const char *format, ...) LOG_FORMAT(1);
void log_info(const char *format, ...) LOG_FORMAT(1);
void log_warn(const char *format, ...) LOG_FORMAT(1);
void log_warnx(const char *format, ...) LOG_FORMAT(1);

/* An event with fields. */
void log_event(const struct log_record *record);

/*
 * From now on a warning is said only if is_news() says so of its text, else with debugging only;
 * NULL: all are said. For what is tried again and again, and fails for the same reason.
 */
void log_filter(bool (*is_news)(const char *text, void *arg), void *arg);

/* One kind of line, and how many of it there may be. */
struct log_limit {
	const char *what; /* what is left out, in words */
	struct rate rate;
	uint64_t left_out; /* since that was last said */
};

void log_limit_init(struct log_limit *limit, const char *what, uint32_t per_second, int64_t now);

/* True if one more line or event can be written now; else it counts as left out. */
bool log_limit_take(struct log_limit *limit, int64_t now);

/* log_warnx() and log_event(), at most so often. now in milliseconds. */
void log_limited(struct log_limit *limit, int64_t now, const char *format, ...) LOG_FORMAT(3);

void log_event_limited(struct log_limit *limit, int64_t now, const struct log_record *record);

/* How many lines of this process all limits have left out. */
uint64_t log_left_out(void);

/* Says how many lines were left out, if any were. To be called every few seconds. */
void log_limit_tell(struct log_limit *limit);

#endif
