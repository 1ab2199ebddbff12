/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels between the processes: fixed-size typed messages, with at most one descriptor each, over
 * a SOCK_SEQPACKET socket pair. Sending never blocks; what the peer has not taken yet is queued.
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
 * What a process takes from a channel: one row for each type, written with the macros below. body
 * has exactly the size that the row names and is aligned for any type; fd is the descriptor that
 * came with the message and is the handler's to close.
 */
struct ipc_row {
	uint32_t type;
	size_t size; /* of the body, 0: there is none */
	/* One of them, by what the message brings; none for IPC_ANSWERS_PINGS. */
	void (*on_event)(void *arg);
	void (*on_body)(const void *body, void *arg);
	void (*on_fd)(int fd, void *arg);
	void (*on_body_fd)(const void *body, int fd, void *arg);
};

/* A message that says all with its type; with a body; with a descriptor; with both. */
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
 * The types that are the channel's own: for ipc_ping(), and without a body how much the process at
 * the other end logs from now on.
 */
enum { IPC_INFO = 0x7ffffffc, IPC_DEBUG, IPC_PING, IPC_PONG };

/*
 * The other end may ask whether we are alive, and say how much is to be logged; the channel does it
 * by itself.
 */
#define IPC_ANSWERS_PINGS                                                                          \
	{                                                                                          \
		.type = IPC_PING                                                                   \
	}

/* True if a descriptor must come with a message of this row; else none may. */
bool ipc_row_with_fd(const struct ipc_row *row);

/* Has a row's handler take a message of its form. */
void ipc_row_handle(const struct ipc_row *row, const void *body, int fd, void *arg);

/* The other end has closed, or sent what is not in the table (which is logged first). */
typedef void (*ipc_closed)(struct ipc *ipc, bool violated, void *arg);

/*
 * Takes over fd, which becomes non-blocking. rows must stay valid. name is for the log ("control")
 * and names the process at the other end. NULL if memory is short; then fd is still the caller's.
 */
struct ipc *ipc_new(struct event_base *base, int fd, const char *name, const struct ipc_row *rows,
		    size_t n_rows, ipc_closed closed, void *arg);

/* The handlers of the rows get this arg from now on; closed() keeps the one of ipc_new(). */
void ipc_set_handlers_arg(struct ipc *ipc, void *arg);

/*
 * Sends or queues a message; size 0, with NULL for body: it has none. fd, if not -1, is closed when
 * it has been handed over. Returns 0 or -errno; fd is closed in either case. That the other end has
 * gone is told by closed(), not here.
 */
int ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd);

/*
 * From here on messages go out together at the end of each turn of the loop, and when the channel
 * is freed: many small ones then cost the other end one wake-up. Not for what has to be told before
 * something is done.
 */
void ipc_batch(struct ipc *ipc);

/*
 * Asks whether the process at the other end still takes messages, which its table must allow
 * (IPC_ANSWERS_PINGS); pong() is called when it has answered. One at a time: a pong that was not
 * asked for is a violation. Returns 0 or -errno: then there will be no answer.
 */
int ipc_ping(struct ipc *ipc, void (*pong)(void *arg), void *arg);

/* How many messages the other end has not taken yet, beyond what its socket holds. */
size_t ipc_backlog(const struct ipc *ipc);

/* Writes out what is queued, waiting at most timeout_ms. For a last word before exit. */
void ipc_flush(struct ipc *ipc, int timeout_ms);

/*
 * Closes the channel and sets its owner's pointer to NULL, which it may be already. A channel has
 * one owner; whoever else has to reach it later keeps the address of the owner's pointer, so that
 * none is left that leads to a channel that is gone. Handlers may do it, too.
 */
void ipc_free(struct ipc **owner);

/* A socket pair for a channel, close-on-exec. Returns 0 or -errno. */
int ipc_pair(int fds[static 2]);

/*
 * The process that made the pair which fd is an end of, also when it has ended: by then getppid()
 * tells a process of somebody else. -errno on failure.
 */
pid_t ipc_maker(int fd);

#endif
