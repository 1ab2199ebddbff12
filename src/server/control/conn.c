/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/conn.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void conn_init(struct conn *conn, const struct conn_config *config, const char *challenge,
	       struct in_addr peer, struct in_addr local)
{
	*conn = (struct conn){.config = config, .deadline = -1, .peer = peer, .local = local};
	(void)strlcpy(conn->challenge, challenge, sizeof(conn->challenge));
}

static bool conn_takes_lines(const struct conn *conn)
{
	return conn->state == CONN_LOGIN || conn->state == CONN_UP;
}

bool conn_listens(const struct conn *conn, int64_t now)
{
	return conn_takes_lines(conn) && rate_wait(&conn->lines, (uint64_t)now) == 0;
}

int64_t conn_wake(const struct conn *conn, int64_t now)
{
	int64_t wake = conn->deadline;
	int64_t line_wait;

	if (conn->state == CONN_HOLD && conn->answer_at < wake)
		wake = conn->answer_at;
	if (!conn_takes_lines(conn))
		return wake;
	line_wait = (int64_t)rate_wait(&conn->lines, (uint64_t)now);
	return line_wait > 0 && now + line_wait < wake ? now + line_wait : wake;
}

static void conn_enter(struct conn *conn, enum conn_state state)
{
	char peer[INET_ADDRSTRLEN];
	static const char *const names[] = {
		[CONN_LOGIN] = "login", [CONN_CHECK] = "check", [CONN_HOLD] = "hold",
		[CONN_ADD] = "add",	[CONN_UP] = "up",	[CONN_END] = "end",
	};

	log_debug("%s: %s -> %s", inet_ntop(AF_INET, &conn->peer, peer, sizeof(peer)),
		  names[conn->state], names[state]);
	conn->state = state;
}

static void conn_send(struct conn_actions *actions, const char *text)
{
	(void)strlcpy(actions->send, text, sizeof(actions->send));
	actions->what |= CONN_DO_SEND;
}

static void conn_send_words(struct conn_actions *actions, const char *words)
{
	(void)snprintf(actions->send, sizeof(actions->send), "-ERR %s", words);
	actions->what |= CONN_DO_SEND;
}

static void conn_send_error(struct conn_actions *actions, enum dtcp_reason reason)
{
	conn_send_words(actions, reason_text(reason));
}

void conn_lost(struct conn *conn, const char *why)
{
	conn->ending = why;
	conn->deadline = -1;
	conn_enter(conn, CONN_END);
}

static void conn_end(struct conn *conn, struct conn_actions *actions, const char *why)
{
	actions->what |= CONN_DO_CLOSE;
	conn_lost(conn, why);
}

static void conn_on_tunnel(struct conn *conn, const struct dtcp_request *request, int64_t now,
			   struct conn_actions *actions)
{
	if (conn->state == CONN_UP) {
		conn_send_error(actions, REASON_ESTABLISHED);
		return;
	}
	if (request->bad_word[0] != '\0') {
		(void)snprintf(actions->send, sizeof(actions->send),
			       "-ERR %s: %s (for UDP: udp or udp=port)", reason_text(REASON_WORD),
			       request->bad_word);
		actions->what |= CONN_DO_SEND;
		return;
	}
	/* KAME's server gives this answer to a wrong number of words, and clients know it. */
	if (!request->well_formed || request->response[0] == '\0') {
		conn_send_error(actions, REASON_AUTH);
		return;
	}
	conn->request = *request;
	conn->asked = now;
	actions->what |= CONN_DO_LOGIN;
	conn_enter(conn, CONN_CHECK);
}

static void conn_on_line(struct conn *conn, const struct conn_event *event, int64_t now,
			 struct conn_actions *actions)
{
	struct dtcp_request request;

