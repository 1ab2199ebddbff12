/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Searching sessions. A prefix that contains a given address can start at 128 places only, one for
 * each length, and each is one index look-up; the parts of a given prefix are one range for each
 * length. So the cost does not depend on the number of sessions.
 */
#include "users/database.h"
#include "users/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	SESSION_USER,
	SESSION_NAME,
	SESSION_TYPE,
	SESSION_UDP,
	SESSION_PEER,
	SESSION_BEGAN,
	SESSION_ENDED,
	SESSION_REASON,
	SESSION_IN,
	SESSION_OUT
};

/* A list of session numbers. */
struct users_numbers {
	int64_t *list;
	size_t count;
	size_t room;
};

static enum users_result users_numbers_add(struct users *users, struct users_numbers *numbers,
					   int64_t number)
{
	if (numbers->count == numbers->room) {
		size_t room = numbers->room ? 2 * numbers->room : 64;
		int64_t *list = reallocarray(numbers->list, room, sizeof(*list));

		if (!list)
			return users_fail_text(users, strerror(ENOMEM));
		numbers->list = list;
		numbers->room = room;
	}
	numbers->list[numbers->count++] = number;
	return USERS_OK;
}

/* Collects the numbers that a statement returns, and resets it. */
static enum users_result users_numbers_read(struct users *users, sqlite3_stmt *stmt,
					    struct users_numbers *numbers)
{
	enum users_result result = USERS_OK;

	while (result == USERS_OK && users_step(users, stmt, &result))
		result = users_numbers_add(users, numbers, sqlite3_column_int64(stmt, 0));
	(void)sqlite3_reset(stmt);
	return result;
}

static int users_numbers_order(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, two = *(const int64_t *)b;

	return (one > two) - (one < two);
}

/* Sessions that overlap a prefix; possibly with duplicates. */
static enum users_result users_find_had(struct users *users, const struct prefix6 *prefix,
					struct users_numbers *numbers)
{
	const struct in6_addr last = prefix6_last(prefix);
	enum users_result result = USERS_OK;
	sqlite3_stmt *stmt = users_prepare(users, "SELECT session FROM had"
						  " WHERE bits = ?1 AND first BETWEEN ?2 AND ?3");

	if (!stmt)
		return USERS_FAILED;
	for (uint8_t len = 1; len <= 128 && result == USERS_OK; len++) {
		struct in6_addr around = prefix6_mask(&prefix->addr, len);
		const struct in6_addr *from = len <= prefix->len ? &around : &prefix->addr;
		const struct in6_addr *to = len <= prefix->len ? &around : &last;

		if (sqlite3_bind_int(stmt, 1, len) != SQLITE_OK ||
		    users_bind_address(stmt, 2, from) != SQLITE_OK ||
		    users_bind_address(stmt, 3, to) != SQLITE_OK)
			result = users_fail(users);
		else
			result = users_numbers_read(users, stmt, numbers);
	}
	(void)sqlite3_finalize(stmt);
	return result;
}

/* Sessions from an address, or of a user, or all. */
static enum users_result users_find_others(struct users *users, const struct users_search *search,
					   struct users_numbers *numbers)
{
	enum users_result result;
	int code = SQLITE_OK;
	sqlite3_stmt *stmt =
		users_prepare(users, search->has_peer ? "SELECT number FROM session WHERE peer = ?1"
				     : search->name   ? "SELECT number FROM session WHERE name = ?1"
						      : "SELECT number FROM session");

	if (!stmt)
		return USERS_FAILED;
	if (search->has_peer)
		code = sqlite3_bind_blob(stmt, 1, &search->peer, sizeof(search->peer),
					 SQLITE_STATIC);
	else if (search->name)
		code = sqlite3_bind_text(stmt, 1, search->name, -1, SQLITE_STATIC);
	result = code == SQLITE_OK ? users_numbers_read(users, stmt, numbers) : users_fail(users);
	(void)sqlite3_finalize(stmt);
	return result;
}

/* Reads its prefixes; USERS_FAILED if there are more than this program writes. */
static enum users_result users_read_had(struct users *users, struct users_session *session)
{
	sqlite3_stmt *stmt = users_statement(users, USERS_SESSION_READ_HAD,
					     "SELECT first, bits FROM had WHERE session = ?1");
	enum users_result result = USERS_OK;

	session->n_had = 0;
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, session->number) != SQLITE_OK)
		result = users_fail(users);
	while (result == USERS_OK && users_step(users, stmt, &result)) {
		if (session->n_had == USERS_HAD_MAX ||
		    !users_column_prefix(stmt, 0, 1, &session->had[session->n_had++]))
			result = users_fail_text(users, USERS_DAMAGED);
	}
	users_release(stmt);
	return result;
}

