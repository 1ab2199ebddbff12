/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/broker.h"

#include "base/clock.h"
#include "base/log.h"
#include "forward/msg.h"
#include "server/control/broker_log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Another user's session whose connection is silent for longer gives way on the same address. */
enum { BROKER_SILENT_MS = 75000 };

/*
 * Logins that accounts is asked about at a time. The others wait here, where they can be forgotten
 * if their clients leave.
 */
enum { BROKER_ASKED = 64 };

void broker_init(struct broker *broker)
{
	TAILQ_INIT(&broker->waiting);
}

static void broker_tell(struct broker *broker, struct ipc *ipc, uint32_t type, const void *body,
			size_t size)
{
	int error = ipc_send(ipc, type, body, size, -1);

	if (error) {
		log_warnx("cannot send to a room: %s", strerror(-error));
		broker->failed(broker->arg);
	}
}

/*
 * Gives back what a session has elsewhere, whose login was answered. Its id may be used again at
 * once: channels keep order, and what forward still says of this session is told from what it says
 * of the next.
 */
static void broker_release(struct broker *broker, struct server_session *session)
{
	struct dialog *dialog = sessions_dialog(broker->sessions, session->id);
	const struct server_id logout = {.id = session->id};

	if (dialog->state != DIALOG_NONE) {
		const struct forward_id id = {.id = session->id};

		dialog_tell(dialog, FORWARD_MSG_REMOVE);
		broker_tell(broker, broker->forward, FORWARD_MSG_REMOVE, &id, sizeof(id));
	}
	broker_tell(broker, broker->accounts, SERVER_MSG_LOGOUT, &logout, sizeof(logout));
	if (session->path_dead)
		broker->dead_paths--;
	if (session->state == SLOT_UP)
		tally_session(&broker->up, session->type, session->udp, false);
	if (session->client)
		session->client->session = NULL;
	sessions_release(broker->sessions, session);
}

/* A session that was up is not any more: for the log, and for the history. */
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

/* What a verdict means for the next logins. Returns how long a failed one waits for its answer. */
static uint32_t broker_weigh(struct broker *broker, const struct client *client, uint32_t result)
{
	const char *user = client->conn.request.user;
	struct in_addr peer = client->conn.peer;

	if (result == SERVER_AUTH)
		return login_limits_failed(broker->login_limits, client->account, peer, user,
					   clock_ms());
	/* If the database has failed, nobody knows. */
	if (result != SERVER_FAILED)
		login_limits_passed(broker->login_limits, peer, user, clock_ms());
	return 0;
}

/* Asks accounts about a login. */
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
	broker->asked++;
	broker_tell(broker, broker->accounts, SERVER_MSG_LOGIN, &login, sizeof(login));
}

static void broker_forget(struct broker *broker, struct client *client)
{
	if (client->waiting)
		TAILQ_REMOVE(&broker->waiting, client, next_waiting);
	client->waiting = false;
}

/* The next ones, after an answer. */
static void broker_ask_more(struct broker *broker)
{
	struct client *client;

	while (broker->asked < BROKER_ASKED && (client = TAILQ_FIRST(&broker->waiting))) {
		broker_forget(broker, client);
		broker_ask(broker, client);
	}
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
	client->waiting = true;
	TAILQ_INSERT_TAIL(&broker->waiting, client, next_waiting);
	broker_ask_more(broker);
}

/*
 * Ends an older session in favour of a new one. Its packets stop now, because the new one may
 * have the same addresses; its connection is told afterwards.
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

/* Ends the user's older sessions in favour of this one; a newer one will do so with this. */
static void broker_supersede(struct broker *broker, const struct server_session *session)
{
	struct server_session *old;

	while ((old = sessions_older(broker->sessions, session)))
		broker_replace(broker, old, REASON_SUPERSEDED);
}

/*
 * Makes way for a session with protocol 41 on its address, which no two can share, as neither a NAT
 * box nor we could tell their packets apart. The same user's older one goes; another user's stays,
 * unless its connection has been silent for long. Returns false where it stays.
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
		char why[DTCP_USER_MAX + 80];

		(void)snprintf(why, sizeof(why), "%s has a tunnel of protocol 41 at this address",
			       old->client->conn.request.user);
		broker_log_refused(broker, session->client, why);
		return false;
	}
	broker_replace(broker, old, REASON_TIMEOUT);
	return true;
}

/* True where a granted session is one more than there may be, and takes no other one's place. */
static bool broker_is_full(const struct broker *broker, const struct server_session *session)
{
	return sessions_count(broker->sessions) > broker->options->sessions_max &&
	       !sessions_older(broker->sessions, session);
}

