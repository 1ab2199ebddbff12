/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control/connection.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/control/dialer.h"
#include "proto/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* Longest wait for a look-up without another address: less than SESSION_CONNECT_MS. */
	CONNECTION_LOOKUP_MS = 15000,
	/* Delay before the spare address is tried. */
	CONNECTION_SPARE_MS = 5000,
	/* Delay between addresses if a quick one did not work. */
	CONNECTION_DELAY_MS = 2000,
};

struct connection {
	struct event_base *base;
	connection_feed feed;
	void *arg;
	struct dialer *dialer;
	struct bufferevent *stream; /* NULL: not connected */
	struct event *timer;	    /* for the look-up */
	int64_t deadline;	    /* of the look-up */
	struct in_addr spare;	    /* 0: none, or already tried */
	bool looking_up;
	char no_name[160]; /* why the name has no address; "": it may have one */
	uint32_t patience;
	uint16_t port;
};

static void connection_on_timer(evutil_socket_t fd, short what, void *arg);
static void connection_on_dialed(int fd, struct in_addr remote, int error, void *arg);

struct connection *connection_new(struct event_base *base, uint32_t patience, connection_feed feed,
				  void *arg)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->timer = evtimer_new(base, connection_on_timer, connection);
	connection->dialer = dialer_new(base, connection_on_dialed, connection);
	if (!connection->timer || !connection->dialer) {
		if (connection->timer)
			event_free(connection->timer);
		dialer_free(connection->dialer);
		free(connection);
		return NULL;
	}
	connection->base = base;
	connection->patience = patience;
	connection->feed = feed;
	connection->arg = arg;
	return connection;
}

void connection_free(struct connection *connection)
{
	if (!connection)
		return;
	connection_close(connection);
	dialer_free(connection->dialer);
	event_free(connection->timer);
	free(connection);
}

void connection_close(struct connection *connection)
{
	connection->looking_up = false;
	connection->no_name[0] = '\0';
	clock_arm(connection->timer, -1);
	dialer_reset(connection->dialer, 0, 0);
	if (connection->stream) {
		int fd = bufferevent_getfd(connection->stream);
		struct evbuffer *output = bufferevent_get_output(connection->stream);

		/* One last attempt to send "quit"; the kernel delivers what it has accepted. */
		if (fd != -1 && evbuffer_get_length(output) > 0)
			(void)evbuffer_write(output, fd);
		bufferevent_free(connection->stream);
		connection->stream = NULL;
	}
}

static void connection_fail(struct connection *connection, enum client_exit status,
			    const char *text)
{
	const struct session_event event = {
		.input = SESSION_FAILED, .status = status, .text = text};

	connection_close(connection);
	connection->feed(&event, connection->arg);
}

static void connection_fail_errno(struct connection *connection, struct in_addr remote, int error)
{
	char address[INET_ADDRSTRLEN];
	char text[160];
	enum client_exit status = CLIENT_UNREACHABLE;

	if (error == ECONNREFUSED)
		status = CLIENT_REFUSED;
	else if (error == ETIMEDOUT)
		status = CLIENT_TIMEOUT;
	else if (error == ENOMEM || error == EMFILE || error == ENFILE)
		status = CLIENT_LOCAL;
	(void)snprintf(text, sizeof(text), "cannot connect to %s port %u: %s",
		       inet_ntop(AF_INET, &remote, address, sizeof(address)), connection->port,
		       strerror(error));
	connection_fail(connection, status, text);
}

static void connection_fail_name(struct connection *connection)
{
	char text[sizeof(connection->no_name)];

	(void)strlcpy(text, connection->no_name, sizeof(text));
	connection_fail(connection, CLIENT_NAME, text);
}

/* Connecting to all addresses known so far has failed. */
static void connection_stuck(struct connection *connection)
{
	struct in_addr remote;
	int error = dialer_error(connection->dialer, &remote);

	/* The look-up is still running, or will time out. */
	if (connection->looking_up)
		return;
	if (connection->no_name[0] || !error)
		connection_fail_name(connection);
	else
		connection_fail_errno(connection, remote, error);
}

/* Tries these addresses as well. */
static void connection_try(struct connection *connection, const struct in_addr *addresses,
			   size_t count)
{
	if (!dialer_add(connection->dialer, addresses, count))
		connection_stuck(connection);
}

static void connection_try_spare(struct connection *connection)
{
	struct in_addr spare = connection->spare;

	connection->spare.s_addr = 0;
	connection_try(connection, &spare, spare.s_addr ? 1 : 0);
}

static void connection_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct connection *connection = arg;

	(void)fd;
	(void)what;
	if (connection->spare.s_addr && clock_ms() < connection->deadline) {
		clock_arm(connection->timer, connection->deadline);
		connection_try_spare(connection);
		return;
	}
	if (connection->looking_up)
		(void)snprintf(connection->no_name, sizeof(connection->no_name),
			       "server name not found: no answer to the look-up within %d s",
			       CONNECTION_LOOKUP_MS / 1000);
	connection_fail_name(connection);
}

static void connection_on_line(struct connection *connection, char *line)
{
	struct session_event event = {.input = SESSION_LINE, .line = line, .len = strlen(line)};
	char shown[DTCP_LINE_SIZE * 4];

	if (log_is_debug())
		log_debug("server: %s", log_escape(line, event.len, shown, sizeof(shown)));
	connection->feed(&event, connection->arg);
}

