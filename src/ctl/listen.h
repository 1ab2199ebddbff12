/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket in the file system, for root processes: made before any connection, removed at
 * the end or by the guard.
 */
#ifndef DTCP_CTL_LISTEN_H
#define DTCP_CTL_LISTEN_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>

/* The folder of sockets without a configured path. */
#define CTL_FOLDER DTCP_RUNDIR "/dtcp"

/* The group that may connect, besides root, if it exists. */
#define CTL_GROUP "dtcp"

/* Size of a path; the kernel's limit for a socket's name. */
enum { CTL_PATH_SIZE = 108 };

/* The setting's value for no socket. */
#define CTL_OFF "off"

/* Checks a setting: the path of a socket, or CTL_OFF. False after options_bad(). */
bool ctl_listen_check(const char *where, const char *value);

/*
 * The path of a program's socket: setting, or by default CTL_FOLDER/PROGRAM.sock, with "-" and the
 * interface behind PROGRAM unless interface is NULL. False: no socket.
 */
bool ctl_listen_path(const char *setting, const char *program, const char *interface,
		     char path[static CTL_PATH_SIZE]);

/* A socket's file. */
struct ctl_listen {
	char path[CTL_PATH_SIZE]; /* "": none */
	/*
	 * Refers to the file (O_PATH) without keeping the socket open, to recognize it even if
	 * another file has replaced it.
	 */
	int file;
};

/*
 * Makes a listening socket that members of CTL_GROUP can connect to; replaces one that a dead
 * program has left. Returns the descriptor, or -errno after logging.
 */
int ctl_listen_open(const char *path, struct ctl_listen *listen_at);

/*
 * For a guard: takes ownership of file, which refers to the socket of root's process at path. If it
 * does not refer to a socket, it is closed, and nothing will be removed.
 */
void ctl_listen_take(const char *path, int file, struct ctl_listen *listen_at);

/* Removes the socket, unless another one has replaced it; closes file. Zeroes are allowed. */
void ctl_listen_remove(struct ctl_listen *listen_at);

#endif