/*
 * The client's link-local address, so that answers to it find it: of its IPv4 address (RFC 4213,
 * section 3.7); over UDP, where several can share one and each can get another one, of its user.
 */
static struct prefix6 broker_link_local(const struct client *client)
{
	struct prefix6 prefix = {.len = 128};

	if (client->session->udp)
		prefix.addr = dtcp_link_local_user(client->conn.request.user);
	else
		prefix.addr = dtcp_link_local(client->conn.peer);
	return prefix;
}

/* The ends of the link, to watch the path of protocol 41 by; not every client has the link-local
 * address that it should have. */
static void broker_ends(const struct dtcp_reply *reply, struct forward_session *add)
{
	if (reply->has_me6) {
		add->near = reply->her6;
		add->far = reply->me6;
	} else {
		add->near = dtcp_link_local(reply->her);
	}
}

static void broker_add(struct broker *broker, struct client *client,
		       const struct server_verdict *verdict)
{
	const struct dtcp_reply *reply = &client->conn.reply;
	struct server_session *session = client->session;
	struct forward_session add = {
		.id = session->id,
		.device = verdict->device,
		.transport = session->udp ? FORWARD_UDP : FORWARD_PROTO41,
		.mtu = broker->options->mtu,
		.local = client->conn.local,
		.peer = client->conn.peer,
		.alias = reply->her,
	};

	if (session->udp) {
		if (add.mtu > FORWARD_UDP_MTU_MAX)
			add.mtu = FORWARD_UDP_MTU_MAX;
		add.peer_port = client->conn.request.udp_port;
		add.session = reply->session;
		memcpy(add.key, verdict->key, sizeof(add.key));
	} else {
		broker_ends(reply, &add);
	}
	if (reply->has_me6)
		add.prefixes[add.n_prefixes++] = (struct prefix6){.addr = reply->me6, .len = 128};
	for (size_t i = 0; i < reply->n_prefixes; i++)
		add.prefixes[add.n_prefixes++] = reply->prefixes[i];
	if (add.device == 0) {
		add.prefixes[add.n_prefixes++] = broker_link_local(client);
	} else {
		session->routed = prefix6_set_pack(&verdict->prefixes);
		for (uint32_t i = 0; i < verdict->prefixes.n; i++)
			add.prefixes[add.n_prefixes++] = verdict->prefixes.list[i];
		add.any_source = broker->options->tunnelonly_any;
		add.adverts = broker->options->tunnelonly_ra;
	}
	dialog_tell(sessions_dialog(broker->sessions, add.id), FORWARD_MSG_ADD);
	broker_tell(broker, broker->forward, FORWARD_MSG_ADD, &add, sizeof(add));
	explicit_bzero(add.key, sizeof(add.key));
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
		broker_add(broker, client, broker->verdict);
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
	broker_forget(broker, client);
	if (!session)
		return;
	if (session->state == SLOT_UP)
		broker_down(broker, client, client->conn.ending);
	if (session->state != SLOT_CHECK) {
		broker_release(broker, session);
	} else {
		/* The verdict is still to come, and may hold something to give back. */
		session->client = NULL;
		client->session = NULL;
	}
}

/* A granted login gets no session after all. */
static void broker_turn_away(struct broker *broker, struct server_session *session,
			     struct client *client, enum dtcp_reason reason, uint64_t *count)
{
	(*count)++;
	broker_release(broker, session);
	broker_refuse(broker, client, reason);
}

/* A login that was being looked into was answered. */
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
		char why[80];

		(void)snprintf(why, sizeof(why), "limit.sessions %" PRIu32 " reached",
			       broker->options->sessions_max);
		broker_log_refused(broker, client, why);
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
	/* What the machine asks for in answer to it needs what only this message has. */
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
	broker->asked--;
	broker_decide(broker, session, verdict);
	broker_ask_more(broker);
}

/* What the client of a session that cannot stay is told, and the log. */
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
	/* Before the verdict on a login it is about the session that had this id before. */
	if (!session || session->state == SLOT_CHECK)
		return;
	event.why = broker_whys[revoked->why];
	client_feed(session->client, &event);
}

