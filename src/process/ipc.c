/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/ipc.h"

#include "base/log.h"
#include "base/loop.h"
#include "process/ipc_wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

struct ipc_queued {
	STAILQ_ENTRY(ipc_queued) next;
	int fd;
	/* As it travels, padding included. */
	struct ipc_header header;
	unsigned char body[];
};

struct ipc {
	int fd;
	const char *name;
	const struct ipc_row *rows;
	size_t n_rows;
	ipc_closed closed;
	void *closed_arg;
	void *arg;		 /* for the rows' handlers */
	void (*pong)(void *arg); /* called for the answer to a ping; NULL: no pending ping */
	void *pong_arg;
	struct event *readable;
	struct event *writable;
	STAILQ_HEAD(, ipc_queued) queue;
	size_t queued;
	bool batched; /* the queue is sent at the end of this turn of the loop */
	bool *freed;  /* set while handlers run, so that one may free the channel */
};

static void ipc_on_readable(evutil_socket_t fd, short what, void *arg);
static void ipc_on_writable(evutil_socket_t fd, short what, void *arg);

int ipc_pair(int fds[static 2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -errno;
	return 0;
}

pid_t ipc_maker(int fd)
{
	struct ucred made;
	socklen_t size = sizeof(made);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &made, &size) == -1)
		return -errno;
	return made.pid;
}

struct ipc *ipc_new(struct event_base *base, int fd, const char *name, const struct ipc_row *rows,
		    size_t n_rows, ipc_closed closed, void *arg)
{
	struct ipc *ipc = calloc(1, sizeof(*ipc));

	if (!ipc)
		return NULL;
	ipc->fd = fd;
	ipc->name = name;
	ipc->rows = rows;
	ipc->n_rows = n_rows;
	ipc->closed = closed;
	ipc->closed_arg = ipc->arg = arg;
	STAILQ_INIT(&ipc->queue);
	ipc->readable = event_new(base, fd, EV_READ | EV_PERSIST, ipc_on_readable, ipc);
	ipc->writable = event_new(base, fd, EV_WRITE, ipc_on_writable, ipc);
	if (!ipc->readable || !ipc->writable || evutil_make_socket_nonblocking(fd) == -1 ||
	    event_add(ipc->readable, NULL) == -1) {
		if (ipc->readable)
			event_free(ipc->readable);
		if (ipc->writable)
			event_free(ipc->writable);
		free(ipc);
		return NULL;
	}
	return ipc;
}

void ipc_set_handlers_arg(struct ipc *ipc, void *arg)
{
	ipc->arg = arg;
}

static void ipc_queued_free(struct ipc_queued *queued)
{
	if (queued->fd != -1)
		close(queued->fd);
	/* Messages may contain passwords. */
	explicit_bzero(queued->body, queued->header.size);
	free(queued);
}

void ipc_batch(struct ipc *ipc)
{
	ipc->batched = true;
}

/* Queues a message. Returns 0, or -ENOMEM: then the caller still owns fd. */
static int ipc_enqueue(struct ipc *ipc, const struct ipc_header *header, const void *body, int fd)
{
	struct ipc_queued *queued =
		calloc(1, offsetof(struct ipc_queued, header) + ipc_wire_padded(header->size));
	bool first = STAILQ_EMPTY(&ipc->queue);

	if (!queued)
		return -ENOMEM;
	if (first && !ipc->batched && event_add(ipc->writable, NULL) == -1) {
		free(queued);
		return -ENOMEM;
	}
	queued->fd = fd;
	queued->header = *header;
	if (body)
		memcpy(queued->body, body, header->size);
	STAILQ_INSERT_TAIL(&ipc->queue, queued, next);
	ipc->queued++;
	if (first && ipc->batched)
		event_active(ipc->writable, EV_WRITE, 0);
	return 0;
}

int ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd)
{
	const struct ipc_header header = {.type = type, .size = (uint32_t)size};
	int error = -EAGAIN;

	if (size > IPC_BODY_MAX) {
		error = -EMSGSIZE;
		goto done;
	}
	if (!ipc->batched && STAILQ_EMPTY(&ipc->queue))
		error = ipc_wire_send_one(ipc->fd, &header, body, size, fd);
	if (error == -EAGAIN || error == -ENOBUFS) {
		error = ipc_enqueue(ipc, &header, body, fd);
		if (!error)
			return 0;
	}
	/* A closed channel is noticed by the reader, which calls closed(). */
	if (error == -EPIPE || error == -ECONNRESET)
		error = 0;
done:
	if (fd != -1)
		close(fd);
	return error;
}

