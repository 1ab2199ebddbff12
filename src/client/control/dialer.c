/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control/dialer.h"

#include "base/log.h"
#include "base/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct dialer_attempt {
	struct dialer *dialer;
	struct in_addr address;
	int fd; /* -1: failed */
	struct event *writable;
};

struct dialer {
	struct event_base *base;
	dialer_done done;
	void *arg;
	struct event *timer; /* starts the next attempt */
	uint16_t port;
	struct timeval delay;
	struct in_addr waiting[DIALER_ADDRESSES_MAX];
	size_t n_waiting;
	struct dialer_attempt attempts[DIALER_ADDRESSES_MAX];
	size_t n_attempts;
	size_t n_open; /* attempts in progress */
	struct in_addr failed;
	int error;
};

static void dialer_next(struct dialer *dialer);

static void dialer_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct dialer *dialer = arg;

	(void)fd;
	(void)what;
	dialer_next(dialer);
	if (dialer->n_open == 0)
		dialer->done(-1, dialer->failed, dialer->error, dialer->arg);
}

struct dialer *dialer_new(struct event_base *base, dialer_done done, void *arg)
{
	struct dialer *dialer = calloc(1, sizeof(*dialer));

	if (!dialer)
		return NULL;
	dialer->timer = evtimer_new(base, dialer_on_timer, dialer);
	if (!dialer->timer) {
		free(dialer);
		return NULL;
	}
	dialer->base = base;
	dialer->done = done;
	dialer->arg = arg;
	return dialer;
}

/* Ends an attempt in progress. The caller closes the descriptor, or keeps it. */
static int dialer_take(struct dialer_attempt *attempt)
{
	int fd = attempt->fd;

	event_free(attempt->writable);
	attempt->writable = NULL;
	attempt->fd = -1;
	attempt->dialer->n_open--;
	return fd;
}

static void dialer_stop(struct dialer *dialer)
{
	for (size_t i = 0; i < dialer->n_attempts; i++) {
		if (dialer->attempts[i].fd != -1)
			close(dialer_take(&dialer->attempts[i]));
	}
	(void)event_del(dialer->timer);
	dialer->n_attempts = 0;
	dialer->n_waiting = 0;
	dialer->error = 0;
}

void dialer_reset(struct dialer *dialer, uint16_t port, unsigned int delay)
{
	dialer_stop(dialer);
	dialer->port = port;
	dialer->delay.tv_sec = delay / 1000;
	dialer->delay.tv_usec = (suseconds_t)(delay % 1000) * 1000;
}

void dialer_free(struct dialer *dialer)
{
	if (!dialer)
		return;
	dialer_stop(dialer);
	event_free(dialer->timer);
	free(dialer);
}

static void dialer_fail(struct dialer *dialer, struct in_addr address, int error)
{
	char text[INET_ADDRSTRLEN];

	log_debug("cannot connect to %s: %s", inet_ntop(AF_INET, &address, text, sizeof(text)),
		  strerror(error));
	dialer->failed = address;
	dialer->error = error;
}

static void dialer_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct dialer_attempt *attempt = arg;
	struct dialer *dialer = attempt->dialer;
	struct in_addr address = attempt->address;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	(void)dialer_take(attempt);
	if (!error) {
		dialer_stop(dialer);
		dialer->done(fd, address, 0, dialer->arg);
		return;
	}
	close(fd);
	dialer_fail(dialer, address, error);
	dialer_next(dialer);
	if (dialer->n_open == 0)
		dialer->done(-1, dialer->failed, dialer->error, dialer->arg);
}

/* Returns 0, or the errno of an immediate failure. */
static int dialer_start(struct dialer *dialer, struct in_addr address)
{
	const struct sockaddr_in remote = {
		.sin_family = AF_INET, .sin_port = htons(dialer->port), .sin_addr = address};
	struct dialer_attempt *attempt = &dialer->attempts[dialer->n_attempts++];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	*attempt = (struct dialer_attempt){.dialer = dialer, .address = address, .fd = -1};
	if (fd == -1)
		return errno;
	if (connect(fd, (const struct sockaddr *)&remote, sizeof(remote)) == -1 &&
	    errno != EINPROGRESS)
		error = errno;
	if (!error)
		attempt->writable =
			event_new(dialer->base, fd, EV_WRITE, dialer_on_writable, attempt);
	if (!error && (!attempt->writable || event_add(attempt->writable, NULL) == -1))
		error = ENOMEM;
	if (!error) {
		attempt->fd = fd;
		dialer->n_open++;
		return 0;
	}
	if (attempt->writable)
		event_free(attempt->writable);
	close(fd);
	return error;
}

/* Starts the first waiting attempt, skipping those that fail at once. */
static void dialer_next(struct dialer *dialer)
{
	bool started = false;

	while (!started && dialer->n_waiting > 0) {
		struct in_addr address = dialer->waiting[0];
		int error = dialer_start(dialer, address);

		dialer->n_waiting--;
		memmove(dialer->waiting, dialer->waiting + 1, dialer->n_waiting * sizeof(address));
		if (error)
			dialer_fail(dialer, address, error);
		started = !error;
	}
	if (dialer->n_waiting > 0)
		loop_add(dialer->timer, &dialer->delay);
	else
		(void)event_del(dialer->timer);
}

static bool dialer_tried(const struct dialer *dialer, struct in_addr address)
{
	for (size_t i = 0; i < dialer->n_attempts; i++) {
		if (dialer->attempts[i].address.s_addr == address.s_addr)
			return true;
	}
	return false;
}

/* Adds it to the waiting list, unless it was tried already. */
static void dialer_wait(struct dialer *dialer, struct in_addr address)
{
	if (dialer->n_attempts + dialer->n_waiting == DIALER_ADDRESSES_MAX ||
	    dialer_tried(dialer, address))
		return;
	for (size_t i = 0; i < dialer->n_waiting; i++) {
		if (dialer->waiting[i].s_addr == address.s_addr)
			return;
	}
	dialer->waiting[dialer->n_waiting++] = address;
}

bool dialer_add(struct dialer *dialer, const struct in_addr *addresses, size_t count)
{
	struct in_addr before[DIALER_ADDRESSES_MAX];
	size_t n_before = dialer->n_waiting;

	memcpy(before, dialer->waiting, n_before * sizeof(before[0]));
	dialer->n_waiting = 0;
	for (size_t i = 0; i < count; i++)
		dialer_wait(dialer, addresses[i]);
	for (size_t i = 0; i < n_before; i++)
		dialer_wait(dialer, before[i]);
	/* Otherwise the timer starts the next one; it is running if there was one waiting. */
	if (dialer->n_open == 0)
		dialer_next(dialer);
	else if (n_before == 0 && dialer->n_waiting > 0)
		loop_add(dialer->timer, &dialer->delay);
	return dialer->n_open > 0;
}

int dialer_error(const struct dialer *dialer, struct in_addr *remote)
{
	*remote = dialer->failed;
	return dialer->error;
}