/* False if the row has values that this program does not write. */
static bool users_read_session(sqlite3_stmt *stmt, struct users_session *session)
{
	const void *peer = sqlite3_column_blob(stmt, SESSION_PEER);

	session->user = sqlite3_column_int64(stmt, SESSION_USER);
	session->type = (uint32_t)sqlite3_column_int(stmt, SESSION_TYPE);
	session->udp = sqlite3_column_int(stmt, SESSION_UDP) != 0;
	session->began = sqlite3_column_int64(stmt, SESSION_BEGAN);
	session->up = sqlite3_column_type(stmt, SESSION_ENDED) == SQLITE_NULL;
	session->ended = sqlite3_column_int64(stmt, SESSION_ENDED);
	session->in_octets = (uint64_t)sqlite3_column_int64(stmt, SESSION_IN);
	session->out_octets = (uint64_t)sqlite3_column_int64(stmt, SESSION_OUT);
	if (!peer || session->type < TUNNEL_ONLY || session->type > TUNNEL_NETWORK ||
	    sqlite3_column_bytes(stmt, SESSION_PEER) != (int)sizeof(session->peer))
		return false;
	memcpy(&session->peer, peer, sizeof(session->peer));
	return users_column_shown(stmt, SESSION_NAME, session->name, sizeof(session->name)) &&
	       users_column_shown(stmt, SESSION_REASON, session->reason, sizeof(session->reason));
}

/* USERS_NOT_FOUND: it was deleted meanwhile. */
static enum users_result users_read_number(struct users *users, int64_t number,
					   struct users_session *session)
{
	sqlite3_stmt *stmt = users_statement(
		users, USERS_SESSION_READ,
		"SELECT user, name, type, udp, peer, began, ended, reason, in_octets, out_octets"
		" FROM session WHERE number = ?1");
	enum users_result result = USERS_OK;
	int code = SQLITE_ERROR;

	if (!stmt)
		return USERS_FAILED;
	*session = (struct users_session){.number = number};
	if (sqlite3_bind_int64(stmt, 1, number) == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_DONE)
		result = USERS_NOT_FOUND;
	else if (code != SQLITE_ROW)
		result = users_fail(users);
	else if (!users_read_session(stmt, session))
		result = users_fail_text(users, USERS_DAMAGED);
	users_release(stmt);
	return result == USERS_OK ? users_read_had(users, session) : result;
}

static bool users_matches(const struct users_search *search, const struct users_session *session)
{
	if (search->name && strcmp(search->name, session->name) != 0)
		return false;
	if (search->has_peer && search->peer.s_addr != session->peer.s_addr)
		return false;
	return !search->has_time ||
	       (session->began <= search->last && (session->up || session->ended >= search->first));
}

enum users_result users_history_search(struct users *users, const struct users_search *search,
				       bool (*each)(const struct users_session *session, void *arg),
				       void *arg)
{
	enum users_result result = users_ready(users);
	struct users_numbers numbers = {.count = 0};
	struct users_session session;

	if (result == USERS_OK)
		result = search->has_prefix ? users_find_had(users, &search->prefix, &numbers)
					    : users_find_others(users, search, &numbers);
	if (numbers.count > 0)
		qsort(numbers.list, numbers.count, sizeof(*numbers.list), users_numbers_order);
	for (size_t i = 0; i < numbers.count && result == USERS_OK; i++) {
		if (i > 0 && numbers.list[i] == numbers.list[i - 1])
			continue;
		result = users_read_number(users, numbers.list[i], &session);
		if (result == USERS_NOT_FOUND)
			result = USERS_OK;
		else if (result == USERS_OK && users_matches(search, &session) &&
			 !each(&session, arg))
			break;
	}
	free(numbers.list);
	return result;
}

enum users_result users_history_last(struct users *users, const struct user *user,
				     struct users_session *session)
{
	enum users_result result = users_ready(users);
	sqlite3_stmt *stmt;
	int64_t number = 0;
	int code = SQLITE_ERROR;

	if (result != USERS_OK)
		return result;
	stmt = users_statement(users, USERS_SESSION_LAST,
			       "SELECT number FROM session WHERE name = ?1 AND user = ?2"
			       " ORDER BY began DESC, number DESC LIMIT 1");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_text(stmt, 1, user->name, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_int64(stmt, 2, user->id) == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		number = sqlite3_column_int64(stmt, 0);
	else if (code != SQLITE_DONE)
		result = users_fail(users);
	users_release(stmt);
	if (result != USERS_OK)
		return result;
	return number ? users_read_number(users, number, session) : USERS_NOT_FOUND;
}
