/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/notify.h"

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Seconds to wait for the manager, and the longest message. */
enum { NOTIFY_PATIENCE = 2, NOTIFY_MAX = 1200 };

/* name: a path, or "@" and the name of an abstract socket. Returns the socket or -errno. */
static int notify_connect(const char *name)
{
	const struct timeval patience = {.tv_sec = NOTIFY_PATIENCE};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len < 2)
		return -EAFNOSUPPORT;
	if (len >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, name, len);
	if (name[0] == '@')
		addr.sun_path[0] = '\0';

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -errno;
	/* Without the NUL, which would be part of an abstract name. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == -1 ||
	    connect(fd, (const struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == -1) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

/* The watchdog's interval, if it is meant for this process. */
static uint64_t notify_watchdog(pid_t pid)
{
	const char *period = getenv("WATCHDOG_USEC");
	const char *whom = getenv("WATCHDOG_PID");
	const char *error = NULL;
	long long value;

	if (!period || (whom && strtonum(whom, 1, INT32_MAX, &error) != pid))
		return 0;
	value = strtonum(period, 1, INT64_MAX, &error);
	if (error) {
		log_warnx("WATCHDOG_USEC=%s: %s; the service manager will not hear from us", period,
			  error);
		return 0;
	}
	return (uint64_t)value;
}

void notify_open(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");

	*notify = (struct notify){.socket = -1, .pid = getpid()};
	if (name && name[0] != '\0') {
		notify->socket = notify_connect(name);
		if (notify->socket < 0) {
			log_warnx("NOTIFY_SOCKET=%s: %s; the service manager will not hear from us",
				  name, strerror(-notify->socket));
			notify->socket = -1;
		}
	}
	if (notify->socket != -1)
		notify->watchdog_us = notify_watchdog(notify->pid);
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *notify)
{
	if (notify->socket != -1)
		close(notify->socket);
	notify->socket = -1;
}

/* Returns 0 or -errno. */
__attribute__((format(printf, 3, 0))) static int notify_send(const struct notify *notify, int flags,
							     const char *format, va_list ap)
{
	char text[NOTIFY_MAX];
	int len = vsnprintf(text, sizeof(text), format, ap);
	ssize_t n;

	if (len < 0)
		return -EINVAL;
	/* Longer text is cut. */
	do
		n = send(notify->socket, text, strlen(text), flags | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

void notify_must(const struct notify *notify, const char *format, ...)
{
	va_list ap;
	int error;

	if (notify->socket == -1)
		return;
	va_start(ap, format);
	error = notify_send(notify, 0, format, ap);
	va_end(ap);
	if (error)
		log_warnx("cannot tell the service manager: %s", strerror(-error));
}

bool notify_try(const struct notify *notify, const char *format, ...)
{
	va_list ap;
	int error;

	if (notify->socket == -1)
		return true;
	va_start(ap, format);
	error = notify_send(notify, MSG_DONTWAIT, format, ap);
	va_end(ap);
	return error == 0;
}
