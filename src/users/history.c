/* SPDX-License-Identifier: BSD-2-Clause */
/* The history of sessions: recording and deleting. */
#include "users/history.h"

#include "users/database.h"

#include <string.h>

static enum users_result users_note_had(struct users *users, int64_t number,
					const struct prefix6 *prefix)
{
	sqlite3_stmt *stmt = users_statement(users, USERS_SESSION_HAD,
					     "INSERT OR IGNORE INTO had (session, bits, first)"
					     " VALUES (?1, ?2, ?3)");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, number) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 2, prefix->len) != SQLITE_OK ||
	    users_bind_address(stmt, 3, &prefix->addr) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

static enum users_result users_note_began(struct users *users, struct users_session *session)
{
	sqlite3_stmt *stmt =
		users_statement(users, USERS_SESSION_BEGAN,
				"INSERT INTO session (user, name, type, udp, peer, began)"
				" VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
	enum users_result result;

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, session->user) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 2, session->name, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 3, (int)session->type) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 4, session->udp) != SQLITE_OK ||
	    sqlite3_bind_blob(stmt, 5, &session->peer, sizeof(session->peer), SQLITE_STATIC) !=
		    SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 6, session->began) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	result = users_run(users, stmt);
	session->number = sqlite3_last_insert_rowid(users->db);
	for (size_t i = 0; i < session->n_had && result == USERS_OK; i++)
		result = users_note_had(users, session->number, &session->had[i]);
	return result;
}

/* If the file was replaced meanwhile, another session may have that number. */
static enum users_result users_note_ended(struct users *users, int64_t number,
					  const struct users_session *session)
{
	sqlite3_stmt *stmt = users_statement(
		users, USERS_SESSION_ENDED,
		"UPDATE session SET ended = ?2, reason = ?3, in_octets = ?4, out_octets = ?5"
		" WHERE number = ?1 AND user = ?6 AND ended IS NULL");

	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, number) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 2, session->ended) != SQLITE_OK ||
	    sqlite3_bind_text(stmt, 3, session->reason, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 4, (int64_t)session->in_octets) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 5, (int64_t)session->out_octets) != SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 6, session->user) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	return users_run(users, stmt);
}

enum users_result users_history_note(struct users *users, struct users_event events[], size_t n,
				     unsigned int patience)
{
	const unsigned int usual = users->patience;
	enum users_result result = users_ready(users);

	if (result != USERS_OK)
		return result;
	if (patience > 0)
		users->no_wait_until = 0;
	users_set_patience(users, patience);
	result = users_begin(users);
	users_set_patience(users, usual);
	if (result != USERS_OK)
		return result;
	for (size_t i = 0; i < n && result == USERS_OK; i++) {
		struct users_session *session = &events[i].session;
		int64_t number = session->number;

		if (events[i].ended && number == 0)
			number = events[events[i].beginning].session.number;
		result = events[i].ended ? users_note_ended(users, number, session)
					 : users_note_began(users, session);
	}
	return users_end(users, result);
}

/* Prepares and runs a statement with a time as its parameter. */
static enum users_result users_run_at(struct users *users, const char *sql, int64_t when)
{
	enum users_result result = users_ready(users);
	sqlite3_stmt *stmt;

	if (result != USERS_OK)
		return result;
	stmt = users_prepare(users, sql);
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, when) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_DONE)
		result = users_fail(users);
	(void)sqlite3_finalize(stmt);
	return result;
}

enum users_result users_history_close(struct users *users, int64_t now)
{
	return users_run_at(users,
			    "UPDATE session SET ended = max(?1, began), reason = 'server ended'"
			    " WHERE ended IS NULL",
			    now);
}

enum users_result users_history_forget(struct users *users, int64_t before, int most, bool *more)
{
	enum users_result result = users_ready(users);
	const unsigned int patience = users->patience;
	sqlite3_stmt *stmt;

	*more = false;
	if (result != USERS_OK)
		return result;
	/* Their prefixes go with them (ON DELETE CASCADE). */
	stmt = users_statement(users, USERS_SESSION_FORGET,
			       "DELETE FROM session WHERE number IN (SELECT number FROM session"
			       " WHERE ended < ?1 ORDER BY ended LIMIT ?2)");
	if (!stmt)
		return USERS_FAILED;
	if (sqlite3_bind_int64(stmt, 1, before) != SQLITE_OK ||
	    sqlite3_bind_int(stmt, 2, most) != SQLITE_OK) {
		users_release(stmt);
		return users_fail(users);
	}
	users_set_patience(users, 0);
	result = users_run(users, stmt);
	users_set_patience(users, patience);
	*more = result == USERS_OK && sqlite3_changes(users->db) == most;
	return result;
}
