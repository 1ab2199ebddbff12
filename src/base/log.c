/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

static const char *log_program = "dtcp";
static const char *log_subsystem;
static bool log_debugging;
static bool log_syslog;
static bool log_journal;
static bool log_root;
static bool (*log_is_news)(const char *text, void *arg);
static void *log_news_arg;
static unsigned int log_lost; /* lines since the pipe to root's process was full */

/*
 * Whether standard error goes to systemd's journal: $JOURNAL_STREAM has the device and the inode of
 * the socket, which may have been replaced by another file since.
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
	/* Opened now, because later there may be no /dev/log in sight. */
	openlog(log_program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	log_syslog = true;
}

void log_set_debug(bool debug)
{
	log_debugging = debug;
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

/*
 * One write(2) for a line: a pipe takes it as a whole or not at all. The format ends with a line
 * end. False: the pipe is full.
 */
static __attribute__((format(printf, 1, 2))) bool log_write(const char *format, ...)
{
	char line[1400];
	va_list ap;
	ssize_t n;
	int len;

	va_start(ap, format);
	len = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (len >= (int)sizeof(line)) {
		len = sizeof(line) - 1;
		line[len - 1] = '\n';
	}
	do
		n = len < 0 ? 0 : write(STDERR_FILENO, line, (size_t)len);
	while (n == -1 && errno == EINTR);
	return n != -1 || errno != EAGAIN;
}

static void log_by_root(int priority, const char *text)
{
	if (log_lost > 0 &&
	    log_write("<%d>%u lines lost here: monitor was busy\n", LOG_WARNING, log_lost))
		log_lost = 0;
	if (!log_write("<%d>%s\n", priority, text))
		log_lost++;
}

static void log_out(const char *subsystem, int priority, const char *text)
{
	const char *name = subsystem ? subsystem : "";
	const char *colon = subsystem ? ": " : "";

	if (log_syslog)
		syslog(priority, "%s%s%s", name, colon, text);
	else if (log_journal) /* which knows the program, and takes the priority off */
		(void)log_write("<%d>%s%s%s\n", priority, name, colon, text);
	else
		(void)log_write("%s: %s%s%s\n", log_program, name, colon, text);
}

void log_of_process(const char *name, int priority, const char *text)
{
	log_out(name, priority, text);
}

static void log_line(int priority, int error, const char *format, va_list ap)
{
	char text[1200];
	char line[1300];

	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		return;
	(void)snprintf(line, sizeof(line), "%s%s%s", text, error ? ": " : "",
		       error ? strerror(error) : "");
	if (priority == LOG_WARNING && log_is_news && !log_is_news(line, log_news_arg)) {
		if (!log_debugging)
			return;
		priority = LOG_DEBUG;
	}
	if (log_root)
		log_by_root(priority, line);
	else
		log_out(log_subsystem, priority, line);
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
	/* What happens to many at the same moment is still one by one in the log. */
	rate_init_burst(&limit->rate, per_second, per_second, (uint64_t)now);
}

bool log_limit_take(struct log_limit *limit, int64_t now)
{
	if (rate_take(&limit->rate, (uint64_t)now))
		return true;
	limit->left_out++;
	return false;
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

void log_limit_tell(struct log_limit *limit)
{
	if (limit->left_out == 0)
		return;
	log_warnx("%" PRIu64 " more line%s about %s left out", limit->left_out,
		  limit->left_out == 1 ? "" : "s", limit->what);
	limit->left_out = 0;
}

const char *log_escape(const char *text, size_t len, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];
		bool plain = byte >= 0x20 && byte < 0x7f && byte != '\\';
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
