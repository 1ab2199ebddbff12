/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/connection.h"

#include "base/clock.h"
#include "base/log.h"
#include "proto/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECTION_ADDRESSES_MAX = 8,
	CONNECTION_LOOKUP_MS = SESSION_CONNECT_MS / 2,
};

/*
 * One look-up. Made anew each time, because a laptop's name servers change with its network. It
 * outlives a connection that gives up waiting: libevent still calls back then.
 */
struct resolver {
	struct connection *connection; /* NULL: nobody waits any more */
	struct event_base *base;
	struct evdns_base *dns;
	struct evdns_getaddrinfo_request *request;
};

struct connection {
	struct event_base *base;
	connection_feed feed;
	void *arg;
	struct bufferevent *stream;
	struct resolver *resolver;
	struct event *timer; /* for the look-up, and for an address that others are behind */
	int64_t deadline;    /* of connecting */
	uint32_t patience;
	struct in_addr last; /* see connection_open() */
	bool past;
	uint16_t port;
	struct sockaddr_in remote;
	struct in_addr addresses[CONNECTION_ADDRESSES_MAX]; /* still to be tried */
	size_t n_addresses;
	bool connected;
	unsigned int generation; /* grows with each close, so that a loop notices one */
};

static void connection_on_timer(evutil_socket_t fd, short what, void *arg);

struct connection *connection_new(struct event_base *base, uint32_t patience, connection_feed feed,
				  void *arg)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->timer = evtimer_new(base, connection_on_timer, connection);
	if (!connection->timer) {
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
	event_free(connection->timer);
	free(connection);
}

void connection_close(struct connection *connection)
{
	connection->generation++;
	connection->n_addresses = 0;
	connection->connected = false;
	clock_arm(connection->timer, -1);
	if (connection->resolver) {
		connection->resolver->connection = NULL;
		evdns_getaddrinfo_cancel(connection->resolver->request);
		connection->resolver = NULL;
	}
	if (connection->stream) {
		int fd = bufferevent_getfd(connection->stream);
		struct evbuffer *output = bufferevent_get_output(connection->stream);

		/* One last attempt to get "quit" out; the kernel keeps what it has taken. */
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

static void connection_fail_errno(struct connection *connection, int error)
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
		       inet_ntop(AF_INET, &connection->remote.sin_addr, address, sizeof(address)),
		       connection->port, strerror(error));
	connection_fail(connection, status, text);
}

static void connection_next(struct connection *connection);

/* Not this address; perhaps another one of the same name. */
static void connection_refused(struct connection *connection, int error)
{
	if (connection->n_addresses == 0) {
		connection_fail_errno(connection, error);
		return;
	}
	log_debug("cannot connect to %s: %s", inet_ntoa(connection->remote.sin_addr),
		  strerror(error));
	bufferevent_free(connection->stream);
	connection->stream = NULL;
	connection_next(connection);
}

