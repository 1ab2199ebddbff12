/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char *log_program = "dtcp";
static const char *log_subsystem;
static bool log_debugging;
static bool log_syslog;
static bool log_journal;
static bool log_json;
static bool log_root;
static const char *log_journal_path = "/run/systemd/journal/socket";
static bool (*log_is_news)(const char *text, void *arg);
static void *log_news_arg;
static struct log_warning log_warned; /* the last warning; no text: none */
static uint64_t log_omitted;	      /* lines left out by limits */
static unsigned int log_lost; /* lines lost since the pipe to the root process became full */

/*
 * Whether standard error is systemd's journal: $JOURNAL_STREAM has the device and the inode of the
 * socket, which may have been replaced by another file since.
 */
static bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char own[64];

	if (!stream || fstat(STDERR_FILENO, &status) == -1)
		return false;
	(void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev,
		       (uintmax_t)status.st_ino);
	return strcmp(own, stream) == 0;
}

void log_init(const char *program, const char *subsystem, bool debug)
{
	log_program = program;
	log_subsystem = subsystem;
	log_debugging = debug;
	log_journal = log_is_journal();
}

void log_to_syslog(void)
{
	/* Opened now, because later /dev/log may not be accessible. */
	openlog(log_program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	log_syslog = true;
}

void log_set_debug(bool debug)
{
	log_debugging = debug;
}

void log_set_json(bool json)
{
	log_json = json;
}

void log_set_journal(const char *path)
{
	log_journal_path = path;
}

void log_to_root(void)
{
	log_root = true;
}

void log_filter(bool (*is_news)(const char *text, void *arg), void *arg)
{
	log_is_news = is_news;
	log_news_arg = arg;
}

bool log_is_debug(void)
{
	return log_debugging;
}

bool log_last_warning(struct log_warning *warning)
{
	*warning = log_warned;
	return warning->text[0] != '\0';
}

/* One write(2) for a line, which a pipe accepts completely or not at all. False: the pipe is full.
 */
static bool log_write(const char *line, size_t len)
{
	ssize_t n;

	do
		n = write(STDERR_FILENO, line, len);
	while (n == -1 && errno == EINTR);
	return n != -1 || errno != EAGAIN;
}

static bool log_write_record(const struct log_record *record)
{
	char line[LOG_LINE_SIZE];

	return log_write(line, log_record_pack(record, line));
}

static void log_by_root(const struct log_record *record)
{
	struct log_record lost;

	if (log_lost > 0) {
		log_record_begin(&lost, LOG_WARNING, "lines-lost",
				 "lines lost here: monitor was busy");
		log_record_number(&lost, "count", log_lost);
		if (log_write_record(&lost))
			log_lost = 0;
	}
	if (!log_write_record(record))
		log_lost++;
}

/*
 * Sends to the journal, by a datagram of its own protocol. The journal may be restarted at any
 * time, so the socket is not connected. False if it does not accept it now.
 */
static bool log_send(const struct log_record *record, const struct log_source *source,
		     const char *line)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char entry[LOG_ENTRY_SIZE];
	size_t len = log_record_journal(record, source, line, entry);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool sent;

	if (fd == -1)
		return false;
	(void)strlcpy(to.sun_path, log_journal_path, sizeof(to.sun_path));
	sent = sendto(fd, entry, len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to,
		      sizeof(to)) != -1;
	close(fd);
	return sent;
}

static int64_t log_now(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void log_out(const char *process, const struct log_record *record)
{
	const struct log_source source = {log_program, process};
	char begin[64] = "";
	char line[LOG_LINE_SIZE];
	char whole[sizeof(begin) + sizeof(line)];
	int len;

	(void)log_record_line(record, &source, line);
	if (record->priority <= LOG_WARNING) {
		(void)strlcpy(log_warned.text, line, sizeof(log_warned.text));
		log_warned.at = clock_ms();
	}
	if (log_json)
		(void)log_record_json(record, &source, log_now(), line);
	if (log_syslog) {
		syslog(record->priority, "%s", line);
		return;
	}
	if (log_journal && log_send(record, &source, line))
		return;
	/* The journal removes the priority, and knows the program. */
	if (log_journal)
		(void)snprintf(begin, sizeof(begin), "<%d>", record->priority);
	else if (!log_json)
		(void)snprintf(begin, sizeof(begin), "%s: ", log_program);
	len = snprintf(whole, sizeof(whole), "%s%s\n", begin, line);
	if (len > 0)
		(void)log_write(whole, (size_t)len);
}

void log_of_process(const char *name, const struct log_record *record)
{
	if (record->priority != LOG_DEBUG || log_debugging)
		log_out(name, record);
}

void log_event(const struct log_record *record)
{
	struct log_record quiet;

	if (record->priority == LOG_WARNING && log_is_news &&
	    !log_is_news(record->message, log_news_arg)) {
		quiet = *record;
		quiet.priority = LOG_DEBUG;
		record = &quiet;
	}
	if (record->priority == LOG_DEBUG && !log_debugging)
		return;
	if (log_root)
		log_by_root(record);
	else
		log_out(log_subsystem, record);
}

__attribute__((format(printf, 3, 0))) static void log_line(int priority, int error,
							   const char *format, va_list ap)
{
	struct log_record record;
	char text[LOG_MESSAGE_SIZE];

	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		return;
	log_record_begin(&record, priority, LOG_EVENT_NONE, "%s%s%s", text, error ? ": " : "",
			 error ? strerror(error) : "");
	log_event(&record);
}

void log_debug(const char *format, ...)
{
	va_list ap;

	if (!log_debugging)
		return;
	va_start(ap, format);
	log_line(LOG_DEBUG, 0, format, ap);
	va_end(ap);
}

void log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_line(LOG_INFO, 0, format, ap);
	va_end(ap);
}

void log_warn(const char *format, ...)
{
	int error = errno;
	va_list ap;

	va_start(ap, format);
	log_line(LOG_WARNING, error, format, ap);
	va_end(ap);
}

void log_warnx(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_line(LOG_WARNING, 0, format, ap);
	va_end(ap);
}

void log_limit_init(struct log_limit *limit, const char *what, uint32_t per_second, int64_t now)
{
	limit->what = what;
	limit->left_out = 0;
	/* Allows bursts, since many events can happen at the same moment. */
	rate_init_burst(&limit->rate, per_second, per_second, (uint64_t)now);
}

bool log_limit_take(struct log_limit *limit, int64_t now)
{
	if (rate_take(&limit->rate, (uint64_t)now))
		return true;
	limit->left_out++;
	log_omitted++;
	return false;
}

uint64_t log_left_out(void)
{
	return log_omitted;
}

void log_limited(struct log_limit *limit, int64_t now, const char *format, ...)
{
	va_list ap;

	if (!log_limit_take(limit, now))
		return;
	va_start(ap, format);
	log_line(LOG_WARNING, 0, format, ap);
	va_end(ap);
}

void log_event_limited(struct log_limit *limit, int64_t now, const struct log_record *record)
{
	if (log_limit_take(limit, now))
		log_event(record);
}

void log_limit_tell(struct log_limit *limit)
{
	struct log_record record;

	if (limit->left_out == 0)
		return;
	log_record_begin(&record, LOG_WARNING, "lines-left-out", "lines left out");
	log_record_text(&record, "about", "%s", limit->what);
	log_record_number(&record, "count", limit->left_out);
	log_event(&record);
	limit->left_out = 0;
}
