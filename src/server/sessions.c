/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/sessions.h"

#include <stdlib.h>

struct sessions {
	uint32_t max;
	uint32_t top;	 /* ids at and above it have never been used */
	uint32_t n_free; /* ids below top that are free again, a ring from first_free on */
	uint32_t first_free;
	uint32_t *free_ids;
	bool *used;
	struct server_session *slots;
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
	if (!sessions->free_ids || !sessions->used || !sessions->slots) {
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
	free(sessions);
}

struct server_session *sessions_take(struct sessions *sessions)
{
	uint32_t id;

	/* The one free for longest, so that no late message about its last owner can come. */
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
	sessions->slots[id] = (struct server_session){.id = id};
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

/* The next granted session from *position on, which moves behind it; NULL at the end. */
static struct server_session *sessions_next(struct sessions *sessions, uint32_t *position)
{
	while (*position < sessions->top) {
		uint32_t id = (*position)++;

		if (sessions->used[id] && sessions->slots[id].granted)
			return &sessions->slots[id];
	}
	return NULL;
}

struct server_session *sessions_by_user(struct sessions *sessions, int64_t user,
					const struct server_session *except)
{
	struct server_session *session;
	uint32_t position = 0;

	while ((session = sessions_next(sessions, &position))) {
		if (session != except && session->user == user)
			return session;
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

uint32_t sessions_count(const struct sessions *sessions)
{
	uint32_t count = 0;

	for (uint32_t id = 0; id < sessions->top; id++) {
		if (sessions->used[id] && sessions->slots[id].granted)
			count++;
	}
	return count;
}
