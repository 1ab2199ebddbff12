/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/session.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void session_init(struct session *session, const struct session_config *config)
{
	*session = (struct session){.config = *config, .deadline = -1, .up_since = -1};
}

void session_account(struct session *session, const char *user, const char *password)
{
	(void)strlcpy(session->user, user, sizeof(session->user));
	(void)strlcpy(session->password, password, sizeof(session->password));
}

void session_wipe(struct session *session)
{
	explicit_bzero(session->password, sizeof(session->password));
}

const char *session_state_name(enum session_state state)
{
	static const char *const names[] = {
		[SESSION_IDLE] = "idle",	 [SESSION_CONNECT] = "connect",
		[SESSION_GREETING] = "greeting", [SESSION_LOGIN] = "login",
		[SESSION_RAISE] = "raise",	 [SESSION_UP] = "up",
		[SESSION_QUIT] = "quit",	 [SESSION_LOWER] = "lower",
		[SESSION_WAIT] = "wait",	 [SESSION_DONE] = "done",
	};

	return names[state];
}

/* The one place where the state changes. timeout in milliseconds, -1 for none. */
static void session_enter(struct session *session, enum session_state state, int64_t now,
			  int64_t timeout)
{
	log_debug("%s -> %s", session_state_name(session->state), session_state_name(state));
	session->state = state;
	session->deadline = timeout < 0 ? -1 : now + timeout;
}

static void session_connect(struct session *session, int64_t now, struct session_actions *actions)
{
	actions->what |= SESSION_DO_CONNECT;
	session->ping_sent = false;
	session->up_since = -1;
	session_enter(session, SESSION_CONNECT, now, SESSION_CONNECT_MS);
}

/* Connection and tunnel are gone: do what was decided when the end began. */
static void session_then(struct session *session, int64_t now, struct session_actions *actions)
{
	switch (session->then) {
	case SESSION_THEN_EXIT:
		actions->what |= SESSION_DO_EXIT;
		actions->status = session->status;
		session_enter(session, SESSION_DONE, now, -1);
		break;
	case SESSION_THEN_RECONNECT:
		session_connect(session, now, actions);
		break;
	case SESSION_THEN_RETRY:
		/* A quarter up or down, so that the clients of one server do not march in step. */
		session_enter(session, SESSION_WAIT, now,
			      (int64_t)session->delay * 750 +
				      (int64_t)session->config.random(session->delay * 500 + 1));
		break;
	}
}

/* The connection is closed; the tunnel goes next, if there is one. */
static void session_disconnected(struct session *session, int64_t now,
				 struct session_actions *actions)
{
	if (session->link && !session->raising) {
		session->link = false;
		actions->what |= SESSION_DO_LOWER;
		session_enter(session, SESSION_LOWER, now, -1);
	} else if (session->link) {
		session_enter(session, SESSION_LOWER, now, -1);
	} else {
		session_then(session, now, actions);
	}
}

/* How long until the next attempt, in seconds. */
static uint32_t session_delay(struct session *session, enum client_exit status)
{
	uint32_t delay = SESSION_RETRY_MIN;

	/* Nothing that a quick second attempt could change. */
	if (status == CLIENT_AUTH || status == CLIENT_TYPE || status == CLIENT_NAT)
		return SESSION_RETRY_MAX;
	for (unsigned int i = 0; i < session->attempts && delay < SESSION_RETRY_MAX; i++)
		delay *= 2;
	return delay < SESSION_RETRY_MAX ? delay : SESSION_RETRY_MAX;
}

