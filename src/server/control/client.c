/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/client.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than one line waits in the kernel, which slows the sender down. */
enum { CLIENT_INPUT_MAX = 2 * DTCP_LINE_SIZE };

/* How long a client may take to read our last line. */
enum { CLIENT_CLOSE_MS = 5000 };

/* And then to close, while its input is discarded. */
enum { CLIENT_LINGER_MS = 1000 };

void client_free(struct client *client)
{
	if (client->stream)
		bufferevent_free(client->stream);
	if (client->timer)
		event_free(client->timer);
	if (client->word_timer)
		event_free(client->word_timer);
	free(client);
}

static void client_finish(struct client *client)
{
	client->owner->gone(client, client->owner->arg);
	client_free(client);
}

/* Closes when the output is written and no function of the client is on the stack. */
static void client_finish_if_done(struct client *client)
{
	if (!client->closing || client->busy > 0)
		return;
	if (!client->failed && evbuffer_get_length(bufferevent_get_output(client->stream)) > 0)
		return;
	/* Closing with unread input would reset the connection, and lose our last line. */
	if (!client->failed && !client->lingering &&
	    shutdown(bufferevent_getfd(client->stream), SHUT_WR) == 0) {
		client->lingering = true;
		(void)bufferevent_enable(client->stream, EV_READ);
		clock_arm(client->timer, clock_ms() + CLIENT_LINGER_MS);
		return;
	}
	if (client->failed || !client->lingering)
		client_finish(client);
}

/*
 * Nearly every line is written at once, without another wake-up; whatever the socket does not
 * accept is left to libevent, which also reports errors.
 */
static void client_send(struct client *client, const char *line)
{
	struct evbuffer *output = bufferevent_get_output(client->stream);
	char text[DTCP_LINE_SIZE + 2];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s\r\n", line);
	ssize_t sent = 0;

	log_debug("%s: server: %s", client->peer_text, line);
	if (client->failed)
		return;
	if (evbuffer_get_length(output) == 0)
		sent = write(bufferevent_getfd(client->stream), text, len);
	if (sent < 0)
		sent = 0;
	if ((size_t)sent < len && evbuffer_add(output, text + sent, len - (size_t)sent) == -1)
		client->failed = true;
}

static void client_on_word(evutil_socket_t fd, short what, void *arg);

/* Some clients send these words without a line end and wait for the answer. */
static void client_await_word(struct client *client)
{
	if (!client->word_timer)
		client->word_timer = evtimer_new(client->owner->base, client_on_word, client);
	if (!client->word_timer || evtimer_add(client->word_timer, &client->owner->word_wait) == -1)
		client->failed = true;
}

static void client_forget_word(struct client *client)
{
	if (client->word_timer)
		(void)evtimer_del(client->word_timer);
}

static void client_close(struct client *client)
{
	client->closing = true;
	(void)bufferevent_disable(client->stream, EV_READ);
	client_forget_word(client);
	client->owner->ended(client, client->owner->arg);
	clock_arm(client->timer, clock_ms() + CLIENT_CLOSE_MS);
}

/* Nothing more can be written to it, or read from it. */
static void client_fail(struct client *client, const char *why)
{
	client->failed = true;
	if (client->closing)
		return;
	conn_lost(&client->conn, why);
	client_close(client);
}

/* Feeds the state machine an event. client may be closing afterwards, but is still valid. */
static void client_step(struct client *client, const struct conn_event *event)
{
	const unsigned int owners = CONN_DO_LOGIN | CONN_DO_ADD | CONN_DO_UP | CONN_DO_DENIED;
	struct conn_actions actions;

	if (client->closing)
		return;
	conn_feed(&client->conn, event, clock_ms(), &actions);
	if (actions.what & CONN_DO_SEND)
		client_send(client, actions.send);
	clock_arm(client->timer, conn_wake(&client->conn, clock_ms()));
	if (actions.what & owners)
		client->owner->act(client, actions.what & owners, client->owner->arg);
	if (actions.what & CONN_DO_CLOSE)
		client_close(client);
}

static void client_log_line(const struct client *client, const char *line)
{
	char shown[DTCP_REQUEST_SHOWN];
	char escaped[DTCP_LINE_SIZE];

	if (!log_is_debug())
		return;
	(void)request_shown(line, shown, sizeof(shown));
	log_debug("%s: client: %s", client->peer_text,
		  log_escape(shown, strlen(shown), escaped, sizeof(escaped)));
}

/* A client that does not read our answers is not read from until it does. */
static bool client_is_choked(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->stream)) >
	       client->owner->output_max;
}

/* Feeds the received lines, as long as the state machine accepts them. */
static void client_read_lines(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	struct conn_event event = {.input = CONN_LINE};

	client_forget_word(client);
	while (!client->closing && conn_listens(&client->conn, clock_ms()) &&
	       !client_is_choked(client)) {
		size_t size = evbuffer_get_length(input);
		char line[DTCP_LINE_SIZE];
		size_t used = 0;

		if (size > DTCP_LINE_SIZE)
			size = DTCP_LINE_SIZE;
		if (size == 0)
			return;

		const char *buf = (const char *)evbuffer_pullup(input, (ev_ssize_t)size);

		if (!buf) {
			client->failed = true;
			return;
		}

		enum line_status status = line_next(buf, size, &event.len, &used);

		if (status == LINE_MORE) {
			if (request_is_bare_word(buf, size))
				client_await_word(client);
			return;
		}
		if (status != LINE_READY) {
			event.input = CONN_BAD;
		} else {
			memcpy(line, buf, event.len);
			line[event.len] = '\0';
			event.line = line;
			client_log_line(client, line);
		}
		(void)evbuffer_drain(input, used);
		client_step(client, &event);
	}
}

