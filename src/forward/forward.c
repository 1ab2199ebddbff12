/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forward process. This file handles its channels and their messages; plane.c and the modules
 * that it uses move the packets; decap.c, encap.c and learn.c decide about each packet, without
 * side effects; table.c has the sessions.
 *
 * Root hands over descriptors, control describes sessions, and the order between the two channels
 * is undefined. So a session may name a device that has not arrived yet: it waits for that device,
 * and control gets ADDED once packets really pass.
 */
#include "forward/forward.h"

#include "base/clock.h"
#include "base/log.h"
#include "forward/fast.h"
#include "forward/msg.h"
#include "forward/plane.h"
#include "forward/plane_session.h"
#include "forward/trial.h"
#include "process/ipc.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct forward {
	struct event_base *base;
	struct ipc *monitor;
	struct ipc *control;
	struct plane plane;
	int status;
};

static void forward_end(struct forward *forward, int status)
{
	if (status)
		forward->status = status;
	(void)event_base_loopbreak(forward->base);
}

static void forward_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	forward_end(arg, violated ? 1 : 0);
}

static void forward_send(struct forward *forward, enum forward_msg type, const void *body,
			 size_t size)
{
	int error = ipc_send(forward->control, type, body, size, -1);

	/* A closed channel is noticed by the reader. */
	if (error == -ENOMEM) {
		log_warnx("no memory for an answer to control");
		forward_end(forward, 1);
	}
}

static void forward_tell(struct forward *forward, enum forward_msg type, uint32_t id)
{
	const struct forward_id body = {.id = id};

	forward_send(forward, type, &body, sizeof(body));
}

/* --- from the data plane ------------------------------------------------------------------ */

static void forward_on_learned(struct session *session, void *arg)
{
	const struct table_peer *peer = session_peer(session);
	const struct forward_learned body = {
		.id = session_config(session)->id,
		.peer = peer->address,
		.port = peer->port,
	};

	/*
	 * Moves of a peer are served, but their reports are rate limited; none about a session that
	 * control does not consider up.
	 */
	if (session_is_up(session) &&
	    rate_take(&session_plane(session)->reports, clock_us() / 1000))
		forward_send(arg, FORWARD_MSG_LEARNED, &body, sizeof(body));
}

static void forward_on_up(const struct session *session, void *arg)
{
	forward_tell(arg, FORWARD_MSG_ADDED, session_config(session)->id);
}

static void forward_on_path(const struct session *session, bool alive, void *arg)
{
	const struct forward_path body = {.id = session_config(session)->id, .alive = alive};

	forward_send(arg, FORWARD_MSG_PATH, &body, sizeof(body));
}

static void forward_on_silent(const struct session *session, void *arg)
{
	forward_tell(arg, FORWARD_MSG_SILENT, session_config(session)->id);
}

static void forward_on_port(uint16_t port, void *arg)
{
	const struct forward_port body = {.port = port};

	forward_send(arg, FORWARD_MSG_PORT, &body, sizeof(body));
}

static void forward_on_result(const struct forward_result *result, void *arg)
{
	forward_send(arg, FORWARD_MSG_RESULT, result, sizeof(*result));
}

static const struct plane_reports forward_reports = {
	.up = forward_on_up,
	.learned = forward_on_learned,
	.path = forward_on_path,
	.silent = forward_on_silent,
	.port = forward_on_port,
	.result = forward_on_result,
};

/* --- from root ---------------------------------------------------------------------------- */

static void forward_set_outer(struct forward *forward, enum forward_transport transport, int fd)
{
	struct plane *plane = &forward->plane;

	if (plane_set_outer(plane, transport, fd)) {
		forward_end(forward, 1);
		return;
	}
	for (uint32_t id = 0; id < plane->config.sessions_max; id++) {
		struct session *session = table_by_id(plane->table, id);

		if (!session || session_config(session)->transport != transport)
			continue;
		plane_session_hurry(session);
		plane_session_look(plane, session);
	}
}

