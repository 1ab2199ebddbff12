/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control.h"

#include "base/ipc.h"
#include "base/log.h"
#include "forward/counters.h"
#include "forward/msg.h"
#include "server/broker.h"
#include "server/client.h"
#include "server/msg.h"
#include "server/sessions.h"
#include "server/settings.h"

#include <errno.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long clients may take at the end of the server to read that it ends. */
static const struct timeval control_stop_wait = {.tv_sec = 2};

struct control {
	struct server_options *options;
	struct event_base *base;
	struct broker broker;
	struct evconnlistener *listener;
	struct event *resume; /* listening again after a pause */
	struct client_owner owner;
	TAILQ_HEAD(, client) clients;
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

	TAILQ_REMOVE(&control->clients, client, next);
	if (control->stopping && TAILQ_EMPTY(&control->clients))
		control_end(control, 0);
}

static void control_on_verdict(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;

	(void)ipc;
	(void)fd;
	broker_verdict(&control->broker, body);
}

static void control_on_revoke(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct server_id *id = body;
	struct control *control = arg;

	(void)ipc;
	(void)fd;
	broker_revoke(&control->broker, id->id);
}

static void control_on_report(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct control *control = arg;

	(void)ipc;
	(void)body;
	(void)fd;
	broker_report(&control->broker);
}

static void control_on_added(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct forward_id *id = body;
	struct control *control = arg;

	(void)ipc;
	(void)fd;
	broker_added(&control->broker, id->id);
}

static void control_on_learned(struct ipc *ipc, const void *body, int fd, void *arg)
{
	struct control *control = arg;

	(void)ipc;
	(void)fd;
	broker_learned(&control->broker, body);
}

static void control_on_refused(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct forward_id *id = body;
	struct control *control = arg;

	(void)ipc;
	(void)fd;
	broker_refused(&control->broker, id->id);
}

/* Some clients do not read their last line, or do not close: they have had their time. */
static void control_on_stop_late(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;
	const struct client *client;
	unsigned int count = 0;

	(void)fd;
	(void)what;
	TAILQ_FOREACH (client, &control->clients, next)
		count++;
	log_debug("%u connections are closed without waiting for their clients any longer", count);
	control_end(control, 0);
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
	(void)event_base_once(control->base, -1, EV_TIMEOUT, control_on_stop_late, control,
			      &control_stop_wait);
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
		control->broker.counters = page;
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

/* What is kept elsewhere of the settings that can change. */
static void control_configure(struct control *control)
{
	const struct server_options *options = control->options;

	log_set_debug(options->debug);
	control->owner.conn.timeout_login = options->timeout_login;
	control->owner.conn.timeout_idle = options->timeout_idle;
	control->owner.conn.attempts = options->attempts;
	control->owner.word_wait = (struct timeval){.tv_sec = (time_t)options->timeout_word};
}

static void control_on_setting(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct server_setting *setting = body;
	struct control *control = arg;
	char value[SETTINGS_LIVE_SIZE];

	(void)ipc;
	(void)fd;
	memcpy(value, setting->value, sizeof(value));
	value[sizeof(value) - 1] = '\0';
	if (setting->number < settings_count() && settings_is_live(setting->number) &&
	    settings_set(control->options, setting->number, settings_key(setting->number), value,
			 0))
		control_configure(control);
}

static void control_on_call(struct ipc *ipc, const void *body, int fd, void *arg)
{
	const struct server_none none = {0};

	(void)body;
	(void)fd;
	(void)arg;
	/* Without memory for it monitor hears nothing, which is what it listens for. */
	(void)ipc_send(ipc, SERVER_MSG_HERE, &none, sizeof(none), -1);
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
	{SERVER_MSG_CALL, sizeof(struct server_none), false, control_on_call},
	{SERVER_MSG_SETTING, sizeof(struct server_setting), false, control_on_setting},
};

static const struct ipc_row forward_rows[] = {
	{FORWARD_MSG_ADDED, sizeof(struct forward_id), false, control_on_added},
	{FORWARD_MSG_LEARNED, sizeof(struct forward_learned), false, control_on_learned},
	{FORWARD_MSG_REFUSED, sizeof(struct forward_id), false, control_on_refused},
	{FORWARD_MSG_REMOVED, sizeof(struct forward_id), false, control_on_removed},
};

int server_control_run(struct server_options *options, int monitor_fd, int forward_fd)
{
	struct control control = {
		.options = options,
		.broker = {.options = options, .failed = control_failed, .arg = &control},
		.status = 1,
	};

	TAILQ_INIT(&control.clients);
	control.base = event_base_new();
	control.broker.sessions = sessions_new(options->sessions_max);
	if (!control.base || !control.broker.sessions)
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
	control.resume = evtimer_new(control.base, control_on_resume, &control);
	control.broker.monitor = ipc_new(control.base, monitor_fd, "monitor", monitor_rows,
					 sizeof(monitor_rows) / sizeof(monitor_rows[0]),
					 control_on_closed, &control);
	control.broker.forward = ipc_new(control.base, forward_fd, "forward", forward_rows,
					 sizeof(forward_rows) / sizeof(forward_rows[0]),
					 control_on_closed, &control);
	if (!control.resume || !control.broker.monitor || !control.broker.forward)
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
	if (control.broker.monitor)
		ipc_flush(control.broker.monitor, 1000);
	ipc_free(control.broker.monitor);
	ipc_free(control.broker.forward);
	if (control.resume)
		event_free(control.resume);
	sessions_free(control.broker.sessions);
	if (control.base)
		event_base_free(control.base);
	return control.status;
}