/*
 * Collects the pieces of the next packet: messages from the head of the queue, of which only the
 * first may have a descriptor. Returns their number.
 */
static size_t ipc_gather(struct ipc *ipc, struct iovec pieces[static IPC_WIRE_MESSAGES_MAX])
{
	struct ipc_queued *queued;
	size_t count = 0;
	size_t len = 0;
	size_t padded = 0; /* of the last one, if another one follows */

	STAILQ_FOREACH (queued, &ipc->queue, next) {
		size_t size = sizeof(queued->header) + queued->header.size;

		if (count == IPC_WIRE_MESSAGES_MAX || len + size > IPC_WIRE_PACKET_MAX ||
		    (count > 0 && queued->fd != -1))
			break;
		if (count > 0)
			pieces[count - 1].iov_len = padded;
		padded = ipc_wire_padded(queued->header.size);
		pieces[count++] = (struct iovec){.iov_base = &queued->header, .iov_len = size};
		len += padded;
	}
	return count;
}

/* Sends the queue until the socket is full. Returns 0 or -errno (-EAGAIN: some is left). */
static int ipc_drain(struct ipc *ipc)
{
	struct iovec pieces[IPC_WIRE_MESSAGES_MAX];
	struct ipc_queued *queued;

	while ((queued = STAILQ_FIRST(&ipc->queue))) {
		size_t count = ipc_gather(ipc, pieces);
		int error = ipc_wire_send(ipc->fd, pieces, count, queued->fd);

		if (error)
			return error;
		for (; count > 0; count--) {
			queued = STAILQ_FIRST(&ipc->queue);
			STAILQ_REMOVE_HEAD(&ipc->queue, next);
			ipc->queued--;
			ipc_queued_free(queued);
		}
	}
	return 0;
}

static void ipc_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct ipc *ipc = arg;
	int error = ipc_drain(ipc);

	(void)fd;
	(void)what;
	if (error == -EAGAIN || error == -ENOBUFS) {
		loop_add(ipc->writable, NULL);
	} else if (error && error != -EPIPE && error != -ECONNRESET && ipc->closed) {
		/* Later messages must not overtake it, so this ends the channel. */
		log_warnx("cannot send to %s: %s", ipc->name, strerror(-error));
		(void)event_del(ipc->readable);
		ipc->closed(ipc, true, ipc->closed_arg);
	}
	/* A closed channel is noticed by the reader. */
}

int ipc_ping(struct ipc *ipc, void (*pong)(void *arg), void *arg)
{
	int error = ipc_send(ipc, IPC_PING, NULL, 0, -1);

	ipc->pong = error ? NULL : pong;
	ipc->pong_arg = arg;
	return error;
}

size_t ipc_backlog(const struct ipc *ipc)
{
	return ipc->queued;
}

void ipc_flush(struct ipc *ipc, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = ipc->fd, .events = POLLOUT};

	while (ipc_drain(ipc) == -EAGAIN) {
		if (poll(&poll_fd, 1, timeout_ms) <= 0)
			return;
	}
}

bool ipc_row_with_fd(const struct ipc_row *row)
{
	return row->on_fd || row->on_body_fd;
}

void ipc_row_handle(const struct ipc_row *row, const void *body, int fd, void *arg)
{
	if (row->on_event)
		row->on_event(arg);
	else if (row->on_body)
		row->on_body(body, arg);
	else if (row->on_fd)
		row->on_fd(fd, arg);
	else if (row->on_body_fd)
		row->on_body_fd(body, fd, arg);
}

