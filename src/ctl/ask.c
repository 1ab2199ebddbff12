/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/ask.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Rows handled in one step, so that an event loop gets its turn. */
#define ROWS_A_STEP 64

/* The server's default interface, which is not in the name of its socket. */
#define SERVER_INTERFACE "dtcps0"

struct ask {
	int fd;
	int limit;
	int64_t deadline; /* clock_ms(): for something to come */
	int64_t end_by;	  /* and for all of it */
	size_t heard;	  /* octets of the answer */
	ask_row row;
	void *arg;
	json_t *last;
	const char *last_line; /* in line[] */
	char error[256];
	char request[ASK_REQUEST_MAX];
	size_t request_len;
	size_t sent;
	/* Unhandled input: from start to end in line. */
	size_t start;
	size_t end;
	bool more; /* it may have a complete line */
	char line[ASK_LINE_MAX + 1];
};

/* Parses the program and the interface from a file name. */
static bool ask_name(const char *name, struct ask_daemon *daemon)
{
	static const char suffix[] = ".sock";
	size_t len = strlen(name), tail = strlen(suffix);
	const char *interface;

	if (strcmp(name, "dtcps.sock") == 0) {
		(void)strcpy(daemon->interface, SERVER_INTERFACE);
		daemon->client = false;
		return true;
	}
	if (len <= tail || strcmp(name + len - tail, suffix) != 0)
		return false;
	daemon->client = strncmp(name, "dtcpclient-", 11) == 0;
	if (!daemon->client && strncmp(name, "dtcps-", 6) != 0)
		return false;
	interface = strchr(name, '-') + 1;
	len = (size_t)(name + len - tail - interface);
	if (len == 0 || len >= sizeof(daemon->interface))
		return false;
	memcpy(daemon->interface, interface, len);
	daemon->interface[len] = '\0';
	return true;
}

static int ask_order(const void *left, const void *right)
{
	const struct ask_daemon *one = left, *other = right;

	if (one->client != other->client)
		return one->client ? 1 : -1;
	return strcmp(one->interface, other->interface);
}

/* Adds an entry of the folder if it is a socket of ours. 0 or -errno. */
static int ask_find_one(const char *folder, const char *name, struct ask_daemon **list, int *count)
{
	struct ask_daemon found, *larger;
	struct stat st;
	int len;

	memset(&found, 0, sizeof(found));
	if (!ask_name(name, &found))
		return 0;
	len = snprintf(found.path, sizeof(found.path), "%s/%s", folder, name);
	if (len < 0 || (size_t)len >= sizeof(found.path))
		return -ENAMETOOLONG;
	if (lstat(found.path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return 0;
	larger = reallocarray(*list, (size_t)*count + 1, sizeof(**list));
	if (!larger)
		return -ENOMEM;
	*list = larger;
	(*list)[(*count)++] = found;
	return 0;
}

int ask_find(const char *folder, struct ask_daemon **out)
{
	struct ask_daemon *list = NULL;
	struct dirent *entry;
	int count = 0, rc = 0;
	DIR *dir = opendir(folder);

	*out = NULL;
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (errno = 0, entry = readdir(dir)))
		rc = ask_find_one(folder, entry->d_name, &list, &count);
	if (rc == 0 && errno)
		rc = -errno;
	(void)closedir(dir);
	if (rc < 0) {
		free(list);
		return rc;
	}
	if (count > 0)
		qsort(list, (size_t)count, sizeof(*list), ask_order);
	*out = list;
	return count;
}

const char *ask_program(const struct ask_daemon *daemon)
{
	return daemon->client ? "dtcpclient" : "dtcps";
}

int ask_open(const char *path, struct ask **out)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct ask *ask;
	int rc;

	*out = NULL;
	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path) + 1);
	ask = calloc(1, sizeof(*ask));
	if (!ask)
		return -ENOMEM;
	ask->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ask->fd == -1 || connect(ask->fd, (const struct sockaddr *)&to, sizeof(to)) == -1) {
		rc = -errno;
		ask_close(ask);
		return rc;
	}
	*out = ask;
	return 0;
}

void ask_close(struct ask *ask)
{
	if (!ask)
		return;
	if (ask->fd != -1)
		(void)close(ask->fd);
	json_decref(ask->last);
	free(ask);
}

static void ask_compact(struct ask *ask)
{
	memmove(ask->line, ask->line + ask->start, ask->end - ask->start);
	ask->end -= ask->start;
	ask->start = 0;
}

int ask_begin(struct ask *ask, const json_t *question, int limit, ask_row row, void *arg)
{
	/* If the buffer is too small, the text is truncated, but the length is complete. */
	size_t len = json_dumpb(question, ask->request, sizeof(ask->request), JSON_COMPACT);

	if (len == 0)
		return -EINVAL;
	if (len >= sizeof(ask->request))
		return -EMSGSIZE;
	ask->request[len] = '\n';
	ask->request_len = len + 1;
	ask->sent = 0;
	ask->row = row;
	ask->arg = arg;
	ask->limit = limit;
	ask->deadline = clock_ms() + limit;
	ask->end_by = clock_ms() + (int64_t)ASK_PATIENCE * limit;
	ask->heard = 0;
	ask->error[0] = '\0';
	json_decref(ask->last);
	ask->last = NULL;
	ask->last_line = NULL;
	ask_compact(ask);
	return 0;
}

