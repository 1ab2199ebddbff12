/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions of a server: collected, sorted, compared with an earlier sample, shown in a table.
 */
#ifndef DTCP_TOOLS_CTL_SESSIONS_H
#define DTCP_TOOLS_CTL_SESSIONS_H

#include "tools/ctl_table.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct ctl_session {
	double id;
	double since;
	double in_octets; /* since it began */
	double out_octets;
	double dropped;
	double in_rate; /* octets a second since the previous sample; negative: unknown */
	double out_rate;
	char user[65];
	char type[12];
	char transport[8];
	char peer[24];
	char has[400]; /* prefixes, then its address, separated by blanks */
	unsigned more; /* number of prefixes after the first one */
	char path[8];
};

struct ctl_sessions {
	struct ctl_session *list;
	size_t count;
	size_t room;
	bool failed;   /* memory was short: sessions are missing */
	bool too_many; /* sessions beyond CTL_SESSIONS_MAX are missing */
};

/* More than any server has. */
#define CTL_SESSIONS_MAX 131072

/* In the order of --help. Numbers other than ids are sorted from the largest. */
enum ctl_sort {
	CTL_SORT_ID,
	CTL_SORT_USER,
	CTL_SORT_PEER,
	CTL_SORT_AGE,
	CTL_SORT_IN,
	CTL_SORT_OUT,
	CTL_SORT_DROPPED,
	CTL_SORT_PATH,
	CTL_SORT_COUNT,
};

/* Their names for --sort. */
extern const char *const ctl_sort_words[CTL_SORT_COUNT];

/* Adds a row of the answer, an ask_row; arg is a struct ctl_sessions. */
void ctl_sessions_add(json_t *row, const char *line, void *arg);

/* Computes rates since an earlier sample, which is seconds older; both sorted by id. */
void ctl_sessions_rates(struct ctl_sessions *now, const struct ctl_sessions *before,
			double seconds);

/* Sorts; by rates, if they are known, instead of octets. */
void ctl_sessions_sort(struct ctl_sessions *sessions, enum ctl_sort sort);

/*
 * Keeps the sessions that have text in their user, peer, address or prefixes, type, transport or
 * path.
 */
void ctl_sessions_filter(struct ctl_sessions *sessions, const char *text);

/*
 * A table of count sessions from first; with rates instead of octets if wanted. now: seconds since
 * 1970. NULL if memory is short.
 */
struct ctl_table *ctl_sessions_table(const struct ctl_sessions *sessions, size_t first,
				     size_t count, bool rates, double now);

void ctl_sessions_free(struct ctl_sessions *sessions);

#endif
