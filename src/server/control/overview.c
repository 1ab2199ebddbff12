/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/overview.h"

#include "base/log.h"

void overview_take(const struct broker *broker, const struct admission *admission, int64_t started,
		   struct overview *overview)
{
	const struct counters_page *page = broker->counters;

	*overview = (struct overview){
		.options = broker->options,
		.started = started,
		.ready = admission->listener != NULL,
		.sessions = sessions_count(broker->sessions),
		.dead_paths = broker->dead_paths,
		.up = broker->up,
		.connections = connection_limits_count(broker->connection_limits),
		.logins = broker->logins,
		.turned_away = admission->turned_away,
		.left_out = log_left_out(),
		.has_counters = page,
	};
	if (!page)
		return;
	counters_drops(page, &broker->kernel, overview->drops);
	overview->icmp_errors = page->icmp_errors;
	overview->icmp6_sent = page->icmp6_sent;
	overview->user = page->carried;
	counters_kernel_carried(&broker->kernel, page->sessions_max, &overview->kernel);
}

void overview_log(const struct overview *overview)
{
	counters_log("sessions", overview->sessions);
	counters_log_some("dead-paths", overview->dead_paths);
	for (enum drop_reason reason = DROP_NONE + 1; reason < DROP_REASONS; reason++)
		counters_log_some(drop_reason_name(reason), overview->drops[reason]);
	counters_log_some("icmp-errors", overview->icmp_errors);
	counters_log_some("icmp6-sent", overview->icmp6_sent);
}

/* Whether the path is alive: over protocol 41 forward probes it, over UDP the client does. */
static const char *overview_path(const struct server_session *session,
				 const struct session_counters *counters)
{
	if (session->path_dead)
		return "dead";
	return session->path_alive || (session->udp && counters->probes > 0) ? "alive" : "unknown";
}

void overview_take_session(const struct broker *broker, const struct server_session *session,
			   struct overview_session *row)
{
	const struct conn *conn = &session->client->conn;
	const struct prefix6_set routed = prefix6_set_unpack(session->routed);
	bool found = session->udp && session->port != 0;

	*row = (struct overview_session){
		.id = session->id,
		.user = conn->request.user,
		.type = conn->request.type,
		.udp = session->udp,
		.peer = found ? session->place : session->peer,
		.port = session->port,
		.has_address = conn->reply.has_me6,
		.address = conn->reply.me6,
		.since = session->since,
		.has_counters = broker->counters,
	};
	for (size_t i = 0; i < conn->reply.n_prefixes; i++)
		row->prefixes[row->n_prefixes++] = conn->reply.prefixes[i];
	for (uint32_t i = 0; i < routed.n; i++)
		row->prefixes[row->n_prefixes++] = routed.list[i];
	if (broker->counters) {
		row->counters = broker->counters->session[session->id];
		counters_kernel_add(&broker->kernel, session->id, &row->counters);
		row->kernel_octets = counters_kernel_octets(&broker->kernel, session->id) -
				     session->kernel_before;
	}
	row->path = overview_path(session, &row->counters);
}