static void connection_on_readable(struct bufferevent *stream, void *arg)
{
	struct connection *connection = arg;
	struct evbuffer *input = bufferevent_get_input(stream);

	/* Handling the event may close it. */
	while (connection->stream == stream && evbuffer_get_length(input) > 0) {
		size_t size = evbuffer_get_length(input);
		size_t len;
		size_t used;

		if (size > DTCP_LINE_SIZE)
			size = DTCP_LINE_SIZE;

		const char *buf = (const char *)evbuffer_pullup(input, (ev_ssize_t)size);

		if (!buf) {
			connection_fail(connection, CLIENT_LOCAL, strerror(ENOMEM));
			return;
		}
		enum line_status status = line_next(buf, size, &len, &used);

		if (status == LINE_MORE)
			return;
		if (status != LINE_READY) {
			const struct session_event event = {
				.input = SESSION_BAD_LINE,
				.text = status == LINE_NUL ? "a NUL byte in a line"
							   : "a line of more than 512 bytes"};

			connection->feed(&event, connection->arg);
			return;
		}
		char line[DTCP_LINE_SIZE];

		memcpy(line, buf, len);
		line[len] = '\0';
		(void)evbuffer_drain(input, used);
		connection_on_line(connection, line);
	}
}

static void connection_on_event(struct bufferevent *stream, short what, void *arg)
{
	struct connection *connection = arg;
	int error = evutil_socket_geterror(bufferevent_getfd(stream));
	struct session_event event = {.input = SESSION_CLOSED};
	char text[120];

	(void)stream;
	if (what & BEV_EVENT_ERROR) {
		(void)snprintf(text, sizeof(text), "connection lost: %s", strerror(error));
		event.text = text;
		if (error == ETIMEDOUT) {
			event.input = SESSION_FAILED;
			event.status = CLIENT_TIMEOUT;
		}
	} else {
		event.text = "the server closed the connection";
	}
	connection->feed(&event, connection->arg);
}

static void connection_on_dialed(int fd, struct in_addr remote, int error, void *arg)
{
	struct connection *connection = arg;
	struct session_event event = {.input = SESSION_CONNECTED, .remote = remote};
	struct sockaddr_in local;
	socklen_t len = sizeof(local);

	if (fd == -1) {
		connection_stuck(connection);
		return;
	}
	if (getsockname(fd, (struct sockaddr *)&local, &len) == -1)
		error = errno;
	else
		connection->stream =
			bufferevent_socket_new(connection->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!connection->stream) {
		close(fd);
		connection_fail_errno(connection, remote, error ? error : ENOMEM);
		return;
	}
	event.local = local.sin_addr;
	connection->looking_up = false;
	clock_arm(connection->timer, -1);
	/* If the peer is gone, the kernel would keep trying for a quarter of an hour. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &connection->patience,
		       sizeof(connection->patience)) == -1)
		log_debug("TCP_USER_TIMEOUT: %s", strerror(errno));
	/* A flooding server is slowed down by its own socket buffer. */
	bufferevent_setwatermark(connection->stream, EV_READ, 0, (size_t)8 * DTCP_LINE_SIZE);
	bufferevent_setcb(connection->stream, connection_on_readable, NULL, connection_on_event,
			  connection);
	(void)bufferevent_enable(connection->stream, EV_READ);
	connection->feed(&event, connection->arg);
}

static void connection_begin(struct connection *connection, uint16_t port, struct in_addr spare)
{
	connection_close(connection);
	connection->port = port;
	connection->spare = spare;
	dialer_reset(connection->dialer, port,
		     spare.s_addr ? CONNECTION_DELAY_MS : DIALER_DELAY_MS);
}

void connection_open(struct connection *connection, uint16_t port, struct in_addr address)
{
	connection_begin(connection, port, (struct in_addr){0});
	connection_try(connection, &address, 1);
}

void connection_open_name(struct connection *connection, uint16_t port, const struct in_addr *known,
			  size_t count, struct in_addr spare)
{
	int64_t now = clock_ms();

	connection_begin(connection, port, spare);
	connection->looking_up = true;
	connection->deadline = now + CONNECTION_LOOKUP_MS;
	clock_arm(connection->timer,
		  spare.s_addr ? now + CONNECTION_SPARE_MS : connection->deadline);
	connection_try(connection, known, count);
}

bool connection_looks_up(const struct connection *connection)
{
	return connection->looking_up;
}

void connection_found(struct connection *connection, const struct in_addr *addresses, size_t count)
{
	connection->looking_up = false;
	connection->spare.s_addr = 0;
	clock_arm(connection->timer, -1);
	connection_try(connection, addresses, count);
}

void connection_not_found(struct connection *connection, const char *text)
{
	connection->looking_up = false;
	(void)strlcpy(connection->no_name, text, sizeof(connection->no_name));
	/* Attempts in progress get the time of the look-up. */
	clock_arm(connection->timer, connection->deadline);
	connection_try_spare(connection);
}

void connection_send(struct connection *connection, const char *line)
{
	char shown[DTCP_REQUEST_SHOWN];

	if (!connection->stream)
		return;
	log_debug("client: %s", request_shown(line, shown, sizeof(shown)));
	if (evbuffer_add_printf(bufferevent_get_output(connection->stream), "%s\r\n", line) != -1)
		return;
	/* The server would wait for the line, and we for the answer. Ends the connection. */
	log_warnx("cannot send to the server: %s", strerror(ENOMEM));
	(void)shutdown(bufferevent_getfd(connection->stream), SHUT_RDWR);
}
