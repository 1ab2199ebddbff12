/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/control.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "forward/counters.h"
#include "process/ipc.h"
#include "server/control/admission.h"
#include "server/control/broker.h"
#include "server/control/broker_forward.h"
#include "server/control/client.h"
#include "server/control/connection_limits.h"
#include "server/control/login_limits.h"
#include "server/control/requests.h"
#include "server/control/sessions.h"
#include "server/msg.h"
#include "server/options.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* Interval of log messages about suppressed log messages, in seconds. */
enum { CONTROL_TELL_SECONDS = 10 };

/* How long clients may take to read that the server ends. */
static const struct timeval control_stop_wait = {.tv_sec = 2};

struct control {
	struct server_options *options;
	struct event_base *base;
	struct ipc *monitor;
	struct broker broker;
	struct admission admission;
	struct requests requests;
	struct client_owner owner;
	struct login_limits_config login_limits_config;
	struct event *tell; /* timer for counts of suppressed log messages */
	bool stopping;
	int status;
};

static void control_end(struct control *control, int status)
{
	control->status = status;
	(void)event_base_loopbreak(control->base);
}

static void control_failed(void *arg)
{
	control_end(arg, 1);
}

static void control_act(struct client *client, unsigned int what, void *arg)
{
	struct control *control = arg;

	broker_act(&control->broker, client, what);
}

static void control_client_ended(struct client *client, void *arg)
{
	struct control *control = arg;

	broker_ended(&control->broker, client);
}

static void control_client_gone(struct client *client, void *arg)
{
	struct control *control = arg;

	admission_leave(&control->admission, client);
	if (control->stopping && TAILQ_EMPTY(&control->admission.clients))
		control_end(control, 0);
}

static void control_on_verdict(const void *body, void *arg)
{
	struct control *control = arg;

	broker_verdict(&control->broker, body);
}

static void control_on_revoke(const void *body, void *arg)
{
	struct control *control = arg;

	broker_revoke(&control->broker, body);
}

static void control_on_report(void *arg)
{
	const struct control *control = arg;

	requests_report(&control->requests);
}

static void control_on_ctl(int fd, void *arg)
{
	struct control *control = arg;

	if (!requests_open(&control->requests, control->base, fd))
		log_warnx("no control socket: out of memory");
}

static void control_on_state(const void *body, void *arg)
{
	struct control *control = arg;

	requests_on_state(&control->requests, body);
}

static void control_on_done(const void *body, void *arg)
{
	struct control *control = arg;

	requests_on_done(&control->requests, body);
}

static void control_on_usage(const void *body, void *arg)
{
	struct control *control = arg;

	requests_on_usage(&control->requests, body);
}

/* The time is up for clients that do not read their last line, or do not close. */
static void control_on_stop_late(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;
	const struct client *client;
	unsigned int count = 0;

	(void)fd;
	(void)what;
	TAILQ_FOREACH (client, &control->admission.clients, next)
		count++;
	log_debug("%u connections are closed without waiting for their clients any longer", count);
	control_end(control, 0);
}

static void control_on_stop(void *arg)
{
	const struct conn_event event = {.input = CONN_FINISH, .reason = REASON_STOPPING};
	struct control *control = arg;
	struct client *client = TAILQ_FIRST(&control->admission.clients);

	if (control->stopping)
		return;
	control->stopping = true;
	loop_once(control->base, &control_stop_wait, control_on_stop_late, control);
	admission_stop(&control->admission);
	if (!client)
		control_end(control, 0);
	while (client) {
		struct client *next = TAILQ_NEXT(client, next);

		client_feed(client, &event);
		client = next;
	}
}

static void control_on_counters(int fd, void *arg)
{
	struct control *control = arg;

	control->broker.counters = counters_map(fd, server_options_ids(control->options));
}

static void control_on_fast(const void *body, int fd, void *arg)
{
	struct control *control = arg;

	counters_kernel_map(fd, body, server_options_ids(control->options),
			    &control->broker.kernel);
}

static void control_on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)fd;
	(void)what;
	log_limit_tell(&control->broker.denied);
	log_limit_tell(&control->broker.unchecked);
	log_limit_tell(&control->broker.refused);
	log_limit_tell(&control->broker.places);
	log_limit_tell(&control->broker.wrong);
	log_limit_tell(&control->broker.paths);
	log_limit_tell(&control->admission.dropped);
}

static void control_on_listener(int fd, void *arg)
{
	struct control *control = arg;

	if (!admission_open(&control->admission, fd)) {
		log_warnx("cannot take connections: out of memory");
		control_end(control, 1);
	}
}

/* Copies changeable settings to the modules that use them. */
static void control_configure(struct control *control)
{
	const struct server_options *options = control->options;

	log_set_debug(options->debug);
	control->owner.conn.timeout_login = options->timeout_login;
	control->owner.conn.timeout_idle = options->timeout_idle;
	control->owner.conn.attempts = options->attempts;
	control->owner.conn.lines = options->line_rate;
	control->owner.conn.types = (options->tunnelonly ? 1U << TUNNEL_ONLY : 0) |
				    (options->has_host ? 1U << TUNNEL_HOST : 0) |
				    (options->has_pool ? 1U << TUNNEL_NETWORK : 0);
	control->owner.output_max = options->output;
	control->owner.word_wait = (struct timeval){.tv_sec = (time_t)options->timeout_word};
	control->login_limits_config = (struct login_limits_config){
		.failures = options->failures,
		.delay_max = options->delay * 1000,
	};
	if (control->broker.login_limits)
		login_limits_reconfigure(control->broker.login_limits, clock_ms());
	if (control->broker.denied.rate.per_second != options->log_lines) {
		log_limit_init(&control->broker.denied, "failed logins", options->log_lines,
			       clock_ms());
		log_limit_init(&control->broker.places, "places of clients", options->log_lines,
			       clock_ms());
		log_limit_init(&control->broker.paths, "paths of clients", options->log_lines,
			       clock_ms());
	}
}

