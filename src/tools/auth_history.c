/* SPDX-License-Identifier: BSD-2-Clause */
/* "history": who had which address, and when. */
#include "tools/auth.h"
#include "tools/auth_json.h"
#include "users/history.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool auth_sessions_add(const struct users_session *session, void *arg)
{
	return auth_rows_add(arg, session, sizeof(*session));
}

/* An address without a prefix length. */
static const char *auth_had(const struct prefix6 *prefix, char buf[static PREFIX6_STRLEN])
{
	if (prefix->len < 128)
		return prefix6_format(prefix, buf);
	return inet_ntop(AF_INET6, &prefix->addr, buf, PREFIX6_STRLEN);
}

/* One column of the table. */
enum { BEGAN, ENDED, USER, TYPE, TRANSPORT, IPV4, ADDRESSES, IN, OUT, REASON, COLUMNS };

static const char *const auth_headings[COLUMNS] = {
	"BEGAN", "ENDED", "USER", "TYPE", "TRANSPORT", "IPV4", "ADDRESSES", "IN", "OUT", "REASON",
};

enum { AUTH_CELL_SIZE = USERS_HAD_MAX * (PREFIX6_STRLEN + 1) };

static const char *auth_transport(const struct users_session *session)
{
	return session->udp ? "udp" : "ipv6";
}

static void auth_cell_addresses(const struct users_session *session,
				char buf[static AUTH_CELL_SIZE])
{
	char text[PREFIX6_STRLEN];

	(void)strlcpy(buf, session->n_had ? "" : "-", AUTH_CELL_SIZE);
	for (size_t i = 0; i < session->n_had; i++) {
		(void)strlcat(buf, i ? "," : "", AUTH_CELL_SIZE);
		(void)strlcat(buf, auth_had(&session->had[i], text), AUTH_CELL_SIZE);
	}
}

/* "-": not ended yet. */
static const char *auth_cell(const struct users_session *session, size_t column,
			     char buf[static AUTH_CELL_SIZE])
{
	if (session->up && (column == ENDED || column >= IN))
		return "-";
	switch (column) {
	case BEGAN:
		return auth_time(session->began, buf);
	case ENDED:
		return auth_time(session->ended, buf);
	case USER:
		return session->name;
	case TYPE:
		return tunnel_type_name(session->type);
	case TRANSPORT:
		return auth_transport(session);
	case IPV4:
		return inet_ntop(AF_INET, &session->peer, buf, AUTH_CELL_SIZE);
	case ADDRESSES:
		auth_cell_addresses(session, buf);
		return buf;
	case IN:
	case OUT:
		(void)snprintf(buf, AUTH_CELL_SIZE, "%" PRIu64,
			       column == IN ? session->in_octets : session->out_octets);
		return buf;
	default:
		return session->reason;
	}
}

static void auth_sessions_print(const struct users_session *sessions, size_t count)
{
	int widths[COLUMNS];
	char buf[AUTH_CELL_SIZE];

	for (size_t column = 0; column < COLUMNS; column++) {
		widths[column] = (int)strlen(auth_headings[column]);
		for (size_t i = 0; i < count; i++)
			widths[column] =
				auth_widest(widths[column], auth_cell(&sessions[i], column, buf));
	}
	for (size_t i = 0; i <= count; i++) {
		for (size_t column = 0; column < COLUMNS; column++) {
			const char *text = i == 0 ? auth_headings[column]
						  : auth_cell(&sessions[i - 1], column, buf);

			if (column == COLUMNS - 1)
				(void)printf("%s\n", text);
			else if (column == IN || column == OUT)
				(void)printf("%*s  ", widths[column], text);
			else
				(void)printf("%-*s  ", widths[column], text);
		}
	}
}

static void auth_json_session(struct auth_json *json, const struct users_session *session)
{
	char text[AUTH_CELL_SIZE];
	bool up = session->up;

	auth_json_open(json, NULL, '{');
	auth_json_text(json, "user", session->name);
	auth_json_text(json, "type", tunnel_type_name(session->type));
	auth_json_text(json, "transport", auth_transport(session));
	auth_json_text(json, "ipv4", inet_ntop(AF_INET, &session->peer, text, sizeof(text)));
	auth_json_open(json, "addresses", '[');
	for (size_t i = 0; i < session->n_had; i++)
		auth_json_text(json, NULL, auth_had(&session->had[i], text));
	auth_json_close(json, ']');
	auth_json_text(json, "began", auth_time(session->began, text));
	auth_json_text(json, "ended", up ? NULL : auth_time(session->ended, text));
	auth_json_text(json, "reason", up ? NULL : session->reason);
	if (up) {
		auth_json_text(json, "in_octets", NULL);
		auth_json_text(json, "out_octets", NULL);
	} else {
		auth_json_number(json, "in_octets", session->in_octets);
		auth_json_number(json, "out_octets", session->out_octets);
	}
	auth_json_close(json, '}');
}

/* Builds the search. False after an error message. */
static bool auth_history_search(const struct auth_options *options, struct users_search *search)
{
	struct auth_span span;

	*search = (struct users_search){.name = options->user,
					.has_prefix = options->has_prefix,
					.prefix = options->prefix};
	if (options->address && inet_pton(AF_INET, options->address, &search->peer) == 1) {
		search->has_peer = true;
	} else if (options->address) {
		search->has_prefix = true;
		search->prefix.len = 128;
		if (inet_pton(AF_INET6, options->address, &search->prefix.addr) != 1) {
			(void)auth_fail(AUTH_USAGE, "--address %.64s is no address",
					options->address);
			return false;
		}
	}
	search->has_time = options->at;
	if (!options->at)
		return true;
	if (!auth_time_parse(options->at, &span)) {
		(void)auth_fail(
			AUTH_USAGE,
			"--at \"%.64s\" is neither a day such as 2027-12-31 nor a time such "
			"as 2027-12-31T18:00+01:00",
			options->at);
		return false;
	}
	if (span.first > time(NULL)) {
		(void)auth_fail(AUTH_USAGE, "--at \"%.64s\" is yet to come", options->at);
		return false;
	}
	search->first = span.first;
	search->last = span.last;
	return true;
}

int auth_history(const struct auth_options *options, struct users *users)
{
	struct auth_rows sessions = {.count = 0};
	const struct users_session *list;
	struct auth_json json = {.depth = 0};
	struct users_search search;
	enum users_result result;
	int status;

	if (!auth_history_search(options, &search))
		return AUTH_USAGE;
	result = users_history_search(users, &search, auth_sessions_add, &sessions);
	status = auth_rows_result(options, users, result, &sessions);
	list = sessions.list;
	/* A deleted user still has a history; one who never existed has none. */
	if (status == AUTH_OK && sessions.count == 0 && options->user)
		status = auth_result(options, users, auth_look(users, options->user), NULL);
	if (status == AUTH_OK && options->json) {
		auth_json_open(&json, NULL, '[');
		for (size_t i = 0; i < sessions.count; i++)
			auth_json_session(&json, &list[i]);
		auth_json_close(&json, ']');
	} else if (status == AUTH_OK) {
		auth_sessions_print(list, sessions.count);
	}
	free(sessions.list);
	return status;
}