static void forward_on_raw(int fd, void *arg)
{
	forward_set_outer(arg, FORWARD_PROTO41, fd);
}

static void forward_on_udp(int fd, void *arg)
{
	forward_set_outer(arg, FORWARD_UDP, fd);
}

static void forward_on_candidate(const void *body, int fd, void *arg)
{
	struct forward *forward = arg;
	const struct forward_port *message = body;

	/* Without it, forward works as before. */
	(void)plane_set_candidate(&forward->plane, (uint16_t)message->port, fd);
}

static void forward_on_routes(int fd, void *arg)
{
	const struct forward *forward = arg;

	sources_set_socket(forward->plane.sources, fd);
}

static void forward_on_fast(const void *body, int fd, void *arg)
{
	struct forward *forward = arg;
	int error = fast_take(forward->plane.fast, body, fd);

	if (error) {
		errno = -error;
		log_warn("fast path");
		forward_end(forward, 1);
	}
}

static void forward_on_counters(int fd, void *arg)
{
	struct forward *forward = arg;
	int error = plane_set_counters(&forward->plane, fd);

	if (error) {
		errno = -error;
		log_warn("counter page");
		forward_end(forward, 1);
	}
}

static void forward_on_icmp(const void *body, void *arg)
{
	struct forward *forward = arg;
	const struct forward_icmp *icmp = body;

	forward->plane.icmp_source = icmp->source;
}

static void forward_on_settings(const void *body, void *arg)
{
	struct forward *forward = arg;
	const struct forward_settings *settings = body;

	plane_set_icmp6_rate(&forward->plane, settings->icmp6_rate);
	log_set_debug(settings->debug);
}

static void forward_on_device(const void *body, int fd, void *arg)
{
	struct forward *forward = arg;
	const struct forward_device *message = body;
	struct device *device = devices_get(forward->plane.devices, message->index);
	struct plane_session *own;

	if (!device) {
		close(fd);
	} else if (device_open(device, fd) == 0) {
		device->interface = message->interface;
		TAILQ_FOREACH (own, &device->sessions, on_device)
			plane_session_look(&forward->plane, own->session);
		return;
	}
	log_warnx("device %u: out of memory", message->index);
	forward_end(forward, 1);
}

static void forward_on_no_device(const void *body, void *arg)
{
	struct forward *forward = arg;
	const struct forward_device *message = body;
	struct device *device = devices_find(forward->plane.devices, message->index);

	if (!device)
		return;
	device_close(device);
	device_release(device);
}

/* --- from control ------------------------------------------------------------------------- */

static void forward_on_add(const void *body, void *arg)
{
	struct forward *forward = arg;
	const struct forward_session *config = body;
	int error = plane_session_add(&forward->plane, config);

	if (error) {
		errno = -error;
		log_warn("session %u refused", config->id);
		forward_tell(forward, FORWARD_MSG_REFUSED, config->id);
	}
}

static void forward_on_remove(const void *body, void *arg)
{
	struct forward *forward = arg;
	const struct forward_id *message = body;
	struct session *session = table_by_id(forward->plane.table, message->id);

	if (session)
		plane_session_remove(&forward->plane, session);
	forward_tell(forward, FORWARD_MSG_REMOVED, message->id);
}

static void forward_on_hello(const void *body, void *arg)
{
	const struct forward *forward = arg;
	const struct forward_id *message = body;
	struct session *session = table_by_id(forward->plane.table, message->id);

	if (session && plane_outer(&forward->plane, session))
		plane_session_hurry(session);
}

static void forward_on_trial(const void *body, void *arg)
{
	struct forward *forward = arg;
	const struct forward_trial *message = body;
	struct session *session = table_by_id(forward->plane.table, message->id);
	struct plane_session *own;

	if (!session || !forward_trial_valid(message, session_config(session)))
		return;
	own = session_plane(session);
	if (!own->trial)
		own->trial = trial_new(&forward->plane, session);
	if (own->trial)
		trial_begin(own->trial, message);
}

