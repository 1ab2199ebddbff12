/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/broker.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/control/broker_log.h"
#include "server/control/broker_parts.h"

#include <inttypes.h>
#include <string.h>

/* After this silence of its connection, a session yields its address to another user's. */
enum { BROKER_SILENT_MS = 75000 };

void broker_init(struct broker *broker)
{
	login_queue_init(&broker->queue);
}

void broker_tell(struct broker *broker, struct ipc *ipc, uint32_t type, const void *body,
		 size_t size)
{
	int error = ipc_send(ipc, type, body, size, -1);

	if (error) {
		log_warnx("cannot send to a room: %s", strerror(-error));
		broker->failed(broker->arg);
	}
}

/*
 * Releases what other processes hold for a session whose login has been answered. Its id may be
 * reused at once: channels keep the order, and forward's messages about this session are told from
 * those about the next one.
 */
static void broker_release(struct broker *broker, struct server_session *session)
{
	const struct server_id logout = {.id = session->id};

	broker_forward_remove(broker, session);
	broker_tell(broker, broker->accounts, SERVER_MSG_LOGOUT, &logout, sizeof(logout));
	if (session->state == SLOT_UP)
		tally_session(&broker->up, session->type, session->udp, false);
	if (session->client)
		session->client->session = NULL;
	sessions_release(broker->sessions, session);
}

/* Logs the end of a session that was up, and reports it for the history. */
static void broker_down(struct broker *broker, const struct client *client, const char *why)
{
	uint32_t id = client->session->id;
	struct server_ended ended = {.id = id};
	struct session_counters counters = {0};

	if (broker->counters) {
		counters = broker->counters->session[id];
		counters_kernel_add(&broker->kernel, id, &counters);
	}
	broker_log_down(client, &counters, why);
	ended.in_octets = counters.in_bytes;
	ended.out_octets = counters.out_bytes;
	(void)strlcpy(ended.why, why, sizeof(ended.why));
	broker_tell(broker, broker->accounts, SERVER_MSG_ENDED, &ended, sizeof(ended));
}

static void broker_refuse(const struct broker *broker, struct client *client,
			  enum dtcp_reason reason)
{
	const struct conn_event event = {.input = CONN_REFUSED, .reason = reason};

	connection_limits_rest(broker->connection_limits, &client->place);
	client_feed(client, &event);
}

/* Updates the login limits by a verdict. Returns the delay of a failed login's answer in
 * milliseconds. */
static uint32_t broker_weigh(struct broker *broker, const struct client *client, uint32_t result)
{
	const char *user = client->conn.request.user;
	struct in_addr peer = client->conn.peer;

	if (result == SERVER_AUTH)
		return login_limits_failed(broker->login_limits, client->account, peer, user,
					   clock_ms());
	/* If the database has failed, the password was not checked. */
	if (result != SERVER_FAILED)
		login_limits_passed(broker->login_limits, peer, user, clock_ms());
	return 0;
}

/* Asks accounts to check a login. */
static void broker_ask(struct broker *broker, struct client *client)
{
	const struct dtcp_request *request = &client->conn.request;
	struct server_login login = {
		.type = request->type,
		.udp = request->udp,
		.peer = client->conn.peer,
		.local = client->conn.local,
	};
	struct server_session *session = sessions_take(broker->sessions);

	if (!session) {
		broker->logins.limited++;
		broker_log_unheard(broker, client, "too many logins at once");
		login_queue_answered(&broker->queue);
		broker_refuse(broker, client, REASON_LOGINS);
		return;
	}
	session->client = client;
	session->peer = client->conn.peer;
	session->udp = request->udp;
	session->type = (uint8_t)request->type;
	client->session = session;
	login.id = session->id;
	(void)strlcpy(login.user, request->user, sizeof(login.user));
	(void)strlcpy(login.challenge, client->conn.challenge, sizeof(login.challenge));
	(void)strlcpy(login.response, request->response, sizeof(login.response));
	broker_tell(broker, broker->accounts, SERVER_MSG_LOGIN, &login, sizeof(login));
}

/* Asks accounts to check the next queued logins. */
static void broker_ask_more(struct broker *broker)
{
	struct client *client;

	while ((client = login_queue_next(&broker->queue)))
		broker_ask(broker, client);
}

