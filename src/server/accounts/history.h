/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records sessions in the database, in batches, so that no login waits for it; and deletes old
 * records.
 */
#ifndef DTCP_SERVER_ACCOUNTS_HISTORY_H
#define DTCP_SERVER_ACCOUNTS_HISTORY_H

#include "server/accounts/logins.h"
#include "server/msg.h"
#include "server/options.h"
#include "users/users.h"

struct history;

/*
 * Both must stay valid. Closes the sessions that another run of the server has left open. NULL if
 * memory is short.
 */
struct history *history_new(const struct server_options *options, struct users *users);

/*
 * Writes what is pending, waiting up to patience milliseconds for a lock, and logs what was lost.
 * NULL is allowed.
 */
void history_free(struct history *history, unsigned int patience);

/*
 * A granted session is up. False if control's message is invalid: the session is up already, or the
 * id is out of range.
 */
bool history_begin(struct history *history, const struct server_login *asked,
		   const struct logins_granted *said);

/* It has ended. False if there is no such session, or its text is unterminated or not printable. */
bool history_end(struct history *history, const struct server_ended *ended);

/* True if a session with that id has begun, and not ended. */
bool history_is_up(const struct history *history, uint32_t id);

/* To be called every second: writes pending records, and deletes some old ones. */
void history_tick(struct history *history);

#endif
