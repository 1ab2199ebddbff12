/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control.h"

#include "base/clock.h"
#include "base/ipc.h"
#include "base/log.h"
#include "client/connection.h"
#include "client/msg.h"
#include "client/names.h"
#include "client/session.h"
#include "client/tunnel.h"
#include "forward/counters.h"
#include "forward/msg.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The one session's id in the forward room, and its device. */
enum { CONTROL_SESSION = 0, CONTROL_DEVICE = 0 };

struct control {
	const struct client_options *options;
	struct event_base *base;
	struct ipc *monitor;
	struct ipc *forward; /* NULL with --tunnel none */
	struct connection *connection;
	struct event *timer;
	struct session session;
	/* Forward's; NULL: none are shown. */
	const struct counters_page *counters;
	struct client_session told; /* to monitor */
	bool forwarding;	    /* forward has our session */
	uint16_t udp_port;	    /* bound for a tunnel over UDP */
	bool looking_up;	    /* this attempt waits for the name files */
	bool asked;		    /* monitor for them, which has not handed both over yet */
	int hosts;		    /* the first of them, -1: it is not there yet */
	int status;
};

static void control_end(struct control *control, int status)
{
	control->status = status;
	(void)event_base_loopbreak(control->base);
}

static void control_must(struct control *control, int error, const char *whom)
{
	if (!error)
		return;
	log_warnx("cannot send to %s: %s", whom, strerror(-error));
	control_end(control, CLIENT_LOCAL);
}

static void control_forward_remove(struct control *control)
{
	const struct forward_id id = {.id = CONTROL_SESSION};

	if (!control->forwarding)
		return;
	control->forwarding = false;
	control_must(control, ipc_send(control->forward, FORWARD_MSG_REMOVE, &id, sizeof(id), -1),
		     "forward");
}

/* The port of ours that the server sends to, as far as we know. */
static uint16_t control_my_port(const struct control *control)
{
	return control->options->nat_port ? control->options->nat_port : control->udp_port;
}

/*
 * Tells forward about the session, in place of the one before: its addresses are those that the
 * server gave us.
 */
static void control_forward_add(struct control *control)
{
	const struct session *session = &control->session;
	const struct dtcp_reply *reply = &session->reply;
	struct forward_session add = {
		.id = CONTROL_SESSION,
		.device = CONTROL_DEVICE,
		.transport = session->udp ? FORWARD_UDP : FORWARD_PROTO41,
		.mtu = control->options->mtu,
		.peer = reply->her,
		.alias = reply->me,
	};

	if (!control->forward)
		return;
	control_forward_remove(control);
	if (session->udp) {
		/* The kernel chooses our address, packet by packet: it can change under us. */
		add.peer_port = reply->udp_port;
		add.session = reply->session;
		memcpy(add.key, session->key, sizeof(add.key));
	} else {
		add.local = session->local;
	}
	if (reply->has_me6)
		add.prefixes[add.n_prefixes++] = (struct prefix6){.addr = reply->me6, .len = 128};
	for (size_t i = 0; i < reply->n_prefixes; i++)
		add.prefixes[add.n_prefixes++] = reply->prefixes[i];
	control_must(control, ipc_send(control->forward, FORWARD_MSG_ADD, &add, sizeof(add), -1),
		     "forward");
	/* From now on it is forward's. */
	explicit_bzero(add.key, sizeof(add.key));
	explicit_bzero(control->session.key, sizeof(control->session.key));
	control->forwarding = true;
}

static struct client_tunnel control_tunnel(const struct control *control)
{
	return (struct client_tunnel){
		.server = control->session.remote,
		.server_index = (uint32_t)control->session.current,
		.myaddr = control->session.local,
		.my_port = control->session.udp ? control_my_port(control) : 0,
		.reply = control->session.reply,
	};
}

/* Has forward ask the far end inside the tunnel, whoever it is. */
static void control_echo(struct control *control)
{
	const struct client_tunnel tunnel = control_tunnel(control);
	const struct dtcp_reply *reply = &control->session.reply;
	struct forward_echo echo = {
		.id = CONTROL_SESSION,
		.source = tunnel_link_local(&tunnel, control->session.user),
		.destination = {.s6_addr = {0xff, 0x02, [15] = 1}}, /* all nodes on the link */
	};

	if (reply->has_me6 && reply->has_her6) {
		echo.source = reply->me6;
		echo.destination = reply->her6;
	}
	control_must(control, ipc_send(control->forward, FORWARD_MSG_ECHO, &echo, sizeof(echo), -1),
		     "forward");
}