static void broker_login(struct broker *broker, struct client *client)
{
	const struct dtcp_request *request = &client->conn.request;
	struct conn_event refused = {.input = CONN_REFUSED, .failed = true};

	client->asked = clock_us();
	if (!dtcp_endpoint_valid(client->conn.peer) || !dtcp_endpoint_valid(client->conn.local)) {
		broker->logins.address++;
		broker_log_unheard(broker, client, reason_text(REASON_ADDRESS));
		broker_refuse(broker, client, REASON_ADDRESS);
		return;
	}
	client->account = login_limits_ask(broker->login_limits, client->conn.peer, request->user,
					   request->type == TUNNEL_ONLY, clock_ms(),
					   &refused.reason, &refused.delay);
	if (client->account == LOGIN_LIMITS_NONE) {
		broker->logins.limited++;
		broker_log_unheard(broker, client, reason_text(refused.reason));
		connection_limits_spoil(broker->connection_limits, &client->place);
		client_feed(client, &refused);
		return;
	}
	connection_limits_work(broker->connection_limits, &client->place);
	login_queue_add(&broker->queue, client);
	broker_ask_more(broker);
}

/*
 * Ends an older session in favour of a new one. Its packets stop now, because the new one may have
 * the same addresses; its client is told afterwards.
 */
static void broker_replace(struct broker *broker, struct server_session *old,
			   enum dtcp_reason reason)
{
	const struct conn_event event = {.input = CONN_FINISH, .reason = reason};
	struct client *client = old->client;

	if (old->state == SLOT_UP)
		broker_down(broker, client, reason_text(reason));
	broker_release(broker, old);
	client_feed(client, &event);
}

void broker_supersede(struct broker *broker, const struct server_session *session)
{
	struct server_session *old;

	while ((old = sessions_older(broker->sessions, session)))
		broker_replace(broker, old, REASON_SUPERSEDED);
}

/*
 * Frees the address for a session with protocol 41, since two cannot share one: neither a NAT nor
 * this server could tell their packets apart. An older session of the same user ends; another
 * user's stays, unless its connection has been silent for long. Returns false if it stays.
 */
static bool broker_make_way(struct broker *broker, const struct server_session *session)
{
	struct server_session *old;

	if (session->udp)
		return true;
	old = sessions_by_peer(broker->sessions, session->peer, session);
	if (!old)
		return true;
	if (old->user == session->user) {
		broker_supersede(broker, session);
		return true;
	}
	if (clock_ms() - old->client->conn.last_heard <= BROKER_SILENT_MS) {
		broker_log_refused(broker, session->client,
				   "%s has a tunnel of protocol 41 at this address",
				   old->client->conn.request.user);
		return false;
	}
	broker_replace(broker, old, REASON_TIMEOUT);
	return true;
}

/* Whether a granted session exceeds the limit without replacing another one. */
static bool broker_is_full(const struct broker *broker, const struct server_session *session)
{
	return sessions_count(broker->sessions) > broker->options->sessions_max &&
	       !sessions_older(broker->sessions, session);
}

static void broker_up(struct broker *broker, struct client *client)
{
	struct server_session *session = client->session;

	session->state = SLOT_UP;
	session->since = clock_ms();
	session->kernel_before = counters_kernel_octets(&broker->kernel, session->id);
	tally_session(&broker->up, session->type, session->udp, true);
	broker->logins.granted++;
	histogram_add(&broker->logins.seconds, clock_us() - client->asked);
	broker_log_up(client);
}

void broker_act(struct broker *broker, struct client *client, unsigned int what)
{
	if (what & CONN_DO_DENIED) {
		broker_log_denied(broker, client);
		connection_limits_spoil(broker->connection_limits, &client->place);
	}
	if (what & CONN_DO_LOGIN)
		broker_login(broker, client);
	if (what & CONN_DO_ADD)
		broker_forward_add(broker, client, broker->verdict);
	if (what & CONN_DO_UP) {
		const struct server_id began = {.id = client->session->id};

		connection_limits_settle(broker->connection_limits, &client->place);
		broker_up(broker, client);
		broker_tell(broker, broker->accounts, SERVER_MSG_BEGAN, &began, sizeof(began));
	}
}

void broker_ended(struct broker *broker, struct client *client)
{
	struct server_session *session = client->session;

	connection_limits_unsettle(broker->connection_limits, &client->place);
	login_queue_forget(&broker->queue, client);
	if (!session)
		return;
	if (session->state == SLOT_UP)
		broker_down(broker, client, client->conn.ending);
	if (session->state != SLOT_CHECK) {
		broker_release(broker, session);
	} else {
		/* The verdict is pending, and may contain resources to release. */
		session->client = NULL;
		client->session = NULL;
	}
}