/* Ends this session because of a failure; the format says which. */
__attribute__((format(printf, 5, 6))) static void session_fail(struct session *session, int64_t now,
							       struct session_actions *actions,
							       enum client_exit status,
							       const char *format, ...)
{
	bool retry = session->config.loop && status != CLIENT_LOCAL;
	char reason[400];
	char next[60] = "";
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	session->status = status;
	session->then = retry ? SESSION_THEN_RETRY : SESSION_THEN_EXIT;
	if (session->up_since >= 0)
		session->attempts = 0;
	if (retry) {
		session->delay = session_delay(session, status);
		session->attempts++;
		(void)snprintf(next, sizeof(next), "; next attempt in about %" PRIu32 " s",
			       session->delay);
	}
	actions->warning = true;
	(void)snprintf(actions->message, sizeof(actions->message), "%s%s%s",
		       session->up_since >= 0 ? "tunnel down: " : "", reason, next);
	session->up_since = -1;
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

/* Ends this session because somebody asked for it: politely, if the server knows of a tunnel. */
static void session_leave(struct session *session, int64_t now, struct session_actions *actions,
			  const char *why)
{
	bool known = session->state == SESSION_RAISE || session->state == SESSION_UP;

	session->status = CLIENT_OK;
	session->attempts = 0;
	if (session->up_since >= 0)
		(void)snprintf(actions->message, sizeof(actions->message), "tunnel down: %s", why);
	session->up_since = -1;
	if (known) {
		(void)strlcpy(actions->send, "quit", sizeof(actions->send));
		actions->what |= SESSION_DO_SEND;
		session_enter(session, SESSION_QUIT, now, SESSION_QUIT_MS);
		return;
	}
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

/* The server has answered to quit, or nothing more is to be had from it. */
static void session_quit_done(struct session *session, int64_t now, struct session_actions *actions)
{
	actions->what |= SESSION_DO_CLOSE;
	session_disconnected(session, now, actions);
}

static void session_on_greeting(struct session *session, const struct session_event *event,
				int64_t now, struct session_actions *actions)
{
	char response[DTCP_RESPONSE_SIZE];
	struct dtcp_greeting greeting;
	const char *why = NULL;

	switch (greeting_parse(event->line, event->len, &greeting, &why)) {
	case REPLY_GARBAGE:
		session_fail(session, now, actions, CLIENT_GARBAGE,
			     "%s: the server's greeting is not understood: %s",
			     session->config.server, why);
		return;
	case REPLY_ERROR:
		session_fail(session, now, actions, CLIENT_SERVER, "%s: refused by the server: %s",
			     session->config.server, reply_reason(event->line));
		return;
	case REPLY_OK:
		break;
	}
	if (!digest_response(session->user, greeting.challenge, session->password, response) ||
	    request_format(session->user, response, session->config.type, actions->send,
			   sizeof(actions->send)) == 0) {
		session_fail(session, now, actions, CLIENT_LOCAL,
			     "cannot compute the login's response (is MD5 disabled here?)");
		return;
	}
	actions->what |= SESSION_DO_SEND;
	session_enter(session, SESSION_LOGIN, now, SESSION_LOGIN_MS);
}

static void session_on_refusal(struct session *session, const char *reason, int64_t now,
			       struct session_actions *actions)
{
	const char *server = session->config.server;

	if (strcasestr(reason, "authentication"))
		session_fail(session, now, actions, CLIENT_AUTH,
			     "%s: user %s: wrong user name or password (server: %s)", server,
			     session->user, reason);
	else if (strcasestr(reason, "unsupported tunnel type"))
		session_fail(session, now, actions, CLIENT_TYPE,
			     "%s: the server does not offer tunnel type %s (server: %s)", server,
			     tunnel_type_name(session->config.type), reason);
	else
		session_fail(session, now, actions, CLIENT_SERVER, "%s: refused by the server: %s",
			     server, reason);
}

static void session_on_reply(struct session *session, const struct session_event *event,
			     int64_t now, struct session_actions *actions)
{
	const char *why = NULL;

	switch (reply_parse(event->line, event->len, session->config.type, &session->reply, &why)) {
	case REPLY_GARBAGE:
		session_fail(session, now, actions, CLIENT_GARBAGE,
			     "%s: the server's reply is not understood: %s", session->config.server,
			     why);
		return;
	case REPLY_ERROR:
		session_on_refusal(session, reply_reason(event->line), now, actions);
		return;
	case REPLY_OK:
		break;
	}
	if (session->config.check_nat && session->reply.me.s_addr != session->local.s_addr) {
		char seen[INET_ADDRSTRLEN];
		char here[INET_ADDRSTRLEN];

		session_fail(session, now, actions, CLIENT_NAT,
			     "%s: NAT found: the server sees %s, but the address here is %s; "
			     "protocol 41 does not pass most NATs (-n skips this check)",
			     session->config.server,
			     inet_ntop(AF_INET, &session->reply.me, seen, sizeof(seen)),
			     inet_ntop(AF_INET, &session->local, here, sizeof(here)));
		return;
	}
	session->link = true;
	session->raising = true;
	actions->what |= SESSION_DO_RAISE;
	session_enter(session, SESSION_RAISE, now, -1);
}

/* A line while the tunnel is up or being made: the answer to a ping, or the server's farewell. */
static void session_on_answer(struct session *session, const struct session_event *event,
			      int64_t now, struct session_actions *actions)
{
	const char *why = NULL;

	switch (answer_parse(event->line, event->len, &why)) {
	case REPLY_GARBAGE:
		session_fail(session, now, actions, CLIENT_GARBAGE, "%s: server not understood: %s",
			     session->config.server, why);
		return;
	case REPLY_ERROR:
		session_fail(session, now, actions, CLIENT_SERVER, "%s: the server says: %s",
			     session->config.server, reply_reason(event->line));
		return;
	case REPLY_OK:
		break;
	}
	if (session->state == SESSION_UP) {
		session->ping_sent = false;
		session->deadline = now + (int64_t)session->config.keepalive * 1000;
	}
}

static void session_on_line(struct session *session, const struct session_event *event, int64_t now,
			    struct session_actions *actions)
{
	switch (session->state) {
	case SESSION_GREETING:
		session_on_greeting(session, event, now, actions);
		break;
	case SESSION_LOGIN:
		session_on_reply(session, event, now, actions);
		break;
	case SESSION_RAISE:
	case SESSION_UP:
		session_on_answer(session, event, now, actions);
		break;
	case SESSION_QUIT: /* whatever it says, it has heard us */
		session_quit_done(session, now, actions);
		break;
	case SESSION_IDLE:
	case SESSION_CONNECT:
	case SESSION_LOWER:
	case SESSION_WAIT:
	case SESSION_DONE:
		break;
	}
}

static void session_on_time(struct session *session, int64_t now, struct session_actions *actions)
{
	const char *server = session->config.server;

	switch (session->state) {
	case SESSION_CONNECT:
		session_fail(session, now, actions, CLIENT_TIMEOUT, "%s: connection timed out",
			     server);
		break;
	case SESSION_GREETING:
	case SESSION_LOGIN:
		session_fail(session, now, actions, CLIENT_TIMEOUT,
			     "%s: connected, but no answer within %d s", server,
			     SESSION_LOGIN_MS / 1000);
		break;
	case SESSION_UP:
		if (session->ping_sent) {
			session_fail(session, now, actions, CLIENT_TIMEOUT,
				     "%s: no answer to ping within %" PRIu32 " s", server,
				     session->config.keepalive_timeout);
			break;
		}
		(void)strlcpy(actions->send, "ping", sizeof(actions->send));
		actions->what |= SESSION_DO_SEND;
		session->ping_sent = true;
		session->deadline = now + (int64_t)session->config.keepalive_timeout * 1000;
		break;
	case SESSION_QUIT:
		session_quit_done(session, now, actions);
		break;
	case SESSION_WAIT:
		session_connect(session, now, actions);
		break;
	case SESSION_IDLE:
	case SESSION_RAISE:
	case SESSION_LOWER:
	case SESSION_DONE:
		session->deadline = -1;
		break;
	}
}

static void session_on_raised(struct session *session, int64_t now, struct session_actions *actions)
{
	session->raising = false;
	if (session->state == SESSION_RAISE) {
		session->up_since = now;
		session_enter(session, SESSION_UP, now, (int64_t)session->config.keepalive * 1000);
	} else if (session->state == SESSION_LOWER) {
		session_disconnected(session, now, actions);
	}
}

static void session_on_raise_error(struct session *session, int64_t now,
				   struct session_actions *actions)
{
	session->raising = false;
	session->link = false;
	if (session->state == SESSION_RAISE)
		session_fail(session, now, actions, CLIENT_LOCAL, "the tunnel cannot be made here");
	else if (session->state == SESSION_LOWER)
		session_then(session, now, actions);
}

/* The connection is of no use any more: it failed, was closed, or brings what is no line. */
static void session_on_broken(struct session *session, const struct session_event *event,
			      int64_t now, struct session_actions *actions)
{
	const char *server = session->config.server;

	/* Why the session ends has been decided already, and what comes then. */
	if (session->state == SESSION_QUIT) {
		session_quit_done(session, now, actions);
		return;
	}
	if (session->state < SESSION_CONNECT || session->state > SESSION_UP)
		return;
	if (event->input == SESSION_FAILED)
		session_fail(session, now, actions, event->status, "%s: %s", server, event->text);
	else if (event->input == SESSION_BAD_LINE)
		session_fail(session, now, actions, CLIENT_GARBAGE, "%s: server not understood: %s",
			     server, event->text);
	else
		session_fail(session, now, actions, CLIENT_CLOSED, "%s: %s", server, event->text);
}

void session_feed(struct session *session, const struct session_event *event, int64_t now,
		  struct session_actions *actions)
{
	*actions = (struct session_actions){0};
	switch (event->input) {
	case SESSION_START:
		session_connect(session, now, actions);
		break;
	case SESSION_CONNECTED:
		session->local = event->local;
		session->remote = event->remote;
		session_enter(session, SESSION_GREETING, now, SESSION_LOGIN_MS);
		break;
	case SESSION_LINE:
		session_on_line(session, event, now, actions);
		break;
	case SESSION_FAILED:
	case SESSION_BAD_LINE:
	case SESSION_CLOSED:
		session_on_broken(session, event, now, actions);
		break;
	case SESSION_RAISED:
		session_on_raised(session, now, actions);
		break;
	case SESSION_RAISE_ERROR:
		session_on_raise_error(session, now, actions);
		break;
	case SESSION_LOWERED:
		if (session->state == SESSION_LOWER)
			session_then(session, now, actions);
		break;
	case SESSION_RECONNECT:
		/* Before the start there is no account to log in with. */
		if (session->state == SESSION_IDLE || session->state == SESSION_DONE ||
		    (session->then == SESSION_THEN_EXIT &&
		     (session->state == SESSION_QUIT || session->state == SESSION_LOWER)))
			break;
		session->then = SESSION_THEN_RECONNECT;
		if (session->state != SESSION_QUIT && session->state != SESSION_LOWER)
			session_leave(session, now, actions, "reconnecting on request");
		break;
	case SESSION_STOP:
		session->then = SESSION_THEN_EXIT;
		session->status = CLIENT_OK;
		if (session->state != SESSION_QUIT && session->state != SESSION_LOWER &&
		    session->state != SESSION_DONE)
			session_leave(session, now, actions, "stopped");
		break;
	case SESSION_TIME:
		if (session->deadline >= 0 && now >= session->deadline)
			session_on_time(session, now, actions);
		break;
	}
}
