/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names follow the conventions of Prometheus: base units (bytes, seconds), and _total at the end of
 * counters. A daemon's label is its interface, since "instance" is Prometheus's own.
 */
#include "web/metrics.h"

#include "web/metrics_parts.h"

#include <stdio.h>
#include <string.h>

/* How the value is taken from the status. */
enum metric_shape {
	METRIC_VALUE,	  /* a number, or a boolean */
	METRIC_PRESENT,	  /* 1 if there is such a member, else 0 */
	METRIC_MEMBERS,	  /* an object: a sample for each member, whose name is the label */
	METRIC_ROWS,	  /* an array of objects: a sample for each, possibly with several labels */
	METRIC_HISTOGRAM, /* an object that exposition_histogram() takes */
	METRIC_TEXTS,	  /* texts as labels of a constant 1 */
	METRIC_STATES,	  /* one of the words in labels */
	METRIC_TRAFFIC,	  /* in_X and out_X of the object; the label is the direction */
};

enum metric_of { OF_SERVER, OF_CLIENT, OF_BOTH };

struct metric {
	const char *name;
	const char *unit;
	const char *help;
	enum exposition_type type;
	enum metric_of of;
	enum metric_shape shape;
	const char *path;   /* names of members separated by points; "": the status itself */
	const char *labels; /* separated by blanks; their meaning depends on the shape */
	const char *field;  /* of METRIC_ROWS the value, of METRIC_TRAFFIC X */
};

#define GAUGE	EXPOSITION_GAUGE
#define COUNTER EXPOSITION_COUNTER

/* Paths of METRIC_TRAFFIC on servers. */
#define SERVER_PATHS "user kernel"