static const struct ipc_row *ipc_find_row(const struct ipc *ipc, uint32_t type)
{
	static const struct ipc_row pong = {.type = IPC_PONG};
	static const struct ipc_row levels[] = {{.type = IPC_INFO}, {.type = IPC_DEBUG}};

	if (type == IPC_PONG)
		return ipc->pong ? &pong : NULL;
	/* Row of the end that sends pings. */
	if (type == IPC_INFO || type == IPC_DEBUG)
		return ipc_find_row(ipc, IPC_PING) ? &levels[type - IPC_INFO] : NULL;
	for (size_t i = 0; i < ipc->n_rows; i++) {
		if (ipc->rows[i].type == type)
			return &ipc->rows[i];
	}
	return NULL;
}

/* Calls the handler of a message that matches its row; the handler owns body and fd. */
static void ipc_take(struct ipc *ipc, const struct ipc_row *row, const void *body, int fd)
{
	void (*pong)(void *arg) = ipc->pong;

	if (row->type == IPC_PONG) {
		ipc->pong = NULL;
		pong(ipc->pong_arg);
	} else if (row->type == IPC_PING) {
		/* Without memory for the answer, the process counts as not responding, which is
		 * right. */
		(void)ipc_send(ipc, IPC_PONG, NULL, 0, -1);
	} else if (row->type == IPC_INFO || row->type == IPC_DEBUG) {
		log_set_debug(row->type == IPC_DEBUG);
	} else {
		ipc_row_handle(row, body, fd, ipc->arg);
	}
}

/*
 * Finds the row of a message, which is complete in its packet if its header says so; NULL after
 * logging if it is invalid.
 */
static const struct ipc_row *ipc_judge(const struct ipc *ipc, const struct ipc_header *header,
				       bool whole, bool with_fd)
{
	const struct ipc_row *row = ipc_find_row(ipc, header->type);

	if (!row && header->type == IPC_PONG)
		log_warnx("%s answered what it was not asked", ipc->name);
	else if (!row)
		log_warnx("unexpected message %u from %s", header->type, ipc->name);
	else if (!whole || row->size != header->size || ipc_row_with_fd(row) != with_fd)
		log_warnx("message %u from %s has the wrong form", header->type, ipc->name);
	else
		return row;
	return NULL;
}

/*
 * Handles the messages of a packet; fd came with it. Returns their number, fewer if a handler has
 * freed the channel; -2 for a violation.
 */
static int ipc_take_packet(struct ipc *ipc, struct ipc_wire_packet *packet, int fd,
			   const bool *freed)
{
	const struct ipc_header *header;
	const void *body;
	int count = 0;
	int more;

	while (!*freed && (more = ipc_wire_next(packet, &header, &body)) != 0) {
		const struct ipc_row *row = ipc_judge(ipc, header, more > 0, fd != -1);

		if (!row) {
			if (fd != -1)
				close(fd);
			return -2;
		}
		ipc_take(ipc, row, body, fd);
		fd = -1;
		count++;
	}
	return count;
}

static void ipc_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct ipc_wire_packet packet;
	struct ipc *ipc = arg;
	bool freed = false;
	int result = 1;
	int passed;

	(void)fd;
	(void)what;
	ipc->freed = &freed;
	/* Bounded, so that one busy channel does not starve the process's other work. */
	for (int count = 0; count < 64 && result > 0 && !freed; count += result) {
		result = ipc_wire_receive(ipc->fd, &packet, &passed);
		if (result == -2)
			log_warnx("malformed message from %s", ipc->name);
		if (result > 0)
			result = ipc_take_packet(ipc, &packet, passed, &freed);
		/* Messages may contain passwords. */
		explicit_bzero(packet.octets, packet.len);
	}
	if (freed)
		return;
	ipc->freed = NULL;
	if (result < 0) {
		(void)event_del(ipc->readable);
		ipc->closed(ipc, result == -2, ipc->closed_arg);
	}
}

void ipc_free(struct ipc **owner)
{
	struct ipc *ipc = *owner;
	struct ipc_queued *queued;

	if (!ipc)
		return;
	*owner = NULL;
	if (ipc->freed)
		*ipc->freed = true;
	if (ipc->batched)
		(void)ipc_drain(ipc);
	while ((queued = STAILQ_FIRST(&ipc->queue))) {
		STAILQ_REMOVE_HEAD(&ipc->queue, next);
		ipc_queued_free(queued);
	}
	event_free(ipc->readable);
	event_free(ipc->writable);
	close(ipc->fd);
	free(ipc);
}
