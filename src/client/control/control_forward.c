/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages between control and forward. */
#include "base/log.h"
#include "client/control/control_parts.h"
#include "client/tunnel.h"
#include "forward/msg.h"

#include <string.h>

/* The only device in forward. */
enum { CONTROL_DEVICE = 0 };

void control_forward_remove(struct control *control)
{
	const struct forward_id id = {.id = CONTROL_SESSION};

	if (control->dialog.state == DIALOG_NONE)
		return;
	dialog_tell(&control->dialog, FORWARD_MSG_REMOVE);
	control_tell(control, control->forward, FORWARD_MSG_REMOVE, &id, sizeof(id));
}

/* The outer and inner endpoints of a tunnel over protocol 41. */
static void control_ends(const struct control *control, struct forward_session *add)
{
	const struct client_tunnel tunnel = control_tunnel(control);
	const struct session_server *server = session_server(&control->session);
	const struct dtcp_reply *reply = &control->session.reply;

	add->local = control->session.local;
	add->answers = control->session.remote.s_addr == server->answers.s_addr;
	if (reply->has_me6 && reply->has_her6) {
		add->near = reply->me6;
		add->far = reply->her6;
	} else {
		/* Not every server has the link-local address that it should have. */
		add->near = tunnel_link_local(&tunnel, control->session.user);
	}
}

void control_forward_add(struct control *control)
{
	const struct session *session = &control->session;
	const struct dtcp_reply *reply = &session->reply;
	struct forward_session add = {
		.id = CONTROL_SESSION,
		.device = CONTROL_DEVICE,
		.transport = session->udp ? FORWARD_UDP : FORWARD_PROTO41,
		.mtu = control->check ? FORWARD_MTU_MIN : control->options->mtu,
		.peer = reply->her,
		.alias = reply->me,
		.adverts = control->options->accept_ra,
	};

	if (!control->forward)
		return;
	control_forward_remove(control);
	control->forwards_udp = session->udp;
	if (session->udp) {
		/* The kernel chooses our address for each packet: it can change at any time. */
		add.peer_port = reply->udp_port;
		add.session = reply->session;
		memcpy(add.key, session->key, sizeof(add.key));
	} else {
		control_ends(control, &add);
	}
	if (reply->has_me6)
		add.prefixes[add.n_prefixes++] = (struct prefix6){.addr = reply->me6, .len = 128};
	for (size_t i = 0; i < reply->n_prefixes; i++)
		add.prefixes[add.n_prefixes++] = reply->prefixes[i];
	add.own_sources = add.n_prefixes > 0;
	control_tell(control, control->forward, FORWARD_MSG_ADD, &add, sizeof(add));
	/* From now on it belongs to forward. */
	explicit_bzero(add.key, sizeof(add.key));
	explicit_bzero(control->session.key, sizeof(control->session.key));
	dialog_tell(&control->dialog, FORWARD_MSG_ADD);
}

void control_forward_hello(struct control *control)
{
	const struct forward_id id = {.id = CONTROL_SESSION};

	if (control->dialog.state != DIALOG_NONE)
		control_tell(control, control->forward, FORWARD_MSG_HELLO, &id, sizeof(id));
}

/* True if forward's message about a session is valid now. */
static bool control_hear(struct control *control, enum forward_msg type, uint32_t id)
{
	enum dialog_word word =
		id == CONTROL_SESSION ? dialog_hear(&control->dialog, type) : DIALOG_WRONG;

	if (word == DIALOG_WRONG)
		control_wrong(control, "forward", dialog_message_name(type));
	return word == DIALOG_COUNTS;
}

/* True if forward has, or had until recently, a session over UDP. */
static bool control_forwards_udp(const struct control *control)
{
	return control->forwards_udp || control->dialog.removing > 0;
}

static void control_on_path(const void *body, void *arg)
{
	const struct forward_path *path = body;
	const struct session_event event = {.input = SESSION_PATH, .alive = path->alive != 0};
	struct control *control = arg;

	if (path->alive > 1)
		control_wrong(control, "forward", "path");
	else if (!control_hear(control, FORWARD_MSG_PATH, path->id))
		return;
	else if (control->check)
		control_check_on_path(control->check, event.alive);
	else
		control_feed(&event, control);
}

static void control_on_silent(const void *body, void *arg)
{
	const struct forward_id *id = body;
	struct control *control = arg;

	if (!control_forwards_udp(control))
		control_wrong(control, "forward", "silent");
	else if (control_hear(control, FORWARD_MSG_SILENT, id->id))
		control_feed_input(control, SESSION_SILENT);
}

/* About the socket, not a session: valid even if the session has been removed meanwhile. */
static void control_on_port(const void *body, void *arg)
{
	const struct forward_port *used = body;
	const struct session_event event = {.input = SESSION_PORT, .port = (uint16_t)used->port};
	struct control *control = arg;
	bool there = control->dialog.state != DIALOG_NONE || control->dialog.removing > 0;

	if (used->port == 0 || used->port > UINT16_MAX || control->udp_port == 0 ||
	    control->session.config.keeps_port || !there || !control_forwards_udp(control)) {
		control_wrong(control, "forward", "port");
		return;
	}
	control_set_port(control, event.port);
	control_feed(&event, control);
}

static void control_on_refused(const void *body, void *arg)
{
	const struct forward_id *id = body;

	if (!control_hear(arg, FORWARD_MSG_REFUSED, id->id))
		return;
	log_warnx("the forward room refused the session");
	control_end(arg, CLIENT_LOCAL);
}

/* Nothing depends on these two: packets pass when forward has both session and device. */
static void control_on_added(const void *body, void *arg)
{
	const struct forward_id *id = body;

	(void)control_hear(arg, FORWARD_MSG_ADDED, id->id);
}

static void control_on_removed(const void *body, void *arg)
{
	const struct forward_id *id = body;

	(void)control_hear(arg, FORWARD_MSG_REMOVED, id->id);
}

static void control_on_result(const void *body, void *arg)
{
	const struct forward_result *result = body;
	struct control *control = arg;

	if (!control->check || result->what >= FORWARD_RESULTS || result->why >= FORWARD_ERRORS)
		control_wrong(control, "forward", "result");
	else if (control_hear(control, FORWARD_MSG_RESULT, result->id))
		control_check_on_result(control->check, result);
}

static const struct ipc_row forward_rows[] = {
	IPC_BODY(FORWARD_MSG_ADDED, struct forward_id, control_on_added),
	IPC_BODY(FORWARD_MSG_PATH, struct forward_path, control_on_path),
	IPC_BODY(FORWARD_MSG_SILENT, struct forward_id, control_on_silent),
	IPC_BODY(FORWARD_MSG_PORT, struct forward_port, control_on_port),
	IPC_BODY(FORWARD_MSG_REMOVED, struct forward_id, control_on_removed),
	IPC_BODY(FORWARD_MSG_REFUSED, struct forward_id, control_on_refused),
	IPC_BODY(FORWARD_MSG_RESULT, struct forward_result, control_on_result),
};

struct ipc *control_forward_open(struct control *control, int fd)
{
	return ipc_new(control->base, fd, "forward", forward_rows,
		       sizeof(forward_rows) / sizeof(forward_rows[0]), control_on_closed, control);
}
