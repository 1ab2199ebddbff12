/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/broker_forward.h"

#include "base/log.h"
#include "forward/msg.h"
#include "server/control/broker_log.h"
#include "server/control/broker_parts.h"

#include <string.h>

/* --- to forward --------------------------------------------------------------------------- */

/*
 * The client's link-local address, to which answers are sent: derived from its IPv4 address (RFC
 * 4213, section 3.7), or over UDP, where several clients can share an address that may change, from
 * its user.
 */
static struct prefix6 broker_forward_link_local(const struct client *client)
{
	struct prefix6 prefix = {.len = 128};

	if (client->session->udp)
		prefix.addr = dtcp_link_local_user(client->conn.request.user);
	else
		prefix.addr = dtcp_link_local(client->conn.peer);
	return prefix;
}

/*
 * The ends of the link, to monitor the path of protocol 41; a client may not have the link-local
 * address that it should have.
 */
static void broker_forward_ends(const struct dtcp_reply *reply, struct forward_session *add)
{
	if (reply->has_me6) {
		add->near = reply->her6;
		add->far = reply->me6;
	} else {
		add->near = dtcp_link_local(reply->her);
	}
}

void broker_forward_add(struct broker *broker, const struct client *client,
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
		broker_forward_ends(reply, &add);
	}
	if (reply->has_me6)
		add.prefixes[add.n_prefixes++] = (struct prefix6){.addr = reply->me6, .len = 128};
	for (size_t i = 0; i < reply->n_prefixes; i++)
		add.prefixes[add.n_prefixes++] = reply->prefixes[i];
	if (add.device == 0) {
		add.prefixes[add.n_prefixes++] = broker_forward_link_local(client);
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

void broker_forward_remove(struct broker *broker, const struct server_session *session)
{
	struct dialog *dialog = sessions_dialog(broker->sessions, session->id);
	const struct forward_id id = {.id = session->id};

	if (session->path_dead)
		broker->dead_paths--;
	if (dialog->state == DIALOG_NONE)
		return;
	dialog_tell(dialog, FORWARD_MSG_REMOVE);
	broker_tell(broker, broker->forward, FORWARD_MSG_REMOVE, &id, sizeof(id));
}

/* --- from forward ------------------------------------------------------------------------- */

/* The session of a message of forward; NULL if the message is out of date, or invalid (logged). */
static struct server_session *broker_forward_hear(struct broker *broker, enum forward_msg type,
						  uint32_t id)
{
	struct dialog *dialog = sessions_dialog(broker->sessions, id);
	enum dialog_word word = dialog ? dialog_hear(dialog, type) : DIALOG_WRONG;

	if (word == DIALOG_WRONG)
		broker_log_wrong(broker, "forward", dialog_message_name(type), id);
	return word == DIALOG_COUNTS ? sessions_get(broker->sessions, id) : NULL;
}

static void broker_forward_on_added(const void *body, void *arg)
{
	uint32_t id = ((const struct forward_id *)body)->id;
	struct broker *broker = arg;
	const struct conn_event event = {.input = CONN_ADDED};
	const struct server_session *session = broker_forward_hear(broker, FORWARD_MSG_ADDED, id);

	if (!session)
		return;
	client_feed(session->client, &event);
	/* The new tunnel is up; forward routes the user's addresses to it already. */
	session = sessions_get(broker->sessions, id);
	if (session && session->state == SLOT_UP)
		broker_supersede(broker, session);
}

static void broker_forward_on_learned(const void *body, void *arg)
{
	const struct forward_learned *learned = body;
	struct broker *broker = arg;
	struct server_session *session =
		broker_forward_hear(broker, FORWARD_MSG_LEARNED, learned->id);

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

static void broker_forward_on_path(const void *body, void *arg)
{
	const struct forward_path *path = body;
	struct broker *broker = arg;
	const struct dialog *dialog = sessions_dialog(broker->sessions, path->id);
	struct server_session *session = NULL;
	bool dead = path->alive == 0;

	/* The server's forward reports no path before it has added the session. */
	if (!dialog || dialog->removing > 0 || dialog->state == DIALOG_UP)
		session = broker_forward_hear(broker, FORWARD_MSG_PATH, path->id);
	else
		broker_log_wrong(broker, "forward", "path", path->id);
	if (session && (session->udp || path->alive > 1)) {
		broker_log_wrong(broker, "forward", "path", path->id);
		return;
	}
	if (session)
		session->path_alive = !dead;
	/* The first answer of a client is not logged. */
	if (!session || dead == session->path_dead)
		return;
	session->path_dead = dead;
	if (dead)
		broker->dead_paths++;
	else
		broker->dead_paths--;
	broker_log_path(broker, session->client, dead);
}

static void broker_forward_on_refused(const void *body, void *arg)
{
	uint32_t id = ((const struct forward_id *)body)->id;
	struct broker *broker = arg;
	struct server_session *session = broker_forward_hear(broker, FORWARD_MSG_REFUSED, id);

	if (!session)
		return;

	struct client *client = session->client;

	log_warnx("%s: the forward room refused a session", client->peer_text);
	broker_turn_away(broker, session, client, REASON_INTERNAL, &broker->logins.failed);
}

static void broker_forward_on_removed(const void *body, void *arg)
{
	uint32_t id = ((const struct forward_id *)body)->id;

	/* Nothing waits for it, but later messages about this id are about the next session. */
	(void)broker_forward_hear(arg, FORWARD_MSG_REMOVED, id);
}

static const struct ipc_row forward_rows[] = {
	IPC_BODY(FORWARD_MSG_ADDED, struct forward_id, broker_forward_on_added),
	IPC_BODY(FORWARD_MSG_LEARNED, struct forward_learned, broker_forward_on_learned),
	IPC_BODY(FORWARD_MSG_PATH, struct forward_path, broker_forward_on_path),
	IPC_BODY(FORWARD_MSG_REFUSED, struct forward_id, broker_forward_on_refused),
	IPC_BODY(FORWARD_MSG_REMOVED, struct forward_id, broker_forward_on_removed),
};

const struct process_rows broker_forward_rows = PROCESS_ROWS(forward_rows);
