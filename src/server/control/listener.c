/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/listener.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections accepted before other events get a turn. */
enum { LISTENER_BATCH = 32 };

/* Pause when out of descriptors, with nothing to close. */
enum { LISTENER_REST_MS = 1000 };

/* Interval of the log line about it. */
enum { LISTENER_SAY_MS = 60000 };

struct listener {
	int fd;
	const struct listener_owner *owner;
	struct event *readable;
	struct event *resume;
	bool stopped;
	int64_t say_at; /* milliseconds; next log line not before then */
};

/* Pauses, to avoid spinning on connections that cannot be accepted. */
static void listener_pause(struct listener *listener, int64_t ms)
{
	const struct timeval pause = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000),
	};

	if (evtimer_add(listener->resume, &pause) == 0)
		(void)event_del(listener->readable);
}

static void listener_rest(struct listener *listener, int error)
{
	int64_t now = clock_ms();

	if (now >= listener->say_at) {
		errno = error;
		log_warn("cannot accept connections, trying again every second");
		listener->say_at = now + LISTENER_SAY_MS;
	}
	listener_pause(listener, LISTENER_REST_MS);
}

/* Skips connections that were closed while they waited in the kernel. */
static bool listener_is_gone(int fd)
{
	char octet;
	ssize_t n = recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n == -1 && errno != EAGAIN);
}

/* Accepts one connection. False if there are no more now. */
static bool listener_accept(struct listener *listener)
{
	const struct listener_owner *owner = listener->owner;
	struct sockaddr_in peer = {.sin_family = AF_INET};
	socklen_t len = sizeof(peer);
	int fd =
		accept4(listener->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int error = errno;

	if (fd >= 0 && listener_is_gone(fd)) {
		close(fd);
		return true;
	}
	if (fd >= 0) {
		owner->accepted(fd, peer.sin_addr, owner->arg);
		return true;
	}
	switch (error) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		/*
		 * A closed descriptor is free when libevent has had its turn; accepting then
		 * continues here.
		 */
		if (!owner->exhausted(owner->arg))
			listener_rest(listener, error);
		return false;
	default:
		/* An error of this connection only: accept(2) reports network errors as well. */
		return true;
	}
}

static void listener_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < LISTENER_BATCH && !listener->stopped; i++) {
		int64_t wait = listener->owner->wait(listener->owner->arg);

		if (wait > 0)
			listener_pause(listener, wait);
		if (wait > 0 || !listener_accept(listener))
			return;
	}
}

static void listener_on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;

	(void)fd;
	(void)what;
	if (!listener->stopped)
		loop_add(listener->readable, NULL);
}

struct listener *listener_new(struct event_base *base, int fd, const struct listener_owner *owner)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener) {
		close(fd);
		return NULL;
	}
	listener->fd = fd;
	listener->owner = owner;
	listener->readable =
		event_new(base, fd, EV_READ | EV_PERSIST, listener_on_readable, listener);
	listener->resume = evtimer_new(base, listener_on_resume, listener);
	if (!listener->readable || !listener->resume || event_add(listener->readable, NULL) == -1) {
		listener_free(listener);
		return NULL;
	}
	return listener;
}

void listener_stop(struct listener *listener)
{
	listener->stopped = true;
	(void)event_del(listener->readable);
}

void listener_free(struct listener *listener)
{
	if (!listener)
		return;
	if (listener->readable)
		event_free(listener->readable);
	if (listener->resume)
		event_free(listener->resume);
	close(listener->fd);
	free(listener);
}
