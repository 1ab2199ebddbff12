/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All sessions of a server, as it answered last: kept so that one who reads the page gets the part
 * that is looked at, in any order, and the server is asked once for everybody.
 */
#ifndef DTCP_WEB_SESSIONS_H
#define DTCP_WEB_SESSIONS_H

#include "proto/prefix.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than any server has; what comes behind them is not kept. */
#define SESSIONS_MAX 131072

/* Octets of memory for one answer, beyond which no more of it is kept. */
#define SESSIONS_OCTETS_MAX (96 << 20)

/* Longest text to search for. */
#define SESSIONS_SEARCH_MAX 100

/* Most rows of one answer. */
#define SESSIONS_ROWS_MAX 1000

struct session {
	uint64_t id;
	double since;
	uint64_t in_packets;
	uint64_t in_octets;
	uint64_t out_packets;
	uint64_t out_octets;
	uint64_t dropped;
	/* Octets per second since the answer before, negative if that is not known. */
	double in_rate;
	double out_rate;
	uint32_t peer; /* for the order only */
	uint16_t port;
	struct in6_addr address;
	size_t n_prefixes;
	const struct prefix6 *prefixes;
	/* What the server said, and the same words in small letters to search in. */
	const char *user;
	const char *type;
	const char *transport;
	const char *path;
	const char *words;
	const char *json; /* all of it */
};

struct sessions;

/* NULL if memory is short. */
struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);

/* An answer begins, comes row by row, and counts from the end on; without that the old one does.
 * now: milliseconds, for the rates. */
void sessions_begin(struct sessions *sessions);
void sessions_add(struct sessions *sessions, const json_t *row);
void sessions_end(struct sessions *sessions, int64_t now);

size_t sessions_count(const struct sessions *sessions);
const struct session *sessions_get(const struct sessions *sessions, size_t place);

/* Numbers of the sessions by user, to be freed; NULL if memory is short. */
size_t *sessions_by_user(const struct sessions *sessions);

struct sessions_query {
	const char *search; /* part of a word, or an IPv6 address or prefix; "": all */
	const char *sort;   /* as sessions_sort_known() */
	bool descending;
	size_t offset;
	size_t limit; /* at most SESSIONS_ROWS_MAX */
};

/* Is it the name of an order: a member of a session, or in_rate, out_rate? */
bool sessions_sort_known(const char *sort);

/*
 * Appends members of an object: "total", "matched", "offset", and "sessions", the rows as the
 * server said them, with in_rate and out_rate. False if memory is short.
 */
bool sessions_select(const struct sessions *sessions, const struct sessions_query *query,
		     struct evbuffer *out);

#endif
