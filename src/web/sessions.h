/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All sessions of a server, from its last answer, so that the server is queried once for all
 * readers of the page, and each gets only the part being viewed, in any order.
 */
#ifndef DTCP_WEB_SESSIONS_H
#define DTCP_WEB_SESSIONS_H

#include "proto/prefix.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than any server has; further ones are dropped. */
#define SESSIONS_MAX 131072

/* Limit of memory for one answer, in octets; the rest is dropped. */
#define SESSIONS_OCTETS_MAX (96 << 20)

/* Longest search text. */
#define SESSIONS_SEARCH_MAX 100

/* Largest number of rows in an answer. */
#define SESSIONS_ROWS_MAX 1000

struct session {
	uint64_t id;
	double since;
	uint64_t in_packets;
	uint64_t in_octets;
	uint64_t out_packets;
	uint64_t out_octets;
	uint64_t dropped;
	/* Octets per second since the previous answer; negative: unknown. */
	double in_rate;
	double out_rate;
	uint32_t peer; /* for the order only */
	uint16_t port;
	struct in6_addr address;
	size_t n_prefixes;
	const struct prefix6 *prefixes;
	/* Text from the server, and the same in lower case for searching. */
	const char *user;
	const char *type;
	const char *transport;
	const char *path;
	const char *words;
	const char *json; /* the whole row */
};

struct sessions;

/* NULL if memory is short. */
struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);

/*
 * An answer begins, is added row by row, and becomes valid at its end; until then the old one
 * stays. now: milliseconds, for the rates.
 */
void sessions_begin(struct sessions *sessions);
void sessions_add(struct sessions *sessions, const json_t *row);
void sessions_end(struct sessions *sessions, int64_t now);

size_t sessions_count(const struct sessions *sessions);
const struct session *sessions_get(const struct sessions *sessions, size_t place);

/* Indices of the sessions sorted by user, to be freed; NULL if memory is short. */
size_t *sessions_by_user(const struct sessions *sessions);

struct sessions_query {
	const char *search; /* part of a word, or an IPv6 address or prefix; "": all */
	const char *sort;   /* one that sessions_sort_known() accepts */
	bool descending;
	size_t offset;
	size_t limit; /* at most SESSIONS_ROWS_MAX */
};

/* Whether it is a sort key: a member of a session, or in_rate, out_rate. */
bool sessions_sort_known(const char *sort);

/*
 * Appends members of an object: "total", "matched", "offset", and "sessions", the server's rows
 * with in_rate and out_rate added. False if memory is short.
 */
bool sessions_select(const struct sessions *sessions, const struct sessions_query *query,
		     struct evbuffer *out);

#endif
