/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/accounts/history.h"

#include "base/log.h"
#include "base/text.h"
#include "users/history.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Events that are recorded together; the limit of pending events while the database cannot be
 * written; sessions deleted in one step.
 */
enum { HISTORY_BATCH = 256, HISTORY_MAX = 16384, HISTORY_FORGET = 256 };

/* Interval of the search for old sessions, in seconds, if there are none left. */
enum { HISTORY_FORGET_SECONDS = 60 };

enum { DAY = 86400 };

struct history_slot {
	bool up;
	bool waiting; /* the event of its beginning is in the queue, at place */
	size_t place;
	int64_t number; /* otherwise its number in the database; 0: not recorded */
	int64_t user;
};

struct history {
	const struct server_options *options;
	struct users *users;
	struct history_slot *slots; /* by session id */
	struct users_event *queue;
	size_t count;
	size_t room;
	size_t flush_at; /* number of pending events at which to write at once */
	size_t lost;
	bool complained;
	int64_t forget_at;
};

struct history *history_new(const struct server_options *options, struct users *users)
{
	struct history *history = calloc(1, sizeof(*history));

	if (!history)
		return NULL;
	history->options = options;
	history->users = users;
	history->flush_at = HISTORY_BATCH;
	history->slots = calloc(server_options_ids(options), sizeof(*history->slots));
	if (!history->slots) {
		free(history);
		return NULL;
	}
	if (users_history_close(users, (int64_t)time(NULL)) != USERS_OK)
		log_warnx("%s", users_error(users));
	return history;
}

/* Empties the queue after its events were recorded, or lost. */
static void history_empty(struct history *history, bool noted)
{
	for (size_t i = 0; i < history->count; i++) {
		const struct users_event *event = &history->queue[i];
		struct history_slot *slot = &history->slots[event->id];

		if (event->ended || !slot->waiting || slot->place != i)
			continue;
		slot->waiting = false;
		slot->number = noted ? event->session.number : 0;
	}
	history->count = 0;
}

/* Logins use the database, too, so this does not wait for a lock while there may be logins. */
static void history_flush(struct history *history, unsigned int patience)
{
	if (history->count == 0)
		return;
	if (users_history_note(history->users, history->queue, history->count, patience) ==
	    USERS_OK) {
		history_empty(history, true);
		if (history->lost > 0)
			log_warnx("history: %zu entries were lost", history->lost);
		history->lost = 0;
		history->complained = false;
		history->flush_at = HISTORY_BATCH;
		return;
	}
	history->flush_at = history->count + HISTORY_BATCH;
	if (!history->complained)
		log_warnx("history waits: %s", users_error(history->users));
	history->complained = true;
	if (history->count < HISTORY_MAX)
		return;
	history->lost += history->count;
	history->flush_at = HISTORY_BATCH;
	history_empty(history, false);
}

void history_free(struct history *history, unsigned int patience)
{
	if (!history)
		return;
	history_flush(history, patience);
	if (history->count + history->lost > 0)
		log_warnx("history: %zu entries were lost: %s", history->count + history->lost,
			  users_error(history->users));
	free(history->queue);
	free(history->slots);
	free(history);
}

/* A place for an event at the end of the queue; NULL if there is none. */
static struct users_event *history_add(struct history *history, uint32_t id)
{
	struct users_event *event;

	if (history->count == history->room) {
		size_t room = history->room ? 2 * history->room : HISTORY_BATCH;
		struct users_event *queue =
			reallocarray(history->queue, room, sizeof(*history->queue));

		if (!queue) {
			history->lost++;
			return NULL;
		}
		history->queue = queue;
		history->room = room;
	}
	event = &history->queue[history->count++];
	*event = (struct users_event){.id = id};
	return event;
}

/* Leases take precedence: there is one transaction at a time. */
static void history_added(struct history *history)
{
	if (history->count >= history->flush_at && !users_gathered(history->users))
		history_flush(history, 0);
}

bool history_begin(struct history *history, const struct server_login *asked,
		   const struct logins_granted *said)
{
	struct history_slot *slot = &history->slots[asked->id];
	struct users_event *event;
	struct users_session *session;

	if (slot->up)
		return false;
	*slot = (struct history_slot){.up = true, .user = said->user};
	if (history->options->history_keep == 0)
		return true;
	event = history_add(history, asked->id);
	if (!event)
		return true;
	slot->waiting = true;
	slot->place = history->count - 1;
	session = &event->session;
	session->user = said->user;
	(void)strlcpy(session->name, asked->user, sizeof(session->name));
	session->type = asked->type;
	session->udp = asked->udp;
	session->peer = asked->peer;
	session->began = (int64_t)time(NULL);
	if (said->numbered)
		session->had[session->n_had++] = (struct prefix6){.addr = said->me6, .len = 128};
	for (uint32_t i = 0; i < said->prefixes.n; i++)
		session->had[session->n_had++] = said->prefixes.list[i];
	history_added(history);
	return true;
}

bool history_end(struct history *history, const struct server_ended *ended)
{
	struct history_slot *slot;
	struct users_event *event = NULL;

	if (!history_is_up(history, ended->id) ||
	    strnlen(ended->why, sizeof(ended->why)) == sizeof(ended->why) ||
	    !text_is_plain(ended->why))
		return false;
	slot = &history->slots[ended->id];
	slot->up = false;
	if (slot->waiting || slot->number != 0)
		event = history_add(history, ended->id);
	if (!event)
		return true;
	event->ended = true;
	event->session.number = slot->waiting ? 0 : slot->number;
	event->beginning = slot->place;
	event->session.user = slot->user;
	event->session.ended = (int64_t)time(NULL);
	event->session.in_octets = ended->in_octets;
	event->session.out_octets = ended->out_octets;
	(void)strlcpy(event->session.reason, ended->why, sizeof(event->session.reason));
	history_added(history);
	return true;
}

bool history_is_up(const struct history *history, uint32_t id)
{
	return id < server_options_ids(history->options) && history->slots[id].up;
}

void history_tick(struct history *history)
{
	const int64_t keep = history->options->history_keep;
	int64_t now = (int64_t)time(NULL);
	bool more = false;

	history_flush(history, 0);
	if (history->complained ||
	    (now < history->forget_at && history->forget_at - now <= HISTORY_FORGET_SECONDS))
		return;
	/* Without a history, all records are deleted. */
	if (users_history_forget(history->users, keep ? now - keep * DAY : INT64_MAX,
				 HISTORY_FORGET, &more) != USERS_OK)
		log_debug("history: %s", users_error(history->users));
	history->forget_at = more ? now : now + HISTORY_FORGET_SECONDS;
}
