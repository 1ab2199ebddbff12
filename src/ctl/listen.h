/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket's place in the file system, for root processes: made before anybody can ask,
 * removed at the end, or by the guard.
 */
#ifndef DTCP_CTL_LISTEN_H
#define DTCP_CTL_LISTEN_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>

/* The folder of all sockets without a path of their own. */
#define CTL_FOLDER DTCP_RUNDIR "/dtcp"

/* Who may connect beside root, if there is such a group. */
#define CTL_GROUP "dtcp"

/* Room for a path; what the kernel takes for the name of a socket. */
enum { CTL_PATH_SIZE = 108 };

/* The value of the setting with which there is no socket. */
#define CTL_OFF "off"

/* For a setting: the path of a socket, or CTL_OFF. False after options_bad(). */
bool ctl_listen_check(const char *where, const char *value);

/*
 * Where the socket of a program is: setting, or by default CTL_FOLDER/PROGRAM.sock, with "-" and
 * the interface behind PROGRAM unless interface is NULL. False: there is to be none.
 */
bool ctl_listen_path(const char *setting, const char *program, const char *interface,
		     char path[static CTL_PATH_SIZE]);

/* A socket that has been made. */
struct ctl_listen {
	char path[CTL_PATH_SIZE]; /* "": none */
	/* Refers to the file there (O_PATH), which keeps nothing alive: by it the file is known
	 * even if another one has taken its place. */
	int file;
};

/*
 * Makes a listening socket, which everybody of CTL_GROUP can connect to; one that a dead program
 * has left is replaced. Returns the descriptor, or -errno after logging.
 */
int ctl_listen_open(const char *path, struct ctl_listen *listen_at);

/* For a guard: takes over file, which refers to what root's process has made at path. If it does
 * not refer to a socket it is closed, and there is nothing to remove. */
void ctl_listen_take(const char *path, int file, struct ctl_listen *listen_at);

/* Removes it, unless it is another one by now; closes file. Zeroes are allowed. */
void ctl_listen_remove(struct ctl_listen *listen_at);

#endif