static void control_hello(struct control *control)
{
	const struct forward_id id = {.id = CONTROL_SESSION};

	if (control->forwarding)
		control_must(control,
			     ipc_send(control->forward, FORWARD_MSG_HELLO, &id, sizeof(id), -1),
			     "forward");
}

static void control_raise(struct control *control)
{
	const struct client_tunnel tunnel = control_tunnel(control);

	control_must(control,
		     ipc_send(control->monitor, CLIENT_MSG_RAISE, &tunnel, sizeof(tunnel), -1),
		     "monitor");
}

/* What is shown to those who ask how the tunnel is. The round-trip time is as fresh as the last
 * event, a ping at least. */
static void control_tell_session(struct control *control)
{
	struct client_session now = {
		.up = control->session.state == SESSION_UP,
		.status = (uint32_t)control->session.status,
	};

	if (now.up && control->counters)
		now.rtt_us = (uint32_t)control->counters->session[CONTROL_SESSION].rtt_us;
	if (now.up == control->told.up && now.status == control->told.status &&
	    now.rtt_us == control->told.rtt_us)
		return;
	control->told = now;
	control_must(control, ipc_send(control->monitor, CLIENT_MSG_SESSION, &now, sizeof(now), -1),
		     "monitor");
}

static void control_open(struct control *control, const struct names *names)
{
	connection_open(control->connection, session_server_name(&control->session),
			control->options->port, names, session_server(&control->session)->address,
			session_server(&control->session)->past);
}

/*
 * A name is looked up with the files as they are now, which monitor opens for us. Those that an
 * attempt which was given up has asked for are as good, since they are not even here yet.
 */
static void control_connect(struct control *control)
{
	const struct client_none none = {0};

	control->looking_up = connection_is_name(session_server_name(&control->session));
	if (!control->looking_up) {
		control_open(control, NULL);
	} else if (!control->asked) {
		control->asked = true;
		control_must(control,
			     ipc_send(control->monitor, CLIENT_MSG_NAMES, &none, sizeof(none), -1),
			     "monitor");
	}
}

static void control_feed(const struct session_event *event, void *arg)
{
	struct control *control = arg;
	struct session_actions actions;

	session_feed(&control->session, event, clock_ms(), &actions);
	if (actions.message[0] && actions.hushed)
		log_debug("%s", actions.message);
	else if (actions.message[0] && actions.warning)
		log_warnx("%s", actions.message);
	else if (actions.message[0])
		log_info("%s", actions.message);
	if (actions.what & SESSION_DO_SEND)
		connection_send(control->connection, actions.send);
	if (actions.what & SESSION_DO_CLOSE) {
		control->looking_up = false;
		connection_close(control->connection);
		/* A session that was only tried out has no tunnel whose end would remove it. */
		if (control->session.link == SESSION_LINK_NONE)
			control_forward_remove(control);
	}
	if (actions.what & SESSION_DO_ADD)
		control_forward_add(control);
	if (actions.what & SESSION_DO_ECHO)
		control_echo(control);
	if (actions.what & SESSION_DO_HELLO)
		control_hello(control);
	if (actions.what & SESSION_DO_RAISE)
		control_raise(control);
	if (actions.what & SESSION_DO_LOWER) {
		const struct client_none none = {0};

		control_must(control,
			     ipc_send(control->monitor, CLIENT_MSG_LOWER, &none, sizeof(none), -1),
			     "monitor");
	}
	control_tell_session(control);
	clock_arm(control->timer, session_deadline(&control->session));
	if (actions.what & SESSION_DO_CONNECT)
		control_connect(control);
	if (actions.what & SESSION_DO_EXIT)
		control_end(control, (int)actions.status);
}

static void control_feed_input(struct control *control, enum session_input input)
{
	const struct session_event event = {.input = input};

	control_feed(&event, control);
}

static void control_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)fd;
	(void)what;
	control_feed_input(control, SESSION_TIME);
}

static void control_on_password(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct client_password *password = body;

	(void)ipc;
	(void)fd;
	session_password(&control->session, password->server, password->text);
}