static const struct metric metrics[] = {
	{"dtcp_build", NULL, "Release of the daemon.", EXPOSITION_INFO, OF_BOTH, METRIC_TEXTS, "",
	 "release", NULL},
	{"dtcp_server_start_time_seconds", "seconds", "When the server was started, since 1970.",
	 GAUGE, OF_SERVER, METRIC_VALUE, "started", NULL, NULL},

	{"dtcp_server_ready", NULL, "Whether the server lets users in.", GAUGE, OF_SERVER,
	 METRIC_VALUE, "ready", NULL, NULL},
	{"dtcp_server_sessions", NULL, "Sessions there are now.", GAUGE, OF_SERVER, METRIC_VALUE,
	 "sessions.now", NULL, NULL},
	{"dtcp_server_sessions_limit", NULL, "Most sessions there can be.", GAUGE, OF_SERVER,
	 METRIC_VALUE, "sessions.limit", NULL, NULL},
	{"dtcp_server_sessions_by_type", NULL, "Sessions there are now, by type of tunnel.", GAUGE,
	 OF_SERVER, METRIC_MEMBERS, "sessions", "type tunnelonly host network", NULL},
	{"dtcp_server_sessions_by_transport", NULL, "Sessions there are now, by transport.", GAUGE,
	 OF_SERVER, METRIC_MEMBERS, "sessions", "transport ipv6 udp", NULL},
	{"dtcp_server_dead_paths", NULL, "Sessions whose client does not answer now.", GAUGE,
	 OF_SERVER, METRIC_VALUE, "sessions.dead_paths", NULL, NULL},
	{"dtcp_server_connections", NULL, "TCP connections there are now.", GAUGE, OF_SERVER,
	 METRIC_VALUE, "connections.now", NULL, NULL},
	{"dtcp_server_connections_limit", NULL, "Most TCP connections there can be.", GAUGE,
	 OF_SERVER, METRIC_VALUE, "connections.limit", NULL, NULL},
	{"dtcp_server_logins", NULL, "Logins, by result.", COUNTER, OF_SERVER, METRIC_MEMBERS,
	 "logins", "result", NULL},
	{"dtcp_server_login_duration_seconds", "seconds", "From the line of a login to the reply.",
	 EXPOSITION_HISTOGRAM, OF_SERVER, METRIC_HISTOGRAM, "login_seconds", NULL, NULL},
	{"dtcp_server_database_duration_seconds", "seconds",
	 "What the user database took for a login.", EXPOSITION_HISTOGRAM, OF_SERVER,
	 METRIC_HISTOGRAM, "database_seconds", NULL, NULL},
	{"dtcp_server_database_users", NULL, "Users in the database.", GAUGE, OF_SERVER,
	 METRIC_VALUE, "database.users", NULL, NULL},
	{"dtcp_server_database_failing", NULL, "Whether the user database cannot be used now.",
	 GAUGE, OF_SERVER, METRIC_PRESENT, "database.error", NULL, NULL},
	{"dtcp_server_limited", NULL, "What a limit has kept out, by limit.", COUNTER, OF_SERVER,
	 METRIC_MEMBERS, "limits", "limit", NULL},
	{"dtcp_server_pool_size", NULL, "Prefixes or addresses that the pool has.", GAUGE,
	 OF_SERVER, METRIC_ROWS, "pools", "kind prefix length", "size"},
	{"dtcp_server_pool_used", NULL, "Prefixes or addresses of the pool that users have.", GAUGE,
	 OF_SERVER, METRIC_ROWS, "pools", "kind prefix length", "used"},
	{"dtcp_server_traffic_bytes", "bytes",
	 "Octets of inner packets; in is from clients; path: user space or kernel.", COUNTER,
	 OF_SERVER, METRIC_TRAFFIC, "traffic", SERVER_PATHS, "octets"},
	{"dtcp_server_traffic_packets", "packets",
	 "Inner packets; in is from clients; path: user space or kernel.", COUNTER, OF_SERVER,
	 METRIC_TRAFFIC, "traffic", SERVER_PATHS, "packets"},
	{"dtcp_server_drops", NULL, "Packets dropped, by reason.", COUNTER, OF_SERVER, METRIC_ROWS,
	 "drops", "reason", "count"},
	{"dtcp_server_icmp_errors", NULL, "ICMP errors that came for outer packets.", COUNTER,
	 OF_SERVER, METRIC_VALUE, "icmp_errors", NULL, NULL},
	{"dtcp_server_icmp6_sent", NULL, "ICMPv6 errors sent to senders of inner packets.", COUNTER,
	 OF_SERVER, METRIC_VALUE, "icmp6_sent", NULL, NULL},
	{"dtcp_server_fast_path_active", NULL, "Whether the kernel carries packets.", GAUGE,
	 OF_SERVER, METRIC_VALUE, "fast.active", NULL, NULL},
	{"dtcp_server_last_error_time_seconds", "seconds",
	 "When the log had its last warning, since 1970.", GAUGE, OF_SERVER, METRIC_VALUE,
	 "last_error.time", NULL, NULL},

	{"dtcp_client_state", NULL, "State of the tunnel.", EXPOSITION_STATESET, OF_CLIENT,
	 METRIC_STATES, "state", "up held connecting waiting down", NULL},
	{"dtcp_client_state_start_time_seconds", "seconds",
	 "Since when the tunnel is in that state, since 1970.", GAUGE, OF_CLIENT, METRIC_VALUE,
	 "since", NULL, NULL},
	{"dtcp_client_tunnel", NULL, "What the tunnel is.", EXPOSITION_INFO, OF_CLIENT,
	 METRIC_TEXTS, "", "user type transport carried address", NULL},
	{"dtcp_client_server", NULL, "The server that the tunnel leads to.", EXPOSITION_INFO,
	 OF_CLIENT, METRIC_TEXTS, "server", "name address", NULL},
	{"dtcp_client_path", NULL, "Whether the server answers.", EXPOSITION_STATESET, OF_CLIENT,
	 METRIC_STATES, "path", "alive dead unknown", NULL},
	{"dtcp_client_mtu_bytes", "bytes", "MTU of the tunnel.", GAUGE, OF_CLIENT, METRIC_VALUE,
	 "mtu", NULL, NULL},
	{"dtcp_client_round_trip_seconds", "seconds", "Round trip to the server.", GAUGE, OF_CLIENT,
	 METRIC_VALUE, "rtt", NULL, NULL},
	{"dtcp_client_last_handshake_time_seconds", "seconds",
	 "When the server answered last, since 1970.", GAUGE, OF_CLIENT, METRIC_VALUE,
	 "last_handshake", NULL, NULL},
	{"dtcp_client_traffic_bytes", "bytes", "Octets of inner packets; in is from the server.",
	 COUNTER, OF_CLIENT, METRIC_TRAFFIC, "", NULL, "octets"},
	{"dtcp_client_traffic_packets", "packets", "Inner packets; in is from the server.", COUNTER,
	 OF_CLIENT, METRIC_TRAFFIC, "", NULL, "packets"},
	{"dtcp_client_dropped", NULL, "Packets dropped.", COUNTER, OF_CLIENT, METRIC_VALUE,
	 "dropped", NULL, NULL},
	{"dtcp_client_drops", NULL, "Packets dropped, by reason.", COUNTER, OF_CLIENT, METRIC_ROWS,
	 "drops", "reason", "count"},
	{"dtcp_client_last_error_time_seconds", "seconds",
	 "When something failed last, since 1970.", GAUGE, OF_CLIENT, METRIC_VALUE,
	 "last_error.time", NULL, NULL},
	{"dtcp_client_next_try_time_seconds", "seconds", "When the client tries again, since 1970.",
	 GAUGE, OF_CLIENT, METRIC_VALUE, "next_try", NULL, NULL},
};