	if (conn->lines.per_second != conn->config->lines)
		rate_init(&conn->lines, conn->config->lines, (uint64_t)now);
	(void)rate_take(&conn->lines, (uint64_t)now);
	conn->last_heard = now;
	if (conn->state == CONN_UP)
		conn->deadline = now + (int64_t)conn->config->timeout_idle * 1000;
	request_parse(event->line, event->len, &request);
	switch (request.command) {
	case COMMAND_TUNNEL:
		conn_on_tunnel(conn, &request, now, actions);
		break;
	case COMMAND_PING:
		conn_send(actions, "+OK hi, happy to hear from you");
		break;
	case COMMAND_HELP:
		conn_send(actions, "+OK valid commands are: TUNNEL PING QUIT");
		break;
	case COMMAND_QUIT:
		conn_send(actions, "+OK good bye");
		conn_end(conn, actions, "client quit");
		break;
	case COMMAND_INVALID:
		conn_send_error(actions, REASON_INVALID);
		break;
	}
}

/* Back to waiting for a request, on the same challenge and the same clock. */
static void conn_deny(struct conn *conn, struct conn_actions *actions, enum dtcp_reason reason)
{
	conn_send_error(actions, reason);
	conn_enter(conn, CONN_LOGIN);
}

static void conn_fail(struct conn *conn, struct conn_actions *actions, enum dtcp_reason reason)
{
	conn_deny(conn, actions, reason);
	/* To continue guessing takes a new connection. */
	if (++conn->failed >= conn->config->attempts)
		conn_end(conn, actions, "too many failed logins");
}

/*
 * The answer to a failed login comes delay after the request, so that it does not reveal how long
 * the check took, which would depend on whether the user exists.
 */
static void conn_hold(struct conn *conn, uint32_t delay, enum dtcp_reason reason, int64_t now,
		      struct conn_actions *actions)
{
	conn->answer_at = conn->asked + delay;
	conn->answer = reason;
	if (now < conn->answer_at)
		conn_enter(conn, CONN_HOLD);
	else
		conn_fail(conn, actions, reason);
}

static void conn_on_granted(struct conn *conn, const struct server_verdict *verdict,
			    struct conn_actions *actions)
{
	struct dtcp_reply *reply = &conn->reply;

	*reply = (struct dtcp_reply){
		.me = conn->peer,
		.her = conn->config->address.s_addr ? conn->config->address : conn->local,
	};
	if (verdict->numbered) {
		reply->has_me6 = reply->has_her6 = true;
		reply->me6 = verdict->me6;
		reply->her6 = verdict->her6;
	}
	/*
	 * With tunnelonly the administrators of both ends know it, and the reply has no place for
	 * it.
	 */
	for (uint32_t i = 0; i < verdict->prefixes.n && conn->request.type != TUNNEL_ONLY; i++)
		reply->prefixes[reply->n_prefixes++] = verdict->prefixes.list[i];
	if (conn->request.udp) {
		reply->udp_port = conn->config->udp_port;
		reply->session = verdict->session;
	}
	actions->what |= CONN_DO_ADD;
	conn_enter(conn, CONN_ADD);
}

static void conn_on_verdict(struct conn *conn, const struct conn_event *event, int64_t now,
			    struct conn_actions *actions)
{
	const struct server_verdict *verdict = event->verdict;

	switch ((enum server_result)verdict->result) {
	case SERVER_GRANTED:
		conn_on_granted(conn, verdict, actions);
		break;
	case SERVER_AUTH:
		actions->what |= CONN_DO_DENIED;
		conn_hold(conn, event->delay, REASON_AUTH, now, actions);
		break;
	case SERVER_DISABLED:
		conn_deny(conn, actions, REASON_DISABLED);
		break;
	case SERVER_EXPIRED:
		conn_deny(conn, actions, REASON_EXPIRED);
		break;
	case SERVER_TRANSPORT:
		conn_deny(conn, actions, REASON_TRANSPORT);
		break;
	case SERVER_PROTO41:
		conn_deny(conn, actions, REASON_PROTO41);
		break;
	case SERVER_TYPE:
		conn_deny(conn, actions, REASON_TYPE);
		(void)strlcat(actions->send, " ", sizeof(actions->send));
		(void)strlcat(actions->send, conn->request.type_word, sizeof(actions->send));
		break;
	case SERVER_SOLD_OUT:
		conn_deny(conn, actions, REASON_SOLD_OUT);
		break;
	case SERVER_FAILED:
		conn_deny(conn, actions, REASON_INTERNAL);
		break;
	}
}

