/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks a daemon over its control socket (dtcpctl(8), PROTOCOL): who has one here, a connection, a
 * question, its answer row by row. Nothing blocks but ask_finish(), so that an event loop can use
 * it as well. What the daemon says is handed on as it is; who shows it has to escape it.
 */
#ifndef DTCP_CTL_ASK_H
#define DTCP_CTL_ASK_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

/* Longest question, longest line of an answer, and all of it, in octets with the line ends. */
#define ASK_REQUEST_MAX 4096
#define ASK_LINE_MAX	65536
#define ASK_ANSWER_MAX	(128 << 20)

/* So many times as long as a daemon may be silent may a whole answer take. */
#define ASK_PATIENCE 10

/* Longest path of a socket, with its NUL. */
#define ASK_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* A socket that a daemon made. */
struct ask_daemon {
	char path[ASK_PATH_SIZE];
	char interface[IF_NAMESIZE];
	bool client; /* dtcpclient; else dtcps */
};

/*
 * The sockets in a folder, servers first, sorted by interface; whether somebody still listens shows
 * ask_open(). Returns their number, with *out to be freed, or -errno; no folder is no socket.
 */
int ask_find(const char *folder, struct ask_daemon **out);

/* "dtcps" or "dtcpclient". */
const char *ask_program(const struct ask_daemon *daemon);

enum ask_state {
	ASK_GOES_ON, /* there is more to come */
	ASK_OK,	     /* ask_last() is the end of the answer */
	ASK_NO,	     /* the daemon said no: ask_code(), ask_error() */
	ASK_FAILED,  /* the connection is of no use any more: ask_error() */
};

/* A row: the object, which is the caller's for the time of the call, and the line that it was. */
typedef void (*ask_row)(json_t *row, const char *line, void *arg);

struct ask;

/*
 * Connects. 0, or -errno: -ENOENT and -ECONNREFUSED if no daemon is there, -EACCES if it is not for
 * us, -EAGAIN if too many others wait for it at the moment, -ENAMETOOLONG, -ENOMEM.
 */
int ask_open(const char *path, struct ask **out);
void ask_close(struct ask *ask);

/*
 * Begins a question, which must not be before the last one has its answer. row may be NULL. The
 * time limit, in milliseconds, is for a daemon that says nothing, and begins anew with all it says,
 * but the answer has an end after ASK_PATIENCE times as long.
 * 0 or -errno: -EMSGSIZE if it is longer than a question may be.
 */
int ask_begin(struct ask *ask, const json_t *question, int limit, ask_row row, void *arg);

/*
 * Does what can be done now, a bounded number of rows at a time. After ASK_GOES_ON it is to be
 * called again when ask_fd() is ready for ask_events() (as poll(2) has them) or ask_wait()
 * milliseconds are over; these are 0 if more was read already than one call handles.
 */
enum ask_state ask_step(struct ask *ask);
int ask_fd(const struct ask *ask);
short ask_events(const struct ask *ask);
int ask_wait(const struct ask *ask);

/* Waits for the end of the answer. */
enum ask_state ask_finish(struct ask *ask);

/* The last line, as an object and as it was, after ASK_OK and ASK_NO; valid until the next
 * question, or the end. */
json_t *ask_last(const struct ask *ask);
const char *ask_last_line(const struct ask *ask);

/* Why not, after ASK_NO (in the daemon's words) and ASK_FAILED; one line, never NULL. */
const char *ask_error(const struct ask *ask);

/* The word for it after ASK_NO, such as "denied"; else "". */
const char *ask_code(const struct ask *ask);

#endif
