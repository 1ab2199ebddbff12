/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Closing of connections. If a socket is closed while its peer still sends, the kernel reports a
 * broken connection to the peer, which may then not see the answer. So this shuts down the sending
 * side, and reads on for a moment.
 */
#include "base/clock.h"
#include "base/loop.h"
#include "ctl/ctl_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Limit of connections being closed slowly, and milliseconds for each. */
enum { LEAVE_MAX = 16, LEAVE_MS = 1000 };

struct ctl_leaving {
	TAILQ_ENTRY(ctl_leaving) next_leaving;
	struct ctl *ctl;
	int fd;
	struct event *event;
	int64_t until;
};

static void leave_end(struct ctl_leaving *leaving)
{
	TAILQ_REMOVE(&leaving->ctl->leaving, leaving, next_leaving);
	leaving->ctl->n_leaving--;
	event_free(leaving->event);
	close(leaving->fd);
	free(leaving);
}

static void leave_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_leaving *leaving = arg;
	char heard[4096];
	ssize_t n = recv(fd, heard, sizeof(heard), 0);

	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR) || (what & EV_TIMEOUT) ||
	    clock_ms() >= leaving->until)
		leave_end(leaving);
}

void ctl_leave(struct ctl *ctl, int fd)
{
	const struct timeval most = {.tv_sec = LEAVE_MS / 1000};
	struct ctl_leaving *leaving = calloc(1, sizeof(*leaving));

	if (leaving)
		leaving->event =
			event_new(ctl->base, fd, EV_READ | EV_PERSIST, leave_on_event, leaving);
	if (!leaving || !leaving->event || shutdown(fd, SHUT_WR) == -1) {
		if (leaving && leaving->event)
			event_free(leaving->event);
		free(leaving);
		close(fd);
		return;
	}
	leaving->ctl = ctl;
	leaving->fd = fd;
	leaving->until = clock_ms() + LEAVE_MS;
	TAILQ_INSERT_TAIL(&ctl->leaving, leaving, next_leaving);
	loop_add(leaving->event, &most);
	/* Over the limit, the oldest is closed at once: it has had time to read. */
	if (++ctl->n_leaving > LEAVE_MAX)
		leave_end(TAILQ_FIRST(&ctl->leaving));
}

void ctl_leave_all(struct ctl *ctl)
{
	struct ctl_leaving *leaving = TAILQ_FIRST(&ctl->leaving);

	while (leaving) {
		struct ctl_leaving *next = TAILQ_NEXT(leaving, next_leaving);

		leave_end(leaving);
		leaving = next;
	}
}

void ctl_leave_flush(struct evbuffer *output, int fd, int64_t deadline)
{
	/* The bufferevent holds the beginning for itself. */
	(void)evbuffer_unfreeze(output, 1);
	while (evbuffer_get_length(output) > 0) {
		struct pollfd ready = {.fd = fd, .events = POLLOUT};
		int64_t left = deadline - clock_ms();

		if (evbuffer_write(output, fd) > 0)
			continue;
		if (errno != EAGAIN && errno != EINTR)
			return;
		if (left <= 0 || (poll(&ready, 1, (int)left) == -1 && errno != EINTR))
			return;
	}
}
