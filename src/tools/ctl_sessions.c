/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_sessions.h"

#include "tools/ctl_text.h"
#include "tools/ctl_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ctl_sort_words[CTL_SORT_COUNT] = {
	[CTL_SORT_ID] = "id",		[CTL_SORT_USER] = "user", [CTL_SORT_PEER] = "peer",
	[CTL_SORT_AGE] = "age",		[CTL_SORT_IN] = "in",	  [CTL_SORT_OUT] = "out",
	[CTL_SORT_DROPPED] = "dropped", [CTL_SORT_PATH] = "path",
};

#define COLUMNS 10

/* Columns with octets, and with rates. */
static const struct ctl_column columns[2][COLUMNS] = {
	{
		{.heading = "USER", .least = 8},
		{.heading = "TYPE", .rank = 6},
		{.heading = "VIA", .rank = 4},
		{.heading = "PEER", .rank = 1},
		{.heading = "ADDRESS OR PREFIX", .least = 20, .rank = 2},
		{.heading = "AGE", .right = true, .rank = 3},
		{.heading = "IN", .right = true},
		{.heading = "OUT", .right = true},
		{.heading = "DROPPED", .right = true, .rank = 7},
		{.heading = "PATH", .rank = 5},
	},
	{
		{.heading = "USER", .least = 8, .wide = 8},
		{.heading = "TYPE", .rank = 6, .wide = 7},
		{.heading = "VIA", .rank = 4, .wide = 4},
		{.heading = "PEER", .rank = 1, .wide = 12},
		{.heading = "ADDRESS OR PREFIX", .least = 20, .rank = 2},
		{.heading = "AGE", .right = true, .rank = 3, .wide = 7},
		{.heading = "IN", .right = true, .wide = 10},
		{.heading = "OUT", .right = true, .wide = 10},
		{.heading = "DROPPED", .right = true, .rank = 7},
		{.heading = "PATH", .rank = 5, .wide = 7},
	},
};

static void ctl_session_has(struct ctl_session *session, const json_t *said)
{
	const json_t *prefixes = ctl_value(said, "prefixes"), *prefix;
	size_t i;

	json_array_foreach(prefixes, i, prefix)
	{
		const char *text = json_string_value(prefix);

		(void)strlcat(session->has, text ? text : "?", sizeof(session->has));
		(void)strlcat(session->has, " ", sizeof(session->has));
	}
	(void)strlcat(session->has, ctl_value_text(said, "address"), sizeof(session->has));
	session->more = i > 1 ? (unsigned)i - 1 : 0;
}

void ctl_sessions_add(json_t *row, const char *line, void *arg)
{
	const json_t *said = ctl_value(row, "session");
	struct ctl_sessions *sessions = arg;
	struct ctl_session *session;

	(void)line;
	if (!said)
		return;
	if (sessions->count == CTL_SESSIONS_MAX) {
		sessions->too_many = true;
		return;
	}
	if (sessions->count == sessions->room) {
		size_t room = sessions->room ? 2 * sessions->room : 64;

		session = reallocarray(sessions->list, room, sizeof(*session));
		if (!session) {
			sessions->failed = true;
			return;
		}
		sessions->list = session;
		sessions->room = room;
	}
	session = &sessions->list[sessions->count++];
	memset(session, 0, sizeof(*session));
	session->id = ctl_value_number(said, "id");
	session->since = ctl_value_number(said, "since");
	session->in_octets = ctl_value_number(said, "in_octets");
	session->out_octets = ctl_value_number(said, "out_octets");
	session->dropped = ctl_value_number(said, "dropped");
	session->in_rate = session->out_rate = -1;
	(void)strlcpy(session->user, ctl_value_text(said, "user"), sizeof(session->user));
	(void)strlcpy(session->type, ctl_value_text(said, "type"), sizeof(session->type));
	(void)strlcpy(session->transport, ctl_value_text(said, "transport"),
		      sizeof(session->transport));
	(void)strlcpy(session->peer, ctl_value_text(said, "peer"), sizeof(session->peer));
	(void)strlcpy(session->path, ctl_value_text(said, "path"), sizeof(session->path));
	ctl_session_has(session, said);
}

/* Counters only grow; otherwise it is another session, and the rate is -1. */
static double ctl_session_rate(double now, double before, double seconds)
{
	return now >= before && seconds > 0 ? (now - before) / seconds : -1;
}

void ctl_sessions_rates(struct ctl_sessions *now, const struct ctl_sessions *before, double seconds)
{
	size_t old = 0;

	for (size_t i = 0; i < now->count; i++) {
		struct ctl_session *session = &now->list[i];
		const struct ctl_session *was;

		while (old < before->count && before->list[old].id < session->id)
			old++;
		if (old == before->count)
			return;
		was = &before->list[old];
		/* Ids are reused. */
		if (was->id > session->id || was->since < session->since ||
		    was->since > session->since || strcmp(was->user, session->user) != 0)
			continue;
		session->in_rate = ctl_session_rate(session->in_octets, was->in_octets, seconds);
		session->out_rate = ctl_session_rate(session->out_octets, was->out_octets, seconds);
	}
}