/* Limit of rows of an array: more than all reasons and pools. */
#define ROWS_MAX 256

/* Size of a member's or label's name, or of a formatted label value, with its NUL. */
#define WORD_SIZE 48

/* Takes the next word, separated by blanks or points; NULL: no more. */
static const char *metrics_word(const char **rest, char buf[static WORD_SIZE])
{
	size_t len = strcspn(*rest, " .");

	if (len == 0 || len >= WORD_SIZE)
		return NULL;
	memcpy(buf, *rest, len);
	buf[len] = '\0';
	*rest += len + ((*rest)[len] != '\0');
	return buf;
}

static json_t *metrics_find(json_t *status, const char *path)
{
	char name[WORD_SIZE];

	while (status && metrics_word(&path, name))
		status = json_object_get(status, name);
	return status;
}

/* labels "type tunnelonly host network": the label, then the members; "result": all members. */
static void metrics_members(struct exposition *exposition, const struct metric *metric,
			    json_t *object, const struct exposition_labels *labels)
{
	const char *rest = metric->labels;
	char key[WORD_SIZE];
	char member[WORD_SIZE];
	bool all;

	(void)metrics_word(&rest, key);
	all = *rest == '\0';
	for (void *i = json_object_iter(object); i && all; i = json_object_iter_next(object, i)) {
		struct exposition_labels own = *labels;

		exposition_add_label(&own, key, json_object_iter_key(i));
		(void)exposition_json(exposition, &own, json_object_iter_value(i));
	}
	while (metrics_word(&rest, member)) {
		struct exposition_labels own = *labels;

		exposition_add_label(&own, key, member);
		(void)exposition_json(exposition, &own, json_object_get(object, member));
	}
}

/* A text, or an integer as text; NULL: neither. */
static const char *metrics_text(const json_t *value, char buf[static WORD_SIZE])
{
	if (!json_is_integer(value))
		return json_string_value(value);
	(void)snprintf(buf, WORD_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return buf;
}

/* Fills in the named members of object as labels; missing ones are left out. */
static void metrics_labels(const char *names, const json_t *object,
			   char texts[static EXPOSITION_LABELS_MAX][2][WORD_SIZE],
			   struct exposition_labels *labels)
{
	for (size_t i = 0; i < EXPOSITION_LABELS_MAX && metrics_word(&names, texts[i][0]); i++) {
		const char *value = metrics_text(json_object_get(object, texts[i][0]), texts[i][1]);

		if (value && labels->count < EXPOSITION_LABELS_MAX)
			exposition_add_label(labels, texts[i][0], value);
	}
}

/* Whether a row before this one has the same labels: a sample that is there twice spoils all. */
static bool metrics_is_there(const struct metric *metric, const json_t *rows, size_t place)
{
	bool there = false;

	for (size_t i = 0; i < place && !there; i++) {
		const char *names = metric->labels;
		char name[WORD_SIZE], texts[2][WORD_SIZE];

		there = true;
		while (there && metrics_word(&names, name)) {
			const char *one = metrics_text(
				json_object_get(json_array_get(rows, i), name), texts[0]);
			const char *other = metrics_text(
				json_object_get(json_array_get(rows, place), name), texts[1]);

			there = one && other ? strcmp(one, other) == 0 : one == other;
		}
	}
	return there;
}

static void metrics_rows(struct exposition *exposition, const struct metric *metric,
			 const json_t *rows, const struct exposition_labels *labels)
{
	char texts[EXPOSITION_LABELS_MAX][2][WORD_SIZE];

	for (size_t i = 0; i < json_array_size(rows) && i < ROWS_MAX; i++) {
		const json_t *row = json_array_get(rows, i);
		struct exposition_labels own = *labels;

		if (metrics_is_there(metric, rows, i))
			continue;
		metrics_labels(metric->labels, row, texts, &own);
		(void)exposition_json(exposition, &own, json_object_get(row, metric->field));
	}
}

static void metrics_texts(struct exposition *exposition, const struct metric *metric,
			  const json_t *object, const struct exposition_labels *labels)
{
	char texts[EXPOSITION_LABELS_MAX][2][WORD_SIZE];
	struct exposition_labels own = *labels;

	metrics_labels(metric->labels, object, texts, &own);
	if (own.count > labels->count)
		exposition_number(exposition, &own, 1);
}

static void metrics_states(struct exposition *exposition, const struct metric *metric,
			   const json_t *value, const struct exposition_labels *labels)
{
	const char *state = json_string_value(value);
	const char *rest = metric->labels;
	char name[WORD_SIZE];

	while (state && metrics_word(&rest, name)) {
		struct exposition_labels own = *labels;

		/* A set of states has the metric's name as the label. */
		exposition_add_label(&own, metric->name, name);
		exposition_number(exposition, &own, strcmp(state, name) == 0);
	}
}

static void metrics_directions(struct exposition *exposition, const struct metric *metric,
			       const json_t *object, const struct exposition_labels *labels)
{
	static const char *const directions[] = {"in", "out"};
	char name[WORD_SIZE];

	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		struct exposition_labels own = *labels;

		(void)snprintf(name, sizeof(name), "%s_%s", directions[i], metric->field);
		exposition_add_label(&own, "direction", directions[i]);
		(void)exposition_json(exposition, &own, json_object_get(object, name));
	}
}