static void forward_on_assigned(const void *body, void *arg)
{
	struct forward *forward = arg;
	const struct forward_prefix *message = body;
	int error = table_assign(forward->plane.table, &message->prefix);

	/* Without it, senders get "no route" instead of "unreachable", so this is only logged. */
	if (error) {
		errno = -error;
		log_warn("assigned prefix");
	}
}

/* --- the process -------------------------------------------------------------------------- */

static const struct ipc_row forward_monitor_rows[] = {
	IPC_FD(FORWARD_MSG_RAW, forward_on_raw),
	IPC_FD(FORWARD_MSG_UDP, forward_on_udp),
	IPC_BODY_FD(FORWARD_MSG_CANDIDATE, struct forward_port, forward_on_candidate),
	IPC_FD(FORWARD_MSG_COUNTERS, forward_on_counters),
	IPC_BODY_FD(FORWARD_MSG_FAST, struct forward_fast, forward_on_fast),
	IPC_FD(FORWARD_MSG_ROUTES, forward_on_routes),
	IPC_BODY(FORWARD_MSG_ICMP, struct forward_icmp, forward_on_icmp),
	IPC_BODY(FORWARD_MSG_SETTINGS, struct forward_settings, forward_on_settings),
	IPC_BODY_FD(FORWARD_MSG_DEVICE, struct forward_device, forward_on_device),
	IPC_BODY(FORWARD_MSG_NO_DEVICE, struct forward_device, forward_on_no_device),
	IPC_BODY(FORWARD_MSG_ASSIGNED, struct forward_prefix, forward_on_assigned),
	IPC_ANSWERS_PINGS,
};

/* The server's control sends only the first ones; a client's sends trials only with --check. */
enum { FORWARD_SERVER_ROWS = 2, FORWARD_CLIENT_ROWS };

static const struct ipc_row forward_control_rows[] = {
	IPC_BODY(FORWARD_MSG_ADD, struct forward_session, forward_on_add),
	IPC_BODY(FORWARD_MSG_REMOVE, struct forward_id, forward_on_remove),
	/* on a client: */
	IPC_BODY(FORWARD_MSG_HELLO, struct forward_id, forward_on_hello),
	/* on a client with --check: */
	IPC_BODY(FORWARD_MSG_TRIAL, struct forward_trial, forward_on_trial),
};

#define FORWARD_N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static size_t forward_control_count(const struct forward_config *config)
{
	if (config->server)
		return FORWARD_SERVER_ROWS;
	return config->trials ? FORWARD_N_ROWS(forward_control_rows) : FORWARD_CLIENT_ROWS;
}

int forward_run(const struct forward_config *config, int monitor_fd, int control_fd)
{
	struct forward forward = {.base = event_base_new()};

	if (!forward.base ||
	    plane_open(&forward.plane, config, forward.base, &forward_reports, &forward))
		goto no_memory;
	forward.monitor =
		ipc_new(forward.base, monitor_fd, "monitor", forward_monitor_rows,
			FORWARD_N_ROWS(forward_monitor_rows), forward_on_closed, &forward);
	forward.control = ipc_new(forward.base, control_fd, "control", forward_control_rows,
				  forward_control_count(config), forward_on_closed, &forward);
	if (!forward.monitor || !forward.control)
		goto no_memory;
	ipc_batch(forward.control);
	if (event_base_dispatch(forward.base) == -1) {
		log_warnx("event loop failed");
		forward.status = 1;
	}
	goto done;
no_memory:
	log_warnx("out of memory");
	forward.status = 1;
done:
	/* Channels first: root notices the end, and no messages arrive any more. */
	ipc_free(&forward.control);
	ipc_free(&forward.monitor);
	plane_close(&forward.plane);
	if (forward.base)
		event_base_free(forward.base);
	return forward.status;
}