static void control_on_account(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct client_account *account = body;
	const struct client_options *options = control->options;

	(void)ipc;
	(void)fd;
	session_account(&control->session, account->user);
	control->udp_port = (uint16_t)account->udp_port;
	/* Without a NAT the bound port is the one that the server sees. */
	control->session.config.udp_named = options->nat_port;
	if (options->transport == SESSION_UDP && options->check_nat)
		control->session.config.udp_named = control_my_port(control);
	control_feed_input(control, SESSION_START);
}

static void control_on_reconnect(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct client_none none = {0};
	struct control *control = arg;

	(void)body;
	(void)fd;
	control_must(control, ipc_send(ipc, CLIENT_MSG_HEARD, &none, sizeof(none), -1), "monitor");
	control_feed_input(control, SESSION_RECONNECT);
}

/* The address that packets to the server leave from now; 0 where there is no way to it. */
static struct in_addr control_source(const struct control *control)
{
	const struct sockaddr_in server = {
		.sin_family = AF_INET,
		.sin_port = htons(control->options->port),
		.sin_addr = control->session.remote,
	};
	struct sockaddr_in local = {.sin_family = AF_INET};
	socklen_t len = sizeof(local);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* Connecting a UDP socket sends nothing; it asks the routing table. */
	if (fd == -1 || server.sin_addr.s_addr == 0 ||
	    connect(fd, (const struct sockaddr *)&server, sizeof(server)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&local, &len) == -1)
		local.sin_addr.s_addr = 0;
	if (fd != -1)
		close(fd);
	return local.sin_addr;
}

static void control_on_network(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct session_event event = {.input = SESSION_NETWORK,
					    .local = control_source(control)};

	(void)ipc;
	(void)body;
	(void)fd;
	control_feed(&event, control);
}

static void control_on_woke(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct client_woke *woke = body;
	const struct session_event event = {.input = SESSION_WOKE, .seconds = woke->seconds};

	(void)ipc;
	(void)fd;
	control_feed(&event, arg);
}

static void control_on_echoed(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)body;
	(void)fd;
	control_feed_input(arg, SESSION_ECHOED);
}

static void control_on_path(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct forward_path *path = body;
	const struct session_event event = {.input = SESSION_PATH, .alive = path->alive != 0};

	(void)ipc;
	(void)fd;
	control_feed(&event, arg);
}

static void control_on_hosts(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;

	(void)ipc;
	(void)body;
	if (control->hosts != -1)
		close(control->hosts);
	control->hosts = fd;
}

static void control_on_resolv(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct names names = {.hosts = control->hosts, .resolv = fd};

	(void)ipc;
	(void)body;
	control->hosts = -1;
	control->asked = false;
	/* Else the attempt that they were for has been given up. */
	if (control->looking_up) {
		control->looking_up = false;
		control_open(control, &names);
	}
	if (names.hosts != -1)
		close(names.hosts);
	close(fd);
}

static void control_on_counters(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;

	(void)ipc;
	(void)body;
	control->counters = counters_map(fd, 1);
}

static void control_on_report(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct control *control = arg;

	(void)ipc;
	(void)body;
	(void)fd;
	if (!control->counters)
		return;
	counters_log_session(&control->counters->session[CONTROL_SESSION]);
	counters_log_page(control->counters);
}

static void control_on_stop(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)body;
	(void)fd;
	control_feed_input(arg, SESSION_STOP);
}

static void control_on_raised(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;
	const struct client_raised *raised = body;

	(void)ipc;
	(void)fd;
	if (!raised->ok)
		control_forward_remove(control);
	control_feed_input(control, raised->ok ? SESSION_RAISED : SESSION_RAISE_ERROR);
}

/*
 * The tunnel is gone. Only now: the script at "down" may still want to use it. Where the next
 * session was quicker, forward has that one already.
 */
static void control_tunnel_gone(struct control *control, enum session_input input)
{
	enum session_state state = control->session.state;

	if (state != SESSION_TEST && state != SESSION_RAISE)
		control_forward_remove(control);
	control_feed_input(control, input);
}

static void control_on_lowered(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)body;
	(void)fd;
	control_tunnel_gone(arg, SESSION_LOWERED);
}

static void control_on_lost(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)body;
	(void)fd;
	control_tunnel_gone(arg, SESSION_LOST);
}

static void control_on_refused(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)body;
	(void)fd;
	log_warnx("the forward room refused the session");
	control_end(arg, CLIENT_LOCAL);
}

/* Nothing waits for these: packets pass when forward has both session and device. */
static void control_on_forward_done(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)body;
	(void)fd;
	(void)arg;
}

