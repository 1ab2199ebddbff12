/* SPDX-License-Identifier: BSD-2-Clause */
/* Control's state as a status record. */
#include "client/control/control_parts.h"
#include "client/status.h"

/* The reason for the transport, as a phrase. */
static const char *control_status_why(enum session_why why)
{
	static const char *const texts[SESSION_WHYS] = {
		[SESSION_WHY_SETTINGS] = "the settings say so",
		[SESSION_WHY_FIRST] = "it is tried first",
		[SESSION_WHY_ANSWERS] = "the far end answers over protocol 41",
		[SESSION_WHY_ONLY] = "the server knows nothing else",
		[SESSION_WHY_NAT] = "there is a NAT on the way",
		[SESSION_WHY_IN_USE] = "another tunnel has this IPv4 address over protocol 41",
		[SESSION_WHY_ACCOUNT] = "the user may not have protocol 41 at this server",
		[SESSION_WHY_SILENT] = "the far end did not answer over protocol 41",
		[SESSION_WHY_BLOCKED] = "nothing came over protocol 41 any more",
	};

	return texts[why];
}

/* The root process's state of the tunnel, as far as known here. */
static enum tunnel_phase control_status_phase(const struct session *session)
{
	switch (session->tunnel) {
	case SESSION_TUNNEL_NONE:
		break;
	case SESSION_TUNNEL_RAISING:
		return TUNNEL_STATE_RAISING;
	case SESSION_TUNNEL_UP:
		return TUNNEL_STATE_UP;
	case SESSION_TUNNEL_LOWERING:
		return TUNNEL_STATE_LOWERING;
	}
	return TUNNEL_STATE_DOWN;
}

static void control_status_count(const struct control *control, struct client_status *out)
{
	out->counted = true;
	out->traffic = control->counters->session[CONTROL_SESSION];
	counters_kernel_add(&control->kernel, CONTROL_SESSION, &out->traffic);
	counters_drops(control->counters, &control->kernel, out->drops);
	/* A login resets the answers of the previous session. */
	if (out->traffic.heard_us > 0 && (int64_t)(out->traffic.heard_us / 1000) > out->heard)
		out->heard = (int64_t)(out->traffic.heard_us / 1000);
	if (out->session.state == CLIENT_STATE_UP)
		out->session.rtt_us = (uint32_t)out->traffic.rtt_us;
}

void control_status(const struct control *control, struct client_status *out)
{
	const struct session *session = &control->session;

	*out = (struct client_status){
		.options = control->options,
		.user = session->user,
		.interface = control->interface.name,
		.phase = control_status_phase(session),
		.tunnel = control->raised,
		.session = {.state = (uint32_t)session_client_state(session),
			    .status = (uint32_t)session->status,
			    .path = (uint32_t)session->path.known},
		.pid = control->self.pid,
		.name = control->self.name,
		.since = control->since,
		.server = session->retry.current,
		.address = session_server(session)->address,
		.udp = session->udp,
		.why = control_status_why(session_why(session)),
		.kernel = control->interface.kernel != 0,
		.heard = session->granted,
		.next_try = session_next_try(session),
		.error = session->error.text,
		.error_at = session->error.text[0] ? session->error.at : -1,
	};
	if (control->counters)
		control_status_count(control, out);
}
