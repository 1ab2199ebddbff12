/* SPDX-License-Identifier: BSD-2-Clause */
/* Series for each user. */
#include "web/metrics_parts.h"

#include <stdlib.h>
#include <string.h>

enum user_value { USER_IN_OCTETS, USER_OUT_OCTETS, USER_DROPPED, USER_SINCE, USER_VALUES };

static const struct {
	const char *name;
	const char *unit;
	const char *help;
	enum exposition_type type;
	enum user_value value;
	bool directions; /* in and out; the next value of the enum is that of out */
} metrics_users[] = {
	{"dtcp_server_user_traffic_bytes", "bytes",
	 "Octets of inner packets of the user's session; in is from the client.",
	 EXPOSITION_COUNTER, USER_IN_OCTETS, true},
	{"dtcp_server_user_dropped", NULL, "Packets of the user's session that were dropped.",
	 EXPOSITION_COUNTER, USER_DROPPED, false},
	{"dtcp_server_user_session_start_time_seconds", "seconds",
	 "When the user's session began, since 1970.", EXPOSITION_GAUGE, USER_SINCE, false},
};

static void metrics_user_add(double values[static USER_VALUES], const struct session *session)
{
	values[USER_IN_OCTETS] += (double)session->in_octets;
	values[USER_OUT_OCTETS] += (double)session->out_octets;
	values[USER_DROPPED] += (double)session->dropped;
	if (session->since > values[USER_SINCE])
		values[USER_SINCE] = session->since;
}

/* A user who logs in again briefly has two sessions, but must not have two series. */
static void metrics_user_samples(struct exposition *exposition, size_t family,
				 const struct metrics_daemon *daemon, const size_t *places)
{
	size_t count = sessions_count(daemon->sessions);

	for (size_t i = 0; i < count;) {
		struct exposition_labels labels = metrics_daemon_labels(daemon, false);
		const char *user = sessions_get(daemon->sessions, places[i])->user;
		double values[USER_VALUES] = {0};

		for (; i < count; i++) {
			const struct session *session = sessions_get(daemon->sessions, places[i]);

			if (strcmp(session->user, user) != 0)
				break;
			metrics_user_add(values, session);
		}
		exposition_add_label(&labels, "user", user);
		for (size_t out = 0; out <= metrics_users[family].directions; out++) {
			struct exposition_labels own = labels;

			if (metrics_users[family].directions)
				exposition_add_label(&own, "direction", out ? "out" : "in");
			exposition_real(exposition, &own,
					values[(size_t)metrics_users[family].value + out]);
		}
	}
}

static void metrics_user_family(struct exposition *exposition, size_t family,
				const struct metrics_daemon *list, size_t count)
{
	bool begun = false;

	for (size_t i = 0; i < count; i++) {
		size_t *places;

		if (!list[i].sessions || sessions_count(list[i].sessions) == 0)
			continue;
		places = sessions_by_user(list[i].sessions);
		if (!places) {
			exposition->failed = true;
			return;
		}
		if (!begun)
			exposition_family(exposition, metrics_users[family].name,
					  metrics_users[family].type, metrics_users[family].unit,
					  metrics_users[family].help);
		begun = true;
		metrics_user_samples(exposition, family, &list[i], places);
		free(places);
	}
}

void metrics_write_users(struct exposition *exposition, const struct metrics_daemon *list,
			 size_t count)
{
	for (size_t i = 0; i < sizeof(metrics_users) / sizeof(metrics_users[0]); i++)
		metrics_user_family(exposition, i, list, count);
}