static void control_on_call(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct client_none none = {0};

	(void)body;
	(void)fd;
	(void)arg;
	/* Without memory for it monitor hears nothing, which is what it listens for. */
	(void)ipc_send(ipc, CLIENT_MSG_HERE, &none, sizeof(none), -1);
}

static void control_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	(void)violated;
	/* The monitor says why the program ends, and removes what is to be removed. */
	control_end(arg, CLIENT_LOCAL);
}

static const struct ipc_row monitor_rows[] = {
	{CLIENT_MSG_PASSWORD, sizeof(struct client_password), false, control_on_password},
	{CLIENT_MSG_ACCOUNT, sizeof(struct client_account), false, control_on_account},
	{CLIENT_MSG_RECONNECT, sizeof(struct client_none), false, control_on_reconnect},
	{CLIENT_MSG_NETWORK, sizeof(struct client_none), false, control_on_network},
	{CLIENT_MSG_WOKE, sizeof(struct client_woke), false, control_on_woke},
	{CLIENT_MSG_STOP, sizeof(struct client_none), false, control_on_stop},
	{CLIENT_MSG_CALL, sizeof(struct client_none), false, control_on_call},
	{CLIENT_MSG_RAISED, sizeof(struct client_raised), false, control_on_raised},
	{CLIENT_MSG_LOWERED, sizeof(struct client_none), false, control_on_lowered},
	{CLIENT_MSG_LOST, sizeof(struct client_none), false, control_on_lost},
	{CLIENT_MSG_HOSTS, sizeof(struct client_none), true, control_on_hosts},
	{CLIENT_MSG_RESOLV, sizeof(struct client_none), true, control_on_resolv},
	{CLIENT_MSG_COUNTERS, sizeof(struct client_none), true, control_on_counters},
	{CLIENT_MSG_REPORT, sizeof(struct client_none), false, control_on_report},
};

static const struct ipc_row forward_rows[] = {
	{FORWARD_MSG_ADDED, sizeof(struct forward_id), false, control_on_forward_done},
	{FORWARD_MSG_ECHOED, sizeof(struct forward_id), false, control_on_echoed},
	{FORWARD_MSG_PATH, sizeof(struct forward_path), false, control_on_path},
	{FORWARD_MSG_REMOVED, sizeof(struct forward_id), false, control_on_forward_done},
	{FORWARD_MSG_REFUSED, sizeof(struct forward_id), false, control_on_refused},
};

int client_control_run(const struct client_options *options, int monitor_fd, int forward_fd)
{
	struct control control = {.options = options, .hosts = -1, .status = CLIENT_LOCAL};
	struct session_config config = {
		.n_servers = options->n_servers,
		.type = options->type,
		.loop = options->loop,
		.check_nat = options->check_nat,
		.forwards = forward_fd != -1,
		.transport = options->transport,
		.hold = options->hold,
		.keepalive = options->keepalive,
		.keepalive_timeout = options->keepalive_timeout,
		.random = arc4random_uniform,
	};

	memcpy(config.servers, options->servers, sizeof(config.servers));
	session_init(&control.session, &config);
	control.base = event_base_new();
	if (!control.base)
		goto no_memory;
	control.monitor = ipc_new(control.base, monitor_fd, "monitor", monitor_rows,
				  sizeof(monitor_rows) / sizeof(monitor_rows[0]), control_on_closed,
				  &control);
	if (forward_fd != -1)
		control.forward = ipc_new(control.base, forward_fd, "forward", forward_rows,
					  sizeof(forward_rows) / sizeof(forward_rows[0]),
					  control_on_closed, &control);
	control.connection = connection_new(control.base, options->keepalive_timeout * 1000,
					    control_feed, &control);
	control.timer = evtimer_new(control.base, control_on_timer, &control);
	if (!control.monitor || !control.connection || !control.timer ||
	    (forward_fd != -1 && !control.forward))
		goto no_memory;
	(void)event_base_dispatch(control.base);
	goto done;
no_memory:
	log_warnx("out of memory");
done:
	session_wipe(&control.session);
	connection_free(control.connection);
	if (control.monitor)
		ipc_flush(control.monitor, 1000);
	ipc_free(control.monitor);
	ipc_free(control.forward);
	if (control.timer)
		event_free(control.timer);
	if (control.base)
		event_base_free(control.base);
	return control.status;
}