static void conn_on_added(struct conn *conn, int64_t now, struct conn_actions *actions)
{
	if (reply_format(&conn->reply, actions->send, sizeof(actions->send)) == 0) {
		conn_send_error(actions, REASON_INTERNAL);
		conn_end(conn, actions, "the reply is too long");
		return;
	}
	actions->what |= CONN_DO_SEND | CONN_DO_UP;
	conn->last_heard = now;
	conn->deadline = now + (int64_t)conn->config->timeout_idle * 1000;
	conn_enter(conn, CONN_UP);
}

static void conn_on_refused(struct conn *conn, const struct conn_event *event, int64_t now,
			    struct conn_actions *actions)
{
	if (event->failed)
		conn_hold(conn, event->delay, event->reason, now, actions);
	else
		conn_deny(conn, actions, event->reason);
}

static void conn_on_time(struct conn *conn, int64_t now, struct conn_actions *actions)
{
	if (conn->deadline >= 0 && now >= conn->deadline) {
		conn_send_error(actions, REASON_TIMEOUT);
		conn_end(conn, actions, "timed out");
	} else if (conn->state == CONN_HOLD && now >= conn->answer_at) {
		conn_fail(conn, actions, conn->answer);
	}
}

static void conn_greet(const struct conn *conn, char send[static DTCP_LINE_SIZE])
{
	const char *separator = " " DTCP_TYPES;
	int len = snprintf(send, DTCP_LINE_SIZE, "+OK %s dtcps ready, log in with TUNNEL",
			   conn->challenge);

	for (enum tunnel_type type = TUNNEL_ONLY; type <= TUNNEL_NETWORK; type++) {
		if ((conn->config->types >> type & 1) == 0)
			continue;
		len += snprintf(send + len, DTCP_LINE_SIZE - (size_t)len, "%s%s", separator,
				tunnel_type_name(type));
		separator = ",";
	}
}

void conn_feed(struct conn *conn, const struct conn_event *event, int64_t now,
	       struct conn_actions *actions)
{
	const char *why;

	*actions = (struct conn_actions){0};
	if (conn->state == CONN_END)
		return;
	switch (event->input) {
	case CONN_START:
		conn_greet(conn, actions->send);
		actions->what |= CONN_DO_SEND;
		conn->last_heard = now;
		conn->deadline = now + (int64_t)conn->config->timeout_login * 1000;
		rate_init(&conn->lines, conn->config->lines, (uint64_t)now);
		break;
	case CONN_LINE:
		if (conn_listens(conn, now))
			conn_on_line(conn, event, now, actions);
		break;
	case CONN_BAD:
		conn_send_error(actions, REASON_INVALID);
		conn_end(conn, actions, "client not understood");
		break;
	case CONN_VERDICT:
		if (conn->state == CONN_CHECK)
			conn_on_verdict(conn, event, now, actions);
		break;
	case CONN_ADDED:
		if (conn->state == CONN_ADD)
			conn_on_added(conn, now, actions);
		break;
	case CONN_REFUSED:
		if (conn->state == CONN_CHECK || conn->state == CONN_ADD)
			conn_on_refused(conn, event, now, actions);
		break;
	case CONN_FINISH:
		why = event->why ? event->why : reason_text(event->reason);
		conn_send_words(actions, why);
		conn_end(conn, actions, why);
		break;
	case CONN_TIME:
		conn_on_time(conn, now, actions);
		break;
	}
}
