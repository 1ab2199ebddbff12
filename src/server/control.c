/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A login goes client -> monitor (is it the user, what does the user get) -> forward (take the
 * session in) -> client ("+OK ..."), so that the first packet after the reply already passes.
 */
#include "server/control.h"

#include "base/ipc.h"
#include "base/log.h"
#include "forward/counters.h"
#include "forward/msg.h"
#include "server/client.h"
#include "server/msg.h"
#include "server/sessions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct control {
	const struct server_options *options;
	struct event_base *base;
	struct ipc *monitor;
	struct ipc *forward;
	struct evconnlistener *listener;
	struct event *resume; /* listening again after a pause */
	struct client_owner owner;
	struct sessions *sessions;
	const struct counters_page *counters;
	TAILQ_HEAD(, client) clients;
	bool stopping;
	int status;
};

static void control_end(struct control *control, int status)
{
	control->status = status;
	(void)event_base_loopbreak(control->base);
}

static void control_tell(struct control *control, struct ipc *ipc, uint32_t type, const void *body,
			 size_t size)
{
	int error = ipc_send(ipc, type, body, size, -1);

	if (error) {
		log_warnx("cannot send to a room: %s", strerror(-error));
		control_end(control, 1);
	}
}

/* --- sessions ----------------------------------------------------------------------------- */

/* Gives back what a session has elsewhere. It may be used again at once: channels keep order. */
static void control_release(struct control *control, struct server_session *session)
{
	if (session->forwarded) {
		const struct forward_id id = {.id = session->id};

		control_tell(control, control->forward, FORWARD_MSG_REMOVE, &id, sizeof(id));
	}
	if (session->granted) {
		const struct server_id id = {.id = session->id};

		control_tell(control, control->monitor, SERVER_MSG_LOGOUT, &id, sizeof(id));
	}
	if (session->client)
		session->client->session = NULL;
	sessions_release(control->sessions, session);
}

static const char *control_type_text(const struct client *client, char *buf, size_t size)
{
	const struct dtcp_reply *reply = &client->conn.reply;
	char me6[INET6_ADDRSTRLEN] = "";
	char prefix[PREFIX6_STRLEN] = "";

	if (reply->has_me6)
		(void)inet_ntop(AF_INET6, &reply->me6, me6, sizeof(me6));
	if (reply->n_prefixes > 0)
		(void)prefix6_format(&reply->prefixes[0], prefix);
	(void)snprintf(buf, size, "%s%s%s%s%s", tunnel_type_name(client->conn.request.type),
		       prefix[0] ? " " : "", prefix, me6[0] ? " " : "", me6);
	return buf;
}

static void control_log_up(const struct client *client)
{
	char text[160];

	log_info("%s@%s: up, %s", client->conn.request.user, client->peer_text,
		 control_type_text(client, text, sizeof(text)));
}

static void control_log_down(const struct control *control, const struct client *client)
{
	const struct server_session *session = client->session;
	const struct session_counters none = {0};
	const struct session_counters *counters =
		control->counters ? &control->counters->session[session->id] : &none;

	log_info("%s@%s: down after %" PRId64 "s (%s), in %" PRIu64 " packets %" PRIu64
		 " bytes, out %" PRIu64 " packets %" PRIu64 " bytes, dropped %" PRIu64,
		 client->conn.request.user, client->peer_text,
		 (client_now() - session->since) / 1000, client->conn.ending, counters->in_packets,
		 counters->in_bytes, counters->out_packets, counters->out_bytes, counters->dropped);
}

/* --- what the clients' machines ask for ----------------------------------------------------- */

static void control_refuse(struct client *client, const char *reason)
{
	const struct conn_event event = {.input = CONN_REFUSED, .reason = reason};

	client_feed(client, &event);
}