static void control_on_setting(const void *body, void *arg)
{
	const struct server_setting *setting = body;
	struct control *control = arg;
	char value[SERVER_SETTING_LIVE_SIZE];

	memcpy(value, setting->value, sizeof(value));
	value[sizeof(value) - 1] = '\0';
	if (setting->number < server_settings.count && server_settings.list[setting->number].live &&
	    settings_set(&server_settings, control->options, setting->number,
			 server_settings.list[setting->number].key, value, 0))
		control_configure(control);
}

static void control_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	/* Root logs why the program ends; control ends in good order. */
	control_end(arg, violated ? 1 : 0);
}

static const struct ipc_row monitor_rows[] = {
	IPC_FD(SERVER_MSG_LISTENER, control_on_listener),
	IPC_BODY_FD(SERVER_MSG_FAST, struct counters_kernel_given, control_on_fast),
	IPC_FD(SERVER_MSG_COUNTERS, control_on_counters),
	IPC_BODY(SERVER_MSG_VERDICT, struct server_verdict, control_on_verdict),
	IPC_BODY(SERVER_MSG_REVOKE, struct server_revoked, control_on_revoke),
	IPC_EVENT(SERVER_MSG_REPORT, control_on_report),
	IPC_FD(SERVER_MSG_CTL, control_on_ctl),
	IPC_BODY(SERVER_MSG_STATE, struct server_state, control_on_state),
	IPC_BODY(SERVER_MSG_DONE, struct server_done, control_on_done),
	IPC_EVENT(SERVER_MSG_STOP, control_on_stop),
	IPC_ANSWERS_PINGS,
	IPC_BODY(SERVER_MSG_SETTING, struct server_setting, control_on_setting),
};

static const struct ipc_row accounts_rows[] = {
	IPC_BODY(SERVER_MSG_USAGE, struct server_usage, control_on_usage),
};

/* Makes the session table, the limits, and the broker. */
static bool control_limit(struct control *control)
{
	const struct timeval tell = {.tv_sec = CONTROL_TELL_SECONDS};
	const struct server_options *options = control->options;
	int64_t now = clock_ms();
	uint64_t key[2];

	log_limit_init(&control->broker.unchecked, "refused logins", 1, now);
	log_limit_init(&control->broker.refused, "refused tunnels", 1, now);
	log_limit_init(&control->broker.wrong, "messages that were not believed", 10, now);
	if (RAND_bytes((unsigned char *)key, sizeof(key)) != 1)
		return false;
	control->broker.sessions = sessions_new(server_options_ids(options), key);
	control->broker.connection_limits =
		connection_limits_new(&options->limits, options->limits.connections, key);
	control->admission.connection_limits = control->broker.connection_limits;
	control->broker.login_limits =
		login_limits_new(&control->login_limits_config, options->sessions_max, key);
	control->tell = event_new(control->base, -1, EV_PERSIST, control_on_tell, control);
	return control->broker.sessions && control->broker.connection_limits &&
	       control->broker.login_limits && control->tell &&
	       event_add(control->tell, &tell) == 0;
}

int server_control_run(struct server_options *options, int monitor_fd, int accounts_fd,
		       int forward_fd)
{
	struct control control = {
		.options = options,
		.broker = {.options = options, .failed = control_failed, .arg = &control},
		.status = 1,
	};

	control.requests = (struct requests){.broker = &control.broker,
					     .admission = &control.admission,
					     .root = &control.monitor,
					     .started = clock_ms()};
	admission_init(&control.admission, &control.owner);
	broker_init(&control.broker);
	control.base = event_base_new();
	if (!control.base)
		goto no_memory;
	control.owner = (struct client_owner){
		.base = control.base,
		.conn = {.address = options->address, .udp_port = options->udp_port},
		.act = control_act,
		.ended = control_client_ended,
		.gone = control_client_gone,
		.arg = &control,
	};
	control_configure(&control);
	control.monitor = ipc_new(control.base, monitor_fd, "monitor", monitor_rows,
				  sizeof(monitor_rows) / sizeof(monitor_rows[0]), control_on_closed,
				  &control);
	control.broker.accounts = ipc_new(control.base, accounts_fd, "accounts", accounts_rows,
					  sizeof(accounts_rows) / sizeof(accounts_rows[0]),
					  control_on_closed, &control);
	control.broker.forward =
		ipc_new(control.base, forward_fd, "forward", broker_forward_rows.list,
			broker_forward_rows.count, control_on_closed, &control);
	if (!control.monitor || !control.broker.accounts || !control.broker.forward ||
	    !control_limit(&control))
		goto no_memory;
	ipc_set_handlers_arg(control.broker.forward, &control.broker);
	ipc_batch(control.broker.accounts);
	ipc_batch(control.broker.forward);
	(void)event_base_dispatch(control.base);
	goto done;
no_memory:
	log_warnx("out of memory");
done:
	admission_end(&control.admission);
	if (control.tell)
		control_on_tell(-1, 0, &control);
	ipc_free(&control.monitor);
	/* Sends the last sessions' ends to the history. */
	if (control.broker.accounts)
		ipc_flush(control.broker.accounts, 500);
	ipc_free(&control.broker.accounts);
	ipc_free(&control.broker.forward);
	requests_close(&control.requests);
	if (control.tell)
		event_free(control.tell);
	login_limits_free(control.broker.login_limits);
	connection_limits_free(control.broker.connection_limits);
	sessions_free(control.broker.sessions);
	if (control.base)
		event_base_free(control.base);
	return control.status;
}
