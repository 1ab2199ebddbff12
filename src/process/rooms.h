/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's children: starting them, noticing their end, ending them. */
#ifndef DTCP_PROCESS_ROOMS_H
#define DTCP_PROCESS_ROOMS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ROOMS_MAX 4

/* A child has ended; name is NULL for one that is not a room (a script). status as of wait(2). */
typedef void (*rooms_ended)(const char *name, pid_t pid, int status, void *arg);

struct rooms;

/* argc and argv are the program's own and must stay valid. NULL where memory is short. */
struct rooms *rooms_new(struct event_base *base, int argc, char *const argv[], rooms_ended ended,
			void *arg);

/*
 * Starts a room, whose log goes through us; name must stay valid. fds are closed here in any case.
 * Returns 0 or -errno after logging.
 */
int rooms_start(struct rooms *rooms, const char *name, const int fds[], size_t n_fds);

/* The same for one that stays root and outlives us, and so has to log by itself. */
int rooms_start_guard(struct rooms *rooms, const char *name, const int fds[], size_t n_fds);

/*
 * Waits for the rooms to end by themselves, as they do once their channels are closed, and kills
 * those that have not after two seconds; then frees.
 */
void rooms_end(struct rooms *rooms);

/*
 * True where a room's end is only the consequence of another's: it left in good order because a
 * channel was closed.
 */
bool rooms_is_consequence(int status);

/* The end of a child in words: "exit status 1", "killed by signal 9", or by its sandbox. Static
 * buffer. */
const char *rooms_status_text(int status);

#endif