/* Whoever is asked does not answer. */
static void connection_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct connection *connection = arg;

	(void)fd;
	(void)what;
	if (connection->resolver)
		connection_fail(connection, CLIENT_NAME,
				"server name not found: the name servers do not answer");
	else if (connection->stream && !connection->connected)
		connection_refused(connection, ETIMEDOUT);
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
	unsigned int generation = connection->generation;

	while (generation == connection->generation && evbuffer_get_length(input) > 0) {
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

static void connection_on_connected(struct connection *connection)
{
	struct session_event event = {.input = SESSION_CONNECTED,
				      .remote = connection->remote.sin_addr};
	struct sockaddr_in local;
	socklen_t len = sizeof(local);

	if (getsockname(bufferevent_getfd(connection->stream), (struct sockaddr *)&local, &len) ==
	    -1) {
		connection_fail_errno(connection, errno);
		return;
	}
	event.local = local.sin_addr;
	connection->connected = true;
	connection->n_addresses = 0;
	clock_arm(connection->timer, -1);
	/* Where the other end is gone, the kernel would go on for a quarter of an hour. */
	if (setsockopt(bufferevent_getfd(connection->stream), IPPROTO_TCP, TCP_USER_TIMEOUT,
		       &connection->patience, sizeof(connection->patience)) == -1)
		log_debug("TCP_USER_TIMEOUT: %s", strerror(errno));
	(void)bufferevent_enable(connection->stream, EV_READ);
	connection->feed(&event, connection->arg);
}

static void connection_on_event(struct bufferevent *stream, short what, void *arg)
{
	struct connection *connection = arg;
	int error = evutil_socket_geterror(bufferevent_getfd(stream));
	struct session_event event = {.input = SESSION_CLOSED};
	char text[120];

	(void)stream;
	if (what & BEV_EVENT_CONNECTED) {
		connection_on_connected(connection);
		return;
	}
	if (what & BEV_EVENT_ERROR) {
		if (!connection->connected) {
			connection_refused(connection, error);
			return;
		}
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

static void connection_start(struct connection *connection, struct in_addr address)
{
	connection->remote = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(connection->port), .sin_addr = address};
	connection->stream = bufferevent_socket_new(connection->base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!connection->stream) {
		connection_fail(connection, CLIENT_LOCAL, strerror(ENOMEM));
		return;
	}
	/* A server that floods us waits in its own socket buffer. */
	bufferevent_setwatermark(connection->stream, EV_READ, 0, (size_t)8 * DTCP_LINE_SIZE);
	bufferevent_setcb(connection->stream, connection_on_readable, NULL, connection_on_event,
			  connection);
	if (bufferevent_socket_connect(connection->stream,
				       (const struct sockaddr *)&connection->remote,
				       sizeof(connection->remote)) == -1 &&
	    connection->stream) {
		connection_refused(connection, errno);
	}
}

static void resolver_free(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;

	(void)fd;
	(void)what;
	evdns_base_free(resolver->dns, 0);
	free(resolver);
}

static void connection_next(struct connection *connection)
{
	struct in_addr address = connection->addresses[0];
	int64_t now = clock_ms();

	/* The last one may take all that is left. */
	if (connection->n_addresses > 1 && now < connection->deadline)
		clock_arm(connection->timer,
			  now + (connection->deadline - now) / (int64_t)connection->n_addresses);
	else
		clock_arm(connection->timer, -1);
	connection->n_addresses--;
	memmove(connection->addresses, connection->addresses + 1,
		connection->n_addresses * sizeof(address));
	connection_start(connection, address);
}

/* Brings the address that is to be tried first to the front; the others keep their order. */
static void connection_arrange(struct connection *connection)
{
	struct in_addr arranged[CONNECTION_ADDRESSES_MAX];
	size_t count = connection->n_addresses;
	size_t first = 0;

	while (first < count && connection->addresses[first].s_addr != connection->last.s_addr)
		first++;
	if (first == count)
		return;
	if (connection->past)
		first++;
	for (size_t i = 0; i < count; i++)
		arranged[i] = connection->addresses[(first + i) % count];
	memcpy(connection->addresses, arranged, count * sizeof(arranged[0]));
}

static void connection_on_address(int result, struct evutil_addrinfo *list, void *arg)
{
	static const struct timeval now = {.tv_sec = 0};
	struct resolver *resolver = arg;
	struct connection *connection = resolver->connection;

	/* Its base is still at work when it calls us. */
	(void)event_base_once(resolver->base, -1, EV_TIMEOUT, resolver_free, resolver, &now);
	if (!connection) {
		if (list)
			evutil_freeaddrinfo(list);
		return;
	}
	connection->resolver = NULL;
	clock_arm(connection->timer, -1);
	for (const struct evutil_addrinfo *entry = list;
	     entry && connection->n_addresses < CONNECTION_ADDRESSES_MAX; entry = entry->ai_next) {
		struct sockaddr_in found;

		memcpy(&found, entry->ai_addr, sizeof(found));
		connection->addresses[connection->n_addresses++] = found.sin_addr;
	}
	if (list)
		evutil_freeaddrinfo(list);
	if (connection->n_addresses > 0) {
		connection_arrange(connection);
		connection_next(connection);
	} else {
		char text[120];

		(void)snprintf(text, sizeof(text), "server name not found: %s",
			       result ? evutil_gai_strerror(result) : "no address");
		connection_fail(connection, CLIENT_NAME, text);
	}
}

static void connection_resolve(struct connection *connection, const char *server,
			       const struct names *names)
{
	const struct evutil_addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct evdns_getaddrinfo_request *request;
	struct resolver *resolver;

	connection->n_addresses = names_in_hosts(names->hosts, server, connection->addresses,
						 CONNECTION_ADDRESSES_MAX);
	if (connection->n_addresses > 0) {
		connection_arrange(connection);
		connection_next(connection);
		return;
	}
	resolver = calloc(1, sizeof(*resolver));
	if (resolver)
		resolver->dns = evdns_base_new(connection->base, 0);
	if (!resolver || !resolver->dns) {
		free(resolver);
		connection_fail(connection, CLIENT_LOCAL, strerror(ENOMEM));
		return;
	}
	names_configure(names->resolv, resolver->dns);
	resolver->base = connection->base;
	resolver->connection = connection;
	connection->resolver = resolver;
	clock_arm(connection->timer, clock_ms() + CONNECTION_LOOKUP_MS);
	request = evdns_getaddrinfo(resolver->dns, server, NULL, &hints, connection_on_address,
				    resolver);
	/* NULL: it has been answered already, and may be connected or given up by now. */
	if (request)
		resolver->request = request;
}

bool connection_is_name(const char *server)
{
	struct in_addr address;

	return inet_pton(AF_INET, server, &address) != 1;
}

void connection_open(struct connection *connection, const char *server, uint16_t port,
		     const struct names *names, struct in_addr last, bool past)
{
	struct in_addr address;

	connection_close(connection);
	connection->port = port;
	connection->last = last;
	connection->past = past;
	connection->deadline = clock_ms() + SESSION_CONNECT_MS;
	if (inet_pton(AF_INET, server, &address) == 1)
		connection_start(connection, address);
	else
		connection_resolve(connection, server, names);
}

void connection_send(struct connection *connection, const char *line)
{
	char shown[DTCP_REQUEST_SHOWN];

	if (!connection->stream)
		return;
	log_debug("client: %s", request_shown(line, shown, sizeof(shown)));
	if (evbuffer_add_printf(bufferevent_get_output(connection->stream), "%s\r\n", line) != -1)
		return;
	/* The server would wait for it, and we for the answer. The end of the connection is fed. */
	log_warnx("cannot send to the server: %s", strerror(ENOMEM));
	(void)shutdown(bufferevent_getfd(connection->stream), SHUT_RDWR);
}