static void control_login(struct control *control, struct client *client)
{
	const struct dtcp_request *request = &client->conn.request;
	struct server_login login = {
		.type = request->type,
		.peer = client->conn.peer,
		.local = client->conn.local,
	};
	struct server_session *session = sessions_take(control->sessions);

	if (!session) {
		control_refuse(client, "tunnel interface sold out");
		return;
	}
	session->client = client;
	session->peer = client->conn.peer;
	client->session = session;
	login.id = session->id;
	(void)strlcpy(login.user, request->user, sizeof(login.user));
	(void)strlcpy(login.challenge, client->conn.challenge, sizeof(login.challenge));
	(void)strlcpy(login.response, request->response, sizeof(login.response));
	control_tell(control, control->monitor, SERVER_MSG_LOGIN, &login, sizeof(login));
}

/*
 * Ends an older session in favour of a new one. Its packets stop now, because the new one may
 * have the same addresses; its connection is told afterwards.
 */
static void control_replace(struct control *control, struct server_session *old, const char *reason)
{
	const struct conn_event event = {.input = CONN_FINISH, .reason = reason};
	struct client *client = old->client;

	client->conn.ending = reason;
	if (client->conn.state == CONN_UP)
		control_log_down(control, client);
	control_release(control, old);
	client_feed(client, &event);
}

/*
 * Makes way for a session: the same user's older one goes; another user's from the same address
 * keeps it, unless its connection has been silent for long. Returns false where it is kept.
 */
static bool control_make_way(struct control *control, const struct server_session *session)
{
	struct server_session *old = sessions_by_user(control->sessions, session->user, session);

	if (old)
		control_replace(control, old, "superseded by a new session");
	/* No NAT box can tell their protocol 41 packets apart, nor can we. */
	old = sessions_by_peer(control->sessions, session->peer, session);
	if (!old)
		return true;
	if (client_now() - old->client->conn.last_heard <= CONN_SILENT_MS)
		return false;
	control_replace(control, old, "connection timed out, disconnecting");
	return true;
}

static void control_add(struct control *control, struct client *client)
{
	const struct dtcp_reply *reply = &client->conn.reply;
	struct server_session *session = client->session;
	struct forward_session add = {
		.id = session->id,
		.device = client->conn.request.type == TUNNEL_ONLY ? session->id + 1 : 0,
		.transport = FORWARD_PROTO41,
		.mtu = control->options->mtu,
		.local = client->conn.local,
		.peer = client->conn.peer,
		.alias = reply->her,
	};

	if (reply->has_me6)
		add.prefixes[add.n_prefixes++] = (struct prefix6){.addr = reply->me6, .len = 128};
	for (size_t i = 0; i < reply->n_prefixes; i++)
		add.prefixes[add.n_prefixes++] = reply->prefixes[i];
	if (add.device == 0) {
		/* The client's link-local address (RFC 4213, section 3.7), for answers to it. */
		struct prefix6 *link_local = &add.prefixes[add.n_prefixes++];

		*link_local = (struct prefix6){.addr.s6_addr = {0xfe, 0x80}, .len = 128};
		memcpy(&link_local->addr.s6_addr[12], &add.peer, sizeof(add.peer));
	}
	session->forwarded = true;
	control_tell(control, control->forward, FORWARD_MSG_ADD, &add, sizeof(add));
}

static void control_act(struct client *client, unsigned int what, void *arg)
{
	struct control *control = arg;

	if (what & CONN_DO_DENIED) {
		char shown[4 * DTCP_USER_MAX + 1];
		const char *user = client->conn.request.user;

		log_warnx("%s: authentication failed for user \"%s\"", client->peer_text,
			  log_escape(user, strlen(user), shown, sizeof(shown)));
	}
	if (what & CONN_DO_LOGIN)
		control_login(control, client);
	if (what & CONN_DO_ADD)
		control_add(control, client);
	if (what & CONN_DO_UP) {
		client->session->since = client_now();
		control_log_up(client);
	}
}

static void control_client_ended(struct client *client, void *arg)
{
	struct control *control = arg;
	struct server_session *session = client->session;

	if (!session)
		return;
	if (session->since)
		control_log_down(control, client);
	if (session->granted) {
		control_release(control, session);
	} else {
		/* Monitor's verdict is still to come, and may hold something to give back. */
		session->client = NULL;
		client->session = NULL;
	}
}

static void control_client_gone(struct client *client, void *arg)
{
	struct control *control = arg;

	TAILQ_REMOVE(&control->clients, client, next);
	if (control->stopping && TAILQ_EMPTY(&control->clients))
		control_end(control, 0);
}

