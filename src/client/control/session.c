/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session goes CONNECT, GREETING, LOGIN, (TEST,) RAISE, UP. Its end closes the connection, and
 * removes the tunnel (LOWER) unless it is kept for the next session; then comes the next attempt,
 * at once or after WAIT, or the end of the program.
 */
#include "client/control/session.h"

#include "client/control/session_parts.h"
#include "client/control/session_steps.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void session_init(struct session *session, const struct session_config *config)
{
	*session = (struct session){
		.config = *config,
		.deadline = -1,
		.hold_until = -1,
		.up_since = -1,
		.granted = -1,
		.udp = config->transport == SESSION_UDP,
	};
	for (size_t i = 0; i < config->n_servers; i++)
		session->servers[i].udp = session->udp;
	retry_init(&session->retry, config->n_servers, config->random);
}

void session_account(struct session *session, const char *user)
{
	(void)strlcpy(session->user, user, sizeof(session->user));
}

void session_password(struct session *session, size_t server, const char *password)
{
	(void)strlcpy(session->servers[server].password, password,
		      sizeof(session->servers[server].password));
}

void session_wipe(struct session *session)
{
	for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++)
		explicit_bzero(session->servers[i].password, sizeof(session->servers[i].password));
	explicit_bzero(session->key, sizeof(session->key));
}

int64_t session_deadline(const struct session *session)
{
	if (session->hold_until >= 0 &&
	    (session->deadline < 0 || session->hold_until < session->deadline))
		return session->hold_until;
	return session->deadline;
}

/* A line while the tunnel is up or being made: the answer to a ping, or the server's farewell. */
static void session_on_answer(struct session *session, const struct session_event *event,
			      int64_t now, struct session_actions *actions)
{
	char said[DTCP_LINE_SIZE];
	enum dtcp_reason reason;
	const char *why = NULL;

	switch (answer_parse(event->line, event->len, &why)) {
	case REPLY_GARBAGE:
		session_fail(session, now, actions, CLIENT_GARBAGE, "%s: server not understood: %s",
			     session_server_name(session), why);
		return;
	case REPLY_ERROR:
		reason = reason_parse(session_said(event, said));
		if (reason_closes(reason) || ++session->errors >= SESSION_ERRORS_MAX) {
			session_fail_said(session, now, actions, CLIENT_SERVER, reason,
					  "%s: the server says: %s%s", session_server_name(session),
					  said,
					  reason == REASON_SUPERSEDED
						  ? " (another place uses the account of this user)"
						  : "");
			return;
		}
		/* It has answered, and not closed the connection: not every server knows ping. */
		actions->warning = true;
		session_tell(session, actions, "server-says", "%s: the server says: %.400s",
			     session_server_name(session), said);
		break;
	case REPLY_OK:
		session->errors = 0;
		break;
	}
	if (session->state != SESSION_UP)
		return;
	session->ping_sent = false;
	session->deadline = now + (int64_t)session->config.keepalive * 1000;
	if (session->path.known == CLIENT_PATH_DEAD && session->path.told < SESSION_PATH_SILENT)
		session_path_blocked(session, now, actions);
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
	case SESSION_TEST:
	case SESSION_RAISE:
	case SESSION_UP:
		session_on_answer(session, event, now, actions);
		break;
	case SESSION_QUIT: /* any answer will do */
		session_disconnect(session, now, actions);
		break;
	case SESSION_IDLE:
	case SESSION_CONNECT:
	case SESSION_LOWER:
	case SESSION_WAIT:
	case SESSION_DOWN:
	case SESSION_DONE:
		break;
	}
}

static void session_on_keepalive(struct session *session, int64_t now,
				 struct session_actions *actions)
{
	/* While stopped or asleep, the answer could not be received. */
	if (session->ping_sent && now < session->deadline + SESSION_GAP_MS) {
		session_fail(session, now, actions, CLIENT_TIMEOUT,
			     "%s: no answer to ping within %" PRIu32 " s",
			     session_server_name(session), session->config.keepalive_timeout);
		return;
	}
	session_ping(session, now, actions);
}

/* No packet has come through the tested tunnel. */
static void session_on_silence(struct session *session, int64_t now,
			       struct session_actions *actions)
{
	const char *server = session_server_name(session);

	if (!session->udp) {
		session_change_to_udp(session, now, actions, SESSION_WHY_SILENT,
				      "%s: the far end does not answer over protocol 41", server);
		session->servers[session->retry.current].silent = true;
		return;
	}
	session_doubt_udp(session);
	session_fail(
		session, now, actions, CLIENT_TIMEOUT,
		"%s: no answer over UDP from port %u within %d s; is it blocked by a firewall?",
		server, session->reply.udp_port, SESSION_PATH_MS / 1000);
	session_want_port(session, actions);
}