static void metrics_traffic(struct exposition *exposition, const struct metric *metric,
			    const json_t *object, const struct exposition_labels *labels)
{
	const char *paths = metric->labels;
	char path[WORD_SIZE];

	if (!paths) {
		metrics_directions(exposition, metric, object, labels);
		return;
	}
	while (metrics_word(&paths, path)) {
		struct exposition_labels own = *labels;

		exposition_add_label(&own, "path", path);
		metrics_directions(exposition, metric, json_object_get(object, path), &own);
	}
}

/* Writes the samples of one daemon. */
static void metrics_samples(struct exposition *exposition, const struct metric *metric,
			    json_t *status, const struct exposition_labels *labels)
{
	json_t *value = metrics_find(status, metric->path);

	if (metric->shape == METRIC_PRESENT) {
		exposition_number(exposition, labels, value != NULL);
		return;
	}
	if (!value)
		return;
	switch (metric->shape) {
	case METRIC_VALUE:
		(void)exposition_json(exposition, labels, value);
		return;
	case METRIC_MEMBERS:
		metrics_members(exposition, metric, value, labels);
		return;
	case METRIC_ROWS:
		metrics_rows(exposition, metric, value, labels);
		return;
	case METRIC_HISTOGRAM:
		if (json_is_object(value))
			exposition_histogram(exposition, labels, value);
		return;
	case METRIC_TEXTS:
		metrics_texts(exposition, metric, value, labels);
		return;
	case METRIC_STATES:
		metrics_states(exposition, metric, value, labels);
		return;
	case METRIC_TRAFFIC:
		metrics_traffic(exposition, metric, value, labels);
		return;
	case METRIC_PRESENT:
		return;
	}
}

static bool metrics_concerns(const struct metric *metric, const struct metrics_daemon *daemon)
{
	return daemon->status &&
	       (metric->of == OF_BOTH || (metric->of == OF_CLIENT) == daemon->client);
}

struct exposition_labels metrics_daemon_labels(const struct metrics_daemon *daemon,
					       bool with_program)
{
	struct exposition_labels labels = {0};

	if (with_program)
		exposition_add_label(&labels, "daemon", daemon->program);
	exposition_add_label(&labels, "interface", daemon->interface);
	return labels;
}

static void metrics_family(struct exposition *exposition, const struct metric *metric,
			   const struct metrics_daemon *list, size_t count)
{
	bool begun = false;

	for (size_t i = 0; i < count; i++) {
		struct exposition_labels labels =
			metrics_daemon_labels(&list[i], metric->of == OF_BOTH);

		if (!metrics_concerns(metric, &list[i]))
			continue;
		if (!begun)
			exposition_family(exposition, metric->name, metric->type, metric->unit,
					  metric->help);
		begun = true;
		metrics_samples(exposition, metric, list[i].status, &labels);
	}
}

static void metrics_up(struct exposition *exposition, const struct metrics_daemon *list,
		       size_t count)
{
	exposition_family(exposition, "dtcp_up", GAUGE, NULL,
			  "Whether the daemon answers at its control socket.");
	for (size_t i = 0; i < count; i++) {
		struct exposition_labels labels = metrics_daemon_labels(&list[i], true);

		exposition_number(exposition, &labels, list[i].status != NULL);
	}
}

void metrics_write(struct exposition *exposition, const struct metrics_daemon *list, size_t count)
{
	metrics_up(exposition, list, count);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		metrics_family(exposition, &metrics[i], list, count);
	metrics_write_users(exposition, list, count);
	exposition_end(exposition);
}
