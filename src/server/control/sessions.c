/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/sessions.h"

#include <stdlib.h>

struct sessions {
	uint32_t max;
	uint32_t top;	 /* ids at and above it have never been used */
	uint32_t n_free; /* free ids below top, a ring starting at first_free */
	uint32_t first_free;
	uint32_t *free_ids;
	bool *used;
	struct server_session *slots;
	struct dialog *dialogs;
	uint64_t number; /* of the last login */
	uint32_t granted;
	uint64_t key[2];
	struct hash
		by_user; /* user numbers come from the database: nobody outside can choose them */
	struct hash by_peer;
};

struct sessions *sessions_new(uint32_t max, const uint64_t key[static 2])
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return NULL;
	sessions->max = max;
	sessions->key[0] = key[0];
	sessions->key[1] = key[1];
	sessions->free_ids = calloc(max, sizeof(*sessions->free_ids));
	sessions->used = calloc(max, sizeof(*sessions->used));
	sessions->slots = calloc(max, sizeof(*sessions->slots));
	sessions->dialogs = calloc(max, sizeof(*sessions->dialogs));
	if (!sessions->free_ids || !sessions->used || !sessions->slots || !sessions->dialogs ||
	    hash_init(&sessions->by_user) != 0 || hash_init(&sessions->by_peer) != 0) {
		sessions_free(sessions);
		return NULL;
	}
	return sessions;
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	hash_free(&sessions->by_user);
	hash_free(&sessions->by_peer);
	for (uint32_t id = 0; id < sessions->top; id++)
		free(sessions->slots[id].routed);
	free(sessions->free_ids);
	free(sessions->used);
	free(sessions->slots);
	free(sessions->dialogs);
	free(sessions);
}

struct server_session *sessions_take(struct sessions *sessions)
{
	uint32_t id;

	/* The id free for longest, so that late messages about its last session are unlikely. */
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

static uint64_t sessions_peer_hash(const struct sessions *sessions, struct in_addr peer)
{
	const uint64_t word = peer.s_addr;

	return hash_words(sessions->key, &word, 1);
}

void sessions_grant(struct sessions *sessions, struct server_session *session, int64_t user)
{
	session->state = SLOT_ADD;
	session->user = user;
	hash_insert(&sessions->by_user, &session->by_user, (uint64_t)user, session);
	if (!session->udp)
		hash_insert(&sessions->by_peer, &session->by_peer,
			    sessions_peer_hash(sessions, session->peer), session);
	sessions->granted++;
}

void sessions_release(struct sessions *sessions, struct server_session *session)
{
	if (session->state != SLOT_CHECK) {
		hash_remove(&sessions->by_user, &session->by_user);
		if (!session->udp)
			hash_remove(&sessions->by_peer, &session->by_peer);
		sessions->granted--;
	}
	free(session->routed);
	session->routed = NULL;
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

struct server_session *sessions_older(const struct sessions *sessions,
				      const struct server_session *session)
{
	for (struct hash_node *node = hash_first(&sessions->by_user, (uint64_t)session->user); node;
	     node = hash_next(node)) {
		struct server_session *other = node->item;

		if (other->number < session->number)
			return other;
	}
	return NULL;
}

struct server_session *sessions_by_peer(const struct sessions *sessions, struct in_addr peer,
					const struct server_session *except)
{
	for (struct hash_node *node =
		     hash_first(&sessions->by_peer, sessions_peer_hash(sessions, peer));
	     node; node = hash_next(node)) {
		struct server_session *other = node->item;

		if (other != except && other->peer.s_addr == peer.s_addr)
			return other;
	}
	return NULL;
}

uint32_t sessions_top(const struct sessions *sessions)
{
	return sessions->top;
}

uint32_t sessions_count(const struct sessions *sessions)
{
	return sessions->granted;
}
