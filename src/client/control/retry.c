/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control/retry.h"

/* A pause of the slowest pace at its shortest. */
#define RETRY_REST_MS ((int64_t)RETRY_MAX * 750)

/* Begins a round of attempts, in which each server is tried, with that one. */
static void retry_round(struct retry *retry, size_t first)
{
	for (size_t i = 0; i < retry->n_servers; i++)
		retry->servers[i].tried = false;
	retry->hopeless = true;
	retry->current = first;
}

/* Chooses the first server from that one on that is still to be tried in this round. */
static bool retry_choose(struct retry *retry, size_t first, int64_t now)
{
	for (size_t i = 0; i < retry->n_servers; i++) {
		size_t at = (first + i) % retry->n_servers;

		if (!retry->servers[at].tried && now >= retry->servers[at].rest_until) {
			retry->current = at;
			return true;
		}
	}
	return false;
}

void retry_init(struct retry *retry, size_t n_servers, uint32_t (*random)(uint32_t n))
{
	*retry = (struct retry){
		.n_servers = n_servers, .random = random, .hurried = -RETRY_HURRY_MS};
	retry_round(retry, 0);
}

void retry_begin(struct retry *retry, int64_t now)
{
	retry_round(retry, retry->home);
	/* If all have to rest, it is the one that worked after all. */
	(void)retry_choose(retry, retry->home, now);
}

void retry_succeeded(struct retry *retry)
{
	retry->servers[retry->current].rest_until = 0;
	retry->home = retry->current;
	retry_round(retry, retry->current);
}

void retry_moved(struct retry *retry)
{
	retry->rounds = 0;
	retry_round(retry, retry->current);
}

void retry_forget(struct retry *retry)
{
	for (size_t i = 0; i < retry->n_servers; i++)
		retry->servers[i].rest_until = 0;
	retry->rounds = 0;
	retry_round(retry, retry->home);
}

/*
 * Nothing that a quick second attempt could change, as with this machine's own trouble; and another
 * place that uses the same account must not be fought for it every second.
 */
static bool retry_is_hopeless(const struct retry_failure *failure)
{
	enum client_exit status = failure->status;

	return status == CLIENT_LOCAL || status == CLIENT_AUTH || status == CLIENT_TYPE ||
	       status == CLIENT_NAT || failure->said == REASON_SUPERSEDED ||
	       failure->said == REASON_ADDRESS;
}

static void retry_pause(struct retry *retry, bool was_up, struct retry_verdict *verdict)
{
	uint32_t delay = retry->hopeless ? RETRY_MAX : RETRY_MIN;

	for (unsigned int i = 0; i < retry->rounds && delay < RETRY_MAX; i++)
		delay *= 2;
	if (delay > RETRY_MAX)
		delay = RETRY_MAX;
	retry->rounds++;
	if (was_up && delay == RETRY_MIN) {
		verdict->pause = RETRY_SPREAD_MIN_MS +
				 retry->random(RETRY_SPREAD_MAX_MS - RETRY_SPREAD_MIN_MS + 1);
		return;
	}
	/* A quarter up or down, so that the clients of one server do not march in step. */
	verdict->pause = (int64_t)delay * 750 + (int64_t)retry->random(delay * 500 + 1);
	verdict->about = delay;
}

struct retry_verdict retry_failed(struct retry *retry, const struct retry_failure *failure,
				  int64_t now)
{
	struct retry_verdict verdict = {.hopeless = retry_is_hopeless(failure)};
	struct retry_server *server = &retry->servers[retry->current];
	bool was_up = failure->up_since >= 0;
	bool local = failure->status == CLIENT_LOCAL;

	/*
	 * One that falls as soon as it is up is no better than one that never was, unless the
	 * server says that it was told to end.
	 */
	if (was_up && (now - failure->up_since >= (int64_t)RETRY_MAX * 1000 ||
		       failure->said == REASON_STOPPING))
		retry->rounds = 0;
	/* One that was up worked, and is the first to be tried again. */
	if (was_up || local)
		retry_round(retry, retry->current);
	else
		server->tried = true;
	if (verdict.hopeless && !local)
		server->rest_until = now + RETRY_REST_MS;
	else if (!local)
		retry->hopeless = false;
	if (failure->otherwise)
		*server = (struct retry_server){.tried = false};
	verdict.hopeless &= !failure->otherwise;
	verdict.next =
		!was_up && !local && retry_choose(retry, retry->current + failure->otherwise, now);
	if (!verdict.next)
		retry_pause(retry, was_up, &verdict);
	return verdict;
}

bool retry_hurry(struct retry *retry, int64_t now, int64_t *pause_end)
{
	int64_t soonest = retry->hurried + RETRY_HURRY_MS;

	/* Time alone is what helps there. */
	if (retry->hopeless)
		return false;
	/* Some routers' routes change all the time. */
	if (now < soonest) {
		if (soonest < *pause_end)
			*pause_end = soonest;
		return false;
	}
	retry->hurried = now;
	retry_begin(retry, now);
	return true;
}