/* The session that forward speaks of, if what it says counts; NULL, having logged it, if not. */
static struct server_session *broker_hear(struct broker *broker, enum forward_msg type, uint32_t id)
{
	struct dialog *dialog = sessions_dialog(broker->sessions, id);
	enum dialog_word word = dialog ? dialog_hear(dialog, type) : DIALOG_WRONG;

	if (word == DIALOG_WRONG)
		broker_log_wrong(broker, "forward", dialog_message_name(type), id);
	return word == DIALOG_COUNTS ? sessions_get(broker->sessions, id) : NULL;
}

void broker_added(struct broker *broker, uint32_t id)
{
	const struct conn_event event = {.input = CONN_ADDED};
	const struct server_session *session = broker_hear(broker, FORWARD_MSG_ADDED, id);

	if (!session)
		return;
	client_feed(session->client, &event);
	/* The new tunnel stands; forward has led the user's addresses to it already. */
	session = sessions_get(broker->sessions, id);
	if (session && session->state == SLOT_UP)
		broker_supersede(broker, session);
}

void broker_learned(struct broker *broker, const struct forward_learned *learned)
{
	struct server_session *session = broker_hear(broker, FORWARD_MSG_LEARNED, learned->id);

	if (session && (!session->udp || learned->port > UINT16_MAX)) {
		broker_log_wrong(broker, "forward", "learned", learned->id);
		return;
	}
	if (!session)
		return;
	session->place = learned->peer;
	session->port = (uint16_t)learned->port;
	broker_log_place(broker, session->client, learned->peer, (uint16_t)learned->port);
}

void broker_path(struct broker *broker, const struct forward_path *path)
{
	const struct dialog *dialog = sessions_dialog(broker->sessions, path->id);
	struct server_session *session = NULL;
	bool dead = path->alive == 0;

	/* A server's forward hears nothing of a session that it has not added. */
	if (!dialog || dialog->removing > 0 || dialog->state == DIALOG_UP)
		session = broker_hear(broker, FORWARD_MSG_PATH, path->id);
	else
		broker_log_wrong(broker, "forward", "path", path->id);
	if (session && (session->udp || path->alive > 1)) {
		broker_log_wrong(broker, "forward", "path", path->id);
		return;
	}
	if (session)
		session->path_alive = !dead;
	/* The first answer of a client is no news. */
	if (!session || dead == session->path_dead)
		return;
	session->path_dead = dead;
	if (dead)
		broker->dead_paths++;
	else
		broker->dead_paths--;
	broker_log_path(broker, session->client, dead);
}

void broker_refused(struct broker *broker, uint32_t id)
{
	struct server_session *session = broker_hear(broker, FORWARD_MSG_REFUSED, id);

	if (!session)
		return;

	struct client *client = session->client;

	log_warnx("%s: the forward room refused a session", client->peer_text);
	broker_turn_away(broker, session, client, REASON_INTERNAL, &broker->logins.failed);
}

void broker_removed(struct broker *broker, uint32_t id)
{
	/* Nothing waits for it, but what is said of this id next is about another session. */
	(void)broker_hear(broker, FORWARD_MSG_REMOVED, id);
}

/* From that id on; NULL: none. Of one that is being looked into nobody knows yet whose it is. */
static struct server_session *broker_find(struct broker *broker, const char *user, uint32_t id)
{
	for (; id < sessions_top(broker->sessions); id++) {
		struct server_session *session = sessions_get(broker->sessions, id);

		if (session && session->state != SLOT_CHECK &&
		    strcmp(session->client->conn.request.user, user) == 0)
			return session;
	}
	return NULL;
}

bool broker_has_user(struct broker *broker, const char *user)
{
	const struct server_session *session = broker_find(broker, user, 0);

	while (session && session->state != SLOT_UP)
		session = broker_find(broker, user, session->id + 1);
	return session;
}

unsigned int broker_kick(struct broker *broker, const char *user)
{
	struct server_session *session = broker_find(broker, user, 0);
	unsigned int count = 0;

	for (; session; count++) {
		uint32_t id = session->id;

		broker_replace(broker, session, REASON_KICKED);
		session = broker_find(broker, user, id + 1);
	}
	return count;
}
