/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/login_queue.h"

void login_queue_init(struct login_queue *queue)
{
	TAILQ_INIT(&queue->waiting);
	queue->asked = 0;
}

void login_queue_add(struct login_queue *queue, struct client *client)
{
	client->waiting = true;
	TAILQ_INSERT_TAIL(&queue->waiting, client, next_waiting);
}

void login_queue_forget(struct login_queue *queue, struct client *client)
{
	if (client->waiting)
		TAILQ_REMOVE(&queue->waiting, client, next_waiting);
	client->waiting = false;
}

struct client *login_queue_next(struct login_queue *queue)
{
	struct client *client = TAILQ_FIRST(&queue->waiting);

	if (!client || queue->asked == LOGIN_QUEUE_ASKED)
		return NULL;
	login_queue_forget(queue, client);
	queue->asked++;
	return client;
}

void login_queue_answered(struct login_queue *queue)
{
	queue->asked--;
}