/* --- messages ----------------------------------------------------------------------------- */

static void control_on_verdict(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct server_verdict *verdict = body;
	const struct conn_event event = {.input = CONN_VERDICT, .verdict = verdict};
	struct server_session *session = sessions_get(control->sessions, verdict->id);

	(void)ipc;
	(void)fd;
	if (!session)
		return;

	struct client *client = session->client;

	session->granted = verdict->result == SERVER_GRANTED;
	session->user = verdict->user;
	if (!client) {
		control_release(control, session);
		return;
	}
	if (session->granted && client->conn.request.udp) {
		/* The machine says no; what monitor has granted goes back. */
		control_release(control, session);
	} else if (session->granted && !control_make_way(control, session)) {
		control_release(control, session);
		control_refuse(client, "address in use by another tunnel, use udp");
		return;
	} else if (!session->granted) {
		control_release(control, session);
	}
	client_feed(client, &event);
}

static void control_on_revoke(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct server_id *id = body;
	const struct conn_event event = {.input = CONN_FINISH, .reason = "account changed"};
	const struct server_session *session = sessions_get(control->sessions, id->id);

	(void)ipc;
	(void)fd;
	if (session && session->client)
		client_feed(session->client, &event);
}

static void control_on_report(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct control *control = arg;

	(void)ipc;
	(void)body;
	(void)fd;
	log_info("counter sessions %" PRIu32, sessions_count(control->sessions));
	for (enum drop_reason reason = DROP_NONE + 1; control->counters && reason < DROP_REASONS;
	     reason++) {
		if (control->counters->drops[reason])
			log_info("counter %s %" PRIu64, drop_reason_name(reason),
				 control->counters->drops[reason]);
	}
	if (control->counters && control->counters->icmp_errors)
		log_info("counter icmp-errors %" PRIu64, control->counters->icmp_errors);
	if (control->counters && control->counters->icmp6_sent)
		log_info("counter icmp6-sent %" PRIu64, control->counters->icmp6_sent);
}

static void control_on_stop(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct conn_event event = {.input = CONN_FINISH, .reason = "server is shutting down"};
	struct control *control = arg;
	struct client *client = TAILQ_FIRST(&control->clients);

	(void)ipc;
	(void)body;
	(void)fd;
	control->stopping = true;
	if (control->listener)
		(void)evconnlistener_disable(control->listener);
	if (!client)
		control_end(control, 0);
	while (client) {
		struct client *next = TAILQ_NEXT(client, next);

		client_feed(client, &event);
		client = next;
	}
}

static void control_on_added(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct forward_id *id = body;
	const struct conn_event event = {.input = CONN_ADDED};
	const struct server_session *session = sessions_get(control->sessions, id->id);

	(void)ipc;
	(void)fd;
	if (session && session->client)
		client_feed(session->client, &event);
}

static void control_on_refused(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct forward_id *id = body;
	struct server_session *session = sessions_get(control->sessions, id->id);

	(void)ipc;
	(void)fd;
	if (!session || !session->client)
		return;

	struct client *client = session->client;

	log_warnx("%s: the forward room refused a session", client->peer_text);
	session->forwarded = false;
	control_release(control, session);
	control_refuse(client, "internal error, try again later");
}

/* A session's end waits for nothing. */
static void control_on_removed(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)body;
	(void)fd;
	(void)arg;
}

static void control_on_counters(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	size_t size = counters_size(control->options->sessions_max);
	struct stat status;
	void *page = MAP_FAILED;

	(void)ipc;
	(void)body;
	if (fstat(fd, &status) == 0 && (size_t)status.st_size >= size)
		page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		log_warnx("cannot map the counter page; counters will not be shown");
	else
		control->counters = page;
	close(fd);
}

/* --- listening ---------------------------------------------------------------------------- */

static void control_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
			      struct sockaddr *addr, int len, void *arg)
{
	struct control *control = arg;
	struct sockaddr_in peer;

	(void)listener;
	if (len < (int)sizeof(peer)) {
		close(fd);
		return;
	}
	memcpy(&peer, addr, sizeof(peer));

