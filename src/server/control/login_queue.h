/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins that wait for accounts, which is asked about so many at a time. The others wait here,
 * where they can be forgotten if their clients leave. Pure: keeps a list of clients that others
 * own.
 */
#ifndef DTCP_SERVER_CONTROL_LOGIN_QUEUE_H
#define DTCP_SERVER_CONTROL_LOGIN_QUEUE_H

#include "server/control/client.h"

/* Logins that accounts is asked about at a time. */
enum { LOGIN_QUEUE_ASKED = 64 };

struct login_queue {
	TAILQ_HEAD(, client) waiting;
	uint32_t asked; /* those that were not answered yet */
};

void login_queue_init(struct login_queue *queue);

/* At the end of the queue. */
void login_queue_add(struct login_queue *queue, struct client *client);

/* Takes it out, if it is there. */
void login_queue_forget(struct login_queue *queue, struct client *client);

/* Takes out whose turn it is, for accounts to be asked about; NULL: nobody's now. */
struct client *login_queue_next(struct login_queue *queue);

/* One of those that came from login_queue_next() was answered, or was not asked about after all. */
void login_queue_answered(struct login_queue *queue);

#endif
