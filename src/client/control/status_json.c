/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control/status_json.h"

#include "client/lan.h"
#include "config.h"
#include "ctl/ctl.h"

#include <arpa/inet.h>
#include <stdio.h>

/* An object being filled; after memory was short, it stays incomplete. */
struct status_json {
	json_t *object;
	bool failed;
};

static void status_json_add(struct status_json *json, const char *key, json_t *value)
{
	/* Takes the value over in any case. */
	if (json_object_set_new(json->object, key, value) == -1)
		json->failed = true;
}

static void status_json_text(struct status_json *json, const char *key, const char *text)
{
	status_json_add(json, key, ctl_json_text(text));
}

static void status_json_count(struct status_json *json, const char *key, uint64_t number)
{
	status_json_add(json, key, json_integer((json_int_t)number));
}

static void status_json_time(struct status_json *json, const char *key, int64_t ms)
{
	if (ms >= 0)
		status_json_add(json, key, ctl_json_time(ms));
}

static json_t *status_json_end(const struct status_json *json)
{
	if (!json->failed)
		return json->object;
	json_decref(json->object);
	return NULL;
}

/* Takes the value over. */
static void status_json_append(struct status_json *json, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) == -1)
		json->failed = true;
}

static json_t *status_json_prefix(const struct prefix6 *prefix)
{
	char text[PREFIX6_STRLEN];

	return json_string(prefix6_format(prefix, text));
}

static void status_json_address(struct status_json *json, const char *key,
				const struct in6_addr *address)
{
	char text[INET6_ADDRSTRLEN];

	status_json_text(json, key, inet_ntop(AF_INET6, address, text, sizeof(text)));
}

/* --- the parts ---------------------------------------------------------------------------- */

static json_t *status_json_server(const struct client_status *status)
{
	struct status_json json = {.object = json_object()};
	char text[INET_ADDRSTRLEN];

	status_json_text(&json, "name", status->options->servers[status->server]);
	if (status->address.s_addr)
		status_json_text(&json, "address",
				 inet_ntop(AF_INET, &status->address, text, sizeof(text)));
	status_json_count(&json, "port", status->options->port);
	return status_json_end(&json);
}

static json_t *status_json_servers(const struct client_options *options)
{
	struct status_json json = {.object = json_array()};

	for (size_t i = 0; i < options->n_servers; i++)
		status_json_append(&json, json.object, ctl_json_text(options->servers[i]));
	return status_json_end(&json);
}

static json_t *status_json_lan(const struct client_status *status)
{
	struct status_json json = {.object = json_array()};
	char text[PREFIX6_STRLEN];
	struct lan_plan plan;

	lan_plan(&status->tunnel, status->options, &plan);
	for (size_t i = 0; i < plan.n; i++)
		status_json_append(&json, json.object,
				   json_pack("{s:s, s:s}", "interface",
					     status->options->lan.names[plan.nets[i].interface],
					     "prefix", prefix6_format(&plan.nets[i].prefix, text)));
	return status_json_end(&json);
}

/* The tunnel's members, while there is one. */
static void status_json_tunnel(struct status_json *json, const struct client_status *status)
{
	const struct client_options *options = status->options;
	const struct client_tunnel *tunnel = &status->tunnel;
	struct status_json prefixes = {.object = json_array()};
	struct in6_addr own;

	if (!options->no_device)
		status_json_text(json, "carried", status->kernel ? "kernel" : "user");
	if (tunnel_own_address(tunnel, options, &own))
		status_json_address(json, "address", &own);
	if (tunnel->reply.has_her6)
		status_json_address(json, "peer_address", &tunnel->reply.her6);
	for (size_t i = 0; i < tunnel->reply.n_prefixes; i++)
		status_json_append(&prefixes, prefixes.object,
				   status_json_prefix(&tunnel->reply.prefixes[i]));
	status_json_add(json, "prefixes", status_json_end(&prefixes));
	if (options->lan.n > 0)
		status_json_add(json, "lan", status_json_lan(status));
}