	struct client *client = client_new(&control->owner, fd, peer.sin_addr);

	if (client)
		TAILQ_INSERT_TAIL(&control->clients, client, next);
	else
		log_warnx("a connection could not be taken");
}

static void control_on_accept_error(struct evconnlistener *listener, void *arg)
{
	const struct timeval pause = {.tv_sec = 1};
	struct control *control = arg;

	/* Out of descriptors or memory: pausing keeps it from spinning on the same connection. */
	log_warn("cannot accept connections, pausing for a second");
	(void)evconnlistener_disable(listener);
	(void)evtimer_add(control->resume, &pause);
}

static void control_on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)fd;
	(void)what;
	if (!control->stopping)
		(void)evconnlistener_enable(control->listener);
}

static void control_on_listener(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;

	(void)ipc;
	(void)body;
	/* Backlog 0: monitor listens already. */
	control->listener =
		evconnlistener_new(control->base, control_on_accept, control,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!control->listener) {
		log_warnx("cannot take connections: out of memory");
		close(fd);
		control_end(control, 1);
		return;
	}
	evconnlistener_set_error_cb(control->listener, control_on_accept_error);
}

static void control_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	(void)violated;
	/* The monitor says why the program ends. */
	control_end(arg, 1);
}

static const struct ipc_row monitor_rows[] = {
	{SERVER_MSG_LISTENER, sizeof(struct server_none), true, control_on_listener},
	{SERVER_MSG_COUNTERS, sizeof(struct server_none), true, control_on_counters},
	{SERVER_MSG_VERDICT, sizeof(struct server_verdict), false, control_on_verdict},
	{SERVER_MSG_REVOKE, sizeof(struct server_id), false, control_on_revoke},
	{SERVER_MSG_REPORT, sizeof(struct server_none), false, control_on_report},
	{SERVER_MSG_STOP, sizeof(struct server_none), false, control_on_stop},
};

static const struct ipc_row forward_rows[] = {
	{FORWARD_MSG_ADDED, sizeof(struct forward_id), false, control_on_added},
	{FORWARD_MSG_REFUSED, sizeof(struct forward_id), false, control_on_refused},
	{FORWARD_MSG_REMOVED, sizeof(struct forward_id), false, control_on_removed},
};

int server_control_run(const struct server_options *options, int monitor_fd, int forward_fd)
{
	struct control control = {.options = options, .status = 1};

	TAILQ_INIT(&control.clients);
	control.base = event_base_new();
	control.sessions = sessions_new(options->sessions_max);
	if (!control.base || !control.sessions)
		goto no_memory;
	control.owner = (struct client_owner){
		.base = control.base,
		.conn = {.timeout_login = options->timeout_login,
			 .timeout_idle = options->timeout_idle,
			 .address = options->address},
		.word_wait = {.tv_sec = (time_t)options->timeout_word},
		.act = control_act,
		.ended = control_client_ended,
		.gone = control_client_gone,
		.arg = &control,
	};
	control.resume = evtimer_new(control.base, control_on_resume, &control);
	control.monitor = ipc_new(control.base, monitor_fd, "monitor", monitor_rows,
				  sizeof(monitor_rows) / sizeof(monitor_rows[0]), control_on_closed,
				  &control);
	control.forward = ipc_new(control.base, forward_fd, "forward", forward_rows,
				  sizeof(forward_rows) / sizeof(forward_rows[0]), control_on_closed,
				  &control);
	if (!control.resume || !control.monitor || !control.forward)
		goto no_memory;
	(void)event_base_dispatch(control.base);
	goto done;
no_memory:
	log_warnx("out of memory");
done:
	for (struct client *client; (client = TAILQ_FIRST(&control.clients));) {
		TAILQ_REMOVE(&control.clients, client, next);
		client_free(client);
	}
	if (control.listener)
		evconnlistener_free(control.listener);
	if (control.monitor)
		ipc_flush(control.monitor, 1000);
	ipc_free(control.monitor);
	ipc_free(control.forward);
	if (control.resume)
		event_free(control.resume);
	sessions_free(control.sessions);
	if (control.base)
		event_base_free(control.base);
	return control.status;
}
