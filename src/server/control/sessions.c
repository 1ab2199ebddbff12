/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/sessions.h"

#include <stdlib.h>

struct sessions {
	uint32_t max;
	uint32_t top;	 /* ids at and above it have never been used */
	uint32_t n_free; /* ids below top that are free again, a ring from first_free on */
	uint32_t first_free;
	uint32_t *free_ids;
	bool *used;
	struct server_session *slots;
	struct dialog *dialogs;
	uint64_t number; /* of the last login */
};

struct sessions *sessions_new(uint32_t max)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return NULL;
	sessions->max = max;
	sessions->free_ids = calloc(max, sizeof(*sessions->free_ids));
	sessions->used = calloc(max, sizeof(*sessions->used));
	sessions->slots = calloc(max, sizeof(*sessions->slots));
	sessions->dialogs = calloc(max, sizeof(*sessions->dialogs));
	if (!sessions->free_ids || !sessions->used || !sessions->slots || !sessions->dialogs) {
		sessions_free(sessions);
		return NULL;
	}
	return sessions;
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	free(sessions->free_ids);
	free(sessions->used);
	free(sessions->slots);
	free(sessions->dialogs);
	free(sessions);
}

struct server_session *sessions_take(struct sessions *sessions)
{
	uint32_t id;

	/* The one free for longest: then there is hardly a late message about its last owner. */
	if (sessions->top < sessions->max) {
		id = sessions->top++;
	} else if (sessions->n_free > 0) {
		id = sessions->free_ids[sessions->first_free];
		sessions->first_free = (sessions->first_free + 1) % sessions->max;
		sessions->n_free--;
	} else {
		return NULL;
	}
	sessions->used[id] = true;
	sessions->slots[id] = (struct server_session){.id = id, .number = ++sessions->number};
	return &sessions->slots[id];
}

void sessions_release(struct sessions *sessions, struct server_session *session)
{
	sessions->used[session->id] = false;
	sessions->free_ids[(sessions->first_free + sessions->n_free++) % sessions->max] =
		session->id;
}

struct server_session *sessions_get(struct sessions *sessions, uint32_t id)
{
	return id < sessions->top && sessions->used[id] ? &sessions->slots[id] : NULL;
}

struct dialog *sessions_dialog(struct sessions *sessions, uint32_t id)
{
	return id < sessions->max ? &sessions->dialogs[id] : NULL;
}

/* The next granted session from *position on, which moves behind it; NULL at the end. */
static struct server_session *sessions_next(struct sessions *sessions, uint32_t *position)
{
	while (*position < sessions->top) {
		uint32_t id = (*position)++;

		if (sessions->used[id] && sessions->slots[id].state != SLOT_CHECK)
			return &sessions->slots[id];
	}
	return NULL;
}

struct server_session *sessions_older(struct sessions *sessions,
				      const struct server_session *session)
{
	struct server_session *other;
	uint32_t position = 0;

	while ((other = sessions_next(sessions, &position))) {
		if (other->user == session->user && other->number < session->number)
			return other;
	}
	return NULL;
}

struct server_session *sessions_by_peer(struct sessions *sessions, struct in_addr peer,
					const struct server_session *except)
{
	struct server_session *session;
	uint32_t position = 0;

	while ((session = sessions_next(sessions, &position))) {
		if (session != except && !session->udp && session->peer.s_addr == peer.s_addr)
			return session;
	}
	return NULL;
}

uint32_t sessions_count(struct sessions *sessions)
{
	uint32_t position = 0;
	uint32_t count = 0;

	while (sessions_next(sessions, &position))
		count++;
	return count;
}