static void status_json_path(struct status_json *json, const struct client_session *session)
{
	static const char *const names[CLIENT_PATHS] = {
		[CLIENT_PATH_UNKNOWN] = "unknown",
		[CLIENT_PATH_ALIVE] = "alive",
		[CLIENT_PATH_DEAD] = "dead",
	};

	status_json_text(json, "path", names[session->path]);
	if (session->rtt_us && session->path != CLIENT_PATH_DEAD)
		status_json_add(json, "rtt", ctl_json_seconds(session->rtt_us));
}

static void status_json_drops(struct status_json *json, const struct client_status *status)
{
	struct status_json drops = {.object = json_array()};

	for (enum drop_reason reason = DROP_NONE + 1; reason < DROP_REASONS; reason++) {
		if (status->drops[reason])
			status_json_append(&drops, drops.object,
					   json_pack("{s:s, s:I, s:s}", "reason",
						     drop_reason_name(reason), "count",
						     (json_int_t)status->drops[reason], "text",
						     drop_reason_text(reason)));
	}
	status_json_add(json, "drops", status_json_end(&drops));
}

static void status_json_traffic(struct status_json *json, const struct client_status *status)
{
	const struct session_counters *traffic = &status->traffic;

	status_json_count(json, "in_packets", traffic->in_packets);
	status_json_count(json, "in_octets", traffic->in_bytes);
	status_json_count(json, "out_packets", traffic->out_packets);
	status_json_count(json, "out_octets", traffic->out_bytes);
	status_json_count(json, "dropped", traffic->dropped);
	status_json_drops(json, status);
}

static json_t *status_json_error(const struct client_status *status)
{
	struct status_json json = {.object = json_object()};

	status_json_time(&json, "time", status->error_at);
	status_json_text(&json, "text", status->error);
	return status_json_end(&json);
}

/* --- the whole ---------------------------------------------------------------------------- */

/* The requested type, or a lesser one that the server has granted. */
static enum tunnel_type status_json_type(const struct client_status *status)
{
	return status->phase == TUNNEL_STATE_UP ? tunnel_type(&status->tunnel, status->options)
						: status->options->type;
}

json_t *status_json(const struct client_status *status)
{
	static const char *const states[CLIENT_STATES] = {
		[CLIENT_STATE_CONNECTING] = "connecting",
		[CLIENT_STATE_UP] = "up",
		[CLIENT_STATE_HELD] = "held",
		[CLIENT_STATE_WAITING] = "waiting",
		[CLIENT_STATE_DOWN] = "down",
	};
	const struct client_options *options = status->options;
	enum client_state state = (enum client_state)status->session.state;
	struct status_json json = {.object = json_object()};

	status_json_text(&json, "program", "dtcpclient");
	status_json_text(&json, "release", DTCP_VERSION);
	status_json_count(&json, "pid", (uint64_t)status->pid);
	status_json_text(&json, "interface", status->interface);
	if (status->name[0])
		status_json_text(&json, "name", status->name);
	status_json_text(&json, "state", states[state]);
	status_json_time(&json, "since", status->since);
	status_json_text(&json, "user", status->user);
	status_json_add(&json, "server", status_json_server(status));
	status_json_add(&json, "servers", status_json_servers(options));
	status_json_text(&json, "type", tunnel_type_name(status_json_type(status)));
	if (state != CLIENT_STATE_DOWN) {
		status_json_text(&json, "transport", status->udp ? "udp" : "ipv6");
		status_json_text(&json, "why", status->why);
	}
	status_json_count(&json, "mtu", options->mtu);
	if (status->phase == TUNNEL_STATE_UP)
		status_json_tunnel(&json, status);
	/* What was known of it ends with the session. */
	if (state == CLIENT_STATE_UP)
		status_json_path(&json, &status->session);
	status_json_time(&json, "last_handshake", status->heard);
	if (status->counted)
		status_json_traffic(&json, status);
	if (status->error_at >= 0)
		status_json_add(&json, "last_error", status_json_error(status));
	status_json_time(&json, "next_try", status->next_try);
	return status_json_end(&json);
}
