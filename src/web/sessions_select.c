/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sessions a reader of the page gets, and in which order. */
#include "web/sessions.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_SIZE (SESSIONS_SEARCH_MAX + 1)

#define COMPARE(one, other) (((one) > (other)) - ((one) < (other)))
#define BY(name, expression)                                                                       \
	static int by_##name(const struct session *one, const struct session *other)               \
	{                                                                                          \
		return expression;                                                                 \
	}

BY(id, COMPARE(one->id, other->id))
BY(user, strcmp(one->user, other->user))
BY(type, strcmp(one->type, other->type))
BY(transport, strcmp(one->transport, other->transport))
BY(path, strcmp(one->path, other->path))
BY(peer,
   one->peer != other->peer ? COMPARE(one->peer, other->peer) : COMPARE(one->port, other->port))
BY(address, memcmp(&one->address, &other->address, sizeof(one->address)))
BY(since, COMPARE(one->since, other->since))
BY(in_octets, COMPARE(one->in_octets, other->in_octets))
BY(out_octets, COMPARE(one->out_octets, other->out_octets))
BY(in_packets, COMPARE(one->in_packets, other->in_packets))
BY(out_packets, COMPARE(one->out_packets, other->out_packets))
BY(dropped, COMPARE(one->dropped, other->dropped))
BY(in_rate, COMPARE(one->in_rate, other->in_rate))
BY(out_rate, COMPARE(one->out_rate, other->out_rate))

static int by_prefixes(const struct session *one, const struct session *other)
{
	if (one->n_prefixes == 0 || other->n_prefixes == 0)
		return COMPARE(one->n_prefixes, other->n_prefixes);
	return memcmp(&one->prefixes[0].addr, &other->prefixes[0].addr,
		      sizeof(one->prefixes[0].addr));
}

typedef int sessions_compare(const struct session *one, const struct session *other);

#define ORDER(name)                                                                                \
	{                                                                                          \
#name, by_##name                                                                   \
	}

static const struct {
	const char *name;
	sessions_compare *compare;
} sessions_orders[] = {
	ORDER(id),	    ORDER(user),      ORDER(type),	 ORDER(transport),
	ORDER(path),	    ORDER(peer),      ORDER(address),	 ORDER(prefixes),
	ORDER(since),	    ORDER(in_octets), ORDER(out_octets), ORDER(in_packets),
	ORDER(out_packets), ORDER(dropped),   ORDER(in_rate),	 ORDER(out_rate),
};

static sessions_compare *sessions_order(const char *name)
{
	for (size_t i = 0; i < sizeof(sessions_orders) / sizeof(sessions_orders[0]); i++) {
		if (strcmp(sessions_orders[i].name, name) == 0)
			return sessions_orders[i].compare;
	}
	return NULL;
}

bool sessions_sort_known(const char *sort)
{
	return sessions_order(sort) != NULL;
}

/*
 * State of a running sort, for the comparison function of mergesort(3). qsort() of the C library
 * reads the size of the machine's memory first, which the sandbox forbids.
 */
struct sessions_sorting {
	const struct sessions *sessions;
	sessions_compare *compare;
	bool descending;
};
static const struct sessions_sorting *sessions_sorting;

static int sessions_compare_places(const void *left, const void *right)
{
	size_t one = *(const size_t *)left;
	size_t other = *(const size_t *)right;
	int result = sessions_sorting->compare(sessions_get(sessions_sorting->sessions, one),
					       sessions_get(sessions_sorting->sessions, other));

	return sessions_sorting->descending ? -result : result;
}

/* A stable sort. False if memory is short. */
static bool sessions_sort(const struct sessions *sessions, sessions_compare *compare,
			  bool descending, size_t *places, size_t count)
{
	const struct sessions_sorting sorting = {sessions, compare, descending};
	bool ok;

	sessions_sorting = &sorting;
	ok = mergesort(places, count, sizeof(*places), sessions_compare_places) == 0;
	sessions_sorting = NULL;
	return ok;
}

size_t *sessions_by_user(const struct sessions *sessions)
{
	size_t count = sessions_count(sessions);
	size_t *places = calloc(count + 1, sizeof(*places));

	if (!places)
		return NULL;
	for (size_t i = 0; i < count; i++)
		places[i] = i;
	if (sessions_sort(sessions, by_user, false, places, count))
		return places;
	free(places);
	return NULL;
}

struct sessions_search {
	char text[SEARCH_SIZE];
	bool is_prefix; /* an address is one, too */
	struct prefix6 prefix;
};

static void sessions_search_init(struct sessions_search *search, const char *text)
{
	char prefix[SEARCH_SIZE + 4];

	(void)strlcpy(search->text, text, sizeof(search->text));
	for (char *c = search->text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	(void)snprintf(prefix, sizeof(prefix), strchr(search->text, '/') ? "%s" : "%s/128",
		       search->text);
	search->is_prefix = prefix6_parse(prefix, &search->prefix) == PREFIX_OK;
}

static bool sessions_match(const struct sessions_search *search, const struct session *session)
{
	if (strstr(session->words, search->text))
		return true;
	if (!search->is_prefix)
		return false;
	for (size_t i = 0; i < session->n_prefixes; i++) {
		if (prefix6_overlaps(&session->prefixes[i], &search->prefix))
			return true;
	}
	return prefix6_has(&search->prefix, &session->address);
}

static bool sessions_write(const struct session *session, const char *before, struct evbuffer *out)
{
	/* Without its closing brace. */
	if (evbuffer_add_printf(out, "%s\n%.*s", before, (int)strlen(session->json) - 1,
				session->json) < 0)
		return false;
	if (session->in_rate >= 0 && session->out_rate >= 0 &&
	    evbuffer_add_printf(out, ",\"in_rate\":%.0f,\"out_rate\":%.0f", session->in_rate,
				session->out_rate) < 0)
		return false;
	return evbuffer_add(out, "}", 1) == 0;
}

bool sessions_select(const struct sessions *sessions, const struct sessions_query *query,
		     struct evbuffer *out)
{
	size_t total = sessions_count(sessions);
	size_t *places = calloc(total + 1, sizeof(*places));
	size_t matched = 0;
	size_t end;
	struct sessions_search search;
	bool ok;

	if (!places)
		return false;
	sessions_search_init(&search, query->search);
	for (size_t i = 0; i < total; i++) {
		if (sessions_match(&search, sessions_get(sessions, i)))
			places[matched++] = i;
	}
	ok = sessions_sort(sessions, sessions_order(query->sort), query->descending, places,
			   matched) &&
	     evbuffer_add_printf(out, "\"total\":%zu,\"matched\":%zu,\"offset\":%zu,\"sessions\":[",
				 total, matched, query->offset) >= 0;
	end = query->offset < matched ? query->offset : matched;
	end += query->limit < matched - end ? query->limit : matched - end;
	for (size_t i = query->offset; i < end && ok; i++)
		ok = sessions_write(sessions_get(sessions, places[i]), i > query->offset ? "," : "",
				    out);
	free(places);
	return ok && evbuffer_add(out, "]", 1) == 0;
}
