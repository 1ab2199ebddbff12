/* SPDX-License-Identifier: BSD-2-Clause */
/* The records as JSON; dtcpctl(8) PROTOCOL has the members. */
#include "base/clock.h"
#include "config.h"
#include "ctl/ctl.h"
#include "server/control/overview.h"

#include <arpa/inet.h>

/* An integer: jansson's type is signed. */
#define WHOLE(number) ((json_int_t)(number))

/* [bound in seconds, cumulative count] for each bound. */
static json_t *overview_histogram(const struct histogram *histogram)
{
	json_t *list = json_array();
	uint64_t sum = 0;
	int failed = 0;

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		sum += histogram->within[i];
		failed |= json_array_append_new(
			list,
			json_pack("[f, I]", (double)histogram_bounds[i] / 1000000, WHOLE(sum)));
	}
	failed |= json_array_append_new(list, json_pack("[s, I]", "+Inf", WHOLE(histogram->count)));
	if (failed) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:I, s:o, s:o}", "count", WHOLE(histogram->count), "sum",
			 ctl_json_seconds(histogram->sum), "le", list);
}

static json_t *overview_sessions(const struct overview *overview)
{
	const struct tally_sessions *kinds = &overview->up;
	uint32_t up = kinds->types[TUNNEL_ONLY] + kinds->types[TUNNEL_HOST] +
		      kinds->types[TUNNEL_NETWORK];

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "now", WHOLE(up), "limit",
			 WHOLE(overview->options->sessions_max), "tunnelonly",
			 WHOLE(kinds->types[TUNNEL_ONLY]), "host", WHOLE(kinds->types[TUNNEL_HOST]),
			 "network", WHOLE(kinds->types[TUNNEL_NETWORK]), "ipv6",
			 WHOLE(up - kinds->udp), "udp", WHOLE(kinds->udp), "dead_paths",
			 WHOLE(overview->dead_paths));
}

static json_t *overview_logins(const struct tally_logins *logins)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "granted",
			 WHOLE(logins->granted), "auth", WHOLE(logins->auth), "disabled",
			 WHOLE(logins->disabled), "transport", WHOLE(logins->transport), "type",
			 WHOLE(logins->type), "sold_out", WHOLE(logins->sold_out), "failed",
			 WHOLE(logins->failed), "limited", WHOLE(logins->limited), "kicked",
			 WHOLE(logins->kicked), "address", WHOLE(logins->address));
}

static json_t *overview_carried(const struct carried_counters *carried)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "in_packets", WHOLE(carried->in_packets),
			 "in_octets", WHOLE(carried->in_bytes), "out_packets",
			 WHOLE(carried->out_packets), "out_octets", WHOLE(carried->out_bytes));
}

/* The number of prefixes for users: all but the server's own. Exact as far as possible. */
static json_t *overview_pool_size(unsigned int bits, unsigned int own)
{
	return bits < 63 ? json_integer((json_int_t)((UINT64_C(1) << bits) - own))
			 : json_real(__builtin_ldexp(1.0, (int)bits) - own);
}

static json_t *overview_pool(const char *kind, const struct prefix6 *prefix, unsigned int length,
			     unsigned int own, uint64_t used)
{
	char text[PREFIX6_STRLEN];

	return json_pack("{s:s, s:s, s:I, s:o, s:I}", "kind", kind, "prefix",
			 prefix6_format(prefix, text), "length", WHOLE(length), "size",
			 overview_pool_size(length - prefix->len, own), "used", WHOLE(used));
}

static json_t *overview_pools(const struct overview *overview)
{
	const struct server_options *options = overview->options;
	const uint64_t *used = overview->accounts->used;
	json_t *list = json_array();
	int failed = 0;

	if (options->has_pool)
		failed |= json_array_append_new(list, overview_pool("network", &options->pool,
								    options->network_length, 1,
								    used[SERVER_POOL_NETWORK]));
	if (options->has_host)
		failed |=
			json_array_append_new(list, overview_pool("host", &options->host_prefix,
								  128, 2, used[SERVER_POOL_HOST]));
	if (failed) {
		json_decref(list);
		return NULL;
	}
	return list;
}

json_t *overview_drops_json(const struct overview *overview)
{
	json_t *list = json_array();

	for (enum drop_reason reason = DROP_NONE + 1; list && reason < DROP_REASONS; reason++) {
		if (overview->drops[reason] != 0 &&
		    json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "reason",
							  drop_reason_name(reason), "count",
							  WHOLE(overview->drops[reason]), "text",
							  drop_reason_text(reason))) == -1) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

