/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queue of logins that wait for accounts, which checks a limited number at a time. Logins wait
 * here, since they can be removed if their clients leave. Pure: a list of clients that the caller
 * owns.
 */
#ifndef DTCP_SERVER_CONTROL_LOGIN_QUEUE_H
#define DTCP_SERVER_CONTROL_LOGIN_QUEUE_H

#include "server/control/client.h"

/* Logins that accounts checks at a time. */
enum { LOGIN_QUEUE_ASKED = 64 };

struct login_queue {
	TAILQ_HEAD(, client) waiting;
	uint32_t asked; /* number of logins being checked */
};

void login_queue_init(struct login_queue *queue);

/* Appends to the queue. */
void login_queue_add(struct login_queue *queue, struct client *client);

/* Removes a client, if it is queued. */
void login_queue_forget(struct login_queue *queue, struct client *client);

/* Takes the next login to be checked; NULL: none, or accounts is busy. */
struct client *login_queue_next(struct login_queue *queue);

/* A login taken by login_queue_next() was answered, or was not sent after all. */
void login_queue_answered(struct login_queue *queue);

#endif
