/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/liveness.h"

#define LIVENESS_PERIOD	  20000
#define LIVENESS_PATIENCE 60000
#define LIVENESS_LONELY	  5000
/* From the start: a user shall see a dead path within 10 s, which includes some delay. */
#define LIVENESS_NEVER 8000

/* This many requests are one second apart, later ones less frequent. */
#define LIVENESS_QUICK	5
#define LIVENESS_FIRST	1000
#define LIVENESS_AGAIN	5000
#define LIVENESS_SELDOM 60000 /* to a peer that has never answered */

void liveness_start(struct liveness *live, uint64_t now, bool quiet)
{
	*live = (struct liveness){.heard = now, .hurry = true, .quiet = quiet};
}

void liveness_hurry(struct liveness *live)
{
	live->hurry = true;
	live->unanswered = 0;
}

void liveness_packet_out(struct liveness *live, uint64_t now)
{
	if (live->is_lonely)
		return;
	live->is_lonely = true;
	live->lonely = now;
}

bool liveness_heard(struct liveness *live, uint64_t now)
{
	bool revived = live->dead;

	live->known = true;
	live->heard = now;
	live->is_lonely = false;
	live->dead = false;
	/* A peer that never answers requests is not asked more often for sending packets. */
	if (live->answers)
		live->unanswered = 0;
	return revived;
}

void liveness_noticed(struct liveness *live, uint64_t when)
{
	if (when <= live->heard || live->dead)
		return;
	live->known = true;
	live->heard = when;
	if (live->lonely <= when)
		live->is_lonely = false;
	if (live->answers)
		live->unanswered = 0;
}

bool liveness_answered(struct liveness *live, uint64_t now)
{
	bool first = !live->told;

	live->answers = true;
	live->told = true;
	return liveness_heard(live, now) || first;
}

void liveness_asked(struct liveness *live)
{
	live->answers = true;
	/* The peer has sent something, so a dead path that waits for it is worth a request. */
	if (live->quiet && live->dead)
		live->hurry = true;
}

static uint64_t liveness_last(const struct liveness *live, uint64_t since)
{
	return live->heard > since ? live->heard : since;
}

/* When the next request is due. */
static uint64_t liveness_next(const struct liveness *live, uint64_t since)
{
	uint64_t quiet = liveness_last(live, since) + LIVENESS_PERIOD;
	uint64_t seldom = live->asked + LIVENESS_SELDOM;

	if (live->hurry)
		return 0;
	if (live->quiet && live->dead)
		return UINT64_MAX;
	/* Perhaps the peer has nothing to send, perhaps the path is dead. */
	if (live->unanswered == 0)
		return live->is_lonely && live->lonely + LIVENESS_LONELY < quiet
			       ? live->lonely + LIVENESS_LONELY
			       : quiet;
	if (live->unanswered < LIVENESS_QUICK)
		return live->asked + LIVENESS_FIRST;
	if (live->answers)
		return live->asked + LIVENESS_AGAIN;
	return seldom > quiet ? seldom : quiet;
}

/* When the path will be considered dead. */
static uint64_t liveness_end(const struct liveness *live, uint64_t since)
{
	if (live->dead)
		return UINT64_MAX;
	/* No packet ever: either the path does not work, or the peer has nothing to send. */
	if (!live->known && !live->quiet)
		return liveness_last(live, since) + LIVENESS_NEVER;
	return live->answers ? liveness_last(live, since) + LIVENESS_PATIENCE : UINT64_MAX;
}

enum liveness_action liveness_step(struct liveness *live, uint64_t since, uint64_t now)
{
	if (now >= liveness_end(live, since)) {
		live->dead = true;
		return LIVENESS_DEAD;
	}
	if (now < liveness_next(live, since))
		return LIVENESS_WAIT;
	live->hurry = false;
	live->asked = now;
	if (live->unanswered < LIVENESS_QUICK)
		live->unanswered++;
	return LIVENESS_ASK;
}

uint64_t liveness_deadline(const struct liveness *live, uint64_t since)
{
	uint64_t next = liveness_next(live, since);
	uint64_t end = liveness_end(live, since);

	return next < end ? next : end;
}
