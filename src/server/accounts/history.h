/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes the sessions in the database, many together, so that no login waits for it; and forgets
 * them when they are old.
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

/* Notes what waits; for a lock it waits so many milliseconds, and logs what was lost. NULL is
 * allowed. */
void history_free(struct history *history, unsigned int patience);

/*
 * A session that was granted is up. False if control cannot have said so: it is up already, or the
 * id is out of range.
 */
bool history_begin(struct history *history, const struct server_login *asked,
		   const struct logins_granted *said);

/* It has ended. False if there is no such session, or its text has no end or cannot be shown. */
bool history_end(struct history *history, const struct server_ended *ended);

/* True if a session with that id has begun, and not ended. */
bool history_is_up(const struct history *history, uint32_t id);

/* To be called every second: notes what has come since, and forgets some of what is old. */
void history_tick(struct history *history);

#endif
