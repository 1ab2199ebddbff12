/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels between the rooms: fixed-size typed messages, with at most one descriptor each, over a
 * SOCK_SEQPACKET socket pair. Sending never blocks; what the peer has not taken yet is queued.
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
 * Called for each message. body has exactly the size that the table names and is aligned for any
 * type. fd is the descriptor that came with it and is the handler's to close; -1 where the table
 * says that none comes.
 */
typedef void (*ipc_handler)(struct ipc *ipc, const void *body, int fd, void *arg);

/* What a room takes from a channel: one row for each type. */
struct ipc_row {
	uint32_t type;
	size_t size;
	bool with_fd; /* a descriptor must come with it; else none may */
	ipc_handler handler;
};

/* The other end has closed, or sent what is not in the table (which is logged first). */
typedef void (*ipc_closed)(struct ipc *ipc, bool violated, void *arg);

/*
 * Takes over fd, which becomes non-blocking. rows must stay valid. name is for the log ("control")
 * and names the room at the other end. NULL where memory is short; then fd is still the caller's.
 */
struct ipc *ipc_new(struct event_base *base, int fd, const char *name, const struct ipc_row *rows,
		    size_t n_rows, ipc_closed closed, void *arg);

/*
 * Sends or queues a message; fd, if not -1, is closed when it has been handed over. Returns 0 or
 * -errno; fd is closed in either case. That the other end has gone is told by closed(), not here.
 */
int ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd);

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
 * tells a room of somebody else. -errno on failure.
 */
pid_t ipc_maker(int fd);

#endif
