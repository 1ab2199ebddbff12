/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/status.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *const status_reasons[] = {
	[CLIENT_OK] = NULL,
	[CLIENT_LOCAL] = "a failure of this machine",
	[CLIENT_USAGE] = "wrong usage",
	[CLIENT_NAME] = "server name not found",
	[CLIENT_UNREACHABLE] = "no way to the server",
	[CLIENT_REFUSED] = "connection refused",
	[CLIENT_TIMEOUT] = "no answer",
	[CLIENT_GARBAGE] = "server not understood",
	[CLIENT_AUTH] = "wrong user name or password",
	[CLIENT_TYPE] = "the server does not offer this kind of tunnel",
	[CLIENT_NAT] = "NAT found",
	[CLIENT_SERVER] = "refused or ended by the server",
	[CLIENT_CLOSED] = "connection lost",
	[CLIENT_PASSWORD] = "no password",
};

enum { STATUS_REASONS = sizeof(status_reasons) / sizeof(status_reasons[0]) };

bool status_check(const struct client_session *session)
{
	return session->state < CLIENT_STATES && session->path < CLIENT_PATHS &&
	       session->status < STATUS_REASONS;
}

const char *status_reason(enum client_exit status)
{
	return (unsigned int)status < STATUS_REASONS ? status_reasons[status] : NULL;
}

/* User, server and addresses. */
static void status_describe_up(const struct client_status *status, char *buf, size_t size)
{
	const struct client_options *options = status->options;
	const struct client_session *session = &status->session;
	const struct client_tunnel *tunnel = &status->tunnel;
	bool dead = session->path == CLIENT_PATH_DEAD;
	char server[INET_ADDRSTRLEN];
	char text[PREFIX6_STRLEN];
	const char *path = "";
	char rtt[40] = "";
	char inside[PREFIX6_STRLEN + 20] = "";
	struct in6_addr own;

	if (tunnel->reply.n_prefixes > 0)
		(void)snprintf(inside, sizeof(inside), ", prefix %s",
			       prefix6_format(&tunnel->reply.prefixes[0], text));
	else if (tunnel_own_address(tunnel, options, &own))
		(void)snprintf(inside, sizeof(inside), ", address %s",
			       inet_ntop(AF_INET6, &own, text, sizeof(text)));
	if (session->rtt_us && !dead)
		(void)snprintf(rtt, sizeof(rtt), ", round-trip time %.1f ms",
			       session->rtt_us / 1000.0);
	if (dead)
		path = ", but nothing comes through it";
	else if (session->path == CLIENT_PATH_ALIVE && !tunnel->reply.udp_port)
		path = ", the far end answers";
	(void)snprintf(buf, size, "up: %s at %s (%s)%s%s%s%s%s%s", status->user,
		       options->servers[tunnel->server_index],
		       inet_ntop(AF_INET, &tunnel->server, server, sizeof(server)), inside,
		       options->no_device ? "" : ", interface ",
		       options->no_device ? "" : status->interface,
		       tunnel->reply.udp_port ? ", over UDP" : "", path, rtt);
}

void status_describe(const struct client_status *status, char *buf, size_t size)
{
	const char *reason = status_reason((enum client_exit)status->session.status);
	const struct client_options *options = status->options;
	char first[300];
	const char *what = first;

	switch (status->phase) {
	case TUNNEL_STATE_RAISING:
		(void)strlcpy(buf, "bringing the tunnel up", size);
		return;
	case TUNNEL_STATE_LOWERING:
		(void)strlcpy(buf, "taking the tunnel down", size);
		return;
	case TUNNEL_STATE_UP:
		if (status->session.state == CLIENT_STATE_UP) {
			status_describe_up(status, buf, size);
			return;
		}
		what = "tunnel held, connecting again";
		break;
	case TUNNEL_STATE_DOWN:
		if (status->session.state == CLIENT_STATE_DOWN) {
			(void)strlcpy(buf, "down on request", size);
			return;
		}
		(void)snprintf(first, sizeof(first), "connecting to %s%s", options->servers[0],
			       options->n_servers > 1 ? " and others" : "");
		if (reason)
			what = "no tunnel, connecting again";
		break;
	}
	(void)snprintf(buf, size, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

void status_record(const struct client_status *status, struct log_record *record)
{
	static const char *const states[] = {
		[TUNNEL_STATE_DOWN] = "down",
		[TUNNEL_STATE_RAISING] = "raising",
		[TUNNEL_STATE_UP] = "up",
		[TUNNEL_STATE_LOWERING] = "lowering",
	};
	const struct client_session *session = &status->session;
	bool there = status->phase == TUNNEL_STATE_UP;
	bool up = session->state == CLIENT_STATE_UP;
	const char *reason = status_reason((enum client_exit)session->status);

	log_record_text(record, "state", "%s", there && !up ? "held" : states[status->phase]);
	log_record_text(record, "user", "%s", status->user);
	/* Why there is or was no session; not while another one begins. */
	if (!up && reason && (there || status->phase == TUNNEL_STATE_DOWN)) {
		log_record_number(record, "status", session->status);
		log_record_text(record, "reason", "%s", reason);
	}
	if (!there)
		return;
	tunnel_describe(&status->tunnel, status->options, status->interface, record);
	if (up && session->path != CLIENT_PATH_UNKNOWN)
		log_record_text(record, "path", "%s",
				session->path == CLIENT_PATH_DEAD ? "dead" : "alive");
	if (up && session->rtt_us)
		log_record_number(record, "rtt_us", session->rtt_us);
}