/* The larger number first. */
static int ctl_sort_number(double one, double other)
{
	return (one < other) - (one > other);
}

/* By rate; equal or unknown rates by octets. */
static int ctl_sort_octets(double rate, double other_rate, double octets, double other_octets)
{
	int order = ctl_sort_number(rate, other_rate);

	return order ? order : ctl_sort_number(octets, other_octets);
}

/* Numerically: 9.0.0.1 is before 10.0.0.1. */
static int ctl_sort_peer(const char *one, const char *other)
{
	return strverscmp(one, other);
}

static int ctl_sort_compare(const void *left, const void *right, void *arg)
{
	const struct ctl_session *one = left, *other = right;
	const enum ctl_sort *sort = arg;
	int order = 0;

	switch (*sort) {
	case CTL_SORT_USER:
		order = strcmp(one->user, other->user);
		break;
	case CTL_SORT_PEER:
		order = ctl_sort_peer(one->peer, other->peer);
		break;
	case CTL_SORT_AGE:
		order = ctl_sort_number(other->since, one->since);
		break;
	case CTL_SORT_IN:
		order = ctl_sort_octets(one->in_rate, other->in_rate, one->in_octets,
					other->in_octets);
		break;
	case CTL_SORT_OUT:
		order = ctl_sort_octets(one->out_rate, other->out_rate, one->out_octets,
					other->out_octets);
		break;
	case CTL_SORT_DROPPED:
		order = ctl_sort_number(one->dropped, other->dropped);
		break;
	case CTL_SORT_PATH:
		/* The order is dead, unknown, alive. */
		order = (strcmp(one->path, "alive") == 0) - (strcmp(other->path, "alive") == 0);
		order = order ? order : strcmp(one->path, other->path);
		break;
	case CTL_SORT_ID:
	case CTL_SORT_COUNT:
		break;
	}
	return order ? order : ctl_sort_number(other->id, one->id);
}

void ctl_sessions_sort(struct ctl_sessions *sessions, enum ctl_sort sort)
{
	if (sessions->count > 0)
		qsort_r(sessions->list, sessions->count, sizeof(*sessions->list), ctl_sort_compare,
			&sort);
}

void ctl_sessions_filter(struct ctl_sessions *sessions, const char *text)
{
	size_t kept = 0;

	if (!*text)
		return;
	for (size_t i = 0; i < sessions->count; i++) {
		const struct ctl_session *session = &sessions->list[i];

		if (strcasestr(session->user, text) || strcasestr(session->peer, text) ||
		    strcasestr(session->has, text) || strcasestr(session->type, text) ||
		    strcasestr(session->transport, text) || strcasestr(session->path, text))
			sessions->list[kept++] = *session;
	}
	sessions->count = kept;
}

/* Formats a cell: octets, or octets per second. */
static void ctl_sessions_octets(struct ctl_table *table, double octets, double rate, bool rates)
{
	char text[CTL_TEXT_SIZE];

	if (!rates)
		ctl_table_cell(table, "%s", ctl_text_octets(octets, text));
	else
		ctl_table_cell(table, "%s", rate < 0 ? "-" : ctl_text_rate(rate, text));
}

struct ctl_table *ctl_sessions_table(const struct ctl_sessions *sessions, size_t first,
				     size_t count, bool rates, double now)
{
	struct ctl_table *table = ctl_table_new(columns[rates], COLUMNS);
	char text[CTL_TEXT_SIZE], more[16];

	for (size_t i = first; table && i < sessions->count && i - first < count; i++) {
		const struct ctl_session *session = &sessions->list[i];

		ctl_table_row(table, strcmp(session->path, "dead") == 0 ? CTL_BAD : CTL_PLAIN);
		ctl_table_cell(table, "%s", session->user);
		ctl_table_cell(table, "%s", session->type);
		ctl_table_cell(table, "%s", session->transport);
		ctl_table_cell(table, "%s", session->peer);
		(void)snprintf(more, sizeof(more), " +%u", session->more);
		ctl_table_cell(table, "%.*s%s", (int)strcspn(session->has, " "), session->has,
			       session->more > 0 ? more : "");
		ctl_table_cell(table, "%s", ctl_text_duration(now - session->since, text));
		ctl_sessions_octets(table, session->in_octets, session->in_rate, rates);
		ctl_sessions_octets(table, session->out_octets, session->out_rate, rates);
		ctl_table_cell(table, "%s", ctl_text_count(session->dropped, text));
		ctl_table_cell(table, "%s", session->path);
	}
	return table;
}

void ctl_sessions_free(struct ctl_sessions *sessions)
{
	free(sessions->list);
	memset(sessions, 0, sizeof(*sessions));
}
