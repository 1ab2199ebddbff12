/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/rooms.h"

#include "base/log.h"
#include "process/capabilities.h"
#include "process/output.h"
#include "process/room.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Two seconds in steps of ten milliseconds; and one more for those that had to be killed. */
enum { ROOMS_TICKS = 200, ROOMS_TICKS_MAX = 300 };

struct rooms {
	struct event_base *base;
	int argc;
	char *const *argv;
	rooms_ended ended;
	void *arg;
	struct event *child;
	struct {
		const char *name;
		pid_t pid;
		struct output *output; /* what it logs; NULL: it does that by itself */
	} list[ROOMS_MAX];
	size_t count;
};

static const char *rooms_forget(struct rooms *rooms, pid_t pid)
{
	for (size_t i = 0; i < rooms->count; i++) {
		if (rooms->list[i].pid == pid) {
			const char *name = rooms->list[i].name;

			/* Its last words come before what is said of its end. */
			if (rooms->list[i].output)
				output_drain(rooms->list[i].output);
			output_free(rooms->list[i].output);
			rooms->list[i] = rooms->list[--rooms->count];
			return name;
		}
	}
	return NULL;
}

/* Children that are noticed in one go; more than there ever are. */
enum { ROOMS_REAPED = 16 };

static void rooms_on_child(evutil_socket_t fd, short what, void *arg)
{
	struct rooms *rooms = arg;
	int status[ROOMS_REAPED];
	pid_t pid[ROOMS_REAPED];
	size_t count = 0;

	(void)fd;
	(void)what;
	while (count < ROOMS_REAPED && (pid[count] = waitpid(-1, &status[count], WNOHANG)) > 0)
		count++;
	/* One that was killed is the cause where others have left in consequence. */
	for (int killed = 1; killed >= 0; killed--) {
		for (size_t i = 0; i < count; i++) {
			if (WIFSIGNALED(status[i]) == killed)
				rooms->ended(rooms_forget(rooms, pid[i]), pid[i], status[i],
					     rooms->arg);
		}
	}
	/* There may be more. */
	if (count == ROOMS_REAPED)
		event_active(rooms->child, EV_SIGNAL, 1);
}

struct rooms *rooms_new(struct event_base *base, int argc, char *const argv[], rooms_ended ended,
			void *arg)
{
	struct rooms *rooms = calloc(1, sizeof(*rooms));

	if (!rooms)
		return NULL;
	rooms->base = base;
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

static int rooms_spawn(struct rooms *rooms, const char *name, const int fds[], size_t n_fds,
		       struct output *output, int log)
{
	pid_t pid = -EMFILE;

	if (rooms->count < ROOMS_MAX)
		pid = room_spawn(name, rooms->argc, rooms->argv, fds, n_fds, log);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (log != -1)
		close(log);
	if (pid < 0) {
		errno = -pid;
		log_warn("cannot start the room %s", name);
		output_free(output);
		return pid;
	}
	rooms->list[rooms->count].name = name;
	rooms->list[rooms->count].output = output;
	rooms->list[rooms->count++].pid = pid;
	return 0;
}

int rooms_start(struct rooms *rooms, const char *name, const int fds[], size_t n_fds)
{
	int log;
	struct output *output = output_new(rooms->base, name, true, &log);

	/* Where we are busy the room goes on, and what it has to say is lost. */
	if (!output || evutil_make_socket_nonblocking(log) == -1) {
		log_warnx("cannot start the room %s: no pipe for its log", name);
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
		if (log != -1)
			close(log);
		output_free(output);
		return -EMFILE;
	}
	return rooms_spawn(rooms, name, fds, n_fds, output, log);
}

int rooms_start_guard(struct rooms *rooms, const char *name, const int fds[], size_t n_fds)
{
	return rooms_spawn(rooms, name, fds, n_fds, NULL, -1);
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
		if ((pid == -1 && errno == ECHILD) || ticks == ROOMS_TICKS_MAX)
			break;
		if (ticks == ROOMS_TICKS) {
			capabilities_to_kill();
			for (size_t i = 0; i < rooms->count; i++) {
				log_warnx("room %s does not end, killed", rooms->list[i].name);
				if (kill(rooms->list[i].pid, SIGKILL) == -1)
					log_warn("cannot kill process %d", (int)rooms->list[i].pid);
			}
		}
		(void)nanosleep(&tick, NULL);
	}
	while (rooms->count > 0)
		(void)rooms_forget(rooms, rooms->list[0].pid);
	free(rooms);
}

bool rooms_is_consequence(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *rooms_status_text(int status)
{
	static char text[80];

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		(void)snprintf(text, sizeof(text), "killed by its sandbox (signal %d, SIGSYS)",
			       SIGSYS);
	else if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text), "killed by signal %d", WTERMSIG(status));
	else
		(void)snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(status));
	return text;
}
