/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client side of a control socket (dtcpctl(8), PROTOCOL): finds sockets, connects, sends a
 * question, and reads its answer row by row. Nothing blocks but ask_finish(), so that an event loop
 * can use it as well. Text of the daemon is passed on unchanged; whoever displays it has to escape
 * it.
 */
#ifndef DTCP_CTL_ASK_H
#define DTCP_CTL_ASK_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

/* Longest question, longest line of an answer, and longest answer, in octets with the line ends. */
#define ASK_REQUEST_MAX 4096
#define ASK_LINE_MAX	65536
#define ASK_ANSWER_MAX	(64 << 20)

/* Time limit of a whole answer, as a multiple of the time that a daemon may be silent. */
#define ASK_PATIENCE 10

/* Longest path of a socket, with its NUL. */
#define ASK_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* A socket that a daemon made. */
struct ask_daemon {
	char path[ASK_PATH_SIZE];
	char interface[IF_NAMESIZE];
	bool client; /* dtcpclient; otherwise dtcps */
};

/*
 * The sockets in a folder, servers first, sorted by interface; ask_open() shows whether a daemon is
 * listening. Returns their number, with *out to be freed, or -errno; a missing folder has no
 * sockets.
 */
int ask_find(const char *folder, struct ask_daemon **out);

/* "dtcps" or "dtcpclient". */
const char *ask_program(const struct ask_daemon *daemon);

enum ask_state {
	ASK_GOES_ON, /* the answer is not complete */
	ASK_OK,	     /* ask_last() is the end of the answer */
	ASK_NO,	     /* the daemon reported an error: ask_code(), ask_error() */
	ASK_FAILED,  /* the connection has failed: ask_error() */
};

/* A row: the object, which is valid during the call, and the line it was parsed from. */
typedef void (*ask_row)(json_t *row, const char *line, void *arg);

struct ask;

/*
 * Connects. Returns 0, or -errno: -ENOENT and -ECONNREFUSED if there is no daemon, -EACCES without
 * permission, -EAGAIN if too many others are waiting for it, -ENAMETOOLONG, -ENOMEM.
 */
int ask_open(const char *path, struct ask **out);
void ask_close(struct ask *ask);

/*
 * Sends a question; the previous one must have been answered completely. row may be NULL. limit is
 * the time without data from the daemon, in milliseconds, after which the question fails; the whole
 * answer may take ASK_PATIENCE times as long. Returns 0, or -errno: -EMSGSIZE if the question is
 * too long.
 */
int ask_begin(struct ask *ask, const json_t *question, int limit, ask_row row, void *arg);

/*
 * Does what can be done without blocking, for a bounded number of rows. After ASK_GOES_ON, call it
 * again when ask_fd() is ready for ask_events() (as in poll(2)), or after ask_wait() milliseconds,
 * which is 0 if more has been read than one call handles.
 */
enum ask_state ask_step(struct ask *ask);
int ask_fd(const struct ask *ask);
short ask_events(const struct ask *ask);
int ask_wait(const struct ask *ask);

/* Blocks until the end of the answer. */
enum ask_state ask_finish(struct ask *ask);

/*
 * The last line, as an object and as text, after ASK_OK and ASK_NO; valid until the next question,
 * or ask_close().
 */
json_t *ask_last(const struct ask *ask);
const char *ask_last_line(const struct ask *ask);

/* The error after ASK_NO (the daemon's text) and ASK_FAILED; one line, never NULL. */
const char *ask_error(const struct ask *ask);

/* The error code after ASK_NO, such as "denied"; otherwise "". */
const char *ask_code(const struct ask *ask);

#endif