/*
 * At its limit, libevent would report input again and again, in a busy loop. So reading is disabled
 * while the pending input is not wanted.
 */
static void client_mind_input(struct client *client)
{
	size_t size = evbuffer_get_length(bufferevent_get_input(client->stream));
	bool reads = bufferevent_get_enabled(client->stream) & EV_READ;

	if (client->closing || (size < CLIENT_INPUT_MAX) == reads)
		return;
	if (reads)
		(void)bufferevent_disable(client->stream, EV_READ);
	else
		(void)bufferevent_enable(client->stream, EV_READ);
}

/*
 * Every entry into a client runs between these two functions, so that it is freed only at the end,
 * however the state machines call each other.
 */
static void client_enter(struct client *client)
{
	client->busy++;
}

static void client_leave(struct client *client)
{
	if (client->busy == 1) {
		/* Input that came while the state machine did not accept any. */
		client_read_lines(client);
		client_mind_input(client);
	}
	/* Memory for a line was short, and the peer would wait in vain. */
	if (client->failed)
		client_fail(client, strerror(ENOMEM));
	client->busy--;
	client_finish_if_done(client);
}

void client_feed(struct client *client, const struct conn_event *event)
{
	client_enter(client);
	client_step(client, event);
	client_leave(client);
}

bool client_tell(int fd, enum dtcp_reason reason)
{
	char line[DTCP_LINE_SIZE];
	int len = snprintf(line, sizeof(line), "-ERR %s\r\n", reason_text(reason));

	return write(fd, line, (size_t)len) == len;
}

void client_drop(struct client *client, enum dtcp_reason reason)
{
	const struct conn_event event = {.input = CONN_FINISH, .reason = reason};

	client_enter(client);
	client_step(client, &event);
	client->failed = true;
	client_leave(client);
}

static void client_on_readable(struct bufferevent *stream, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(stream);
	const struct client *client = arg;

	if (client->lingering)
		(void)evbuffer_drain(input, evbuffer_get_length(input));
	client_enter(arg);
	client_leave(arg);
}

static void client_on_written(struct bufferevent *stream, void *arg)
{
	(void)stream;
	client_enter(arg);
	client_leave(arg);
}

static void client_on_event(struct bufferevent *stream, short what, void *arg)
{
	struct client *client = arg;
	int error = EVUTIL_SOCKET_ERROR();

	(void)stream;
	client_enter(client);
	client_fail(client,
		    what & BEV_EVENT_EOF ? "client closed the connection" : strerror(error));
	client_leave(client);
}

static void client_on_timer(evutil_socket_t fd, short what, void *arg)
{
	const struct conn_event event = {.input = CONN_TIME};
	struct client *client = arg;

	(void)fd;
	(void)what;
	client_enter(client);
	if (client->closing)
		client->failed = true; /* the peer does not read our last line */
	else
		client_step(client, &event);
	client_leave(client);
}

static void client_on_word(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;
	struct evbuffer *input = bufferevent_get_input(client->stream);
	struct conn_event event = {.input = CONN_LINE, .len = 4};
	char word[5] = "";

	(void)fd;
	(void)what;
	client_enter(client);
	if (evbuffer_copyout(input, word, 4) == 4) {
		(void)evbuffer_drain(input, evbuffer_get_length(input));
		event.line = word;
		client_log_line(client, word);
		client_step(client, &event);
	}
	client_leave(client);
}

/* 32 upper-case hex digits from the system's random generator. */
static bool client_challenge(char challenge[static DTCP_CHALLENGE_OUR + 1])
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char random[DTCP_CHALLENGE_OUR / 2];

	if (RAND_bytes(random, sizeof(random)) != 1) {
		log_warnx("no random bytes for a challenge");
		return false;
	}
	for (size_t i = 0; i < sizeof(random); i++) {
		challenge[2 * i] = digits[random[i] >> 4];
		challenge[2 * i + 1] = digits[random[i] & 15];
	}
	challenge[DTCP_CHALLENGE_OUR] = '\0';
	return true;
}

struct client *client_new(const struct client_owner *owner, int fd, struct in_addr peer)
{
	const struct conn_event start = {.input = CONN_START};
	struct sockaddr_in local = {.sin_family = AF_INET};
	socklen_t len = sizeof(local);
	struct client *client = calloc(1, sizeof(*client));
	char challenge[DTCP_CHALLENGE_OUR + 1];

	if (!client || getsockname(fd, (struct sockaddr *)&local, &len) == -1 ||
	    !client_challenge(challenge)) {
		close(fd);
		free(client);
		return NULL;
	}
	client->owner = owner;
	(void)inet_ntop(AF_INET, &peer, client->peer_text, sizeof(client->peer_text));
	conn_init(&client->conn, &owner->conn, challenge, peer, local.sin_addr);
	client->stream = bufferevent_socket_new(owner->base, fd, BEV_OPT_CLOSE_ON_FREE);
	client->timer = evtimer_new(owner->base, client_on_timer, client);
	if (!client->stream || !client->timer) {
		if (!client->stream)
			close(fd);
		client_free(client);
		return NULL;
	}
	bufferevent_setcb(client->stream, client_on_readable, client_on_written, client_on_event,
			  client);
	bufferevent_setwatermark(client->stream, EV_READ, 0, CLIENT_INPUT_MAX);
	(void)bufferevent_enable(client->stream, EV_READ);
	client_step(client, &start);
	if (client->failed) {
		client_free(client);
		return NULL;
	}
	return client;
}
