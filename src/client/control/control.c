/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control/control.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "client/control/control_parts.h"
#include "client/status.h"

#include <stdlib.h>
#include <string.h>

/* Pause after a reconnect, until the remains of a connection are cleaned up. */
static const struct timeval control_reconnect_rest = {.tv_usec = 500000};

void control_end(struct control *control, int status)
{
	control->status = status;
	(void)event_base_loopbreak(control->base);
}

void control_tell(struct control *control, struct ipc *channel, uint32_t type, const void *body,
		  size_t size)
{
	int error = ipc_send(channel, type, body, size, -1);

	if (!error)
		return;
	log_warnx("cannot send to %s: %s", channel == control->root ? "monitor" : "forward",
		  strerror(-error));
	control_end(control, CLIENT_LOCAL);
}

void control_wrong(struct control *control, const char *who, const char *message)
{
	log_limited(&control->wrong, clock_ms(),
		    "%s said \"%s\" in state %s (%s for forward): not believed", who, message,
		    session_state_name(control->session.state),
		    dialog_state_name(control->dialog.state));
}

/* Our port as the server sees it, as far as known. */
static uint16_t control_my_port(const struct control *control)
{
	return control->options->nat_port ? control->options->nat_port : control->udp_port;
}

void control_set_port(struct control *control, uint16_t port)
{
	const struct client_options *options = control->options;

	control->udp_port = port;
	control->session.config.udp_named = options->nat_port;
	if (options->transport == SESSION_UDP && options->check_nat)
		control->session.config.udp_named = control_my_port(control);
}

struct client_tunnel control_tunnel(const struct control *control)
{
	return (struct client_tunnel){
		.server = control->session.remote,
		.server_index = (uint32_t)control->session.retry.current,
		.myaddr = control->session.local,
		.my_port = control->session.udp ? control_my_port(control) : 0,
		.reply = control->session.reply,
	};
}

/*
 * Reports the session to root's process, for the status. The round-trip time is as recent as the
 * last event, such as a ping.
 */
static void control_tell_session(struct control *control)
{
	struct client_status status;

	control_status(control, &status);

	const struct client_session now = status.session;

	if (now.state != control->told.state)
		control->since = clock_ms();
	if (now.state == control->told.state && now.status == control->told.status &&
	    now.path == control->told.path && now.rtt_us == control->told.rtt_us)
		return;
	control->told = now;
	control_tell(control, control->root, CLIENT_MSG_SESSION, &now, sizeof(now));
}

/* Logs the session's message. */
static void control_log(const struct control *control, const struct session_actions *actions)
{
	struct log_record record;

	log_record_begin(&record,
			 /* A check logs what matters itself. */
			 actions->suppressed || control->check ? LOG_DEBUG
			 : actions->warning		       ? LOG_WARNING
							       : LOG_INFO,
			 actions->event, "%s", actions->message);
	log_record_text(&record, "server", "%s", actions->server);
	log_record_text(&record, "user", "%s", control->session.user);
	if (actions->status != CLIENT_OK)
		log_record_number(&record, "status", (uint64_t)actions->status);
	if (actions->retry > 0)
		log_record_number(&record, "retry", actions->retry);
	log_event(&record);
}

void control_feed(const struct session_event *event, void *arg)
{
	struct control *control = arg;
	enum session_state before = control->session.state;
	struct session_actions actions;

	if (control->check && control_check_takes(control->check, event))
		return;
	session_feed(&control->session, event, clock_ms(), &actions);
	if (actions.message[0])
		control_log(control, &actions);
	if (actions.what & SESSION_DO_SEND)
		connection_send(control->connection, actions.send);
	if (actions.what & SESSION_DO_CLOSE) {
		connection_close(control->connection);
		/* A session that was only tested has no tunnel whose end would remove it. */
		if (control->session.tunnel == SESSION_TUNNEL_NONE)
			control_forward_remove(control);
	}
	if (actions.what & SESSION_DO_ADD)
		control_forward_add(control);
	if (actions.what & SESSION_DO_HELLO)
		control_forward_hello(control);
	if (actions.what & SESSION_DO_PORT)
		control_tell(control, control->root, CLIENT_MSG_PORT, NULL, 0);
	if (actions.what & SESSION_DO_RAISE) {
		control->raised = control_tunnel(control);
		control_tell(control, control->root, CLIENT_MSG_RAISE, &control->raised,
			     sizeof(control->raised));
	}
	if (actions.what & SESSION_DO_LOWER)
		control_tell(control, control->root, CLIENT_MSG_LOWER, NULL, 0);
	if (!control->check)
		control_tell_session(control);
	clock_arm(control->timer, session_deadline(&control->session));
	if (actions.what & SESSION_DO_CONNECT)
		control_lookup_connect(control);
	control_ctl_changed(control);
	if (control->check)
		control_check_fed(control->check, before, event,
				  (actions.what & SESSION_DO_EXIT) != 0);
	else if (actions.what & SESSION_DO_EXIT)
		control_end(control, (int)control->session.status);
}