static void session_on_time(struct session *session, int64_t now, struct session_actions *actions)
{
	const char *server = session_server_name(session);

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
	case SESSION_TEST:
		session_on_silence(session, now, actions);
		break;
	case SESSION_UP:
		session_on_keepalive(session, now, actions);
		break;
	case SESSION_QUIT:
		session_disconnect(session, now, actions);
		break;
	case SESSION_WAIT:
		retry_begin(&session->retry, now);
		session_connect(session, now, actions);
		break;
	case SESSION_IDLE:
	case SESSION_RAISE:
	case SESSION_LOWER:
	case SESSION_DOWN:
	case SESSION_DONE:
		session->deadline = -1;
		break;
	}
}

/* No session was established in time for the held tunnel. */
static void session_on_hold_end(struct session *session, struct session_actions *actions)
{
	actions->warning = true;
	session_tell(session, actions, "tunnel-down", "tunnel down: no session for %" PRIu32 " s",
		     session->config.hold);
	session_lower(session, actions);
}

static void session_on_raised(struct session *session, int64_t now, struct session_actions *actions)
{
	session->tunnel = SESSION_TUNNEL_UP;
	if (session->state == SESSION_RAISE) {
		session->up_since = now;
		session->status = CLIENT_OK;
		session_succeeded(session, now, actions);
		session_enter(session, SESSION_UP, now, (int64_t)session->config.keepalive * 1000);
		session_path_tell(session, now, actions);
	} else if (session->state == SESSION_LOWER) {
		session_disconnected(session, now, actions);
	}
	session_tell_port(session, actions);
}

static const char session_not_here[] = "the tunnel cannot be made here";

static void session_on_raise_error(struct session *session, int64_t now,
				   struct session_actions *actions)
{
	session->tunnel = SESSION_TUNNEL_NONE;
	if (session->state == SESSION_RAISE || session->state == SESSION_UP)
		session_fail(session, now, actions, CLIENT_LOCAL, session_not_here);
	else if (session->state == SESSION_LOWER)
		session_then(session, now, actions);
}

static void session_on_lowered(struct session *session, int64_t now,
			       struct session_actions *actions)
{
	session->tunnel = SESSION_TUNNEL_NONE;
	if (session->state == SESSION_LOWER)
		session_then(session, now, actions);
	else if (session->state == SESSION_RAISE)
		session_raise(session, now, actions);
}

static void session_on_lost(struct session *session, int64_t now, struct session_actions *actions)
{
	/* Otherwise the root process has got a request since then, and will answer that. */
	if (session->tunnel != SESSION_TUNNEL_UP)
		return;
	if (session->state != SESSION_UP) {
		session_let_go(session, actions, session_not_here);
		session_note_error(session, now, session_not_here);
		actions->warning = true;
	}
	session->tunnel = SESSION_TUNNEL_NONE;
	if (session->state == SESSION_UP)
		session_fail(session, now, actions, CLIENT_LOCAL, session_not_here);
}

/* The connection has failed, was closed, or has delivered an invalid line. */
static void session_on_broken(struct session *session, const struct session_event *event,
			      int64_t now, struct session_actions *actions)
{
	const char *server = session_server_name(session);

	/* The reason of the end, and what follows, have been decided already. */
	if (session->state == SESSION_QUIT) {
		session_disconnect(session, now, actions);
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
		if (session->state != SESSION_CONNECT)
			break;
		session->local = event->local;
		session->network.latest = event->local;
		session->network.source = event->local;
		session->remote = event->remote;
		session->network.no_way = false;
		session->servers[session->retry.current].address = event->remote;
		session->servers[session->retry.current].past = false;
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
		session_on_lowered(session, now, actions);
		break;
	case SESSION_LOST:
		session_on_lost(session, now, actions);
		break;
	case SESSION_PATH:
		session_on_path(session, event->alive, now, actions);
		break;
	case SESSION_SILENT:
		session_on_no_answer(session, actions);
		break;
	case SESSION_PORT:
		session_on_port(session, event->port, actions);
		break;
	case SESSION_NETWORK:
		session_on_network(session, event->local, now, actions);
		break;
	case SESSION_WOKE:
		session_on_woke(session, event->seconds, now, actions);
		break;
	case SESSION_RECONNECT:
		session_on_reconnect(session, event->keep, now, actions);
		break;
	case SESSION_GO_DOWN:
		session_on_go_down(session, now, actions);
		break;
	case SESSION_GO_UP:
		session_on_go_up(session, now, actions);
		break;
	case SESSION_STOP:
		session_on_stop(session, now, actions);
		break;
	case SESSION_TIME:
		if (session->hold_until >= 0 && now >= session->hold_until)
			session_on_hold_end(session, actions);
		else if (session->deadline >= 0 && now >= session->deadline)
			session_on_time(session, now, actions);
		break;
	}
}