static enum ask_state ask_fail(struct ask *ask, const char *text)
{
	(void)snprintf(ask->error, sizeof(ask->error), "%s", text);
	return ASK_FAILED;
}

/* False: the connection is broken; earlier input can still be read. */
static void ask_write(struct ask *ask)
{
	ssize_t sent;

	while (ask->sent < ask->request_len) {
		sent = send(ask->fd, ask->request + ask->sent, ask->request_len - ask->sent,
			    MSG_NOSIGNAL);
		if (sent >= 0) {
			ask->sent += (size_t)sent;
			continue;
		}
		/* It may have closed after a last answer, such as "busy", which can still be read.
		 */
		if (errno != EAGAIN && errno != EINTR)
			ask->sent = ask->request_len;
		return;
	}
}

/* The line at start, its end replaced by NUL. */
static enum ask_state ask_line(struct ask *ask, const char *line, size_t len)
{
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *error;
	const json_t *ok;

	if (!json_is_object(object)) {
		json_decref(object);
		return ask_fail(ask, "the answer is not what a daemon of this protocol says");
	}
	ok = json_object_get(object, "ok");
	if (!ok) {
		if (ask->row)
			ask->row(object, line, ask->arg);
		json_decref(object);
		return ASK_GOES_ON;
	}
	ask->last = object;
	ask->last_line = line;
	if (json_is_true(ok))
		return ASK_OK;
	error = json_string_value(json_object_get(object, "error"));
	(void)ask_fail(ask, error ? error : "the daemon refused, and did not say why");
	return ASK_NO;
}

/* Handles complete lines in the buffer, up to the limit of a step. */
static enum ask_state ask_lines(struct ask *ask)
{
	enum ask_state state = ASK_GOES_ON;
	int rows = 0;

	ask->more = false;
	while (state == ASK_GOES_ON) {
		char *line = ask->line + ask->start;
		char *end = memchr(line, '\n', ask->end - ask->start);

		if (!end)
			break;
		if (rows++ == ROWS_A_STEP) {
			ask->more = true;
			return state;
		}
		*end = '\0';
		ask->start += (size_t)(end - line) + 1;
		state = ask_line(ask, line, (size_t)(end - line));
	}
	/* The last line of an answer stays in the buffer, for ask_last(). */
	if (state == ASK_GOES_ON)
		ask_compact(ask);
	return state;
}

static enum ask_state ask_read(struct ask *ask)
{
	ssize_t got;

	if (clock_ms() >= ask->end_by)
		return ask_fail(ask, "the answer has no end");
	if (ask->more)
		return ask_lines(ask);
	if (ask->end == ASK_LINE_MAX)
		return ask_fail(ask, "a line of the answer is too long");
	got = recv(ask->fd, ask->line + ask->end, ASK_LINE_MAX - ask->end, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return clock_ms() < ask->deadline
			       ? ASK_GOES_ON
			       : ask_fail(ask, "no answer in time; is the daemon stopped, or the "
					       "machine too busy?");
	if (got == -1)
		return ask_fail(ask, strerror(errno));
	if (got == 0)
		return ask_fail(ask, "the daemon closed the connection without an answer");
	ask->end += (size_t)got;
	ask->heard += (size_t)got;
	if (ask->heard > ASK_ANSWER_MAX)
		return ask_fail(ask, "the answer is too long");
	ask->deadline = clock_ms() + ask->limit;
	if (ask->deadline > ask->end_by)
		ask->deadline = ask->end_by;
	return ask_lines(ask);
}

enum ask_state ask_step(struct ask *ask)
{
	ask_write(ask);
	return ask_read(ask);
}

int ask_fd(const struct ask *ask)
{
	return ask->fd;
}

short ask_events(const struct ask *ask)
{
	return ask->sent < ask->request_len ? POLLIN | POLLOUT : POLLIN;
}

int ask_wait(const struct ask *ask)
{
	int64_t left = ask->deadline - clock_ms();

	return ask->more || left < 0 ? 0 : (int)left;
}

enum ask_state ask_finish(struct ask *ask)
{
	enum ask_state state;

	while ((state = ask_step(ask)) == ASK_GOES_ON) {
		struct pollfd ready = {.fd = ask->fd, .events = ask_events(ask)};

		/* A signal is handled like a timeout: tries again. */
		if (poll(&ready, 1, ask_wait(ask)) == -1 && errno != EINTR)
			return ask_fail(ask, strerror(errno));
	}
	return state;
}

json_t *ask_last(const struct ask *ask)
{
	return ask->last;
}

const char *ask_last_line(const struct ask *ask)
{
	return ask->last_line;
}

const char *ask_error(const struct ask *ask)
{
	return ask->error;
}

const char *ask_code(const struct ask *ask)
{
	const char *code = json_string_value(json_object_get(ask->last, "code"));

	return code ? code : "";
}