void broker_turn_away(struct broker *broker, struct server_session *session, struct client *client,
		      enum dtcp_reason reason, uint64_t *count)
{
	(*count)++;
	broker_release(broker, session);
	broker_refuse(broker, client, reason);
}

/* Handles the verdict of a pending login. */
static void broker_decide(struct broker *broker, struct server_session *session,
			  const struct server_verdict *verdict)
{
	struct conn_event event = {.input = CONN_VERDICT, .verdict = verdict};
	bool granted = verdict->result == SERVER_GRANTED;
	struct client *client = session->client;

	if (granted)
		sessions_grant(broker->sessions, session, verdict->user);
	if (!client) {
		broker_release(broker, session);
		return;
	}
	event.delay = broker_weigh(broker, client, verdict->result);
	if (granted && refusals_has(&broker->refusals, client->conn.request.user, clock_ms())) {
		broker_log_refused(broker, client, "by an operator, for a while");
		broker_turn_away(broker, session, client, REASON_KICKED, &broker->logins.kicked);
		return;
	}
	if (granted && !broker_make_way(broker, session)) {
		broker_turn_away(broker, session, client, REASON_IN_USE, &broker->logins.address);
		return;
	}
	if (granted && broker_is_full(broker, session)) {
		broker_log_refused(broker, client, "limit.sessions %" PRIu32 " reached",
				   broker->options->sessions_max);
		broker_turn_away(broker, session, client, REASON_SOLD_OUT,
				 &broker->logins.sold_out);
		return;
	}
	if (!granted) {
		tally_refused(&broker->logins, verdict->result);
		broker_log_verdict(broker, client, verdict);
		broker_release(broker, session);
		connection_limits_rest(broker->connection_limits, &client->place);
	}
	/* The state machine's reaction needs the rest of this message. */
	broker->verdict = verdict;
	client_feed(client, &event);
	broker->verdict = NULL;
}

void broker_verdict(struct broker *broker, const struct server_verdict *verdict)
{
	struct server_session *session = sessions_get(broker->sessions, verdict->id);

	if (!session || session->state != SLOT_CHECK) {
		broker_log_wrong(broker, "monitor", "verdict", verdict->id);
		return;
	}
	login_queue_answered(&broker->queue);
	broker_decide(broker, session, verdict);
	broker_ask_more(broker);
}

/* Why a session must end: for its client and the log. */
static const char *const broker_whys[SERVER_WHYS] = {
	[SERVER_WHY_DELETED] = "account changed: user deleted",
	[SERVER_WHY_PASSWORD] = "account changed: another password",
	[SERVER_WHY_ADDRESSES] = "account changed: other addresses",
	[SERVER_WHY_DISABLED] = "account changed: disabled",
	[SERVER_WHY_EXPIRED] = "account changed: expired",
	[SERVER_WHY_TYPE] = "account changed: tunnel type not allowed",
	[SERVER_WHY_TRANSPORT] = "account changed: transport not allowed",
};

void broker_revoke(struct broker *broker, const struct server_revoked *revoked)
{
	const struct server_session *session = sessions_get(broker->sessions, revoked->id);
	struct conn_event event = {.input = CONN_FINISH, .reason = REASON_ACCOUNT};

	if (revoked->why == 0 || revoked->why >= SERVER_WHYS) {
		broker_log_wrong(broker, "monitor", "revoke", revoked->id);
		return;
	}
	/* Before the verdict of a login, it is about the previous session with this id. */
	if (!session || session->state == SLOT_CHECK)
		return;
	event.why = broker_whys[revoked->why];
	client_feed(session->client, &event);
}

/* The user of a pending login is not verified yet, so it is not counted. */
static bool broker_is_of(const struct server_session *session, const char *user)
{
	return session && session->state != SLOT_CHECK &&
	       strcmp(session->client->conn.request.user, user) == 0;
}

bool broker_has_user(struct broker *broker, const char *user)
{
	for (uint32_t id = 0; id < sessions_top(broker->sessions); id++) {
		const struct server_session *session = sessions_get(broker->sessions, id);

		if (broker_is_of(session, user) && session->state == SLOT_UP)
			return true;
	}
	return false;
}

unsigned int broker_kick(struct broker *broker, const char *user)
{
	unsigned int count = 0;

	for (uint32_t id = 0; id < sessions_top(broker->sessions); id++) {
		struct server_session *session = sessions_get(broker->sessions, id);

		if (broker_is_of(session, user)) {
			broker_replace(broker, session, REASON_KICKED);
			count++;
		}
	}
	return count;
}