/* Members that are always known. */
static json_t *overview_own(const struct overview *overview)
{
	const struct server_options *options = overview->options;
	char listen[INET_ADDRSTRLEN];

	return json_pack(
		"{s:s, s:s, s:s, s:o, s:b, s:[s, s*], s:[s], s:i, s:o, s:{s:I, s:I}, s:o, s:o, "
		"s:{s:I, s:I, s:I}, s:{s:s}}",
		"program", "dtcps", "release", DTCP_VERSION, "interface", options->interface,
		"started", ctl_json_time(overview->started), "ready", overview->ready, "transports",
		"ipv6", options->udp ? "udp" : NULL, "listen",
		inet_ntop(AF_INET, &options->listen, listen, sizeof(listen)), "port",
		(int)options->port, "sessions", overview_sessions(overview), "connections", "now",
		WHOLE(overview->connections), "limit", WHOLE(options->limits.connections), "logins",
		overview_logins(&overview->logins), "login_seconds",
		overview_histogram(&overview->logins.seconds), "limits", "connections_dropped",
		WHOLE(overview->turned_away), "logins_rejected", WHOLE(overview->logins.limited),
		"log_lines_left_out", WHOLE(overview->left_out), "fast", "mode",
		fast_choice_name(options->fast));
}

static json_t *overview_counters(const struct overview *overview)
{
	return json_pack("{s:{s:o, s:o}, s:o, s:I, s:I}", "traffic", "user",
			 overview_carried(&overview->user), "kernel",
			 overview_carried(&overview->kernel), "drops",
			 overview_drops_json(overview), "icmp_errors", WHOLE(overview->icmp_errors),
			 "icmp6_sent", WHOLE(overview->icmp6_sent));
}

static json_t *overview_accounts(const struct overview *overview)
{
	const struct server_usage *usage = overview->accounts;

	return json_pack("{s:o, s:{s:o, s:I, s:o*}, s:o}", "database_seconds",
			 overview_histogram(&usage->database), "database", "path",
			 ctl_json_text(overview->options->database), "users", WHOLE(usage->users),
			 "error", usage->failed ? ctl_json_text(usage->error) : NULL, "pools",
			 overview_pools(overview));
}

static json_t *overview_root(const struct overview *overview)
{
	const struct server_state *state = overview->root;
	json_t *error = NULL;

	if (state->warning[0] != '\0')
		error = json_pack("{s:o, s:o}", "time",
				  ctl_json_time(clock_ms() - (int64_t)state->warned_ago), "text",
				  ctl_json_text(state->warning));
	return json_pack("{s:i, s:{s:s, s:b}, s:o*}", "pid", (int)state->pid, "fast", "mode",
			 fast_choice_name(overview->options->fast), "active", state->fast == 1,
			 "last_error", error);
}

json_t *overview_json(const struct overview *overview)
{
	json_t *status = overview_own(overview);
	json_t *parts[] = {
		overview->has_counters ? overview_counters(overview) : json_object(),
		overview->accounts ? overview_accounts(overview) : json_object(),
		overview->root ? overview_root(overview) : json_object(),
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i] || json_object_update(status, parts[i]) == -1) {
			json_decref(status);
			status = NULL;
		}
		json_decref(parts[i]);
	}
	return status;
}

static json_t *overview_prefixes(const struct overview_session *row)
{
	json_t *list = json_array();
	char text[PREFIX6_STRLEN];

	for (size_t i = 0; list && i < row->n_prefixes; i++) {
		if (json_array_append_new(
			    list, json_string(prefix6_format(&row->prefixes[i], text))) == -1) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

/* False if memory is short. */
static bool overview_add_counters(json_t *session, const struct overview_session *row)
{
	const struct session_counters *counters = &row->counters;
	const struct {
		const char *name;
		uint64_t number;
	} members[] = {
		{"in_packets", counters->in_packets},	{"in_octets", counters->in_bytes},
		{"out_packets", counters->out_packets}, {"out_octets", counters->out_bytes},
		{"dropped", counters->dropped},		{"kernel_octets", row->kernel_octets},
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		failed |= json_object_set_new_nocheck(session, members[i].name,
						      json_integer(WHOLE(members[i].number)));
	return failed == 0;
}

json_t *overview_session_json(const struct overview_session *row)
{
	char peer[INET_ADDRSTRLEN];
	char address[INET6_ADDRSTRLEN];
	json_t *session;

	session = json_pack("{s:I, s:s, s:s, s:s, s:s, s:o*, s:s*, s:o, s:o, s:s}", "id",
			    WHOLE(row->id), "user", row->user, "type", tunnel_type_name(row->type),
			    "transport", row->udp ? "udp" : "ipv6", "peer",
			    inet_ntop(AF_INET, &row->peer, peer, sizeof(peer)), "port",
			    row->port ? json_integer(row->port) : NULL, "address",
			    row->has_address
				    ? inet_ntop(AF_INET6, &row->address, address, sizeof(address))
				    : NULL,
			    "prefixes", overview_prefixes(row), "since", ctl_json_time(row->since),
			    "path", row->path);
	if (session && row->has_counters && !overview_add_counters(session, row)) {
		json_decref(session);
		session = NULL;
	}
	return json_pack("{s:o}", "session", session);
}
