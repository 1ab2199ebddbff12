/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/sessions.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Longest time over which a rate is computed. */
#define RATE_AGE_MAX 120000

/* How many of a session's prefixes are searched. */
#define PREFIXES_MAX 16

/* The sessions of one answer. */
struct sessions_list {
	struct session **list;
	size_t count;
	size_t room;
	size_t octets;
	int64_t at; /* milliseconds */
};

struct sessions {
	struct sessions_list now;
	struct sessions_list coming;
};

struct sessions *sessions_new(void)
{
	return calloc(1, sizeof(struct sessions));
}

static void sessions_clear(struct sessions_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->list[i]);
	free(list->list);
	*list = (struct sessions_list){0};
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	sessions_clear(&sessions->now);
	sessions_clear(&sessions->coming);
	free(sessions);
}

void sessions_begin(struct sessions *sessions)
{
	sessions_clear(&sessions->coming);
}

static uint64_t session_number(const json_t *row, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(row, name));

	return value > 0 ? (uint64_t)value : 0;
}

static const char *session_text(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}

/* Copies a text to *place, and advances *place behind it. */
static const char *session_copy(char **place, const char *text)
{
	char *copy = *place;

	*place = stpcpy(copy, text) + 1;
	return copy;
}

static const char *session_words(char **place, const json_t *row)
{
	static const char *const names[] = {"user", "peer", "address", "type", "transport", "path"};
	const json_t *prefixes = json_object_get(row, "prefixes");
	char *words = *place;
	char *end = words;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		end = stpcpy(end, session_text(row, names[i]));
		*end++ = ' ';
	}
	for (size_t i = 0; i < json_array_size(prefixes); i++) {
		const char *prefix = json_string_value(json_array_get(prefixes, i));

		end = stpcpy(end, prefix ? prefix : "");
		*end++ = ' ';
	}
	*end = '\0';
	for (char *c = words; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*place = end + 1;
	return words;
}

static void session_prefixes(struct session *session, struct prefix6 *list, const json_t *row)
{
	const json_t *prefixes = json_object_get(row, "prefixes");

	session->prefixes = list;
	for (size_t i = 0; i < json_array_size(prefixes) && i < PREFIXES_MAX; i++) {
		const char *text = json_string_value(json_array_get(prefixes, i));

		if (text && prefix6_parse(text, &list[session->n_prefixes]) == PREFIX_OK)
			session->n_prefixes++;
	}
}

/* Allocates one block of *octets for all parts. NULL if memory is short. */
static struct session *session_new(const json_t *row, size_t *octets)
{
	char *json = json_dumps(row, JSON_COMPACT);
	size_t n = json_array_size(json_object_get(row, "prefixes"));
	struct session *session;
	struct prefix6 *prefixes;
	char *place;

	if (!json)
		return NULL;
	if (n > PREFIXES_MAX)
		n = PREFIXES_MAX;
	/* All other texts are contained in the JSON, so its length is an upper bound. */
	*octets = sizeof(*session) + n * sizeof(*prefixes) + 3 * (strlen(json) + 8);
	session = malloc(*octets);
	if (!session) {
		free(json);
		return NULL;
	}
	prefixes = (struct prefix6 *)(session + 1);
	place = (char *)(prefixes + n);
	*session = (struct session){
		.id = session_number(row, "id"),
		.since = json_number_value(json_object_get(row, "since")),
		.in_packets = session_number(row, "in_packets"),
		.in_octets = session_number(row, "in_octets"),
		.out_packets = session_number(row, "out_packets"),
		.out_octets = session_number(row, "out_octets"),
		.dropped = session_number(row, "dropped"),
		.in_rate = -1,
		.out_rate = -1,
		.port = (uint16_t)session_number(row, "port"),
		.json = session_copy(&place, json),
		.user = session_copy(&place, session_text(row, "user")),
		.type = session_copy(&place, session_text(row, "type")),
		.transport = session_copy(&place, session_text(row, "transport")),
		.path = session_copy(&place, session_text(row, "path")),
		.words = session_words(&place, row),
	};
	free(json);
	session_prefixes(session, prefixes, row);
	(void)inet_pton(AF_INET, session_text(row, "peer"), &session->peer);
	session->peer = ntohl(session->peer);
	(void)inet_pton(AF_INET6, session_text(row, "address"), &session->address);
	return session;
}

void sessions_add(struct sessions *sessions, const json_t *row)
{
	struct sessions_list *list = &sessions->coming;
	const json_t *object = json_object_get(row, "session");
	struct session *session;
	size_t octets;

	if (!json_is_integer(json_object_get(object, "id")) || !*session_text(object, "user") ||
	    list->count == SESSIONS_MAX || list->octets > SESSIONS_OCTETS_MAX)
		return;
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		struct session **larger = reallocarray(list->list, room, sizeof(void *));

		if (!larger)
			return;
		list->list = larger;
		list->room = room;
	}
	session = session_new(object, &octets);
	if (!session)
		return;
	list->list[list->count++] = session;
	list->octets += octets;
}

static double session_rate(uint64_t now, uint64_t before, int64_t ms)
{
	return now < before ? -1 : (double)(now - before) * 1000 / (double)ms;
}

/* Both lists are sorted by id. */
static void sessions_rates(struct sessions_list *now, const struct sessions_list *before)
{
	int64_t ms = now->at - before->at;
	size_t place = 0;

	if (ms <= 0 || ms > RATE_AGE_MAX)
		return;
	for (size_t i = 0; i < now->count; i++) {
		struct session *session = now->list[i];
		const struct session *old;

		while (place < before->count && before->list[place]->id < session->id)
			place++;
		if (place == before->count)
			return;
		old = before->list[place];
		/* Ids are reused. */
		if (old->id != session->id || old->since < session->since ||
		    old->since > session->since || strcmp(old->user, session->user) != 0)
			continue;
		session->in_rate = session_rate(session->in_octets, old->in_octets, ms);
		session->out_rate = session_rate(session->out_octets, old->out_octets, ms);
	}
}

void sessions_end(struct sessions *sessions, int64_t now)
{
	sessions->coming.at = now;
	sessions_rates(&sessions->coming, &sessions->now);
	sessions_clear(&sessions->now);
	sessions->now = sessions->coming;
	sessions->coming = (struct sessions_list){0};
}

size_t sessions_count(const struct sessions *sessions)
{
	return sessions->now.count;
}

const struct session *sessions_get(const struct sessions *sessions, size_t place)
{
	return sessions->now.list[place];
}
