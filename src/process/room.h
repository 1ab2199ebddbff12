/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rooms: each program is split into processes that re-execute the program's own file, so that each
 * has its own address layout and carries nothing over but the descriptors it is given.
 */
#ifndef DTCP_PROCESS_ROOM_H
#define DTCP_PROCESS_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* First descriptor that a room is given; the others follow it. */
#define ROOM_FD 3

/* The user whom the unprivileged rooms run as where none is named: the first that exists. */
#define ROOM_USERS "_dtcp", "nobody"

/*
 * First thing in main(): makes room for process titles, which takes the memory of the arguments;
 * argv points to copies afterwards.
 */
void room_title_init(int argc, char **argv);

/*
 * Takes the hidden first argument "--room=NAME" out of the arguments and returns NAME, or NULL
 * where there is none: then this process is the monitor.
 */
const char *room_name(int *argc, char **argv);

/*
 * Starts the room name with the same arguments. fds become descriptors ROOM_FD and on in the new
 * process. log becomes its standard error, and its other standard descriptors lead nowhere; with
 * -1 it shares our standard output and error. It gets no others. Returns its process id or -errno;
 * the caller closes its own copies of the descriptors.
 */
pid_t room_spawn(const char *name, int argc, char *const argv[], const int fds[], size_t n_fds,
		 int log);

/* The user for the unprivileged rooms: name itself where it is not NULL. NULL: no such user. */
const char *room_user(const char *name);

/* The same; where there is no such user, that is logged. */
bool room_user_check(const char *name);

/*
 * First thing in every room but the monitor: title, log, signals that only the monitor takes.
 */
void room_begin(const char *program, const char *name, bool debug);

#endif
