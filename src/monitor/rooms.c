/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/rooms.h"

#include "base/log.h"
#include "base/room.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Two seconds in steps of ten milliseconds. */
enum { ROOMS_TICKS = 200 };

struct rooms {
	int argc;
	char *const *argv;
	rooms_ended ended;
	void *arg;
	struct event *child;
	struct {
		const char *name;
		pid_t pid;
	} list[ROOMS_MAX];
	size_t count;
};

static const char *rooms_forget(struct rooms *rooms, pid_t pid)
{
	for (size_t i = 0; i < rooms->count; i++) {
		if (rooms->list[i].pid == pid) {
			const char *name = rooms->list[i].name;

			rooms->list[i] = rooms->list[--rooms->count];
			return name;
		}
	}
	return NULL;
}

static void rooms_on_child(evutil_socket_t fd, short what, void *arg)
{
	struct rooms *rooms = arg;
	int status;
	pid_t pid;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		rooms->ended(rooms_forget(rooms, pid), pid, status, rooms->arg);
}

struct rooms *rooms_new(struct event_base *base, int argc, char *const argv[], rooms_ended ended,
			void *arg)
{
	struct rooms *rooms = calloc(1, sizeof(*rooms));

	if (!rooms)
		return NULL;
	rooms->argc = argc;
	rooms->argv = argv;
	rooms->ended = ended;
	rooms->arg = arg;
	rooms->child = evsignal_new(base, SIGCHLD, rooms_on_child, rooms);
	if (!rooms->child || evsignal_add(rooms->child, NULL) == -1) {
		free(rooms);
		return NULL;
	}
	return rooms;
}

int rooms_start(struct rooms *rooms, const char *name, const int fds[], size_t n_fds)
{
	pid_t pid = -EMFILE;

	if (rooms->count < ROOMS_MAX)
		pid = room_spawn(name, rooms->argc, rooms->argv, fds, n_fds);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (pid < 0) {
		errno = -pid;
		log_warn("cannot start the room %s", name);
		return pid;
	}
	rooms->list[rooms->count].name = name;
	rooms->list[rooms->count++].pid = pid;
	return 0;
}

void rooms_end(struct rooms *rooms)
{
	const struct timespec tick = {.tv_nsec = 10000000};

	event_free(rooms->child);
	for (int ticks = 0; rooms->count > 0; ticks++) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0) {
			const char *name = rooms_forget(rooms, pid);

			/* It may be the cause of the end, noticed after another room's. */
			if (name && WIFSIGNALED(status) && ticks < ROOMS_TICKS)
				log_warnx("room %s: %s", name, rooms_status_text(status));
			continue;
		}
		if (pid == -1 && errno == ECHILD)
			break;
		if (ticks == ROOMS_TICKS) {
			for (size_t i = 0; i < rooms->count; i++) {
				log_warnx("room %s does not end, killed", rooms->list[i].name);
				(void)kill(rooms->list[i].pid, SIGKILL);
			}
		}
		(void)nanosleep(&tick, NULL);
	}
	free(rooms);
}

bool rooms_is_consequence(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *rooms_status_text(int status)
{
	static char text[40];

	if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text), "killed by signal %d", WTERMSIG(status));
	else
		(void)snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(status));
	return text;
}
