/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels between the processes: typed messages of fixed size, with at most one descriptor each,
 * over a SOCK_SEQPACKET socket pair. Sending never blocks; what the peer has not received yet is
 * queued.
 */
#ifndef DTCP_PROCESS_IPC_H
#define DTCP_PROCESS_IPC_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Largest message body in bytes. */
#define IPC_BODY_MAX 2048

struct ipc;

/*
 * The messages that a process accepts from a channel: one row for each type, written with the
 * macros below. body has exactly the size in the row and is aligned for any type; fd is the
 * descriptor that came with the message, and the handler has to close it.
 */
struct ipc_row {
	uint32_t type;
	size_t size; /* of the body, 0: no body */
	/* Exactly one is set, by what the message has; none for IPC_ANSWERS_PINGS. */
	void (*on_event)(void *arg);
	void (*on_body)(const void *body, void *arg);
	void (*on_fd)(int fd, void *arg);
	void (*on_body_fd)(const void *body, int fd, void *arg);
};

/* A message without a body; with a body; with a descriptor; with both. */
#define IPC_EVENT(t, handler)                                                                      \
	{                                                                                          \
		.type = (t), .on_event = (handler)                                                 \
	}
#define IPC_BODY(t, body, handler)                                                                 \
	{                                                                                          \
		.type = (t), .size = sizeof(body), .on_body = (handler)                            \
	}
#define IPC_FD(t, handler)                                                                         \
	{                                                                                          \
		.type = (t), .on_fd = (handler)                                                    \
	}
#define IPC_BODY_FD(t, body, handler)                                                              \
	{                                                                                          \
		.type = (t), .size = sizeof(body), .on_body_fd = (handler)                         \
	}

/*
 * Types of the channel itself: for ipc_ping(), and, without a body, for the log level of the
 * process at the other end.
 */
enum { IPC_INFO = 0x7ffffffc, IPC_DEBUG, IPC_PING, IPC_PONG };

/*
 * Row of a table: the other end may send pings and set the log level; the channel handles both by
 * itself.
 */
#define IPC_ANSWERS_PINGS                                                                          \
	{                                                                                          \
		.type = IPC_PING                                                                   \
	}

/* True if a message of this row must come with a descriptor; otherwise it must not. */
bool ipc_row_with_fd(const struct ipc_row *row);

/* Calls the row's handler for a message that matches the row. */
void ipc_row_handle(const struct ipc_row *row, const void *body, int fd, void *arg);

/* The other end has closed, or sent a message that is not in the table (violated; logged). */
typedef void (*ipc_closed)(struct ipc *ipc, bool violated, void *arg);

/*
 * Makes a channel. It takes over fd, which becomes non-blocking. rows must stay valid. name is the
 * process at the other end ("control"), for the log. NULL if memory is short; then fd is still the
 * caller's.
 */
struct ipc *ipc_new(struct event_base *base, int fd, const char *name, const struct ipc_row *rows,
		    size_t n_rows, ipc_closed closed, void *arg);

/* The handlers of the rows get this arg from now on; closed() keeps that of ipc_new(). */
void ipc_set_handlers_arg(struct ipc *ipc, void *arg);

/*
 * Sends or queues a message; without a body, body is NULL and size 0. fd is a descriptor to pass,
 * or -1; it is closed in any case. Returns 0 or -errno. If the other end has closed, this is
 * reported by closed(), not here.
 */
int ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd);

/*
 * From now on messages are sent together at the end of each turn of the loop, and when the channel
 * is freed, so that many small ones wake the other end up only once. Not for messages that must
 * arrive before something else is done.
 */
void ipc_batch(struct ipc *ipc);

/*
 * Checks that the process at the other end still handles messages; its table must have
 * IPC_ANSWERS_PINGS. pong() is called when it has answered. Only one ping can be pending; a pong
 * without a ping is a violation. Returns 0, or -errno, and then there will be no answer.
 */
int ipc_ping(struct ipc *ipc, void (*pong)(void *arg), void *arg);

/* Number of messages queued here because the other end's socket is full. */
size_t ipc_backlog(const struct ipc *ipc);

/* Sends what is queued, waiting at most timeout_ms. For the last message before exit. */
void ipc_flush(struct ipc *ipc, int timeout_ms);

/*
 * Closes the channel and sets its owner's pointer to NULL; the pointer may already be NULL. A
 * channel has one owner; other code that uses it later keeps the address of the owner's pointer, so
 * that no pointer to a freed channel is left. Handlers may call this, too.
 */
void ipc_free(struct ipc **owner);

/* A socket pair for a channel, close-on-exec. Returns 0 or -errno. */
int ipc_pair(int fds[static 2]);

/*
 * The process that made the socket pair of fd, even if that process has ended, after which
 * getppid() would return another one. -errno on failure.
 */
pid_t ipc_maker(int fd);

#endif