void control_feed_input(struct control *control, enum session_input input)
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

static void control_reconnect_now(struct control *control)
{
	const struct session_event event = {.input = SESSION_RECONNECT, .keep = control->keep};

	control->again = false;
	loop_add(control->rest, &control_reconnect_rest);
	control_feed(&event, control);
}

static void control_on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)fd;
	(void)what;
	if (control->again)
		control_reconnect_now(control);
}

/*
 * Limits the rate of reconnects by signals: all during the pause after one are combined, and keep
 * the tunnel if all of them do.
 */
void control_reconnect(struct control *control, bool keep)
{
	control->keep = keep && (control->keep || !control->again);
	if (evtimer_pending(control->rest, NULL))
		control->again = true;
	else
		control_reconnect_now(control);
}

void control_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	(void)violated;
	/* Root's process logs why the program ends, and cleans up. */
	control_end(arg, CLIENT_LOCAL);
}

int client_control_run(const struct client_options *options, int root_fd, int forward_fd)
{
	struct control control = {.options = options, .status = CLIENT_LOCAL};
	struct session_config config = {
		.n_servers = options->check ? 1 : options->n_servers,
		.type = options->type,
		.type_named = options->type_named,
		.loop = options->loop,
		.check_nat = options->check_nat && !options->check,
		.forwards = forward_fd != -1,
		.check = options->check,
		.transport = options->transport,
		.keeps_port = options->check || client_options_keep_port(options),
		.hold = options->hold,
		.keepalive = options->keepalive,
		.keepalive_timeout = options->keepalive_timeout,
		.random = arc4random_uniform,
	};

	memcpy(config.servers, options->servers, sizeof(config.servers));
	log_limit_init(&control.wrong, "messages that were not believed", 10, clock_ms());
	session_init(&control.session, &config);
	control.since = clock_ms();
	(void)strlcpy(control.interface.name, options->interface, sizeof(control.interface.name));
	control_lookup_init(&control);
	control.base = event_base_new();
	if (!control.base)
		goto no_memory;
	control.root = control_root_open(&control, root_fd);
	if (forward_fd != -1)
		control.forward = control_forward_open(&control, forward_fd);
	if (options->check)
		control.check = control_check_new(&control);
	control.connection = connection_new(control.base, options->keepalive_timeout * 1000,
					    control_feed, &control);
	control.timer = evtimer_new(control.base, control_on_timer, &control);
	control.rest = evtimer_new(control.base, control_on_rested, &control);
	if (!control.root || !control.connection || !control.timer || !control.rest ||
	    (forward_fd != -1 && !control.forward) || (options->check && !control.check))
		goto no_memory;
	(void)event_base_dispatch(control.base);
	goto done;
no_memory:
	log_warnx("out of memory");
done:
	log_limit_tell(&control.wrong);
	session_wipe(&control.session);
	connection_free(control.connection);
	control_check_free(control.check);
	control_lookup_free(&control);
	if (control.root)
		ipc_flush(control.root, 1000);
	ipc_free(&control.root);
	ipc_free(&control.forward);
	control_ctl_free(&control);
	if (control.timer)
		event_free(control.timer);
	if (control.rest)
		event_free(control.rest);
	if (control.base)
		event_base_free(control.base);
	return control.status;
}
